"""Ways out and in: a model as weights and a script of another framework, and weights from there.

Each format needs its library, and only when it is used: h5py for Keras's files, safetensors for
PyTorch's, onnx for graphs. The frameworks themselves are needed to run what is written, not to
write it.
"""
from .exports import FORMATS, check, export
from .imports import import_weights
