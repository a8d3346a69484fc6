"""The gated recurrent unit: Keras's numbers, the equations step by step, masks, and work space."""
import numpy as np
import pytest
from helpers import HOSTS, KERAS_GROUPS, MASK, built, close, numbered
from scratchvae.kernels.cases import make_case, run
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels
from scratchvae.layers import GRU

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")


def draw(rng, N, T, K, U):
    """x, kernel, recurrent_kernel, bias, initial_state, mask and dout.

    The first sequence has all its steps, the last one none.
    """
    shapes = ((N, T, K), (K, 3 * U), (U, 3 * U), (2, 3 * U), (N, U), (N, T, U))
    *arrays, dout = (rng.standard_normal(shape) for shape in shapes)
    mask = (rng.random((N, T)) < 0.7).astype(np.int32)
    mask[-1] = 0
    mask[0] = 1
    return [*arrays, mask, dout]


def recur(backend, arrays, go_backwards=False, scratch=None):
    """The states of a GRU and all gradients by name.

    The products with x, which a layer leaves to the operations of a dense layer, are NumPy's.
    """
    x, kernel, recurrent_kernel, bias, initial_state, mask, dout = arrays
    N, T, U = dout.shape
    a = x @ kernel + bias[0]
    if scratch is None:
        scratch = backend.gru_scratch(N, T, U, x.dtype)
    y = np.full_like(dout, np.nan)
    da = np.full_like(a, np.nan)
    drecurrent_kernel = np.full_like(recurrent_kernel, np.nan)
    drecurrent_bias = np.full_like(bias[1], np.nan)
    dinitial_state = np.full_like(initial_state, np.nan)
    backend.gru_forward(a, recurrent_kernel, bias[1], initial_state, mask, y, go_backwards,
                        scratch)
    backend.gru_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, drecurrent_bias,
                         dinitial_state, go_backwards, scratch)
    return {"y": y, "dx": da @ kernel.T, "dkernel": np.tensordot(x, da, axes=[(0, 1), (0, 1)]),
            "drecurrent_kernel": drecurrent_kernel,
            "dbias": np.stack([da.sum(axis=(0, 1)), drecurrent_bias]),
            "dinitial_state": dinitial_state}


def part(arrays, sequences, steps):
    """The arrays of some sequences and steps."""
    x, kernel, recurrent_kernel, bias, initial_state, mask, dout = arrays
    x, mask, dout = (np.ascontiguousarray(array[sequences][:, steps])
                     for array in (x, mask, dout))
    return [x, kernel, recurrent_kernel, bias, initial_state[sequences], mask, dout]


# Numbers

