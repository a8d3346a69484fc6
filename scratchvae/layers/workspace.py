"""Arrays that a layer writes its results into."""
import math


class Workspace:
    """Named arrays of a backend, made when first asked for.

    In a model (reuse=True) an array of one name is handed out again at the next call, so that a training step allocates
    nothing; what a layer returned is then overwritten by its next call.  A layer on its own returns fresh arrays.
    """

    def __init__(self, kernels, dtype, reuse=False):
        self.kernels = kernels
        self.dtype = dtype
        self.reuse = reuse
        self._memory = {}       # name -> the largest flat array asked for so far
        self._views = {}        # (name, shape) -> a view of it

    def array(self, name, shape, dtype=None):
        """An array of that name and shape, its contents undefined.  A name has one dtype, the work space's own unless given."""
        if not self.reuse:
            return self.kernels.empty(shape, dtype or self.dtype)
        view = self._views.get((name, shape))
        return self._make(name, shape, dtype or self.dtype) if view is None else view

    def _make(self, name, shape, dtype):
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].size < size:
            self._memory[name] = self.kernels.empty(size, dtype)
            self._views = {key: view for key, view in self._views.items() if key[0] != name}
        view = self._views[name, shape] = self._memory[name][:size].reshape(shape)
        return view
