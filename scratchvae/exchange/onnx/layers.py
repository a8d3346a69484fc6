"""Each layer as nodes of ONNX.

Its recurrent layers take sequences as (T, N, K), and have their gates in the order z, r, h of a GRU
and i, o, f, c of an LSTM.
"""
import numpy as np

from .. import images
from ..torch.weights import to_torch


def nothing(graph, piece):
    """Activation has its activation only; outside training Dropout does nothing."""


def dense(graph, piece):
    graph.then("MatMul", piece.weights["kernel"])
    graph.then("Add", piece.weights["bias"])


def one_hot_dense(graph, piece):
    """Add a row of the kernel, as its product with a one-hot vector is."""
    rows = graph.node("Gather", [graph.constant(piece.weights["kernel"]), graph.h], axis=0)
    graph.h = graph.node("Squeeze", [rows, graph.constant([1])])
    graph.then("Add", piece.weights["bias"])


def embedding(graph, piece):
    table = graph.constant(piece.weights["embeddings"])
    graph.h = graph.node("Gather", [table, graph.h], axis=0)


def pads(border):
    """Return a border as ONNX has it: all the starts, then all the ends."""
    (top, bottom), (left, right) = border
    return [top, left, bottom, right]


def conv2d(graph, piece):
    config = piece.config
    arrays = to_torch(piece.kind, piece.weights)
    border = images.padding(piece, config["kernel_size"])
    graph.then("Conv", arrays["weight"], arrays["bias"], strides=config["strides"],
               pads=pads(border))


def conv2d_transpose(graph, piece):
    """ONNX takes the border to cut off, and what to add behind where nothing is painted."""
    arrays = to_torch(piece.kind, piece.weights)
    border, added = images.cropping(piece)
    graph.then("ConvTranspose", arrays["weight"], arrays["bias"], strides=piece.config["strides"],
               pads=pads(border), output_padding=added)


def max_pooling(graph, piece):
    size = piece.config["pool_size"]
    strides = piece.config["strides"]
    graph.then("MaxPool", kernel_shape=size, strides=strides,
               pads=pads(images.padding(piece, size)))


def average_pooling(graph, piece):
    size = piece.config["pool_size"]
    strides = piece.config["strides"]
    graph.then("AveragePool", kernel_shape=size, strides=strides, count_include_pad=0,
               pads=pads(images.padding(piece, size)))


