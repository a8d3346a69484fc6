"""Pack a model for the page: its layers as JSON, its arrays as text."""
import base64
import zlib

import numpy as np

from ...errors import ScratchVAEError
from ...layers import Bidirectional
from ...models import Sequential
from .scripts import SHARED_SCRIPTS, registered

PAGE_ACTIVATIONS = registered("ACTIVATIONS", SHARED_SCRIPTS)
LARGE = 4_000_000               # bytes of weights above which they are stored as float16
ALIGNMENT = 4                   # bytes: a JavaScript view begins at a multiple of its element size


class Arrays:
    """Arrays one after the other.  `places` lists the type, byte offset and size of each."""

    def __init__(self):
        self.places = []
        self.chunks = []
        self.size = 0

    def add(self, array, dtype):
        """Append an array.

        Parameters
        ----------
        array : array_like
            The numbers, of any shape.
        dtype : {"float32", "float16", "uint8", "int32"}
            The type in which the page receives them.

        Returns
        -------
        int
            The index of the array in `places`.
        """
        data = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<")).tobytes()
        self.places.append([dtype, self.size, int(np.size(array))])
        self.chunks.append(data + bytes(-len(data) % ALIGNMENT))
        self.size += len(self.chunks[-1])
        return len(self.places) - 1

    def text(self):
        """Return all arrays as base64 text of the deflated bytes."""
        return base64.b64encode(zlib.compress(b"".join(self.chunks), 9)).decode()


def describe_run(run):
    """Return what every page says about a run, as a dict for JSON."""
    return {"lab": run.lab.name, "title": run.title, "epochs": run.epoch,
            "note": run.note, "count": run.model.count}


def describe_parts(model, arrays, page_layers):
    """Return the networks of a model, and append their weights to `arrays`.

    Parameters
    ----------
    model : Model
        A built model.
    arrays : Arrays
        Receives the weights.
    page_layers : set of str
        The layer classes that the scripts of the page can compute.

    Returns
    -------
    dict
        The name of each network and the list of its described layers.

    Raises
    ------
    ScratchVAEError
        If the page cannot compute a layer of the model.
    """
    for path, layer in model.layers.items():
        check_layer(path, layer, page_layers)
    count = sum(weight.size for weight in model.weights.values())
    dtype = "float16" if 4 * count > LARGE else "float32"
    parts = {}
    for part, module in model.parts.items():
        layers = module.layers if isinstance(module, Sequential) else {part: module}
        parts[part] = [describe_layer(name, layer, arrays, dtype)
                       for name, layer in layers.items()]
    return parts


def check_layer(path, layer, page_layers):
    """Refuse a layer whose class or activation the page cannot compute."""
    check_known(path, "class", type(layer).__name__, page_layers)
    if isinstance(layer, Bidirectional):
        check_known(path, "class", layer.layer["class"], page_layers)
    activation, _, _ = getattr(layer, "activation", "linear").partition("(")  # leaky_relu(0.3)
    check_known(path, "activation", activation, PAGE_ACTIVATIONS)


def check_known(path, what, name, known):
    """Raise an error that names the layer if `name` is not in the set `known`."""
    if name not in known:
        raise ScratchVAEError(f"explore: the page cannot compute layer {path!r} ({what} {name}); "
                              f"it can compute {', '.join(sorted(known))}")


def describe_layer(name, layer, arrays, dtype):
    """Return a layer's arguments, shapes and weights, as a dict for JSON.

    The arguments are those that the layer has now: an output activation that the loss computes is
    "linear".  The weights are indices into `arrays`.
    """
    arguments = {key: value for key, value in layer.get_config().items()
                 if not key.endswith("initializer")}
    if isinstance(layer, Bidirectional):
        inner = arguments.pop("layer")
        arguments["layer_class"] = inner["class"]
        arguments["units"] = inner["units"]
        arguments["return_sequences"] = inner["return_sequences"]
    weights = {key: arrays.add(weight, dtype) for key, weight in layer.weights.items()}
    return {"name": name, **arguments, "input": layer.input_shape, "output": layer.output_shape,
            "weights": weights}
