"""This library in a benchmark, with the interface of its peers (see peers/__init__.py)."""
from pathlib import Path

from ... import __version__, optimizers
from ...models import Model


class Trainer:
    """The model's own training step, as fit calls it.

    Parameters
    ----------
    model, optimizer : dict
        Their configs.
    batch_size : int
        Not used; an argument of every Trainer.
    threads : int
        How many threads the CPU backend uses.
    backend : {"cpu", "cuda"}, default "cpu"
    """

    version = f"scratchvae {__version__}"

    def __init__(self, model, optimizer, batch_size, threads, backend="cpu"):
        self.model = Model.from_config(model, backend)
        self.kernels = self.model.kernels
        if backend == "cuda":
            self.version += " on the device"
        else:
            self.kernels.set_threads(threads)
        if backend not in ("cpu", "cuda"):
            self.version += f", {Path(backend).name}"
        arguments = dict(optimizer)
        optimizer_class = getattr(optimizers, arguments.pop("class"))
        self.optimizer = optimizer_class(**arguments)
        self.optimizer.build(self.model.parameters, self.model.kernels)

    @property
    def launches(self):
        """The number of kernel launches on a device so far, or None without a device."""
        return self.kernels.launched() if self.kernels.NAME == "cuda" else None

    def put(self, x):
        """Return a batch where the backend computes."""
        return self.kernels.from_host(x)

    def step(self, x):
        """Do one training step with new noise: forward, backward, update."""
        noise = self.model.noise
        noise.step += 1
        self.model.train_step(x, self.optimizer, self.model.kl_weight(noise.step))

    def wait(self):
        """Return when the device has finished all steps."""
        self.kernels.synchronize()
