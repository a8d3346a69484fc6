"""Training: history, determinism, interruption and resumption, allocations."""

import json
import tracemalloc

import numpy as np
import pytest
from helpers import HOSTS, same_on_any_number_of_threads, small_vae, without_seconds

from scratchvae import schedules
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import Dense
from scratchvae.models import VAE, Autoencoder
from scratchvae.optimizers import SGD, Adam, RMSprop
from scratchvae.training import Settings


def test_training_lowers_the_loss_and_history_says_so(x):
    vae = small_vae()
    history = vae.fit(
        x, epochs=30, batch_size=16, optimizer=Adam(0.01), validation_data=x, seed=1, progress=False
    )
    assert len(history) == 30 and history["epoch"] == list(range(1, 31))
    assert history["loss"][-1] < history["loss"][0] - 0.5
    for row in history.rows:
        assert row["loss"] == pytest.approx(row["reconstruction"] + row["kl"], rel=1e-6)
        assert row["val_loss"] == pytest.approx(row["val_reconstruction"] + row["val_kl"], rel=1e-6)
    assert vae.evaluate(x, seed=1)["loss"] == history["val_loss"][-1]


def test_history_is_the_mean_over_all_examples_of_unequal_batches(x, monkeypatch):
    vae = small_vae(kl_weight=0.3)
    seen = []
    gradients = VAE.gradients

    def recorded(self, batch, kl_weight, target):
        losses = gradients(self, batch, kl_weight, target)
        seen.append([values.copy() for values in losses])
        return losses

    monkeypatch.setattr(VAE, "gradients", recorded)
    history = vae.fit(x, epochs=1, batch_size=16, seed=3, progress=False)  # 16 + 16 + 16 + 2
    reconstruction, kl = (np.concatenate(values).astype(np.float64) for values in zip(*seen))
    assert [len(values) for values, _ in seen] == [16, 16, 16, 2]
    assert history["reconstruction"][0] == pytest.approx(reconstruction.mean(), rel=1e-12)
    assert history["kl"][0] == pytest.approx(kl.mean(), rel=1e-12)
    assert history["loss"][0] == pytest.approx((reconstruction + 0.3 * kl).mean(), rel=1e-12)


def test_every_epoch_sees_every_example_once_in_another_order(x, monkeypatch):
    from scratchvae.training.loop import Training

    orders = []
    train_batch = Training.train_batch
    monkeypatch.setattr(
        Training,
        "train_batch",
        lambda self, indices: orders.append(indices.copy()) or train_batch(self, indices),
    )
    small_vae().fit(x, epochs=2, batch_size=50, seed=3, progress=False)
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))
    assert list(orders[0]) != list(orders[1])


@pytest.mark.parametrize("make", [
    lambda: small_vae(),
    lambda: Autoencoder([Dense(5, "relu"), Dense(2)], [Dense(12, "sigmoid")]),
])
def test_same_seed_same_bits_on_any_number_of_threads(make, x):
    def train():
        model = make()
        history = model.fit(x, epochs=3, batch_size=16, validation_data=x, seed=5, progress=False)
        return model.parameters.values.tobytes(), without_seconds(history)

    same_on_any_number_of_threads(train)


def test_same_bits_on_any_number_of_threads_at_full_size(rng):
    x = (rng.random((250, 784)) * (rng.random((250, 784)) < 0.3)).astype(np.float32)

    def train():
        vae = VAE([Dense(256, "relu")], 2, [Dense(256, "relu"), Dense(784, "sigmoid")],
                  reconstruction_scale=784.0)
        vae.fit(x, epochs=2, batch_size=100, optimizer=RMSprop(), seed=1, progress=False)
        return vae.parameters.values.tobytes()

    same_on_any_number_of_threads(train)


def test_backends_train_to_the_same_numbers(x):
    losses = []
    for backend in HOSTS:
        losses.append(
            small_vae(backend=backend).fit(
                x, epochs=3, batch_size=16, validation_data=x, seed=2, progress=False
            )
        )
    for column in ("loss", "reconstruction", "kl", "val_loss"):
        np.testing.assert_allclose(losses[0][column], losses[1][column], rtol=1e-4)


def test_other_seeds_give_other_results(x):
    a = small_vae()
    b = small_vae()
    a.fit(x, epochs=1, seed=1, progress=False)
    b.fit(x, epochs=1, seed=2, progress=False)
    assert not np.array_equal(a.parameters.values, b.parameters.values)


@pytest.mark.parametrize("optimizer", [SGD(0.01, momentum=0.9), RMSprop(), Adam()])
@pytest.mark.parametrize("stop", [1, 3])
def test_resumed_training_gives_the_same_bits(optimizer, stop, x, tmp_path):
    options = dict(batch_size=16, validation_data=x, seed=4, progress=False)
    whole, first, second = (small_vae(kl_weight=schedules.LinearWarmup(9)) for _ in range(3))
    expected = whole.fit(x, epochs=5, optimizer=optimizer, **options)
    first.fit(x, epochs=stop, optimizer=optimizer, checkpoint=tmp_path / "c.npz", **options)
    resumed = second.fit(
        x, epochs=5, optimizer=optimizer, checkpoint=tmp_path / "c.npz", resume=True, **options
    )
    assert second.parameters.values.tobytes() == whole.parameters.values.tobytes()
    assert without_seconds(resumed) == without_seconds(expected)


