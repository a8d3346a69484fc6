"""A model inside a program: threads, processes, copies, and training that goes on."""
import copy
import multiprocessing
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import HOSTS

from scratchvae import concurrency
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import (
    GRU,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Flatten,
    Reshape,
)
from scratchvae.models import VAE, VQVAE, Autoencoder, TextVAE
from scratchvae.optimizers import SGD, Adam, RMSprop
from scratchvae.schedules import LinearWarmup


def make_vae(**options):
    return VAE([Dense(8, activation="relu"), BatchNormalization(), Dropout(0.2)], 2,
               [Dense(8, activation="relu"), Dense(12, activation="sigmoid")], **options)


@pytest.fixture
def vae(x):
    model = make_vae()
    model.build((12,))
    return model


def equal(a, b):
    return all((p == q).all() for p, q in zip(a.get_weights(), b.get_weights(), strict=True))


# Threads.

def test_each_thread_gets_its_own_answers(vae, rng, monkeypatch):
    monkeypatch.setattr(concurrency, "MOST_TWINS", 3)      # whatever the machine
    parts = list(rng.random((2500, 1, 12)))
    calls = {"reconstruct": vae.reconstruct, "encode": lambda part: vae.encode(part)[0],
             "evaluate": lambda part: [vae.evaluate(part)["reconstruction"]]}
    for name, call in calls.items():
        expected = [call(part) for part in parts[:800]]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(call, parts[:800]))
        wrong = sum(not np.array_equal(*pair) for pair in zip(expected, answers, strict=True))
        assert wrong == 0, name


def test_words_are_decoded_side_by_side(rng, monkeypatch):
    """The decoder of words has a turn of its own, which a twin need not take."""
    monkeypatch.setattr(concurrency, "MOST_TWINS", 3)
    model = TextVAE(9, 5, 2, 3, 4)
    model.build((5,))
    parts = list(rng.integers(3, 9, (100, 1, 5)))
    expected = [model.reconstruct(part) for part in parts]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(model.reconstruct, parts, timeout=60))
    np.testing.assert_array_equal(answers, expected)


@pytest.fixture
def busy(vae, x, monkeypatch):
    """Another thread is in the middle of vae.reconstruct.

    Gives a copy of the model, and the list of the twins that are made.
    """
    started = threading.Event()
    may_end = threading.Event()
    answers = []
    twins = []
    alone = copy.deepcopy(vae)
    forward = vae.decoder.forward
    make_twin = vae.twin

    def wait(z, training=False):
        started.set()
        assert may_end.wait(60)
        return forward(z, training)

    def noted():
        twins.append(make_twin())
        return twins[-1]
    monkeypatch.setattr(vae.decoder, "forward", wait)
    monkeypatch.setattr(vae, "twin", noted)
    monkeypatch.setattr(concurrency, "MOST_TWINS", 1)
    thread = threading.Thread(target=lambda: answers.append(vae.reconstruct(x)))
    thread.start()
    assert started.wait(60)
    yield alone, twins
    may_end.set()
    thread.join()
    np.testing.assert_array_equal(answers[0], alone.reconstruct(x))


def test_a_thread_that_asks_does_not_wait_for_another_that_asks(vae, x, busy):
    alone, twins = busy
    for _ in range(3):
        answer = vae.reconstruct(x[:7])
    twin, = twins
    np.testing.assert_array_equal(answer, alone.reconstruct(x[:7]))
    for own, shared in zip(twin.weights.values(), vae.weights.values(), strict=True):
        assert own is shared
    assert twin.workspace is not vae.workspace


def test_who_changes_weights_waits_until_no_twin_works(vae, monkeypatch):
    monkeypatch.setattr(concurrency, "MOST_TWINS", 1)
    assert concurrency.TURN.begin_twin()
    zeros = [0 * weight for weight in vae.get_weights()]
    changing = threading.Thread(target=vae.set_weights, args=(zeros,))
    changing.start()
    changing.join(0.1)
    assert changing.is_alive() and vae.get_weights()[0].any()
    concurrency.TURN.end_twin()
    changing.join(60)
    assert not vae.get_weights()[0].any()


def test_while_weights_change_no_twin_begins(monkeypatch):
    monkeypatch.setattr(concurrency, "MOST_TWINS", 1)
    with concurrency.TURN:
        assert not concurrency.TURN.begin_twin()
    assert concurrency.TURN.begin_twin()
    concurrency.TURN.end_twin()


