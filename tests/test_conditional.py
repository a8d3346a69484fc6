"""Models that are told the class of each example: labels in networks, in runs, and commands."""
import copy
import pickle

import numpy as np
import pytest
from helpers import HOSTS, bits, is_picture
from PIL import Image

from scratchvae import labs
from scratchvae.batches import Images
from scratchvae.errors import ScratchVAEError
from scratchvae.labels import Labelled, Rows
from scratchvae.labs.lab import Lab
from scratchvae.layers import Conv2D, Dense, Flatten, Reshape
from scratchvae.models import VAE, ConditionalVAE, Model
from scratchvae.optimizers import Adam
from scratchvae.runs import open_run

K = 3
CONDITIONAL_LABS = [name for name, lab in labs.LABS.items() if "conditional" in lab.defaults]


def dense(model_class=ConditionalVAE, **options):
    """A small model of examples of 12 numbers."""
    return model_class([Dense(7, "tanh")], 2, [Dense(6, "tanh"), Dense(12, "sigmoid")], **options)


def convolutional(model_class=ConditionalVAE, **options):
    """A small model of images of 3 x 4 pixels with 2 channels."""
    return model_class([Conv2D(3, 2, activation="tanh"), Flatten(), Dense(5, "tanh")], 2,
                       [Dense(6, "tanh"), Dense(24, "sigmoid"), Reshape((3, 4, 2))], **options)


@pytest.fixture
def labels(rng):
    return rng.integers(0, K, 50)


@pytest.fixture
def model(x, labels):
    """A trained small model."""
    made = dense(classes=K)
    made.fit(x, labels, epochs=2, batch_size=16, progress=False)
    return made


# What it computes.

@pytest.mark.parametrize("backend", HOSTS)
def test_the_forward_pass_is_the_definition(backend, rng):
    """Labels as columns of the encoder's input and of z; the rest is a VAE."""
    model = dense(classes=K, dtype="float64", backend=backend)
    model.build((12,))
    x = rng.random((5, 12))
    labels = np.array([2, 0, 1, 1, 2])
    reconstruction, kl = model.forward(np.asarray(model.as_examples(Labelled(x, labels))))

    c = np.eye(K)[labels]
    weights = model.weights
    h = np.tanh(np.hstack([x, c]) @ weights["encoder/dense/kernel"])
    mu = h @ weights["z_mean/kernel"]
    lv = h @ weights["z_log_var/kernel"]
    z = mu + np.exp(lv / 2) * model.eps
    h = np.tanh(np.hstack([z, c]) @ weights["decoder/dense/kernel"])
    p = 1 / (1 + np.exp(-(h @ weights["decoder/dense_1/kernel"])))
    expected = -np.sum(x * np.log(p) + (1 - x) * np.log(1 - p), axis=1)
    np.testing.assert_allclose(reconstruction, expected, rtol=1e-12)
    np.testing.assert_allclose(kl, np.sum(mu ** 2 + np.exp(lv) - 1 - lv, axis=1) / 2, rtol=1e-12)
    np.testing.assert_allclose(model.decode(z, labels), p, rtol=1e-12)
    assert model.eps.std() > 0.1


def test_images_get_a_constant_map_for_each_class(rng):
    model = convolutional(classes=K, dtype="float64")
    model.build((3, 4, 2))
    x = rng.random((2, 3, 4, 2))
    rows = np.asarray(model.as_examples(Labelled(x, [2, 0])))
    inputs = model.with_maps(*model.split(rows))
    assert inputs.shape == (2, 3, 4, 2 + K)
    np.testing.assert_array_equal(inputs[..., :2], x)
    np.testing.assert_array_equal(inputs[0, ..., 2:], np.broadcast_to([0, 0, 1], (3, 4, K)))
    np.testing.assert_array_equal(inputs[1, ..., 2:], np.broadcast_to([1, 0, 0], (3, 4, K)))


