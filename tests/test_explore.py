"""The page of a run as a file: what is in it, and what is refused.  test_explore_page.py opens it in a browser."""
import json
import re

import numpy as np
import pytest

from explore_runs import runs               # noqa: F401 (a fixture)
from scratchvae.errors import ScratchVAEError
from scratchvae.teaching.explore import images, write_page
from scratchvae.teaching.explore.payload import Arrays


def test_a_page_is_one_file_that_asks_for_nothing(runs, run, tmp_path):
    code, out, _ = run("explore", runs("mnist-dense").folder, "--out", tmp_path / "here" / "page.html")
    page = (tmp_path / "here" / "page.html").read_text()
    assert code == 0 and out.splitlines()[-1] == str(tmp_path / "here" / "page.html")
    assert "default-src 'none'" in page and not re.search(r"""(src|href)=["'](?!data:)|@import|url\(|https?://""", page)
    assert "{{" not in page and len(page) < 1_000_000
    code, out, _ = run("explore", runs("mnist-dense").folder)
    assert (runs("mnist-dense").folder / "explore.html").read_text() == page       # the same run, the same page


def test_text_cannot_end_the_script_it_stands_in(runs, tmp_path):
    run = runs("text-gru")
    words, run.vocabulary.words = run.vocabulary.words, ("</script><b>", *run.vocabulary.words[1:])
    page = write_page(run, tmp_path / "page.html").read_text()
    run.vocabulary.words = words
    told = re.search(r'<script type="application/json" id="told">(.*?)</script>', page)[1]
    assert "</script><b>" not in page and json.loads(told)["vocabulary"][0] == "</script><b>"


def test_arrays_are_aligned_and_found_again():
    arrays = Arrays()
    assert [arrays.add(np.arange(3), "uint8"), arrays.add([[0.5, 0.25]], "float16"), arrays.add([1], "float32")] == [0, 1, 2]
    assert arrays.places == [["uint8", 0, 3], ["float16", 4, 2], ["float32", 8, 1]]


def test_what_a_page_cannot_show_is_refused_in_one_line(runs, run, monkeypatch, tmp_path):
    with pytest.raises(ScratchVAEError, match="1 dimension; explore shows a plane and needs 2"):
        write_page(runs("mnist-dense", latent_dim=1), tmp_path / "page.html")
    code, _, error = run("explore", runs("shakespeare-onehot").folder)
    assert code == 2 and "single words" in error
    monkeypatch.setattr(images, "HEAVY", 0)
    with pytest.raises(ScratchVAEError, match="too heavy for a page.*2 dimensions, not 8"):
        write_page(runs("mnist-latent8"), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