def test_models_with_more_than_weights_have_no_twins(vae):
    assert vae.twins == []
    own = Autoencoder([Doubled(3)], [Dense(12, activation="sigmoid")])
    own.build((12,))
    assert own.twins is None
    codebook = VQVAE([Dense(8)], 2, [Dense(12, activation="sigmoid")], codes=4)
    codebook.build((12,))
    assert codebook.twins is None
    vae.backend = "cuda"
    assert not concurrency.can_have_twins(vae)


@pytest.mark.parametrize("number", range(3))
def test_twins_follow_the_training(number, rng):
    model, shape = [(make_vae(), (12,)), (TextVAE(9, 5, 2, 3, 4), (5,)),
                    (VAE([Bidirectional(GRU(3)), Dense(4)], 2,
                         [Dense(8, activation="sigmoid"), Reshape((4, 2))]), (4, 2))][number]
    x = rng.random((40, *shape)) if number != 1 else rng.integers(3, 9, (40, *shape))
    model.build(shape)
    twin = model.twin()
    before = twin.encode(x)[0]
    model.fit(x, epochs=2, batch_size=7, progress=False)
    after = twin.encode(x)[0]
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, model.encode(x)[0])
    np.testing.assert_array_equal(twin.decode(after), model.decode(after))


def test_while_a_model_is_trained_others_can_ask_it(vae, x):
    class Ask(threading.Thread):
        answers = ()

        def run(self):
            self.answers = [vae.reconstruct(x[:1]) for _ in range(50)]
    alone = make_vae()
    alone.fit(x, epochs=20, batch_size=5, progress=False)
    asking = Ask()
    asking.start()
    vae.fit(x, epochs=20, batch_size=5, progress=False)
    asking.join()
    assert len(asking.answers) == 50
    assert equal(vae, alone)


