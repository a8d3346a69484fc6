"""ONNX: the encoder and the decoder as graphs, and a script that runs them."""
from . import graph, layers, script
