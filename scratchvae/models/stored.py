"""How a model leaves its program and comes back: as weights, as a file, as a copy."""
import numpy as np

from ..concurrency import in_turn
from ..errors import ScratchVAEError
from ..storage import read_arrays, understood, write_arrays


class Stored:
    """The part of a Model that exchanges, saves, loads and copies its weights.

    A model has `weights`, `get_config` and `from_config`, which this part uses.
    """

    def get_weights(self):
        """Return copies of all weights, NumPy arrays in Keras's order (see `weights`)."""
        self.check_built()
        return [self.kernels.to_host(weight).copy() for weight in self.weights.values()]

    @in_turn
    def set_weights(self, weights):
        """Set all weights from a list as get_weights returns it."""
        self.check_built()
        own = self.weights
        given = [np.shape(weight) for weight in weights]
        expected = [tuple(weight.shape) for weight in own.values()]
        if given != expected:
            raise ScratchVAEError(f"{self.name}: weights have shapes {given}, "
                                  f"expected {dict(zip(own, expected))}")
        for weight, value in zip(own.values(), weights):
            self.kernels.copy(np.ascontiguousarray(value, self.dtype), weight)

    def save_weights(self, path):
        """Write the weights to a file for load_weights: the same that save writes."""
        self.save(path)

    def load_weights(self, path):
        """Set all weights from a file that save_weights or save wrote, of a model like this one."""
        self.check_built()
        arrays, _ = read_arrays(path, "model")
        self._take_weights(arrays, path)

    def _take_weights(self, arrays, path):
        """Set all weights from the arrays of a file."""
        weights = self.weights
        for name, weight in weights.items():
            if name not in arrays or arrays[name].shape != weight.shape:
                raise ScratchVAEError(f"{path}: {name} is missing or has a wrong shape: damaged, "
                                      "or of another model")
        self.set_weights([arrays[name] for name in weights])

    def arguments(self):
        """Return the arguments that make this model again, with layers that are not built."""
        config = self.get_config()
        del config["class"], config["input_shape"]
        for part in self.networks:
            if part in config:
                config[part] = self.parts[part].fresh_layers()
        return config | {"backend": self.backend}

    def __reduce__(self):
        """Copy and pickle the model as its arguments, its weights, and how far it is trained."""
        weights = None if self.input_shape is None else self.get_weights()
        return _restore, (type(self), self.arguments(), self.input_shape, weights,
                          {"trained": self.trained, "has_targets": self.has_targets})

    def twin(self):
        """Return a model with the weights of this one, not copies, and work space of its own.

        It is for calls that leave the weights alone, beside those of this model.
        """
        twin = type(self)(**self.arguments())
        twin.build(self.input_shape)
        for layer, own in zip(twin.layers.values(), self.layers.values()):
            layer.set_weights(own.get_weights())        # bind copies them into the arrays
            for name in own.params:
                layer.bind(name, own.params[name], own.grads[name])
            layer.state = own.state
        twin.parameters = self.parameters
        twin.has_targets = self.has_targets
        twin.is_twin = True
        return twin

    def save(self, path):
        """Write the model, its configuration, parameters and state, to one file."""
        self.check_built()
        weights = {name: self.kernels.to_host(weight) for name, weight in self.weights.items()}
        write_arrays(path, weights, {"kind": "model", "config": self.get_config(),
                                     "has_targets": self.has_targets})

    @classmethod
    def load(cls, path, backend="cpu"):
        """Return the model that `save` wrote.

        Parameters
        ----------
        path : path
        backend : str

        Raises
        ------
        ScratchVAEError
            If the file is missing, damaged, or holds a model of another class.
        """
        arrays, description = read_arrays(path, "model")
        with understood(path):
            model = cls.from_config(description["config"], backend)
            model.has_targets = bool(description.get("has_targets"))    # older files lack it
        if not isinstance(model, cls):
            raise ScratchVAEError(f"{path}: holds a model of class {model.name}, "
                                  f"expected {cls.__name__}")
        model._take_weights(arrays, path)
        return model


def _restore(model_class, arguments, input_shape, weights, state):
    """Return the model that __reduce__ took apart."""
    model = model_class(**arguments)
    if input_shape is not None:
        model.build(input_shape)
        model.set_weights(weights)
        vars(model).update(state)
    return model
