"""The record of training, step by step: the loss of every batch, and some reconstructions."""
import math

import numpy as np

from ..errors import ScratchVAEError
from ..storage import read_arrays, write_arrays
from ..training.callback import Callback


class Record(Callback):
    """A callback of fit that records every training step and writes the record to a file.

    Parameters
    ----------
    model : Model
        The model that is trained.
    every : int
        Keep a reconstruction every so many steps.
    path : path, optional
        The file. It is written before the first step, after each epoch, and when training is
        interrupted. Without a path the record is kept in memory only.

    Attributes
    ----------
    losses : list of float
        The loss of each step's batch; NaN where it is unknown.
    recorded : list of int
        The numbers of the steps of which an input and an output are kept.
    inputs, outputs : list of array
        The first example of the batch of each such step, and its reconstruction from the z that
        was sampled in the step.
    """

    def __init__(self, model, every, path=None):
        self.model = model
        self.every = every
        self.path = path
        self.losses = []
        self.recorded = []
        self.inputs = []
        self.outputs = []

    def on_train_begin(self, history):
        """Write the record."""
        self.save()

    def on_epoch_end(self, history):
        """Write the record."""
        self.save()

    def on_interrupt(self, history):
        """Write the record."""
        self.save()

    def on_step_end(self, step, batch, loss):
        """Record a step; see Callback."""
        self.losses.append(loss)
        if step % self.every == 0:
            self.recorded.append(step)
            shape = self.model.input_shape
            row = self._first(batch).reshape(-1)            # a conditional model's ends in a label
            self.inputs.append(row[:math.prod(shape)].reshape(shape))
            self.outputs.append(self._first(self.model.loss.output))

    def _first(self, array):
        """Return a copy of an array's first example: the array itself is a reused buffer."""
        return self.model.kernels.to_host(array[:1])[0].copy()

    @property
    def steps(self):
        """The numbers of the steps, from 1."""
        return np.arange(1, len(self.losses) + 1)

    def save(self):
        """Write the record to its file, if it has one."""
        if self.path is None:
            return
        shape = (-1, *self.model.input_shape)
        arrays = {
            "losses": np.array(self.losses),
            "recorded": np.array(self.recorded, np.int64),
            "inputs": np.array(self.inputs, np.float32).reshape(shape),
            "outputs": np.array(self.outputs, np.float32).reshape(shape),
        }
        write_arrays(self.path, arrays, {"kind": "record", "every": self.every})

    @classmethod
    def load(cls, path, model, steps=None):
        """Return the record of a file.

        Parameters
        ----------
        path : path
            A file that save wrote.
        model : Model or None
            The model that is trained; None if the record is only read.
        steps : int, optional
            Return the record as it was after this step: training may resume from an earlier
            checkpoint. By default, all steps.

        Returns
        -------
        Record

        Raises
        ------
        ScratchVAEError
            If the file is missing or damaged.
        """
        arrays, description = read_arrays(path, "record")
        missing = {"losses", "recorded", "inputs", "outputs"} - arrays.keys()
        if missing or not isinstance(description.get("every"), int):
            raise ScratchVAEError(f"{path}: damaged: it lacks "
                                  f"{', '.join(sorted(missing)) or 'how often it recorded'}")
        record = cls(model, description["every"], path)
        record.losses = arrays["losses"][:steps].tolist()
        kept = arrays["recorded"] <= len(record.losses)
        record.recorded = list(arrays["recorded"][kept])
        record.inputs = list(arrays["inputs"][kept])
        record.outputs = list(arrays["outputs"][kept])
        if steps is not None:
            # The record is behind the checkpoint if a kill came between writing the two.
            record.losses += [math.nan] * (steps - len(record.losses))
        return record
