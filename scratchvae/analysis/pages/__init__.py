"""Self-contained HTML pages: style, scripts, images and data are all in one file.

Such a page needs no server and no network. Its folder holds a template page.html, which extends the
base.html of this package; the style.css that base.html includes; and scripts.
"""
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(repr=False)
class Page:
    """A page that a notebook shows below its cell, in a frame."""
    text: str

    def _repr_html_(self):
        return (f'<iframe srcdoc="{escape(self.text)}" '
                'style="width: 100%; height: 48rem; border: 1px solid #8884"></iframe>')


def render(folder, **content):
    """Return the page of a folder as text.

    Parameters
    ----------
    folder : path
        The folder of page.html and style.css.
    **content
        The variables of the template. Text is escaped unless it is Markup; in a script, use
        `| tojson`.

    Returns
    -------
    str

    Raises
    ------
    jinja2.UndefinedError
        If the template uses a variable that is not in content.
    ValueError
        If a number for `| tojson` is not finite.
    """
    return template(Path(folder)).render(content)


@cache
def template(folder):
    """Return the compiled page.html of a folder."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # slow to import
    environment = Environment(
        loader=FileSystemLoader([folder, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "allow_nan": False}
    return environment.get_template("page.html")
