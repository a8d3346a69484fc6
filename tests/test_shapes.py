"""The drawn data set: its factors, its bits, and that it is drawn a batch at a time."""
import hashlib
import math
import tracemalloc

import numpy as np
import pytest

from scratchvae import labs
from scratchvae.batches import Batches
from scratchvae.data import Images, load_images, load_shapes, shapes
from scratchvae.data.shapes import COUNT, FACTORS, SIZES, Shapes
from scratchvae.errors import ScratchVAEError

IMAGES_SHA256 = "36860feb131ccd8b094720d4ce0ea32f898b0dfb7b6d01a85f2daf4079e6ea1e"
SOME = np.random.default_rng(0).integers(0, COUNT, 500)


def centre(image):
    """The middle (row, column) of the smallest box around the white pixels."""
    rows, columns = np.nonzero(image)
    return (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2


def test_the_factors_are_those_of_dsprites():
    assert list(FACTORS) == ["shape", "scale", "orientation", "x", "y"]
    assert SIZES == (3, 6, 40, 32, 32)
    assert COUNT == len(Shapes()) == 737_280
    np.testing.assert_allclose(FACTORS["scale"], [0.5, 0.6, 0.7, 0.8, 0.9, 1])
    assert FACTORS["orientation"][[0, -1]].tolist() == [0, 2 * np.pi]
    assert shapes.factors(1).tolist() == [0, 0, 0, 0, 1]                # the last changes fastest
    assert shapes.factors(32).tolist() == [0, 0, 0, 1, 0]
    assert shapes.factors(COUNT - 1).tolist() == [2, 5, 39, 31, 31]
    np.testing.assert_array_equal(shapes.rows_of(shapes.factors(SOME)), SOME)


def test_images_are_binary_and_of_the_right_shape():
    images = Shapes()[SOME]
    assert images.shape == (500, 64, 64, 1)
    assert images.dtype == np.uint8
    assert np.unique(images).tolist() == [0, 255]
    assert images.any(axis=(1, 2, 3)).all()


def test_the_bits_are_the_same_everywhere():
    """Of all sprites, and of some images; these numbers were computed once and for all."""
    assert hashlib.sha256(shapes.sprites()).hexdigest() == shapes.SHA256
    assert hashlib.sha256(Shapes()[SOME]).hexdigest() == IMAGES_SHA256
    assert load_shapes(count=10).complete


def test_no_rounding_is_a_close_call():
    """The whole numbers of a rotation do not depend on the last bits of a cosine."""
    for angle in FACTORS["orientation"]:
        for value in (math.cos(angle), math.sin(angle)):
            assert abs(shapes.TURN * value % 1 - 0.5) > 1e-4


def test_a_position_moves_the_sprite_by_whole_pixels():
    corner = Shapes()[shapes.rows_of([[2, 3, 7, 0, 0]])][0, ..., 0]
    for x, y in ((1, 0), (0, 1), (31, 31), (5, 20)):
        moved = Shapes()[shapes.rows_of([[2, 3, 7, x, y]])][0, ..., 0]
        np.testing.assert_array_equal(moved, np.roll(corner, (y, x), (0, 1)))
    assert centre(Shapes()[shapes.rows_of([[0, 5, 0, 0, 31]])][0, ..., 0]) == (47, 16)


def test_no_sprite_touches_the_border_of_its_box():
    sprites = shapes.sprites()
    assert not sprites[:, [0, -1]].any()
    assert not sprites[:, :, [0, -1]].any()


@pytest.mark.parametrize("shape, area", [(0, 400), (1, math.pi * 14 * 7), (2, 3.66 * 11 ** 2)],
                         ids=shapes.SHAPES)
def test_areas_grow_with_the_square_of_the_scale(shape, area):
    sprites = shapes.sprites().reshape(*SIZES[:3], shapes.BOX, shapes.BOX)[shape]
    pixels = (sprites > 0).sum(axis=(2, 3)).mean(axis=1)
    np.testing.assert_allclose(pixels, area * FACTORS["scale"] ** 2, rtol=0.06)


def test_a_turn_is_anticlockwise():
    x, y = (shapes.UNIT * np.array([number]) for number in (3, 0))
    turned = shapes.rotated(x, y, math.pi / 2)          # the frame turns, so the point turns back
    assert [part.tolist() for part in turned] == [[0], [-3 * shapes.UNIT]]
    upright, quarter = shapes.sprites().reshape(*SIZES[:3], shapes.BOX, shapes.BOX)[2, 5, [0, 10]]
    rows, columns = np.nonzero(upright)
    assert columns[rows == rows.max()].mean() == 16     # the heart's point is below, ...
    rows, columns = np.nonzero(quarter)
    rightmost = rows[columns == columns.max()]
    assert len(rightmost) <= 3 and abs(rightmost.mean() - 16) <= 1      # ... and then on the right


def test_orientations_differ_except_for_the_whole_turn():
    hearts = shapes.sprites().reshape(*SIZES[:3], -1)[2, 5]
    assert len(np.unique(hearts, axis=0)) == 39
    np.testing.assert_array_equal(hearts[0], hearts[-1])


def test_the_parts_are_apart_and_the_seed_chooses_them():
    data = load_images("shapes")
    assert (len(data.x_train), len(data.x_test)) == (60_000, 10_000)
    assert not set(data.x_train.rows) & set(data.x_test.rows)
    np.testing.assert_array_equal(data.y_test, shapes.known_factors(data.x_test)[:, 0])
    assert data.classes == ("square", "ellipse", "heart")
    assert data.description == ("Shapes (60,000 to train, 10,000 to test, of 737,280; seed 0), "
                                "drawn by the library")
    same = load_shapes()
    other = load_shapes(seed=1)
    np.testing.assert_array_equal(same.x_train.rows, data.x_train.rows)
    assert same.sha256 == data.sha256 != other.sha256
    assert set(other.x_test.rows) != set(data.x_test.rows)
    assert len(load_shapes(count=None).x_train) == COUNT - 10_000


@pytest.mark.parametrize("options, message", [
    ({"count": 0}, "count must be a positive integer, got 0"),
    ({"count": COUNT}, "count must be at most 727,280, as 10,000 of 737,280 images test"),
    ({"seed": -1}, "seed must be an integer from 0"),
])
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ScratchVAEError, match=message):
        load_shapes(**options)


