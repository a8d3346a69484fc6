"""All parameters of a model in one flat array, all gradients in another, and named views into both."""
import numpy as np


class Parameters:
    """Moves the parameters of built layers into two flat arrays; `layer.params` and `layer.grads` become views of them.

    So an optimizer is one loop, and a checkpoint one array.  `values` and `gradients` are the flat arrays; `names` has
    "encoder/dense/kernel" and the like, in Keras's order.
    """

    def __init__(self, layers, dtype):
        """layers: a dict of path -> built layer, in the order of the model."""
        owners = [(layer, name, f"{path}/{name}") for path, layer in layers.items() for name in layer.params]
        self.names = [path for _, _, path in owners]
        self.values = np.zeros(sum(layer.params[name].size for layer, name, _ in owners), dtype)
        self.gradients = np.zeros_like(self.values)
        self._views = {}
        start = 0
        for layer, name, path in owners:
            shape, stop = layer.params[name].shape, start + layer.params[name].size
            value, gradient = self.values[start:stop].reshape(shape), self.gradients[start:stop].reshape(shape)
            value[...] = layer.params[name]
            layer.params[name], layer.grads[name] = value, gradient
            self._views[path] = value
            start = stop

    def __getitem__(self, path):
        """The parameter of that name, a view: writing to it changes the model."""
        return self._views[path]
