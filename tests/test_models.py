"""Models: the whole loss against Keras, gradients, saving, wrong use."""

import json

import numpy as np
import pytest
from helpers import HOSTS, small_vae

from scratchvae import kernels, schedules
from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck.check import check_model
from scratchvae.gradcheck.suite import model_cases
from scratchvae.layers import Activation, Dense, Dropout, Flatten, Reshape
from scratchvae.models import VAE, Autoencoder, Sequential
from scratchvae.optimizers import SGD, Adam


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-5)])
def test_vae_equals_keras(golden, backend, dtype, tolerance):
    g = golden["vae"]
    vae = VAE(
        [Dense(7, "relu")],
        3,
        [Dense(6, "relu"), Dense(12, "sigmoid")],
        reconstruction_scale=784.0,
        dtype=dtype,
        backend=backend,
    )
    vae.build((12,))
    for i, name in enumerate(vae.parameters.names):
        vae.parameters[name][...] = g[f"weight_{i}"]
    vae.noise.normal = lambda out, stream: np.copyto(out, g["eps"])
    reconstruction, kl = vae.forward(g["x"].astype(dtype), training=True)
    np.testing.assert_allclose(reconstruction, g["reconstruction"], rtol=tolerance)
    np.testing.assert_allclose(kl, g["kl"], rtol=tolerance)
    vae.backward(0.7)
    grads = [grad for layer in vae.layers.values() for grad in layer.grads.values()]
    for i, grad in enumerate(grads):
        expected = g[f"gradient_{i}"]
        assert np.abs(grad - expected).max() <= tolerance * np.abs(expected).max(), (
            vae.parameters.names[i]
        )


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("case", range(6))
def test_gradients_of_whole_models(backend, case):
    model, input_shape = list(model_cases(backend))[case]
    model.build(input_shape)
    before = model.parameters.values.copy()
    report = check_model(model)
    assert report.passed, report
    assert {row.parameter for row in report.rows} == {"input", *model.parameters.names}
    np.testing.assert_array_equal(model.parameters.values, before)


def test_a_wrong_sign_of_the_kl_gradient_is_found(monkeypatch):
    model, _ = next(iter(model_cases("reference")))
    model.build((12,))
    right = kernels.load("reference").gaussian_kl_backward
    monkeypatch.setattr(
        kernels.load("reference"), "gaussian_kl_backward", lambda *a: right(*a[:4], -a[4], a[5])
    )
    assert not check_model(model).passed


def test_images_with_channels_and_a_reshape_after_the_sigmoid(rng):
    vae = VAE([Flatten(), Dense(5, "relu")], 2, [Dense(12, "sigmoid"), Reshape((2, 3, 2))])
    images = rng.random((9, 2, 3, 2)).astype(np.float32)
    vae.fit(images, epochs=1, batch_size=4, progress=False)
    assert vae.reconstruct(images).shape == images.shape
    assert check_model(vae, images[:2]).passed
    assert 0 < vae.decode(np.zeros((1, 2))).min() and vae.decode(np.zeros((1, 2))).max() < 1


def test_parameters_and_gradients_are_views_of_two_flat_arrays(x):
    vae = small_vae()
    vae.build((12,))
    assert vae.parameters.count == 91 + 2 * 24 + 24 + 84
    vae.parameters.values[...] = 1
    assert all((p == 1).all() for layer in vae.layers.values() for p in layer.params.values())
    vae.forward(x)
    vae.backward(1.0)
    for layer in vae.layers.values():
        for name, grad in layer.grads.items():
            assert np.shares_memory(grad, vae.parameters.gradients) and np.shares_memory(
                layer.params[name], vae.parameters.values
            )


def test_save_and_load(x, tmp_path):
    for model, kind in (
        (small_vae(kl_weight=schedules.Cyclical(10, 0.5)), VAE),
        (
            Autoencoder([Dense(4, "relu"), Dense(2)], [Dense(12, "sigmoid")], "squared_error"),
            Autoencoder,
        ),
    ):
        model.fit(x, epochs=1, progress=False)
        model.save(tmp_path / "model.npz")
        again = kind.load(tmp_path / "model.npz")
        np.testing.assert_array_equal(again.reconstruct(x), model.reconstruct(x))
        assert again.evaluate(x) == model.evaluate(x)
        assert json.loads(json.dumps(again.get_config())) == json.loads(
            json.dumps(model.get_config())
        )
    with pytest.raises(ScratchVAEError, match=r".*/model\.npz: "
                                              r"holds a model of class Autoencoder, expected "
                                              r"VAE"):
        VAE.load(tmp_path / "model.npz")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text", "other"])
