"""Models go to Keras, PyTorch and ONNX, weights come back, and the numbers stay the same."""
import contextlib
import importlib
import inspect
import io
import os
import runpy
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import write_play

from scratchvae import exchange, labs, layers
from scratchvae.errors import ScratchVAEError
from scratchvae.exchange import export, exports, import_weights
from scratchvae.exchange.examples import made_up, results
from scratchvae.exchange.exports import environment
from scratchvae.exchange.keras import weights as keras_weights
from scratchvae.exchange.pieces import pieces_of
from scratchvae.exchange.torch.weights import state_dict
from scratchvae.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    Embedding,
    Flatten,
    Layer,
    LayerNormalization,
    MaxPooling2D,
    RepeatVector,
    Reshape,
    UpSampling2D,
)
from scratchvae.models import VAE, Autoencoder

GOLDEN = Path(__file__).parent / "golden"
FORMATS = ("keras", "torch", "onnx")
NEEDED = {"keras": ("keras", "h5py"), "torch": ("torch", "safetensors"), "onnx": ("onnxruntime",)}
OF_TABLES = {"FillMissing", "LearntVariance"}           # they stay here, and so does their lab
LABS = [lab for lab in labs.LABS if lab != "table"]
LAYERS = {name: cls for name, cls in vars(layers).items() if name not in OF_TABLES
          and inspect.isclass(cls) and issubclass(cls, Layer) and cls is not Layer}
EXAMPLES = [(name, number) for name, cls in LAYERS.items()
            for number, _ in enumerate(cls.examples())]


def randomized(model, seed=1):
    """A model with random weights and moving statistics, none of them as at the beginning."""
    rng = np.random.default_rng(seed)
    weights = []
    for name, weight in model.weights.items():
        values = rng.standard_normal(weight.shape) / np.sqrt(max(1, np.prod(weight.shape[:-1])))
        positive = name.endswith(("gamma", "moving_variance"))
        weights.append(0.5 + np.abs(values) if positive else values)
    model.set_weights(weights)
    return model


def small_lab(name, seed=1):
    return randomized(labs.LABS[name].make_small_model("cpu"), seed)


def vae_of(encoder, input_shape, decoder=(), **options):
    """A VAE whose encoder holds some layers, of squared errors, so that it may be anything."""
    size = int(np.prod(input_shape))
    vae = VAE([*encoder, Flatten()], 2, [*decoder, Flatten(), Dense(size), Reshape(input_shape)],
              "squared_error", **options)
    vae.build(input_shape)
    return randomized(vae)


def example_vae(name, number):
    """A VAE that holds an example of a layer; in the decoder, too, unless it reads words."""
    layer, shape = list(LAYERS[name].examples())[number]
    size = int(np.prod(shape))
    decoder = [] if layer.input_dtype else [Dense(size, "tanh"), Reshape(shape), layer.clone()]
    return vae_of([layer], shape, decoder)


def compare(folder, to):
    """Run the script that was written: all numbers are those of the examples."""
    os.environ.update(environment())
    # Keras's logger keeps the stream, and another package's set-up of logging makes it close it.
    with contextlib.redirect_stderr(sys.__stderr__):
        for package in NEEDED[to]:
            pytest.importorskip(package)
    script = runpy.run_path(str(folder / "rebuild.py"))
    with np.load(folder / "examples.npz") as file:
        examples = dict(file)
    found = script["results"](examples)
    assert set(examples) - set(found) <= {"x", "before"} and "reconstruction" in found
    for name, array in found.items():
        assert array.shape == examples[name].shape
        assert np.abs(array - examples[name]).max() <= 1e-5 * max(1, np.abs(examples[name]).max())
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert script["compare"]()
    assert len(printed.getvalue().splitlines()) == len(found)


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("lab", LABS)
def test_a_lab_gives_the_same_numbers_elsewhere(lab, to, tmp_path):
    paths = export(small_lab(lab), tmp_path, to)
    assert all(path.is_file() for path in paths)
    compare(tmp_path, to)


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name, number", EXAMPLES)
def test_each_layer_gives_the_same_numbers_elsewhere(name, number, to, tmp_path):
    export(example_vae(name, number), tmp_path, to)
    if "not with KERAS_BACKEND=torch" in (tmp_path / "rebuild.py").read_text():
        if environment().get("KERAS_BACKEND") == "torch":
            pytest.skip("Keras differs from itself on TensorFlow and JAX")
    compare(tmp_path, to)