@pytest.mark.parametrize("moment", ["train_batch", "evaluate", "save", "order"])
def test_interrupted_at_any_moment_and_resumed_gives_the_same_bits(
    moment, x, tmp_path, monkeypatch
):
    import os
    import signal

    from scratchvae.models import Model
    from scratchvae.training.loop import Training

    options = dict(epochs=3, batch_size=16, validation_data=x, seed=4, progress=False)
    whole = small_vae()
    first = small_vae()
    second = small_vae()
    expected = whole.fit(x, **options)
    owner = Model if moment == "evaluate" else Training
    original = getattr(owner, moment)
    calls = []

    def interrupted(self, *arguments, **options):
        calls.append(moment)
        if (
            len(calls) == {"train_batch": 7, "evaluate": 2, "save": 3, "order": 3}[moment]
        ):  # save: the first is at the start; order: before the first step of an epoch
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, *arguments, **options)

    monkeypatch.setattr(owner, moment, interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        first.fit(x, checkpoint=tmp_path / "c.npz", **options)
    assert signal.getsignal(signal.SIGINT) is handler
    monkeypatch.setattr(owner, moment, original)
    with np.load(tmp_path / "c.npz") as file:
        state = json.loads(file["description.json"].tobytes())
    assert (state["epoch"], state["step"]) == ((1, 3) if moment == "train_batch" else (2, 0))
    resumed = second.fit(x, checkpoint=tmp_path / "c.npz", resume=True, **options)
    assert second.parameters.values.tobytes() == whole.parameters.values.tobytes()
    assert without_seconds(resumed) == without_seconds(expected)


def test_resuming_with_other_settings_is_refused(x, tmp_path):
    small_vae().fit(x, epochs=1, batch_size=16, checkpoint=tmp_path / "c.npz", progress=False)
    with pytest.raises(ScratchVAEError, match="was trained with batch_size 16, not 10"):
        small_vae().fit(
            x, epochs=2, batch_size=10, checkpoint=tmp_path / "c.npz", resume=True, progress=False
        )
    with pytest.raises(
        ScratchVAEError, match="was trained with data 50 examples with checksum .*, not 40 examples"
    ):
        small_vae().fit(
            x[:40],
            epochs=2,
            batch_size=16,
            checkpoint=tmp_path / "c.npz",
            resume=True,
            progress=False,
        )
    with pytest.raises(ScratchVAEError, match="was trained with data"):
        small_vae().fit(
            1 - x,
            epochs=2,
            batch_size=16,
            checkpoint=tmp_path / "c.npz",
            resume=True,
            progress=False,
        )
    with pytest.raises(ScratchVAEError, match="was trained with another model; resume"):
        small_vae(kl_weight=0.5).fit(
            x, epochs=2, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False
        )
    small_vae().fit(
        x, epochs=3, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False
    )
    with pytest.raises(ScratchVAEError, match="has 3 epochs already"):
        small_vae().fit(
            x, epochs=2, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False
        )
    with pytest.raises(ScratchVAEError, match="holds the state of an earlier training"):
        small_vae().fit(x, epochs=3, batch_size=16, checkpoint=tmp_path / "c.npz", progress=False)


def test_no_array_is_allocated_in_a_training_step_after_the_first(rng):
    from scratchvae.training.loop import Training

    vae = VAE(
        [Dense(256, "relu")],
        2,
        [Dense(256, "relu"), Dense(784, "sigmoid")],
        reconstruction_scale=784.0,
    )
    x = rng.random((300, 784)).astype(np.float32)
    vae.build((784,))
    optimizer = RMSprop()
    optimizer.build(vae.parameters, vae.kernels)
    settings = Settings(batch_size=100, optimizer=optimizer)
    training = Training(vae, x, x, settings)
    batches = [np.arange(i, i + 100) for i in (0, 100, 200)]
    training.train_batch(batches[0])
    arrays = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    tracemalloc.start()
    try:
        peaks = []
        for batch in batches[1:]:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            training.train_batch(batch)
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
        kept = sum(
            trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces
        )
    finally:
        tracemalloc.stop()
    assert kept < 100  # of array memory that is still there: a scalar or two
    assert (
        max(peaks) < 20_000
    )  # of all memory at any moment; the smallest array of the model has 400 bytes, y 300,000


def test_kl_weight_is_followed(x):
    free = small_vae(kl_weight=0.0)
    strong = small_vae(kl_weight=20.0)
    a, b = (
        vae.fit(x, epochs=40, batch_size=10, optimizer=Adam(0.01), progress=False)
        for vae in (free, strong)
    )
    assert b["kl"][-1] < 0.1 < a["kl"][-1]
    assert a["loss"][-1] == pytest.approx(a["reconstruction"][-1])
