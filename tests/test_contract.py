"""What kernels/contract.py promises of every operation: its signature, its manners, what it refuses; and large arrays, in chunks."""
import inspect

import numpy as np
import pytest

import kernels
from conftest import close
from kernels.contract import INTEGERS, SHAPES, ScratchVAEError

REFERENCE, CPU = kernels.load("reference"), kernels.load("cpu")
OPERATIONS = sorted(name for name, member in vars(REFERENCE).items() if inspect.isfunction(member) and hasattr(member, "__wrapped__"))
SCRATCHES = [f"{family}_scratch" for family in ("batchnorm", "clip_by_global_norm", "conv2d", "conv2d_transpose", "dense", "gru")]
LARGE = 20_001                  # more than two chunks of the kernels that share out chunks


def test_backends_have_the_same_operations_with_the_same_signatures():
    assert OPERATIONS == sorted(name for name, member in vars(CPU).items() if inspect.isfunction(member) and hasattr(member, "__wrapped__"))
    assert OPERATIONS == sorted(SHAPES)
    for name in OPERATIONS + [*SCRATCHES, "set_threads", "describe"]:
        assert inspect.signature(getattr(REFERENCE, name)) == inspect.signature(getattr(CPU, name)), name


def convolution_calls(a, name, kernel):
    """The calls of a convolution, or a transposed one."""
    x, y = (3, 4, 3, 4), (3, 4, 3, 6)
    settings = dict(strides=(1, 1), padding="same", activation="relu", scratch=None)
    return {f"{name}_forward": (dict(x=a(*x), kernel=a(*kernel), bias=a(6), y=a(*y), **settings), "y"),
            f"{name}_backward": (dict(dout=a(*y), x=a(*x), y=a(*y), kernel=a(*kernel), dx=a(*x), dkernel=a(*kernel), dbias=a(6), **settings),
                                 "dx dkernel dbias")}


def scratch_for(backend, name, arguments):
    """{"scratch": work space} if the operation needs some."""
    if "scratch" not in arguments:
        return {}
    if name == "clip_by_global_norm":
        return {"scratch": backend.clip_by_global_norm_scratch(arguments["gradients"].dtype)}
    x, family = arguments["x"], name.rpartition("_")[0]
    sizes = {"dense": lambda: (*x.shape, arguments["kernel"].shape[1]), "batchnorm": lambda: x.shape[1:],
             "gru": lambda: (*x.shape, len(arguments["recurrent_kernel"]))}.get(
        family, lambda: (len(x), x.shape[1:], arguments["kernel"].shape, arguments["strides"], arguments["padding"]))()
    scratch = getattr(backend, f"{family}_scratch")(*sizes, x.dtype)
    if name == "gru_backward":              # reads what the forward pass left there
        inputs = [arguments[key] for key in ("x", "kernel", "recurrent_kernel", "dbias", "dinitial_state", "mask")]
        backend.gru_forward(*inputs, np.empty_like(arguments["dout"]), arguments["go_backwards"], scratch)
    return {"scratch": scratch}


