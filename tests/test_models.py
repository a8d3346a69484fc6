"""Models: the whole loss against Keras, gradients, training, determinism, saving."""
import json
import tracemalloc

import numpy as np
import pytest

import kernels
from scratchvae import schedules
from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck import check_model
from scratchvae.gradcheck_suite import model_cases
from scratchvae.layers import Activation, Dense, Dropout, Flatten, Reshape
from scratchvae.models import VAE, Autoencoder, Sequential
from scratchvae.optimizers import SGD, Adam, RMSprop


def small_vae(**options):
    """A VAE on examples of 12 elements, with dropout."""
    return VAE([Dense(7, "relu"), Dropout(0.2)], 3, [Dense(6, "relu"), Dense(12, "sigmoid")], reconstruction_scale=12.0, **options)


@pytest.fixture
def x(rng):
    return rng.random((50, 12)).astype(np.float32)


@pytest.mark.parametrize("backend", kernels.BACKENDS)
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-5)])
def test_vae_equals_keras(golden, backend, dtype, tolerance):
    g = golden["vae"]
    vae = VAE([Dense(7, "relu")], 3, [Dense(6, "relu"), Dense(12, "sigmoid")], reconstruction_scale=784.0, dtype=dtype, backend=backend)
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
        assert np.abs(grad - expected).max() <= tolerance * np.abs(expected).max(), vae.parameters.names[i]


@pytest.mark.parametrize("backend", kernels.BACKENDS)
@pytest.mark.parametrize("case", range(4))
def test_gradients_of_whole_models(backend, case):
    model = list(model_cases(backend))[case]
    model.build((12,))
    before = model.parameters.values.copy()
    report = check_model(model)
    assert report.passed, report
    assert {row.parameter for row in report.rows} == {"input", *model.parameters.names}
    np.testing.assert_array_equal(model.parameters.values, before)


def test_a_wrong_sign_of_the_kl_gradient_is_found(monkeypatch):
    model = next(iter(model_cases("reference")))
    model.build((12,))
    right = kernels.load("reference").gaussian_kl_backward
    monkeypatch.setattr(kernels.load("reference"), "gaussian_kl_backward", lambda *a: right(*a[:4], -a[4]))
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
            assert np.shares_memory(grad, vae.parameters.gradients) and np.shares_memory(layer.params[name], vae.parameters.values)


def test_training_lowers_the_loss_and_history_says_so(x):
    vae = small_vae()
    history = vae.fit(x, epochs=30, batch_size=16, optimizer=Adam(0.01), validation_data=x, seed=1, progress=False)
    assert len(history) == 30 and history["epoch"] == list(range(1, 31))
    assert history["loss"][-1] < history["loss"][0] - 0.5
    for row in history.rows:
        assert row["loss"] == pytest.approx(row["reconstruction"] + row["kl"], rel=1e-6)
        assert row["val_loss"] == pytest.approx(row["val_reconstruction"] + row["val_kl"], rel=1e-6)
    assert vae.evaluate(x, seed=1)["loss"] == history["val_loss"][-1]


def test_history_is_the_mean_over_all_examples_of_unequal_batches(x, monkeypatch):
    vae, seen = small_vae(kl_weight=0.3), []
    train_step = VAE.train_step

    def recorded(self, batch, optimizer, kl_weight):
        losses = train_step(self, batch, optimizer, kl_weight)
        seen.append([values.copy() for values in losses])
        return losses

    monkeypatch.setattr(VAE, "train_step", recorded)
    history = vae.fit(x, epochs=1, batch_size=16, seed=3, progress=False)         # 16 + 16 + 16 + 2
    reconstruction, kl = (np.concatenate(values).astype(np.float64) for values in zip(*seen))
    assert [len(values) for values, _ in seen] == [16, 16, 16, 2]
    assert history["reconstruction"][0] == pytest.approx(reconstruction.mean(), rel=1e-12)
    assert history["kl"][0] == pytest.approx(kl.mean(), rel=1e-12)
    assert history["loss"][0] == pytest.approx((reconstruction + 0.3 * kl).mean(), rel=1e-12)


