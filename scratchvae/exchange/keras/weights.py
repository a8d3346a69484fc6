"""Weights in files of Keras 3: NAME.weights.h5, and the one inside a NAME.keras.

A file has a group for each layer, and in it its arrays by number: layers/dense_1/vars/0 is the
kernel of the second Dense. Groups are named by class and order, not by the layers' names, and a
model within a model is a group with layers of its own:

    layers/functional/layers/conv2d/vars/0              the encoder, a model of its own
    layers/functional/layers/gru/cell/vars/0            a recurrent layer keeps them in its cell
    layers/functional_1/layers/bidirectional/forward_layer/cell/vars/0

Arrays have the same shapes and order as here. HDF5 lists groups by the alphabet, so a file tells
the order of the layers of one class, but not that of a Dense and a Conv2D.
"""
import io
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import ScratchVAEError
from ...models.sequential import unused_name
from ...storage import write_file
from ..optional import needed
from ..pieces import halves

NUMBER = re.compile(r"(.*?)(?:_(\d+))?")
LAYER = re.compile(r"(.*?)/?((?:(?:forward_layer/|backward_layer/)?cell/)?vars/\d+)")


class Stored(NamedTuple):
    """The arrays of one layer in a file.

    Attributes
    ----------
    path : str
        Its group.
    name : str
        The layer's own name, "" in files of early versions of Keras 3.
    kind : str
        "conv2d_transpose": its class, as Keras names groups.
    arrays : dict of str -> array
        By their places within the group: "vars/0", or "forward_layer/cell/vars/0".
    """
    path: str
    name: str
    kind: str
    arrays: dict


def write(path, networks):
    """Write the weights as load_weights of the script's `vae` reads them.

    Parameters
    ----------
    path : path
        Ends in .weights.h5, as Keras demands.
    networks : dict of str -> list of Piece
    """
    h5py = needed("h5py", "keras")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for group, name, arrays in layout(networks):
            for place, array in arrays.items():
                file[f"{group}/{place}"] = array
            file.require_group(f"{group}/vars").attrs["name"] = name
    write_file(path, lambda file: file.write(content.getvalue()))


def layout(networks):
    """Yield (group, name, arrays by their place within) of each layer that has arrays."""
    for model, pieces in zip(("functional", "functional_1"), halves(networks).values()):
        taken = []
        for piece in pieces:
            if piece.weights:
                taken.append(unused_name(keras_kind(piece), taken))
                yield f"layers/{model}/layers/{taken[-1]}", piece.name, numbered(piece)


def keras_kind(piece):
    """Return the class of the layer of Keras that has the weights."""
    return "Dense" if piece.kind == "OneHotDense" else piece.kind


def numbered(piece):
    """Return a layer's weights by their places in its group of a file."""
    if piece.kind == "Bidirectional":
        return {f"{direction}_layer/cell/vars/{number}": piece.weights[f"{direction}/{name}"]
                for direction in ("forward", "backward")
                for number, name in enumerate(("kernel", "recurrent_kernel", "bias"))}
    place = "cell/vars" if piece.kind in ("GRU", "LSTM") else "vars"
    return {f"{place}/{number}": array for number, array in enumerate(piece.weights.values())}


def read(path):
    """Return the Stored layers of a .weights.h5 or .keras file that have arrays.

    Those of one class are in their order. An encoder comes before a decoder.

    Raises
    ------
    ScratchVAEError
        If the file is missing, damaged, or of an older Keras.
    """
    h5py = needed("h5py", "keras")
    path = Path(path)
    if not path.is_file():
        raise ScratchVAEError(f"{path}: no such file")
    try:
        with h5py.File(_content(path), "r") as file:
            if "layer_names" in file.attrs or "model_weights" in file:
                raise ScratchVAEError(f"{path}: is a file of Keras 2; load it there and save it "
                                      "with Keras 3: model.save_weights('name.weights.h5')")
            arrays, names = _walk(file, h5py.Dataset)
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise ScratchVAEError(f"{path}: damaged, or not a weights file of Keras 3 "
                              f"({error})") from None
    return _layers_of(arrays, names)


def _content(path):
    """Return a file, or the weights inside an archive, as what h5py opens."""
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def _walk(file, dataset):
    """Return the arrays of a file by path, and the names of layers and models by theirs."""
    arrays = {}
    names = {}

    def visit(path, item):
        if isinstance(item, dataset):
            arrays[path] = np.asarray(item)
        elif path.endswith("/vars"):
            names[path.removesuffix("/vars")] = str(item.attrs.get("name", ""))
    file.visititems(visit)
    return arrays, names


def _layers_of(arrays, names):
    """Return Stored layers in their order, without what is no layer's.

    That are an optimizer's slots, the state of random numbers, and the scalars of metrics.
    """
    layers = {}
    for path in sorted(arrays, key=lambda path: _order(path, names)):
        found = LAYER.fullmatch(path)
        if not found or path.startswith("optimizer/") or "seed_generator" in path:
            continue
        group, place = found.groups()
        if arrays[path].ndim:
            kind = NUMBER.fullmatch(group.rpartition("/")[2])[1]
            stored = layers.setdefault(group, Stored(group, names.get(group, ""), kind, {}))
            stored.arrays[place] = arrays[path]
    return list(layers.values())


def _order(path, names):
    """Return what sorts paths: encoders first, decoders last, names by their numbers."""
    key = []
    parts = path.split("/")
    for count, part in enumerate(parts, 1):
        label = f"{part} {names.get('/'.join(parts[:count]), '')}"
        kind, number = NUMBER.fullmatch(part).groups(default="0")
        rank = 0 if "encoder" in label else 2 if "decoder" in label else 1
        key.append((rank, kind, int(number)))
    return key
