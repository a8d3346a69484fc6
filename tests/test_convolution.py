"""Conv2D and Conv2DTranspose: against Keras's numbers, their definition, each other, and finite differences; and their manners."""
import itertools

import numpy as np
import pytest
from conftest import KERAS_GROUPS, close

import kernels
from kernels import windows
from kernels.activation_names import ACTIVATIONS
from kernels.errors import ScratchVAEError
from scratchvae.layers import Conv2D, Conv2DTranspose

REFERENCE, CPU = kernels.load("reference"), kernels.load("cpu")
OPERATIONS = ("conv2d", "conv2d_transpose")
OUTPUTS = ("y", "dx", "dkernel", "dbias")
KERAS_CASES = [group for group in KERAS_GROUPS if group.startswith("conv2d")]


def shapes(operation, N, image, M, kernel_size, strides, padding):
    """The shapes of x, kernel, bias and y."""
    (H, W, C), (kh, kw) = image, kernel_size
    size = getattr(windows, f"{operation}_output_size")
    P, Q = (size(n, k, s, padding) for n, k, s in zip((H, W), kernel_size, strides))
    kernel = (kh, kw, C, M) if operation == "conv2d" else (kh, kw, M, C)
    return (N, H, W, C), kernel, (M,), (N, P, Q, M)


def draw(rng, dtype, operation, *case):
    """x, kernel, bias and dout of a case."""
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes(operation, *case)]


def make_scratch(backend, operation, x, kernel, strides, padding, batch=None):
    return getattr(backend, f"{operation}_scratch")(batch or len(x), x.shape[1:], kernel.shape, strides, padding, x.dtype)


def forward(backend, operation, x, kernel, bias, y_shape, strides, padding, activation="linear", scratch=None):
    """y of a convolution, written into NaN."""
    scratch = make_scratch(backend, operation, x, kernel, strides, padding) if scratch is None else scratch
    y = np.full(y_shape, np.nan, x.dtype)
    getattr(backend, f"{operation}_forward")(x, kernel, bias, y, strides, padding, activation, scratch)
    return y


def convolve(backend, operation, x, kernel, bias, dout, strides, padding, activation="linear", scratch=None, need_dx=True):
    """y, dx, dkernel and dbias of a convolution, written into arrays of NaN."""
    scratch = make_scratch(backend, operation, x, kernel, strides, padding) if scratch is None else scratch
    y = forward(backend, operation, x, kernel, bias, dout.shape, strides, padding, activation, scratch)
    dx, dkernel, dbias = (np.full_like(array, np.nan) for array in (x, kernel, bias))
    dx = dx if need_dx else None
    getattr(backend, f"{operation}_backward")(dout, x, y, kernel, dx, dkernel, dbias, strides, padding, activation, scratch)
    return dict(zip(OUTPUTS, (y, dx, dkernel, dbias)))


# Keras's numbers

@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 1e-4)])
@pytest.mark.parametrize("group", KERAS_CASES)
def test_convolution_equals_keras(backend, golden, group, dtype, tolerance):
    operation, case = group.split("/")
    _, _, strides, padding, activation = case.split(",")[0].split()        # "4x4 stride 2x1 same relu, 7x10x3 to 5"
    x, kernel, bias, dout = (golden[group][name].astype(dtype) for name in ("x", "kernel", "bias", "dout"))
    strides = tuple(int(n) for n in strides.split("x"))
    for name, array in convolve(backend, operation, x, kernel, bias, dout, strides, padding, activation).items():
        close(array, golden[group][name].astype(np.float64), tolerance)


def test_keras_s_numbers_are_of_both_operations_and_every_stride():
    for operation, strides in itertools.product(OPERATIONS, ("1x1", "2x2", "3x3", "2x1")):
        assert any(case.startswith(f"{operation}/") and f" stride {strides} " in case for case in KERAS_CASES)


# The definition

GEOMETRIES = [((1, 1), (1, 1)), ((3, 3), (1, 1)), ((4, 4), (1, 1)), ((2, 3), (2, 2)), ((3, 3), (2, 1)), ((4, 4), (2, 2)), ((2, 2), (3, 3)),
              ((5, 2), (3, 2)), ((1, 1), (2, 2))]


