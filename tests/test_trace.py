"""The trace of a training step: its numbers, its findings on planted problems, table and page."""
import base64

import numpy as np
import pytest
from helpers import small_vae, write_play
from trace_subjects import no_benchmark, quick, subject  # noqa: F401 (a fixture)

from scratchvae.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
    Reshape,
)
from scratchvae.models import VAE, Autoencoder, TextVAE
from scratchvae.objectives import ELBO
from scratchvae.optimizers import SGD, Adam
from scratchvae.teaching import trace as tracing
from scratchvae.teaching.trace import trace
from scratchvae.teaching.trace.check import check
from scratchvae.teaching.trace.page import array_contents, contents
from scratchvae.teaching.trace.portrait import lay_out, portray
from scratchvae.teaching.trace.step import record
from scratchvae.teaching.trace.tap import tapped
from scratchvae.training import Callback


def event(result, place, direction):
    (found,) = (event for event in result.events
                if (event.place, event.direction) == (place, direction))
    return found


def problems(result):
    """Return pairs of a place and a problem."""
    return [(finding.place, finding.problem) for finding in result.findings]


# Numbers


def test_events_come_in_the_order_in_which_they_happen(x):
    result = quick(subject(small_vae(), x))
    forward = [
        "encoder/dense",
        "encoder/dropout",
        "z_mean",
        "z_log_var",
        "sampling",
        "decoder/dense",
        "decoder/dense_1",
        "loss",
        "kl",
    ]
    backward = [
        "loss",
        "decoder/dense_1",
        "decoder/dense",
        "sampling",
        "kl",
        "z_mean",
        "z_log_var",
        "encoder/dropout",
        "encoder/dense",
    ]
    assert [event.place for event in result.events] == [*forward, *backward, "optimizer"]
    directions = ["forward"] * 9 + ["backward"] * 9 + ["update"]
    assert [event.direction for event in result.events] == directions


def test_numbers_of_a_dense_layer_are_those_computed_by_hand(x):
    """forward, gradient and update of the last layer, whose gradient is (p - t) scale / (D N)."""
    before = subject(small_vae(), x, SGD(0.1))
    parameters = before.model.parameters
    weights = {name: parameters[name].astype(float) for name in parameters.names}
    result = quick(before)
    hidden = event(result, "decoder/dense", "forward").arrays["output"]
    forward = event(result, "decoder/dense_1", "forward")
    backward = event(result, "decoder/dense_1", "backward")
    assert forward.parameters == 6 * 12 + 12
    assert forward.flops == 2 * 50 * 6 * 12
    assert backward.flops == 2 * forward.flops
    assert forward.bytes == 4 * (50 * 6 + 6 * 12 + 12 + 50 * 12)
    assert backward.bytes == 4 * (3 * 50 * 12 - 50 * 12 + 2 * 50 * 6 + 2 * (6 * 12 + 12))
    y = forward.arrays["output"]
    dlogits = event(result, "loss", "backward").arrays["dlogits"]
    np.testing.assert_allclose(dlogits.norm, backward.arrays["dout"].norm)
    h = hidden.cells.astype(float)  # all of it is in the picture
    logits = h @ weights["decoder/dense_1/kernel"] + weights["decoder/dense_1/bias"]
    np.testing.assert_allclose(
        [y.mean, y.spread, y.low, y.high, y.norm],
        [logits.mean(), logits.std(), logits.min(), logits.max(), np.sqrt((logits**2).sum())],
        rtol=1e-4,
        atol=1e-6,
    )
    assert hidden.zeros == np.mean(h == 0) > 0
    assert hidden.silent == (h == 0).all(axis=0).sum()
    dz = (1 / (1 + np.exp(-logits)) - x) * 12 / (12 * 50)
    gradient = np.sqrt(((h.T @ dz) ** 2).sum() + (dz.sum(axis=0) ** 2).sum())
    np.testing.assert_allclose(backward.gradient_norm, gradient, rtol=1e-4)
    update = result.updates["decoder/dense_1"]
    np.testing.assert_allclose(
        [update.weight, update.change],
        [np.linalg.norm(weights["decoder/dense_1/kernel"]), 0.1 * gradient],
        rtol=1e-4,
    )
    assert update.ratio == update.change / update.weight


def test_flops_add_up_to_the_model_s(x):
    vae = VAE(
        [Conv2D(2, 3, padding="same"), Flatten(), Dense(5)],
        2,
        [
            Dense(12),
            Reshape((4, 3, 1)),
            Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
        ],
    )
    result = quick(subject(vae, x.reshape(50, 4, 3, 1)))
    assert sum(event.flops for event in result.events) == vae.flops(50)
    assert event(result, "encoder/flatten", "forward").bytes == 0
    forward = [event for event in result.events if event.direction == "forward"]
    assert sum(event.parameters for event in forward) == vae.count
    assert result.events[-1].parameters == vae.count