@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("group", [group for group in KERAS_GROUPS if group.startswith("gru/")])
def test_gru_equals_keras(golden, group, name, dtype, tolerance):
    g = golden[group]
    x, initial_state, dout = (g[key].astype(dtype) for key in ("x", "initial_state", "dout"))
    layer = GRU(g["y"].shape[-1], return_sequences=g["y"].ndim == 3)
    built(layer, x.shape[1:], numbered(g, "weight"), dtype, name)
    layer.mask = g["mask"]
    close(layer.forward(x, True, initial_state), g["y"], tolerance)
    close(layer.backward(dout), g["dx"], tolerance)
    close(layer.dinitial_state, g["dinitial_state"], tolerance)
    for gradient, expected in zip(layer.grads.values(), numbered(g, "gradient"), strict=True):
        close(gradient, expected, tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("N, T, U", [(25, 3, 40), (2, 3, 90), (3, 60, 8)])
def test_many_sequences_units_and_steps_equal_the_reference(N, T, U, go_backwards, dtype,
                                                            tolerance):
    for operation in (REFERENCE.gru_forward, REFERENCE.gru_backward):
        case = make_case(operation, {"N": N, "T": T, "U": U}, go_backwards=go_backwards)
        expected = run(REFERENCE, case, "float64", rounded_to=dtype)
        for name, array in run(CPU, case, dtype).items():
            close(array, expected[name], tolerance)


def test_a_gru_written_out_step_by_step(backend, rng):
    """Cho et al.'s equations, a sequence at a time."""
    x, W, R, b, initial_state, mask, _ = arrays = draw(rng, 4, 5, 3, 2)
    y = recur(backend, arrays)["y"]
    for n in range(4):
        h = initial_state[n]
        for t in range(5):
            a = x[n, t] @ W + b[0]
            q = h @ R + b[1]
            z = 1 / (1 + np.exp(-(a[:2] + q[:2])))
            r = 1 / (1 + np.exp(-(a[2:4] + q[2:4])))
            if mask[n, t]:
                h = z * h + (1 - z) * np.tanh(a[4:] + r * q[4:])
            np.testing.assert_allclose(y[n, t], h, rtol=1e-12)


def test_backwards_is_forwards_on_the_reversed_sequence(backend, rng):
    arrays = draw(rng, 4, 5, 3, 7)
    there = recur(backend, arrays, go_backwards=True)
    back = recur(backend, part(arrays, slice(None), slice(None, None, -1)))
    for name in ("y", "dx"):
        back[name] = back[name][:, ::-1]
    for name, array in there.items():
        close(array, back[name], 1e-13)
    assert np.abs(there["y"] - recur(backend, arrays)["y"]).max() > 0.1


# Masks

@pytest.mark.parametrize("go_backwards", [False, True])
def test_sequences_without_any_step_keep_their_state(backend, go_backwards, rng):
    arrays = draw(rng, 7, 3, 4, 5)
    *_, initial_state, mask, dout = arrays
    mask[...] = 0
    results = recur(backend, arrays, go_backwards)
    expected = np.repeat(initial_state[:, np.newaxis], 3, axis=1)
    np.testing.assert_array_equal(results["y"], expected)
    np.testing.assert_allclose(results["dinitial_state"], dout.sum(axis=1), rtol=1e-13)
    for name in ("dx", "dkernel", "drecurrent_kernel", "dbias"):
        assert (results[name] == 0).all(), name


def test_skipped_steps_can_as_well_be_left_out(backend, rng):
    arrays = draw(rng, 6, 5, 4, 3)
    *_, mask, dout = arrays
    mask[...] = MASK
    dout[mask == 0] = 0
    expected = recur(backend, arrays)
    for n in range(5):                          # the last one of MASK has no step
        kept = mask[n] == 1
        short = recur(backend, part(arrays, slice(n, n + 1), kept))
        close(short["y"][0], expected["y"][n, kept], 1e-13)
        close(short["dx"][0], expected["dx"][n, kept], 1e-13)


def test_the_input_of_skipped_steps_has_no_influence_and_no_gradient(backend, rng):
    arrays = draw(rng, 6, 5, 4, 3)
    x, *_, mask, dout = arrays
    mask[...] = MASK
    dout[mask == 0] = 0
    expected = recur(backend, arrays)
    x[mask == 0] = 100
    for name, array in recur(backend, arrays).items():
        close(array, expected[name], 1e-13)
    assert (expected["dx"][mask == 0] == 0).all()
    assert (expected["dx"][mask == 1] != 0).all()


# Work space

def test_a_recurrent_scratch_remembers_nothing(backend, rng):
    scratch = backend.gru_scratch(7, 4, 5, np.float64)
    for go_backwards in (False, True, False):
        arrays = draw(rng, 7, 4, 3, 5)
        expected = recur(REFERENCE, arrays, go_backwards)
        for name, array in recur(backend, arrays, go_backwards, scratch).items():
            close(array, expected[name], 1e-12)


@pytest.mark.parametrize("sizes", [(6, 4, 5), (7, 5, 5), (7, 4, 6)])
def test_a_recurrent_scratch_of_other_sizes_is_refused(sizes, rng):
    scratch = CPU.gru_scratch(*sizes, np.float64)
    with pytest.raises(ScratchVAEError, match=rf"^gru: the scratch was made for up to {sizes[0]} "
                                              r"sequences .*, got states of shape \(7, 4, 5\)$"):
        recur(CPU, draw(rng, 7, 4, 3, 5), scratch=scratch)


@pytest.mark.parametrize("name", HOSTS)
def test_without_dx_the_other_gradients_of_the_layer_are_the_same(name, rng):
    x, kernel, recurrent_kernel, bias, _, _, dout = draw(rng, 5, 3, 4, 6)
    layer = built(GRU(6, return_sequences=True), (3, 4), [kernel, recurrent_kernel, bias],
                  "float64", name)
    layer.forward(x)
    assert layer.backward(dout).shape == x.shape
    gradients = {name: gradient.copy() for name, gradient in layer.grads.items()}
    layer.forward(x)
    assert layer.backward(dout, need_dx=False) is None
    assert list(gradients) == ["kernel", "recurrent_kernel", "bias"]
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(layer.grads[name], gradient)


@pytest.mark.parametrize("shape", [(15,), (1, 15), (3, 15)])
def test_a_bias_needs_two_rows(shape, rng):
    layer = GRU(5)
    layer.build((2, 4))
    kernel, recurrent_kernel, _ = layer.get_weights()
    with pytest.raises(ScratchVAEError, match=r"^GRU: weights have shapes .*, expected "
                                              r"{.*'bias': \(2, 15\)}$"):
        layer.set_weights([kernel, recurrent_kernel, rng.standard_normal(shape)])