def pad_before(size, kernel, stride, padding):
    """Zeros before the first number of an axis: TensorFlow's rule, the odd one goes behind."""
    return max((-(-size // stride) - 1) * stride + kernel - size, 0) // 2 if padding == "same" else 0


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size, strides", GEOMETRIES)
def test_conv2d_is_a_sum_over_a_window(backend, rng, kernel_size, strides, padding):
    x, kernel, bias, dout = draw(rng, np.float64, "conv2d", 2, (6, 7, 3), 4, kernel_size, strides, padding)
    expected, (top, left) = np.empty_like(dout), (pad_before(*axis, padding) for axis in zip((6, 7), kernel_size, strides))
    for n, p, q, m in np.ndindex(expected.shape):
        expected[n, p, q, m] = bias[m]
        for i, j in np.ndindex(kernel_size):
            row, column = p * strides[0] + i - top, q * strides[1] + j - left
            if 0 <= row < 6 and 0 <= column < 7:
                expected[n, p, q, m] += x[n, row, column] @ kernel[i, j, :, m]
    close(forward(backend, "conv2d", x, kernel, bias, dout.shape, strides, padding), expected, 1e-13)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size, strides", GEOMETRIES)
def test_conv2d_transpose_adds_a_window_for_every_number(backend, rng, kernel_size, strides, padding):
    x, kernel, bias, dout = draw(rng, np.float64, "conv2d_transpose", 2, (3, 4, 3), 4, kernel_size, strides, padding)
    P, Q = dout.shape[1:3]
    expected, (top, left) = np.empty_like(dout), (pad_before(*axis, padding) for axis in zip((P, Q), kernel_size, strides))
    expected[...] = bias
    for n, h, w in np.ndindex(2, 3, 4):
        for i, j in np.ndindex(kernel_size):
            p, q = h * strides[0] + i - top, w * strides[1] + j - left
            if 0 <= p < P and 0 <= q < Q:
                expected[n, p, q] += kernel[i, j] @ x[n, h, w]
    close(forward(backend, "conv2d_transpose", x, kernel, bias, dout.shape, strides, padding), expected, 1e-13)


@pytest.mark.parametrize("kernel_size", [(3, 3), (4, 4), (5, 2)])
def test_conv2d_equals_scipy_s_correlation(backend, rng, kernel_size):
    from scipy.signal import correlate
    x, kernel, bias, dout = draw(rng, np.float64, "conv2d", 2, (9, 8, 17), 18, kernel_size, (1, 1), "valid")
    expected = np.empty_like(dout)
    for n, m in np.ndindex(2, 18):
        expected[n, ..., m] = correlate(x[n], kernel[..., m], mode="valid")[..., 0] + bias[m]
    close(forward(backend, "conv2d", x, kernel, bias, dout.shape, (1, 1), "valid"), expected, 1e-12)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size, strides", GEOMETRIES)
def test_conv2d_transpose_is_the_adjoint_of_conv2d(backend, rng, kernel_size, strides, padding):
    """<conv2d(x), z> = <x, conv2d_transpose(z)>, with the same kernel and no bias; 5x4 is the size of z."""
    (_, *z_shape), _, _, (_, *x_shape) = shapes("conv2d_transpose", 3, (5, 4, 6), 7, kernel_size, strides, padding)
    z, x = rng.standard_normal((3, *z_shape)), rng.standard_normal((3, *x_shape))
    kernel = rng.standard_normal((*kernel_size, 7, 6))
    there = forward(backend, "conv2d", x, kernel, np.zeros(6), z.shape, strides, padding)
    back = forward(backend, "conv2d_transpose", z, kernel, np.zeros(7), x.shape, strides, padding)
    assert np.vdot(there, z) == pytest.approx(np.vdot(x, back), rel=1e-11)


@pytest.mark.parametrize("operation, size, kernel, stride, padding, expected", [
    ("conv2d", 28, 4, 2, "same", 14), ("conv2d", 7, 4, 2, "same", 4), ("conv2d", 7, 4, 2, "valid", 2), ("conv2d", 7, 3, 1, "valid", 5),
    ("conv2d", 7, 3, 1, "same", 7), ("conv2d", 7, 2, 3, "valid", 2), ("conv2d", 7, 2, 3, "same", 3), ("conv2d", 3, 3, 2, "valid", 1),
    ("conv2d", 2, 5, 2, "same", 1), ("conv2d_transpose", 7, 4, 2, "same", 14), ("conv2d_transpose", 7, 4, 2, "valid", 16),
    ("conv2d_transpose", 7, 3, 1, "valid", 9), ("conv2d_transpose", 7, 3, 1, "same", 7), ("conv2d_transpose", 7, 2, 3, "valid", 21),
    ("conv2d_transpose", 7, 2, 3, "same", 21), ("conv2d_transpose", 1, 5, 2, "valid", 5), ("conv2d_transpose", 1, 5, 2, "same", 2)])
def test_output_sizes_are_keras_s(operation, size, kernel, stride, padding, expected):
    assert getattr(windows, f"{operation}_output_size")(size, kernel, stride, padding) == expected


# The backends against each other

def random_cases(count=30):
    """Kernels to 5x5, strides to 3x3, 1 to 40 channels and filters, images to 13x13."""
    rng = np.random.default_rng(7)
    for _ in range(count):
        kernel_size, strides, padding = tuple(rng.integers(1, 6, 2)), tuple(rng.integers(1, 4, 2)), ("same", "valid")[rng.integers(2)]
        least = kernel_size if padding == "valid" else (1, 1)
        image = *(int(rng.integers(low, 14)) for low in least), int(rng.integers(1, 41))
        case = int(rng.integers(1, 5)), image, int(rng.integers(1, 41)), kernel_size, strides, padding
        yield *case[:3], *(tuple(int(n) for n in pair) for pair in case[3:5]), padding


# batch, image, filters, kernel size, strides, padding
WIDE = [(3, (14, 14, 16), 32, (3, 3), (1, 1), "same"), (2, (14, 14, 32), 16, (4, 4), (1, 1), "same"),
        (5, (7, 7, 33), 16, (3, 3), (1, 1), "valid"), (2, (7, 7, 16), 17, (4, 4), (1, 1), "valid"),
        (3, (5, 6, 40), 16, (3, 3), (1, 1), "same"), (1, (4, 4, 16), 16, (4, 4), (1, 1), "valid"),
        (2, (2, 1, 17), 18, (3, 3), (1, 1), "same"), (2, (1, 3, 17), 18, (4, 4), (1, 1), "same")]
LARGE = [(20, (16, 16, 32), 64, (4, 4), (2, 2), "same"), (20, (9, 9, 70), 45, (3, 3), (1, 1), "same"),
         (9, (28, 28, 1), 32, (4, 4), (2, 2), "same"), (7, (15, 13, 65), 131, (4, 4), (1, 1), "valid"),
         (6, (12, 11, 130), 3, (5, 5), (2, 3), "valid"), (70, (7, 7, 20), 20, (1, 1), (1, 1), "valid"),
         (40, (28, 28, 16), 1, (3, 3), (1, 1), "same")]


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-11), (np.float32, 1e-4)])
@pytest.mark.parametrize("case", [*random_cases(), *WIDE, *LARGE], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_convolution_equals_reference(operation, case, dtype, tolerance, rng):
    arrays = draw(rng, dtype, operation, *case)
    expected = convolve(REFERENCE, operation, *(array.astype(np.float64) for array in arrays), *case[-2:])
    for name, array in convolve(CPU, operation, *arrays, *case[-2:]).items():
        close(array, expected[name], tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", [WIDE[0], (2, (6, 7, 3), 5, (4, 4), (2, 2), "same")], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_convolution_with_an_activation_equals_reference(operation, case, activation, rng):
    arrays = draw(rng, np.float64, operation, *case)
    arrays[1] *= 0.1
    expected = convolve(REFERENCE, operation, *arrays, *case[-2:], activation)
    for name, array in convolve(CPU, operation, *arrays, *case[-2:], activation).items():
        close(array, expected[name], 1e-11)


# Work space, threads, manners

SMALL = [(5, (7, 6, 3), 5, (4, 4), (2, 2), "same"), (5, (7, 6, 17), 16, (3, 3), (1, 1), "same"), (5, (7, 6, 16), 17, (4, 4), (1, 1), "valid"),
         (5, (6, 7, 4), 9, (2, 2), (3, 3), "valid"), (5, (6, 7, 20), 9, (1, 1), (1, 1), "same")]


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_scratch_serves_smaller_batches_and_remembers_nothing(backend, operation, case, rng):
    x, kernel, bias, dout = draw(rng, np.float64, operation, *case)
    scratch = make_scratch(backend, operation, x, kernel, *case[-2:])
    for batch in (5, 2, 1, 4, 5):
        arrays = x[:batch] + batch, kernel * batch, bias - batch, dout[:batch] * batch
        expected = convolve(REFERENCE, operation, *arrays, *case[-2:])
        for name, array in convolve(backend, operation, *arrays, *case[-2:], scratch=scratch).items():
            close(array, expected[name], 1e-11)


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_backward_belongs_to_the_last_forward_pass_in_its_scratch_and_can_be_repeated(backend, operation, case, rng):
    x, kernel, bias, dout = draw(rng, np.float64, operation, *case)
    scratch = make_scratch(backend, operation, x, kernel, *case[-2:])
    for batch in (3, 5):
        arrays = x[:batch], kernel, bias, dout[:batch]
        expected = convolve(REFERENCE, operation, *arrays, *case[-2:])
        forward(backend, operation, 1 - 2 * x, kernel + 1, bias, dout.shape, *case[-2:], scratch=scratch)
        y = forward(backend, operation, *arrays[:3], arrays[3].shape, *case[-2:], scratch=scratch)
        dx, dkernel, dbias = (np.full_like(array, np.nan) for array in arrays[:3])
        for slope in (2.0, 1.0):
            getattr(backend, f"{operation}_backward")(slope * arrays[3], arrays[0], y, kernel, dx, dkernel, dbias, *case[-2:], "linear", scratch)
        for name, array in zip(OUTPUTS, (y, dx, dkernel, dbias)):
            close(array, expected[name], 1e-11)


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_convolution_leaves_inputs_alone_and_works_without_dx(backend, operation, case, rng):
    arrays = draw(rng, np.float32, operation, *case)
    kept = [array.copy() for array in arrays]
    results = convolve(backend, operation, *arrays, *case[-2:], "leaky_relu")
    for array, before in zip(arrays, kept):
        np.testing.assert_array_equal(array, before)
    without = convolve(backend, operation, *arrays, *case[-2:], "leaky_relu", need_dx=False)
    assert without["dx"] is None
    for name in ("y", "dkernel", "dbias"):
        np.testing.assert_array_equal(without[name], results[name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", [*SMALL, *WIDE[:4], LARGE[0], LARGE[1], LARGE[2]], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_convolution_has_the_same_bits_on_one_and_more_threads(operation, case, dtype, rng):
    import numba
    arrays, results = draw(rng, dtype, operation, *case), []
    try:
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            CPU.set_threads(threads)
            results.append([array.tobytes() for array in convolve(CPU, operation, *arrays, *case[-2:], "relu").values()])
    finally:
        CPU.set_threads(numba.config.NUMBA_NUM_THREADS)
    assert results[0] == results[1]


def test_convolution_lets_nan_through(backend):
    for operation, C in itertools.product(OPERATIONS, (2, 16)):
        x = np.ones((3, 6, 6, C), np.float32)
        x[1, 2, 3, 1] = np.nan
        y = forward(backend, operation, x, np.ones((3, 3, C, C), np.float32), np.zeros(C, np.float32), x.shape, (1, 1), "same")
        assert np.isfinite(y[[0, 2]]).all() and np.isnan(y[1, 1:4, 2:5]).all()


REFUSED = (4, (6, 7, 3), 5, (4, 4), (2, 2), "same")


@pytest.mark.parametrize("name, spoil", [
    ("x", lambda x: x[0]), ("x", lambda x: x[..., :2].copy()), ("x", lambda x: x.astype(np.float32)), ("x", lambda x: x.astype(np.int64)),
    ("x", lambda x: x[:, ::-1]), ("x", lambda x: x[:0]), ("kernel", lambda kernel: kernel[0]),
    ("kernel", lambda kernel: kernel[:, :, :2].copy()),
    ("bias", lambda bias: bias[:4]), ("y", lambda y: y[:3]), ("y", lambda y: y[:, 1:].copy()), ("y", lambda y: y[:, :, 1:].copy()),
    ("y", lambda y: y[..., 1:].copy()), ("activation", lambda _: "selu")])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_wrong_arrays_are_refused(backend, operation, name, spoil, rng):
    x, kernel, bias, y = draw(rng, np.float64, operation, *REFUSED)
    right = dict(x=x, kernel=kernel, bias=bias, y=y, strides=(2, 2), padding="same", activation="linear",
                 scratch=make_scratch(backend, operation, x, kernel, (2, 2), "same"))
    run = getattr(backend, f"{operation}_forward")
    run(**right)
    with pytest.raises(ScratchVAEError, match=rf"\b{name}\b"):
        run(**{**right, name: spoil(right[name])})


@pytest.mark.parametrize("name, wrong", [("padding", "SAME "), ("padding", "full"), ("strides", (0, 1)), ("strides", (2, 0))])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_wrong_settings_of_kernels_are_refused(backend, operation, name, wrong, rng):
    x, kernel, bias, y = draw(rng, np.float64, operation, *REFUSED)
    right = dict(strides=(2, 2), padding="same")
    scratch = make_scratch(backend, operation, x, kernel, **right)
    for given in (scratch, None):                   # None: a new one, of the wrong settings too
        with pytest.raises(ScratchVAEError, match=name):
            forward(backend, operation, x, kernel, bias, y.shape, **{**right, name: wrong}, scratch=given)


@pytest.mark.parametrize("other", ["smaller batch", "strides", "padding", "image", "kernel", "dtype"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_scratch_of_a_smaller_batch_or_other_settings_is_refused(operation, other, rng):
    x, kernel, bias, y = draw(rng, np.float64, operation, *REFUSED)
    arguments = dict(x=x, kernel=kernel, strides=(2, 2), padding="same") | {
        "smaller batch": dict(batch=3), "strides": dict(strides=(1, 1)), "padding": dict(padding="valid"), "image": dict(x=x[:, :5]),
        "kernel": dict(kernel=kernel[:3]), "dtype": dict(x=x.astype(np.float32))}[other]
    with pytest.raises(ScratchVAEError, match="scratch"):
        forward(CPU, operation, x, kernel, bias, y.shape, (2, 2), "same", scratch=make_scratch(CPU, operation, **arguments))


def test_a_valid_kernel_larger_than_the_image_is_refused():
    assert windows.conv2d_output_size(4, 4, 1, "valid") == 1
    with pytest.raises(ScratchVAEError, match="kernel"):
        windows.conv2d_output_size(3, 4, 1, "valid")


@pytest.mark.parametrize("layer, operation", [(Conv2D, "conv2d"), (Conv2DTranspose, "conv2d_transpose")])
def test_a_layer_computes_what_its_kernels_do(layer, operation, rng):
    layer = layer(5, (4, 3), (2, 1), "same", "leaky_relu(0.3)")
    assert layer.build((7, 6, 3)) == layer.output_shape
    x, kernel, bias, dout = draw(rng, np.float32, operation, 4, (7, 6, 3), 5, (4, 3), (2, 1), "same")
    layer.set_weights([kernel, bias])
    expected = convolve(CPU, operation, x, kernel, bias, dout, (2, 1), "same", "leaky_relu(0.3)")
    np.testing.assert_array_equal(layer.forward(x), expected["y"])
    np.testing.assert_array_equal(layer.backward(dout), expected["dx"])
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(layer.grads[name], expected[f"d{name}"])
    kept = {name: array.copy() for name, array in layer.grads.items()}
    assert layer.backward(dout, need_dx=False) is None                      # and the gradients are filled anew, not added to
    for name, array in kept.items():
        np.testing.assert_array_equal(layer.grads[name], array)
    for mine, given in zip(layer.get_weights(), (kernel, bias), strict=True):
        np.testing.assert_array_equal(mine, given)