def test_every_epoch_sees_every_example_once_in_another_order(x, monkeypatch):
    from scratchvae.training import Training
    orders, train_batch = [], Training.train_batch
    monkeypatch.setattr(Training, "train_batch", lambda self, indices: orders.append(indices.copy()) or train_batch(self, indices))
    small_vae().fit(x, epochs=2, batch_size=50, seed=3, progress=False)
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50)) and list(orders[0]) != list(orders[1])


@pytest.mark.parametrize("make", [lambda: small_vae(), lambda: Autoencoder([Dense(5, "relu"), Dense(2)], [Dense(12, "sigmoid")])])
def test_same_seed_same_bits_on_any_number_of_threads(make, x):
    cpu, results = kernels.load("cpu"), []
    import numba
    try:
        for threads in {1, numba.config.NUMBA_NUM_THREADS, 1 + numba.config.NUMBA_NUM_THREADS // 2}:
            cpu.set_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
            model = make()
            history = model.fit(x, epochs=3, batch_size=16, validation_data=x, seed=5, progress=False)
            results.append((model.parameters.values.tobytes(), [{**row, "seconds": 0} for row in history.rows]))
    finally:
        cpu.set_threads(numba.config.NUMBA_NUM_THREADS)
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("size", [784])
def test_same_bits_on_one_and_more_threads_at_full_size(size, rng):
    import numba
    cpu, results = kernels.load("cpu"), []
    x = (rng.random((250, size)) * (rng.random((250, size)) < 0.3)).astype(np.float32)
    try:
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            cpu.set_threads(threads)
            vae = VAE([Dense(256, "relu")], 2, [Dense(256, "relu"), Dense(size, "sigmoid")], reconstruction_scale=784.0)
            vae.fit(x, epochs=2, batch_size=100, optimizer=RMSprop(), seed=1, progress=False)
            results.append(vae.parameters.values.tobytes())
    finally:
        cpu.set_threads(numba.config.NUMBA_NUM_THREADS)
    assert results[0] == results[1]


def test_backends_train_to_the_same_numbers(x):
    losses = []
    for backend in kernels.BACKENDS:
        losses.append(small_vae(backend=backend).fit(x, epochs=3, batch_size=16, validation_data=x, seed=2, progress=False))
    for column in ("loss", "reconstruction", "kl", "val_loss"):
        np.testing.assert_allclose(losses[0][column], losses[1][column], rtol=1e-4)


def test_other_seeds_give_other_results(x):
    a, b = small_vae(), small_vae()
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
    resumed = second.fit(x, epochs=5, optimizer=optimizer, checkpoint=tmp_path / "c.npz", resume=True, **options)
    assert second.parameters.values.tobytes() == whole.parameters.values.tobytes()
    assert [{**row, "seconds": 0} for row in resumed.rows] == [{**row, "seconds": 0} for row in expected.rows]


@pytest.mark.parametrize("moment", ["train_batch", "evaluate", "save"])
def test_interrupted_at_any_moment_and_resumed_gives_the_same_bits(moment, x, tmp_path, monkeypatch):
    import os
    import signal
    from scratchvae.models import Model
    from scratchvae.training import Training
    options = dict(epochs=3, batch_size=16, validation_data=x, seed=4, progress=False)
    whole, first, second = small_vae(), small_vae(), small_vae()
    expected = whole.fit(x, **options)
    owner = Model if moment == "evaluate" else Training
    original, calls = getattr(owner, moment), []

    def interrupted(self, *arguments):
        calls.append(moment)
        if len(calls) == {"train_batch": 7, "evaluate": 2, "save": 3}[moment]:       # save: the first is at the start
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, *arguments)

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
    assert [{**row, "seconds": 0} for row in resumed.rows] == [{**row, "seconds": 0} for row in expected.rows]


