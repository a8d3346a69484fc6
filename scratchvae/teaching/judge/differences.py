"""Central differences of an operation: its backward pass against its own forward pass.

The names say what belongs together: `dx` is the gradient of the forward pass's `x`, `dout` the
upstream gradient of its first output, `dz` that of its output `z`. An operation without an upstream
gradient, such as a loss, belongs to the mean over the batch of the forward pass's last output.
"""
import numpy as np

from ...gradcheck.check import central_difference, relative_error
from ...kernels import cases
from ...kernels.backend import make_scratch
from .calls import forward_of, in_one_line

TOLERANCE = 1e-5
STEPS = (1e-4, 1e-3, 1e-5)


class Differences:
    """L as a function of the forward pass's arrays, and the gradients that the backward pass gives.

    Parameters
    ----------
    backend : module
    call : Call
        Of a backward pass, in float64.
    """

    def __init__(self, backend, call):
        self.backend = backend
        self.case = call.case
        self.backward = call.case.declaration
        self.forward = getattr(backend, forward_of(self.backward.name)).declaration
        self.arrays = {name: array for name, array in call.forward.items() if array is not None}
        if "mean" in self.forward.arrays and not self.forward.arrays["mean"].output:
            self.arrays |= {name: call.arrays[name] for name in ("mean", "variance")}
        self.given = call.arrays
        outputs = [array.name for array in self.forward.arrays.values()
                   if array.output and not array.integer]
        upstream = [name for name in (f"d{output}" for output in outputs)
                    if name in self.backward.arrays and not self.backward.arrays[name].output]
        self.upstream = upstream[0] if upstream else None
        if "dout" in self.backward.arrays:
            self.upstream = "dout"
        self.output = (self.upstream or "")[1:]
        if self.output not in outputs:
            self.output = outputs[0] if self.upstream else outputs[-1]
            if not self.upstream and "loss" in outputs:
                self.output = "loss"

    @property
    def possible(self):
        """Whether the backward pass is the derivative of this L for the options of the case."""
        return not self.case.options.get("free_bits")

    def scratch(self):
        """Return new work space."""
        return make_scratch(self.backend, self.forward, self.case.sizes,
                            self.case.options, np.dtype(np.float64))

    def loss(self):
        """Return L for the present contents of the arrays."""
        arrays = dict(self.arrays)
        cases.call(getattr(self.backend, self.forward.name), arrays,
                   self.case.options, self.scratch())
        output = arrays[self.output]
        if self.upstream:
            return float(np.sum(self.given[self.upstream] * output))
        return float(self.case.options.get("weight", 1) * output.mean())

    def gradients(self):
        """Return forward array -> gradient, from the backward pass."""
        scratch = self.scratch()
        arrays = dict(self.arrays)
        cases.call(getattr(self.backend, self.forward.name), arrays,
                   self.case.options, scratch)
        given = {name: array if array is None else array.copy()
                 for name, array in self.given.items()}
        given |= {name: arrays[name] for name in arrays.keys() & given.keys()
                  if not self.backward.arrays[name].output and name != self.upstream}
        before = {name: array.copy() for name, array in given.items() if array is not None}
        cases.call(getattr(self.backend, self.backward.name), given,
                   self.case.options, scratch)
        found = {}
        for name, declared in self.backward.arrays.items():
            source = name[1:]
            if declared.output and name[0] == "d" and given[name] is not None:
                if source in self.forward.arrays and not self.forward.arrays[source].output:
                    change = given[name] - before[name] if declared.updated else given[name]
                    found[source] = change
        return found

    def compare(self, every=True):
        """Return array -> (largest relative error, index, analytic, numeric).

        Parameters
        ----------
        every : bool
            Check every element. Otherwise at most 12 of each array, evenly spread.
        """
        found = {}
        for name, gradient in self.gradients().items():
            array = self.arrays[name] = np.ascontiguousarray(self.arrays[name])
            count = array.size if every else min(array.size, 12)
            chosen = np.unique(np.linspace(0, array.size - 1, count).astype(int))
            floor = max(1e-3 * np.abs(gradient).max(initial=0), 1e-7 * abs(self.loss()), 1e-10)
            worst = (-1.0, 0, 0.0, 0.0)
            for i in chosen:
                analytic = gradient.flat[i]
                error = np.inf
                for h in STEPS:
                    numeric = central_difference(self.loss, array, i, h)
                    error = min(error, relative_error(analytic, numeric, floor))
                    if error <= TOLERANCE:
                        break
                if not error <= worst[0]:
                    worst = (error, int(i), float(analytic), float(numeric))
            found[name] = worst
        return found


def check(backend, call, every=True):
    """Return array -> (error, index, analytic, numeric), or an error's text.

    Parameters
    ----------
    backend : module
    call : Call
        Of a backward pass in float64.
    every : bool
        See Differences.compare.
    """
    try:
        with np.errstate(all="ignore"):
            differences = Differences(backend, call)
            return differences.compare(every) if differences.possible else {}
    except Exception as error:
        return in_one_line(error)
