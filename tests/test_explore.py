"""The page of a run as a file.  test_explore_page.py opens it in a browser."""
import json
import re

import numpy as np
import pytest

from scratchvae.errors import ScratchVAEError
from scratchvae.teaching.explore import images, write_page
from scratchvae.teaching.explore.payload import Arrays

pytest_plugins = "explore_runs"
OUTSIDE = re.compile(r"""(src|href)=["'](?!data:)|@import|url\(|https?://""")


def test_a_page_is_one_file_that_loads_nothing(runs, run, tmp_path):
    folder = runs("mnist-dense").folder
    path = tmp_path / "here" / "page.html"
    code, out, _ = run("explore", folder, "--out", path)
    page = path.read_text()
    assert code == 0 and out.splitlines()[-1] == str(path)
    assert "default-src 'none'" in page and not OUTSIDE.search(page)
    assert "{{" not in page and len(page) < 1_000_000
    run("explore", folder)
    assert (folder / "explore.html").read_text() == page        # the same run, the same page


def test_text_cannot_end_the_script_that_contains_it(runs, tmp_path):
    run = runs("text-gru")
    words = run.vocabulary.words
    run.vocabulary.words = ("</script><b>", *words[1:])
    page = write_page(run, tmp_path / "page.html").read_text()
    run.vocabulary.words = words
    content = re.search(r'<script type="application/json" id="content">(.*?)</script>', page)[1]
    assert "</script><b>" not in page and json.loads(content)["vocabulary"][0] == "</script><b>"


def test_arrays_are_aligned_and_have_their_places():
    arrays = Arrays()
    assert arrays.add(np.arange(3), "uint8") == 0
    assert arrays.add([[0.5, 0.25]], "float16") == 1
    assert arrays.add([1], "float32") == 2
    assert arrays.places == [["uint8", 0, 3], ["float16", 4, 2], ["float32", 8, 1]]


def test_what_a_page_cannot_show_is_refused_in_one_line(runs, run, monkeypatch, tmp_path):
    path = tmp_path / "page.html"
    with pytest.raises(ScratchVAEError, match="1 dimension; explore shows a plane and needs 2"):
        write_page(runs("mnist-dense", latent_dim=1), path)
    code, _, error = run("explore", runs("shakespeare-onehot").folder)
    assert code == 2 and "single words" in error
    monkeypatch.setattr(images, "HEAVY", 0)
    with pytest.raises(ScratchVAEError, match="too heavy for a page.*2 dimensions, not 8"):
        write_page(runs("mnist-latent8"), path)
    assert not path.exists()
