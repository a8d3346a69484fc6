"""What a run keeps besides losses by epoch: the record of its steps, and moving averages."""
import numpy as np
import pytest
from helpers import write_idx_files

from scratchvae.analysis import plots
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import BatchNormalization, Dense
from scratchvae.models import VAE, Model
from scratchvae.runs.record import Record
from scratchvae.storage import read_arrays, write_arrays

# The record of training by steps.

@pytest.fixture
def recorded(x, tmp_path):
    """Return a small model's record, the model, and the history."""
    model = VAE([Dense(5, "relu")], 2, [Dense(12, "sigmoid")])
    record = Record(model, 3, tmp_path / "record.npz")
    history = model.fit(x, epochs=2, batch_size=10, callbacks=[record], progress=False)
    return record, model, history


def test_a_record_has_every_loss_and_some_reconstructions(recorded, x):
    record, _, history = recorded
    assert record.steps.tolist() == list(range(1, 11))
    assert record.recorded == [3, 6, 9]
    means = [np.mean(record.losses[:5]), np.mean(record.losses[5:])]
    assert means == pytest.approx(history["loss"])
    assert len(record.inputs) == len(record.outputs) == 3
    for example in record.inputs:
        assert (x == example).all(axis=1).any()
    for output in record.outputs:
        assert output.shape == (12,)
        assert 0 < output.min()
        assert output.max() < 1
    # They are copies, not views of one buffer.
    assert len({output.tobytes() for output in record.outputs}) == 3


@pytest.mark.parametrize("steps, recorded_steps", [
    (None, [3, 6, 9]),
    (10, [3, 6, 9]),
    (6, [3, 6]),
    (5, [3]),
    (0, []),
])
def test_a_record_saved_and_loaded(recorded, steps, recorded_steps, tmp_path):
    record, model, _ = recorded
    loaded = Record.load(tmp_path / "record.npz", model, steps)
    count = len(recorded_steps)
    assert loaded.losses == record.losses[:steps]
    assert loaded.every == 3
    assert loaded.recorded == recorded_steps
    assert len(loaded.inputs) == len(loaded.outputs) == count
    for one, other in zip(loaded.inputs, record.inputs[:count]):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(loaded.outputs, record.outputs[:count]):
        np.testing.assert_array_equal(one, other)


def test_a_record_behind_its_checkpoint_keeps_the_numbers_of_its_steps(recorded, tmp_path):
    record, model, _ = recorded
    loaded = Record.load(tmp_path / "record.npz", model, steps=12)
    assert loaded.losses[:10] == record.losses
    assert np.isnan(loaded.losses[10:]).all()
    assert len(loaded.steps) == 12
    assert plots.step_curve(loaded.steps, loaded.losses, tmp_path / "curve.png", "").exists()


def test_an_empty_record_can_be_saved(tmp_path):
    model = VAE([Dense(5, "relu")], 2, [Dense(12, "sigmoid")])
    model.build((12,))
    Record(model, 3, tmp_path / "record.npz").save()
    loaded = Record.load(tmp_path / "record.npz", model)
    assert loaded.losses == loaded.recorded == []
    assert len(loaded.steps) == 0


def test_without_enough_steps_no_progress_figure_is_drawn(run, tmp_path):
    write_idx_files(tmp_path / "mnist")
    code, output, errors = run("train", "mnist-latent8", "--epochs", 1, "--set", "filters=2",
                               "--data-dir", tmp_path, "--out", "a")
    assert code == 0, errors
    assert not (tmp_path / "a/figures/progress.png").exists()
    assert (tmp_path / "a/figures/traversal.gif").exists()


# Moving averages in a model's file.

@pytest.fixture
def normalized(rng):
    """Return a trained model with batch normalization in both networks, and its examples."""
    x = rng.random((40, 12)).astype(np.float32)
    encoder = [Dense(7, "relu"), BatchNormalization()]
    decoder = [Dense(6, "relu"), BatchNormalization(), Dense(12, "sigmoid")]
    vae = VAE(encoder, 2, decoder)
    vae.fit(x, epochs=3, batch_size=10, progress=False)
    return vae, x


def test_moving_averages_are_saved_and_loaded(normalized, tmp_path):
    vae, x = normalized
    assert len(vae.state) == 4
    for average, initial in zip(vae.state.values(), (0, 1, 0, 1)):
        assert (average != initial).any()
    vae.save(tmp_path / "model.npz")
    loaded = VAE.load(tmp_path / "model.npz")
    for one, other in zip(loaded.encode(x), vae.encode(x)):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(loaded.sample(5), vae.sample(5))
    assert loaded.evaluate(x) == vae.evaluate(x)

    only_parameters = Model.from_config(vae.get_config())
    only_parameters.parameters.values[...] = vae.parameters.values
    assert not np.array_equal(only_parameters.encode(x)[0], vae.encode(x)[0])


@pytest.mark.parametrize("missing", [
    "encoder/batch_normalization/moving_mean",
    "decoder/batch_normalization/moving_variance",
])
def test_a_file_without_a_moving_average_is_refused(normalized, missing, tmp_path):
    vae, _ = normalized
    path = tmp_path / "model.npz"
    vae.save(path)
    arrays, description = read_arrays(path, "model")
    del arrays[missing]
    write_arrays(path, arrays, description)
    message = f"model.npz: {missing} is missing or has a wrong shape: damaged"
    with pytest.raises(ScratchVAEError, match=message):
        VAE.load(path)


@pytest.mark.parametrize("change", [
    lambda arrays, state: arrays.pop("sums"),
    lambda arrays, state: arrays.update(parameters=np.zeros(3, np.float32)),
    lambda arrays, state: state.update(epoch=None),
    lambda arrays, state: state.update(step="1"),
    lambda arrays, state: state.pop("settings"),
    lambda arrays, state: state.update(history=7),
])
def test_a_checkpoint_of_another_structure_is_damaged(x, tmp_path, change):
    path = tmp_path / "checkpoint.npz"

    def fit(**options):
        vae = VAE([Dense(4)], 2, [Dense(12, activation="sigmoid")])
        vae.fit(x, checkpoint=path, progress=False, **options)
    fit()
    arrays, state = read_arrays(path, "checkpoint")
    change(arrays, state)
    write_arrays(path, arrays, state)
    with pytest.raises(ScratchVAEError, match="checkpoint.npz: damaged"):
        fit(epochs=2, resume=True)