def test_resuming_with_other_settings_is_refused(x, tmp_path):
    small_vae().fit(x, epochs=1, batch_size=16, checkpoint=tmp_path / "c.npz", progress=False)
    with pytest.raises(ScratchVAEError, match="was trained with batch_size 16, not 10"):
        small_vae().fit(x, epochs=2, batch_size=10, checkpoint=tmp_path / "c.npz", resume=True, progress=False)
    with pytest.raises(ScratchVAEError, match="was trained with data 50 examples with checksum .*, not 40 examples"):
        small_vae().fit(x[:40], epochs=2, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False)
    with pytest.raises(ScratchVAEError, match="was trained with data"):
        small_vae().fit(1 - x, epochs=2, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False)
    with pytest.raises(ScratchVAEError, match="was trained with another model; resume"):
        small_vae(kl_weight=0.5).fit(x, epochs=2, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False)
    small_vae().fit(x, epochs=3, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False)
    with pytest.raises(ScratchVAEError, match="has 3 epochs already"):
        small_vae().fit(x, epochs=2, batch_size=16, checkpoint=tmp_path / "c.npz", resume=True, progress=False)
    with pytest.raises(ScratchVAEError, match="holds the state of an earlier training"):
        small_vae().fit(x, epochs=3, batch_size=16, checkpoint=tmp_path / "c.npz", progress=False)


def test_no_array_is_allocated_in_a_training_step_after_the_first(rng):
    from scratchvae.training import Training
    vae = VAE([Dense(256, "relu")], 2, [Dense(256, "relu"), Dense(784, "sigmoid")], reconstruction_scale=784.0)
    x = rng.random((300, 784)).astype(np.float32)
    vae.build((784,))
    optimizer = RMSprop()
    optimizer.build(vae.parameters, vae.kernels)
    training = Training(vae, optimizer, x, 100, 0)
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
        kept = sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)
    finally:
        tracemalloc.stop()
    assert kept < 100                           # of array memory that is still there: a scalar or two
    assert max(peaks) < 20_000                  # of all memory at any moment; the smallest array of the model has 400 bytes, y 300,000


def test_save_and_load(x, tmp_path):
    for model, kind in ((small_vae(kl_weight=schedules.Cyclical(10, 0.5)), VAE),
                        (Autoencoder([Dense(4, "relu"), Dense(2)], [Dense(12, "sigmoid")], "squared_error"), Autoencoder)):
        model.fit(x, epochs=1, progress=False)
        model.save(tmp_path / "model.npz")
        again = kind.load(tmp_path / "model.npz")
        np.testing.assert_array_equal(again.reconstruct(x), model.reconstruct(x))
        assert again.evaluate(x) == model.evaluate(x)
        assert json.loads(json.dumps(again.get_config())) == json.loads(json.dumps(model.get_config()))
    with pytest.raises(ScratchVAEError, match="holds a model of class Autoencoder; needed: VAE"):
        VAE.load(tmp_path / "model.npz")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text", "other"])
def test_damaged_files_are_recognised(damage, x, tmp_path):
    model, path = small_vae(), tmp_path / "model.npz"
    model.build((12,))
    model.save(path)
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[content.index(model.parameters["decoder/dense_1/kernel"].tobytes()) + 30] ^= 0x01
    path.write_bytes({"truncated": content[:-200], "flipped": content, "empty": b"", "text": b"hello", "other": content}[damage])
    if damage == "other":
        path.unlink()
        model.fit(x, checkpoint=path, progress=False)
    with pytest.raises(ScratchVAEError, match="model.npz: (damaged, truncated|is a 'checkpoint' file; needed: 'model')"):
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
    assert samples.shape == (130, 12) and (samples == vae.sample(130, seed=1)).all() and not (samples == vae.sample(130, seed=2)).all()
    np.testing.assert_array_equal(samples[:7], vae.sample(7, seed=1))
    np.testing.assert_array_equal(mean, kept)
    np.testing.assert_array_equal(vae.decode(mean), vae.reconstruct(x))
    vae.encode(x + 0.1)
    np.testing.assert_array_equal(mean, kept)


