"""Every operation with sizes, to run in any backend: arrays are drawn from kernels.contract.SHAPES, a letter an axis."""
from dataclasses import dataclass, field

import numpy as np

from kernels.contract import INTEGERS, SHAPES
from kernels.windows import conv2d_output_shape, conv2d_transpose_output_shape


@dataclass(frozen=True)
class Case:
    """An operation, the sizes of its axes by letter ("*": a shape), its arguments that are no arrays, and its scratch's arguments.

    before: a Case whose operation must come first, on the same arrays and scratch.  missing: arrays that are None.
    """
    operation: str
    sizes: dict
    options: dict = field(default_factory=dict)
    scratch: tuple = None
    before: "Case" = None
    missing: tuple = ()

    def __str__(self):
        sizes = ",".join(f"{axis}={size}" for axis, size in self.sizes.items())
        return f"{self.operation}[{','.join([sizes, *map(str, self.options.values()), *self.missing])}]".replace(" ", "")


def arrays_of(case, dtype, seed=0):
    """The operation's arrays as NumPy's, by name: small random numbers, probabilities where such are needed, and words below 3."""
    rng = np.random.default_rng(seed)
    shapes = SHAPES[case.operation] + (" " + SHAPES[case.before.operation] if case.before else "")
    arrays = {}
    for name, axes in (item.split("=") for item in shapes.split()):
        shape = case.sizes["*"] if axes == "*" else tuple(case.sizes[axis] for axis in axes)
        if name in INTEGERS:
            arrays[name] = rng.integers(0, 2 if name == "mask" else 3, shape, dtype=np.int32)
        elif case.operation.startswith("gru") and name.endswith("kernel"):
            arrays[name] = (0.1 * rng.standard_normal(shape)).astype(dtype)                   # larger ones make it chaotic
        elif name in ("target", "probability", "noise", "v", "moving_variance", "variance"):
            arrays[name] = rng.uniform(0.1, 0.9, shape).astype(dtype)
        else:
            arrays[name] = rng.standard_normal(shape).astype(dtype)
    return {name: None if name in case.missing else array for name, array in arrays.items()}


def run(kernels, case, dtype, seed=0):
    """All arrays after the operation, as NumPy's, by name."""
    arrays = {name: array if array is None else kernels.from_host(array.copy()) for name, array in arrays_of(case, dtype, seed).items()}
    scratch = ()
    if case.scratch is not None:
        maker = next(name for name in (case.operation, case.operation.rsplit("_", 1)[0]) if hasattr(kernels, f"{name}_scratch"))
        scratch = (getattr(kernels, f"{maker}_scratch")(*case.scratch, dtype),)
    for step in ([case.before] if case.before else []) + [case]:
        names = [item.split("=")[0] for item in SHAPES[step.operation].split()]
        getattr(kernels, step.operation)(*(arrays[name] for name in names), *step.options.values(), *scratch)
    return {name: kernels.to_host(array).copy() for name, array in arrays.items() if array is not None}


ACTIVATIONS = ("linear", "relu", "leaky_relu(0.3)", "sigmoid", "tanh", "softmax")


def dense(N, K, M, activation="relu", **missing):
    """Forward and backward of a dense layer."""
    sizes, scratch = dict(N=N, K=K, M=M), (N, K, M)
    forward = Case("dense_forward", sizes, {"activation": activation}, scratch)
    return [forward, Case("dense_backward", sizes, {"activation": activation}, scratch, forward, **missing)]


def convolution(transpose, N, image, window, M, strides, padding, activation="relu", **missing):
    """Forward and backward of a convolution of (H, W, C) images by (A, B) windows."""
    name, shape = ("conv2d_transpose", conv2d_transpose_output_shape) if transpose else ("conv2d", conv2d_output_shape)
    (H, W, C), (A, B) = image, window
    kernel = (A, B, M, C) if transpose else (A, B, C, M)
    P, Q, _ = shape(image, kernel, strides, padding)
    sizes = dict(N=N, H=H, W=W, C=C, A=A, B=B, M=M, P=P, Q=Q)
    options, scratch = {"strides": strides, "padding": padding, "activation": activation}, (N, image, kernel, strides, padding)
    forward = Case(f"{name}_forward", sizes, options, scratch)
    return [forward, Case(f"{name}_backward", sizes, options, scratch, forward, **missing)]


