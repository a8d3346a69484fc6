"""Early stopping, learning rates that change, and what a resumed training keeps of them."""
import json
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import HOSTS, KERAS_GROUPS, close, small_vae, without_seconds

from scratchvae import kernels, schedules
from scratchvae.analysis.metrics import active_units
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import Dense
from scratchvae.models import Autoencoder
from scratchvae.optimizers import SGD, Adam, AdamW, RMSprop
from scratchvae.teaching.judge import golden as keras_numbers
from scratchvae.training import Callback, EarlyStopping, History, ReduceLROnPlateau
from scratchvae.training.history import COLUMNS

OF_KERAS = {kind: [group for group in KERAS_GROUPS if group.startswith(f"{kind}/")]
            for kind in ("schedule", "monitor")}
MONITORS = {kind.__name__: kind for kind in (EarlyStopping, ReduceLROnPlateau)}


class Killed(Exception):
    """A process that ends without a warning."""


class KilledAfter(Callback):
    """Ends training after a step, as a kill does: nothing is written any more."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, step, batch, loss):
        if step == self.step:
            raise Killed


def read(group):
    """Return the class and the arguments that a group of Keras's numbers is of."""
    config = json.loads(str(group["config"]))
    return config.pop("class"), config


@pytest.mark.parametrize("name", OF_KERAS["schedule"])
def test_learning_rates_equal_keras(name, golden):
    """Keras computes them in float32."""
    group = golden[name]
    kind, arguments = read(group)
    schedule = schedules.LEARNING_RATES[kind](**arguments)
    rates = [schedule(int(step)) for step in group["steps"]]
    np.testing.assert_allclose(rates, group["rates"], rtol=1e-6, atol=1e-8)


def test_learning_rates_by_hand():
    cosine = schedules.CosineDecay(1.0, 100, alpha=0.2)
    assert [cosine(step) for step in (0, 50, 100, 1000)] == pytest.approx([1, 0.6, 0.2, 0.2])
    warm = schedules.CosineDecay(0.0, 100, warmup_target=2.0, warmup_steps=4)
    assert [warm(step) for step in (0, 1, 4, 54, 104)] == pytest.approx([0, 0.5, 2, 1, 0])
    linear = schedules.LinearWarmup(4, 0.1)
    assert [linear(step) for step in (0, 1, 4, 9)] == pytest.approx([0, 0.025, 0.1, 0.1])
    stairs = schedules.ExponentialDecay(1.0, 10, 0.5, staircase=True)
    assert [stairs(step) for step in (0, 9, 10, 30)] == [1, 1, 0.5, 0.125]


@pytest.mark.parametrize("schedule", [
    schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
    schedules.PiecewiseConstantDecay([3, 5], [0.1, 0.01, 0.001]),
    schedules.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=4),
    schedules.LinearWarmup(10, 0.1),
], ids=lambda schedule: type(schedule).__name__)
@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam, AdamW])
def test_an_optimizer_follows_a_schedule(kind, schedule, x):
    rates = []
    optimizer = kind(schedule)
    config = json.loads(json.dumps(optimizer.get_config()))
    config.pop("class")
    assert kind(**config).get_config() == optimizer.get_config()

    class Watch(Callback):
        def on_step_end(self, step, batch, loss):
            rates.append(optimizer.rate)

    history = small_vae().fit(x, epochs=3, batch_size=16, optimizer=optimizer, progress=False,
                              callbacks=[Watch()])
    assert rates == [schedule(step) for step in range(12)]
    assert history["learning_rate"] == rates[3::4]


def test_a_step_uses_the_rate_of_its_schedule():
    parameters = SimpleNamespace(values=np.zeros(1), gradients=np.ones(1))
    optimizer = SGD(schedules.PiecewiseConstantDecay([0], [0.25, 2.0]))
    optimizer.build(parameters, kernels.load("reference"))
    optimizer.update()
    assert parameters.values == -0.25
    optimizer.update()
    assert parameters.values == -2.25


