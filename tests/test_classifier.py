"""The classifier: its mathematics, its training, and the one that is kept to judge images."""
import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import HOSTS, without_seconds

from scratchvae.analysis import image_classifier
from scratchvae.analysis.image_classifier import judge_of, make_classifier, path_of
from scratchvae.batches import Images
from scratchvae.data.image_data import ImageData
from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck import check_model
from scratchvae.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from scratchvae.models import VAE, Classifier, Model
from scratchvae.optimizers import Adam
from scratchvae.training import EarlyStopping
from scratchvae.training.history import History


def small(**options):
    return Classifier([Dense(16, "relu"), Dropout(0.1)], 3, **options)


@pytest.fixture
def blobs(rng):
    """Three clouds of points in 4 dimensions, and which one each point is of."""
    y = rng.integers(0, 3, 300)
    centres = 3 * np.eye(3, 4)
    return (centres[y] + rng.standard_normal((300, 4))).astype(np.float32), y


@pytest.mark.parametrize("backend", HOSTS)
def test_every_gradient(backend):
    layers = [Conv2D(3, 3, activation="tanh"), BatchNormalization(), MaxPooling2D(), Flatten(),
              Dropout(0.3), Dense(5, "tanh")]
    model = Classifier(layers, 4, backend=backend)
    model.build((6, 7, 2))
    report = check_model(model)
    assert report.passed, report
    assert len(report.rows) == 9                # the input, and two arrays of each layer with some


@pytest.mark.parametrize("backend", HOSTS)
def test_the_loss_is_that_of_the_probabilities(backend, blobs):
    x, y = blobs
    model = small(backend=backend)
    model.build((4,), seed=2)
    p = model.predict(x)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    measured = model.evaluate(x, y)
    expected = -np.log(p[np.arange(300), y]).mean()
    assert measured == pytest.approx({"loss": expected, "crossentropy": expected,
                                      "accuracy": (p.argmax(axis=1) == y).mean()}, rel=1e-5)
    features, again = model.extract_features(x)
    assert features.shape == (300, 16)
    np.testing.assert_array_equal(again, p)
    W, b = model.logits.get_weights()
    exponentials = np.exp(features @ W + b)
    np.testing.assert_allclose(p, exponentials / exponentials.sum(axis=1, keepdims=True),
                               rtol=1e-4)


def test_it_learns_and_says_how_well(blobs, capsys):
    x, y = blobs
    model = small()
    history = model.fit(x[:200], y[:200], 20, optimizer=Adam(0.02),
                        validation_data=(x[200:], y[200:]))
    assert history["val_accuracy"][-1] > 0.9 > 0.7 > history["accuracy"][0]
    assert history["val_accuracy"][-1] == model.evaluate(x[200:], y[200:])["accuracy"]
    assert history["reconstruction"][-1] is None
    assert f"accuracy {history['val_accuracy'][-1]:.3g})" in capsys.readouterr().out
    assert "val_accuracy" in repr(history)


def test_its_history_comes_back_from_its_file(blobs, tmp_path):
    history = small().fit(*blobs, 2, progress=False)
    history.write_csv(tmp_path / "history.csv")
    assert History.read_csv(tmp_path / "history.csv").rows == history.rows


def test_a_resumed_training_has_the_same_bits(blobs, tmp_path):
    x, y = blobs
    options = {"validation_data": (x, y), "progress": False, "seed": 5}
    whole = small()
    expected = whole.fit(x, y, 4, **options)
    parts = [small(), small()]
    checkpoint = tmp_path / "checkpoint.npz"
    parts[0].fit(x, y, 2, checkpoint=checkpoint, **options)
    history = parts[1].fit(x, y, 4, checkpoint=checkpoint, resume=True, **options)
    assert without_seconds(history) == without_seconds(expected)
    for a, b in zip(parts[1].get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ScratchVAEError, match="was trained with"):
        small().fit(x, 2 - y, 5, checkpoint=checkpoint, resume=True, **options)


def test_it_stops_when_its_accuracy_rises_no_more(blobs):
    x, y = blobs
    stop = EarlyStopping("val_accuracy", mode="max", patience=2, restore_best_weights=True)
    model = small()
    history = model.fit(x, y, 60, validation_data=(x, y), callbacks=[stop], progress=False)
    assert history.stopped_epoch < 60
    assert model.evaluate(x, y)["accuracy"] == max(history["val_accuracy"])


def test_it_is_saved_copied_and_pickled(blobs, tmp_path):
    x, y = blobs
    model = small()
    model.fit(x, y, progress=False)
    model.save(tmp_path / "model.npz")
    for again in (Classifier.load(tmp_path / "model.npz"), Model.load(tmp_path / "model.npz"),
                  copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.predict(x), model.predict(x))
    with pytest.raises(ScratchVAEError, match="holds a model of class Classifier, expected VAE"):
        VAE.load(tmp_path / "model.npz")
    assert "Dense" in model.summary()


