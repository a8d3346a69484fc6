"""Models of words: their gradients, bits, targets, and the VAE that writes lines."""

import numpy as np
import pytest
from helpers import HOSTS, assert_same_gradients, same_on_any_number_of_threads, without_seconds
from scipy.special import log_softmax
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels
from scratchvae.gradcheck.check import check_model, compare
from scratchvae.layers import GRU, Bidirectional, Dense, Embedding, OneHotDense, RepeatVector
from scratchvae.models import VAE, Model, TextVAE
from scratchvae.models.text_vae import END, PAD, UNKNOWN
from scratchvae.objectives import ELBO
from scratchvae.optimizers import SGD, Adam

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")


# Models

V = 7
T = 4  # words and steps of the small models


def both(units, return_sequences):
    """The lab's recurrent layer."""
    return Bidirectional(GRU(units, return_sequences))


def text_gru(backend="cpu", mask_zero=False):
    """The lab's layers, small."""
    return VAE(
        [Embedding(V, 3, mask_zero=mask_zero), both(2, True), both(1, False), Dense(4, "relu")],
        2,
        [Dense(3), RepeatVector(T), both(1, True), both(2, True), Dense(V, "softmax")],
        "sparse_categorical_crossentropy",
        float(T),
        kl_weight=0.7,
        backend=backend,
    )


def shakespeare_onehot(backend="cpu", dtype="float32"):
    """The lab's layers, small."""
    return VAE(
        [OneHotDense(V, 5, "relu")],
        3,
        [Dense(5, "relu"), Dense(V, "sigmoid")],
        "onehot_binary_crossentropy",
        float(V),
        kl_weight=0.7,
        dtype=dtype,
        backend=backend,
    )


def text_vae(backend="cpu", dtype="float32", steps=T, units=3, **options):
    """A small one, with all that makes training noisy."""
    options = dict(dropout=0.2, word_dropout=0.4) | options
    return TextVAE(V, steps, 2, 2, units, kl_weight=0.7, dtype=dtype, backend=backend, **options)


MODELS = {
    "text-gru": (text_gru, (T,)),
    "text-gru masked": (lambda backend="cpu": text_gru(backend, True), (T,)),
    "shakespeare-onehot": (shakespeare_onehot, (1,)),
    "text-vae": (text_vae, (T,)),
}


def lines(rng, count, steps=T):
    """Lines of words, END and PAD, of every length."""
    words = rng.integers(END + 1, V, (count, steps), np.int32)
    lengths = np.arange(count) % steps
    words[np.arange(steps) > lengths[:, np.newaxis]] = PAD
    words[np.arange(count), lengths] = END
    return words


def words(rng, shape):
    """Five examples for a model of MODELS."""
    return lines(rng, 5) if shape == (T,) else rng.integers(0, V, (5, 1), np.int32)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_whole_models(name, rng):
    make, shape = MODELS[name]
    model = make()
    model.build(shape)
    report = check_model(model, words(rng, shape))
    assert report.passed, report
    # Words have no gradient.
    assert [row.parameter for row in report.rows] == model.parameters.names


@pytest.mark.parametrize("name", MODELS)
def test_backends_have_the_same_gradients(name, rng):
    make, shape = MODELS[name]
    models = [make(backend) for backend in HOSTS]
    for model in models:
        model.build(shape)
    assert_same_gradients(models, words(rng, shape))


@pytest.mark.parametrize("backend", HOSTS)
def test_gradients_towards_another_target(backend, rng):
    model = shakespeare_onehot(backend, "float64")
    model.build((1,))
    x, y = rng.integers(0, V, (2, 5, 1), np.int32)
    model.noise.step = 3
    model.forward(x, training=True, target=y)
    model.backward(0.7)

    def loss():
        reconstruction, kl = model.forward(x, training=True, target=y)
        return np.mean(reconstruction + 0.7 * kl)

    gradients = {
        f"{path}/{name}": grad
        for path, layer in model.layers.items()
        for name, grad in layer.grads.items()
    }
    rows = compare(
        loss, {name: model.parameters[name] for name in model.parameters.names}, gradients
    )
    assert all(row.passed for row in rows), rows