def test_damaged_files_are_recognised(damage, x, tmp_path):
    model = small_vae()
    path = tmp_path / "model.npz"
    model.build((12,))
    model.save(path)
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[content.index(model.parameters["decoder/dense_1/kernel"].tobytes()) + 30] ^= 0x01
    path.write_bytes(
        {
            "truncated": content[:-200],
            "flipped": content,
            "empty": b"",
            "text": b"hello",
            "other": content,
        }[damage]
    )
    if damage == "other":
        path.unlink()
        model.fit(x, checkpoint=path, progress=False)
    with pytest.raises(
        ScratchVAEError,
        match="model.npz: (damaged, truncated|is a 'checkpoint' file, expected a 'model' file)",
    ):
        VAE.load(path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    from scratchvae import storage

    path = tmp_path / "a.npz"
    storage.write_arrays(path, {"a": np.arange(3)}, {"kind": "test"})
    with pytest.raises(TypeError):
        storage.write_arrays(path, {"a": np.arange(4)}, {"kind": object()})
    monkeypatch.setattr(storage.np, "savez", lambda file, **arrays: file.write(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        storage.write_arrays(path, {"a": np.arange(4)}, {"kind": "test"})
    assert storage.read_arrays(path, "test")[0]["a"].tolist() == [0, 1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_encode_decode_sample_return_arrays_of_one_s_own(x):
    vae = small_vae()
    vae.fit(x, epochs=1, progress=False)
    mean, log_var = vae.encode(x)
    kept = mean.copy()
    assert mean.shape == log_var.shape == (50, 3)
    samples = vae.sample(130, seed=1)
    assert (
        samples.shape == (130, 12)
        and (samples == vae.sample(130, seed=1)).all()
        and not (samples == vae.sample(130, seed=2)).all()
    )
    np.testing.assert_array_equal(samples[:7], vae.sample(7, seed=1))
    np.testing.assert_array_equal(mean, kept)
    np.testing.assert_array_equal(vae.decode(mean), vae.reconstruct(x))
    vae.encode(1 - x)
    np.testing.assert_array_equal(mean, kept)


def test_evaluation_ignores_dropout_and_depends_on_the_seed_alone(x):
    vae = small_vae()
    vae.build((12,))
    assert vae.evaluate(x, seed=1) == vae.evaluate(x, seed=1)
    assert vae.evaluate(x, seed=1)["reconstruction"] != vae.evaluate(x, seed=2)["reconstruction"]
    assert vae.evaluate(x, seed=1)["kl"] == vae.evaluate(x, seed=2)["kl"]


def test_schedules():
    warmup = schedules.LinearWarmup(10, 0.5)
    cyclical = schedules.Cyclical(10, 2.0)
    assert [warmup(s) for s in (0, 5, 10, 99)] == [0, 0.25, 0.5, 0.5]
    assert [cyclical(s) for s in (0, 2.5, 5, 9, 10, 12.5)] == [0, 1, 2, 2, 0, 1]
    for schedule in (warmup, cyclical, schedules.Constant(0.3)):
        again = schedules.get(schedules.get_config(schedule))
        assert type(again) is type(schedule) and vars(again) == vars(schedule)
    with pytest.raises(ScratchVAEError, match="KL term: kl_weight must be a number of at "
                                              "least 0, got -1"):
        schedules.get(-1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda vae, x: vae.encode(x), "this VAE is not built; call build"),
        (lambda vae, x: vae.fit(x, epochs=0), "fit: epochs must be a positive integer, got 0"),
        (lambda vae, x: vae.fit(x, batch_size=-3), "fit: batch_size must be a positive "
                                                   "integer, got -3"),
        (lambda vae, x: vae.fit(x, seed=-1), r"fit: seed must be an integer from 0 and below "
                                             r"2\^63, got -1"),
        (lambda vae, x: vae.fit(x, optimizer="adagrad"), r"fit: optimizer must be an Adam\(\), "
                                                         r"AdamW\(\), RMSprop\(\) or SGD\(\), "
                                                         r"one of these names, or None, got "
                                                         r"'adagrad'"),
        (
            lambda vae, x: vae.fit(x * 255),
            r"binary_crossentropy: x must lie in \[0, 1\], got numbers in \[0\.076676, "
            r"254\.873\] \(divide 8-bit images by 255, or pass ",
        ),
        (
            lambda vae, x: vae.fit(np.where(x > 0.9, np.nan, x)),
            r"x must be finite, but 65 of 600 numbers are NaN or infinite, the first is x\[0, 5\]",
        ),
        (
            lambda vae, x: vae.fit(x, validation_data=x[:, :5]),
            r"x must have shape \(N, 12\), got \(50, 5\)",
        ),
        (
            lambda vae, x: vae.fit(x, validation_data=(x, x[:3])),
            r"x must be a numeric array of shape \(N, 12\), got tuple",
        ),
        (
            lambda vae, x: vae.fit(x[:, :11]),
            r"VAE: the decoder's output has shape \(12,\), which does not reconstruct an "
            r"example of shape \(11,\)",
        ),
        (
            lambda vae, x: vae.fit(x, epochs=2, batch_size=16, optimizer=SGD(1e30), progress=False),
            "training diverged: .*smaller learning_rate",
        ),
        (lambda vae, x: vae.fit(x, resume=True), "fit: resume=True needs checkpoint, the "
                                                 "file to resume from"),
        (lambda vae, x: vae.fit(x[0]), r"fit: x must be an array of shape \(N, \.\.\.\), got "
                                       r"ndarray with 1 axes"),
        (lambda vae, x: vae.fit(None), r"fit: x must be an array of shape \(N, \.\.\.\), got "
                                       r"NoneType with 0 axes"),
        (lambda vae, x: vae.fit(x + 1j), r"x must be a numeric array of shape \(N, 12\), got "
                                         r"complex64 dtype"),
        (
            lambda vae, x: vae.build((12,), seed=-1),
            r"VAE: seed must be an integer from 0 and below 2\^63, got -1",
        ),
        (
            lambda vae, x: vae.fit(x, progress=False) and vae.sample(2, seed=None),
            r"sample: seed must be an integer from 0 and below 2\^63, got None",
        ),
        (
            lambda vae, x: vae.fit(x, progress=False) and vae.evaluate(x, seed=1.5),
            r"evaluate: seed must be an integer from 0 and below 2\^63, got 1\.5",
        ),
        (
            lambda vae, x: vae.fit(
                x, epochs=1, batch_size=50, optimizer=SGD(1e30), validation_data=x, progress=False
            ),
            "training diverged: the validation loss is not finite after epoch 1",
        ),
        (
            lambda vae, x: VAE([Dense(3)], 2, [Dense(12, "sigmoid")], reconstruction_scale=-1),
            "binary_crossentropy: reconstruction_scale must be a number of at least 0, got -1",
        ),
        (
            lambda vae, x: VAE(
                [Dense(3)], 2, [Dense(12, "sigmoid")], reconstruction_scale=float("nan")
            ),
            "binary_crossentropy: reconstruction_scale must be a number of at least 0, got "
            "nan",
        ),
        (
            lambda vae, x: VAE([Dense(3)], 2, [Dense(12, "sigmoid")], kl_weight={}),
            r"KL term: kl_weight must be a number of at least 0, got \{\}",
        ),
        (
            lambda vae, x: VAE([Dense(3)], 2, [Dense(12, "sigmoid")], backend="gpu"),
            "unknown backend 'gpu'",
        ),
        (lambda vae, x: VAE.load("nowhere.npz"), "nowhere.npz: no such file"),
        (
            lambda vae, x: VAE([Dense(3)], 0, [Dense(12, "sigmoid")]),
            "VAE: latent_dim must be a positive integer, got 0",
        ),
        (
            lambda vae, x: VAE([Dense(3)], 2, [Dense(12)]),
            "binary_crossentropy: the decoder must end in the activation sigmoid, got linear",
        ),
        (
            lambda vae, x: VAE([Dense(3)], 2, [Dense(12)], "hinge"),
            "model: reconstruction must be one of binary_crossentropy, squared_error, table, "
            "sparse_categorical_crossentropy, onehot_binary_crossentropy, got 'hinge'",
        ),
        (lambda vae, x: VAE([], 2, [Dense(12, "sigmoid")]), "Sequential: layers must hold at "
                                                            "least one layer, got none"),
        (
            lambda vae, x: Adam(beta_1=1.0),
            r"Adam: beta_1 must be in \[0, 1\), got 1\.0",
        ),
        (lambda vae, x: check_model(vae), "check_model: the model is not built and no x given"),
    ],
)
def test_wrong_use_gets_one_clear_line(call, message, x):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        call(small_vae(), x)
    assert "\n" not in str(caught.value)


def test_one_layer_object_in_two_places_is_refused():
    layer = Dense(3)
    with pytest.raises(ScratchVAEError, match="Sequential: one Dense object is used twice; "
                                              "make a layer for each place"):
        Sequential([layer, layer])


def test_one_layer_object_in_encoder_and_decoder_is_refused(x):
    layer = Dense(12, "relu")
    with pytest.raises(ScratchVAEError, match="VAE: one layer object is used in two places; "
                                              "make a layer for each"):
        VAE([layer], 12, [layer, Dense(12, "sigmoid")]).fit(x)


@pytest.mark.parametrize(
    "decoder",
    [
        lambda: [Dense(12), Reshape((3, 4)), Activation("softmax")],
        lambda: [Dense(12, "softmax"), Reshape((3, 4))],
        lambda: [Dense(12, "tanh"), Reshape((3, 4))],
        lambda: [Dense(12), Reshape((3, 4))],
    ],
)
def test_training_and_decoding_compute_the_same_output(decoder, rng):
    x = rng.random((5, 3, 4)).astype(np.float32)
    model = Autoencoder([Flatten(), Dense(2)], decoder(), "squared_error")
    model.build((3, 4), seed=1)
    model.forward(x, training=True)
    np.testing.assert_array_equal(model.loss.output, model.reconstruct(x))
    assert check_model(model).passed


def test_the_likelihood_takes_over_the_output_activation():
    for layers, activation in (
        ([Dense(4, "tanh")], "tanh"),
        ([Dense(4), Activation("sigmoid")], "sigmoid"),
        ([Dense(4, "sigmoid"), Reshape((2, 2))], "sigmoid"),
        ([Dense(4, "relu"), Dropout(0.1)], "linear"),
    ):
        chain = Sequential(layers)
        assert chain.take_output_activation() == activation
        assert chain.take_output_activation() == "linear"
        assert (
            chain.get_config() != [layer.get_config() for layer in layers] or activation == "linear"
        )
