"""Tests of what the figures show: their axes, labels, points and images."""
import io
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import is_picture
from matplotlib import image, pyplot, style
from matplotlib.figure import Figure
from PIL import Image

from scratchvae.analysis import pictures, plots
from scratchvae.errors import ScratchVAEError
from scratchvae.training.history import COLUMNS, History

pytestmark = pytest.mark.usefixtures("fine_figures")
LONG = 2000                     # points of a curve that gets a median


def history(epochs, validated=True, **columns):
    """Return a history whose losses fall from 99 by 1 in each epoch."""
    if not validated:
        columns |= dict.fromkeys(("val_loss", "val_reconstruction", "val_kl"))
    return History(
        {**dict.fromkeys(COLUMNS, 100.0 - epoch), "epoch": epoch, **columns}
        for epoch in range(1, epochs + 1)
    )


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Return the list of the figures that are drawn from now on; their files are empty."""
    monkeypatch.chdir(tmp_path)
    figures = []
    monkeypatch.setattr(Figure, "draw_without_rendering", lambda figure: None)
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: figures.append(figure))
    return figures


def axes_of(figures):
    """Return the axes of the only figure, which must have one panel."""
    (figure,) = figures
    (axes,) = figure.axes
    return axes


def shown(axes):
    """Return the only picture on the axes."""
    (picture,) = axes.images
    return np.asarray(picture.get_array())


def framed(axes):
    """Return the images in the frames of a sheet, in the order of the frames."""
    (frames,) = axes.collections
    images = []
    for path in frames.get_paths():
        left, top = np.rint(path.vertices.min(axis=0) + 0.5).astype(int)
        right, bottom = np.rint(path.vertices.max(axis=0) + 0.5).astype(int)
        images.append(shown(axes)[top:bottom, left:right])
    return np.array(images)


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def titles(axes):
    """Return the title of the axes and the labels of x and y."""
    return axes.get_title(), axes.get_xlabel(), axes.get_ylabel()


def z_as_image(z):
    """A decoder whose images of 2 x 2 pixels are z_1 + 10 z_2 everywhere."""
    return np.repeat(z[:, :1] + 10 * z[:, 1:2], 4, axis=1)


FLAT = np.zeros((3, 784))
TWO_POINTS = np.zeros((2, 2))
NUMBERS = {"a": [1.0, 2.0, 4.0], "b": [2.0, 1.0, 0.0]}
TABLE = NUMBERS | {"kind": ["x", "y", "x"]}


FIGURES = [                     # draw each of them, given a path, a title and a note
    lambda p, *text: plots.loss_curves(history(3), p, *text),
    lambda p, *text: plots.step_curve([1, 2], [3.0, 2.0], p, *text),
    lambda p, *text: plots.latent_scatter(TWO_POINTS, [0, 1], "ab", p, *text),
    lambda p, *text: plots.latent_scatters({"m": TWO_POINTS}, [0, 1], "ab", p, *text),
    lambda p, *text: plots.kl_by_dimension(np.ones(3), p, *text),
    lambda p, *text: plots.latent_histogram(np.ones(3), p, *text),
    lambda p, *text: plots.manifold(z_as_image, p, *text),
    lambda p, *text: plots.manifolds({"m": z_as_image}, p, *text),
    lambda p, *text: plots.decoded_grids(z_as_image, [("g", [0, 1], [2, 3])], p, *text),
    lambda p, *text: plots.reconstructions(FLAT, FLAT, p, *text),
    lambda p, *text: plots.samples(FLAT, p, *text),
    lambda p, *text: plots.progress_pairs([1, 2, 3], FLAT, FLAT, p, *text),
    lambda p, *text: plots.extremes(FLAT, [1.0, 3.0, 2.0], p, *text),
    lambda p, *text: plots.detection(np.arange(4.0), np.arange(4) > 2, p, *text),
    lambda p, *text: plots.traversals(z_as_image, np.zeros(2), np.ones(2), p, *text),
    lambda p, *text: plots.factor_information(np.ones((2, 2)), np.ones(2), "ab", np.ones(2), p,
                                              *text),
    lambda p, *text: plots.marginals(TABLE, TABLE, p, *text),
    lambda p, *text: plots.correlations({"data": NUMBERS, "new rows": NUMBERS}, p, *text),
]


@pytest.mark.parametrize("draw", FIGURES)
def test_every_figure_has_its_title_and_its_note_and_returns_its_path(draw, drawn, tmp_path):
    path = tmp_path / "deep" / "a.png"
    assert draw(path, "the title", "the note") == path
    assert path.parent.is_dir()
    (figure,) = drawn
    assert figure.get_suptitle() == "the title"
    assert figure.get_supxlabel() == "the note"


@pytest.mark.parametrize("draw", FIGURES)
def test_every_figure_is_drawn_whole(draw, monkeypatch, tmp_path):
    """With layout, axes and text, and with few pixels."""
    monkeypatch.setattr(plots.figure, "DPI", 40)
    assert is_picture(draw(tmp_path / "a.png", "the title", "the note"))


@pytest.mark.parametrize("draw", [
    *FIGURES,
    lambda p, *text: plots.traversal(z_as_image, np.zeros(2), 0, [0.0, 1.0], p, *text),
])
def test_without_a_path_a_figure_is_returned_and_pyplot_does_not_know_it(draw, drawn, tmp_path,
                                                                         monkeypatch):
    monkeypatch.chdir(tmp_path)
    figure = draw(None, "the title", "the note")
    assert isinstance(figure, Figure)
    assert figure.get_suptitle() == "the title"
    assert figure.get_supxlabel() == "the note"
    assert not drawn
    assert not pyplot.get_fignums()
    assert not list(tmp_path.iterdir())


def test_a_figure_is_a_picture_for_a_notebook():
    picture = image.imread(io.BytesIO(plots.step_curve([1, 2], [3.0, 2.0])._repr_png_()))
    assert picture.shape == (360, 800, 4)


def test_a_figure_that_is_written_later_is_the_same_under_any_settings_of_the_user(tmp_path):
    expected = plots.loss_curves(history(3), tmp_path / "a.png", "t", "n")
    figure = plots.loss_curves(history(3), title="t", note="n")
    with style.context({"savefig.facecolor": "black"}):
        assert plots.write(figure, tmp_path / "b.png") == tmp_path / "b.png"
    np.testing.assert_array_equal(image.imread(tmp_path / "b.png"), image.imread(expected))


@pytest.mark.slow
@pytest.mark.parametrize("chosen, kept", [("svg", "svg"), ("no such window", None)])
def test_the_users_backend_stays_chosen_for_figures_of_pyplot(chosen, kept):
    """Jupyter chooses one, too; importing the package must not undo that."""
    program = ("import scratchvae.analysis.plots, os, matplotlib; "
               "print(os.environ['MPLBACKEND'], matplotlib.rcParams._get('backend'), sep='|')")
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                             env=os.environ | {"MPLBACKEND": chosen}, check=True).stdout
    in_environment, backend = printed.strip().split("|")
    assert in_environment == chosen
    assert backend == kept if kept else backend != chosen


def test_a_figure_is_written_whole(tmp_path):
    """The file has the size of the figure, with white paper, dark ink and the colour of a curve."""
    path = plots.step_curve(range(LONG), np.arange(LONG), tmp_path / "deep" / "a.png", "t", "n")
    assert path == tmp_path / "deep" / "a.png"
    picture = image.imread(path)[..., :3]
    assert picture.shape == (round(3.6 * 160), 8 * 160, 3)
    assert (picture == 1).all(axis=2).mean() > 0.5
    assert (picture < 0.2).all(axis=2).any()
    accent = np.array([0xD1, 0x49, 0x5B]) / 255
    assert (abs(picture - accent) < 0.01).all(axis=2).sum() > 500


@pytest.mark.parametrize("epochs, marker", [(1, "o"), (7, "o"), (8, "None"), (30, "None")])
@pytest.mark.parametrize("validated", [True, False])
def test_loss_curves_show_every_epoch(epochs, marker, validated, drawn):
    rows = history(epochs, validated, kl=7.0)
    plots.loss_curves(rows, "a.png", "t")
    (figure,) = drawn
    for axes, column in zip(figure.axes, ("loss", "reconstruction", "kl"), strict=True):
        columns = [column, f"val_{column}"] if validated else [column]
        for line, name in zip(axes.lines, columns, strict=True):
            assert line.get_xdata().tolist() == rows["epoch"]
            assert line.get_ydata().tolist() == rows[name]
            assert line.get_marker() == marker
    labels = ["training, mean of the epoch", "validation, after it"]
    assert legend(figure.axes[0]) == (labels if validated else labels[:1])
    assert all(axes.get_legend() is None for axes in figure.axes[1:])


def test_loss_curves_show_the_reference_on_the_loss_alone(drawn):
    reference = [(1, 99.0, "reference"), (3, 95.0, "reference")]
    plots.loss_curves(history(3), "a.png", "t", reference=reference)
    loss, reconstruction, kl = drawn[0].axes
    assert loss.lines[-1].get_xydata().tolist() == [[1, 99], [3, 95]]
    assert loss.lines[-1].get_linestyle() == "None"
    assert legend(loss)[-1] == "reference"
    assert (len(loss.lines), len(reconstruction.lines), len(kl.lines)) == (3, 2, 2)


def test_loss_curves_without_a_kl_divergence_show_the_loss_alone(drawn):
    plots.loss_curves(history(3), "a.png", "t", ylabel="nats a pixel")
    plots.loss_curves(history(3, kl=0.0, val_kl=0.0), "a.png", "t")
    with_kl, without = (figure.axes for figure in drawn)
    assert [titles(axes) for axes in with_kl] == [
        ("loss", "epoch", "nats a pixel"),
        ("reconstruction", "epoch", "nats a pixel"),
        ("KL divergence", "epoch", "nats"),
    ]
    assert [titles(axes) for axes in without] == [("loss", "epoch", "nats an image")]
    assert len(without[0].lines) == 2


@pytest.mark.parametrize(
    "losses, scale",
    [((125.0, 8.0, 6.0), "log"), ((160.0, 155.0, 150.0), "linear"), ((1.0, 0.0, 0.0), "linear")],
)
def test_losses_that_fall_far_are_drawn_on_a_logarithmic_axis(losses, scale, drawn):
    rows = history(3, validated=False).rows
    for row, loss in zip(rows, losses):
        row |= {"loss": loss, "reconstruction": loss, "kl": 0.1 * row["epoch"]}
    plots.loss_curves(History(rows), "a.png", "t")
    assert [axes.get_yscale() for axes in drawn[0].axes] == [scale, scale, "linear"]


def test_the_step_curve_shows_every_loss_and_their_median(drawn):
    """A single wild batch changes neither the median nor the range of the axes."""
    steps = np.arange(10, 20_010, 10)
    losses = np.tile([1.0, 3.0, 2.0, 2.0], 500)
    losses[1000] = 1e6
    plots.step_curve(steps, losses, "a.png", "t", ylabel="squared error")
    axes = axes_of(drawn)
    raw, median = axes.lines
    np.testing.assert_array_equal(raw.get_xydata(), np.stack((steps, losses), axis=1))
    np.testing.assert_array_equal(median.get_xdata(), steps)
    assert set(median.get_ydata()) == {2.0}
    bottom, top = axes.get_ylim()
    assert 0 < bottom < 1
    assert 3 < top < 4
    assert titles(axes) == ("", "training step", "squared error")
    assert legend(axes) == ["one batch", "median of 20 batches"]


def test_the_step_curve_leaves_losses_out_that_are_not_finite(drawn):
    losses = np.array([3.0, np.nan, 2.0, np.inf, 1.0])
    plots.step_curve(range(5), losses, "a.png", "t")
    (line,) = axes_of(drawn).lines
    assert line.get_xydata().tolist() == [[0, 3], [2, 2], [4, 1]]


@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_short_step_curve_has_no_median(count, drawn):
    plots.step_curve(range(count), [1.0] * count, "a.png", "t")
    axes = axes_of(drawn)
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[step, 1.0] for step in range(count)]
    assert legend(axes) == ["one batch"]
    bottom, top = axes.get_ylim()
    assert bottom < 1 < top


def test_the_manifold_decodes_the_right_points_in_the_right_places(drawn):
    """z_1 grows to the right and z_2 upwards, from the 5th to the 95th percentile of the prior."""
    plots.manifold(z_as_image, "a.png", "t", count=15)
    axes = axes_of(drawn)
    picture = shown(axes)
    assert picture.shape == (30, 30)
    q = 1.6448536
    assert picture[0, 0] == pytest.approx(-q + 10 * q)
    assert picture[0, -1] == pytest.approx(q + 10 * q)
    assert picture[-1, 0] == pytest.approx(-q - 10 * q)
    assert picture[14, 14] == pytest.approx(0, abs=1e-9)
    assert titles(axes) == ("", "$z_1$", "$z_2$")
    assert (ticks(axes.xaxis)[0], ticks(axes.xaxis)[-1]) == ("−1.64", "1.64")
    assert (ticks(axes.yaxis)[0], ticks(axes.yaxis)[-1]) == ("1.64", "−1.64")


def test_manifolds_are_side_by_side(drawn):
    decoders = {"one": z_as_image, "other": lambda z: -z_as_image(z)}
    plots.manifolds(decoders, "a.png", "t", count=5)
    one, other = drawn[0].axes
    assert titles(one) == ("one", "$z_1$", "$z_2$")
    assert titles(other) == ("other", "$z_1$", "$z_2$")
    assert shown(one).shape == (10, 10)
    np.testing.assert_array_equal(shown(other), -shown(one))


def test_decoded_grids_show_the_points_of_their_axes(drawn):
    """Each row is a value of z_1, each column one of z_2, labelled at the middle of the images."""
    first = np.linspace(-2, 1.5, 11)
    second = 0.15 * np.arange(-3, 4)
    grids = [("wide", 4 * first, second), ("near", first, second)]
    plots.decoded_grids(z_as_image, grids, "a.png", "t")
    wide, near = drawn[0].axes
    np.testing.assert_allclose(shown(near)[::2, ::2], first[:, None] + 10 * second)
    np.testing.assert_allclose(shown(wide)[1::2, 1::2], 4 * first[:, None] + 10 * second)
    assert titles(wide) == ("wide", "$z_2$", "$z_1$")
    assert titles(near) == ("near", "$z_2$", "$z_1$")
    assert ticks(near.xaxis) == ["−0.45", "−0.3", "−0.15", "0", "0.15", "0.3", "0.45"]
    assert ticks(near.yaxis)[:2] == ["−2", "−1.65"]
    np.testing.assert_array_equal(near.get_yticks(), 2 * np.arange(11) + 0.5)


def test_images_are_drawn_black_on_white_and_sharp(drawn):
    plots.samples(np.zeros((1, 16)), "a.png", "t")
    (picture,) = axes_of(drawn).images
    assert picture.get_clim() == (0, 1)
    assert picture.cmap.name == "gray_r"
    assert picture.get_interpolation() == "nearest"


def test_the_scatter_shows_every_point_in_the_colour_of_its_class(drawn, rng):
    z = rng.standard_normal((50, 3))
    labels = rng.integers(0, 3, 50)
    plots.latent_scatter(z, labels, ("a", "b", "c"), "a.png", "t")
    axes = axes_of(drawn)
    (points,) = axes.collections
    np.testing.assert_array_equal(points.get_offsets(), z[:, :2])
    np.testing.assert_array_equal(points.get_array(), labels)
    assert points.get_clim() == (-0.5, 2.5)
    assert points.cmap.N == 3
    assert titles(axes) == ("", "$z_1$", "$z_2$")
    assert axes.get_aspect() == 1
    (bar,) = axes.child_axes
    assert ticks(bar.yaxis) == ["a", "b", "c"]
    np.testing.assert_array_equal(bar.get_yticks(), [0, 1, 2])


def test_scatters_have_one_colour_bar_and_leave_only_far_outliers_out(drawn, rng):
    near = rng.standard_normal((10_000, 2)) * (1, 3) + 5
    far = near.copy()
    far[:7] = 25, 5
    plots.latent_scatters({"near": near, "far": far}, np.zeros(10_000, int), "ab", "a.png", "t")
    left, right = drawn[0].axes
    assert len(left.child_axes) == 0
    assert len(right.child_axes) == 1
    assert titles(left) == ("near", "$z_1$", "$z_2$")
    outside = "$z_1$      (7 of 10,000 points lie outside)"
    assert titles(right) == ("far", outside, "$z_2$")
    for axes in (left, right):
        low, high = np.transpose((axes.get_xlim(), axes.get_ylim()))
        width, height = high - low
        assert width == pytest.approx(height)
        assert width < 40
        assert (low < near[7:]).all()
        assert (near[7:] < high).all()


@pytest.mark.parametrize("count, area", [(20, 20), (3_000, 10), (10_000, 3), (60_000, 3)])
def test_a_scatter_of_few_points_has_larger_ones(count, area, drawn, rng):
    plots.latent_scatter(rng.standard_normal((count, 2)), np.zeros(count, int), "ab", "a.png", "t")
    (points,) = axes_of(drawn).collections
    assert points.get_sizes() == [area]


def test_a_scatter_of_points_that_all_coincide(drawn):
    plots.latent_scatter(np.full((5, 2), 3.0), [0] * 5, "ab", "a.png", "t")
    axes = axes_of(drawn)
    assert axes.get_xlim() == axes.get_ylim() == (2, 4)


def test_kl_by_dimension_shows_the_largest_first(drawn):
    plots.kl_by_dimension(np.array([0.5, 2.0, 0.0, 1.25]), "a.png", "t")
    axes = axes_of(drawn)
    assert [bar.get_height() for bar in axes.patches] == [2, 1.25, 0.5, 0]
    centres = [bar.get_x() + bar.get_width() / 2 for bar in axes.patches]
    np.testing.assert_allclose(centres, [1, 2, 3, 4])
    assert titles(axes) == ("", "latent dimension, by its KL", "nats an example")
    assert texts(axes) == ["3.75 nats in all"]


def test_the_histogram_has_the_density_of_the_points_and_of_the_prior(drawn, rng):
    z = 0.5 + 2 * rng.standard_normal(1000)
    plots.latent_histogram(z, "a.png", "t")
    axes = axes_of(drawn)
    edges = np.array([bar.get_x() for bar in axes.patches] + [z.max()])
    density, _ = np.histogram(z, edges, density=True)
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], density)
    (prior,) = axes.lines
    x, density = prior.get_data()
    np.testing.assert_allclose(density, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
    assert x[0] <= min(-4, z.min())
    assert x[-1] >= max(4, z.max())
    examples = f"1,000 examples: mean {z.mean():.2g}, standard deviation {z.std():.3g}"
    assert sorted(legend(axes)) == [examples, "density of N(0, 1)"]
    assert titles(axes) == ("", "latent coordinate", "density")


def test_tiling_keeps_rows_and_columns():
    images = np.arange(6)[:, None, None] * np.ones((6, 2, 2))
    np.testing.assert_array_equal(plots.tile(images, 3)[::2, ::2], [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("shape", [(784,), (28, 28), (28, 28, 1), (32, 32, 1)])
@pytest.mark.parametrize("count", [1, 10, 13])
def test_images_of_any_number_and_shape_are_all_drawn(count, shape, drawn, rng):
    x = rng.random((count, *shape))
    expected = plots.as_images(x)
    plots.samples(x, "a.png", "t")
    plots.reconstructions(x, 1 - x, "a.png", "t")
    samples, reconstructions = (figure.axes[0] for figure in drawn)
    np.testing.assert_array_equal(framed(samples), expected)
    np.testing.assert_array_equal(framed(reconstructions), [*expected, *(1 - expected)])
    assert len(samples.get_yticks()) == (count + 9) // 10
    assert len(reconstructions.get_yticks()) == 2


def test_samples_are_in_reading_order_under_their_titles(drawn):
    x = np.arange(1, 13)[:, None, None] * np.ones((12, 8, 8)) / 12
    plots.samples(x, "a.png", "t", titles="n_latent=8")
    plots.samples(x, "a.png", "t", columns=5, titles=list("abcdefghijkl"))
    (ten,), (five,) = (figure.axes for figure in drawn)
    assert texts(ten) == ["n_latent=8"] * 12
    assert texts(five) == list("abcdefghijkl")
    for axes, columns in ((ten, 10), (five, 5)):
        np.testing.assert_array_equal(framed(axes), x)
        assert shown(axes).sum() == pytest.approx(x.sum())      # nothing outside the frames
        (frames,) = axes.collections
        corners = np.array([path.vertices.min(axis=0) for path in frames.get_paths()])
        for i, (left, top) in enumerate(corners):
            assert left == corners[i % columns, 0]
            assert top == corners[i - i % columns, 1]
            text_x, text_y = axes.texts[i].get_position()
            assert text_x == left + 4
            assert text_y < top
        assert (np.diff(corners[:columns, 0]) > 8).all()
        assert (np.diff(corners[::columns, 1]) > 8).all()


def test_originals_are_above_their_reconstructions(drawn):
    plots.reconstructions(np.full((3, 16), 0.25), np.full((3, 16), 0.75), "a.png", "t")
    axes = axes_of(drawn)
    assert ticks(axes.yaxis) == ["original", "output"]
    for y, value in zip(axes.get_yticks(), (0.25, 0.75), strict=True):
        assert set(shown(axes)[int(y)]) == {value}


def test_progress_shows_each_input_beside_its_output(drawn):
    originals = np.full((20, 784), 0.25)
    outputs = np.full((20, 28, 28, 1), 0.75)
    plots.progress_pairs(range(200, 4001, 200), originals, outputs, "a.png", "t")
    axes = axes_of(drawn)
    assert texts(axes) == [f"{step:,}" for step in range(200, 4001, 200)]
    pairs = framed(axes)
    assert pairs.shape == (20, 28, 58)
    assert (pairs[:, :, :28] == 0.25).all()
    assert (pairs[:, :, 28:30] == 0).all()
    assert (pairs[:, :, 30:] == 0.75).all()
    assert axes.get_xlabel() == "training step, and under it: input | output"


def brightness(z):
    """A decoder whose images of 8 x 8 pixels are as dark as z_2."""
    return np.repeat(0.5 + 0.1 * z[:, 1:2], 64, axis=1)


def test_a_traversal_moves_one_coordinate(tmp_path):
    decoded = []

    def decode(z):
        decoded.append(z)
        return brightness(z)

    values = np.arange(-2.4, 2.45, 0.1)
    folder = tmp_path / "deep"
    paths = plots.traversal(decode, np.array([7, 8, 9]), 1, values, folder, "t", "n")
    assert paths == [folder / "traversal.gif", folder / "traversal.png"]
    expected = np.stack((np.full(49, 7), values, np.full(49, 9)), axis=1)
    (z,) = decoded
    np.testing.assert_allclose(z, expected)
    frames = sorted((folder / "traversal").iterdir())
    assert [frame.name for frame in frames] == [f"frame_{i:02d}.png" for i in range(49)]
    middle = (40, 68)
    with Image.open(paths[0]) as gif:
        assert (gif.n_frames, gif.info["loop"], gif.info["duration"]) == (49, 0, 80)
        for i in (0, 24, 48):
            gif.seek(i)
            grey = 255 * (0.5 - 0.1 * values[i])
            with Image.open(frames[i]) as frame:
                assert gif.size == frame.size == (8 * 8 + 16, 8 * 8 + 44)
                pixel = frame.getpixel(middle)
            assert pixel == pytest.approx(grey, abs=8)      # gray_r is not quite linear
            assert gif.convert("L").getpixel(middle) == pytest.approx(pixel, abs=1)


def test_the_sheet_of_a_traversal_shows_every_value(drawn, tmp_path):
    values = np.linspace(-1, 1, 11)
    plots.traversal(brightness, np.zeros(2), 1, values, tmp_path, "the title", "the note")
    (figure,) = drawn
    assert figure.get_suptitle() == "the title"
    assert figure.get_supxlabel() == "the note"
    axes = axes_of(drawn)
    np.testing.assert_allclose(framed(axes).mean(axis=(1, 2)), 0.5 + 0.1 * values)
    assert texts(axes)[:6] == ["−1", "−0.8", "−0.6", "−0.4", "−0.2", "0"]
    assert axes.get_xlabel() == "above each image: $z_{2}$"


@pytest.mark.parametrize(
    "draw, message",
    [
        (
            lambda p: plots.samples(np.zeros((2, 783)), p, "t"),
            r"^images must have shape \(N, height, width\), .*, got \(2, 783\)$",
        ),
        (lambda p: plots.samples(np.zeros((2, 28, 28, 4)), p, "t"), r"got \(2, 28, 28, 4\)$"),
        (lambda p: plots.samples(np.zeros((0, 784)), p, "t"), r"at least one, got \(0, 784\)$"),
        (
            lambda p: plots.samples(FLAT, p, "t", titles=["a"]),
            "^each of 3 images must have one title or step, got 1$",
        ),
        (
            lambda p: plots.reconstructions(FLAT, FLAT[:2], p, "t"),
            r"^originals and outputs .* same shape, got \(3, 28, 28\) and \(2, 28, 28\)$",
        ),
        (
            lambda p: plots.progress_pairs([1], FLAT[:1], np.zeros((1, 1024)), p, "t"),
            r"got \(1, 28, 28\) and \(1, 32, 32\)$",
        ),
        (
            lambda p: plots.progress_pairs([1, 2], FLAT[:1], FLAT[:1], p, "t"),
            "^each of 1 images must have one title or step, got 2$",
        ),
        (
            lambda p: plots.step_curve([1, 2], [1.0], p, "t"),
            "^step_curve: steps and losses must have the same length, at least 1, got 2 and 1$",
        ),
        (lambda p: plots.step_curve([], [], p, "t"), "at least 1, got 0 and 0$"),
        (
            lambda p: plots.latent_scatter(np.zeros((3, 1)), [0] * 3, "ab", p, "t"),
            r"^latent_scatters: z must have shape \(3, 2 or more\), .*, got \(3, 1\)$",
        ),
        (
            lambda p: plots.latent_scatter(np.zeros((3, 2)), [0] * 4, "ab", p, "t"),
            r"z must have shape \(4, 2 or more\), a row for each label, got \(3, 2\)$",
        ),
        (
            lambda p: plots.latent_histogram(np.zeros((3, 2)), p, "t"),
            r"^latent_histogram: z must have shape \(N,\), .*, got \(3, 2\)$",
        ),
        (
            lambda p: plots.traversal(z_as_image, np.zeros(2), 2, [0.0], p, "t"),
            "^traversal: coordinate must be from 0 to 1, got 2$",
        ),
        (
            lambda p: plots.traversal(z_as_image, np.zeros((1, 2)), 0, [0.0], p, "t"),
            r"^traversal: z must have shape \(J,\), a single point, got \(1, 2\)$",
        ),
    ],
)
def test_errors_are_one_line_and_leave_no_file(draw, message, tmp_path):
    with pytest.raises(ScratchVAEError, match=message) as error:
        draw(tmp_path / "a")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(12, 16, 9), (12, 9, 16, 1), (12, 8, 8, 3), (12, 10, 14, 3)])
def test_images_of_any_shape_and_in_colour_are_drawn(tmp_path, shape, rng):
    x = rng.random(shape).astype(np.float32)

    def decode(z):
        return np.resize(x, (len(z), *shape[1:]))
    for path in (plots.reconstructions(x, x[::-1], tmp_path / "a.png", "a"),
                 plots.samples(x, tmp_path / "b.png", "b"),
                 plots.progress_pairs(range(12), x, x, tmp_path / "c.png", "c"),
                 plots.manifold(decode, tmp_path / "d.png", "d", count=4),
                 *plots.traversal(decode, np.zeros(2), 0, [-1, 0, 1], tmp_path, "e")):
        assert is_picture(path)


def test_one_flat_image_is_one_image_and_16_x_9_numbers_are_not_12_x_12():
    assert plots.as_images(np.zeros(784)).shape == (1, 28, 28)
    assert plots.as_images(np.zeros((5, 16, 9))).shape == (5, 16, 9)
    with pytest.raises(ScratchVAEError, match=r"images must have shape .* got \(5, 150\)"):
        plots.as_images(np.zeros((5, 150)))


def test_colours_stay_what_they_are():
    red = np.zeros((1, 4, 6, 3))
    red[..., 0] = 1
    row = pictures.as_bytes(pictures.tile(red, 1))
    assert (row == [255, 0, 0]).all()
    assert (pictures.as_bytes(np.ones((2, 2))) == 0).all()      # grey images are black on white
