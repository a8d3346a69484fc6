"""What the tests share: small data, small models, and comparisons."""
import numba
import numpy as np
import pytest
from PIL import Image

from scratchvae import kernels
from scratchvae.data.idx import write_idx
from scratchvae.layers import Dense, Dropout
from scratchvae.models import VAE, Model, Sequential
from scratchvae.teaching.judge import golden
from scratchvae.training.history import History

HOSTS = ("cpu", "reference")            # the backends that compute on any machine
# Which of 5 steps count: all, zeros before, behind, in the middle, at both ends, and none.
MASK = np.array([[1, 1, 1, 1, 1],
                 [0, 0, 1, 1, 1],
                 [1, 1, 1, 0, 0],
                 [1, 0, 0, 1, 1],
                 [0, 1, 0, 1, 0],
                 [0, 0, 0, 0, 0]], np.int32)
GOLDEN = golden.FILE
with np.load(GOLDEN) as _file:          # what Keras's numbers are of
    KERAS_GROUPS = list(dict.fromkeys(path.rpartition("/")[0] for path in _file.files))


def write_idx_files(folder, train=40, test=20, seed=0):
    """A small data set of random images in the four files of MNIST."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28)))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", rng.integers(0, 10, count))
    return folder


def write_play(path, speeches=30, seed=0):
    """A small play: sentences put together from a few words, said by three speakers."""
    rng = np.random.default_rng(seed)
    subjects = "thou he she I we".split()
    verbs = "knowest loveth saw hath follow".split()
    objects = "him thee Rome the o'er it".split()
    speakers = ("ANNA", "BERT", "First Clown")
    paragraphs = []
    for i in range(speeches):
        lines = []
        for _ in range(rng.integers(1, 4)):
            words = f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(objects)}"
            address = ", good my lord" * int(rng.integers(2))
            lines.append(f"{words}{address}{rng.choice(list('.!?'))}")
        paragraphs.append("\n".join([f"{speakers[i % 3]}:", *lines]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(paragraphs) + "\n")
    return path


def is_picture(path):
    """Return whether a file is a whole image that shows something: more than one colour."""
    with Image.open(path) as image:
        return image.convert("RGB").getcolors(1) is None


def small_vae(**options):
    """A VAE on examples of 12 elements, with dropout."""
    return VAE([Dense(7, "relu"), Dropout(0.2)], 3, [Dense(6, "relu"), Dense(12, "sigmoid")],
               reconstruction_scale=12.0, **options)


def bits(folder):
    """What must not differ between equal runs: all weights, and history without its seconds."""
    with np.load(folder / "weights.npz") as file:
        weights = {name: file[name].tobytes() for name in file.files}
    return weights, without_seconds(History.read_csv(folder / "history.csv"))


def without_seconds(history):
    """The rows of a history without how long the epochs took."""
    return [{**row, "seconds": 0} for row in history.rows]


def close(actual, expected, tolerance):
    """The largest difference is within tolerance of the largest number expected."""
    assert actual.shape == expected.shape
    assert np.isfinite(actual).all()
    assert np.abs(actual - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-30)


def assert_same_gradients(models, x):
    """Models on several backends, started alike, have the same gradients of the whole loss."""
    results = []
    for model in models:
        config = model.get_config() | {"dtype": "float64"}
        copy = Model.from_config(config, model.backend)
        copy.parameters.values[...] = models[0].parameters.values
        copy.noise.step = 1
        copy.forward(np.asarray(copy.as_examples(x)), training=True)
        copy.backward(0.7)
        gradients = [gradient.ravel() for layer in copy.layers.values()
                     for gradient in layer.grads.values()]
        results.append(np.concatenate(gradients))
    for result in results[1:]:
        close(result, results[0], 1e-10)


def numbered(group, name):
    """The arrays NAME_0, NAME_1, ... of a group of Keras's numbers."""
    count = sum(key.rpartition("_")[0] == name for key in group)
    return [group[f"{name}_{i}"] for i in range(count)]


def built(layer, input_shape, weights, dtype, backend):
    """A layer or a Sequential with these weights."""
    for member in layer.layers.values() if isinstance(layer, Sequential) else [layer]:
        member.dtype = dtype
        member.backend = backend
    layer.build(input_shape)
    layer.set_weights(weights)
    return layer


def same_on_any_number_of_threads(compute):
    """compute() returns the same on one thread, on two, and on all of them."""
    count = numba.config.NUMBA_NUM_THREADS
    if count == 1:
        pytest.skip("needs a machine with two threads")
    expected = None
    for threads in sorted({1, 2, count}):
        kernels.load("cpu").set_threads(threads)
        result = compute()
        expected = result if expected is None else expected
        assert result == expected, f"{threads} threads"
