"""One HTML file: the style, the scripts and what they are told, all in it."""
import html
import json
import re
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
SHARED_SCRIPTS = ("payload.js", "numbers.js", "products.js", "activations.js", "layers.js", "sliders.js")


def build(kind, told, arrays):
    """The page as text.  kind: a module with BODY and SCRIPTS, names of files in assets; told: what JSON can express; arrays: Arrays."""
    parts = {
        "title": html.escape(told["lab"]),
        "style": read("style.css"),
        "body": read(kind.BODY),
        "script": "\n".join(map(read, (*SHARED_SCRIPTS, *kind.SCRIPTS))),
        "told": json.dumps(told | {"arrays": arrays.places}, ensure_ascii=False).replace("<", "\\u003c"),     # nothing that HTML could take for its own
        "payload": arrays.text(),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], read("page.html"))


def read(name):
    """The text of an asset."""
    return (ASSETS / name).read_text(encoding="utf-8")
