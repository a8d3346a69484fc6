"""Figures: what they show, as far as numbers can tell."""

import numpy as np
import pytest
from matplotlib import image
from PIL import Image

from scratchvae.analysis import plots
from scratchvae.errors import ScratchVAEError
from scratchvae.training.history import COLUMNS, History


def history(epochs, validated=True, **columns):
    """A made-up history."""
    if not validated:
        columns |= dict.fromkeys(("val_loss", "val_reconstruction", "val_kl"))
    return History(
        {**dict.fromkeys(COLUMNS, 100.0 - epoch), "epoch": epoch, **columns}
        for epoch in range(1, epochs + 1)
    )


@pytest.fixture
def drawn(monkeypatch):
    """The list of the figures drawn; nothing is written."""
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path, note: figures.append(figure))
    return figures


def shown(axes):
    """The one picture on the axes."""
    (picture,) = axes.images
    return np.asarray(picture.get_array())


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def z_as_image(z):
    """A decoder whose images of 2 x 2 pixels tell z: everywhere z_1 + 10 z_2."""
    return np.repeat(z[:, :1] + 10 * z[:, 1:2], 4, axis=1)


@pytest.mark.parametrize("epochs, validated", [(1, True), (3, False), (30, True)])
def test_loss_curves(epochs, validated, tmp_path):
    path = plots.loss_curves(
        history(epochs, validated),
        tmp_path / "deep" / "a.png",
        "title",
        "note",
        [(1, 99.0, "reference")],
    )
    assert image.imread(path).std() > 0.05


def test_loss_curves_leave_out_a_kl_divergence_that_is_none(drawn):
    plots.loss_curves(history(3), "a.png", "t", ylabel="nats a pixel")
    plots.loss_curves(history(3, kl=0.0, val_kl=0.0), "a.png", "t")
    with_kl, without = (figure.axes for figure in drawn)
    assert [(axes.get_title(), axes.get_ylabel()) for axes in with_kl] == [
        ("loss", "nats a pixel"),
        ("reconstruction", "nats a pixel"),
        ("KL divergence", "nats"),
    ]
    assert [(axes.get_title(), axes.get_ylabel()) for axes in without] == [
        ("loss", "nats an image")
    ]
    assert len(without[0].lines) == 2


def test_the_step_curve_shows_every_loss_and_their_median(drawn):
    """A single wild batch changes neither the median nor the range of the axes."""
    steps = np.arange(10, 20_010, 10)
    losses = np.tile([1.0, 3.0, 2.0, 2.0], 500)
    losses[1000] = 1e6
    plots.step_curve(steps, losses, "a.png", "t", ylabel="squared error")
    (axes,) = drawn[0].axes
    raw, median = axes.lines
    np.testing.assert_array_equal(raw.get_xydata(), np.stack((steps, losses), axis=1))
    np.testing.assert_array_equal(median.get_xdata(), steps)
    assert set(median.get_ydata()) == {2.0} and axes.get_ylim()[1] < 4
    assert axes.get_ylabel() == "squared error"


@pytest.mark.parametrize("count", [1, 3])
def test_a_short_step_curve(count, tmp_path):
    assert plots.step_curve(range(count), [1.0] * count, tmp_path / "a.png", "t", "n").exists()


def test_the_manifold_decodes_the_right_points_in_the_right_places(drawn):
    """z_1 grows to the right and z_2 upwards, from the 5th to the 95th percentile of the prior."""
    plots.manifold(z_as_image, "a.png", "t", count=15)
    picture = shown(drawn[0].axes[0])
    assert picture.shape == (30, 30)
    quantile = 1.6448536
    assert picture[0, 0] == pytest.approx(-quantile + 10 * quantile) and picture[
        0, -1
    ] == pytest.approx(quantile + 10 * quantile)
    assert picture[-1, 0] == pytest.approx(-quantile - 10 * quantile) and picture[
        14, 14
    ] == pytest.approx(0, abs=1e-9)


