"""Data of any dtype, layout and place: the same bits, and no second copy of their size."""
import tracemalloc

import numpy as np
import pytest
from helpers import HOSTS, small_vae, without_seconds, write_idx_files

from scratchvae import labs
from scratchvae.batches import Batches
from scratchvae.data import Images, load_images, load_mnist
from scratchvae.errors import ScratchVAEError, ScratchVAEWarning
from scratchvae.gradcheck import check_model
from scratchvae.layers import Dense
from scratchvae.models import VAE, Autoencoder
from scratchvae.optimizers import SGD
from scratchvae.runs import create_run, new_config


class Table:
    """Numbers of another library: nothing but what NumPy asks for."""

    def __init__(self, x):
        self.x = x

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.x, dtype)

    def __len__(self):
        return len(self.x)


def data_frame(x):
    """The numbers as a DataFrame of pandas."""
    return pytest.importorskip("pandas").DataFrame(x)


LAYOUTS = {
    "a list": np.ndarray.tolist,
    "columns": np.asfortranarray,
    "big-endian": lambda x: x.astype(">f4"),
    "float64": lambda x: x.astype(np.float64),
    "strided": lambda x: np.repeat(x, 2, axis=0)[::2],
    "another library's": Table,
    "a DataFrame": data_frame,
}


def shallow_vae(**options):
    """A VAE of 784 pixels, with little memory of its own."""
    return VAE([Dense(4)], 2, [Dense(784, activation="sigmoid")], **options)


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (50, 12), dtype=np.uint8)


def floats(pixels):
    """The numbers that bytes stand for."""
    return pixels.astype(np.float32) / np.float32(255)


def outcome(model, x, codes=None, targets=None):
    """All that a model makes of examples, as bytes, and the history."""
    history = model.fit(x, epochs=2, batch_size=16, validation_data=x if targets is None else
                        (x, targets), y=targets, seed=3, progress=False)
    made = [model.encode(x)[0], model.reconstruct(x), model.parameters.values]
    if codes is not None:
        made.append(model.decode(codes))
    losses = [model.evaluate(x, seed=1, y=targets), without_seconds(history)]
    return [array.tobytes() for array in made], losses


# Any layout.

@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbers_in_any_layout_give_the_same_bits(x, rng, layout, backend):
    convert = LAYOUTS[layout]
    codes = rng.standard_normal((5, 3)).astype(np.float32)
    targets = np.ascontiguousarray(x[:, ::-1])
    for y in (None, targets):
        expected = outcome(small_vae(backend=backend), x, codes, y)
        given = y if y is None else convert(y)
        assert outcome(small_vae(backend=backend), convert(x), convert(codes), given) == expected


@pytest.mark.parametrize("convert", [np.asfortranarray, lambda x: x.astype(np.float64)])
def test_bad_numbers_in_any_layout_are_counted_and_placed(x, convert):
    vae = small_vae()
    vae.fit(x, progress=False)
    bad = x.copy()
    bad[3, 7] = np.nan
    bad[40, 2] = np.inf
    large = x.copy()
    large[40, 2] = 255
    for call in (vae.fit, vae.evaluate, vae.encode, vae.reconstruct):
        with pytest.raises(ScratchVAEError, match=r"2 of 600 numbers are NaN or infinite, the "
                                                  r"first is x\[3, 7\]$"):
            call(convert(bad))
        with pytest.raises(ScratchVAEError, match=r"got numbers in \[.*, 255\] \(divide 8-bit "
                                                  r"images by 255, or pass .*\); 1 of 600 lie "
                                                  r"outside, the first is x\[40, 2\]$"):
            call(convert(large))


def test_numbers_beyond_float32_are_refused(x):
    large = x.astype(np.float64)
    large[3, 7] = 1e300
    with np.errstate(over="ignore"):
        with pytest.raises(ScratchVAEError, match="1 of 600 numbers are NaN or infinite"):
            small_vae().fit(large, progress=False)


def test_causes_are_found_in_any_layout(x):
    vae = VAE([Dense(8)], 2, [Dense(12)], reconstruction="squared_error")
    validation = x.astype(np.float64)
    validation[17, 3] = 1e25
    with pytest.warns(ScratchVAEWarning, match="validation example 17 has a number of size 1e.25"):
        vae.fit(x, validation_data=validation, progress=False)
    with pytest.raises(ScratchVAEError, match=r"the data lie in \[.*, 255\]; divide them by 255"):
        vae.fit((x / x.max() * 255).astype(np.uint8), optimizer=SGD(1e9), epochs=3, progress=False)


# Images of 8 bits.

@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_byte_becomes_the_number_that_it_stands_for(dtype):
    pixels = np.arange(256, dtype=np.uint8).reshape(64, 4)
    expected = np.divide(pixels, np.float32(255)).astype(dtype)
    batches = Batches(Images(pixels), dtype)
    taken = np.empty((64, 4), dtype)
    batches.take(np.arange(64), taken)
    for made in (batches[:], np.asarray(batches), taken, np.asarray(Images(pixels), dtype)):
        assert made.dtype == dtype
        assert made.tobytes() == expected.tobytes()
    assert (batches.min(), batches.max()) == (0, 1)


def test_images_are_used_like_an_array(pixels):
    x = Images(pixels)
    expected = floats(pixels)
    assert (len(x), x.shape, x.ndim, x.size, x.dtype) == (50, (50, 12), 2, 600, np.float32)
    for part, numbers in ((x[10:20], expected[10:20]), (x[::-7], expected[::-7]),
                          (x.reshape(-1, 3, 4), expected.reshape(-1, 3, 4)),
                          (x.reshape((50, 4, 3, 1)), expected.reshape(50, 4, 3, 1))):
        assert isinstance(part, Images)
        assert np.shares_memory(part.pixels, pixels)
        np.testing.assert_array_equal(np.asarray(part), numbers)
    for index in (3, [3, 1], np.arange(50) > 40, (slice(None), 2)):
        assert isinstance(x[index], (np.ndarray, np.float32))
        np.testing.assert_array_equal(x[index], expected[index])
    assert repr(x) == "Images of shape (50, 12)"


