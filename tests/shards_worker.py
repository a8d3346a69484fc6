"""What each of several processes does in test_shards.py."""
import os
import signal
import sys
from pathlib import Path

import numpy as np
from helpers import small_vae, without_seconds

from scratchvae import kernels
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import BatchNormalization, Dense
from scratchvae.models import IWAE, VAE, VQVAE, Autoencoder
from scratchvae.shards import mpi, started
from scratchvae.training import Callback


def with_batchnorm(**options):
    return VAE([Dense(7, "relu"), BatchNormalization()], 3,
               [Dense(6, "relu"), BatchNormalization(), Dense(12, "sigmoid")], **options)


def vqvae(**options):
    return VQVAE([Dense(7, "relu"), BatchNormalization()], 4, [Dense(12, "sigmoid")], codes=8,
                 code_dim=2, **options)


MODELS = {
    "vae": small_vae,
    "batchnorm": with_batchnorm,
    "vqvae": vqvae,
    "autoencoder": lambda **options: Autoencoder([Dense(5, "relu"), Dense(2)],
                                                 [Dense(12, "sigmoid")], **options),
    "iwae": lambda **options: IWAE([Dense(7, "relu")], 2, [Dense(12, "sigmoid")], samples=3,
                                   **options),
}


def trained(model, x, epochs=2, **options):
    """Train a model; return all of its weights, and the history."""
    history = model.fit(x, epochs=epochs, batch_size=16, validation_data=x, seed=5, progress=False,
                        **options)
    return {name: array.tobytes() for name, array in model.weights.items()}, \
        without_seconds(history)


def data(seed=0):
    """50 examples for the models of test_shards.py."""
    return np.random.default_rng(seed).random((50, 12)).astype(np.float32)


def train_all(processes):
    """Return the bits of all models, trained in four shards, as text."""
    return "\n".join(f"{name}: {trained(make(), data(), shards=4, processes=processes)}"
                     for name, make in MODELS.items())


class At(Callback):
    """Calls a function after the second step."""

    def __init__(self, function):
        self.function = function

    def on_step_end(self, step, batch, loss):
        if step == 2:
            self.function()


def interrupt(processes, path, rank):
    """Send this process, if it has that rank, SIGTERM after the second step."""
    def kill():
        if processes.rank == int(rank):
            os.kill(os.getpid(), signal.SIGTERM)
    model = MODELS["vae"]()
    try:
        trained(model, data(), shards=4, processes=processes, checkpoint=path,
                callbacks=[At(kill)])
    except KeyboardInterrupt:
        print(f"interrupted after step {model.trained.steps}", flush=True)


def fail(processes, fault, folder):
    """Train with one process that is unlike the others."""
    second = processes.rank == 1
    model = MODELS["vae"]()
    options = {"shards": 4, "processes": processes, "batch_size": 16, "progress": False,
               "seed": 5}

    def spoil():
        if fault == "error" and second:
            raise ScratchVAEError("no such data")
        if fault == "parameters" and second:
            model.parameters.values[0] += 1
    if fault == "disk":
        options["checkpoint"] = Path("/dev/full") / "checkpoint.npz"
    model.fit(data(fault == "data" and second), callbacks=[At(spoil)], **options)


def main(task, *words):
    """Do one task in this process."""
    mpi.FAREWELL = 2
    kernels.load("cpu").set_threads(1)
    processes = started()
    try:
        with processes.together():
            if task == "train":
                bits = train_all(processes)
                if processes.rank == 0:
                    Path(words[0]).write_text(bits)
            elif task == "interrupt":
                interrupt(processes, *words)
            else:
                fail(processes, task, *words)
    except ScratchVAEError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