def test_a_model_of_tables_is_refused_by_the_name_of_its_layer(tmp_path):
    with pytest.raises(ScratchVAEError, match="encoder/fill_missing: a layer of class FillMissing "
                                              "cannot be exported to torch"):
        export(labs.LABS["table"].make_small_model("cpu"), tmp_path, "torch")
    assert not list(tmp_path.iterdir())


def test_every_layer_is_known_to_every_format():
    for form in exchange.FORMATS.values():
        assert set(form.kinds) == set(LAYERS)


GEOMETRIES = [(cls, *sizes) for cls in (Conv2D, Conv2DTranspose)
              for sizes in (((5, 4), (2, 3), 2, "same"), ((4, 7), 4, 1, "same"),
                            ((5, 6), (1, 2), 3, "same"), ((5, 6), 2, (3, 1), "valid"),
                            ((6, 6), 5, 2, "same"))]


@pytest.mark.parametrize("to", ("torch", "onnx"))
@pytest.mark.parametrize("cls, size, kernel_size, strides, padding", GEOMETRIES)
def test_borders_of_convolutions(cls, size, kernel_size, strides, padding, to, tmp_path):
    layer = cls(3, kernel_size, strides, padding, "leaky_relu")
    export(vae_of([layer], (*size, 2)), tmp_path, to)
    compare(tmp_path, to)


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("inner", [GRU(3), LSTM(3)])
def test_padding_is_skipped_wherever_it_stands(inner, to, tmp_path):
    x = np.array([[3, 0, 5, 2, 0], [0, 1, 2, 0, 4], [1, 2, 3, 4, 5], [6, 0, 0, 0, 0]], np.int32)
    model = vae_of([Embedding(7, 4, mask_zero=True), Bidirectional(inner)], (5,))
    export(model, tmp_path, to, x)
    compare(tmp_path, to)
    unskipped = VAE.from_config(model.get_config())
    unskipped.encoder.layers["embedding"].mask_zero = False
    unskipped.set_weights(model.get_weights())
    assert np.abs(unskipped.encode(x)[0] - model.encode(x)[0]).max() > 1e-3


def test_what_would_differ_is_refused_by_name(tmp_path):
    class Twice(Layer):
        def forward(self, x, training=False):
            return 2 * x

    def refused(model, to, words):
        with pytest.raises(ScratchVAEError, match=words):
            export(model, tmp_path, to)
    masked = [Embedding(7, 4, mask_zero=True)]
    for to in ("torch", "onnx"):
        refused(vae_of([*masked, GRU(3, return_sequences=True)], (5,)), to,
                "encoder/gru: GRU skips padding and returns all steps")
    refused(vae_of([*masked, BatchNormalization(), GRU(3)], (5,)), "keras",
            "encoder/batch_normalization: BatchNormalization ends the mask")
    for to in FORMATS:
        refused(vae_of([Twice()], (5,)), to, "encoder/twice: .*Twice cannot be exported")

    class OwnGRU(GRU):
        pass
    refused(vae_of([Bidirectional(OwnGRU(3))], (4, 5)), "keras", "OwnGRU cannot be exported")

    class Own(VAE):
        pass
    own = Own([Dense(3)], 2, [Dense(4, "sigmoid")])
    own.build((4,))
    refused(own, "onnx", "class Own cannot be exported")
    with pytest.raises(ScratchVAEError, match="to must be one of keras, torch, onnx"):
        export(small_lab("mnist-dense"), tmp_path, "caffe")
    assert not list(tmp_path.iterdir())


def test_a_model_of_float64_is_exported_as_float32(tmp_path):
    model = vae_of([Dense(4, "tanh")], (5,), dtype="float64")
    export(model, tmp_path, "onnx")
    compare(tmp_path, "onnx")


