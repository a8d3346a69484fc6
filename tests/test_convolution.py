"""Convolutions: against Keras's numbers, their definition, each other, and the reference.

test_operations.py tests what all operations promise, on small images.
"""
import math
from typing import NamedTuple

import numpy as np
import pytest
from helpers import KERAS_GROUPS, close, same_on_any_number_of_threads
from scipy.signal import correlate
from scratchvae.kernels.backend import make_scratch
from scratchvae.kernels.errors import ScratchVAEError
from scratchvae.kernels.windows import Window, coarse_size, fine_size

from scratchvae import kernels
from scratchvae.layers import Conv2D, Conv2DTranspose

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")
OPERATIONS = ("conv2d", "conv2d_transpose")
KERAS_CASES = [group for group in KERAS_GROUPS if group.startswith("conv2d")]


class Case(NamedTuple):
    """Sizes and window of a convolution of either kind."""
    N: int
    image: tuple                # height, width, channels
    filters: int
    kernel_size: tuple
    strides: tuple = (1, 1)
    padding: str = "same"

    def __str__(self):
        return ",".join(str(value).replace(" ", "") for value in self)

    @property
    def window(self):
        """How the operations take strides and padding."""
        return Window(self.strides, self.padding)

    def sizes(self, operation):
        """The sizes by the letters of the operation's declaration."""
        sizes = dict(zip("HWC", self.image)) | dict(zip("AB", self.kernel_size))
        sizes |= {"N": self.N, "M": self.filters}
        derive = getattr(REFERENCE, f"{operation}_forward").declaration.derive
        return sizes | derive(sizes, self.window)

    def draw(self, rng, operation, dtype="float64"):
        """x, kernel, bias and dout."""
        sizes = self.sizes(operation)
        arrays = getattr(REFERENCE, f"{operation}_forward").declaration.arrays.values()
        return [rng.standard_normal(array.shape(sizes)).astype(dtype) for array in arrays]


def scratch_for(backend, operation, case, dtype="float64"):
    """The work space of a case."""
    declaration = getattr(backend, f"{operation}_forward").declaration
    return make_scratch(backend, declaration, case.sizes(operation), {"window": case.window},
                        np.dtype(dtype))


def forward(backend, operation, arrays, window, activation="linear", scratch=None):
    """y of a convolution, written into NaN."""
    x, kernel, bias, dout = arrays
    if scratch is None:
        case = Case(len(x), x.shape[1:], len(bias), kernel.shape[:2], *window[:2])
        scratch = scratch_for(backend, operation, case, x.dtype)
    y = np.full_like(dout, np.nan)
    getattr(backend, f"{operation}_forward")(x, kernel, bias, y, window, activation, scratch)
    return y


def convolve(backend, operation, arrays, window, activation="linear", scratch=None, need_dx=True):
    """y, dx, dkernel and dbias of a convolution, written into NaN; the inputs stay unchanged."""
    x, kernel, bias, dout = arrays
    if scratch is None:
        case = Case(len(x), x.shape[1:], len(bias), kernel.shape[:2], *window[:2])
        scratch = scratch_for(backend, operation, case, x.dtype)
    before = [array.copy() for array in arrays]
    y = forward(backend, operation, arrays, window, activation, scratch)
    dx = np.full_like(x, np.nan) if need_dx else None
    dkernel = np.full_like(kernel, np.nan)
    dbias = np.full_like(bias, np.nan)
    backward = getattr(backend, f"{operation}_backward")
    backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)
    results = {"y": y, "dkernel": dkernel, "dbias": dbias}
    return results | {"dx": dx} if need_dx else results


# Keras's numbers

@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize("group", KERAS_CASES)
def test_convolution_equals_keras(backend, golden, group, dtype, tolerance):
    g = golden[group]
    operation, case = group.split("/")          # "4x4 stride 2x1 same relu, 7x10x3 to 5"
    _, _, strides, padding, activation = case.split(",")[0].split()
    window = Window(tuple(int(n) for n in strides.split("x")), padding)
    arrays = [g[name].astype(dtype) for name in ("x", "kernel", "bias", "dout")]
    for name, array in convolve(backend, operation, arrays, window, activation).items():
        close(array, g[name].astype(np.float64), tolerance)


