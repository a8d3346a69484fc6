"""Shards: the tree, the gradients, the same bits on any number of processes."""
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import shards_worker
from helpers import HOSTS, small_vae
from scratchvae.kernels import arrays
from shards_worker import MODELS, data, trained, vqvae, with_batchnorm

from scratchvae import kernels
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import Dense
from scratchvae.models import VAE
from scratchvae.shards import ONE, Shards, started
from scratchvae.shards.tree import Tree
from scratchvae.training import Callback

needs_mpi = pytest.mark.skipif(not (shutil.which("mpiexec") and find_spec("mpi4py")),
                               reason="needs mpiexec and mpi4py")


# The tree.

def test_the_tree_is_balanced_whatever_is_added():
    a, b, c, d, e, f, g, h = x = np.array([1e8, 1, -1e8, 5, 1e-3, 7, 0.1, -2], np.float32)
    expected = ((a + b) + (c + d)) + ((e + f) + (g + h))
    assert expected != np.cumsum(x)[-1]                 # in another order there are other bits
    for order in (x, x[::-1]):
        tree = Tree(arrays, 8)
        for _ in range(2):                              # it can be used again
            for number in order:
                leaf = np.array([number, 2 * number])
                tree.push(leaf)
            assert leaf.tolist() == [expected, 2 * expected]


@pytest.mark.parametrize("leaves", [1, 2, 4, 16, 64])
def test_the_tree_adds_all_arrays_in_few_buffers(leaves, rng):
    x = rng.integers(-1000, 1000, (leaves, 5)).astype(np.float32)      # sums without rounding
    tree = Tree(arrays, leaves)
    for row in x.copy():
        tree.push(row)
    assert (row == x.sum(axis=0)).all()
    assert 2 ** len(tree.waiting) == leaves


# Gradients.

@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("count", [13, 16, 3])
def test_the_gradient_of_shards_is_that_of_the_batch(backend, count, rng):
    """No shard may have noise of its own here, so the model is an Autoencoder."""
    x = rng.random((count, 12))
    model = MODELS["autoencoder"](dtype="float64", backend=backend)
    model.build((12,), seed=1)
    model.gradients(x, 0.0)
    expected = model.parameters.gradients.copy()
    shards = Shards(model, 8)
    sizes = []
    for _, here in shards.of(np.arange(count)):
        sizes.append(len(here))
        if len(here):
            losses, _ = model.gradients(x[here], 0.0)
            shards.push(len(here) / count, losses.mean())
        else:
            shards.push_nothing()
    loss = shards.sum()
    assert sum(sizes) == count and sizes[-1] > 0 and max(sizes) - min(sizes) <= 1
    assert np.abs(model.parameters.gradients - expected).max() < 1e-12 * np.abs(expected).max()
    assert loss == pytest.approx(model.gradients(x, 0.0)[0].mean(), rel=1e-12)


def test_each_shard_has_noise_of_its_own(x):
    seen = []

    def recorded(model, batch, kl_weight, target):
        losses = VAE.gradients(model, batch, kl_weight, target)
        seen.append(model.eps.copy())
        return losses

    class Recorded(VAE):
        gradients = recorded

    model = Recorded([Dense(7, "relu")], 3, [Dense(12, "sigmoid")])
    model.fit(x[:16], batch_size=16, shards=4, seed=5, progress=False)
    assert len(seen) == 4
    assert len({eps.tobytes() for eps in seen}) == 4
    whole = small_noise(step=0, shape=(4, 3))
    assert (seen[-1] == whole).all()                    # shard 0 has the noise of the whole batch


def small_noise(step, shape):
    out = np.empty(shape, np.float32)
    kernels.load("cpu").normal(out, 5, step, 2 ** 32 - 2)
    return out


def test_moving_averages_are_those_of_the_shards_averaged(x):
    model = with_batchnorm()
    model.fit(x[:16], batch_size=16, shards=4, seed=5, progress=False, shuffle=False)
    again = with_batchnorm()
    again.build((12,), 5)
    averages = []
    for part in range(4):
        again.state["encoder/batch_normalization/moving_mean"][...] = 0
        again.forward(x[4 * part:4 * part + 4], training=True)
        averages.append(again.state["encoder/batch_normalization/moving_mean"].copy())
    np.testing.assert_allclose(model.state["encoder/batch_normalization/moving_mean"],
                               np.mean(averages, axis=0), rtol=1e-6)
    assert np.abs(averages[0] - averages[1]).max() > 1e-4


def test_a_codebook_begins_with_the_first_shard(x):
    model = vqvae()
    model.fit(x[:16], batch_size=16, shards=4, seed=5, progress=False)
    assert np.isfinite(model.table).all() and model.kernels.to_host(model.counts).all()


# Memory.

def test_a_checkpoint_is_the_copy_for_a_diverged_epoch(x, tmp_path):
    class Counted(Callback):
        def on_train_begin(self, history):
            self.copies = 0

        def on_validation_end(self, training):
            self.copies += training.copy is not None

    for checkpoint, copies in ((None, 2), (tmp_path / "checkpoint.npz", 0)):
        counted = Counted()
        small_vae().fit(x, epochs=2, batch_size=16, checkpoint=checkpoint, progress=False,
                        callbacks=[counted])
        assert counted.copies == copies


