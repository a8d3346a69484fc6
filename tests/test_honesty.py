"""What the program says of data and models that are not as they should be."""
import copy
import warnings

import numpy as np
import pytest

from scratchvae.errors import ScratchVAEError, ScratchVAEWarning
from scratchvae.layers import BatchNormalization, Dense
from scratchvae.models import VAE, Autoencoder
from scratchvae.optimizers import SGD
from scratchvae.schedules import LinearWarmup


def make_vae(*layers, output="sigmoid", **options):
    return VAE([Dense(8, activation="relu"), *layers], 2,
               [Dense(8, activation="relu"), Dense(12, activation=output)], **options)


def calls(vae, bad):
    """Each way to hand examples to a model."""
    yield "fit", lambda: vae.fit(bad, progress=False)
    yield "evaluate", lambda: vae.evaluate(bad)
    yield "encode", lambda: vae.encode(bad)
    yield "reconstruct", lambda: vae.reconstruct(bad)


@pytest.mark.parametrize("value, message", [
    (np.nan, r"^x must be finite, but 2 of 600 numbers are NaN or infinite, the first is x\[3, 7"),
    (-np.inf, r"^x must be finite, but 2 of 600 numbers"),
    (255.0, r"x must lie in \[0, 1\], got numbers in \[.*, 255\] \(divide 8-bit images by 255, or "
            r"pass .*\); 2 of 600 lie outside, the first is x\[3, 7\]$"),
])
def test_bad_numbers_are_counted_and_placed(x, value, message):
    vae = make_vae()
    vae.fit(x, progress=False)
    bad = x.copy()
    bad[3, 7] = bad[40, 2] = value
    for name, call in calls(vae, bad):
        with pytest.raises(ScratchVAEError, match=message):
            call()
            pytest.fail(name)


def test_masked_and_unfinite_codes_are_refused(x):
    vae = make_vae()
    vae.fit(x, progress=False)
    masked = np.ma.masked_array(x, x > 0.9)
    for _, call in calls(vae, masked):
        with pytest.raises(ScratchVAEError, match="^x must not be masked, but 65 of its numbers"):
            call()
    with pytest.raises(ScratchVAEError, match=r"^z must be finite, .* the first is z\[0, 1\]"):
        vae.decode([[0.0, np.nan]])
    assert vae.encode(np.ma.masked_array(x, False))[0].shape == (50, 2)


def test_inputs_of_a_model_with_other_targets_may_lie_anywhere(x, tmp_path):
    vae = make_vae()
    noisy = 3 * x - 1
    vae.fit(noisy, y=x, progress=False)
    vae.save(tmp_path / "model.npz")
    for model in (vae, copy.deepcopy(vae), VAE.load(tmp_path / "model.npz")):
        assert model.reconstruct(noisy).shape == x.shape


@pytest.mark.parametrize("checkpoint", [None, "checkpoint.npz"])
def test_a_diverged_model_goes_back_and_says_why(checkpoint, x, tmp_path):
    vae = make_vae(output="linear", reconstruction="squared_error")
    vae.build((12,))
    vae.set_weights([weight / 100 for weight in vae.get_weights()])
    vae.fit(40 * x, progress=False)
    before = vae.get_weights()
    with pytest.raises(ScratchVAEError, match=r"^training diverged: .*; the data lie in \[.*, 39.*"
                                              r"\]; divide them by .*before epoch 2$"):
        vae.fit(40 * x, epochs=3, batch_size=5, optimizer=SGD(1e9), progress=False,
                checkpoint=checkpoint and tmp_path / checkpoint)
    assert all((p == q).all() for p, q in zip(before, vae.get_weights(), strict=True))
    assert (vae.trained.epochs, vae.trained.steps) == (1, 2)
    vae.fit(40 * x, progress=False)        # with an optimizer that is sound
    assert np.isfinite(vae.parameters.values).all()


def test_an_outlier_among_the_validation_data_does_not_end_a_sound_training(x):
    vae = make_vae(output="linear", reconstruction="squared_error")
    validation = x.copy()
    validation[17, 3] = 1e25
    with pytest.warns(ScratchVAEWarning, match="validation example 17 has a number of size 1e.25, "
                                               "the others of about 0.9"):
        history = vae.fit(x, epochs=2, validation_data=validation, progress=False)
    assert len(history) == 2
    assert not np.isfinite(history["val_loss"]).any()
    assert np.isfinite(history["loss"]).all()


def test_moving_statistics_of_too_few_steps_are_named(x):
    vae = make_vae(BatchNormalization(), output="linear", reconstruction="squared_error")
    vae.build((12,))
    vae.state["encoder/batch_normalization/moving_variance"][...] = 1e-30
    vae.encoder.layers["batch_normalization"].momentum = 1.0
    vae.encoder.layers["batch_normalization"].epsilon = 1e-30
    with pytest.warns(ScratchVAEWarning, match="likely cause: the moving statistics of BatchNorm"):
        vae.fit(x, validation_data=x, progress=False)


def test_the_obvious_call_learns(rng):
    """A sum over the elements stands beside the KL term, not a mean."""
    codes = rng.standard_normal((600, 1))
    x = 1 / (1 + np.exp(-4 * codes * np.linspace(-1, 1, 12)))
    vae = make_vae()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScratchVAEWarning)
        warnings.filterwarnings("ignore", ".*latent dimensions are not used")
        history = vae.fit(x, epochs=60, progress=False)
    assert vae.loss.scale == 12
    assert history["kl"][-1] > 0.5
    squared = make_vae(output="linear", reconstruction="squared_error")
    squared.build((12,))
    assert squared.loss.scale == 6


def test_a_code_that_is_not_used_is_noted(x):
    with pytest.warns(ScratchVAEWarning, match=r"^the KL divergence is .* nats: the decoder does "
                                               r"not use the code \(posterior collapse\)"):
        make_vae(reconstruction_scale=1.0).fit(x, epochs=60, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScratchVAEWarning)
        Autoencoder([Dense(3)], [Dense(12, activation="sigmoid")]).fit(x, progress=False)


def test_a_warmup_that_ends_beyond_the_training_is_noted(x):
    with pytest.warns(ScratchVAEWarning, match="^the KL weight rises for 100 steps, but the "
                                               "training ends after 4: it only reaches 0.03 of 1"):
        make_vae(kl_weight=LinearWarmup(100)).fit(x, epochs=2, progress=False)


def test_the_history_has_the_kl_weight_and_the_learning_rate(x):
    vae = make_vae(kl_weight=LinearWarmup(4))
    history = vae.fit(x, epochs=3, optimizer=SGD(0.03), progress=False)
    assert history["kl_weight"] == [0.25, 0.75, 1.0]
    assert history["learning_rate"] == [0.03] * 3