@pytest.mark.parametrize("make, message", [
    (lambda: schedules.PiecewiseConstantDecay([5, 3], [1, 2, 3]),
     r"PiecewiseConstantDecay: boundaries must rise, got \[5, 3\]"),
    (lambda: schedules.PiecewiseConstantDecay([5], [1, 2, 3]),
     "values must be one more than boundaries, got 3 and 1"),
    (lambda: schedules.CosineDecay(0.1, 0),
     "CosineDecay: decay_steps must be a number of at least 1, got 0"),
    (lambda: schedules.ExponentialDecay(-1, 10, 0.5),
     "ExponentialDecay: initial_learning_rate must be a number of at least 0, got -1"),
    (lambda: Adam("fast"), "Adam: learning_rate must be a number of at least 0, or a schedule"),
    (lambda: AdamW(weight_decay=-1), "AdamW: weight_decay must be a number of at least 0, got -1"),
    (lambda: EarlyStopping(patience=-1), "EarlyStopping: patience must be an integer of at least"),
    (lambda: EarlyStopping(mode="less"), "mode must be one of auto, min, max, got 'less'"),
    (lambda: EarlyStopping("val_accuracy"), "mode must be min or max for monitor 'val_accuracy'"),
    (lambda: ReduceLROnPlateau(factor=1), r"ReduceLROnPlateau: factor must be in \[0, 1\), got 1"),
])
def test_wrong_arguments_get_one_clear_line(make, message):
    with pytest.raises(ScratchVAEError, match=message):
        make()


def test_a_column_that_is_not_measured_is_refused(x):
    vae = small_vae()
    with pytest.raises(ScratchVAEError, match="EarlyStopping: monitor must be one of loss, "
                                              "reconstruction, kl, got 'val_loss'"):
        vae.fit(x, callbacks=[EarlyStopping()], progress=False)
    assert vae.input_shape is None
    with pytest.raises(ScratchVAEError, match="learning_rate must be a number, but it is the "
                                              "schedule LinearWarmup"):
        vae.fit(x, callbacks=[ReduceLROnPlateau("loss")], progress=False,
                optimizer=Adam(schedules.LinearWarmup(5, 0.1)))


# The rules of Keras's callbacks.


@pytest.mark.parametrize("name", OF_KERAS["monitor"])
def test_monitors_decide_as_keras_does(name, golden):
    group = golden[name]
    kind, arguments = read(group)
    callback = MONITORS[kind](**arguments)
    weights = []
    training = SimpleNamespace(
        history=History(), optimizer=SGD(1.0), stop=False, measured=["val_loss"],
        copy_of_weights=lambda: {"epoch": len(training.history)}, return_to=weights.append)
    callback.begin(training)
    rates = []
    for epoch, loss in enumerate(group["curve"], 1):
        training.history.rows.append({"epoch": epoch, "val_loss": float(loss)})
        callback.on_validation_end(training)
        rates.append(training.optimizer.rate)
        if training.stop:
            break
    callback.on_train_end(training)
    assert epoch == group["last"]
    assert rates == pytest.approx(group["rates"])
    if kind == "EarlyStopping":
        assert weights == [{"epoch": group["kept"]}]
        assert training.history.best_epoch == group["kept"]
        assert training.history.stopped_epoch == (epoch if training.stop else None)


def test_more_may_be_better():
    callback = EarlyStopping("val_accuracy", mode="max", min_delta=0.1)
    assert [callback.improves(value) for value in (0.5, 0.55, 0.65, 0.6)] == [True, False, True,
                                                                            False]


# In training.

EPOCHS = 14
OPTIONS = dict(epochs=EPOCHS, batch_size=5, seed=4, progress=False)


def stopping(**arguments):
    """Early stopping of the training below, which stops at epoch 6: epoch 3 was the best."""
    return EarlyStopping(**{"patience": 3, "restore_best_weights": True, **arguments})


def plateau():
    """A plateau: no epoch improves by so much."""
    return ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0.2, cooldown=1)


def train(x, make_callbacks, make_optimizer=lambda: Adam(0.1), **options):
    """Return a model that is trained with a large learning rate, and its history."""
    vae = small_vae()
    history = vae.fit(x[:20], **{**OPTIONS, "optimizer": make_optimizer(),
                                 "validation_data": x[20:], "callbacks": make_callbacks(),
                                 **options})
    return vae, history


def test_the_best_weights_are_kept(x):
    vae, history = train(x, lambda: [stopping()])
    losses = history["val_loss"]
    best = int(np.argmin(losses)) + 1
    assert history.best_epoch == best == 3
    assert history.stopped_epoch == len(history) == 6
    assert f"the best is {best}" in repr(history)
    assert vae.evaluate(x[20:], seed=4)["loss"] == losses[best - 1]
    last, other = train(x, lambda: [stopping(restore_best_weights=False)])
    assert other["val_loss"] == losses
    assert last.evaluate(x[20:], seed=4)["loss"] == losses[-1]


