"""Arrays that a layer writes its results into."""
import numpy as np

ALIGNMENT = 64                  # bytes: a cache line, so that a vector never straddles two


def aligned_zeros(shape, dtype):
    """np.zeros, with the first element at the start of a cache line."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start:start + size].view(dtype).reshape(shape)


class Workspace:
    """Named arrays, made when first asked for.

    In a model (reuse=True) an array of one name is handed out again at the next call, so that a training step allocates
    nothing; what a layer returned is then overwritten by its next call.  A layer on its own returns fresh arrays.
    """

    def __init__(self, dtype, reuse=False):
        self.dtype = np.dtype(dtype)
        self.reuse = reuse
        self._memory = {}       # name -> the largest flat array asked for so far
        self._views = {}        # (name, shape) -> a view of it

    def array(self, name, shape, dtype=None):
        """An array of that name and shape, its contents undefined.  A name has one dtype, the work space's own unless given."""
        if not self.reuse:
            return np.empty(shape, dtype or self.dtype)
        view = self._views.get((name, shape))
        return self._make(name, shape, dtype or self.dtype) if view is None else view

    def _make(self, name, shape, dtype):
        size = int(np.prod(shape))
        if name not in self._memory or self._memory[name].size < size:
            self._memory[name] = aligned_zeros(size, dtype)
            self._views = {key: view for key, view in self._views.items() if key[0] != name}
        view = self._views[name, shape] = self._memory[name][:size].reshape(shape)
        return view