def test_evaluation_ignores_dropout_and_depends_on_the_seed_alone(x):
    vae = small_vae()
    vae.build((12,))
    assert vae.evaluate(x, seed=1) == vae.evaluate(x, seed=1)
    assert vae.evaluate(x, seed=1)["reconstruction"] != vae.evaluate(x, seed=2)["reconstruction"]
    assert vae.evaluate(x, seed=1)["kl"] == vae.evaluate(x, seed=2)["kl"]


def test_kl_weight_is_followed(x):
    free, strong = small_vae(kl_weight=0.0), small_vae(kl_weight=20.0)
    a, b = (vae.fit(x, epochs=40, batch_size=10, optimizer=Adam(0.01), progress=False) for vae in (free, strong))
    assert b["kl"][-1] < 0.1 < a["kl"][-1]
    assert a["loss"][-1] == pytest.approx(a["reconstruction"][-1])


def test_schedules():
    warmup, cyclical = schedules.LinearWarmup(10, 0.5), schedules.Cyclical(10, 2.0)
    assert [warmup(s) for s in (0, 5, 10, 99)] == [0, 0.25, 0.5, 0.5]
    assert [cyclical(s) for s in (0, 2.5, 5, 9, 10, 12.5)] == [0, 1, 2, 2, 0, 1]
    for schedule in (warmup, cyclical, schedules.Constant(0.3)):
        again = schedules.get(schedules.get_config(schedule))
        assert type(again) is type(schedule) and vars(again) == vars(schedule)
    with pytest.raises(ScratchVAEError, match="kl_weight is -1; allowed: numbers from 0"):
        schedules.get(-1)


