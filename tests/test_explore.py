"""The page of a run as a file.  test_explore_page.py opens it in a browser."""
import json
import re

import numpy as np
import pytest

from scratchvae import layers
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import GRU, Bidirectional, Dense, Layer
from scratchvae.models import VAE
from scratchvae.teaching.explore import images, lines, write_page
from scratchvae.teaching.explore.payload import Arrays, check_layer

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


def test_a_layer_of_the_user_is_refused_by_name(runs, monkeypatch, tmp_path):
    monkeypatch.setattr(Layer, "classes", dict(Layer.classes))

    class Attention(Layer):
        def forward(self, x, training=False):
            return x

        def backward(self, dout, need_dx=True):
            return dout

    run = runs("mnist-dense")
    model = VAE([Dense(5), Attention()], 2, [Dense(784, "sigmoid")])
    model.build((784,))
    monkeypatch.setattr(run, "model", model)
    with pytest.raises(ScratchVAEError) as refused:
        write_page(run, tmp_path / "page.html")
    known = ", ".join(sorted(images.PAGE_LAYERS))
    assert str(refused.value) == ("explore: the page cannot compute layer 'encoder/attention' "
                                  f"(class Attention); it can compute {known}")
    assert not (tmp_path / "page.html").exists()


def test_an_activation_without_javascript_is_refused_by_name():
    layer = Dense(3, "leaky_relu(0.3)")
    check_layer("encoder/dense", layer, images.PAGE_LAYERS)
    layer.activation = "mish"
    with pytest.raises(ScratchVAEError, match="layer 'encoder/dense' .activation mish.; it can "
                                              "compute leaky_relu, linear, relu, sigmoid"):
        check_layer("encoder/dense", layer, images.PAGE_LAYERS)


def test_the_layer_in_a_bidirectional_is_checked_too():
    layer = Bidirectional(GRU(3))
    check_layer("encoder/bidirectional", layer, {"Bidirectional", "GRU"})
    with pytest.raises(ScratchVAEError, match="'encoder/bidirectional' .class GRU.; it can"):
        check_layer("encoder/bidirectional", layer, {"Bidirectional"})


EXPORTED = {name: value for name, value in vars(layers).items()
            if isinstance(value, type) and issubclass(value, Layer) and value is not Layer}


@pytest.mark.parametrize("kind", [images, lines])
@pytest.mark.parametrize("name", EXPORTED)
def test_every_layer_is_computed_by_the_page_or_refused_by_name(kind, name):
    if name not in kind.PAGE_LAYERS:
        layer = EXPORTED[name].__new__(EXPORTED[name])
        with pytest.raises(ScratchVAEError, match=f"cannot compute layer 'x' .class {name}.; it"):
            check_layer("x", layer, kind.PAGE_LAYERS)


def test_what_the_pages_compute():
    assert {"Dense", "Activation", "BatchNormalization", "Flatten"} <= images.PAGE_LAYERS
    assert {"Conv2D", "Conv2DTranspose"} <= images.PAGE_LAYERS - lines.PAGE_LAYERS
    assert {"Embedding", "GRU", "Bidirectional"} <= lines.PAGE_LAYERS - images.PAGE_LAYERS
    assert "OneHotDense" not in images.PAGE_LAYERS | lines.PAGE_LAYERS