def test_manifolds_stand_beside_each_other(drawn):
    plots.manifolds({"one": z_as_image, "other": lambda z: -z_as_image(z)}, "a.png", "t")
    one, other = drawn[0].axes
    assert (one.get_title(), other.get_title()) == ("one", "other")
    np.testing.assert_array_equal(shown(other), -shown(one))


def test_decoded_grids_show_what_their_axes_say(drawn):
    """Each row is a value of z_1, each column one of z_2, labelled at the middle of the images."""
    first = np.linspace(-2, 1.5, 11)
    second = 0.15 * np.arange(-3, 4)
    plots.decoded_grids(
        z_as_image, [("wide", 4 * first, second), ("near", first, second)], "a.png", "t"
    )
    wide, near = drawn[0].axes
    np.testing.assert_allclose(shown(near)[::2, ::2], first[:, None] + 10 * second)
    np.testing.assert_allclose(shown(wide)[1::2, 1::2], 4 * first[:, None] + 10 * second)
    assert (near.get_title(), near.get_ylabel(), near.get_xlabel()) == ("near", "$z_1$", "$z_2$")
    assert ticks(near.xaxis) == ["−0.45", "−0.3", "−0.15", "0", "0.15", "0.3", "0.45"]
    assert ticks(near.yaxis)[:2] == ["−2", "−1.65"]
    np.testing.assert_array_equal(near.get_yticks(), 2 * np.arange(11) + 0.5)


def test_the_scatter_shows_every_point_in_its_class_s_colour(drawn, rng):
    z = rng.standard_normal((50, 2))
    labels = rng.integers(0, 3, 50)
    plots.latent_scatter(z, labels, ("a", "b", "c"), "a.png", "t")
    (axes,) = drawn[0].axes
    (points,) = axes.collections
    np.testing.assert_array_equal(points.get_offsets(), z)
    np.testing.assert_array_equal(points.get_array(), labels)
    (bar,) = axes.child_axes
    assert ticks(bar.yaxis) == ["a", "b", "c"]


def test_scatters_have_one_colour_bar_and_leave_only_far_outliers_out(drawn, rng):
    near = rng.standard_normal((10_000, 2)) * (1, 3) + 5
    far = near.copy()
    far[:7] = 25, 5
    plots.latent_scatters({"near": near, "far": far}, np.zeros(10_000, int), "ab", "a.png", "t")
    left, right = drawn[0].axes
    assert not left.child_axes and len(right.child_axes) == 1
    assert (left.get_title(), left.get_xlabel()) == ("near", "$z_1$")
    assert (right.get_title(), right.get_xlabel()) == (
        "far",
        "$z_1$      (7 of 10,000 points lie outside)",
    )
    for axes in (left, right):
        (x0, x1) = axes.get_xlim()
        (y0, y1) = axes.get_ylim()
        assert x1 - x0 == pytest.approx(y1 - y0) and x1 - x0 < 40
        assert (np.maximum((x0, y0), near[7:]) == near[7:]).all() and (
            np.minimum((x1, y1), near[7:]) == near[7:]
        ).all()


@pytest.mark.parametrize("count, area", [(20, 20), (3_000, 10), (10_000, 3), (60_000, 3)])
def test_a_scatter_of_few_points_has_larger_ones(count, area, drawn, rng):
    plots.latent_scatter(rng.standard_normal((count, 2)), np.zeros(count, int), "ab", "a.png", "t")
    assert drawn[0].axes[0].collections[0].get_sizes() == [area]


def test_a_scatter_of_points_that_all_coincide(drawn):
    plots.latent_scatter(np.full((5, 2), 3.0), [0] * 5, "ab", "a.png", "t")
    (axes,) = drawn[0].axes
    assert axes.get_xlim() == axes.get_ylim() == (2, 4)


