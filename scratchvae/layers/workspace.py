"""Arrays that a layer writes its results into."""
import math


class Workspace:
    """Named arrays of a backend, made when they are first asked for.

    In a model an array of one name is handed out again at the next call, so a training step
    allocates nothing, and a layer's result is overwritten by its next call. A layer on its own
    returns fresh arrays.

    Parameters
    ----------
    kernels : module
        The backend.
    dtype : str
        The dtype of the arrays, unless a call gives another.
    reuse : bool
        Whether memory is reused, as in a model.
    """

    def __init__(self, kernels, dtype, reuse=False):
        self.kernels = kernels
        self.dtype = dtype
        self.reuse = reuse
        self._memory = {}       # name -> the largest flat array asked for so far
        self._views = {}        # (name, shape) -> a view of it

    def array(self, name, shape, dtype=None):
        """Return an array of undefined contents.

        Parameters
        ----------
        name : str
            Arrays of one name share memory, and must have one dtype.
        shape : tuple of int
        dtype : str, optional
        """
        if not self.reuse:
            return self.kernels.empty(shape, dtype or self.dtype)
        view = self._views.get((name, shape))
        return self._make(name, shape, dtype or self.dtype) if view is None else view

    def _make(self, name, shape, dtype):
        """Return a view of a name's memory, which grows if it is too small."""
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].size < size:
            self._memory[name] = self.kernels.empty(size, dtype)
            self._views = {key: view for key, view in self._views.items() if key[0] != name}
        view = self._memory[name][:size].reshape(shape)
        self._views[name, shape] = view
        return view