def test_training_in_two_threads_is_refused(vae, x):
    errors = []

    def train():
        try:
            vae.fit(x, epochs=50, batch_size=1, progress=False)
        except ScratchVAEError as error:
            errors.append(str(error))
    threads = [threading.Thread(target=train) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == ["this VAE is being trained already; train one model in one thread"]


# Processes.

def encode_in_child(vae, x, queue):
    try:
        queue.put(vae.encode(x)[0])
    except ScratchVAEError as error:
        queue.put(str(error))


CHILD = """
import multiprocessing, sys
import numpy as np
from scratchvae.layers import Dense
from scratchvae.models import VAE

def encode(x):
    return vae.encode(x)[0]

vae = VAE([Dense(8)], 2, [Dense(12, activation="sigmoid")])
vae.build((12,))
x = np.ones((3, 12))
expected = encode(x)
try:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert (pool.map(encode, [x])[0] == expected).all()
    print("computed")
except Exception as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="fork is the question on Linux")
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_forked_process_computes_or_says_what_to_do(layer, tmp_path):
    (tmp_path / "child.py").write_text(CHILD)
    result = subprocess.run([sys.executable, "child.py"], capture_output=True, text=True,
                            cwd=tmp_path, timeout=60, env={"NUMBA_THREADING_LAYER": layer})
    if layer == "workqueue":
        assert result.stdout == "computed\n", result.stderr
    else:
        assert result.stdout.startswith("this process was forked after kernels had run"), result


@pytest.mark.slow
def test_a_spawned_process_computes(vae, x):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=encode_in_child, args=(vae, x, queue))
    process.start()
    answer = queue.get(timeout=60)
    process.join()
    np.testing.assert_array_equal(answer, vae.encode(x)[0])


# Copies.

class Doubled(Dense):
    """A layer of the user's own."""

    def forward(self, x, training=False):
        return 2 * super().forward(x, training)

    def backward(self, dout, need_dx=True):
        return super().backward(2 * dout, need_dx)


def models():
    yield make_vae(kl_weight=LinearWarmup(7), reconstruction_scale=12.0), (12,)
    yield Autoencoder([Doubled(3)], [Dense(12, activation="sigmoid")]), (12,)
    yield TextVAE(9, 5, 2, 3, 4, dropout=0.1, word_dropout=0.2), (5,)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("number", range(3))
def test_a_copy_is_independent_and_trains_like_the_original(copied, number, rng):
    model, shape = list(models())[number]
    x = rng.random((40, *shape)) if number < 2 else rng.integers(3, 9, (40, *shape))
    model.fit(x, epochs=1, batch_size=7, optimizer=RMSprop(), progress=False)
    other = copied(model)
    assert equal(model, other)
    before = other.get_weights()
    model.fit(x, epochs=2, batch_size=7, progress=False)
    assert not equal(model, other)
    assert all((p == q).all() for p, q in zip(before, other.get_weights()))
    other.fit(x, epochs=2, batch_size=7, progress=False)
    assert equal(model, other)


def test_a_model_that_is_not_built_and_layers_can_be_copied(x):
    other = copy.deepcopy(make_vae())
    other.fit(x, progress=False)
    layer = Bidirectional(GRU(3, return_sequences=True))
    layer.build((4, 2))
    twin = pickle.loads(pickle.dumps(layer))
    sequences = np.ones((2, 4, 2), np.float32)
    np.testing.assert_array_equal(twin.forward(sequences), layer.forward(sequences))


def test_weights_are_exchanged_as_lists_and_files(vae, x, tmp_path):
    vae.fit(x, progress=False)
    other = make_vae()
    other.build((12,), seed=5)
    other.set_weights(vae.get_weights())
    assert equal(vae, other)
    vae.save_weights(tmp_path / "weights.npz")
    third = make_vae()
    third.build((12,), seed=6)
    third.load_weights(tmp_path / "weights.npz")
    assert equal(vae, third)
    with pytest.raises(ScratchVAEError, match=r"^VAE: weights have shapes \[\(2,\)\], expected"):
        vae.set_weights([np.ones(2)])


# Training that goes on.

@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("make", [lambda: None, lambda: Adam(0.01), lambda: SGD(0.1, 0.9)])
def test_fits_of_one_epoch_learn_as_one_fit_does(x, backend, make):
    one = make_vae(backend=backend, kl_weight=LinearWarmup(25))
    whole = one.fit(x, epochs=4, batch_size=7, optimizer=make(), progress=False)
    many = make_vae(backend=backend, kl_weight=LinearWarmup(25))
    rows = []
    for _ in range(4):
        rows += many.fit(x, epochs=1, batch_size=7, optimizer=make(), progress=False).rows
    assert equal(one, many)
    for row, expected in zip(rows, whole.rows, strict=True):
        assert row | {"seconds": 0} == expected | {"seconds": 0}


def test_a_fresh_start_is_asked_for_by_name(x):
    vae = make_vae()
    vae.fit(x, epochs=2, progress=False)
    again = copy.deepcopy(vae)
    assert vae.fit(x, progress=False)["epoch"] == [3]
    assert again.fit(x, progress=False, fresh=True)["epoch"] == [1]
    assert not equal(vae, again)


def test_an_optimizer_with_other_arguments_begins_anew(x):
    vae = make_vae()
    vae.fit(x, progress=False, optimizer=Adam(0.01))
    other = Adam(0.001)
    vae.fit(x, progress=False, optimizer=other)
    assert other.step == 2


def test_a_refused_fit_leaves_nothing_behind(x):
    vae = make_vae()
    with pytest.raises(ScratchVAEError, match="x must lie in"):
        vae.fit(2 * x + 3, seed=5, progress=False)
    vae.fit(x, seed=1, progress=False)
    expected = make_vae()
    expected.fit(x, seed=1, progress=False)
    assert equal(vae, expected)


def test_a_training_that_went_on_resumes_to_the_same_bits(x, tmp_path):
    def fit(model, **options):
        model.fit(x, batch_size=7, progress=False, **options)
    whole = make_vae()
    fit(whole, epochs=2)
    fit(whole, epochs=3)
    first = make_vae()
    fit(first, epochs=2)
    fit(first, epochs=1, checkpoint=tmp_path / "checkpoint.npz")
    resumed = make_vae()
    fit(resumed, epochs=3, checkpoint=tmp_path / "checkpoint.npz", resume=True)
    assert equal(resumed, whole)


# Other libraries' habits, and other libraries' numbers.

@pytest.mark.parametrize("call, message", [
    (lambda vae, x: vae.fit(x, x), "^fit: the second argument is epochs, a number; the targets"),
    (lambda vae, x: vae.fit(x, np.arange(50)), "labels are not needed$"),
    (lambda vae, x: vae.fit(x, batch_size=x), r"batch_size must be .* got an array of shape"),
    (lambda vae, x: vae.fit(x, optimizer=[1] * 99), "or None, got a list$"),
    (lambda vae, x: Dense(8, input_shape=(12,)), "^Dense: input_shape is not an argument here: "
                                                 "shapes follow from the first example"),
    (lambda vae, x: Dense(8, name="hidden"), "^Dense: name is not an argument here"),
])
def test_habits_are_answered_in_one_line_without_the_data(vae, x, call, message):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        call(vae, x)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


@pytest.mark.parametrize("name, hint", [
    ("compile", "give the optimizer to fit"), ("predict", r"use reconstruct\(x\)")])
def test_methods_of_other_libraries_are_answered(vae, name, hint):
    with pytest.raises(AttributeError, match=f"^a VAE has no {name}; .*{hint}"):
        getattr(vae, name)
    assert not hasattr(vae, "something_else")


def test_names_and_pairs_of_other_libraries_are_taken(x):
    by_name = make_vae()
    history = by_name.fit(x, optimizer="adam", validation_data=(x, x), progress=False)
    expected = make_vae()
    other = expected.fit(x, optimizer=Adam(), validation_data=x, progress=False)
    assert equal(by_name, expected) and history["val_loss"] == other["val_loss"]


def test_numpy_scalars_are_arguments_and_can_be_saved(tmp_path, x):
    sequences = np.ones((3, 4, 2), np.float32)
    vae = VAE([GRU(np.int64(3), return_sequences=np.bool_(False)), Dropout(np.float32(0.25)),
               Dense(np.int16(4), activation=np.str_("relu"))], np.int32(2),
              [Dense(np.uint8(8)), Dense(2)], reconstruction="squared_error",
              reconstruction_scale=np.float64(2), kl_weight=np.float32(0.5))
    with pytest.raises(ScratchVAEError, match="does not reconstruct"):
        vae.build((4, 2))
    layers = [GRU(np.int64(3), return_sequences=np.bool_(True)), Dropout(np.float32(0.25))]
    for layer in layers:
        layer.build((4, 2))
        assert pickle.loads(pickle.dumps(layer)).arguments() == layer.arguments()
    model = make_vae(kl_weight=np.float32(0.5))
    model.fit(x, epochs=np.int64(1), batch_size=np.int32(7), seed=np.uint8(3), progress=False)
    model.save(tmp_path / "model.npz")
    assert equal(VAE.load(tmp_path / "model.npz"), model)
    assert layers[0].forward(sequences).shape == (3, 4, 3)


def test_sizes_that_do_not_meet_are_shown_with_the_ways_out():
    vae = VAE([Conv2D(2, 3, strides=2, padding="same") for _ in range(3)] + [Flatten()], 2,
              [Dense(32), Reshape((4, 4, 2))]
              + [Conv2DTranspose(2, 3, strides=2, padding="same") for _ in range(2)]
              + [Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")])
    with pytest.raises(ScratchVAEError, match="sizes are 25x25 -> 13x13 -> 7x7 -> 4x4; 4x4 -> 8x8 "
                                              "-> 16x16 -> 32x32. Ways out: output_padding"):
        vae.build((25, 25, 1))


class Unsaveable(Dense):
    """A layer with an argument that JSON does not know."""

    def __init__(self, units, function=abs, **options):
        super().__init__(units, **options)
        self.function = function


class Forgetful(Dense):
    """A layer that does not keep its argument."""

    def __init__(self, units, power=2):
        super().__init__(units)


def test_a_layer_that_cannot_be_saved_says_so_before_the_training(x):
    with pytest.raises(ScratchVAEError, match="^Forgetful: __init__ takes power, but there is no "
                                              "self.power"):
        VAE([Forgetful(8)], 2, [Dense(12, activation="sigmoid")])
    vae = VAE([Unsaveable(8)], 2, [Dense(12, activation="sigmoid")])
    with pytest.raises(ScratchVAEError, match="^encoder/unsaveable: its argument function cannot "
                                              "be saved: it is <built-in function abs>"):
        vae.fit(x, progress=False)
