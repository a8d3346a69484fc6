"""What the variational and the plain autoencoder share: building, training, evaluating, saving."""
import numpy as np

import kernels
from kernels.operation import check_indices

from .. import losses
from ..training import fit as training
from ..errors import ScratchVAEError
from ..layers import Layer
from ..layers.layer import check_seed, dtype_name
from ..layers.noise import VALIDATION, Noise
from ..layers.parameters import Parameters
from ..storage import read_arrays, write_arrays
from .summary import summary_text
from ..layers.workspace import Workspace
from .sequential import Sequential

BATCH_SIZE = 100                # examples at a time outside training


class Model:
    """An encoder and a decoder, trained to reconstruct.

    A subclass has `parts` (name -> Layer or Sequential, in the order of the data), `kl_weight` (a schedule), and its mathematics:
    forward(x, training, stream), which returns the losses of each example, and train_step(x, optimizer, kl_weight).
    """
    classes = {}                # name -> class, for load
    how_measured = ""           # what to add where losses of examples are told

    def __init_subclass__(cls):
        Model.classes[cls.__name__] = cls

    def __init__(self, encoder, decoder, reconstruction, reconstruction_scale, dtype, backend):
        self.dtype = dtype_name(type(self).__name__, dtype)
        self.backend = backend
        self.kernels = kernels.load(backend)
        self.encoder, self.decoder = Sequential(encoder), Sequential(decoder)
        loss = losses.get(reconstruction)
        self.loss = loss(reconstruction_scale, self.decoder.take_output_activation(loss.softmax))
        self.input_shape = None

    def build(self, input_shape, seed=0):
        """Make the parameters, drawn from `seed`, for examples of `input_shape` (without the batch axis)."""
        input_shape = tuple(np.atleast_1d(input_shape).tolist())
        seed = check_seed(type(self).__name__, seed)
        if len(set(map(id, self.layers.values()))) < len(self.layers):
            raise ScratchVAEError(f"{type(self).__name__}: one layer object stands in two places; make a layer for each")
        self.noise = Noise(self.kernels, seed)
        self.workspace = Workspace(self.kernels, self.dtype, reuse=True)
        self.loss.build(self.kernels, self.dtype)
        for layer in self.layers.values():
            layer.dtype, layer.backend = self.dtype, self.backend
        self.build_parts(input_shape, seed)
        self.check_parts(input_shape)
        for stream, layer in enumerate(self.layers.values()):
            layer.join(self.noise, stream)
        self.parameters = Parameters(self.layers, self.kernels, self.dtype)
        self.input_shape = input_shape

    def check_parts(self, input_shape):
        """Refuse networks whose shapes don't fit together."""
        target_shape = self.loss.target_shape(self.decoder.output_shape)
        if target_shape != input_shape:
            raise ScratchVAEError(f"{type(self).__name__}: an example has shape {input_shape}, the decoder's output "
                                  f"{self.decoder.output_shape}; needed: one that reconstructs it")

    def build_encoder(self, input_shape, seed):
        """Build the encoder; return the size of its output."""
        shape = self.encoder.build(input_shape, seed)
        if len(shape) != 1:
            raise ScratchVAEError(f"{type(self).__name__}: the encoder's output has shape {shape}; needed: one axis (put a Flatten at its end)")
        return shape[0]

    @property
    def layers(self):
        """All layers by path, "encoder/dense" and so on, in the order of the data."""
        layers = {}
        for part, module in self.parts.items():
            if isinstance(module, Layer):
                layers[part] = module
            else:
                layers |= {f"{part}/{name}": layer for name, layer in module.layers.items()}
        return layers

    @property
    def state(self):
        """What training changes by other means than gradients, "encoder/batch_normalization/moving_mean" and so on: name -> array."""
        return {f"{path}/{name}": value for path, layer in self.layers.items() for name, value in layer.state.items()}

    @property
    def weights(self):
        """Parameters and state: name -> array."""
        return {name: self.parameters[name] for name in self.parameters.names} | self.state

    @property
    def count(self):
        """How many numbers these are: what Keras calls the parameters, moving averages among them."""
        return sum(weight.size for weight in self.weights.values())

    def fit(self, x, epochs=1, batch_size=32, optimizer=None, validation_data=None, seed=0, checkpoint=None, resume=False,
            progress=True, on_begin=None, on_epoch_end=None, on_step=None, y=None, shuffle=True):
        """Train on x (N, *input_shape) and return the History.

        y: what to make of x, if not x itself; validation_data is then a pair like (x, y).  shuffle: draw another order of the examples
        for each epoch, else take them as they come.
        The first fit builds the model from `seed`, unless `build` did.  optimizer: None means Adam(); it begins anew.
        validation_data: examples to evaluate after every epoch.  checkpoint: a file that receives the whole state of training
        after every epoch and on interruption (Ctrl-C finishes the step, writes, and raises KeyboardInterrupt; twice, it stops
        at once); with resume=True training goes on from it, to the same bits.  on_begin: called with the History when all is found right,
        before the first step.  on_epoch_end: called with the History.  on_step:
        called with the number of the step, from 1, its batch, and the batch's mean loss.  The same seed gives the same bits on any
        number of threads.
        """
        return training.fit(self, x, epochs, batch_size, optimizer, validation_data, seed, checkpoint, resume, progress,
                            on_begin, on_epoch_end, on_step, y, shuffle)

    def evaluate(self, x, seed=0, y=None):
        """Means over x with one sample of z an example: a dict of loss (at the KL weight that training leads to),
        reconstruction and kl.  y: what to make of x, if not x itself."""
        x, y = self.on_device(*self.as_pair(x, y))
        self.noise.seed = check_seed("evaluate", seed)
        sums = self.kernels.zeros(3, "float64")
        for number, start in enumerate(range(0, len(x), BATCH_SIZE)):
            self.noise.step = number
            here = slice(start, start + BATCH_SIZE)
            reconstruction, kl = self.forward(x[here], stream=VALIDATION, target=y[here])
            self.kernels.add_losses(reconstruction, kl, self.kl_weight.weight, sums)
        means = self.kernels.to_host(sums) / len(x)
        return dict(zip(("loss", "reconstruction", "kl"), means.tolist()))

    def decode(self, z):
        """The decoder's output (N, *input_shape) for latent points z (N, latent_dim)."""
        z = self.as_array("z", z, (self.latent_dim,))
        output, = self.in_batches(lambda z: (self.loss.activate(self.decoder.forward(z)),), z)
        return output

    def in_batches(self, function, x):
        """Call function on some examples at a time; the arrays of the tuples it returns, copied and joined."""
        to_host, x = self.kernels.to_host, self.kernels.from_host(x)
        results = [[to_host(array).copy() for array in function(x[start:start + BATCH_SIZE])] for start in range(0, len(x), BATCH_SIZE)]
        return [np.concatenate(arrays) for arrays in zip(*results)]

    def summary(self):
        """The layer table as Keras prints it, as text."""
        self.check_built()
        return summary_text(self)

    def flops(self, batch_size):
        """Multiplications and additions in the products of one training step."""
        forward, parameters, inputs = zip(*(layer.flops() for layer in self.layers.values()))
        return batch_size * (sum(forward) + sum(parameters) + sum(inputs[1:]))      # nobody needs the dx of the first

    def get_config(self):
        """What makes this model again, its parameters aside."""
        return {"class": type(self).__name__, "input_shape": self.input_shape, "encoder": self.encoder.get_config(),
                "decoder": self.decoder.get_config(), "reconstruction": self.loss.name,
                "reconstruction_scale": self.loss.scale, "dtype": self.dtype}

    @staticmethod
    def from_config(config, backend="cpu"):
        """The model that get_config described, built, with fresh parameters."""
        config = dict(config)
        model_class, input_shape = Model.classes[config.pop("class")], config.pop("input_shape")
        layers = {part: [Layer.from_config(layer) for layer in config.pop(part)] for part in ("encoder", "decoder") if part in config}
        model = model_class(**layers, **config, backend=backend)
        model.build(input_shape)
        return model

    def save(self, path):
        """Write the model, its configuration, parameters and state, to one file."""
        self.check_built()
        weights = {name: self.kernels.to_host(weight) for name, weight in self.weights.items()}
        write_arrays(path, weights, {"kind": "model", "config": self.get_config()})

    @classmethod
    def load(cls, path, backend="cpu"):
        """The model that `save` wrote."""
        arrays, description = read_arrays(path, "model")
        model = Model.from_config(description["config"], backend)
        if not isinstance(model, cls):
            raise ScratchVAEError(f"{path}: holds a model of class {type(model).__name__}; needed: {cls.__name__}")
        for name, weight in model.weights.items():
            if name not in arrays or arrays[name].shape != weight.shape:
                raise ScratchVAEError(f"{path}: damaged: {name} is missing or of the wrong shape")
            model.kernels.copy(np.ascontiguousarray(arrays[name], model.dtype), weight)
        return model

    def as_examples(self, x):
        """x as an array of this model's shape, and its dtype, or int32 for words."""
        self.check_built()
        x = self.as_array("x", x, self.input_shape, self.encoder.input_dtype)
        if self.encoder.vocabulary_size:
            check_indices("x", x, self.encoder.vocabulary_size)
        return x

    def as_pair(self, x, y=None):
        """x, and what to make of it: y, or x itself."""
        own = y is None or y is x
        x = self.as_examples(x)
        if own:
            y = x
        else:
            y = self.as_array("y", y, self.loss.target_shape(self.decoder.output_shape), self.loss.target_dtype)
            if len(x) != len(y):
                raise ScratchVAEError(f"{len(x)} examples x, but {len(y)} targets y; needed: as many")
        self.loss.check_target(y, self.decoder.output_shape)
        return x, y

    def on_device(self, x, y):
        """Both arrays where the backend computes; one array if they are one."""
        there = self.kernels.from_host(x)
        return there, there if y is x else self.kernels.from_host(y)

    def as_array(self, name, x, shape, dtype=None):
        """x as a C-contiguous array of shape (N, *shape), N >= 1, and the dtype, this model's unless given."""
        self.check_built()
        try:
            given = np.asarray(x)
            if np.iscomplexobj(given) or (dtype == "int32" and given.dtype.kind not in "iu"):
                raise TypeError
            array = np.ascontiguousarray(given, dtype or self.dtype)
        except (TypeError, ValueError):
            if dtype == "int32":
                raise ScratchVAEError(f"{name} is a {type(x).__name__} that is no array of whole numbers; needed: indices of words, "
                                      f"of shape (examples, {', '.join(map(str, shape))})") from None
            raise ScratchVAEError(f"{name} is a {type(x).__name__} that is no array of numbers; needed: an array of shape "
                                  f"(examples, {', '.join(map(str, shape))})") from None
        if dtype == "int32" and not np.array_equal(array, given):
            raise ScratchVAEError(f"{name} has words from {given.min()} to {given.max()}; needed: indices of words, below 2^31")
        if array.shape[1:] != shape or len(array) == 0:
            raise ScratchVAEError(f"{name} has shape {array.shape}; needed: (examples, {', '.join(map(str, shape))})")
        return array

    def check_built(self):
        """Refuse to work before the parameters are made."""
        if self.input_shape is None:
            raise ScratchVAEError(f"this {type(self).__name__} is not built; call build(input_shape) or fit first")
