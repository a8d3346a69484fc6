"""Weights as a state_dict of PyTorch, in a file of safetensors.

What differs from here (Keras's layouts):

    Linear              weight (units, K): transposed
    Conv2d              weight (filters, C, kh, kw)
    ConvTranspose2d     weight (C, filters, kh, kw)
    GRU                 gates in the order r, z, n instead of z, r, n; weights (3 units, K)
    LSTM                a second bias, which is added to the first: zeros
    BatchNorm           weight and bias are gamma and beta
"""
from pathlib import Path

import numpy as np

from ...errors import ScratchVAEError
from ...storage import write_file
from ..optional import needed
from ..pieces import halves

NAMES = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
         "moving_variance": "running_var", "embeddings": "weight", "kernel": "weight",
         "bias": "bias"}


def write(path, networks):
    """Write the weights for load_state_dict of the script's VAE.

    Parameters
    ----------
    path : path
    networks : dict of str -> list of Piece
    """
    save = needed("safetensors.numpy", "torch").save
    content = save(state_dict(networks), metadata={"format": "pt"})
    write_file(path, lambda file: file.write(content))


def read(path):
    """Return the arrays of a file of safetensors by name.

    Raises
    ------
    ScratchVAEError
        If it is missing or damaged.
    """
    safetensors = needed("safetensors.numpy", "torch")
    if not Path(path).is_file():
        raise ScratchVAEError(f"{path}: no such file")
    try:
        return safetensors.load_file(path)
    except Exception as error:          # its own class, which the package does not promise
        raise ScratchVAEError(f"{path}: damaged, or not a file of safetensors "
                              f"({error})") from None


def state_dict(networks):
    """Return all arrays by the names that the script's modules have."""
    arrays = {}
    for half, pieces in halves(networks).items():
        for piece in pieces:
            for name, array in to_torch(piece.kind, piece.weights).items():
                arrays[f"{half}.{piece.name}.{name}"] = np.array(array, order="C")
    return arrays


def to_torch(kind, weights):
    """Return a layer's arrays as PyTorch has them.

    Parameters
    ----------
    kind : str
        The layer's class here.
    weights : dict of name -> array
    """
    if "recurrent_kernel" in weights:
        return _to_recurrent(weights, "")
    if kind == "Bidirectional":
        both = {}
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            own = {name: weights[f"{direction}/{name}"]
                   for name in ("kernel", "recurrent_kernel", "bias")}
            both |= _to_recurrent(own, suffix)
        return both
    arrays = {NAMES[name]: array for name, array in weights.items()}
    if "kernel" in weights:
        arrays["weight"] = weights["kernel"].transpose(
            (3, 2, 0, 1) if weights["kernel"].ndim == 4 else (1, 0))
    if kind == "BatchNormalization":
        arrays["num_batches_tracked"] = np.array(0)
    return arrays


def _to_recurrent(weights, suffix):
    """Return the arrays of one direction of a GRU or an LSTM."""
    bias = weights["bias"]
    if bias.ndim == 1:                  # an LSTM's
        bias = np.stack([bias, np.zeros_like(bias)])
    arrays = {"weight_ih": weights["kernel"].T, "weight_hh": weights["recurrent_kernel"].T,
              "bias_ih": bias[0], "bias_hh": bias[1]}
    if weights["bias"].ndim == 2:
        arrays = {name: _swapped(array) for name, array in arrays.items()}
    return {f"{name}_l0{suffix}": array for name, array in arrays.items()}


def _swapped(array):
    """Return the rows of a GRU's gates with the first and the second exchanged."""
    first, second, candidate = np.split(array, 3)
    return np.concatenate([second, first, candidate])


def from_torch(kind, weights, arrays):
    """Return a layer's arrays as they are here: what to_torch does, undone.

    Parameters
    ----------
    kind : str
    weights : dict of name -> array
        The layer's own arrays; of them only names and shapes count.
    arrays : dict of name -> array
        As to_torch returns them.

    Raises
    ------
    KeyError
        If an array is missing.
    """
    if kind == "Bidirectional":
        both = {}
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            bias = weights[f"{direction}/bias"]
            both |= {f"{direction}/{name}": array
                     for name, array in _from_recurrent(bias, arrays, suffix).items()}
        return both
    if "recurrent_kernel" in weights:
        return _from_recurrent(weights["bias"], arrays, "")
    found = {name: arrays[NAMES[name]] for name in weights}
    if "kernel" in weights:
        axes = (2, 3, 1, 0) if weights["kernel"].ndim == 4 else (1, 0)
        found["kernel"] = found["kernel"].transpose(axes)
    return found


def _from_recurrent(bias, arrays, suffix):
    """Return the arrays of one direction; the bias tells a GRU from an LSTM."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    parts = [arrays[f"{name}_l0{suffix}"] for name in names]
    if bias.ndim == 2:
        parts = [_swapped(part) for part in parts]
    kernel, recurrent_kernel, *biases = parts
    return {"kernel": kernel.T, "recurrent_kernel": recurrent_kernel.T,
            "bias": np.stack(biases) if bias.ndim == 2 else sum(biases)}
