"""Variational autoencoders with hand-written forward and backward passes, in NumPy and Numba.

No deep-learning framework is involved.
"""
import kernels

if getattr(kernels, "PROJECT", None) != "scratchvae":
    raise ImportError(f"scratchvae needs its own package 'kernels', but Python found another one: "
                      f"{kernels.__file__}; remove that one from the path, or install scratchvae "
                      "in an environment of its own")

__version__ = "0.1.0"
