"""A model as two graphs of ONNX: encoder.onnx, x -> codes, and decoder.onnx, z -> reconstruction.

ONNX has the channels of images first, as PyTorch does; a Transpose stands where they change place.
"""
import numpy as np

from ...kernels.activation_names import parse_activation
from ...storage import write_file
from .. import images
from ..optional import needed
from ..pieces import halves
from ..writing import CODES
from .layers import BUILDERS, recurrent

OPSET = 17
IR_VERSION = 8                  # of ONNX 1.12, which introduced the opset


def write(folder, model, networks):
    """Write encoder.onnx and decoder.onnx; the number of examples is free.

    Parameters
    ----------
    folder : Path
    model : VAE, TextVAE or Autoencoder
    networks : dict of str -> list of Piece

    Returns
    -------
    list of Path
    """
    paths = []
    for name, graph in graphs(model, networks).items():
        paths.append(folder / f"{name}.onnx")
        content = graph.SerializeToString()
        write_file(paths[-1], lambda file, content=content: file.write(content))
    return paths


def graphs(model, networks):
    """Return {"encoder": ModelProto, "decoder": ModelProto}."""
    parts = halves(networks)
    codes = CODES[model.name]
    encoder = Graph(model.input_shape, "x", bool(model.encoder.input_dtype))
    encoder.add_all([piece for piece in parts["encoder"] if piece.name not in codes])
    encoder.move_channels(first=False)
    h = encoder.h
    outputs = [h]
    if len(codes) == 2:
        outputs = []
        for piece in parts["encoder"]:
            if piece.name in codes:
                encoder.h = h
                encoder.add(piece)
                outputs.append(encoder.h)
    decoder = Graph((model.latent_dim,), "z", False)
    if model.name == "TextVAE":
        _text_decoder(decoder, parts["decoder"], model)
        shape = (model.steps, model.vocabulary_size)
    else:
        decoder.add_all(parts["decoder"])
        decoder.move_channels(first=False)
        shape = parts["decoder"][-1].output_shape
    return {"encoder": encoder.model(dict(zip(codes, outputs)), (model.latent_dim,)),
            "decoder": decoder.model({"reconstruction": decoder.h}, shape)}


def _text_decoder(graph, pieces, model):
    """Add the decoder of a TextVAE: z starts the GRU, and stands beside the word before."""
    kinds = [piece.kind for piece in pieces]
    place = kinds.index("GRU")
    initial, *words = pieces[:place]
    graph.add(initial)
    state = graph.h
    graph.input("before", (model.steps,), words=True)
    graph.h = "before"
    graph.add_all(words)
    at_steps = graph.repeated("z", model.steps)
    graph.h = graph.node("Concat", [graph.h, at_steps], axis=2)
    recurrent(graph, pieces[place], graph.node("Unsqueeze", [state, graph.constant([0])]))
    graph.add_all(pieces[place + 1:])


class Graph:
    """Nodes that are added one after the other, each to the result h of the last one.

    Parameters
    ----------
    shape : tuple of int
        Of the first input, without the batch axis.
    name : str
        Its name.
    words : bool
        Whether it holds words, int32, instead of numbers.
    """

    def __init__(self, shape, name, words):
        self.onnx = needed("onnx", "onnx")
        self.nodes = []
        self.arrays = []
        self.inputs = []
        self.first = False      # whether the channels are first
        self.input(name, shape, words)
        self.h = name

    def input(self, name, shape, words):
        """Add an input."""
        kind = self.onnx.TensorProto.INT32 if words else self.onnx.TensorProto.FLOAT
        self.inputs.append(self.onnx.helper.make_tensor_value_info(name, kind, ("N", *shape)))

    def constant(self, value):
        """Add an array, of float32 or int64, and return its name."""
        array = np.ascontiguousarray(value)
        array = array.astype(np.int64 if array.dtype.kind in "iu" else np.float32)
        name = f"constant_{len(self.arrays)}"
        self.arrays.append(self.onnx.numpy_helper.from_array(array.reshape(np.shape(value)), name))
        return name

    def node(self, operator, inputs, **attributes):
        """Add a node; return the name of its result."""
        result, = self.node_of_several(operator, inputs, 1, **attributes)
        return result

    def node_of_several(self, operator, inputs, count, **attributes):
        """Add a node of several results; return their names."""
        names = [f"{operator.lower()}_{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, names, **attributes))
        return names

    def then(self, operator, *inputs, **attributes):
        """Add a node to h; its other inputs are arrays."""
        arrays = [self.constant(value) for value in inputs]
        self.h = self.node(operator, [self.h, *arrays], **attributes)

    def model(self, outputs, shape):
        """Return the graph, checked, as a model.

        Parameters
        ----------
        outputs : dict of name -> name of a result
        shape : tuple of int
            Of each output, without the batch axis.
        """
        helper = self.onnx.helper
        for name, result in outputs.items():
            self.nodes.append(helper.make_node("Identity", [result], [name]))
        infos = [helper.make_tensor_value_info(name, self.onnx.TensorProto.FLOAT, ("N", *shape))
                 for name in outputs]
        graph = helper.make_graph(self.nodes, "scratchvae", self.inputs, infos, self.arrays)
        model = helper.make_model(graph, producer_name="scratchvae", ir_version=IR_VERSION,
                                  opset_imports=[helper.make_opsetid("", OPSET)])
        self.onnx.checker.check_model(model)
        return model

    # Layers.

    def add_all(self, pieces):
        """Add layers."""
        for piece in pieces:
            self.add(piece)

    def add(self, piece):
        """Add a layer, with its activation."""
        self.move_channels(images.channels_first(piece, self.first))
        BUILDERS[piece.kind](self, piece)
        self.activate(piece.activation())

    def move_channels(self, first):
        """Bring the channels to the place where the next layer needs them."""
        if first != self.first:
            self.then("Transpose", perm=(0, 3, 1, 2) if first else (0, 2, 3, 1))
        self.first = first

    def activate(self, activation):
        """Add an activation."""
        name, slope = parse_activation(activation)
        if name == "leaky_relu":
            self.then("LeakyRelu", alpha=slope)
        elif name == "softmax":
            self.then("Softmax", axis=1 if self.first else -1)
        elif name != "linear":
            self.then({"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}[name])

    def repeated(self, vectors, steps):
        """Return vectors (N, K) at each of several steps, (N, steps, K)."""
        once = self.node("Unsqueeze", [vectors, self.constant([1])])
        return self.node("Concat", [once] * steps, axis=1)
