"""A folder with kernels of one's own is a backend: it loads, computes, trains, fails in words."""
import json
import shutil
import textwrap

import numpy as np
import pytest
from helpers import bits, write_idx_files
from scratchvae.kernels.backend import operations
from scratchvae.kernels.cases import make_case
from scratchvae.kernels.cases import run as run_case
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels, labs
from scratchvae.models import Model
from scratchvae.runs import create_run, new_config, open_run
from scratchvae.runs.training import train
from scratchvae.teaching.course.folder import reference_file

REFERENCE = kernels.load("reference")
DENSE = '''\
    import numpy as np
    from .activations import activation_backward, activation_forward

    def dense_forward(x, kernel, bias, y, activation, scratch):
        """y = f(x W + b)."""
        np.matmul(x, kernel, out=y)
        y += bias
        activation_forward(y, y, activation)

    def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
        raise NotImplementedError
'''
ACTIVATIONS = '''\
    def activation_forward(x, y, activation):
        BODY

    def activation_backward(dout, y, dx, activation):
        """Not yet."""
        raise NotImplementedError
'''
UNWRITTEN = ("raise NotImplementedError", "raise NotImplementedError('later')", "pass", "...",
             '"""Only words."""', '"""Words."""; raise NotImplementedError')
SMALL = {"intermediate_dim": 8}


def write(folder, **files):
    """Write files into a folder; return it as text."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return str(folder)


def refusal(folder):
    """Return the error with which a folder is refused: one line."""
    with pytest.raises(ScratchVAEError) as caught:
        kernels.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def computed(backend, name, **options):
    """Return the arrays after a call of an operation."""
    return run_case(backend, make_case(getattr(REFERENCE, name), **options), "float64")


@pytest.fixture
def folder(tmp_path):
    """A folder with a dense forward pass that is right, and nothing else that is written."""
    return write(tmp_path / "mine", dense=DENSE,
                 activations=ACTIVATIONS.replace("BODY", "raise NotImplementedError"))


def test_what_is_written_is_the_user_s_and_all_others_are_the_reference_s(folder):
    backend = kernels.load(folder)
    assert backend.written == ("dense_forward",)
    assert operations(backend).keys() == operations(REFERENCE).keys()
    assert {name for name, operation in operations(backend).items()
            if operation is not getattr(REFERENCE, name)} == {"dense_forward"}
    assert backend.dense_forward.declaration is REFERENCE.dense_forward.declaration
    y = computed(backend, "dense_forward")["y"]
    np.testing.assert_array_equal(y, computed(REFERENCE, "dense_forward")["y"])
    assert "dense_forward" in backend.describe()
    assert folder in backend.describe()
    assert "reference" in backend.describe()


@pytest.mark.parametrize("body", UNWRITTEN)
def test_a_body_without_code_is_not_written(tmp_path, body):
    text = ACTIVATIONS.replace("BODY", body)
    backend = kernels.load(write(tmp_path / "mine", dense=DENSE, activations=text))
    assert backend.written == ("dense_forward",)
    assert backend.activation_forward is REFERENCE.activation_forward


def test_a_body_that_refuses_some_arguments_is_written(tmp_path):
    body = "if activation == 'tanh': raise NotImplementedError"
    text = ACTIVATIONS.replace("BODY", body)
    backend = kernels.load(write(tmp_path / "mine", activations=text))
    assert backend.written == ("activation_forward",)


def test_another_file_calls_the_user_s_operation_if_it_is_written(tmp_path):
    text = ACTIVATIONS.replace("BODY", "y[...] = 42")
    backend = kernels.load(write(tmp_path / "mine", dense=DENSE, activations=text))
    assert set(backend.written) == {"activation_forward", "dense_forward"}
    assert (computed(backend, "dense_forward", activation="relu")["y"] == 42).all()


def test_another_file_calls_the_reference_s_operation_if_its_own_file_is_missing(tmp_path):
    backend = kernels.load(write(tmp_path / "mine", dense=DENSE))
    for activation in ("relu", "softmax"):
        y = computed(backend, "dense_forward", activation=activation)["y"]
        expected = computed(REFERENCE, "dense_forward", activation=activation)["y"]
        np.testing.assert_array_equal(y, expected)


def test_operations_of_one_file_call_each_other(tmp_path):
    text = reference_file("embedding")
    unwritten = text.replace("    np.take(table, indices, axis=0, out=y)",
                             "    raise NotImplementedError")
    other = text.replace("    np.take(table, indices, axis=0, out=y)", "    y[...] = 7")
    expected = computed(REFERENCE, "onehot_dense_forward", activation="linear")
    right = kernels.load(write(tmp_path / "right", embedding=unwritten))
    assert "embedding_forward" not in right.written
    np.testing.assert_array_equal(
        computed(right, "onehot_dense_forward", activation="linear")["y"], expected["y"])
    mine = kernels.load(write(tmp_path / "mine", embedding=other))
    y = computed(mine, "onehot_dense_forward", activation="linear")["y"]
    np.testing.assert_allclose(y, np.broadcast_to(7 + expected["bias"], y.shape))


def test_a_helper_with_the_name_of_another_file_s_operation_is_none(tmp_path):
    """conv2d.py has a function `pad`; the operation `pad` is border.py's."""
    files = {name: reference_file(name) for name in ("conv2d", "conv2d_transpose")}
    backend = kernels.load(write(tmp_path / "mine", **files))
    assert set(backend.written) == {f"{name}_{way}" for name in files
                                    for way in ("forward", "backward")}
    assert backend.pad is REFERENCE.pad
    for name in ("conv2d_forward", "conv2d_transpose_forward", "pad"):
        np.testing.assert_array_equal(computed(backend, name)["y"], computed(REFERENCE, name)["y"])