def test_gradients_with_free_bits(rng):
    """The loss then has the KL of those dimensions only whose mean is above."""
    model = text_vae("cpu", "float64", objective=ELBO(0.1))
    model.build((T,))
    for name in model.parameters.names:
        model.parameters[name][...] += 0.3 * rng.standard_normal(model.parameters[name].shape)
    model.parameters["z_mean/kernel"][:, 0] *= (
        5  # the KL of one dimension is above the free bits, that of the other below
    )
    model.parameters["z_mean/bias"][0] += 1
    model.parameters["z_mean/kernel"][:, 1] *= 0.1
    model.parameters["z_log_var/kernel"][:, 1] *= 0.1
    for name in ("z_mean/bias", "z_log_var/bias"):
        model.parameters[name][1] = 0
    x = lines(rng, 5)
    model.noise.step = 1

    def costs():
        reconstruction, _ = model.forward(x, training=True)
        return reconstruction.mean(), -0.5 * np.mean(
            1 + model.lv - model.mu**2 - np.exp(model.lv), axis=0
        )

    def loss():
        reconstruction, kl = costs()
        return reconstruction + 0.7 * kl[kl >= 0.1].sum()

    kl = costs()[1]
    assert kl[0] > 0.11 and kl[1] < 0.09, kl
    model.backward(0.7)
    gradients = {
        f"{path}/{name}": grad
        for path, layer in model.layers.items()
        for name, grad in layer.grads.items()
    }
    rows = compare(
        loss, {name: model.parameters[name] for name in model.parameters.names}, gradients
    )
    assert all(row.passed for row in rows), rows


def test_text_gru_has_the_lab_s_parameters():
    vae = VAE(
        [Embedding(10_000, 64), both(32, True), both(16, False), Dense(16, "relu")],
        32,
        [Dense(16), RepeatVector(5), both(16, True), both(32, True), Dense(10_000, "softmax")],
        "sparse_categorical_crossentropy",
    )
    vae.build((5,))
    assert vae.count == vae.parameters.count == 1_334_768