@pytest.mark.parametrize("make, shape", [(dense, (12,)), (convolutional, (3, 4, 2))])
def test_with_label_weights_of_zero_it_is_the_plain_vae(make, shape, rng):
    plain = make(VAE, dtype="float64")
    told = make(classes=K, dtype="float64")
    x = rng.random((9, *shape))
    for model in (plain, told):
        model.build(shape)
    values = []
    for value, own in zip(plain.weights.values(), told.weights.values()):
        larger = np.zeros(own.shape)        # labels are the last input channels, or the last of z
        larger[tuple(slice(n) for n in value.shape)] = value
        values.append(larger)
    told.set_weights(values)
    labels = rng.integers(0, K, 9)
    for mine, theirs in zip(told.encode(x, labels), plain.encode(x)):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)
    assert told.evaluate(x, labels, seed=4) == pytest.approx(plain.evaluate(x, seed=4), abs=1e-12)
    np.testing.assert_allclose(told.score_samples(x, labels, samples=3),
                               plain.score_samples(x, samples=3), atol=1e-12)
    np.testing.assert_allclose(told.sample(4, 1, seed=2), plain.sample(4, seed=2), atol=1e-12)


def test_the_label_chooses_what_is_drawn(rng):
    """Examples that the class determines: z is not needed, and each class draws its own."""
    patterns = rng.integers(0, 2, (K, 12)) * 0.9 + 0.05
    labels = rng.integers(0, K, 60)
    model = dense(classes=K)
    model.fit(patterns[labels], labels, epochs=60, batch_size=10, optimizer=Adam(0.05),
              progress=False)
    for label in range(K):
        np.testing.assert_allclose(model.sample(5, label), np.tile(patterns[label], (5, 1)),
                                   atol=0.15)
    mixed = model.sample(K, np.arange(K), seed=3)
    for label in range(K):
        np.testing.assert_allclose(mixed[label], model.sample(K, label, seed=3)[label], rtol=1e-5)
    wrong = (labels + 1) % K
    assert (model.score_samples(patterns[labels], labels, samples=4).min()
            > model.score_samples(patterns[labels], wrong, samples=4).max())


# Data with labels.

def test_rows_are_the_example_and_its_one_hot_vector(rng):
    pixels = rng.integers(0, 256, (6, 2, 3), dtype=np.uint8)
    labels = np.array([0, 2, 1, 1, 0, 2], np.uint8)
    model = VAE([Flatten(), Dense(2)], 2, [Dense(6, "sigmoid"), Reshape((2, 3))])
    model.build((2, 3))
    expected = np.hstack([pixels.reshape(6, 6) / np.float32(255), np.eye(K)[labels]])
    for given in (Images(pixels), pixels / np.float32(255)):
        rows = Rows(model.as_examples(given), labels, K, "float32")
        assert rows.shape == (6, 9)
        np.testing.assert_array_equal(np.asarray(rows), expected.astype("float32"))
        np.testing.assert_array_equal(rows[2:4], expected[2:4].astype("float32"))
        taken = np.empty((3, 9), np.float32)
        rows.take(np.array([5, 0, 5]), taken)
        np.testing.assert_array_equal(taken, expected[[5, 0, 5]].astype("float32"))


def test_labelled_examples_stay_together(x, labels):
    both = Labelled(x.tolist(), labels.tolist())
    part = both[10:20]
    assert (len(part), part.shape, part.ndim) == (10, (10, 12), 2)
    np.testing.assert_array_equal(part.labels, labels[10:20])
    np.testing.assert_array_equal(np.asarray(part), x[10:20])
    chosen = both[np.array([3, 1])]
    np.testing.assert_array_equal(chosen.labels, labels[[3, 1]])


