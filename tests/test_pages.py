"""Pages that scratchvae.analysis.pages renders: their head, and that their content is escaped."""
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
<script type="application/json">{{ data | tojson }}</script>
{% endblock %}
"""
WICKED = "</script></title><b>é & 'x' \"y\" <!--<script>"


@pytest.fixture
def folder(tmp_path):
    """Return the folder of a page."""
    (tmp_path / "page.html").write_text(TEMPLATE)
    (tmp_path / "style.css").write_text("p { color: red }")
    return tmp_path


def test_content_is_escaped_and_markup_is_not(folder):
    page = render(folder, title=WICKED, text=WICKED, data={"b": WICKED, "a": 1})
    assert page.count("<script") == page.count("</script>") == page.count("</title>") == 1
    assert "<b>" not in page
    assert "<!--" not in page
    data = re.search(r"<script [^>]*>(.*?)</script>", page)[1]
    assert json.loads(data) == {"b": WICKED, "a": 1}
    assert data.index('"b"') < data.index('"a"')                # the order of the keys is kept
    assert "<p><i>ours</i></p>" in render(folder, title="", text=Markup("<i>ours</i>"), data=0)


def test_a_page_has_its_style_and_loads_nothing(folder):
    page = render(folder, title="", text="", data=0)
    assert re.search(r"<style>\s*p { color: red }\s*</style>", page)
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)


def test_missing_variables_and_numbers_that_are_not_finite_are_errors(folder):
    with pytest.raises(UndefinedError, match="'text' is undefined"):
        render(folder, title="", data=0)
    with pytest.raises(ValueError, match="JSON"):
        render(folder, title="", text="", data=float("nan"))
