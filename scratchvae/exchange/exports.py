"""Export: weights, a script that makes the model again, and examples to compare with."""
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, NamedTuple

import numpy as np

from .. import checks
from ..errors import ScratchVAEError
from ..storage import write_file, write_text
from . import keras, onnx, torch
from .examples import made_up, results
from .optional import missing
from .pieces import pieces_of

KERAS_BACKENDS = ("tensorflow", "jax", "torch")


class Format(NamedTuple):
    """A framework to export to.

    Attributes
    ----------
    kinds : tuple of str
        The classes of layers that have a counterpart there.
    refuse : function
        refuse(networks) refuses layers that treat the mask of padding differently there.
    write : function
        write(folder, model, networks) writes the weights and returns the paths.
    script : function
        script(model, networks, title) returns the script.
    packages : tuple of str
        What the script needs, beside NumPy.
    """
    kinds: tuple
    refuse: Callable
    write: Callable
    script: Callable
    packages: tuple


def _write_keras(folder, model, networks):
    path = folder / "vae.weights.h5"
    keras.weights.write(path, networks)
    return [path]


def _write_torch(folder, model, networks):
    path = folder / "vae.safetensors"
    torch.weights.write(path, networks)
    return [path]


def _refuse_kept_masks(networks):
    """Refuse a layer that ends a mask here, and hands it on in Keras."""
    for piece in networks["encoder"]:
        if piece.masked and piece.kind == "BatchNormalization":
            raise ScratchVAEError(f"{piece.path}: BatchNormalization ends the mask of padding "
                                  "here, and hands it on in Keras; leave out mask_zero, or put "
                                  "it behind the recurrent layers")


def _refuse_masked_sequences(networks):
    """Refuse a recurrent layer that skips steps and returns all: there is no such one there."""
    for piece in networks["encoder"]:
        config = piece.config.get("layer", piece.config)
        if piece.masked and config.get("return_sequences"):
            raise ScratchVAEError(f"{piece.path}: {piece.kind} skips padding and returns all "
                                  "steps, which only Keras does, too; leave out mask_zero")


FORMATS = {
    "keras": Format(keras.script.KINDS, _refuse_kept_masks, _write_keras,
                    keras.script.script, ("keras",)),
    "torch": Format(torch.layers.KINDS, _refuse_masked_sequences, _write_torch,
                    torch.script.script, ("torch", "safetensors")),
    "onnx": Format(onnx.layers.KINDS, _refuse_masked_sequences, onnx.graph.write,
                   onnx.script.script, ("onnxruntime",)),
}


def export(model, folder, to, x=None, title="A variational autoencoder"):
    """Write a model for another framework: weights, rebuild.py, and examples.npz.

    rebuild.py makes the model there, layer by layer, and compares what it computes for the
    examples with what this library does. All weights are float32.

    Parameters
    ----------
    model : VAE, TextVAE or Autoencoder
        Built.
    folder : path
        Is made if it is missing; files of these names are replaced.
    to : {"keras", "torch", "onnx"}
    x : array (N, *input_shape), optional
        The examples; by default some are made up.
    title : str
        The first words of the script.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ScratchVAEError
        If a layer has no counterpart there, or a package that writes the weights is missing.
    """
    form = FORMATS[checks.choice("export", "to", to, FORMATS)]
    networks = pieces_of(model, to, form.kinds)
    form.refuse(networks)
    folder = Path(folder)
    examples = results(model, made_up(model) if x is None else x)
    text = form.script(model, networks, title)
    paths = form.write(folder, model, networks)
    paths += [folder / "rebuild.py", folder / "examples.npz"]
    write_text(paths[-2], text)
    write_file(paths[-1], lambda file: np.savez(file, **examples))
    return paths


def check(folder, to):
    """Run an exported script, which compares; return its lines.

    Parameters
    ----------
    folder : path
        What `export` wrote.
    to : {"keras", "torch", "onnx"}

    Raises
    ------
    ScratchVAEError
        If the numbers differ, or the script fails.
    """
    script = Path(folder) / "rebuild.py"
    absent = missing(*FORMATS[to].packages)
    if absent:
        return [f"not compared: {' and '.join(absent)} not installed here; where there is, "
                f"`python {script}` compares with the examples beside it"]
    done = subprocess.run([sys.executable, script.name], cwd=script.parent, env=environment(),
                          capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ScratchVAEError("; ".join([f"{script}: {reason}", *lines]))
    return lines


def environment():
    """Return the environment of a script: Keras takes a backend that is installed."""
    chosen = {}
    installed = [name for name in KERAS_BACKENDS if not missing(name)]
    if installed:
        chosen["KERAS_BACKEND"] = installed[0]
    return {**chosen, "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