def calls(rng):
    """(operation, arguments with arrays by name, names of outputs) for every operation."""
    def a(*shape):
        return rng.standard_normal(shape)
    target, words, targets = rng.random((3, 5)), rng.integers(0, 4, (5,), np.int32), rng.integers(0, 5, (3, 4), np.int32)
    mask = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [1, 0, 1, 1]], np.int32)
    return {
        "activation_forward": (dict(x=a(3, 5), y=a(3, 5), activation="relu"), "y"),
        "activation_backward": (dict(dout=a(3, 5), y=a(3, 5), dx=a(3, 5), activation="tanh"), "dx"),
        "dense_forward": (dict(x=a(3, 4), kernel=a(4, 5), bias=a(5), y=a(3, 5), activation="relu", scratch=None), "y"),
        "dense_backward": (dict(dout=a(3, 5), x=a(3, 4), y=a(3, 5), kernel=a(4, 5), dz=a(3, 5), dx=a(3, 4), dkernel=a(4, 5), dbias=a(5),
                                activation="relu", scratch=None), "dz dx dkernel dbias"),
        **convolution_calls(a, "conv2d", (3, 3, 4, 6)),
        **convolution_calls(a, "conv2d_transpose", (3, 3, 6, 4)),
        "batchnorm_forward": (dict(x=a(3, 5), gamma=a(5), beta=a(5), moving_mean=a(5), moving_variance=a(5) ** 2, y=a(3, 5), mean=a(5),
                                   variance=a(5), momentum=0.9, epsilon=1e-3, scratch=None), "y mean variance moving_mean moving_variance"),
        "batchnorm_inference": (dict(x=a(3, 5), gamma=a(5), beta=a(5), moving_mean=a(5), moving_variance=a(5) ** 2, y=a(3, 5),
                                     epsilon=1e-3, scratch=None), "y"),
        "batchnorm_backward": (dict(dout=a(3, 5), x=a(3, 5), gamma=a(5), mean=a(5), variance=a(5) ** 2, dx=a(3, 5), dgamma=a(5), dbeta=a(5),
                                    epsilon=1e-3, training=True, scratch=None), "dx dgamma dbeta"),
        "dropout_forward": (dict(x=a(3, 5), noise=target, y=a(3, 5), rate=0.5), "y"),
        "dropout_backward": (dict(dout=a(3, 5), noise=target, dx=a(3, 5), rate=0.5), "dx"),
        "binary_crossentropy_forward": (dict(logits=a(3, 5), target=target, probability=a(3, 5), loss=a(3), scale=2.0), "probability loss"),
        "binary_crossentropy_backward": (dict(probability=target, target=a(3, 5), dlogits=a(3, 5), scale=2.0), "dlogits"),
        "squared_error_forward": (dict(logits=a(3, 5), target=target, output=a(3, 5), loss=a(3), scale=2.0, activation="tanh"), "output loss"),
        "squared_error_backward": (dict(output=a(3, 5), target=target, dlogits=a(3, 5), scale=2.0, activation="tanh"), "dlogits"),
        "reparameterize_forward": (dict(z_mean=a(3, 2), z_log_var=a(3, 2), eps=a(3, 2), z=a(3, 2)), "z"),
        "reparameterize_backward": (dict(dz=a(3, 2), z_log_var=a(3, 2), eps=a(3, 2), dz_mean=a(3, 2), dz_log_var=a(3, 2)), "dz_mean dz_log_var"),
        "gaussian_kl_forward": (dict(z_mean=a(3, 2), z_log_var=a(3, 2), kl=a(3)), "kl"),
        "gaussian_kl_backward": (dict(z_mean=a(3, 2), z_log_var=a(3, 2), dz_mean=a(3, 2), dz_log_var=a(3, 2), weight=0.5,
                                      free_bits=0.4), "dz_mean dz_log_var"),
        "sparse_categorical_crossentropy_forward": (dict(logits=a(3, 4, 5), targets=targets, loss=a(3), log_total=a(3, 4), scale=2.0),
                                                    "loss log_total"),
        "sparse_categorical_crossentropy_backward": (dict(logits=a(3, 4, 5), targets=targets, log_total=9 + a(3, 4), dlogits=a(3, 4, 5),
                                                          scale=2.0), "dlogits"),
        "onehot_binary_crossentropy_forward": (dict(logits=a(3, 5), targets=targets[:, 0].copy(), loss=a(3), scale=2.0), "loss"),
        "onehot_binary_crossentropy_backward": (dict(logits=a(3, 5), targets=targets[:, 0].copy(), dlogits=a(3, 5), scale=2.0), "dlogits"),
        "embedding_forward": (dict(indices=words, table=a(4, 3), y=a(5, 3)), "y"),
        "embedding_backward": (dict(dout=a(5, 3), indices=words, dtable=a(4, 3)), "dtable"),
        "onehot_dense_forward": (dict(indices=words, kernel=a(4, 3), bias=a(3), y=a(5, 3), activation="tanh"), "y"),
        "onehot_dense_backward": (dict(dout=a(5, 3), indices=words, y=a(5, 3), dz=a(5, 3), dkernel=a(4, 3), dbias=a(3), activation="relu"),
                                  "dz dkernel dbias"),
        "gru_forward": (dict(x=a(3, 4, 7), kernel=a(7, 18), recurrent_kernel=a(6, 18), bias=a(2, 18), initial_state=a(3, 6), mask=mask,
                             y=a(3, 4, 6), go_backwards=False, scratch=None), "y"),
        "gru_backward": (dict(dout=a(3, 4, 6), x=a(3, 4, 7), kernel=a(7, 18), recurrent_kernel=a(6, 18), mask=mask, dx=a(3, 4, 7),
                              dkernel=a(7, 18), drecurrent_kernel=a(6, 18), dbias=a(2, 18), dinitial_state=a(3, 6), go_backwards=True,
                              scratch=None), "dx dkernel drecurrent_kernel dbias dinitial_state"),
        "repeat_forward": (dict(x=a(3, 5), y=a(3, 4, 5)), "y"),
        "repeat_backward": (dict(dout=a(3, 4, 5), dx=a(3, 5)), "dx"),
        "concatenate_forward": (dict(a=a(3, 4), b=a(3, 6), y=a(3, 10)), "y"),
        "concatenate_backward": (dict(dout=a(3, 10), da=a(3, 4), db=a(3, 6)), "da db"),
        "last_forward": (dict(x=a(3, 4, 5), y=a(3, 5), t=3), "y"),
        "last_backward": (dict(dout=a(3, 5), dx=a(3, 4, 5), t=0), "dx"),
        "mask_steps": (dict(x=a(3, 4, 5), mask=mask, y=a(3, 4, 5)), "y"),
        "padding_mask": (dict(indices=targets, mask=mask + 2), "mask"),
        "words_before": (dict(indices=targets, noise=rng.random((3, 4)), before=targets + 9, first=7, unknown=8, rate=0.5), "before"),
        "uniform": (dict(out=a(3, 5), seed=1, step=2, stream=3), "out"),
        "normal": (dict(out=a(3, 5), seed=1, step=2, stream=3), "out"),
        "sgd_update": (dict(parameters=a(9), gradients=a(9), velocity=a(9), learning_rate=0.1, momentum=0.9), "parameters velocity"),
        "rmsprop_update": (dict(parameters=a(9), gradients=a(9), v=a(9) ** 2, learning_rate=0.1, rho=0.9, epsilon=1e-7), "parameters v"),
        "adam_update": (dict(parameters=a(9), gradients=a(9), m=a(9), v=a(9) ** 2, learning_rate=0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-7,
                             step=3), "parameters m v"),
        "clip_by_global_norm": (dict(gradients=a(9), clipnorm=1.5, scratch=None), "gradients"),
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_manners(backend, rng, name):
    """Inputs come back unchanged, outputs are written, and what is not contiguous or of mixed types is refused in one line."""
    arguments, outputs = calls(rng)[name]
    arguments |= scratch_for(backend, name, arguments)
    before = {key: value.copy() for key, value in arguments.items() if isinstance(value, np.ndarray) and key != "scratch"}
    getattr(backend, name)(*arguments.values())
    for key, value in before.items():
        changed = not np.array_equal(value, arguments[key])
        assert changed == (key in outputs.split()), key
    for key in before:
        strided = np.empty((*arguments[key].shape[:-1], 2 * arguments[key].shape[-1]), arguments[key].dtype)[..., ::2]
        with pytest.raises(ValueError, match=f"{name}: {key} is not C-contiguous"):
            getattr(backend, name)(*{**arguments, key: strided}.values())
        with pytest.raises(ValueError, match=f"{name}: .*int64"):
            getattr(backend, name)(*{**arguments, key: arguments[key].astype(np.int64)}.values())
        if key in INTEGERS or len(before.keys() - INTEGERS) > 1:
            refusal = "is float32; needed: int32" if key in INTEGERS else "share one dtype"
            with pytest.raises(ValueError, match=f"{name}: .*{refusal}"):
                getattr(backend, name)(*{**arguments, key: arguments[key].astype(np.float32)}.values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_wrong_shapes_are_refused_before_they_can_do_harm(backend, rng, name):
    arguments, _ = calls(rng)[name]
    arguments |= scratch_for(backend, name, arguments)
    getattr(backend, name)(**arguments)                 # by name, too
    arrays = [key for key, value in arguments.items() if isinstance(value, np.ndarray) and key != "scratch"]
    axes = dict(item.split("=") for item in SHAPES[name].split())
    for key in arrays if len(arrays) > 1 else []:
        free = axes[key] != "*" and SHAPES[name].partition("=")[2].count(axes[key][0]) == 1     # a smaller window, or fewer words
        for wrong in [arguments[key][..., np.newaxis].copy()] + ([] if free else [arguments[key][:-1]]):
            with pytest.raises(ScratchVAEError, match=f"{name}: .* has shape .* needed: "):
                getattr(backend, name)(**{**arguments, key: wrong})
    with pytest.raises(ScratchVAEError, match=f"{name}: {arrays[0]} is a list; needed: a NumPy array"):
        getattr(backend, name)(**{**arguments, arrays[0]: [1.0]})


def test_a_scratch_of_other_sizes_is_refused(rng):
    arguments, _ = calls(rng)["dense_forward"]
    for sizes in ((4, 4, 5), (3, 5, 5), (3, 4, 6)):
        with pytest.raises(ScratchVAEError, match=r"the scratch was made for other sizes; needed: dense_scratch\(3, 4, 5"):
            CPU.dense_forward(**{**arguments, "scratch": CPU.dense_scratch(*sizes, np.float64)})


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-6), (np.float64, 1e-13)])
@pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.startswith(("dense", "conv2d", "gru", "padding_mask", "words_before"))])
def test_large_arrays_equal_reference(name, dtype, tolerance, rng):
    """Every operation that works in chunks, on more than two of them, in both precisions."""
    class Large:
        """Stands in for the generator: every axis called 5 or 9 is long."""

        def standard_normal(self, shape):
            return rng.standard_normal([{5: LARGE // 3, 9: LARGE, 2: 4001}.get(n, n) for n in np.atleast_1d(shape)])

        def random(self, shape):
            return rng.random([{5: LARGE // 3}.get(n, n) for n in shape])

        def integers(self, low, high, shape, dtype):
            return rng.integers(low, high, [{5: LARGE // 3}.get(n, n) for n in shape], dtype)

    arguments, outputs = calls(Large())[name]
    results = []
    for backend, kind in ((REFERENCE, np.float64), (CPU, dtype)):
        copies = {key: value.astype(dtype).astype(kind) if isinstance(value, np.ndarray) and key not in INTEGERS else value
                  for key, value in arguments.items()}
        copies |= scratch_for(backend, name, copies)
        getattr(backend, name)(**copies)
        results.append([copies[key] for key in outputs.split()])
    for expected, actual in zip(*results):
        assert actual.size > 2 and actual.dtype == dtype
        close(actual, expected, tolerance)