def test_the_histogram_has_the_density_of_the_points_and_of_the_prior(drawn, rng):
    z = 0.5 + 2 * rng.standard_normal(1000)
    plots.latent_histogram(z, "a.png", "t")
    (axes,) = drawn[0].axes
    assert sum(bar.get_width() * bar.get_height() for bar in axes.patches) == pytest.approx(1)
    (prior,) = axes.lines
    x, density = prior.get_data()
    assert density.max() == pytest.approx(0.3989, abs=1e-4) and abs(x[density.argmax()]) < 0.02
    examples = next(
        text.get_text() for text in axes.get_legend().get_texts() if "examples" in text.get_text()
    )
    assert examples == f"1,000 examples: mean {z.mean():.2g}, standard deviation {z.std():.3g}"


def test_tiling_keeps_rows_and_columns():
    images = np.arange(6)[:, None, None] * np.ones((6, 2, 2))
    np.testing.assert_array_equal(plots.tile(images, 3)[::2, ::2], [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("shape", [(784,), (28, 28, 1), (32, 32, 1)])
@pytest.mark.parametrize("count", [1, 10, 13])
def test_samples_and_reconstructions_of_any_number_and_shape(count, shape, tmp_path, rng):
    x = rng.random((count, *shape))
    assert plots.samples(x, tmp_path / "a.png", "t", "n").stat().st_size > 1000
    assert plots.reconstructions(x, x, tmp_path / "b.png", "t", "n").stat().st_size > 1000


def test_samples_stand_in_reading_order_in_their_frames_under_their_titles(drawn):
    x = np.arange(1, 13)[:, None, None] * np.ones((12, 8, 8)) / 12
    plots.samples(x, "a.png", "t", titles="n_latent=8")
    plots.samples(x, "a.png", "t", columns=5, titles=list("abcdefghijkl"))
    (axes,), (five,) = (figure.axes for figure in drawn)
    assert texts(axes) == ["n_latent=8"] * 12 and texts(five) == list("abcdefghijkl")
    for axes in (axes, five):
        (frames,) = axes.collections
        for path, text, sample in zip(frames.get_paths(), axes.texts, x, strict=True):
            left, top = path.vertices.min(axis=0) + 0.5
            np.testing.assert_array_equal(
                shown(axes)[int(top) : int(top) + 8, int(left) : int(left) + 8], sample
            )
            assert left <= text.get_position()[0] <= left + 8 and text.get_position()[1] < top
        assert shown(axes).sum() == pytest.approx(x.sum())


def test_originals_are_above_their_reconstructions(drawn):
    plots.reconstructions(np.full((3, 16), 0.25), np.full((3, 16), 0.75), "a.png", "t")
    (axes,) = drawn[0].axes
    assert ticks(axes.yaxis) == ["original", "output"]
    for y, value in zip(axes.get_yticks(), (0.25, 0.75)):
        assert set(shown(axes)[int(y)]) == {value}


def test_progress_shows_each_input_beside_its_output(drawn):
    originals = np.full((20, 784), 0.25)
    outputs = np.full((20, 28, 28, 1), 0.75)
    plots.progress_pairs(range(200, 4001, 200), originals, outputs, "a.png", "t")
    (axes,) = drawn[0].axes
    assert texts(axes)[::5] == ["200", "1,200", "2,200", "3,200"]
    row = shown(axes)[int(axes.get_yticks()[0])]
    assert [(value, (row == value).sum()) for value in (0.25, 0.75)] == [
        (0.25, 15 * 28),
        (0.75, 15 * 28),
    ]
    assert row[row > 0][:56].tolist() == [0.25] * 28 + [0.75] * 28


def test_a_traversal_moves_one_coordinate(tmp_path):
    decoded = []

    def decode(z):
        decoded.append(z)
        return np.repeat(0.5 + 0.1 * z[:, 1:2], 64, axis=1)

    values = np.arange(-2.4, 2.45, 0.1)
    animation, sheet = plots.traversal(
        decode, np.array([7, 8, 9]), 1, values, tmp_path / "deep", "t", "n"
    )
    np.testing.assert_allclose(
        decoded[0], np.stack((np.full(49, 7), values, np.full(49, 9)), axis=1)
    )
    assert (animation, sheet) == (
        tmp_path / "deep" / "traversal.gif",
        tmp_path / "deep" / "traversal.png",
    )
    frames = sorted((tmp_path / "deep" / "traversal").iterdir())
    assert [frame.name for frame in frames] == [f"frame_{i:02d}.png" for i in range(49)]
    with Image.open(animation) as gif:
        assert (gif.n_frames, gif.info["loop"], gif.info["duration"]) == (49, 0, 80)
        for i in (0, 24, 48):
            gif.seek(i)
            grey = 255 * (0.5 - 0.1 * values[i])
            with Image.open(frames[i]) as frame:
                assert gif.size == frame.size == (8 * 8 + 16, 8 * 8 + 44)
                assert frame.getpixel((40, 68)) == pytest.approx(
                    grey, abs=8
                )  # gray_r is not quite linear
                assert gif.convert("L").getpixel((40, 68)) == pytest.approx(
                    frame.getpixel((40, 68)), abs=1
                )
    assert image.imread(sheet).std() > 0.05


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda p: plots.samples(np.zeros((2, 783)), p, "t"), r"\(2, 783\)"),
        (lambda p: plots.samples(np.zeros((2, 28, 28, 4)), p, "t"), "one channel"),
        (lambda p: plots.samples(np.zeros((0, 784)), p, "t"), "at least one"),
        (
            lambda p: plots.samples(np.zeros((3, 784)), p, "t", titles=["a"]),
            "3 images, but 1 titles",
        ),
        (
            lambda p: plots.reconstructions(np.zeros((3, 784)), np.zeros((2, 784)), p, "t"),
            r"\(2, 28, 28\)",
        ),
        (
            lambda p: plots.progress_pairs([1], np.zeros((1, 784)), np.zeros((1, 1024)), p, "t"),
            r"\(1, 32, 32\)",
        ),
        (
            lambda p: plots.progress_pairs([1, 2], np.zeros((1, 784)), np.zeros((1, 784)), p, "t"),
            "2 titles",
        ),
        (lambda p: plots.step_curve([1, 2], [1.0], p, "t"), "2 steps and 1 losses"),
        (lambda p: plots.step_curve([], [], p, "t"), "at least one"),
        (lambda p: plots.latent_scatter(np.zeros((3, 1)), [0] * 3, "ab", p, "t"), r"\(3, 1\)"),
        (lambda p: plots.latent_scatter(np.zeros((3, 2)), [0] * 4, "ab", p, "t"), "4, 2 or more"),
        (lambda p: plots.latent_histogram(np.zeros((3, 2)), p, "t"), "one coordinate"),
        (lambda p: plots.traversal(z_as_image, np.zeros(2), 2, [0.0], p, "t"), "coordinate 2"),
        (lambda p: plots.traversal(z_as_image, np.zeros((1, 2)), 0, [0.0], p, "t"), r"\(1, 2\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(draw, message, tmp_path):
    with pytest.raises(ScratchVAEError, match=message) as error:
        draw(tmp_path / "a")
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_losses_that_fall_far_are_drawn_on_a_logarithmic_axis(monkeypatch, tmp_path):
    scales = {}
    monkeypatch.setattr(
        plots,
        "save",
        lambda figure, path, note: scales.update(
            {path: [axes.get_yscale() for axes in figure.axes]}
        ),
    )
    for name, losses in (
        ("far", (125.0, 8.0, 6.0)),
        ("near", (160.0, 155.0, 150.0)),
        ("zero", (1.0, 0.0, 0.0)),
    ):
        rows = [
            dict(
                epoch=i + 1,
                loss=loss,
                reconstruction=loss,
                kl=0.1 * i,
                val_loss=None,
                val_reconstruction=None,
                val_kl=None,
                seconds=1.0,
            )
            for i, loss in enumerate(losses)
        ]
        plots.loss_curves(History(rows), name, "")
    assert scales == {
        "far": ["log", "log", "linear"],
        "near": ["linear"] * 3,
        "zero": ["linear"] * 3,
    }
