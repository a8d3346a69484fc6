"""Figures: what they show, as far as numbers can tell."""
import numpy as np
import pytest
from matplotlib import image

from scratchvae import plots
from scratchvae.history import COLUMNS, History


def history(epochs, validated=True):
    """A made-up history."""
    return History({**dict.fromkeys(COLUMNS, 100.0 - epoch), "epoch": epoch,
                    **({} if validated else dict.fromkeys(("val_loss", "val_reconstruction", "val_kl")))} for epoch in range(1, epochs + 1))


@pytest.mark.parametrize("epochs, validated", [(1, True), (3, False), (30, True)])
def test_loss_curves(epochs, validated, tmp_path):
    path = plots.loss_curves(history(epochs, validated), tmp_path / "deep" / "a.png", "title", "note", [(1, 99.0, "reference")])
    assert image.imread(path).std() > 0.05


def test_the_manifold_decodes_the_right_points_in_the_right_places(tmp_path, monkeypatch):
    """z_1 grows to the right and z_2 upwards, from the 5th to the 95th percentile of the prior."""
    drawn = {}
    monkeypatch.setattr(plots, "save", lambda figure, path, note: drawn.update(figure=figure))
    plots.manifold(lambda z: np.repeat(z[:, :1] + 10 * z[:, 1:], 4, axis=1), tmp_path / "a.png", "t", count=15)
    shown = np.asarray(drawn["figure"].axes[0].images[0].get_array())
    assert shown.shape == (30, 30)
    quantile = 1.6448536
    assert shown[0, 0] == pytest.approx(-quantile + 10 * quantile) and shown[0, -1] == pytest.approx(quantile + 10 * quantile)
    assert shown[-1, 0] == pytest.approx(-quantile - 10 * quantile) and shown[14, 14] == pytest.approx(0, abs=1e-9)


def test_the_scatter_shows_every_point_in_its_class_s_colour(tmp_path, monkeypatch, rng):
    drawn = {}
    monkeypatch.setattr(plots, "save", lambda figure, path, note: drawn.update(figure=figure))
    z, labels = rng.standard_normal((50, 2)), rng.integers(0, 3, 50)
    plots.latent_scatter(z, labels, ("a", "b", "c"), tmp_path / "a.png", "t")
    points = drawn["figure"].axes[0].collections[0]
    np.testing.assert_array_equal(points.get_offsets(), z)
    np.testing.assert_array_equal(points.get_array(), labels)
    assert [label.get_text() for label in drawn["figure"].axes[1].get_yticklabels()] == ["a", "b", "c"]


def test_tiling_keeps_rows_and_columns():
    images = np.arange(6)[:, None, None] * np.ones((6, 2, 2))
    np.testing.assert_array_equal(plots.tile(images, 3)[::2, ::2], [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("count", [1, 10, 13])
def test_samples_and_reconstructions_of_any_number(count, tmp_path, rng):
    x = rng.random((count, 784))
    assert plots.samples(x, tmp_path / "a.png", "t", "n").stat().st_size > 1000
    assert plots.reconstructions(x, x, tmp_path / "b.png", "t", "n").stat().st_size > 1000
