"""The script that runs a model's graphs in ONNX Runtime."""
from ..writing import CODES, COMPARISON, code

SCRIPT = '''"""{title}, as graphs of ONNX.

Written by scratchvae. Beside this file lie encoder.onnx, decoder.onnx, and some examples with what
scratchvae computes for them in float64, examples.npz. {sampled}

    python rebuild.py               compares with these
"""
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).parent


def run(name, **inputs):
    """Return the outputs of a graph, arrays, for inputs of any number of examples."""
    session = onnxruntime.InferenceSession(HERE / f"{{name}}.onnx")
    return session.run(None, inputs)


def results(examples):
    """Return what the graphs compute for the examples, by name."""
    {codes} = run("encoder", x=examples["x"])
    {decoding}
    return dict(zip({names}, ({outputs}, reconstruction)))
'''

MAIN = '''

if __name__ == "__main__":
    sys.exit(None if compare() else "the numbers differ")
'''
SAMPLED = '''In training the decoder is given
z = z_mean + exp(z_log_var / 2) eps, eps ~ N(0, 1); here z_mean.'''


def script(model, networks, title):
    """Return the script as text.

    Parameters
    ----------
    model : VAE, TextVAE or Autoencoder
    networks : dict of str -> list of Piece
        Not used: the graphs hold the layers.
    title : str
    """
    codes = CODES[model.name]
    before = ', before=examples["before"]' if model.name == "TextVAE" else ""
    return SCRIPT.format(
        title=title,
        sampled=SAMPLED if len(codes) == 2 else "",
        codes=", ".join(codes) + ("," if len(codes) == 1 else ""),
        decoding=f'reconstruction, = run("decoder", z={codes[0]}{before})',
        names=code((*codes, "reconstruction")),
        outputs=", ".join(codes)) + COMPARISON + MAIN
