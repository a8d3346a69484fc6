"""What happened during training, step by step: the loss of every batch, and now and then an input with what the model made of it."""
import math

import numpy as np

from ..storage import read_arrays, write_arrays


class Record:
    """Called after every training step by fit.

    losses has the loss of each step's batch; recorded the numbers of the steps, every `every` of them, of which inputs and
    outputs have the batch's first example and its reconstruction, through the z that was sampled for it.
    """

    def __init__(self, model, every):
        self.model, self.every = model, every
        self.losses, self.recorded, self.inputs, self.outputs = [], [], [], []

    def __call__(self, step, batch, loss):
        self.losses.append(loss)
        if step % self.every == 0:
            self.recorded.append(step)
            first = [self.model.kernels.to_host(array[:1])[0].copy() for array in (batch, self.model.loss.output)]
            self.inputs.append(first[0])
            self.outputs.append(first[1])

    @property
    def steps(self):
        """The numbers of the steps, from 1."""
        return np.arange(1, len(self.losses) + 1)

    def save(self, path):
        """Write it all."""
        shape = (-1, *self.model.input_shape)
        arrays = {"losses": np.array(self.losses), "recorded": np.array(self.recorded, np.int64),
                  "inputs": np.array(self.inputs, np.float32).reshape(shape), "outputs": np.array(self.outputs, np.float32).reshape(shape)}
        write_arrays(path, arrays, {"kind": "record", "every": self.every})

    @classmethod
    def load(cls, path, model, steps=None):
        """What save wrote, up to that many steps: training may go on from an earlier one."""
        arrays, description = read_arrays(path, "record")
        record = cls(model, description["every"])
        record.losses = arrays["losses"][:steps].tolist()
        kept = arrays["recorded"] <= len(record.losses)
        record.losses += [math.nan] * ((steps or 0) - len(record.losses))       # killed after the checkpoint, before the record
        record.recorded, record.inputs, record.outputs = (list(arrays[name][kept]) for name in ("recorded", "inputs", "outputs"))
        return record
