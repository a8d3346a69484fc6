"""What the page is told about a model: its layers as JSON, its arrays as text."""
import base64
import zlib

import numpy as np

from ...layers import Bidirectional
from ...models import Sequential

LARGE = 4_000_000               # bytes; weights above it are embedded as float16, which halves them
ALIGNMENT = 4                   # bytes: JavaScript's views of memory begin at multiples of their elements' size


class Arrays:
    """Arrays one behind the other.  `places` says of each: type, offset in bytes, number of elements."""

    def __init__(self):
        self.places, self.chunks, self.size = [], [], 0

    def add(self, array, dtype):
        """Append an array as "float32", "float16", "uint8" or "int32"; returns its number in `places`."""
        data = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<")).tobytes()
        self.places.append([dtype, self.size, int(np.size(array))])
        self.chunks.append(data + bytes(-len(data) % ALIGNMENT))
        self.size += len(self.chunks[-1])
        return len(self.places) - 1

    def text(self):
        """All of them: deflated, then base64."""
        return base64.b64encode(zlib.compress(b"".join(self.chunks), 9)).decode()


def describe_parts(model, arrays):
    """The model's networks by name, each a list of layers; weights are appended to `arrays`."""
    count = sum(weight.size for weight in model.weights.values())
    dtype = "float16" if 4 * count > LARGE else "float32"
    parts = {}
    for name, module in model.parts.items():
        layers = module.layers if isinstance(module, Sequential) else {name: module}
        parts[name] = [describe_layer(layer_name, layer, arrays, dtype) for layer_name, layer in layers.items()]
    return parts


def describe_layer(name, layer, arrays, dtype):
    """A layer: its arguments as it has them now (an output activation that the loss took is linear), shapes and weights."""
    arguments = {key: value for key, value in layer.get_config().items() if not key.endswith("initializer")}
    if isinstance(layer, Bidirectional):
        arguments |= {key: value for key, value in arguments.pop("layer").items() if key in ("units", "return_sequences")}
    return {"name": name, **arguments, "input": layer.input_shape, "output": layer.output_shape,
            "weights": {key: arrays.add(weight, dtype) for key, weight in layer.weights.items()}}
