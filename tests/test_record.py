"""What a run keeps besides losses by epoch: the record of its steps, and moving averages in its model."""
import numpy as np
import pytest

from conftest import write_idx_files
from scratchvae.analysis import plots
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import BatchNormalization, Dense
from scratchvae.models import VAE, Model
from scratchvae.runs.record import Record
from scratchvae.storage import read_arrays, write_arrays

# The record of training by steps.

@pytest.fixture
def recorded(x):
    """A small model's record, its model, and the history."""
    model = VAE([Dense(5, "relu")], 2, [Dense(12, "sigmoid")])
    record = Record(model, 3)
    history = model.fit(x, epochs=2, batch_size=10, on_step=record, progress=False)
    return record, model, history


def test_a_record_has_every_loss_and_some_pairs(recorded, x):
    record, _, history = recorded
    assert record.steps.tolist() == list(range(1, 11)) and record.recorded == [3, 6, 9]
    assert [np.mean(record.losses[:5]), np.mean(record.losses[5:])] == pytest.approx(history["loss"])
    assert all((x == example).all(axis=1).any() for example in record.inputs)
    assert all(output.shape == (12,) and 0 < output.min() and output.max() < 1 for output in record.outputs)
    assert len({output.tobytes() for output in record.outputs}) == 3        # copies, not views of one work space


@pytest.mark.parametrize("steps, recorded_steps", [(None, [3, 6, 9]), (10, [3, 6, 9]), (6, [3, 6]), (5, [3]), (0, [])])
def test_a_record_saved_and_loaded(recorded, steps, recorded_steps, tmp_path):
    record, model, _ = recorded
    record.save(tmp_path / "record.npz")
    again = Record.load(tmp_path / "record.npz", model, steps)
    assert again.losses == record.losses[:steps] and again.every == 3 and again.recorded == recorded_steps
    for one, other in zip(again.inputs + again.outputs, record.inputs[:len(again.inputs)] + record.outputs[:len(again.outputs)]):
        np.testing.assert_array_equal(one, other)


def test_a_record_that_the_checkpoint_has_overtaken_keeps_the_numbers_of_its_steps(recorded, tmp_path):
    record, model, _ = recorded
    record.save(tmp_path / "record.npz")
    again = Record.load(tmp_path / "record.npz", model, steps=12)
    assert again.losses[:10] == record.losses and np.isnan(again.losses[10:]).all() and len(again.steps) == 12
    assert plots.step_curve(again.steps, again.losses, tmp_path / "curve.png", "").exists()


def test_an_empty_record_can_be_saved(tmp_path):
    model = VAE([Dense(5, "relu")], 2, [Dense(12, "sigmoid")])
    model.build((12,))
    Record(model, 3).save(tmp_path / "record.npz")
    again = Record.load(tmp_path / "record.npz", model)
    assert again.losses == again.recorded == [] and len(again.steps) == 0


def test_without_enough_steps_there_is_no_progress_to_draw(run, tmp_path):
    write_idx_files(tmp_path / "mnist")
    code, output, errors = run("train", "mnist-latent8", "--epochs", 1, "--set", "filters=2", "--data-dir", tmp_path, "--out", "a")
    assert code == 0, errors
    assert not (tmp_path / "a/figures/progress.png").exists() and (tmp_path / "a/figures/traversal.gif").exists()


# Moving averages in a model's file.

@pytest.fixture
def normalized(rng):
    """A trained model with batch normalisation in both networks, and its examples."""
    x = rng.random((40, 12)).astype(np.float32)
    vae = VAE([Dense(7, "relu"), BatchNormalization()], 2, [Dense(6, "relu"), BatchNormalization(), Dense(12, "sigmoid")])
    vae.fit(x, epochs=3, batch_size=10, progress=False)
    return vae, x


def test_moving_averages_are_saved_and_loaded(normalized, tmp_path):
    vae, x = normalized
    assert len(vae.state) == 4 and all((average != fresh).any() for average, fresh in zip(vae.state.values(), (0, 1, 0, 1)))
    vae.save(tmp_path / "model.npz")
    again = VAE.load(tmp_path / "model.npz")
    for one, other in zip(again.encode(x), vae.encode(x)):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.sample(5), vae.sample(5))
    assert again.evaluate(x) == vae.evaluate(x)
    forgetful = Model.from_config(vae.get_config())
    forgetful.parameters.values[...] = vae.parameters.values
    assert not np.array_equal(forgetful.encode(x)[0], vae.encode(x)[0])


@pytest.mark.parametrize("missing", ["encoder/batch_normalization/moving_mean", "decoder/batch_normalization/moving_variance"])
def test_a_file_without_a_moving_average_is_refused(normalized, missing, tmp_path):
    vae, _ = normalized
    vae.save(tmp_path / "model.npz")
    arrays, description = read_arrays(tmp_path / "model.npz", "model")
    del arrays[missing]
    write_arrays(tmp_path / "model.npz", arrays, description)
    with pytest.raises(ScratchVAEError, match=f"model.npz: damaged: {missing} is missing or of the wrong shape"):
        VAE.load(tmp_path / "model.npz")