def gru(N, T, K, U, go_backwards, **missing):
    """Forward and backward of a GRU."""
    sizes, scratch, options = dict(N=N, T=T, K=K, U=U, G=3 * U, B=2), (N, T, K, U), {"go_backwards": go_backwards}
    forward = Case("gru_forward", sizes, options, scratch)
    return [forward, Case("gru_backward", sizes, options, scratch, forward, **missing)]


def batchnorm(N, C):
    """The three passes of batch normalisation."""
    sizes, scratch = dict(N=N, C=C), (C,)
    forward = Case("batchnorm_forward", sizes, {"momentum": 0.9, "epsilon": 1e-3}, scratch)
    return [forward, Case("batchnorm_inference", sizes, {"epsilon": 1e-3}, scratch),
            *(Case("batchnorm_backward", sizes, {"epsilon": 1e-3, "training": training}, scratch, forward) for training in (True, False))]


def small(N, K, T):
    """All that works element by element, or on a row."""
    matrix, sequence, flat = dict(N=N, D=K, J=K, V=K + 3, M=K, E=K), dict(N=N, T=T, K=K, V=K + 3), dict(P=N * K)
    cases = [Case(f"activation_{way}", {"*": (N, K)}, {"activation": name}) for name in ACTIVATIONS for way in ("forward", "backward")]
    cases += [Case(f"dropout_{way}", {"*": (N, T, K)}, {"rate": 0.4}) for way in ("forward", "backward")]
    cases += [Case("binary_crossentropy_forward", matrix, {"scale": 7.0}), Case("binary_crossentropy_backward", matrix, {"scale": 7.0})]
    cases += [Case(f"squared_error_{way}", matrix, {"scale": 7.0, "activation": name}) for name in ("sigmoid", "linear")
              for way in ("forward", "backward")]
    words = Case("sparse_categorical_crossentropy_forward", sequence, {"scale": 7.0})
    cases += [words, Case("sparse_categorical_crossentropy_backward", sequence, {"scale": 7.0}, before=words)]
    cases += [Case(f"onehot_binary_crossentropy_{way}", matrix, {"scale": 7.0}) for way in ("forward", "backward")]
    cases += [Case(f"embedding_{way}", matrix) for way in ("forward", "backward")]
    cases += [Case(f"onehot_dense_{way}", matrix, {"activation": "tanh"}) for way in ("forward", "backward")]
    cases += [Case(f"reparameterize_{way}", matrix) for way in ("forward", "backward")] + [Case("gaussian_kl_forward", matrix)]
    cases += [Case("gaussian_kl_backward", matrix, {"weight": 0.7, "free_bits": bits}) for bits in (0.0, 0.9)]
    cases += [Case(f"repeat_{way}", sequence) for way in ("forward", "backward")]
    cases += [Case(f"concatenate_{way}", dict(N=N, K=K, L=K + 1, M=2 * K + 1)) for way in ("forward", "backward")]
    cases += [Case(f"last_{way}", sequence, {"t": T - 1}) for way in ("forward", "backward")]
    cases += [Case("mask_steps", sequence), Case("padding_mask", sequence)]
    cases += [Case("words_before", sequence, {"first": 2, "unknown": 1, "rate": 0.5})]
    cases += [Case(name, {"*": shape}, {"seed": 2 ** 40 + 3, "step": 2 ** 35 + 5, "stream": 2 ** 31 + 7})
              for name in ("uniform", "normal") for shape in ((N, K), (N * K * T,))]
    cases += [Case("sgd_update", flat, {"learning_rate": 0.1, "momentum": 0.9}),
              Case("rmsprop_update", flat, {"learning_rate": 0.1, "rho": 0.9, "epsilon": 1e-7}),
              Case("adam_update", flat, {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "step": 3})]
    return cases + [Case("clip_by_global_norm", flat, {"clipnorm": norm}, ()) for norm in (0.5, 1e6)]