def test_work_space_is_the_user_s(tmp_path):
    """A GRU writes its own scratch."""
    text = reference_file("gru").replace("recurrent: np.ndarray", "mine: np.ndarray")
    text = text.replace("scratch.recurrent", "scratch.mine")
    backend = kernels.load(write(tmp_path / "mine", gru=text))
    assert "mine" in backend.gru_scratch(2, 3, 4, "float32")._fields
    expected = computed(REFERENCE, "gru_backward")
    for name, array in computed(backend, "gru_backward").items():
        np.testing.assert_array_equal(array, expected[name])


def test_files_that_have_changed_are_read_again(tmp_path):
    body = "from .helpers import number; y[...] = number"
    text = ACTIVATIONS.replace("BODY", body)
    folder = write(tmp_path / "mine", activations=text, helpers="number = 1")
    first = kernels.load(folder)
    assert kernels.load(folder) is first
    assert (computed(first, "activation_forward")["y"] == 1).all()
    write(tmp_path / "mine", helpers="number = 2")
    assert (computed(kernels.load(folder), "activation_forward")["y"] == 2).all()
    write(tmp_path / "mine", activations=ACTIVATIONS.replace("BODY", "y[...] = 3"))
    assert (computed(kernels.load(folder), "activation_forward")["y"] == 3).all()


def test_a_syntax_error_is_refused_with_its_place(tmp_path):
    wrong = "import numpy as np\n\ndef dense_forward(x:\n    pass\n"
    folder = write(tmp_path / "mine", dense=wrong)
    message = refusal(folder)
    assert f"{folder}/dense.py, line 3: SyntaxError" in message
    assert refusal(folder) == message                   # and nothing half-made is kept
    assert kernels.load(write(tmp_path / "mine", dense=DENSE)).written == ("dense_forward",)


def test_an_exception_at_import_is_refused_with_its_place(tmp_path):
    folder = write(tmp_path / "mine", dense=DENSE + "\n    size = 1\n    print(sise)\n")
    lines = (tmp_path / "mine" / "dense.py").read_text().splitlines()
    place = f"dense.py, line {lines.index('print(sise)') + 1}"
    assert place in refusal(folder)
    assert "NameError: name 'sise' is not defined" in refusal(folder)


def test_other_arguments_are_refused_with_their_place(tmp_path):
    text = DENSE.replace("(x, kernel, bias, y, activation, scratch)", "(x, w, bias, y, scratch)")
    message = refusal(write(tmp_path / "mine", dense=text))
    assert "dense.py, line 4" in message
    assert "dense_forward(x, w, bias, y, scratch)" in message
    assert "(x, kernel, bias, y, activation, scratch)" in message


def test_an_exception_in_a_kernel_has_its_place_and_function(tmp_path):
    text = DENSE.replace("np.matmul(x, kernel, out=y)", "np.matmul(x, kernel.T, out=y)")
    backend = kernels.load(write(tmp_path / "mine", dense=text))
    with pytest.raises(ScratchVAEError) as caught:
        computed(backend, "dense_forward")
    message = str(caught.value)
    assert "\n" not in message
    assert f"{tmp_path}/mine/dense.py, line 6, in dense_forward: ValueError: matmul" in message


def test_an_exception_in_a_helper_has_its_place(tmp_path):
    body = "from .helpers import double; y[...] = double(x)"
    text = ACTIVATIONS.replace("BODY", body)
    helpers = "def double(x):\n    return 2 * y\n"
    backend = kernels.load(write(tmp_path / "mine", activations=text, helpers=helpers))
    with pytest.raises(ScratchVAEError, match="helpers.py, line 2, in activation_forward: "
                                              "NameError"):
        computed(backend, "activation_forward")


def test_wrong_arguments_of_a_user_s_operation_are_refused_as_the_reference_s(folder):
    backend = kernels.load(folder)
    x = np.zeros((3, 5))
    with pytest.raises(ScratchVAEError, match="dense_forward: kernel"):
        backend.dense_forward(x, np.zeros((4, 2)), np.zeros(2), np.zeros((3, 2)), "relu", None)