def test_arrays_of_sampling_and_kl_have_the_names_of_the_formulas(x):
    result = quick(subject(small_vae(), x))
    names = {(place, direction): list(event(result, place, direction).arrays)
             for place in ("sampling", "kl") for direction in ("forward", "backward")}
    assert names == {
        ("sampling", "forward"): ["mu", "lv", "eps", "z"],
        ("sampling", "backward"): ["dz", "dmu", "dlv"],
        ("kl", "forward"): ["KL", "KL by dimension"],
        ("kl", "backward"): ["KL's part of dmu", "KL's part of dlv", "dmu", "dlv"],
    }
    mu = event(result, "sampling", "forward").arrays["mu"]
    assert mu.norm == event(result, "z_mean", "forward").arrays["output"].norm
    lv = event(result, "sampling", "forward").arrays["lv"]
    assert lv.norm == event(result, "z_log_var", "forward").arrays["output"].norm
    dlv = event(result, "kl", "backward").arrays["dlv"]
    assert dlv.norm == event(result, "z_log_var", "backward").arrays["dout"].norm


def test_losses_are_those_of_training(x):
    """The trace's step is the one that fit makes first."""
    seen = []
    vae = small_vae()
    twin = small_vae()
    for model in (vae, twin):
        model.build((12,), 5)

    class Losses(Callback):
        def on_step_end(self, step, batch, loss):
            seen.append(loss)

    twin.fit(x, batch_size=50, optimizer=Adam(), seed=5, shuffle=False, progress=False,
             callbacks=[Losses()])
    result = quick(subject(vae, x, Adam(), steps=0, seed=5))
    np.testing.assert_allclose(result.losses["loss"], seen[0], rtol=1e-6)


def test_the_taps_are_taken_out(x):
    vae = small_vae()
    of = subject(vae, x)
    kernels = vae.kernels
    with pytest.raises(ZeroDivisionError), tapped(vae, of.optimizer, lambda *call: 1 / 0):
        of.step()
    owners = [*vae.layers.values(), vae.loss, of.optimizer, vae.noise]
    assert vae.kernels is kernels
    for owner in owners:
        assert not {"forward", "backward", "update", "normal"} & set(vars(owner))


def test_layer_times_add_up_to_the_step(rng):
    """On layers large enough that a call takes longer than to time it."""
    vae = VAE([Dense(300, "relu")], 8, [Dense(300, "relu"), Dense(400, "sigmoid")])
    result = trace(subject(vae, rng.random((200, 400)).astype(np.float32)), timing=1.0, checking=0)
    assert result.times.repeats >= 3
    assert result.times.covered > 0
    calls = {(event.place, event.direction) for event in result.events}
    assert set(result.times.calls) == calls


# Finite differences


def test_a_wrong_gradient_is_found(x, monkeypatch):
    vae = small_vae()
    of = subject(vae, x)
    right = check(of, 5)
    assert set(right) == {
        "encoder/dense",
        "z_mean",
        "z_log_var",
        "decoder/dense",
        "decoder/dense_1",
    }
    for checked in right.values():
        assert checked.entries == 6
        assert checked.error < 1e-6
    backward = Dense.backward

    def wrong(self, dout, need_dx=True):
        dx = backward(self, dout, need_dx)
        self.grads["kernel"] *= 1.1
        self.grads["bias"] *= 1.1
        return dx

    monkeypatch.setattr(Dense, "backward", wrong)
    for checked in check(of, 5).values():
        assert checked.error == pytest.approx(0.1 / 1.1, rel=1e-3)
    found = [place for place, problem in problems(quick(of)) if "finite differences" in problem]
    assert found == ["decoder/dense_1"]         # the first in the backward pass; the others follow


def test_the_check_stops_in_time(x):
    checked = check(subject(small_vae(), x), 0).values()
    assert len(checked) == 5
    assert sum(layer.entries for layer in checked) == 0


@pytest.mark.parametrize(
    "make, x",
    [
        (
            lambda: Autoencoder(
                [Dense(5, "tanh"), Dense(2)],
                [Dense(5), BatchNormalization(), Activation("relu"), Dense(12, "sigmoid")],
                "squared_error",
            ),
            np.random.default_rng(0).random((6, 12)).astype(np.float32),
        ),
        (
            lambda: TextVAE(9, 4, 2, 3, 5, dropout=0.2, word_dropout=0.3, objective=ELBO(0.1)),
            np.array([[3, 4, 2, 0], [5, 2, 0, 0], [8, 7, 6, 2]], np.int32),
        ),
    ],
)
def test_other_models(make, x):
    result = quick(subject(make(), x))
    checked = [event.checked for event in result.events if event.checked]
    assert checked
    for layer in checked:
        assert layer.entries
        assert layer.passed
    assert len(contents(result)["events"]) == len(result.events)
    if isinstance(result.subject.model, TextVAE):
        # Nine words, not three lines of four.
        assert event(result, "decoder/dense", "forward").flops == 2 * 9 * 5 * 9
        assert {"gru", "words/embedding", "initial", "sampling", "kl"} <= {
            event.place for event in result.events
        }