def test_pairs_and_labelled_examples_are_the_same(x, labels):
    results = []
    for given, validation in (((x, labels), (x[:9], labels[:9])),
                              ((Labelled(x, labels),), Labelled(x[:9], labels[:9]))):
        model = dense(classes=K)
        history = model.fit(*given, epochs=2, batch_size=16, validation_data=validation,
                            metrics={"spread": lambda model, x: model.encode(x)[0].std()},
                            progress=False)
        assert model.evaluate(*given) == model.evaluate(*given)
        results.append((history["val_loss"], history["val_spread"], model.evaluate(*given),
                        *(part.tobytes() for part in model.encode(*given)),
                        model.reconstruct(*given).tobytes(),
                        model.score_samples(*given, samples=2).tobytes(),
                        model.log_weights(*given, samples=2).tobytes()))
    assert results[0] == results[1]
    assert results[0][0][-1] > 0


@pytest.mark.parametrize("call, message", [
    (lambda m, x, y: m.fit(x), "labels are missing: .* an integer from 0 to 2"),
    (lambda m, x, y: m.encode(x), "labels are missing"),
    (lambda m, x, y: m.reconstruct(x), "labels are missing"),
    (lambda m, x, y: m.evaluate(x), "labels are missing"),
    (lambda m, x, y: m.score_samples(x), "labels are missing"),
    (lambda m, x, y: m.sample(3), "labels are missing"),
    (lambda m, x, y: m.decode(np.zeros((3, 2))), "labels are missing"),
    (lambda m, x, y: m.fit(x, y, validation_data=x), "labels are missing"),
    (lambda m, x, y: m.fit(x, y, validation_data=(x, y, y)), r"must be a pair \(x, labels\)"),
    (lambda m, x, y: m.fit(x, y, y=x * 0.5), "without y"),
    (lambda m, x, y: m.encode(x, y[:3]), r"x has 50 examples, labels have shape \(3,\)"),
    (lambda m, x, y: m.encode(x, y + 1), "labels: index 3 is out of range; allowed: 0 to 2"),
    (lambda m, x, y: m.encode(x, y - 1), "labels: index -1 is out of range"),
    (lambda m, x, y: m.encode(x, y * 1.0), "labels must be integers, got float64 dtype"),
    (lambda m, x, y: m.encode(x, list("ab") * 25), "labels must be integers, got <U1 dtype"),
    (lambda m, x, y: m.sample(3, 3), "labels: index 3 is out of range"),
    (lambda m, x, y: m.sample(3, [0, 1]), r"labels must have shape \(3,\), .* got \(2,\)"),
    (lambda m, x, y: dense(classes=1), "classes must be an integer of at least 2, got 1"),
])
def test_what_is_wrong_with_labels_is_said_in_a_line(call, message, model, x, labels):
    with pytest.raises(ScratchVAEError, match=message) as error:
        call(model, x, labels)
    assert "\n" not in str(error.value)


def test_a_model_of_words_is_refused():
    with pytest.raises(ScratchVAEError, match="its examples are numbers, not words"):
        dense(classes=K, reconstruction="onehot_binary_crossentropy")


# Coming back.

def test_it_is_saved_copied_and_pickled(model, x, labels, tmp_path):
    model.save(tmp_path / "m.npz")
    expected = model.encode(x, labels)[0]
    for again in (Model.load(tmp_path / "m.npz"), pickle.loads(pickle.dumps(model)),
                  copy.deepcopy(model)):
        assert isinstance(again, ConditionalVAE)
        np.testing.assert_array_equal(again.encode(x, labels)[0], expected)
        np.testing.assert_array_equal(again.sample(4, 1), model.sample(4, 1))


def test_a_checkpoint_is_resumed_to_the_same_bits_and_knows_its_labels(x, labels, tmp_path):
    options = {"batch_size": 16, "seed": 5, "progress": False}
    whole = dense(classes=K)
    whole.fit(x, labels, epochs=3, **options)
    dense(classes=K).fit(x, labels, epochs=1, checkpoint=tmp_path / "c.npz", **options)
    with pytest.raises(ScratchVAEError, match="was trained with data"):
        dense(classes=K).fit(x, (labels + 1) % K, epochs=3, checkpoint=tmp_path / "c.npz",
                             resume=True, **options)
    second = dense(classes=K)
    second.fit(x, labels, epochs=3, checkpoint=tmp_path / "c.npz", resume=True, **options)
    assert second.parameters.values.tobytes() == whole.parameters.values.tobytes()


