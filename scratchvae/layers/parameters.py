"""All parameters of a model in one flat array, all gradients in another, and named views into both."""
from kernels.arrays import ALIGNMENT


class Parameters:
    """Moves the parameters of built layers into two flat arrays; `layer.params` and `layer.grads` become views of them.

    So an optimizer is one loop, and a checkpoint one array.  `values` and `gradients` are the flat arrays, each parameter at
    the start of a cache line, with zeros between; `names` has "encoder/dense/kernel" and the like, in Keras's order; `count` is
    how many parameters there are.
    """

    def __init__(self, layers, kernels, dtype):
        """layers: a dict of path -> built layer, in the order of the model."""
        owners = [(layer, name, f"{path}/{name}") for path, layer in layers.items() for name in layer.params]
        self.names = [path for _, _, path in owners]
        self.count = sum(layer.params[name].size for layer, name, _ in owners)
        stops, length = [], 0
        for layer, name, _ in owners:
            length += layer.params[name].size
            stops.append(length)
            length += -length % ALIGNMENT
        self.values, self.gradients = kernels.zeros(length, dtype), kernels.zeros(length, dtype)
        self._views = {}
        for (layer, name, path), stop in zip(owners, stops):
            shape, here = layer.params[name].shape, slice(stop - layer.params[name].size, stop)
            value, gradient = self.values[here].reshape(shape), self.gradients[here].reshape(shape)
            layer.bind(name, value, gradient)
            self._views[path] = value

    def __getitem__(self, path):
        """The parameter of that name, a view: writing to it changes the model."""
        return self._views[path]
