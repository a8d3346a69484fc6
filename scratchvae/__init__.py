"""Variational autoencoders with hand-written forward and backward passes, in NumPy and Numba.

No deep-learning framework is involved.
"""
import importlib.util

if importlib.util.find_spec("scratchvae.kernels") is None:
    raise ImportError("scratchvae is not installed, and its folder kernels/ becomes a part of it "
                      "when it is; run: pip install -e . in the folder of setup.cfg")

__version__ = "0.1.0"