def test_factors_of_other_images_are_not_known():
    with pytest.raises(ScratchVAEError, match="known of Images of load_shapes alone, got an array"):
        shapes.known_factors(np.zeros((3, 64, 64, 1)))


# Drawn images behave as images that are kept.

def both(count=50):
    """The same images drawn on demand, and kept."""
    drawn = load_shapes(count=count).x_train
    return drawn, Images(Shapes()[drawn.rows])


@pytest.mark.parametrize("index", [3, -1, slice(5, 9), slice(None, None, 7), np.array([4, 4, 0]),
                                   (2, 30), (slice(3), slice(20, 30), 31)], ids=str)
def test_any_index_gives_what_kept_images_give(index):
    drawn, kept = both()
    np.testing.assert_array_equal(np.asarray(drawn[index]),
                                  np.asarray(kept[index]))


def test_all_of_it_can_be_asked_for_without_rows():
    images = Images(Shapes())
    assert images.shape == (COUNT, 64, 64, 1)
    np.testing.assert_array_equal(images[SOME[:5]] * 255, Shapes()[SOME[:5]])
    np.testing.assert_array_equal(np.asarray(images[7:9]) * 255, Shapes()[np.array([7, 8])])


def test_reshaped_images_keep_their_order():
    drawn, kept = both()
    flat = drawn.reshape(-1, 64 * 64)
    assert flat.shape == (50, 4096)
    np.testing.assert_array_equal(np.asarray(flat), np.asarray(kept.reshape(-1, 4096)))
    assert (drawn.min(), drawn.max()) == (0, 1)


def test_training_has_the_same_bits():
    lab = labs.get("shapes-beta")
    results = []
    for images in both():
        model = lab.make_model(lab.settings | {"filters": 2, "intermediate_dim": 4})
        model.fit(images, batch_size=16, progress=False)
        results.append(model.parameters.values.tobytes())
    assert results[0] == results[1]


def test_only_a_batch_is_drawn():
    images = load_shapes(count=None).x_train
    tracemalloc.start()
    batches = Batches(images, "float32")
    out = np.empty((128, 64, 64, 1), np.float32)
    for start in range(0, 1280, 128):
        batches.take(np.arange(start, start + 128), out)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert out.any()
    assert most < 5e6                                   # of 3 GB: a batch as bytes and as floats


# The command line.

def test_the_data_are_always_there(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SCRATCHVAE_DATA", str(tmp_path))
    code, output, _ = run("data", "list")
    assert code == 0
    assert "shapes: Shapes (MIT" in output
    assert output.endswith("needs no files: the library draws it\n")
    code, output, _ = run("data", "verify", "shapes")
    assert code == 0
    assert "complete: every sprite is as it should be" in output
    code, output, _ = run("data", "fetch", "shapes")
    assert (code, output) == (0, "Shapes: nothing to fetch, the library draws it\n")


def test_other_bits_are_noticed(run, monkeypatch):
    monkeypatch.setattr(shapes, "SHA256", "0")
    assert "this machine draws other sprites" in run("data", "verify", "shapes")[1]


def test_a_model_that_is_told_the_shape_has_its_figures(run):
    code, output, errors = run("train", "shapes-beta", "--set", "conditional=1", "--set",
                               "kl_weight=1", "--set", "filters=2", "--limit", 40, "--epochs", 1,
                               "--out", "a")
    assert code == 0 and "traversals.png" in output and "information.png" not in output, errors