# Health


def test_a_healthy_model_has_no_problems(x):
    assert problems(quick(subject(small_vae(), x))) == []


def planted(x, change, *layers, **more):
    """The findings on a VAE after change(model)."""
    vae = VAE([Dense(16, "relu")], 2, [*layers, Dense(12, "sigmoid")], **more)
    vae.build((12,))
    change(vae)
    return problems(quick(subject(vae, x)))


def has_problem(found, place, beginning):
    """Return whether a problem at this place begins like this."""
    return any(where == place and problem.startswith(beginning) for where, problem in found)


def test_dead_units_are_pointed_out(x):
    def kill(units):
        def change(vae):
            vae.parameters["encoder/dense/bias"][...] = 5
            vae.parameters["encoder/dense/bias"][:units] = -100

        return change

    assert has_problem(planted(x, kill(12)), "encoder/dense", "12 of 16 units are dead")
    assert has_problem(planted(x, kill(16)), "encoder/dense", "no gradient at all")


def test_a_collapsed_dimension_is_pointed_out(x, rng):
    def collapse(vae):
        vae.parameters["z_mean/kernel"][:, 1] = 0
        vae.parameters["z_log_var/kernel"][:, 1] = 0
        vae.parameters["z_mean/kernel"][:, 0] *= 3

    beginning = "1 of 2 latent dimensions (1) collapsed"
    found = planted(x, collapse)
    assert [place for place, problem in found if problem.startswith(beginning)] == ["kl"]
    vae = VAE([Dense(16, "relu")], 2, [Dense(12, "sigmoid")])
    vae.build((12,))
    collapse(vae)
    assert problems(quick(subject(vae, x, steps=0))) == []  # fresh weights always look like that


def test_exploding_and_vanishing_gradients_are_pointed_out(x):
    def scale(factor):
        def change(vae):
            vae.parameters["decoder/dense/kernel"][...] *= factor

        return change

    for factor, what in ((1e5, "exploding"), (1e-5, "vanishing")):
        found = planted(x, scale(factor), Dense(8), kl_weight=0.0)
        assert has_problem(found, "encoder/dense", f"{what} gradient")


def test_saturation_is_pointed_out(x):
    def saturate(vae):
        vae.parameters["decoder/dense/bias"][...] = 20

    for activation in ("sigmoid", "tanh"):
        found = planted(x, saturate, Dense(6, activation))
        assert has_problem(found, "decoder/dense", "100% of its outputs are saturated")
    assert "saturated" not in str(planted(x, saturate, Dense(6, "relu")))


def test_outputs_stuck_on_the_wrong_side_are_pointed_out(x):
    def stuck(vae):
        vae.parameters["decoder/dense/bias"][...] = 20

    assert "wrong and saturated" in str(planted(x, stuck, reconstruction="squared_error"))
    assert "wrong and saturated" not in str(planted(x, stuck, reconstruction="binary_crossentropy"))


def test_steps_that_are_too_large_are_pointed_out(x):
    result = quick(subject(small_vae(), x, SGD(100.0)))
    assert "the learning rate is too large" in str(problems(result))


def test_numbers_that_are_not_finite_are_pointed_out(x):
    vae = small_vae()
    vae.build((12,))
    vae.parameters["z_mean/bias"][0] = np.nan
    of = subject(vae, x)
    recorder, _ = record(of)
    result = tracing.Trace(of, "", {}, recorder.events, recorder.updates, None, 1.0)
    found = [(finding.place, finding.problem) for finding in tracing.examine(result)]
    assert has_problem(found, "z_mean", "bias, output: not finite")


# Pictures


def test_pictures_of_arrays(rng):
    images = rng.random((7, 4, 3, 1))
    cells, caption = lay_out("input", images, None)
    assert cells.shape == (3 * 5 - 1, 3 * 4 - 1)
    assert caption == "all 7 examples"
    np.testing.assert_array_equal(cells[:4, 4:7], images[1, ..., 0].astype(np.float32))
    assert np.isnan(cells[4]).all()
    kernel = rng.random((2, 3, 4, 5))
    cells, _ = lay_out("kernel", kernel, None)
    np.testing.assert_array_equal(cells[3:5, 8:11], kernel[:, :, 1, 2].astype(np.float32))
    cells, caption = lay_out("kernel", rng.random((12, 300)), (4, 3, 1))
    assert "columns, as images" in caption
    cells, caption = lay_out("output", rng.random((500, 300)), None)
    assert cells.shape == (96, 96)
    assert caption == "96 of 500 examples, 96 of 300 columns"