@pytest.mark.parametrize("name", MODELS)
def test_backends_train_to_the_same_numbers(name, rng):
    make, shape = MODELS[name]
    x = lines(rng, 21) if shape == (T,) else rng.integers(0, V, (21, 1))
    histories = []
    for backend in HOSTS:
        histories.append(
            make(backend).fit(x, epochs=2, batch_size=8, validation_data=x, seed=2, progress=False)
        )
    for column in ("loss", "reconstruction", "kl", "val_loss"):
        np.testing.assert_allclose(histories[0][column], histories[1][column], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_same_seed_same_bits_on_any_number_of_threads(name, rng):
    make, shape = MODELS[name]
    x = lines(rng, 50) if shape == (T,) else rng.integers(0, V, (50, 1))

    def train():
        model = make()
        history = model.fit(
            x,
            epochs=2,
            batch_size=16,
            optimizer=Adam(global_clipnorm=0.5),
            validation_data=x,
            seed=5,
            progress=False,
        )
        return model.parameters.values.tobytes(), without_seconds(history)

    same_on_any_number_of_threads(train)


@pytest.mark.parametrize("name", MODELS)
def test_resumed_training_gives_the_same_bits(name, rng, tmp_path):
    """With targets of their own, except for the TextVAE, which has none."""
    make, shape = MODELS[name]
    x = lines(rng, 21) if shape == (T,) else rng.integers(0, V, (21, 1))
    pair = {} if name == "text-vae" else {"y": np.roll(x, -1, axis=0)}
    options = dict(
        batch_size=8, validation_data=(x, pair["y"]) if pair else x, seed=4, progress=False, **pair
    )
    whole = make()
    first = make()
    second = make()
    expected = whole.fit(x, epochs=4, optimizer=Adam(global_clipnorm=1.0), **options)
    first.fit(
        x, epochs=1, optimizer=Adam(global_clipnorm=1.0), checkpoint=tmp_path / "c.npz", **options
    )
    resumed = second.fit(
        x,
        epochs=4,
        optimizer=Adam(global_clipnorm=1.0),
        checkpoint=tmp_path / "c.npz",
        resume=True,
        **options,
    )
    assert (
        second.parameters.values.tobytes()
        == whole.parameters.values.tobytes()
        != first.parameters.values.tobytes()
    )
    assert without_seconds(resumed) == without_seconds(expected)
    others = (
        [({**options, "y": x[::-1].copy(), "validation_data": None}, Adam(global_clipnorm=1.0))]
        if pair
        else []
    )
    for changed, optimizer in [*others, (options, Adam(global_clipnorm=2.0)), (options, Adam())]:
        with pytest.raises(ScratchVAEError, match="was trained with (data|optimizer)"):
            make().fit(
                x,
                epochs=4,
                optimizer=optimizer,
                checkpoint=tmp_path / "c.npz",
                resume=True,
                **changed,
            )


@pytest.mark.parametrize("name", MODELS)
def test_save_and_load(name, rng, tmp_path):
    make, shape = MODELS[name]
    model = make()
    x = lines(rng, 9) if shape == (T,) else rng.integers(0, V, (9, 1))
    model.fit(x, epochs=1, progress=False)
    model.save(tmp_path / "model.npz")
    again = Model.load(tmp_path / "model.npz")
    assert (
        type(again) is type(model)
        and again.get_config() == model.get_config()
        and again.evaluate(x) == model.evaluate(x)
    )
    for one, other in zip(again.encode(x), model.encode(x)):
        np.testing.assert_array_equal(one, other)


def test_fit_learns_the_target_and_not_the_example():
    """Which word follows which: in a circle."""
    x = np.tile(np.arange(V)[:, np.newaxis], (6, 1))
    y = (x + 1) % V
    model = VAE(
        [OneHotDense(V, 16, "relu")],
        4,
        [Dense(16, "relu"), Dense(V, "sigmoid")],
        "onehot_binary_crossentropy",
        float(V),
        0.01,
    )
    history = model.fit(
        x,
        epochs=60,
        batch_size=7,
        optimizer=Adam(0.02),
        y=y,
        validation_data=(x, y),
        seed=1,
        progress=False,
    )
    np.testing.assert_array_equal(model.reconstruct(x).argmax(axis=1), y[:, 0])
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert (
        model.evaluate(x, 1, y)["loss"]
        == history["val_loss"][-1]
        < 0.3 * model.evaluate(x, 1)["loss"]
    )


def test_fit_on_the_example_itself_as_target_is_fit_without(rng):
    x = rng.integers(0, V, (20, 1))
    results = []
    for target in ({}, {"y": x}, {"y": x.copy()}):
        model = shakespeare_onehot()
        results.append(
            (
                model.fit(x, epochs=2, batch_size=8, seed=3, progress=False, **target)["loss"],
                model.parameters.values.tobytes(),
            )
        )
    assert results[0] == results[1] == results[2]


def test_targets_go_with_their_examples_in_every_batch(rng):
    """A squared error against y, after a step without any learning, is the mean over all pairs."""
    x = rng.random((23, 6)).astype(np.float32)
    y = rng.random((23, 6)).astype(np.float32)
    model = VAE([Dense(4, "tanh")], 2, [Dense(6)], "squared_error", 6.0)
    model.build((6,), 1)
    model.parameters["z_log_var/bias"][...] = -60  # no noise to speak of
    history = model.fit(x, epochs=1, batch_size=5, optimizer=SGD(0.0), y=y, seed=1, progress=False)
    expected = np.square(model.reconstruct(x) - y).sum(axis=1).mean()
    assert history["reconstruction"][0] == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(x, y=y)["reconstruction"] == pytest.approx(expected, rel=1e-5)


X = np.arange(10)[:, np.newaxis] % V
Y = np.arange(1, 11)[:, np.newaxis] % V


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda m: m.fit(X.astype(float)),
            r"x must be an integer array \(indices of words\) of shape \(N, 1\), got float64 "
            r"dtype",
        ),
        (lambda m: m.fit(X == 1), r"x must be an integer array \(indices of words\) of shape "
                                  r"\(N, 1\), got [a-z0-9]+ dtype"),
        (lambda m: m.fit(X + 1), f"x: index {V} is out of range; allowed: 0 to {V - 1}"),
        (lambda m: m.fit(X - 1), "x: index -1 is out of range; allowed: 0 to 6"),
        (lambda m: m.fit(X, y=Y.astype(float)), r"y must be an integer array \(indices of "
                                                r"words\) of shape \(N, 1\), got [a-z0-9]+ dtype"),
        (
            lambda m: m.fit(X, y=Y + 1),
            f"onehot_binary_crossentropy: index {V} is out of range; allowed: 0 to {V - 1}",
        ),
        (lambda m: m.fit(X, y=Y - 1), "onehot_binary_crossentropy: index -1 is out of range"),
        (lambda m: m.fit(X, y=Y[:9]), "x and y must have the same length, got 10 and 9"),
        (lambda m: m.fit(X, y=Y[:, 0]), r"y must have shape \(N, 1\), got \(10,\)"),
        (
            lambda m: m.fit(X, y=np.eye(V, dtype=int)[Y[:, 0]]),
            r"y must have shape \(N, 1\), got \(10, 7\)",
        ),
        (lambda m: m.fit(X, y=Y, validation_data=(X, Y[:5])), "x and y must have the same "
                                                              "length, got 10 and 5"),
        (lambda m: m.fit(X, y=Y, validation_data=X), r"validation_data must be a pair \(x, y\)"),
        (
            lambda m: m.fit(X, validation_data=(X, Y)),
            r"x must have shape \(N, 1\), got \(2, 10, 1\)",
        ),
        (
            lambda m: m.fit(X, progress=False) and m.evaluate(X, y=Y[:3]),
            "x and y must have the same length, got 10 and 3",
        ),
        (
            lambda m: m.fit(X, progress=False) and m.evaluate(X * 1.0),
            r"x must be an integer array \(indices of words\) of shape \(N, 1\), got float64 "
            r"dtype",
        ),
        (
            lambda m: m.fit(X, progress=False) and m.encode(X + V),
            f"x: index {2 * V - 1} is out of range",
        ),
        *(
            (lambda m, x=x, y=y: m.fit(x, y=y, progress=False),
             r"[xy] must hold indices of words below 2\^31, got [0-9]+ to [0-9]+")
            for x, y in ((X + 2**32, Y), (X, Y + 2**32), (X.astype(np.uint64) + 2**63, Y))
        ),
    ],
)
def test_wrong_words_and_targets_get_one_clear_line(call, message):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        call(shakespeare_onehot())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64, list])
def test_words_may_be_any_whole_numbers(kind, rng):
    x = lines(rng, 9)
    given = x.tolist() if kind is list else x.astype(kind)
    model = text_gru()
    model.build((T,))
    assert model.evaluate(given) == model.evaluate(x)