def test_a_folder_without_kernels_is_refused(tmp_path):
    message = refusal(write(tmp_path / "empty", other="x = 1\n"))
    assert "holds no kernels" in message
    assert ".py" in message


def test_an_unknown_name_is_refused_with_what_is_allowed():
    message = refusal("cpus")
    assert "'cpus'" in message
    assert all(name in message for name in (*kernels.BACKENDS, "folder"))


# ---------------------------------------------------------------- in training

@pytest.fixture
def images(tmp_path):
    """A folder with a small data set."""
    return str(write_idx_files(tmp_path / "data" / "mnist").parent)


def started(folder, out, epochs, images):
    """Return the run of a small network that was trained with a folder's kernels."""
    lab = labs.LABS["mnist-dense"]
    config = new_config(lab, lab.with_settings(SMALL), epochs=epochs, batch_size=10, seed=3,
                        backend=folder, data_dir=images)
    run = create_run(out, config)
    train(run)
    return run


def test_a_run_resumes_to_the_same_bits_and_outlives_its_folder(folder, tmp_path, images,
                                                                monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = started("mine", tmp_path / "whole", 2, images)
    config = json.loads((whole.folder / "config.json").read_text())
    assert config["backend"] == folder              # the absolute path
    assert "dense_forward" in config["computed_by"]
    half = started("mine", tmp_path / "half", 1, images)
    again = open_run(half.folder)
    again.config["epochs"] = 2
    train(again, resume=True)
    assert bits(half.folder) == bits(whole.folder)
    assert open_run(whole.folder).model.kernels is kernels.load(folder)
    before = open_run(whole.folder).model.reconstruct(whole.x_test[:3])
    shutil.rmtree(folder)
    gone = open_run(whole.folder)
    assert gone.model.kernels is kernels.load("cpu")
    np.testing.assert_allclose(gone.model.reconstruct(whole.x_test[:3]), before, atol=1e-5)


def test_the_user_s_kernels_train(tmp_path, images):
    """A dense layer that computes nothing learns nothing but biases."""
    text = DENSE.replace("np.matmul(x, kernel, out=y)", "y[...] = 0")
    folder = write(tmp_path / "mine", dense=text)
    run = started(folder, tmp_path / "run", 1, images)
    z = Model.load(run.folder / "weights.npz", folder).encode(run.x_test)[0]
    assert (z == z[0]).all()


def test_commands_on_a_run_use_its_folder(folder, tmp_path, images, run):
    code, output, errors = run("train", "mnist-dense", "--epochs", "1", "--batch-size", "10",
                               "--set", "intermediate_dim=8", "--data-dir", images, "--out", "a",
                               "--backend", "mine")
    assert code == 0, errors
    assert "dense_forward from" in output + errors
    assert json.loads((tmp_path / "a" / "config.json").read_text())["backend"] == folder
    write(tmp_path / "mine", dense=DENSE.replace("y += bias", "y += 1 / 0"))    # is it called?
    for command in ("evaluate", "sample", "plot"):
        code, _, errors = run(command, "a")
        assert code == 1
        assert "dense.py, line 7, in dense_forward: ZeroDivisionError" in errors
    write(tmp_path / "mine", dense=DENSE)
    for command in ("evaluate", "sample"):
        assert run(command, "a")[0] == 0


def test_trace_and_gradcheck_take_a_folder_and_say_whose_operations_computed(folder, images, run):
    for arguments in (["trace", "mnist-dense", "--batch-size", "2", "--data-dir", images],
                      ["gradcheck", "shakespeare-onehot"]):
        code, output, errors = run(*arguments, "--backend", "mine")
        assert code == 0, errors
        assert "dense_forward from" in " ".join(output.split())


@pytest.mark.slow
def test_bench_measures_a_folder_beside_the_cpu_backend(folder, images, run):
    code, output, errors = run("bench", "mnist-dense", "--batch-size", "2", "--rounds", "1",
                               "--against", "", "--data-dir", images, "--backend", "mine")
    assert code == 0, errors
    assert any("mine" in line for line in output.splitlines())
    assert sum(line.strip().startswith("scratchvae") for line in output.splitlines()) == 2


def test_explore_takes_a_folder(folder, tmp_path, images, run):
    lab = labs.LABS["mnist-dense"]
    config = new_config(lab, lab.with_settings(SMALL), epochs=1, batch_size=10, data_dir=images)
    made = create_run(tmp_path / "a", config)
    train(made)
    write(tmp_path / "mine", dense=DENSE.replace("y += bias", "y += 1 / 0"))    # is it called?
    code, _, errors = run("explore", "a", "--backend", "mine")
    assert code == 1
    assert "in dense_forward: ZeroDivisionError" in errors
    write(tmp_path / "mine", dense=DENSE)
    assert run("explore", "a", "--backend", "mine")[0] == 0


def test_an_unknown_folder_is_refused_by_commands(run):
    code, _, errors = run("train", "mnist-dense", "--backend", "nowhere")
    assert code == 2
    assert "'nowhere'" in errors
    assert "cpu" in errors
