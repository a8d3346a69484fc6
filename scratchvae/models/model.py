"""What all models share: building, training, evaluating, saving."""
import json
import math
import threading

import numpy as np

from .. import checks, kernels, training
from ..batches import BATCH_SIZE
from ..concurrency import can_have_twins, in_turn
from ..errors import ScratchVAEError
from ..kernels.operation import check_indices
from ..layers import Layer
from ..layers.layer import registered_name
from ..layers.noise import VALIDATION, Noise
from ..layers.parameters import Parameters
from ..layers.workspace import Workspace
from ..shards import ONE
from .stored import Stored
from .summary import Described, summary_text

ELSEWHERE = {                   # methods of Keras's models, and what is used here
    "compile": "there is nothing to compile: give the optimizer to fit, the loss to the model",
    "predict": "use reconstruct(x), encode(x) or decode(z)",
    "train_on_batch": "use fit(x, epochs=1, batch_size=len(x))",
    "fit_generator": "use fit(x) with an array",
    "add": "give all layers as a list when the model is made",
}


class Model(Described, Stored):
    """Networks and a loss, trained by gradient descent.

    A subclass has `parts` (name -> Sequential or Layer, in the order of the data, a Sequential
    first), `loss`, `kl_weight` (a schedule), `as_pair`, and its mathematics: forward(x, training,
    stream, target), which returns two numbers for each example, named by `terms`, and
    backward(kl_weight, need_dx), which fills all gradients. What training minimises is the mean of
    the first number plus kl_weight times the second.

    Parameters
    ----------
    dtype : str
        "float32" or "float64".
    backend : str
        "cpu", "reference" or "cuda".
    """
    classes = {}                # registered name -> class, for load
    networks = ("encoder", "decoder")       # arguments that are lists of layers
    terms = ("reconstruction", "kl")
    has_targets = False         # whether it was trained on targets other than its inputs
    is_twin = False             # see Stored.twin
    how_measured = ""           # what to add where losses of examples are printed
    examples_at_once = BATCH_SIZE           # outside training; fewer after one in shards

    def __init_subclass__(cls):
        Model.classes[registered_name(cls)] = cls

    def __init__(self, dtype, backend):
        self.dtype = checks.dtype_name(self.name, dtype)
        self.backend = backend
        self.kernels = kernels.load(backend)
        self.input_shape = None
        self.trained = training.Trained()
        self.twins = None                   # those at rest, if it may have some, see concurrency
        self._training = threading.Lock()

    def __getattr__(self, name):
        """Answer what other libraries have and this one has not."""
        hint = f"; {ELSEWHERE[name]}" if name in ELSEWHERE else ""
        raise AttributeError(f"a {type(self).__name__} has no {name}{hint}")

    @property
    def name(self):
        """The class's name, for messages."""
        return type(self).__name__

    # Building.

    def build(self, input_shape, seed=0):
        """Make the parameters.

        Parameters
        ----------
        input_shape : tuple of int
            The shape of an example, without the batch axis.
        seed : int
            What the parameters are drawn from.
        """
        input_shape = tuple(np.atleast_1d(input_shape).tolist())
        seed = checks.seed(self.name, seed)
        self.trained = training.Trained()
        if len(set(map(id, self.layers.values()))) < len(self.layers):
            raise ScratchVAEError(f"{self.name}: one layer object is used in two places; "
                                  "make a layer for each")
        self.noise = Noise(self.kernels, seed)
        self.workspace = Workspace(self.kernels, self.dtype, reuse=True)
        self.loss.build(self.kernels, self.dtype)
        for layer in self.layers.values():
            layer.dtype = self.dtype
            layer.backend = self.backend
        self.build_parts(input_shape, seed)
        self.check_parts(input_shape)
        for stream, layer in enumerate(self.layers.values()):
            layer.join(self.noise, stream)
        self.parameters = Parameters(self.layers, self.kernels, self.dtype)
        self.input_shape = input_shape
        self.twins = [] if can_have_twins(self) else None
        self.check_saveable()

    def check_saveable(self):
        """Refuse layers that could not be saved: now, not after the training."""
        for path, layer in self.layers.items():
            for name, value in layer.arguments().items():
                try:
                    json.dumps(value)
                except (TypeError, ValueError):
                    self.input_shape = None
                    raise ScratchVAEError(f"{path}: its argument {name} cannot be saved: it is "
                                          f"{checks.shown(value)}; use numbers, text, or lists of "
                                          "these") from None

    def check_parts(self, input_shape):
        """Refuse networks whose shapes do not fit together."""

    def check_built(self):
        """Refuse to work before the parameters are made."""
        if self.input_shape is None:
            raise ScratchVAEError(f"this {self.name} is not built; "
                                  "call build(input_shape) or fit first")

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
        """Arrays that training changes, but no gradient does, such as moving averages, by name."""
        return {f"{path}/{name}": value
                for path, layer in self.layers.items() for name, value in layer.state.items()}

    @property
    def weights(self):
        """Parameters and state by name."""
        return {name: self.parameters[name] for name in self.parameters.names} | self.state

    @property
    def count(self):
        """How many numbers these are: what Keras calls the parameters, moving averages included."""
        return sum(weight.size for weight in self.weights.values())

    # Training and evaluating.

    def train_step(self, x, optimizer, kl_weight, target=None):
        """Make one step of gradient descent on the batch x; return its losses before the step."""
        losses = self.gradients(x, kl_weight, target)
        optimizer.update()
        return losses

    def gradients(self, x, kl_weight, target=None):
        """Fill all gradients of the mean loss of the batch x; return the losses of each example.

        Parameters
        ----------
        x : array (N, *input_shape)
        kl_weight : float
        target : array, optional
            What to reconstruct; defaults to x.

        Returns
        -------
        (array (N,), array (N,))
            The reconstruction losses, and the cost of z.
        """
        losses = self.forward(x, training=True, target=target)
        self.backward(kl_weight)
        return losses

    def begin(self, x):
        """Prepare the state for a training whose first step begins with the examples x.

        Called if batches are cut into shards, which all start from this state.
        """

    def fit(self, x, epochs=1, batch_size=32, optimizer=None, validation_data=None, seed=0,
            **options):
        """Train on x and return the History.

        The first fit builds the model from `seed`, unless `build` did. Another fit goes on where
        the last one ended, so fit(x, epochs=1) three times is fit(x, epochs=3): batches, noise, KL
        schedule, and the optimizer's slots, unless it has other arguments. The same seed gives the
        same bits on any number of threads.

        Parameters
        ----------
        x : array_like or Images (N, *input_shape)
            Of any dtype and layout: batches are converted one at a time.
        epochs, batch_size : int
        optimizer : Optimizer or None
            None stands for that of the last fit, at first Adam().
        validation_data : as x, or a pair, optional
            Examples to evaluate after each epoch; with y a pair (x, y).
        seed : int
            What parameters, order and noise are drawn from.
        y : array_like or Images, optional
            Targets; defaults to x: an autoencoder reconstructs its input.
        shuffle : bool, default True
            Whether each epoch takes the examples in another order.
        checkpoint : path, optional
            A file that receives the whole state of training after each epoch and on interruption.
            Ctrl-C completes the step, writes, and raises KeyboardInterrupt; a second one stops at
            once.
        resume : bool, default False
            Whether to go on from the checkpoint, to the same bits. `epochs` is the number of all
            epochs then.
        fresh : bool, default False
            Whether to begin anew, with epoch 1 and empty slots, from the weights as they are.
        progress : bool, default True
            Whether to show a progress bar and a line for each epoch.
        callbacks : list of scratchvae.training.Callback, optional
            EarlyStopping, ReduceLROnPlateau, or one of your own.
        metrics : dict of name -> function, optional
            Each function(model, x) returns a number for the validation examples x, after each
            epoch; history["val_NAME"] has it.
        shards : int, default 1
            A power of two: the parts of a batch whose gradients are added, see scratchvae.shards.
            More shards need less memory, and can be computed by several processes.
        processes : optional
            What scratchvae.shards.started() returns: the processes that train together.

        Raises
        ------
        ScratchVAEError
            If an argument is wrong, the loss is not finite any more, or another thread trains.
        """
        if np.ndim(epochs) > 0:
            raise ScratchVAEError("fit: the second argument is epochs, a number; the targets of an "
                                  "autoencoder are its inputs, so fit(x) suffices; others are "
                                  "given as y=, and labels are not needed")
        settings = training.make_settings(
            epochs=epochs, batch_size=batch_size, optimizer=optimizer,
            validation_data=validation_data, seed=seed, **options)
        if not self._training.acquire(blocking=False):
            raise ScratchVAEError(f"this {self.name} is being trained already; train one model "
                                  "in one thread")
        try:
            return training.fit(self, x, settings)
        finally:
            self._training.release()

    @in_turn
    def evaluate(self, x, seed=0, y=None, after_batch=None, batch_size=BATCH_SIZE, processes=ONE):
        """Return the mean losses over x; a VAE takes one sample of z for each example.

        Parameters
        ----------
        x : array_like or Images (N, *input_shape)
        seed : int
            What the samples are drawn from.
        y : array_like or Images, optional
            Targets; defaults to x.
        after_batch : function without arguments, optional
            Called after each forward pass.
        batch_size : int
            Examples at a time; each batch has noise of its own.
        processes : optional
            Several divide the batches among them, see scratchvae.shards.

        Returns
        -------
        dict
            loss (at the KL weight that training leads to), reconstruction and kl; see `terms`.
        """
        x, y = self.on_device(*self.as_pair(x, y))
        self.noise.seed = checks.seed("evaluate", seed)
        losses = []
        for number in processes.deal(math.ceil(len(x) / batch_size)):
            self.noise.step = number
            here = slice(number * batch_size, (number + 1) * batch_size)
            batch = x[here]
            target = batch if y is x else y[here]
            reconstruction, cost = self.forward(batch, stream=VALIDATION, target=target)
            sums = self.kernels.zeros(3, "float64")
            self.kernels.add_losses(reconstruction, cost, self.kl_of(cost), self.kl_weight.weight,
                                    sums)
            losses.append(self.kernels.to_host(sums))
            if after_batch:
                after_batch()
        means = sum(processes.collect(losses)) / len(x)         # added in the order of batches
        return dict(zip(("loss", *self.terms), means.tolist()))

    def in_batches(self, function, x):
        """Call a function on some examples at a time.

        Parameters
        ----------
        function : function
            Takes a batch and returns a tuple of arrays.
        x : array or Batches (N, ...)

        Returns
        -------
        list of arrays
            The results for all examples, NumPy's.
        """
        x = self.kernels.from_host(x)
        results = []
        for start in range(0, len(x), self.examples_at_once):
            arrays = function(x[start:start + self.examples_at_once])
            arrays = [self.kernels.to_host(array) for array in arrays]
            if not results:
                results = [np.empty((len(x), *array.shape[1:]), array.dtype) for array in arrays]
            for result, array in zip(results, arrays):
                result[start:start + self.examples_at_once] = array
        return results

    def kl_of(self, cost):
        """Return the KL divergences (N,) of the last forward pass, which returned this cost."""
        return cost

    # Describing.

    def summary(self):
        """Return the layer table as Keras prints it, as text."""
        self.check_built()
        return summary_text(self)

    def flops(self, batch_size):
        """Return the multiplications and additions in the products of one training step."""
        forward, parameters, inputs = zip(*(layer.flops() for layer in self.layers.values()))
        inputs = inputs[1:]                             # the first layer computes no dx
        return batch_size * (sum(forward) + sum(parameters) + sum(inputs))

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        return {"class": registered_name(type(self)), "input_shape": self.input_shape,
                "dtype": self.dtype}

    def differentiable_config(self):
        """Return the config of a like model whose backward pass is the derivative of its loss.

        Some objectives have another gradient on purpose. Checks by finite differences take this.
        """
        return self.get_config()

    @staticmethod
    def from_config(config, backend="cpu"):
        """Return the model that get_config described, built, with fresh parameters."""
        config = dict(config)
        name = config.pop("class")
        if name not in Model.classes:
            raise ScratchVAEError(f"unknown model {name!r}; known models: "
                                  f"{', '.join(sorted(Model.classes))}; a class of your own must "
                                  "be defined (imported) before its file is loaded")
        model_class = Model.classes[name]
        input_shape = config.pop("input_shape")
        networks = {part: [Layer.from_config(layer) for layer in config.pop(part)]
                    for part in model_class.networks if part in config}
        model = model_class(**networks, **config, backend=backend)
        model.build(input_shape)
        return model

    # Checks of data.

    @property
    def row_shape(self):
        """The shape of an example as `forward` takes it."""
        return self.input_shape

    def as_examples(self, x):
        """Return x as examples of this model: an array, int32 for words, or Batches.

        Slices of either are arrays of the model's dtype, and so is np.asarray of either.
        """
        self.check_built()
        first = next(iter(self.parts.values()))
        x = checks.examples("x", x, self.input_shape, first.input_dtype or self.dtype,
                            self.loss.takes_missing)
        if first.vocabulary_size:
            check_indices("x", x, first.vocabulary_size)
        return x

    def on_device(self, x, y):
        """Return both where the backend computes; a device takes Batches as whole arrays."""
        there = self.kernels.from_host(x)
        return there, there if y is x else self.kernels.from_host(y)