# The VAE of lines


def test_writing_step_by_step_is_the_teacher_forced_forward_pass(rng):
    """-log p(x|z), word by word."""
    for backend in HOSTS:
        model = text_vae(backend, "float64")
        model.build((T,), 3)
        for name in model.parameters.names:
            model.parameters[name][...] += 0.5 * rng.standard_normal(model.parameters[name].shape)
        x = lines(rng, 6)
        reconstruction = model.forward(x)[0]
        z = model.z.copy()
        total = np.zeros(6)
        words = np.full(6, END)
        state = model.start(z)
        for t in range(T):
            logits, state = model.step(words, state)
            words = x[:, t]
            total -= np.where(words == PAD, 0, log_softmax(logits, axis=1)[np.arange(6), words])
        np.testing.assert_allclose(reconstruction, total, rtol=1e-10)


def test_a_line_costs_the_same_alone_and_among_others_and_padding_costs_nothing(rng):
    model = text_vae(dtype="float64")
    x = lines(rng, 8)
    model.build((T,), 3)
    model.noise.normal = lambda out, stream: out.fill(0.3)
    together = [values.copy() for values in model.forward(x)]
    alone = [
        np.concatenate(values)
        for values in zip(*([v.copy() for v in model.forward(x[n : n + 1])] for n in range(8)))
    ]
    for one, other in zip(together, alone):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    longer = text_vae(dtype="float64", steps=T + 3)
    longer.build((T + 3,), 3)
    longer.parameters.values[...] = model.parameters.values
    longer.noise.normal = model.noise.normal
    for one, other in zip(longer.forward(np.pad(x, ((0, 0), (0, 3)))), together):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_word_dropout_hides_words_from_the_decoder_in_training_only(rng):
    x = np.full((400, T), 5, np.int32)
    model = text_vae(word_dropout=0.4)
    model.build((T,))
    shown = model.words_before(x, training=True).copy()
    assert (shown[:, 0] == END).all() and set(np.unique(shown[:, 1:])) == {UNKNOWN, 5}
    assert (shown[:, 1:] == UNKNOWN).mean() == pytest.approx(0.4, abs=0.05)
    np.testing.assert_array_equal(model.words_before(x, training=True), shown)
    model.noise.step += 1
    assert not np.array_equal(model.words_before(x, training=True), shown)
    plain = model.words_before(np.arange(3, 3 + T, dtype=np.int32)[np.newaxis], training=False)
    np.testing.assert_array_equal(plain, [[END, *range(3, 2 + T)]])