@pytest.mark.parametrize("strides", ["1x1", "2x2", "3x3", "2x1"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_keras_s_numbers_are_of_both_operations_and_every_stride(operation, strides):
    assert any(case.startswith(f"{operation}/") and f" stride {strides} " in case
               for case in KERAS_CASES)


# The definition

GEOMETRIES = [((1, 1), (1, 1)), ((3, 3), (1, 1)), ((4, 4), (1, 1)), ((2, 3), (2, 2)),
              ((3, 3), (2, 1)), ((4, 4), (2, 2)), ((2, 2), (3, 3)), ((5, 2), (3, 2)),
              ((1, 1), (2, 2))]


def zeros_before(size, kernel, stride, padding):
    """Zeros before the first number of an axis: TensorFlow's rule, the odd one goes behind."""
    if padding == "valid":
        return 0
    return max((-(-size // stride) - 1) * stride + kernel - size, 0) // 2


def corner(shape, kernel_size, strides, padding):
    """The zeros above and to the left of an image."""
    return [zeros_before(*axis, padding) for axis in zip(shape, kernel_size, strides)]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size, strides", GEOMETRIES)
def test_conv2d_is_a_sum_over_a_window(backend, rng, kernel_size, strides, padding):
    case = Case(2, (6, 7, 3), 4, kernel_size, strides, padding)
    x, kernel, bias, dout = arrays = case.draw(rng, "conv2d")
    top, left = corner((6, 7), kernel_size, strides, padding)
    expected = np.empty_like(dout)
    for n, p, q, m in np.ndindex(expected.shape):
        expected[n, p, q, m] = bias[m]
        for i, j in np.ndindex(kernel_size):
            row = p * strides[0] + i - top
            column = q * strides[1] + j - left
            if 0 <= row < 6 and 0 <= column < 7:
                expected[n, p, q, m] += x[n, row, column] @ kernel[i, j, :, m]
    close(forward(backend, "conv2d", arrays, case.window), expected, 1e-13)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size, strides", GEOMETRIES)
def test_conv2d_transpose_adds_a_window_for_every_number(backend, rng, kernel_size, strides,
                                                         padding):
    case = Case(2, (3, 4, 3), 4, kernel_size, strides, padding)
    x, kernel, bias, dout = arrays = case.draw(rng, "conv2d_transpose")
    _, P, Q, _ = dout.shape
    top, left = corner((P, Q), kernel_size, strides, padding)
    expected = np.empty_like(dout)
    expected[...] = bias
    for n, h, w in np.ndindex(2, 3, 4):
        for i, j in np.ndindex(kernel_size):
            p = h * strides[0] + i - top
            q = w * strides[1] + j - left
            if 0 <= p < P and 0 <= q < Q:
                expected[n, p, q] += kernel[i, j] @ x[n, h, w]
    close(forward(backend, "conv2d_transpose", arrays, case.window), expected, 1e-13)


@pytest.mark.parametrize("kernel_size", [(3, 3), (4, 4), (5, 2)])
def test_conv2d_equals_scipy_s_correlation(backend, rng, kernel_size):
    case = Case(2, (9, 8, 17), 18, kernel_size, padding="valid")
    x, kernel, bias, dout = arrays = case.draw(rng, "conv2d")
    expected = np.empty_like(dout)
    for n, m in np.ndindex(2, 18):
        expected[n, ..., m] = correlate(x[n], kernel[..., m], mode="valid")[..., 0] + bias[m]
    close(forward(backend, "conv2d", arrays, case.window), expected, 1e-12)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size, strides", GEOMETRIES)
def test_conv2d_transpose_is_the_adjoint_of_conv2d(backend, rng, kernel_size, strides, padding):
    """<conv2d(x), z> = <x, conv2d_transpose(z)>, with the same kernel and no bias."""
    case = Case(3, (5, 4, 6), 7, kernel_size, strides, padding)
    z, kernel, _, x = case.draw(rng, "conv2d_transpose")
    there = forward(backend, "conv2d", (x, kernel, np.zeros(6), z), case.window)
    back = forward(backend, "conv2d_transpose", (z, kernel, np.zeros(7), x), case.window)
    assert np.vdot(there, z) == pytest.approx(np.vdot(x, back), rel=1e-11)


@pytest.mark.parametrize("size, kernel, stride, padding, expected", [
    (28, 4, 2, "same", 14), (7, 4, 2, "same", 4), (7, 4, 2, "valid", 2), (7, 3, 1, "valid", 5),
    (7, 3, 1, "same", 7), (7, 2, 3, "valid", 2), (7, 2, 3, "same", 3), (3, 3, 2, "valid", 1),
    (2, 5, 2, "same", 1), (4, 4, 1, "valid", 1)])
def test_sizes_of_convolutions_are_keras_s(size, kernel, stride, padding, expected):
    assert coarse_size(size, kernel, stride, padding) == expected


@pytest.mark.parametrize("size, kernel, stride, padding, expected", [
    (7, 4, 2, "same", 14), (7, 4, 2, "valid", 16), (7, 3, 1, "valid", 9), (7, 3, 1, "same", 7),
    (7, 2, 3, "valid", 21), (7, 2, 3, "same", 21), (1, 5, 2, "valid", 5), (1, 5, 2, "same", 2)])
def test_sizes_of_transposed_convolutions_are_keras_s(size, kernel, stride, padding, expected):
    assert fine_size(size, kernel, stride, padding) == expected


# The ways in which the cpu computes: tables, one channel, and Winograd's transform

def random_cases(count=24):
    """Kernels to 5x5, strides to 3x3, 1 to 40 channels and filters, images to 13x13."""
    rng = np.random.default_rng(7)
    for _ in range(count):
        kernel_size = tuple(rng.integers(1, 6, 2).tolist())
        strides = tuple(rng.integers(1, 4, 2).tolist())
        padding = ("same", "valid")[rng.integers(2)]
        least = kernel_size if padding == "valid" else (1, 1)
        height, width = (int(rng.integers(low, 14)) for low in least)
        N, C, M = rng.integers((1, 1, 1), (5, 41, 41)).tolist()
        yield Case(N, (height, width, C), M, kernel_size, strides, padding)


WINOGRAD = [Case(3, (14, 14, 16), 32, (3, 3)),
            Case(2, (14, 14, 32), 16, (4, 4)),
            Case(5, (7, 7, 32), 16, (3, 3), padding="valid"),
            Case(2, (7, 7, 16), 48, (4, 4), padding="valid"),
            Case(1, (4, 4, 16), 16, (4, 4), padding="valid"),
            Case(2, (2, 1, 16), 16, (3, 3)),
            Case(2, (1, 3, 16), 16, (4, 4))]
TABLES = [Case(5, (7, 7, 33), 16, (3, 3), padding="valid"),
          Case(3, (5, 6, 36), 16, (3, 3)),
          Case(2, (1, 3, 17), 18, (4, 4))]
LARGE = [Case(20, (16, 16, 32), 64, (4, 4), (2, 2)),
         Case(20, (9, 9, 70), 45, (3, 3)),
         Case(9, (28, 28, 1), 32, (4, 4), (2, 2)),
         Case(7, (15, 13, 65), 131, (4, 4), padding="valid"),
         Case(6, (12, 11, 130), 3, (5, 5), (2, 3), "valid"),
         Case(70, (7, 7, 20), 20, (1, 1), padding="valid"),
         Case(40, (28, 28, 16), 1, (3, 3))]
SMALL = [Case(5, (7, 6, 3), 5, (4, 4), (2, 2)),
         Case(5, (7, 6, 16), 16, (3, 3)),
         Case(5, (7, 6, 16), 17, (4, 4), padding="valid"),
         Case(5, (6, 7, 4), 9, (2, 2), (3, 3), "valid"),
         Case(5, (6, 7, 20), 1, (3, 3)),
         Case(5, (6, 7, 1), 9, (4, 4), (2, 2))]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_winograd_s_transform_takes_its_cases_and_no_others(operation):
    for case in WINOGRAD:
        assert scratch_for(CPU, operation, case).winograd is not None, case
    for case in TABLES:
        assert scratch_for(CPU, operation, case).winograd is None, case


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-11), ("float32", 1e-4)])
@pytest.mark.parametrize("case", [*random_cases(), *WINOGRAD, *TABLES], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_convolution_equals_the_reference(operation, case, dtype, tolerance, rng):
    arrays = case.draw(rng, operation, dtype)
    exact = [array.astype(np.float64) for array in arrays]
    expected = convolve(REFERENCE, operation, exact, case.window)
    for name, array in convolve(CPU, operation, arrays, case.window).items():
        close(array, expected[name], tolerance)


@pytest.mark.parametrize("case", LARGE, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_large_convolution_equals_the_reference(operation, case, rng):
    """Several tasks for each thread, several panels, several chunks."""
    arrays = case.draw(rng, operation, "float32")
    expected = convolve(REFERENCE, operation, arrays, case.window)
    for name, array in convolve(CPU, operation, arrays, case.window).items():
        close(array, expected[name], 1e-4)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "softmax"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_winograd_with_an_activation_equals_the_reference(operation, activation, rng):
    case = WINOGRAD[0]
    arrays = case.draw(rng, operation)
    arrays[1] *= 0.1
    expected = convolve(REFERENCE, operation, arrays, case.window, activation)
    for name, array in convolve(CPU, operation, arrays, case.window, activation).items():
        close(array, expected[name], 1e-11)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_winograd_transforms_some_columns_at_a_time_for_few_images_to_the_same_bits(operation, rng):
    few = Case(2, (5, 6, 80), 160, (3, 3))
    arrays = few.draw(rng, operation, "float32")
    scratches = [scratch_for(CPU, operation, case, "float32")
                 for case in (few, few._replace(N=400))]        # 400 images are several chunks
    in_parts, whole = [scratch.winograd for scratch in scratches]
    U_size, _, _, kernel_T_size = map(math.prod, in_parts.shapes)
    whole_U_size, _, _, whole_kernel_T_size = map(math.prod, whole.shapes)
    assert 2 * U_size < whole_U_size
    assert kernel_T_size < whole_kernel_T_size
    results, expected = [convolve(CPU, operation, arrays, few.window, "relu", scratch)
                         for scratch in scratches]
    for name, array in results.items():
        np.testing.assert_array_equal(array, expected[name])


# Work space and threads

@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_scratch_serves_smaller_batches_and_remembers_nothing(operation, case, rng):
    x, kernel, bias, dout = case.draw(rng, operation)
    scratch = scratch_for(CPU, operation, case)
    for batch in (5, 2, 1, 5):
        arrays = (x[:batch] + batch, kernel * batch, bias - batch, dout[:batch] * batch)
        expected = convolve(REFERENCE, operation, arrays, case.window)
        results = convolve(CPU, operation, arrays, case.window, scratch=scratch)
        for name, array in results.items():
            close(array, expected[name], 1e-11)


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_backward_belongs_to_the_last_forward_pass_and_can_be_repeated(operation, case, rng):
    x, kernel, bias, dout = case.draw(rng, operation)
    scratch = scratch_for(CPU, operation, case)
    backward = getattr(CPU, f"{operation}_backward")
    for batch in (3, 5):
        arrays = (x[:batch], kernel, bias, dout[:batch])
        expected = convolve(REFERENCE, operation, arrays, case.window)
        forward(CPU, operation, (1 - 2 * x, kernel + 1, bias, dout), case.window, scratch=scratch)
        y = forward(CPU, operation, arrays, case.window, scratch=scratch)
        dx = np.full_like(x[:batch], np.nan)
        dkernel = np.full_like(kernel, np.nan)
        dbias = np.full_like(bias, np.nan)
        for slope in (2.0, 1.0):
            backward(slope * dout[:batch], x[:batch], y, kernel, dx, dkernel, dbias, case.window,
                     "linear", scratch)
        for name, array in {"y": y, "dx": dx, "dkernel": dkernel, "dbias": dbias}.items():
            close(array, expected[name], 1e-11)


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_dx_the_other_results_are_the_same(operation, case, rng):
    arrays = case.draw(rng, operation, "float32")
    results = convolve(CPU, operation, arrays, case.window, "leaky_relu")
    without = convolve(CPU, operation, arrays, case.window, "leaky_relu", need_dx=False)
    assert list(without) == ["y", "dkernel", "dbias"]
    for name, array in without.items():
        np.testing.assert_array_equal(array, results[name])


@pytest.mark.parametrize("case", [*SMALL, *WINOGRAD[:4], *LARGE[:3]], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_convolution_has_the_same_bits_on_any_number_of_threads(operation, case, rng):
    arrays = case.draw(rng, operation, "float32")

    def compute():
        results = convolve(CPU, operation, arrays, case.window, "relu")
        return [array.tobytes() for array in results.values()]
    same_on_any_number_of_threads(compute)


@pytest.mark.parametrize("channels", [2, 16])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_convolution_lets_nan_through(backend, operation, channels):
    x = np.ones((3, 6, 6, channels), np.float32)
    x[1, 2, 3, 1] = np.nan
    kernel = np.ones((3, 3, channels, channels), np.float32)
    arrays = (x, kernel, np.zeros(channels, np.float32), np.empty_like(x))
    y = forward(backend, operation, arrays, Window((1, 1), "same"))
    assert np.isfinite(y[[0, 2]]).all()
    assert np.isnan(y[1, 1:4, 2:5]).all()


# What is refused

REFUSED = Case(4, (6, 7, 3), 5, (4, 4), (2, 2))


@pytest.mark.parametrize("name, spoil", [
    ("x", lambda x: x[..., :2].copy()), ("x", lambda x: x[:, 2:].copy()), ("x", lambda x: x[:0]),
    ("kernel", lambda kernel: kernel[:, :, :2].copy()), ("bias", lambda bias: bias[:4]),
    ("y", lambda y: y[:3]), ("y", lambda y: y[:, 1:].copy()), ("y", lambda y: y[:, :, 1:].copy()),
    ("y", lambda y: y[..., 1:].copy())])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_sizes_that_do_not_fit_together_are_refused(backend, operation, name, spoil, rng):
    x, kernel, bias, y = REFUSED.draw(rng, operation)
    right = {"x": x, "kernel": kernel, "bias": bias, "y": y, "window": REFUSED.window,
             "activation": "linear", "scratch": scratch_for(backend, operation, REFUSED)}
    run = getattr(backend, f"{operation}_forward")
    run(**right)
    with pytest.raises(ScratchVAEError, match=rf"^{operation}_forward: \w+ has shape .*, expected"):
        run(**{**right, name: spoil(right[name])})


@pytest.mark.parametrize("window, message", [
    (Window((2, 2), "SAME"), "padding must be one of same, valid, got 'SAME'"),
    (Window((2, 2), "full"), "padding must be one of same, valid, got 'full'"),
    (Window((0, 1), "same"), r"strides must be positive integers, got \(0, 1\)"),
    (Window((2, 0), "same"), r"strides must be positive integers, got \(2, 0\)"),
    (Window((2, -1), "valid"), r"strides must be positive integers, got \(2, -1\)")])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_wrong_window_is_refused(backend, operation, window, message, rng):
    arrays = REFUSED.draw(rng, operation)
    scratch = scratch_for(backend, operation, REFUSED)
    with pytest.raises(ScratchVAEError, match=f"^{operation}_forward: window: {message}$"):
        getattr(backend, f"{operation}_forward")(*arrays, window, "linear", scratch)


@pytest.mark.parametrize("other", [
    pytest.param({"N": 3}, id="batch"), pytest.param({"strides": (1, 1)}, id="strides"),
    pytest.param({"image": (5, 7, 3)}, id="image"),
    pytest.param({"kernel_size": (3, 4)}, id="kernel"),
    pytest.param({"filters": 4}, id="filters"), pytest.param({"padding": "valid"}, id="padding")])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_scratch_of_a_smaller_batch_or_other_sizes_is_refused(operation, other, rng):
    arrays = REFUSED.draw(rng, operation)
    scratch = scratch_for(CPU, operation, REFUSED._replace(**other))
    with pytest.raises(ScratchVAEError, match="the scratch was made for"):
        forward(CPU, operation, arrays, REFUSED.window, scratch=scratch)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_scratch_of_another_dtype_is_refused(operation, rng):
    scratch = scratch_for(CPU, operation, REFUSED, "float32")
    with pytest.raises(ScratchVAEError, match="the scratch was made for"):
        forward(CPU, operation, REFUSED.draw(rng, operation), REFUSED.window, scratch=scratch)


def test_a_valid_window_larger_than_the_image_is_refused():
    with pytest.raises(ScratchVAEError, match="the window of 4 is larger than the image of 3"):
        coarse_size(3, 4, 1, "valid")


# Layers

@pytest.mark.parametrize("layer, operation", [(Conv2D, "conv2d"),
                                              (Conv2DTranspose, "conv2d_transpose")])
def test_a_layer_computes_what_its_operations_do(layer, operation, rng):
    case = Case(4, (7, 6, 3), 5, (4, 3), (2, 1))
    layer = layer(5, (4, 3), (2, 1), "same", "leaky_relu(0.3)")
    assert layer.build((7, 6, 3)) == layer.output_shape
    x, kernel, bias, dout = arrays = case.draw(rng, operation, "float32")
    layer.set_weights([kernel, bias])
    expected = convolve(CPU, operation, arrays, case.window, "leaky_relu(0.3)")
    np.testing.assert_array_equal(layer.forward(x), expected["y"])
    np.testing.assert_array_equal(layer.backward(dout), expected["dx"])
    assert layer.backward(dout, need_dx=False) is None          # fills the gradients anew
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(layer.grads[name], expected[f"d{name}"])
    for mine, given in zip(layer.get_weights(), (kernel, bias), strict=True):
        np.testing.assert_array_equal(mine, given)
