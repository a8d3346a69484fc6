"""All parameters of a model in one flat array, and all gradients in another."""
from ..kernels.arrays import ALIGNMENT


class Parameters:
    """Moves the parameters of built layers into two flat arrays.

    `layer.params` and `layer.grads` become views of them, so an optimizer is one loop, and a
    checkpoint is one array.

    Parameters
    ----------
    layers : dict of path -> built layer
        In the order of the model.
    kernels : module
        The backend.
    dtype : str

    Attributes
    ----------
    values, gradients : arrays
        Each parameter starts at a cache line, with zeros between them.
    names : list of str
        "encoder/dense/kernel" and so on, in Keras's order.
    count : int
        How many parameters there are.
    """

    def __init__(self, layers, kernels, dtype):
        owners = [(layer, name, f"{path}/{name}")
                  for path, layer in layers.items() for name in layer.params]
        self.names = [path for _, _, path in owners]
        self.count = sum(layer.params[name].size for layer, name, _ in owners)
        stops = []
        length = 0
        for layer, name, _ in owners:
            length += layer.params[name].size
            stops.append(length)
            length += -length % ALIGNMENT
        self.kernels = kernels
        self.values = kernels.zeros(length, dtype)
        self.gradients = kernels.zeros(length, dtype)
        self._views = {}
        self._gradient_views = {}
        for (layer, name, path), stop in zip(owners, stops):
            shape = layer.params[name].shape
            here = slice(stop - layer.params[name].size, stop)
            value = self.values[here].reshape(shape)
            gradient = self.gradients[here].reshape(shape)
            layer.bind(name, value, gradient)
            self._views[path] = value
            self._gradient_views[path] = gradient

    def __getitem__(self, path):
        """Return the parameter of that name, a view: writing to it changes the model."""
        return self._views[path]

    def gradient(self, path):
        """Return the gradient of the parameter of that name, as the optimizer sees it: a view."""
        return self._gradient_views[path]