# Labs and commands.

@pytest.mark.parametrize("name", CONDITIONAL_LABS)
def test_every_lab_with_a_vae_of_images_can_be_conditional(name, rng):
    lab = labs.get(name)
    assert lab.with_settings({"conditional": "1"}) == lab.settings | {"conditional": 1}
    assert lab.with_settings({"conditional": "0"}) == lab.settings
    settings = lab.settings | lab.small_settings
    plain = lab.make_model(settings)
    told = lab.make_model(settings | {"classes": K})
    assert (type(plain), type(told)) == (VAE, ConditionalVAE)
    shape = lab.shape(settings)
    told.build(shape)
    history = told.fit(rng.random((8, *shape), "float32"), np.arange(8) % K, progress=False)
    assert np.isfinite(history["loss"][0])
    assert told.sample(2, 1).shape == (2, *shape)


def test_the_labs_that_can_are_those_with_a_vae_of_images():
    assert set(CONDITIONAL_LABS) == {name for name, lab in labs.LABS.items()
                                     if lab.kind == "images"} - {"fashion-autoencoder"}


@pytest.fixture
def trained(run, small_data, tmp_path):
    """Train mnist-dense conditionally in a folder of a name: trained(name, *options)."""
    def train(name="r", *options, lab="mnist-dense"):
        code, output, errors = run(
            "train", lab, "--out", name, "--data-dir", small_data, "--batch-size", 10,
            "--set", "conditional=1", *options)
        assert code == 0, errors
        return tmp_path / name
    return train


SMALL = ["--set", "intermediate_dim=8"]


def test_all_commands_know_a_conditional_run(trained, run, tmp_path):
    folder = trained("r", "--epochs", 2, *SMALL)
    made = open_run(folder)
    assert made.config["classes"] == [str(digit) for digit in range(10)]
    assert made.model.classes == 10
    assert {path.name for path in (folder / "figures").iterdir()} == {
        "loss_curves.png", "latent_scatter.png", "reconstructions.png", "samples.png"}
    for command in (["evaluate", "r"], ["plot", "r"], ["card", "r"], ["reconstruct", "r"],
                    ["sample", "r"], ["score", "r", "--samples", 2], ["compare", "r"],
                    ["score", "r", "--samples", 2, "--part", "train"],
                    ["trace", "r", "--batch-size", 4, "--html", "step.html"]):
        code, _, errors = run(*command)
        assert code == 0, (command, errors)
    assert "model.encode(x, labels)" in (folder / "card.md").read_text()
    assert "`labels` are integers (N,), counted from 0: 0, 1, " in (folder / "card.md").read_text()
    code, _, errors = run("explore", "r")
    assert code == 1
    assert "a conditional model decodes another for each class" in errors
    x, known = made.part("test")
    assert known["label"] == [str(label) for label in x.labels]


def test_a_run_is_resumed_to_the_same_bits(trained, run, monkeypatch, tmp_path):
    monkeypatch.setattr(Lab, "draw", lambda lab, run: [])
    whole = trained("whole", "--epochs", 3, *SMALL)
    part = trained("part", "--epochs", 1, *SMALL)
    code, _, errors = run("train", "mnist-dense", "--resume", part, "--epochs", 3)
    assert code == 0, errors
    assert bits(part) == bits(whole)