@pytest.mark.parametrize("wrong", [np.ones((3, 4)), np.ones(3, np.uint8), [[1, 2]]])
def test_other_numbers_are_no_images(wrong):
    with pytest.raises(ScratchVAEError, match=r"^Images: pixels must be a uint8 array of shape "
                                              r"\(N, ...\), got .* dtype and shape \("):
        Images(wrong)


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_images_give_the_bits_of_their_numbers(pixels, backend, dtype):
    def make():
        return small_vae(backend=backend, dtype=dtype)
    expected = outcome(make(), floats(pixels))
    assert outcome(make(), Images(pixels)) == expected
    assert outcome(make(), Images(np.asfortranarray(pixels))) == expected
    vae = make()
    vae.build((12,))
    np.testing.assert_array_equal(vae.log_weights(Images(pixels), 2),
                                  vae.log_weights(floats(pixels), 2))


def test_images_as_targets_and_of_a_plain_autoencoder(pixels, rng):
    noisy = rng.random((50, 12)).astype(np.float32)
    expected = outcome(small_vae(), noisy, targets=floats(pixels))
    assert outcome(small_vae(), noisy, targets=Images(pixels)) == expected
    codes = []
    for x in (Images(pixels), floats(pixels)):
        model = Autoencoder([Dense(2)], [Dense(12, activation="sigmoid")])
        model.fit(x, progress=False)
        codes.append(model.encode(x))
    np.testing.assert_array_equal(*codes)


def test_bytes_that_are_no_images_keep_their_values(pixels):
    with pytest.raises(ScratchVAEError, match=r"divide 8-bit images by 255, or pass scratchvae.data"
                                              r".Images\(x\)\)"):
        small_vae().fit(pixels, progress=False)
    vae = VAE([Dense(8)], 2, [Dense(12)], reconstruction="squared_error")
    vae.build((12,))
    np.testing.assert_array_equal(vae.encode(pixels)[0], vae.encode(pixels.astype(np.float32))[0])


def test_a_training_on_numbers_is_resumed_on_images(pixels, tmp_path):
    options = dict(batch_size=16, seed=4, progress=False)
    whole = small_vae()
    whole.fit(floats(pixels), epochs=3, **options)
    path = tmp_path / "checkpoint.npz"
    small_vae().fit(floats(pixels), epochs=1, checkpoint=path, **options)
    resumed = small_vae()
    resumed.fit(Images(pixels), epochs=3, checkpoint=path, resume=True, **options)
    assert resumed.parameters.values.tobytes() == whole.parameters.values.tobytes()
    with pytest.raises(ScratchVAEError, match="was trained with data"):
        small_vae().fit(Images(255 - pixels), epochs=4, checkpoint=path, resume=True, **options)


def test_gradients_are_checked_on_images(pixels):
    assert check_model(small_vae(), Images(pixels[:3])).passed


# Memory.

def traced(call):
    """The result of a call, the bytes of memory that it keeps, and the most that it took."""
    tracemalloc.start()
    try:
        return call(), *tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


KINDS = {
    "Images": Images,
    "every second of Images": lambda pixels: Images(np.repeat(pixels, 2, axis=0))[::2],
    "bytes": lambda pixels: pixels,
    "float64": lambda pixels: floats(pixels).astype(np.float64),
    "float32": floats,
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_result_is_allocated(rng, kind):
    x = KINDS[kind](rng.integers(0, 2, (5000, 784), dtype=np.uint8))
    vae = shallow_vae()
    vae.fit(x[:200], progress=False)
    size = 4 * 5000 * 784
    for call in (vae.encode, vae.evaluate, lambda x: vae.fit(x, progress=False)):
        _, _, most = traced(lambda call=call: call(x))
        assert most < size / 6
    made, _, most = traced(lambda: vae.reconstruct(x))
    assert made.nbytes == size
    assert size <= most < size + size / 6


def test_a_file_stays_on_the_disk(rng, tmp_path):
    np.save(tmp_path / "x.npy", rng.integers(0, 256, (5000, 784), dtype=np.uint8))
    x = Images(np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert isinstance(x.pixels.base, np.memmap)
    vae = shallow_vae()
    vae.fit(x[:200], validation_data=x[:200], progress=False)
    _, _, most = traced(lambda: vae.fit(x, validation_data=x[:1000], progress=False))
    assert most < x.pixels.nbytes / 2


def test_a_run_keeps_its_images_as_bytes(tmp_path):
    write_idx_files(tmp_path / "mnist", 2000, 1000)
    run = create_run(tmp_path / "a", new_config(labs.get("mnist-dense"), data_dir=tmp_path))
    (x, _, validation), kept, _ = traced(run.examples)
    assert (len(x), len(validation)) == (2000, 1000)
    assert kept < 1.1 * 3000 * 784


def test_data_sets_are_numbers_unless_bytes_are_asked_for(small_data):
    numbers = load_mnist(small_data)
    kept = load_images("mnist", small_data)
    for name in ("x_train", "x_test"):
        x = getattr(numbers, name)
        assert type(x) is np.ndarray and x.dtype == np.float32
        assert isinstance(getattr(kept, name), Images)
        assert x.tobytes() == np.divide(getattr(kept, name).pixels, np.float32(255)).tobytes()
    np.testing.assert_array_equal(kept.y_train, numbers.y_train)
    assert (kept.sha256, kept.description) == (numbers.sha256, numbers.description)