def test_after_a_training_in_shards_as_few_examples_are_computed_at_a_time(x):
    sizes = []

    class Watched(VAE):
        def heads(self, x):
            sizes.append(len(x))
            return super().heads(x)

    model = Watched([Dense(7, "relu")], 3, [Dense(12, "sigmoid")])
    model.fit(x, batch_size=16, shards=16, progress=False)
    sizes.clear()
    few = model.encode(x[:20])
    assert sizes == [7, 7, 6]                           # 100 / 16 at most
    model.examples_at_once = 100
    for array, expected in zip(few, model.encode(x[:20]), strict=True):
        np.testing.assert_array_equal(array, expected)


# Training.

@pytest.mark.parametrize("name", MODELS)
def test_shards_train_alike_and_resume_to_the_same_bits(name, x, tmp_path):
    weights, rows = trained(MODELS[name](), x, shards=4)
    whole, _ = trained(MODELS[name](), x)
    assert weights != whole
    trained(MODELS[name](), x, epochs=1, shards=4, checkpoint=tmp_path / "checkpoint.npz")
    again = trained(MODELS[name](), x, shards=4, checkpoint=tmp_path / "checkpoint.npz",
                    resume=True)
    assert again == (weights, rows)


def test_more_shards_than_examples_in_the_last_batch(x):
    weights, rows = trained(small_vae(), x[:18], shards=16)             # 16 and 2
    assert all(np.isfinite(np.frombuffer(array, np.float32)).all() for array in weights.values())
    assert rows[0]["loss"] == pytest.approx(rows[0]["reconstruction"] + rows[0]["kl"], rel=1e-6)


def test_listeners_get_the_first_shard_and_the_loss_of_the_batch(x):
    class Listener(Callback):
        def on_step_end(self, step, batch, loss):
            self.seen = batch.copy(), loss

    listener = Listener()
    history = small_vae().fit(x[:16], batch_size=16, shards=4, seed=5, progress=False,
                              shuffle=False, callbacks=[listener])
    batch, loss = listener.seen
    assert (batch == x[:4]).all()
    assert loss == pytest.approx(history["loss"][0], rel=1e-6)


def test_the_number_of_shards_belongs_to_the_checkpoint(x, tmp_path):
    path = tmp_path / "checkpoint.npz"
    trained(small_vae(), x, epochs=1, shards=4, checkpoint=path)
    with pytest.raises(ScratchVAEError, match="shards 4, not 2"):
        trained(small_vae(), x, shards=2, checkpoint=path, resume=True)


@pytest.mark.parametrize("shards", [0, 3, 32, 1.5])
def test_wrong_numbers_of_shards_are_refused(shards, x):
    with pytest.raises(ScratchVAEError, match="shards"):
        small_vae().fit(x, batch_size=16, shards=shards, progress=False)


def test_one_process_is_one(monkeypatch):
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    assert started() is ONE
    monkeypatch.setenv("PMI_SIZE", "1")
    assert started() is ONE


def test_a_missing_mpi4py_is_named(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "4")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ScratchVAEError, match="mpi4py cannot be loaded"):
        started()


# Processes.

def mpiexec(processes, *words):
    """Start shards_worker.py on several processes; return its output, and its exit code."""
    allowed = ["--oversubscribe"] if "Open" in mpi_version() else []
    as_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    command = ["mpiexec", *allowed, "-n", processes, sys.executable, shards_worker.__file__, *words]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60,
                          env=os.environ | as_root | {"NUMBA_NUM_THREADS": "1"})
    return done.stdout + done.stderr, done.returncode


def mpi_version():
    return subprocess.run(["mpiexec", "--version"], capture_output=True, text=True).stdout


@needs_mpi
def test_processes_train_to_the_bits_of_one(tmp_path):
    expected = shards_worker.train_all(ONE)
    for processes in (2, 4):
        output, code = mpiexec(processes, "train", tmp_path / str(processes))
        assert code == 0, output
        assert (tmp_path / str(processes)).read_text() == expected


@needs_mpi
@pytest.mark.parametrize("fault, line", [
    ("data", "the processes differ in data: process 0 has"),
    ("error", "Error: process 1 of 2: no such data"),
    ("disk", "/dev/full: cannot be made"),
    ("parameters", "the processes differ in the parameters (checksum)"),
])
def test_an_error_of_one_process_is_one_line_of_all(fault, line, tmp_path):
    output, code = mpiexec(2, fault, tmp_path)
    assert code != 0
    assert output.count(line) == 1, output
    assert "Traceback" not in output


@needs_mpi
@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_process_stops_all_and_nothing_is_lost(rank, tmp_path):
    output, code = mpiexec(2, "interrupt", tmp_path / "checkpoint.npz", rank)
    assert output.count("interrupted after step 3") == 2, output
    model = small_vae()
    weights, _ = trained(model, data(), shards=4, resume=True,
                         checkpoint=tmp_path / "checkpoint.npz")
    assert weights == trained(small_vae(), data(), shards=4)[0]
