"""This library in a benchmark, with the interface of its peers."""
from ... import __version__, optimizers
from ...models import Model


class Trainer:
    """The model's own training step, as fit calls it."""

    version = f"scratchvae {__version__}"

    def __init__(self, model, optimizer, batch_size, threads, backend="cpu"):
        self.model = Model.from_config(model, backend)
        self.kernels = self.model.kernels
        if backend == "cuda":
            self.version += " on the device"
        else:
            self.kernels.set_threads(threads)
        optimizer = dict(optimizer)
        self.optimizer = getattr(optimizers, optimizer.pop("class"))(**optimizer)
        self.optimizer.build(self.model.parameters, self.model.kernels)

    @property
    def launches(self):
        """How many kernels have been launched on a device, or None."""
        return self.kernels.launched() if self.kernels.NAME == "cuda" else None

    def put(self, x):
        """A batch where the backend computes."""
        return self.kernels.from_host(x)

    def step(self, x):
        """One training step: forward, backward, update, with new noise."""
        self.model.noise.step += 1
        self.model.train_step(x, self.optimizer, self.model.kl_weight(self.model.noise.step))

    def wait(self):
        """Until the device has computed what it was asked for."""
        self.kernels.synchronize()
