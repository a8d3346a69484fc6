"""Import: weights from files of Keras and of safetensors onto a model of this library."""
from pathlib import Path
from typing import NamedTuple

from ..errors import ScratchVAEError
from ..models.sequential import unused_name
from . import keras, torch
from .pieces import halves, pieces_of

LIKE_MEAN = ("mean", "mu")
LIKE_VARIANCE = ("var", "sigma")


class Taken(NamedTuple):
    """Where an array went.

    Attributes
    ----------
    to : str
        "encoder/conv2d/kernel".
    source : str
        What it is called in the file.
    shape : tuple of int
        Here.
    """
    to: str
    source: str
    shape: tuple


def import_weights(model, path):
    """Set a model's weights from a file; nothing is set if any does not fit.

    Keras's files hold weights alone: activations, strides and epsilons are the model's own. Their
    layers are taken in their order, class by class: the first Conv2D there is the first Conv2D
    here. An encoder is looked for by its name, then a decoder.

    Parameters
    ----------
    model : VAE, TextVAE or Autoencoder
        Built.
    path : path
        NAME.keras or NAME.weights.h5 of Keras 3, or NAME.safetensors that `export` wrote.

    Returns
    -------
    list of Taken
        Where each array went, in the order of the model.

    Raises
    ------
    ScratchVAEError
        If the file is missing or damaged, or a layer of it does not fit: it is named.
    """
    readers = {".keras": _from_keras, ".h5": _from_keras, ".safetensors": _from_torch}
    kind = Path(path).suffix
    if kind not in readers:
        raise ScratchVAEError(f"{path}: allowed are .keras, .weights.h5 and .safetensors")
    found = readers[kind](model, Path(path))
    model.set_weights([found[name][0] for name in model.weights])
    return [Taken(name, found[name][1], found[name][0].shape) for name in model.weights]


def _pieces(model, framework, kinds):
    """Return a model's layers that have weights, in order."""
    parts = halves(pieces_of(model, framework, kinds))
    return [piece for pieces in parts.values() for piece in pieces if piece.weights]


def _from_keras(model, path):
    """Return (array, source) for each weight of a model, by name."""
    pieces = _pieces(model, "keras", keras.script.KINDS)
    stored = keras.weights.read(path)
    found = {}
    for piece, layer in _pairs(pieces, stored, path):
        places = keras.weights.numbered(piece)
        names = list(piece.weights)
        if set(places) != set(layer.arrays):
            raise ScratchVAEError(f"{path}: {layer.path} has {len(layer.arrays)} arrays, but "
                                  f"{piece.path} has {len(names)}: {', '.join(names)}")
        for name, place in zip(names, places):
            array = layer.arrays[place]
            _check(piece, name, array, f"{path}: {layer.path}")
            found[f"{piece.path}/{name}"] = array, f"{layer.path}/{place}{_own_name(layer)}"
    return found


def _own_name(layer):
    """Return a layer's own name, for the table."""
    return f" ({layer.name})" if layer.name else ""


def _pairs(pieces, stored, path):
    """Return pairs of a Piece and the Stored layer that belongs to it."""
    ours = {}
    theirs = {}
    for piece in pieces:
        ours.setdefault(unused_name(keras.weights.keras_kind(piece), []), []).append(piece)
    for layer in stored:
        theirs.setdefault(layer.kind, []).append(layer)
    pairs = []
    for kind in ours | theirs:
        here = ours.get(kind, [])
        there = theirs.get(kind, [])
        if len(here) != len(there):
            raise ScratchVAEError(
                f"{path}: holds {_listed(kind, there)}, but the model has {_listed(kind, here)}")
        pairs += zip(here, _heads_in_order(here, there))
    return pairs


def _listed(kind, layers):
    """Return how many layers of a class there are, and which."""
    names = ", ".join(layer.path for layer in layers)
    return f"{len(layers)} x {kind}" + (f" ({names})" if layers else "")


def _heads_in_order(ours, theirs):
    """Return layers with those that are named as mean and variance in the order of z's heads."""
    names = [piece.name for piece in ours]
    if "z_mean" in names:
        place = names.index("z_mean")
        first, second = theirs[place:place + 2]
        if _is_named(first, LIKE_VARIANCE) and _is_named(second, LIKE_MEAN):
            return [*theirs[:place], second, first, *theirs[place + 2:]]
    return theirs


def _is_named(layer, words):
    return any(word in layer.name.lower() for word in words)


def _check(piece, name, array, source):
    """Refuse an array of another shape than the model's."""
    expected = piece.weights[name].shape
    if array.shape == expected:
        return
    if name.endswith("bias") and len(expected) == 2 and array.shape == expected[1:]:
        raise ScratchVAEError(
            f"{source}: a GRU with reset_after=False has one bias, {array.shape}, and resets the "
            f"state before its product; the GRU of {piece.path} is that of reset_after=True, with "
            f"a bias of {expected}, and would compute other numbers")
    raise ScratchVAEError(f"{source} has shape {array.shape}, but {piece.path}/{name} has "
                          f"{expected}")


def _from_torch(model, path):
    """Return (array, source) for each weight of a model, by name."""
    arrays = torch.weights.read(path)
    found = {}
    used = set()
    for half, pieces in halves(pieces_of(model, "torch", torch.layers.KINDS)).items():
        for piece in pieces:
            prefix = f"{half}.{piece.name}."
            own = {name.removeprefix(prefix): array for name, array in arrays.items()
                   if name.startswith(prefix)}
            used |= {prefix + name for name in own}
            try:
                taken = torch.weights.from_torch(piece.kind, piece.weights, own)
            except KeyError as error:
                raise ScratchVAEError(f"{path}: {prefix}{error.args[0]} is missing; it belongs to "
                                      f"{piece.path}") from None
            for name, array in taken.items():
                _check(piece, name, array, f"{path}: {prefix[:-1]}")
                found[f"{piece.path}/{name}"] = array, prefix[:-1]
    others = sorted(set(arrays) - used)
    if others:
        raise ScratchVAEError(f"{path}: {others[0]} belongs to no layer of the model; only files "
                              "that export wrote of a model like this one can be taken")
    return found