def test_the_page_s_bytes_give_the_numbers_back(rng):
    array = rng.standard_normal((9, 7)).astype(np.float32)
    array[0, 0] = 40  # has the full colour, as all beyond the scale
    drawn = array_contents(portray("x", array))
    levels = np.frombuffer(base64.b64decode(drawn["cells"]), np.uint8).reshape(9, 7).astype(float)
    values = (levels - 128) / 127 * drawn["scale"]
    inside = np.abs(array) <= drawn["scale"]
    np.testing.assert_allclose(values[inside], array[inside], atol=drawn["scale"] / 250)
    assert values[0, 0] == pytest.approx(drawn["scale"])
    assert drawn["high"] == 40


# The command


@pytest.fixture
def traced(run, small_data):
    """Call the command on a lab or a run; returns its output."""
    return lambda *arguments: run("trace", *arguments, "--data-dir", small_data, "--batch-size", 8)


def train(run, folder, data, epochs, batch_size):
    """Train mnist-dense on a small data set."""
    code, _, errors = run("train", "mnist-dense", "--epochs", epochs, "--batch-size", batch_size,
                          "--data-dir", data, "--out", folder)
    assert code == 0, errors


def contents_of(folder):
    """Return the bytes of all files of a folder."""
    return {path: path.read_bytes() for path in folder.glob("**/*") if path.is_file()}


def test_a_lab(traced, tmp_path):
    code, output, errors = traced("mnist-dense", "--html", tmp_path / "page.html")
    assert code == 0, errors
    for part in ("fresh weights", "step 1, batch of 8", "optimizer: RMSprop", "dW = x^T dz"):
        assert part in output
    lines = [line for line in output.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= 120
    assert (tmp_path / "page.html").stat().st_size < 2e6


def test_a_run_is_not_changed(traced, run, small_data, tmp_path):
    train(run, tmp_path / "a", small_data, epochs=1, batch_size=10)
    before = contents_of(tmp_path / "a")
    code, output, errors = traced(tmp_path / "a")
    assert code == 0, errors
    assert "step 5, batch of 8" in output
    assert "a run of mnist-dense" in output
    assert contents_of(tmp_path / "a") == before


def test_a_run_continues_where_its_training_stopped(run, small_data, tmp_path):
    """The next step of a run is the one of longer training: the same loss, and the same weights."""
    train(run, tmp_path / "a", small_data, epochs=1, batch_size=40)
    train(run, tmp_path / "b", small_data, epochs=2, batch_size=40)
    result = quick(tracing.open_subject(str(tmp_path / "a")))
    rows = [line.split(",") for line in (tmp_path / "b" / "history.csv").read_text().splitlines()]
    assert result.losses["loss"] == pytest.approx(float(rows[2][rows[0].index("loss")]), rel=1e-5)
    of = tracing.open_subject(str(tmp_path / "a"))
    longer = VAE.load(tmp_path / "b" / "weights.npz")
    of.step()
    np.testing.assert_array_equal(of.model.parameters.values, longer.parameters.values)


def test_words(run, tmp_path):
    play = write_play(tmp_path / "data" / "shakespeare" / "input.txt")
    settings = ("vocabulary_size=30", "steps=5", "units=4", "embedding_dim=3", "latent_dim=2")
    options = [part for setting in settings for part in ("--set", setting)]
    code, _, errors = run("train", "text-gru", "--text", play, "--epochs", 1, "--out",
                          tmp_path / "words", *options)
    assert code == 0, errors
    code, output, errors = run("trace", tmp_path / "words", "--html", tmp_path / "page.html",
                               "--batch-size", 6)
    assert code == 0, errors
    assert "encoder/embedding" in output
    assert "sparse_categorical_crossentropy" in output
    assert "its first example: " in (tmp_path / "page.html").read_text()


def test_a_name_that_is_neither_a_lab_nor_a_run_is_refused(run):
    code, _, errors = run("trace", "mnist-dens")
    assert code == 1
    assert errors.count("\n") == 1
    assert "mnist-dens: neither a lab nor a run" in errors
    assert "mnist-dense" in errors


def test_a_folder_without_a_run_is_refused(run, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, errors = run("trace", tmp_path / "empty")
    assert code == 1
    assert errors.count("\n") == 1
    assert "not a run directory (config.json is missing)" in errors