def test_free_bits_keep_the_latent_space_in_use(rng):
    x = lines(rng, 40)
    options = dict(epochs=30, batch_size=10, optimizer=Adam(0.02), seed=1, progress=False)
    kl = [
        text_vae(objective=ELBO(bits), dropout=0, word_dropout=0).fit(x, **options)["kl"][-1]
        for bits in (0.0, 1.0)
    ]
    assert kl[0] < 0.5 < 1 < kl[1]


def test_the_model_learns_lines_and_what_they_are_made_of(rng):
    x = lines(rng, 24)
    model = text_vae(dropout=0, word_dropout=0, units=8)
    history = model.fit(
        x, epochs=30, batch_size=8, optimizer=Adam(0.02), validation_data=x, seed=1, progress=False
    )
    assert (
        history["loss"][-1] < 0.7 * history["loss"][0]
        and history["val_loss"][-1] < 0.7 * history["val_loss"][0]
    )


def test_lines_are_decoded_word_by_word():
    model = text_vae()
    model.build((T,))
    z = np.random.default_rng(3).standard_normal((4, model.latent_dim)).astype(model.dtype)
    written = model.decode(z)
    state = model.start(z)
    words = np.full(4, END)
    assert written.shape == (4, T) and written.dtype == np.int32
    for t in range(T):
        logits, state = model.step(words, state)
        logits[:, [0, 1]] = -np.inf  # padding and the unknown word are never written
        words = logits.argmax(axis=1)
        running = (written[:, :t] != END).all(axis=1)
        np.testing.assert_array_equal(written[running, t], words[running])
    assert model.sample(3).shape == (3, T) and model.reconstruct(np.full((2, T), END)).shape == (
        2,
        T,
    )


def test_lines_without_words_are_refused():
    model = text_vae()
    model.build((T,))
    x = np.full((3, T), END)
    x[1, 0] = 0
    with pytest.raises(ScratchVAEError, match=r"TextVAE: a line must hold words and its end "
                                              r"\(END = 2\) before the padding \(PAD = 0\), "
                                              r"but line 1 begins with padding"):
        model.evaluate(x)
    with pytest.raises(ScratchVAEError, match="TextVAE: reconstructs its lines"):
        model.fit(x, y=x.copy())