@pytest.mark.parametrize("call, message", [
    (lambda vae, x: vae.encode(x), "this VAE is not built; call build"),
    (lambda vae, x: vae.fit(x, epochs=0), "fit: epochs is 0; allowed: whole numbers from 1"),
    (lambda vae, x: vae.fit(x, batch_size=-3), "fit: batch_size is -3"),
    (lambda vae, x: vae.fit(x, seed=-1), "fit: seed is -1; allowed: whole numbers from 0"),
    (lambda vae, x: vae.fit(x, optimizer="adam"), "fit: optimizer is 'adam'; needed: Adam"),
    (lambda vae, x: vae.fit(x * 255), r"x lies in \[.*needed: numbers in \[0, 1\] \(divide 8-bit images by 255\)"),
    (lambda vae, x: vae.fit(np.where(x > 0.9, np.nan, x)), "x lies in .nan, nan."),
    (lambda vae, x: vae.fit(x, validation_data=x[:, :5]), r"x has shape \(50, 5\); needed: \(examples, 12\)"),
    (lambda vae, x: vae.fit(x, validation_data=(x, x[:3])), "x is a tuple that is no array of numbers"),
    (lambda vae, x: vae.fit(x[:, :11]), r"an example has shape \(11,\), the decoder's output \(12,\)"),
    (lambda vae, x: vae.fit(x, epochs=2, batch_size=16, optimizer=SGD(1e30), progress=False), "training diverged: .*smaller learning_rate"),
    (lambda vae, x: vae.fit(x, resume=True), "resume=True without a checkpoint"),
    (lambda vae, x: vae.fit(x[0]), "fit: x is a ndarray of 1 axes; needed: an array of shape"),
    (lambda vae, x: vae.fit(None), "fit: x is a NoneType of 0 axes"),
    (lambda vae, x: vae.fit(x + 1j), "x is a ndarray that is no array of numbers"),
    (lambda vae, x: vae.build((12,), seed=-1), "VAE: seed is -1; allowed: whole numbers from 0"),
    (lambda vae, x: vae.fit(x, progress=False) and vae.sample(2, seed=None), "sample: seed is None"),
    (lambda vae, x: vae.fit(x, progress=False) and vae.evaluate(x, seed=1.5), "evaluate: seed is 1.5"),
    (lambda vae, x: vae.fit(x, epochs=1, batch_size=50, optimizer=SGD(1e30), validation_data=x, progress=False), "training diverged in epoch 1"),
    (lambda vae, x: VAE([Dense(3)], 2, [Dense(12, "sigmoid")], reconstruction_scale=-1), "reconstruction_scale is -1; allowed: numbers from 0"),
    (lambda vae, x: VAE([Dense(3)], 2, [Dense(12, "sigmoid")], reconstruction_scale=float("nan")), "reconstruction_scale is nan"),
    (lambda vae, x: VAE([Dense(3)], 2, [Dense(12, "sigmoid")], kl_weight={}), "kl_weight is {}; allowed: numbers from 0 or a schedule"),
    (lambda vae, x: VAE([Dense(3)], 2, [Dense(12, "sigmoid")], backend="gpu"), "unknown backend 'gpu'"),
    (lambda vae, x: VAE.load("nowhere.npz"), "nowhere.npz: no such file"),
    (lambda vae, x: VAE([Dense(3)], 0, [Dense(12, "sigmoid")]), "VAE: latent_dim is 0"),
    (lambda vae, x: VAE([Dense(3)], 2, [Dense(12)]), "decoder's output activation is linear; needed: sigmoid"),
    (lambda vae, x: VAE([Dense(3)], 2, [Dense(12)], "hinge"), "unknown reconstruction 'hinge'; there are: binary_crossentropy, squared_error"),
    (lambda vae, x: VAE([], 2, [Dense(12, "sigmoid")]), "Sequential: no layers"),
    (lambda vae, x: Adam(beta_1=1.0), "optimizer: beta_1 is 1.0; allowed: numbers from 0 up to, not including, 1"),
    (lambda vae, x: check_model(vae), "check_model: the model is not built and no x given"),
])
def test_wrong_use_gets_one_clear_line(call, message, x):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        call(small_vae(), x)
    assert "\n" not in str(caught.value)


def test_one_layer_object_in_two_places_is_refused():
    layer = Dense(3)
    with pytest.raises(ScratchVAEError, match="one Dense object stands twice"):
        Sequential([layer, layer])


def test_one_layer_object_in_encoder_and_decoder_is_refused(x):
    layer = Dense(12, "relu")
    with pytest.raises(ScratchVAEError, match="one layer object stands in two places"):
        VAE([layer], 12, [layer, Dense(12, "sigmoid")]).fit(x)


@pytest.mark.parametrize("decoder", [lambda: [Dense(12), Reshape((3, 4)), Activation("softmax")], lambda: [Dense(12, "softmax"), Reshape((3, 4))],
                                     lambda: [Dense(12, "tanh"), Reshape((3, 4))], lambda: [Dense(12), Reshape((3, 4))]])
def test_training_and_decoding_compute_the_same_output(decoder, rng):
    x = rng.random((5, 3, 4)).astype(np.float32)
    model = Autoencoder([Flatten(), Dense(2)], decoder(), "squared_error")
    model.build((3, 4), seed=1)
    model.forward(x, training=True)
    np.testing.assert_array_equal(model.loss.output, model.reconstruct(x))
    assert check_model(model).passed


def test_the_likelihood_takes_over_the_output_activation():
    for layers, activation in (([Dense(4, "tanh")], "tanh"), ([Dense(4), Activation("sigmoid")], "sigmoid"),
                               ([Dense(4, "sigmoid"), Reshape((2, 2))], "sigmoid"), ([Dense(4, "relu"), Dropout(0.1)], "linear")):
        chain = Sequential(layers)
        assert chain.take_output_activation() == activation
        assert chain.take_output_activation() == "linear"
        assert chain.get_config() != [layer.get_config() for layer in layers] or activation == "linear"