def upsampling(graph, piece):
    scales = graph.constant(np.array([1, 1, *piece.config["size"]], np.float32))
    graph.h = graph.node("Resize", [graph.h, "", scales], mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")


def cropping(graph, piece):
    (top, _), (left, _) = piece.config["cropping"]
    height, width, _ = piece.output_shape
    graph.then("Slice", [top, left], [top + height, left + width], [2, 3])


def zero_padding(graph, piece):
    top, left, bottom, right = pads(piece.config["padding"])
    graph.then("Pad", [0, 0, top, left, 0, 0, bottom, right])


def batch_normalization(graph, piece):
    """Outside training it is a factor and a term for each channel."""
    weights = piece.weights
    deviation = np.sqrt(weights["moving_variance"].astype(np.float64) + piece.config["epsilon"])
    factor = weights["gamma"] / deviation
    term = weights["beta"] - weights["moving_mean"] * factor
    shape = (-1, 1, 1) if graph.first else (-1,)
    graph.then("Mul", factor.reshape(shape))
    graph.then("Add", term.reshape(shape))


def layer_normalization(graph, piece):
    graph.then("LayerNormalization", piece.weights["gamma"], piece.weights["beta"], axis=-1,
               epsilon=piece.config["epsilon"])


def reshape(graph, piece):
    graph.then("Reshape", [-1, *piece.output_shape])


def repeat_vector(graph, piece):
    graph.h = graph.repeated(graph.h, piece.config["n"])


def recurrent(graph, piece, initial_state=""):
    """Add a GRU or an LSTM in one direction or both; a mask becomes the lengths of the lines."""
    config = piece.config.get("layer", piece.config)
    kind = config["class"]
    both = "layer" in piece.config
    lengths = packed(graph) if piece.masked else ""
    steps_first = graph.node("Transpose", [graph.h], perm=(1, 0, 2))
    weights = [graph.constant(array) for array in _recurrent_weights(piece, kind, both)]
    options = {"linear_before_reset": 1} if kind == "GRU" else {}
    inputs = [steps_first, *weights, lengths, initial_state]
    states, last = graph.node_of_several(
        kind, inputs, 2, hidden_size=config["units"],
        direction="bidirectional" if both else "forward", **options)
    units = piece.output_shape[-1]
    if config["return_sequences"]:                      # (T, directions, N, U)
        graph.h = graph.node("Transpose", [states], perm=(2, 0, 1, 3))
        graph.then("Reshape", [-1, piece.input_shape[0], units])
    else:                                               # (directions, N, U)
        graph.h = graph.node("Transpose", [last], perm=(1, 0, 2))
        graph.then("Reshape", [-1, units])


def packed(graph):
    """Bring the steps of h whose words are not padding, 0, to the front; return how many they are.

    What is greatest comes first: of T steps, step t has the rank T - t, and T more if it counts.
    """
    types = graph.onnx.TensorProto
    words = graph.inputs[0]
    T = words.type.tensor_type.shape.dim[1].dim_value
    present = graph.node("Cast", [graph.node("Cast", [words.name], to=types.BOOL)], to=types.FLOAT)
    bonus = graph.node("Mul", [present, graph.constant(np.float32(T))])
    rank = graph.node("Add", [bonus, graph.constant(np.arange(T, 0, -1, dtype=np.float32))])
    _, order = graph.node_of_several("TopK", [rank, graph.constant([T])], 2, axis=1)
    places = graph.node("Unsqueeze", [order, graph.constant([2])])
    graph.h = graph.node("GatherND", [graph.h, places], batch_dims=1)
    count = graph.node("ReduceSum", [present, graph.constant([1])], keepdims=0)
    return graph.node("Cast", [count], to=types.INT32)


def _recurrent_weights(piece, kind, both):
    """Return W (D, G U, K), R (D, G U, U) and B (D, 2 G U) of the D directions."""
    directions = []
    for prefix in ("forward/", "backward/") if both else ("",):
        kernel, recurrent_kernel, bias = (piece.weights[prefix + name] for name in
                                          ("kernel", "recurrent_kernel", "bias"))
        if kind == "LSTM":
            bias = np.stack([bias, np.zeros_like(bias)])
            kernel, recurrent_kernel, bias = map(_reordered, (kernel, recurrent_kernel, bias))
        directions.append((kernel.T, recurrent_kernel.T, bias.reshape(-1)))
    return [np.stack(arrays) for arrays in zip(*directions)]


def _reordered(array):
    """Return the gates i, f, c, o of an LSTM in ONNX's order i, o, f, c."""
    i, f, c, o = np.split(array, 4, axis=-1)
    return np.concatenate([i, o, f, c], axis=-1)


BUILDERS = {
    "Activation": nothing, "AveragePooling2D": average_pooling,
    "BatchNormalization": batch_normalization, "Bidirectional": recurrent, "Conv2D": conv2d,
    "Conv2DTranspose": conv2d_transpose, "Cropping2D": cropping, "Dense": dense,
    "Dropout": nothing, "Embedding": embedding, "Flatten": reshape, "GRU": recurrent,
    "LSTM": recurrent, "LayerNormalization": layer_normalization, "MaxPooling2D": max_pooling,
    "OneHotDense": one_hot_dense, "RepeatVector": repeat_vector, "Reshape": reshape,
    "UpSampling2D": upsampling, "ZeroPadding2D": zero_padding,
}
KINDS = tuple(BUILDERS)