@pytest.mark.parametrize("call, message", [
    (lambda x, y: small().fit(x, y[:5]), "same length, got 300 and 5"),
    (lambda x, y: small().fit(x, y + 1), "y: index 3 is out of range; allowed: 0 to 2"),
    (lambda x, y: small().fit(x, y / 2), "y must be an integer array"),
    (lambda x, y: small().fit(x, np.eye(3)[y]), "y must be an integer array"),
    (lambda x, y: small().fit(x, None), "labels y are missing"),
    (lambda x, y: small().fit(x * np.nan, y), "x must be finite"),
    (lambda x, y: small().predict(x), "this Classifier is not built"),
    (lambda x, y: Classifier([Dense(2)], 1), "classes must be an integer of at least 2, got 1"),
    (lambda x, y: Classifier([Conv2D(2, 3)], 3).build((6, 6, 1)), "put a Flatten at their end"),
    (lambda x, y: small().fit(x, y, validation_data=x), r"validation_data must be a pair \(x, y\)"),
])
def test_wrong_use_gets_one_line(call, message, blobs):
    with pytest.raises(ScratchVAEError, match=message):
        call(*blobs)


# The one that judges images.


def picture_data(rng, count=60, labels=True):
    """Small images: bright above or below the middle."""
    def part(count):
        y = rng.integers(0, 2, count)
        pixels = rng.integers(0, 100, (count, 8, 8, 1))
        pixels[y == 0, :4] += 150
        pixels[y == 1, 4:] += 150
        return Images(pixels.astype(np.uint8)), y if labels else None
    return ImageData(*part(count), *part(count), ("above", "below"), "bars", True, f"sum{count}")


@pytest.fixture
def quick_judge(monkeypatch, tmp_path):         # tmp_path: pytest makes it in one thread only
    monkeypatch.setattr(image_classifier, "LEAST", 50)
    monkeypatch.setattr(image_classifier, "BATCH_SIZE", 10)
    trained = []
    train = image_classifier.train_classifier

    def counted(data):
        trained.append(data)
        return train(data, progress=False)
    monkeypatch.setattr(image_classifier, "train_classifier", counted)
    return trained


def test_the_judge_is_trained_once_and_kept(quick_judge, rng):
    data = picture_data(rng)
    with ThreadPoolExecutor(2) as pool:         # the second waits for the first
        first, second = pool.map(judge_of, [data, data])
    assert len(quick_judge) == 1
    assert first.accuracy == second.accuracy == 1.0
    np.testing.assert_array_equal(first.classifier.predict(data.x_test),
                                  judge_of(data).classifier.predict(data.x_test))
    assert len(quick_judge) == 1


@pytest.mark.parametrize("damage", [
    lambda content: content[:len(content) // 2],
    lambda content: content[:3000] + bytes([content[3000] ^ 255]) + content[3001:],
    lambda content: b"",
])
def test_a_damaged_judge_is_trained_anew(damage, quick_judge, rng, capsys):
    data = picture_data(rng)
    judge = judge_of(data)
    path = path_of(data)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    again = judge_of(data)
    assert len(quick_judge) == 2
    assert "damaged" in capsys.readouterr().out
    assert path.read_bytes() == whole
    assert again.accuracy == judge.accuracy


def test_other_data_have_another_judge(rng, monkeypatch):
    data = picture_data(rng)
    paths = {path_of(data)}
    data.y_train = 1 - data.y_train
    paths.add(path_of(data))
    data.sha256 = "other"
    paths.add(path_of(data))
    monkeypatch.setattr(image_classifier, "EPOCHS", 1)
    paths.add(path_of(data))
    assert len(paths) == 4


@pytest.mark.parametrize("change, message", [
    ({"y_train": None}, "they have no labels"),
    ({"classes": ("one",)}, "all of one class"),
    ({"x_train": Images(np.zeros((40, 8, 8, 1), np.uint8))}, "40 images .* too few .*, 50 do"),
    ({"x_train": Images(np.zeros((60, 3, 8, 1), np.uint8))}, "smaller than 4 x 4"),
])
def test_images_that_no_classifier_can_judge(change, message, quick_judge, rng):
    data = picture_data(rng)
    vars(data).update(change)
    with pytest.raises(ScratchVAEError, match=message):
        judge_of(data)


@pytest.mark.parametrize("shape", [(4, 4, 1), (28, 28, 1), (32, 32, 3), (50, 33, 3)])
def test_the_classifier_takes_images_of_any_size(shape, rng):
    classifier = make_classifier(shape, 3)
    classifier.build(shape)
    features, probabilities = classifier.extract_features(rng.random((2, *shape)))
    assert features.shape == (2, 128)
    assert probabilities.shape == (2, 3)