@pytest.mark.usefixtures("coarse_figures")
def test_the_sampled_class_is_the_one_that_is_named(trained, run, tmp_path):
    folder = trained("r", "--epochs", 1, *SMALL)
    model = open_run(folder).model
    code, output, errors = run("sample", "r", "--class", 7, "--count", 5, "--seed", 3,
                               "--out", "sevens.npy")
    assert code == 0, errors
    np.testing.assert_array_equal(np.load("sevens.npy"), model.sample(5, 7, seed=3))
    assert "sevens.npy: float32 array of shape (5, 784)" in output
    assert run("sample", "r", "--count", 2, "--out", "all.npy")[0] == 0
    np.testing.assert_array_equal(
        np.load("all.npy"), np.concatenate([model.sample(2, label) for label in range(10)]))
    assert run("sample", "r", "--class", "7", "--count", "12", "--out", "a/sevens.png")[0] == 0
    assert is_picture(tmp_path / "a" / "sevens.png")
    for options, message in (
            (["--class", "trouser"], "class 'trouser': not among the classes of r; allowed: 0, 1"),
            (["--class", "10"], "or a number from 0 to 9"),
            (["--out", "x.jpg"], "--out: must end in .png or .npy, got x.jpg")):
        code, _, errors = run("sample", "r", *options)
        assert code
        assert message in errors


def test_a_plain_run_has_no_class(run, small_data, monkeypatch):
    monkeypatch.setattr(Lab, "draw", lambda lab, run: [])
    assert run("train", "mnist-dense", "--out", "p", "--data-dir", small_data, "--epochs", 1,
               *SMALL)[0] == 0
    code, _, errors = run("sample", "p", "--class", "7")
    assert code == 1
    assert "its model is not told classes; train one that is with --set conditional=1" in errors


def test_partners_are_of_one_kind(trained, run, small_data, monkeypatch):
    monkeypatch.setattr(Lab, "draw", lambda lab, run: [])
    trained("c", "--epochs", 1, *SMALL)
    run("train", "mnist-dense", "--out", "p", "--data-dir", small_data, "--epochs", 1, *SMALL)
    code, _, errors = run("plot", "p", "--beside", "c")
    assert code == 2
    assert "one of p and c was trained with conditional=1 and the other without" in errors


def test_the_record_of_the_steps_keeps_images(trained):
    folder = trained("r", "--epochs", 1, "--set", "filters=2", "--limit", 20, lab="mnist-latent8")
    with np.load(folder / "record.npz") as file:
        assert file["inputs"].shape[1:] == (28, 28, 1)
    assert (folder / "figures" / "samples.png").exists()
    assert list((folder / "figures").glob("traversal*"))


@pytest.fixture
def pictures(tmp_path, rng):
    """A folder of pictures of cats and dogs."""
    for number in range(24):
        place = tmp_path / "photos" / ("cat", "dog")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (6, 6, 3), np.uint8)
        Image.fromarray(pixels).save(place / f"{number:02d}.png")
    return tmp_path / "photos"


def test_own_pictures_have_the_classes_of_their_folders(pictures, run, tmp_path):
    code, _, errors = run("train", "mnist-dense", "--images", pictures, "--out", "r", "--epochs", 1,
                          "--set", "conditional=1", *SMALL)
    assert code == 0, errors
    assert open_run("r").config["classes"] == ["cat", "dog"]
    for name, label in (("Dog", 1), ("0", 0)):
        assert run("sample", "r", "--class", name, "--count", 3, "--out", "x.npy")[0] == 0
        np.testing.assert_array_equal(np.load("x.npy"), open_run("r").model.sample(3, label))
    (pictures / "dog").rename(pictures / "wolf")
    code, _, errors = run("train", "mnist-dense", "--resume", "r", "--epochs", 2)
    assert code == 1
    assert "was trained on the classes cat, dog, but the data have cat, wolf" in errors


def test_pictures_without_classes_are_refused(pictures, run, tmp_path):
    for path in list(pictures.glob("*/*.png")):
        path.rename(pictures / path.name)
    for folder in ("cat", "dog"):
        (pictures / folder).rmdir()
    code, _, errors = run("train", "mnist-dense", "--images", pictures, "--out", "r", "--epochs", 1,
                          "--set", "conditional=1", *SMALL)
    assert code == 1
    assert "conditional=1 needs the class of each image, and these have none" in errors
    assert not (tmp_path / "r").exists()