def test_the_best_weights_are_kept_if_training_is_not_stopped(x):
    vae, history = train(x, lambda: [stopping(patience=99)])
    assert history.stopped_epoch is None
    assert history.best_epoch < len(history) == EPOCHS
    assert vae.evaluate(x[20:], seed=4)["loss"] == min(history["val_loss"])


def test_callbacks_begin_anew_with_another_training(x):
    callback = stopping(patience=1)
    _, first = train(x, lambda: [callback])
    _, second = train(x, lambda: [callback])
    assert without_seconds(second) == without_seconds(first)


def test_a_learning_rate_falls_on_a_plateau(x):
    vae, history = train(x, lambda: [plateau()])
    rates = history["learning_rate"]
    assert rates[0] == 0.1 and rates[-1] < 0.1 / 3
    assert all(later in (earlier, earlier / 2) for earlier, later in zip(rates, rates[1:]))
    assert vae.trained.optimizer.get_config()["learning_rate"] == 0.1
    assert vae.fit(x, epochs=1, progress=False)["learning_rate"][0] <= rates[-1]


@pytest.mark.parametrize("epochs_before", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("in_an_epoch", [False, True])
@pytest.mark.parametrize("make", [lambda: [stopping()], lambda: [plateau()],
                                  lambda: [plateau(), stopping(patience=4)]],
                         ids=["stopping", "plateau", "both"])
def test_killed_and_resumed_gives_the_same_bits(make, epochs_before, in_an_epoch, x, tmp_path):
    """In the wait, at the best epoch, in the cooldown: wherever these epochs are."""
    whole, expected = train(x, make)
    path = tmp_path / "c.npz"
    step = 4 * epochs_before + (2 if in_an_epoch else 1)
    with pytest.raises(Killed):
        train(x, lambda: [*make(), KilledAfter(step)], checkpoint=path)
    resumed, history = train(x, make, checkpoint=path, resume=True)
    assert without_seconds(history) == without_seconds(expected)
    assert resumed.parameters.values.tobytes() == whole.parameters.values.tobytes()
    assert (history.best_epoch, history.stopped_epoch) == (expected.best_epoch,
                                                           expected.stopped_epoch)


def test_a_stopped_training_stays_stopped(x, tmp_path):
    path = tmp_path / "c.npz"
    whole, expected = train(x, lambda: [stopping()], checkpoint=path)
    resumed, history = train(x, lambda: [stopping()], checkpoint=path, resume=True, epochs=20)
    assert len(history) == len(expected) == history.stopped_epoch
    assert resumed.parameters.values.tobytes() == whole.parameters.values.tobytes()


def test_resumed_in_a_schedule_gives_the_same_bits(x, tmp_path):
    def optimizer():
        return AdamW(schedules.CosineDecay(0.0, 30, warmup_target=0.02, warmup_steps=10))

    whole, expected = train(x, list, optimizer)
    path = tmp_path / "c.npz"
    with pytest.raises(Killed):
        train(x, lambda: [KilledAfter(14)], optimizer, checkpoint=path)
    resumed, history = train(x, list, optimizer, checkpoint=path, resume=True)
    assert without_seconds(history) == without_seconds(expected)
    assert resumed.parameters.values.tobytes() == whole.parameters.values.tobytes()


def test_resuming_with_other_callbacks_is_refused(x, tmp_path):
    path = tmp_path / "c.npz"
    train(x, lambda: [stopping()], epochs=1, checkpoint=path)
    for make in (list, lambda: [stopping(patience=4)], lambda: [plateau()]):
        with pytest.raises(ScratchVAEError, match="was trained with callbacks"):
            train(x, make, checkpoint=path, resume=True)


# What is measured of validation examples.


def spread(vae, x):
    """How far the codes of examples x lie apart; and noise is drawn meanwhile."""
    vae.evaluate(x, seed=9)
    return vae.encode(x)[0].std()


def test_metrics_are_in_the_history_and_change_no_bits(x, tmp_path):
    plain, _ = train(x, list)
    vae, history = train(x, list, metrics={"spread": spread})
    assert vae.parameters.values.tobytes() == plain.parameters.values.tobytes()
    assert history["val_spread"][-1] == pytest.approx(spread(vae, x[20:]), rel=1e-6)
    assert "val_spread" in repr(history)
    history.write_csv(tmp_path / "history.csv")
    again = History.read_csv(tmp_path / "history.csv")
    assert again.columns == history.columns == (*COLUMNS, "val_spread")
    assert again["val_spread"] == history["val_spread"]


def test_training_can_be_stopped_by_a_metric(x, tmp_path):
    numbers = iter([3, 1, 2, 2, 9, 9])
    path = tmp_path / "c.npz"
    _, history = train(x, lambda: [EarlyStopping("val_score", mode="max", patience=3)],
                       metrics={"score": lambda vae, x: next(numbers)}, checkpoint=path)
    assert history["val_score"] == [3, 1, 2, 2]
    assert (history.best_epoch, history.stopped_epoch) == (1, 4)
    with pytest.raises(ScratchVAEError, match="EarlyStopping: monitor must be one of loss, .*, "
                                              "val_active_units, got 'val_score'"):
        train(x, lambda: [EarlyStopping("val_score", mode="max", patience=3)], checkpoint=path,
              resume=True)


def test_resuming_with_other_metrics_is_refused(x, tmp_path):
    path = tmp_path / "c.npz"
    train(x, list, epochs=1, metrics={"spread": spread}, checkpoint=path)
    with pytest.raises(ScratchVAEError, match=r"was trained with metrics \['spread'\], not None"):
        train(x, list, checkpoint=path, resume=True)


@pytest.mark.parametrize("options, message", [
    ({"metrics": {"kl": spread}}, "none of them called active_units, .*; got 'kl'"),
    ({"metrics": ["score"]}, r"metrics must be a dict of name -> function\(model, x\), got \["),
    ({"metrics": {"score": 3}}, "metrics must be functions by name, .*; got 'score': 3"),
    ({"metrics": {"score": spread}, "validation_data": None}, "validation_data, which is missing"),
    ({"metrics": {"score": lambda vae, x: "good"}}, "the metric 'score' must return a number, "
                                                    "got 'good'"),
])
def test_wrong_metrics_get_one_clear_line(options, message, x):
    with pytest.raises(ScratchVAEError, match=message):
        train(x, list, **options)


def test_metrics_see_validation_examples_as_they_were_given(x):
    valid = x[20:]
    given = (valid, valid)
    seen = []
    metrics = {"size": lambda vae, x: seen.append(x) or len(x)}
    train(x, list, epochs=1, metrics=metrics, validation_data=given)
    train(x, list, epochs=1, metrics=metrics, validation_data=given, y=1 - x[:20])
    train(x, list, epochs=1, metrics=metrics, validation_data=valid)
    assert len(seen) == 3 and all(examples is valid for examples in seen)


def test_active_units_are_those_of_the_metric(x):
    vae, history = train(x, list)
    assert history["val_active_units"][-1] == active_units(vae.encode(x[20:])[0])
    silent = small_vae(kl_weight=1000.0)
    history = silent.fit(x, epochs=30, batch_size=10, optimizer=Adam(0.01), validation_data=x,
                         progress=False)
    assert history["val_active_units"][-1] == 0
    plain = Autoencoder([Dense(3)], [Dense(12, "sigmoid")])
    assert plain.fit(x, validation_data=x, progress=False)["val_active_units"] == [None]


# Weight decay.


def test_without_weight_decay_adamw_is_adam(x):
    bits = [train(x, list, lambda kind=kind: kind)[0].parameters.values.tobytes()
            for kind in (Adam(0.01), AdamW(0.01, weight_decay=0.0), AdamW(0.01))]
    assert bits[0] == bits[1] != bits[2]


@pytest.mark.parametrize("backend", HOSTS)
def test_adamw_equals_keras(backend, golden):
    compared = keras_numbers.optimizer("optimizer/AdamW", golden["optimizer/AdamW"], backend)
    assert len(compared) == 5 and all(step.passed for step in compared)


@pytest.mark.parametrize("backend", HOSTS)
def test_weights_decay_apart_from_the_gradient(backend):
    parameters = SimpleNamespace(values=np.array([2.0, -1.0]), gradients=np.zeros(2))
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.build(parameters, kernels.load(backend))
    optimizer.update()
    optimizer.update()
    close(parameters.values, np.array([2.0, -1.0]) * 0.95 ** 2, 1e-12)
