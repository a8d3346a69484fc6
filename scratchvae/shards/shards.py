"""The shards of a batch."""
import zlib

import numpy as np

from ..errors import ScratchVAEError
from ..kernels import arrays
from .processes import ONE
from .tree import Tree

NOISE = 32                      # the bit of a noise's step where the number of the shard begins


class Shards:
    """Cuts batches into V shards, and adds up the gradients of the shards as one tree.

    A batch's gradient is a mean over its examples: the sum of the shards' gradients, each weighted
    by its share of the examples. Each of R processes has V / R neighbouring shards, a subtree; the
    processes add the rest of the tree. So the bits depend on V, but not on R.

    Where V = 1 nothing is computed here.

    Parameters
    ----------
    model : Model
        Built.
    count : int
        V, a power of two.
    processes : One or Several
    """

    def __init__(self, model, count, processes=ONE):
        if count < processes.count:
            raise ScratchVAEError(f"fit: {processes.count} processes need at least as many shards, "
                                  f"got shards={count}")
        self.model = model
        self.kernels = model.kernels
        self.count = count
        self.processes = processes
        share = count // processes.count
        self.mine = range(processes.rank * share, (processes.rank + 1) * share)
        self.tree = Tree(self.kernels, share)
        self.small_tree = Tree(arrays, share)
        self.received = []                  # signals
        self.agreed = False                 # whether a process received any

    def of(self, indices):
        """Yield the number of each shard of this process, and its part of the batch's indices.

        The first shard comes last: what the model then holds is of the batch's first examples,
        on any number of processes. Shards of a small batch may be empty, but never the first.
        """
        if self.count == 1:
            yield 0, indices
            return
        self.before = self._state()
        total = len(indices)
        for shard in reversed(self.mine):
            start, stop = (-(-total * edge // self.count) for edge in (shard, shard + 1))
            yield shard, indices[start:stop]

    def first(self, indices):
        """Return the indices of the first shard."""
        return indices[:-(-len(indices) // self.count)]

    # One step: push() or push_nothing() for each shard, then sum().

    def begin(self, x):
        """Begin a training with the examples x of the first shard."""
        if self.count > 1:
            self.model.begin(x)

    def push(self, share, loss):
        """Add the model's gradients and state, weighted, and the loss, of a shard.

        The model's state is then as it was before the step: each shard starts from there.

        Parameters
        ----------
        share : float
            Of the batch's examples.
        loss : float or None
            The mean over the shard's examples. None is allowed if the batch is one shard.
        """
        if self.count == 1:
            self.loss = loss
            return
        gradients = self.model.parameters.gradients
        self.kernels.scale(gradients, share)
        self._push(gradients, share * np.concatenate([[0.0, loss], self._state()]))

    def push_nothing(self):
        """Add the zeros of an empty shard."""
        gradients = self.model.parameters.gradients
        self.kernels.fill(gradients, 0)
        self._push(gradients, np.zeros(2 + self.before.size))

    def _push(self, gradients, small):
        self.tree.push(gradients)
        self.small_tree.push(small)
        self.small = small
        self._set_state(self.before)

    def sum(self):
        """Give the model the gradients and the state of the whole batch; return its mean loss."""
        if self.count == 1:
            return self.loss
        self.small[0] = bool(self.received)
        self.processes.sum_small(self.small)
        if self.processes.count > 1:
            gradients = self.kernels.to_host(self.model.parameters.gradients)
            self.processes.sum(gradients)
            if gradients is not self.model.parameters.gradients:        # a device's
                self.kernels.copy(gradients, self.model.parameters.gradients)
        self.agreed = bool(self.small[0])
        self._set_state(self.small[2:])
        return self.small[1]

    def _state(self):
        """Return the model's state as one flat array, float64: moving averages are few numbers."""
        arrays = [self.kernels.to_host(array).ravel() for array in self.model.state.values()]
        return np.concatenate([np.empty(0), *arrays])

    def _set_state(self, flat):
        start = 0
        for array in self.model.state.values():
            values = flat[start:start + array.size].reshape(array.shape)
            self.kernels.copy(values.astype(array.dtype), array)
            start += array.size

    # What the processes agree on.

    def listen(self, received):
        """Look from now on at a list of the signals that this process received."""
        self.received = received

    @property
    def interrupted(self):
        """Whether a signal asked this process, or by the last sum any of several, to stop."""
        return bool(self.received) if self.processes.count == 1 else self.agreed

    def check_alike(self):
        """Compare the parameters of all processes, by a checksum, and whether one shall stop.

        Raises
        ------
        ScratchVAEError
            If the parameters differ.
        """
        if self.processes.count == 1:
            return
        checksum = zlib.crc32(self.kernels.to_host(self.model.parameters.values))
        self.processes.compare({"the parameters (checksum)": f"{checksum:08x}"})
        self.agreed |= any(self.processes.gather(bool(self.received)))

    def mine_of(self, sums):
        """Return the sums of losses (3 V,) of all shards with zeros for those of others."""
        mine = np.zeros_like(sums)
        here = slice(3 * self.mine.start, 3 * self.mine.stop)
        mine[here] = sums[here]
        return mine
