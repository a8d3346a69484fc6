"""Pages that are one HTML file each: style, scripts, pictures and data are in it, so that it needs no server and no network.

A page is a folder with a template page.html, which extends base.html here, the style.css that base.html includes, and scripts.
"""
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


def render(folder, **content):
    """The page of that folder as text.  What is put into it is escaped, but for Markup; `| tojson` is safe within a script."""
    return template(Path(folder)).render(content)


@cache
def template(folder):
    """The folder's page.html, compiled once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined      # here, as training must not wait for it
    environment = Environment(loader=FileSystemLoader([folder, HERE]), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "allow_nan": False}
    return environment.get_template("page.html")
