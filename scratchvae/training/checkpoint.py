"""What a checkpoint of a training holds, and how a training goes on from it to the same bits."""
import json
import operator
import zlib
from dataclasses import dataclass

from ..batches import batches_of
from ..errors import ScratchVAEError
from ..optimizers import Optimizer
from ..storage import read_arrays, understood, write_arrays
from .history import History


@dataclass
class Trained:
    """How far a model is trained: where the next fit goes on."""
    epochs: int = 0
    steps: int = 0
    optimizer: Optimizer = None


class Resumable:
    """The part of a Training that writes its state and returns to it."""

    def _fixed(self):
        """Return all that must not change between a training and its resumption."""
        settings = self.settings
        fixed = {"model": self.model.get_config(), "optimizer": self.optimizer.get_config(),
                 "batch_size": settings.batch_size, "seed": settings.seed,
                 "data": self.fingerprint, "shuffle": settings.shuffle}
        callbacks = [callback.get_config() for callback in self._with_state()]
        if callbacks:
            fixed["callbacks"] = callbacks
        if settings.shards > 1:
            fixed["shards"] = settings.shards
        if settings.metrics:
            fixed["metrics"] = list(settings.metrics)
        return json.loads(json.dumps(fixed))            # tuples become lists, as in the file

    def _with_state(self):
        """Return the callbacks whose state belongs to that of training."""
        return [callback for callback in self.settings.callbacks if callback.get_config()]

    def copy_of_weights(self):
        """Return copies of the arrays of the model by name, on the host."""
        return {name: self.kernels.to_host(array).copy()
                for name, array in self._weights().items()}

    def remember_weights(self):
        """Keep a copy of the weights, unless the checkpoint has them: it is written now."""
        self.copy = None                    # first: two copies would need twice the memory
        if not self.settings.checkpoint:
            self.copy = self.copy_of_weights()

    def remembered_weights(self):
        """Return the weights that remember_weights kept, by name."""
        if not self.settings.checkpoint:
            return self.copy
        arrays, _ = self._read(self.settings.checkpoint)
        return arrays

    def return_to(self, weights):
        """Give the model the weights that copy_of_weights returned."""
        for name, array in self._weights().items():
            self.kernels.copy(weights[name], array)

    def _weights(self):
        """Return the arrays of the model by name, where the backend computes."""
        return {"parameters": self.model.parameters.values, **self.model.state}

    def _arrays(self):
        """Return all arrays of the state by name, where the backend computes."""
        return {**self._weights(), "sums": self.sums, **self.optimizer.slots}

    def save(self, path):
        """Let process 0 write the whole state to a file, if one is given."""
        sums = self.sums_of_all().ravel()
        if path:
            self.settings.processes.share(lambda: self._write(path, sums))

    def _write(self, path, sums):
        arrays = {name: self.kernels.to_host(array) for name, array in self._arrays().items()}
        arrays["sums"] = sums
        state = {"kind": "checkpoint", "settings": self._fixed(), "history": self.history.rows,
                 "epoch": self.epoch, "step": self.step, "seconds": self.seconds,
                 "updates": self.optimizer.step, "reduced_rate": self.optimizer.reduced_rate,
                 "before": [self.before.epochs, self.before.steps],
                 "stop": self.stop, "callbacks": []}
        for number, callback in enumerate(self._with_state()):
            own, values = callback.get_state()
            arrays |= {f"callback_{number}/{name}": array for name, array in own.items()}
            state["callbacks"].append(values)
        write_arrays(path, arrays, state)

    def load(self, path):
        """Return to the state that `save` wrote."""
        arrays, state = self._read(path)
        with understood(path):
            self._take(arrays, state, path)

    def _read(self, path):
        """Let process 0 read a checkpoint; return its arrays and its state."""
        return self.settings.processes.share(lambda: read_arrays(path, "checkpoint"))

    def _take(self, arrays, state, path):
        """Return to the state in the content of a checkpoint."""
        fixed = self._fixed()
        for name in {**fixed, **state["settings"]}:
            now = fixed.get(name)
            then = state["settings"].get(name)
            if then != now:
                change = "another model" if name == "model" else f"{name} {then}, not {now}"
                raise ScratchVAEError(f"{path}: was trained with {change}; "
                                      "resume with the same model, data and settings")
        for name, array in self._arrays().items():
            if arrays[name].shape != tuple(array.shape):
                raise ValueError(f"{name} has a wrong shape")
            self.kernels.copy(arrays[name], array)
        self.optimizer.step = operator.index(state["updates"])
        self.optimizer.reduced_rate = state.get("reduced_rate")
        self.stop = bool(state.get("stop", False))
        for number, callback in enumerate(self._with_state()):
            prefix = f"callback_{number}/"
            own = {name.removeprefix(prefix): array for name, array in arrays.items()
                   if name.startswith(prefix)}
            callback.set_state(own, state["callbacks"][number])
        self.before = Trained(*state.get("before", (0, 0)))
        self.history = History(state["history"])
        self.epoch = operator.index(state["epoch"])
        self.start_epoch()
        self.kernels.copy(self.shards.mine_of(arrays["sums"]), self.sums)
        self.step = operator.index(state["step"])
        self.seconds = float(state["seconds"])
        if self.epoch > self.settings.epochs:
            raise ScratchVAEError(f"{path}: has {self.epoch} epochs already; epochs must be at "
                                  f"least as many, got {self.settings.epochs}")


def fingerprint(x, y):
    """Return the number of examples and a checksum of them and their targets, as text."""
    checksum = 0
    for examples in [x] if y is x else [x, y]:
        for batch in batches_of(examples):
            checksum = zlib.crc32(batch, checksum)
    return f"{len(x):,} examples with checksum {checksum:08x}"


def steps_in(checkpoint):
    """Return how many training steps a checkpoint has behind it."""
    _, state = read_arrays(checkpoint, "checkpoint")
    return state["updates"]
