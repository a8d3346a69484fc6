"""What every page has from scratchvae.pages: its head, and that nothing put into it can become HTML or a script."""
import json
import re

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from scratchvae.analysis.pages import render

TEMPLATE = """{% extends "base.html" %}
{% block title %}{{ title }}{% endblock %}
{% block body %}
<p>{{ text }}</p>
<script type="application/json">{{ told | tojson }}</script>
{% endblock %}
"""
WICKED = "</script></title><b>é & 'x' \"y\" <!--<script>"


@pytest.fixture
def folder(tmp_path):
    """A page's folder."""
    (tmp_path / "page.html").write_text(TEMPLATE)
    (tmp_path / "style.css").write_text("p { color: red }")
    return tmp_path


def test_what_is_put_into_a_page_stays_text(folder):
    page = render(folder, title=WICKED, text=WICKED, told={"b": WICKED, "a": 1})
    assert page.count("<script") == page.count("</script>") == page.count("</title>") == 1 and "<b>" not in page and "<!--" not in page
    told = re.search(r"<script [^>]*>(.*?)</script>", page)[1]
    assert json.loads(told) == {"b": WICKED, "a": 1} and told.index('"b"') < told.index('"a"')
    assert "<p><i>ours</i></p>" in render(folder, title="", text=Markup("<i>ours</i>"), told=0)


def test_a_page_has_its_style_and_may_load_nothing(folder):
    page = render(folder, title="", text="", told=0)
    assert re.search(r"<style>\s*p { color: red }\s*</style>", page)
    assert "default-src 'none'" in page and not re.search(r"""(src|href)=["'](?!data:)""", page)


def test_what_a_page_can_not_say_is_an_error(folder):
    with pytest.raises(UndefinedError, match="'text' is undefined"):
        render(folder, title="", told=0)
    with pytest.raises(ValueError, match="JSON"):
        render(folder, title="", text="", told=float("nan"))