def test_images_of_a_whole_lab_run_are_in_the_graph_s_free_batch(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = small_lab("mnist-conv")
    export(model, tmp_path, "onnx")
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    for count in (1, 11):
        x = made_up(model)[:1].repeat(count, axis=0)
        z_mean, z_log_var = session.run(["z_mean", "z_log_var"], {"x": x})
        assert z_mean.shape == z_log_var.shape == (count, 2)
        np.testing.assert_allclose(z_mean, model.encode(x)[0], atol=1e-5)


# What the frameworks themselves wrote: golden/make_exchange.py.

@pytest.fixture(scope="module")
def written():
    """group -> {name: array} of what they computed."""
    groups = {}
    with np.load(GOLDEN / "exchange.npz") as file:
        for path in file.files:
            group, name = path.split("/")
            groups.setdefault(group, {})[name] = file[path]
    return groups


def image_vae():
    vae = VAE([Conv2D(3, (2, 3), 2, "same", "relu"), BatchNormalization(),
               Conv2D(4, 2, padding="same", activation="leaky_relu(0.3)"),
               MaxPooling2D(2, padding="same"), Flatten(), Dense(7, "tanh")], 2,
              [Dense(12, "relu"), Reshape((2, 2, 3)),
               Conv2DTranspose(4, 3, 2, "same", "relu"), BatchNormalization(), UpSampling2D(2),
               Cropping2D(((1, 2), (0, 2))), Conv2DTranspose(2, 2, 1, "same", "sigmoid")])
    vae.build((5, 6, 2), 3)
    return vae


def text_vae(recurrent=GRU):
    vae = VAE([Embedding(9, 4, mask_zero=True), Bidirectional(recurrent(3, return_sequences=True)),
               LSTM(4)], 2,
              [RepeatVector(5), Bidirectional(LSTM(2, return_sequences=True)),
               LayerNormalization(), GRU(4, return_sequences=True), Dense(9, "softmax")],
              "sparse_categorical_crossentropy")
    vae.build((5,), 3)
    return vae


def torch_vae():
    vae = VAE([Embedding(9, 4), Bidirectional(GRU(3, return_sequences=True)), LSTM(4),
               BatchNormalization()], 2,
              [Dense(12, "relu"), Reshape((2, 2, 3)),
               Conv2DTranspose(4, (2, 3), 2, "valid", "tanh"),
               Conv2D(2, (2, 3), padding="same"), Flatten(), Dense(5)], "squared_error")
    vae.build((5,), 3)
    return vae


@pytest.mark.parametrize("file, make, group", [
    ("exchange_images.weights.h5", image_vae, "images"),
    ("exchange_subclass.weights.h5", image_vae, "images"),
    ("exchange_text.keras", text_vae, "text"),
    ("exchange_torch.safetensors", torch_vae, "torch"),
])
def test_weights_that_a_framework_wrote_give_its_numbers(file, make, group, written):
    model = make()
    taken = import_weights(model, GOLDEN / file)
    assert [row.to for row in taken] == list(model.weights)
    assert len({(row.source, row.shape) for row in taken}) > len(model.layers) / 2
    golden = written[group]
    z_mean, z_log_var = model.encode(golden["x"])
    for found, name in ((z_mean, "z_mean"), (z_log_var, "z_log_var"),
                        (model.decode(z_mean), "reconstruction")):
        np.testing.assert_allclose(found, golden[name], atol=1e-5)


def arrays_in(file):
    """The arrays of a file of Keras by path; random numbers' states are no weights."""
    found = {}
    with h5py.File(file, "r") as content:
        content.visititems(lambda path, item: found.update({path: np.asarray(item)})
                           if isinstance(item, h5py.Dataset) else None)
    return {path: array for path, array in found.items() if "seed_generator" not in path}


@pytest.mark.parametrize("file, make", [("exchange_images.weights.h5", image_vae),
                                        ("exchange_text.keras", text_vae)])
def test_a_file_for_keras_has_the_layout_of_one_by_keras(file, make, tmp_path):
    model = make()
    import_weights(model, GOLDEN / file)
    export(model, tmp_path, "keras")
    original = GOLDEN / file
    if file.endswith(".keras"):
        with zipfile.ZipFile(original) as archive:
            original = io.BytesIO(archive.read("model.weights.h5"))
    own = arrays_in(tmp_path / "vae.weights.h5")
    by_keras = arrays_in(original)
    assert set(own) == set(by_keras)
    assert all(np.array_equal(own[path], by_keras[path]) for path in own)


def test_a_state_dict_is_that_of_pytorch(tmp_path):
    from safetensors.numpy import load_file
    model = torch_vae()
    import_weights(model, GOLDEN / "exchange_torch.safetensors")
    own = state_dict(pieces_of(model, "torch", exchange.FORMATS["torch"].kinds))
    by_torch = load_file(GOLDEN / "exchange_torch.safetensors")
    assert set(own) == set(by_torch)
    assert all(np.array_equal(own[name], by_torch[name]) and own[name].dtype == by_torch[name].dtype
               for name in own)


@pytest.mark.parametrize("to, file", [("keras", "vae.weights.h5"), ("torch", "vae.safetensors")])
@pytest.mark.parametrize("lab", LABS)
def test_weights_come_back_bit_by_bit(lab, to, file, tmp_path):
    model = small_lab(lab)
    export(model, tmp_path, to)
    other = small_lab(lab, seed=2)
    taken = import_weights(other, tmp_path / file)
    assert [row.shape for row in taken] == [weight.shape for weight in model.get_weights()]
    for weight, again in zip(model.get_weights(), other.get_weights()):
        assert np.array_equal(weight, again)


def test_heads_go_by_their_names_where_they_have_any(tmp_path):
    """A functional model lists its layers by depth: with exchanged outputs, the variance first."""
    model = small_lab("mnist-dense")
    export(model, tmp_path, "keras")
    path = tmp_path / "vae.weights.h5"
    with h5py.File(path, "r+") as file:
        layers = file["layers/functional/layers"]
        assert layers["dense_1/vars"].attrs["name"] == "z_mean"
        layers.move("dense_1", "mean")
        layers.move("dense_2", "dense_1")
        layers.move("mean", "dense_2")
    other = small_lab("mnist-dense", seed=2)
    import_weights(other, path)
    x = made_up(model)
    assert np.array_equal(other.encode(x)[0], model.encode(x)[0])
    assert np.array_equal(other.encode(x)[1], model.encode(x)[1])


def test_what_does_not_fit_is_named_and_nothing_is_set(tmp_path):
    model = small_lab("mnist-dense")
    before = model.get_weights()

    def refused(path, words, model=model):
        with pytest.raises(ScratchVAEError, match=words) as error:
            import_weights(model, path)
        assert "\n" not in str(error.value)
    wider = vae_of([Dense(6)], (784,))
    for to, file in (("keras", "vae.weights.h5"), ("torch", "vae.safetensors")):
        export(wider, tmp_path, to)
        refused(tmp_path / file, r"\(784, 6\), but encoder/dense/kernel has \(784, 5\)|"
                                 "encoder.dense_1|holds 4 x dense .* model has 5 x dense")
    refused(GOLDEN / "exchange_images.weights.h5", "holds 5 x dense|holds 4 x dense")
    refused(GOLDEN / "exchange_torch.safetensors", "encoder.dense.weight is missing")
    (tmp_path / "cut.weights.h5").write_bytes(b"nothing of the kind")
    (tmp_path / "cut.safetensors").write_bytes(b"nothing of the kind")
    whole = (GOLDEN / "exchange_text.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[:len(whole) // 2])
    for name in ("cut.weights.h5", "cut.safetensors", "cut.keras"):
        refused(tmp_path / name, "damaged, or not")
    refused(tmp_path / "absent.keras", "no such file")
    refused(tmp_path / "weights.pt", r"allowed are .keras, .weights.h5 and .safetensors")
    assert all(map(np.array_equal, model.get_weights(), before))


def test_an_older_gru_is_refused_with_the_reason():
    vae = VAE([GRU(2)], 2, [RepeatVector(4), Dense(3)], "squared_error")
    vae.build((4, 3))
    gru = next(layer for layer in keras_weights.read(GOLDEN / "exchange_reset_before.weights.h5")
               if layer.kind == "gru")
    assert gru.arrays["cell/vars/2"].shape == (6,)
    dense = [keras_weights.Stored(f"layers/{name}", "", "dense",
                                  {"vars/0": np.zeros((2 if i < 3 else 3, 2)),
                                   "vars/1": np.zeros(2)})
             for i, name in enumerate(("dense", "dense_1"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_weights, "read", lambda path: [gru, *dense, dense[0]])
        with pytest.raises(ScratchVAEError, match="GRU with reset_after=False .* encoder/gru"):
            import_weights(vae, "old.keras")


@pytest.mark.parametrize("package, to, extra", [("h5py", "keras", "keras"),
                                                ("safetensors", "torch", "torch"),
                                                ("onnx", "onnx", "onnx")])
def test_a_missing_package_is_named_with_its_extra(package, to, extra, tmp_path, monkeypatch):
    real = importlib.import_module

    def without(name, *rest):
        if name.partition(".")[0] == package:
            raise ImportError(name)
        return real(name, *rest)
    monkeypatch.setattr(importlib, "import_module", without)
    words = rf"{package} is not installed.*scratchvae\[{extra}\]"
    with pytest.raises(ScratchVAEError, match=words):
        export(small_lab("mnist-dense"), tmp_path, to)


def test_a_script_of_a_framework_that_is_not_there_says_how_to_check_later(tmp_path, monkeypatch):
    export(small_lab("mnist-dense"), tmp_path, "onnx")
    monkeypatch.setattr(exports, "missing", lambda *names: list(names))
    line, = exchange.check(tmp_path, "onnx")
    assert "onnxruntime not installed" in line and "rebuild.py` compares" in line


@pytest.mark.parametrize("spoil", ["number", "script"])
def test_other_numbers_and_a_script_that_fails_are_errors(spoil, tmp_path):
    model = small_lab("mnist-dense")
    export(model, tmp_path, "onnx")
    assert len(exchange.check(tmp_path, "onnx")) == 3
    if spoil == "number":
        arrays = results(model, made_up(model))
        arrays["z_mean"][3, 1] += 1e-3
        np.savez(tmp_path / "examples.npz", **arrays)
        words = "the numbers differ.*1.0e-03"
    else:
        (tmp_path / "encoder.onnx").unlink()
        words = "rebuild.py: .*encoder.onnx"
    with pytest.raises(ScratchVAEError, match=words):
        exchange.check(tmp_path, "onnx")


@pytest.mark.parametrize("to", FORMATS)
def test_scripts_are_readable(to, tmp_path):
    for lab in LABS:
        export(small_lab(lab), tmp_path / lab, to)
        text = (tmp_path / lab / "rebuild.py").read_text()
        compile(text, "rebuild.py", "exec")
        assert max(map(len, text.splitlines())) <= 100
        assert text.endswith("\n")


# The command line.

QUICK = ("--set", "intermediate_dim=8", "--epochs", 1, "--batch-size", 10)


def test_export_and_import_of_a_run(run, small_data, tmp_path):
    run("train", "mnist-dense", *QUICK, "--data-dir", small_data, "--out", "r")
    code, output, _ = run("export", "r", "--to", "onnx")
    assert code == 0 and "encoder.onnx" in output
    assert output.count("largest difference") == 3
    examples = np.load(tmp_path / "r/onnx/examples.npz")
    assert examples["x"].shape == (8, 784)
    assert run("export", "r", "--to", "torch", "--out", "there")[0] == 0
    code, output, _ = run("import", "mnist-dense", "--set", "intermediate_dim=8",
                          "--weights", "there/vae.safetensors", "--out", "again")
    assert code == 0 and "encoder/dense/kernel" in output and "(784, 8)" in output
    first, again = (VAE.load(tmp_path / name / "weights.npz") for name in ("r", "again"))
    assert all(map(np.array_equal, first.get_weights(), again.get_weights()))
    for command in ("evaluate", "plot"):
        assert run(command, "again", "--data-dir", small_data)[0] == 0
    code, _, errors = run("card", "again")
    assert code == 2 and "holds imported weights" in errors
    code, _, errors = run("train", "mnist-dense", "--resume", "again")
    assert code == 2 and "no training to resume" in errors
    assert run("train", "mnist-dense", *QUICK, "--from", "again", "--data-dir", small_data,
               "--out", "further")[0] == 0


def test_an_import_that_fails_leaves_no_run(run, tmp_path):
    code, _, errors = run("import", "mnist-dense", "--weights",
                          GOLDEN / "exchange_images.weights.h5", "--out", "new")
    assert code == 1 and "x dense" in errors and len(errors.splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_a_run_whose_data_are_gone_is_compared_on_made_up_examples(run, small_data):
    run("train", "mnist-dense", *QUICK, "--data-dir", small_data, "--out", "r")
    for path in (small_data / "mnist").iterdir():
        path.unlink()
    code, output, _ = run("export", "r", "--to", "onnx")
    assert code == 0 and "the examples are made up" in output
    assert output.count("largest difference") == 3


def test_a_run_about_text_goes_and_comes_back(run, tmp_path):
    play = write_play(tmp_path / "play.txt")
    sizes = ("--set", "embedding_dim=4", "--set", "units=4", "--set", "latent_dim=2")
    run("train", "shakespeare-vae", *sizes, "--epochs", 1, "--text", play, "--out", "r")
    code, output, _ = run("export", "r", "--to", "keras")
    assert code == 0 and "vae.weights.h5" in output
    code, output, errors = run("import", "shakespeare-vae", *sizes, "--text", play,
                               "--weights", "r/keras/vae.weights.h5", "--out", "again")
    assert code == 0 and "bidirectional/backward/bias" in output, errors
    assert run("reconstruct", "again", "--line", "thou knowest Rome!")[0] == 0


def test_an_autoencoder_has_one_code(tmp_path):
    model = Autoencoder([Dense(3)], [Dense(5, "sigmoid")])
    model.build((5,))
    export(randomized(model), tmp_path, "onnx")
    compare(tmp_path, "onnx")
    with np.load(tmp_path / "examples.npz") as file:
        assert sorted(file.files) == ["reconstruction", "x", "z"]
