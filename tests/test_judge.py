"""The judge: kernels with one known mistake each, and what it says of them."""
import io
import re
import textwrap
from types import SimpleNamespace

import pytest
from rich.console import Console
from scratchvae.kernels import windows
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels
from scratchvae.layers import BatchNormalization, Conv2D, MaxPooling2D
from scratchvae.teaching.course.folder import reference_file
from scratchvae.teaching.judge import coverage, judge_each_other, open_subject, session
from scratchvae.teaching.judge import judge_subject as judged_in_a_process
from scratchvae.teaching.judge import verdict as verdicts
from scratchvae.teaching.judge.coverage import golden_results
from scratchvae.teaching.judge.golden import all_golden
from scratchvae.teaching.judge.operations import Judgement, judge
from scratchvae.teaching.judge.symptoms import SYMPTOMS
from scratchvae.teaching.judge.table import print_verdict
from scratchvae.teaching.judge.verdict import Verdict, judge_subject
from scratchvae.teaching.sabotage import MISTAKES
from scratchvae.teaching.sabotage.plant import planted

REFERENCE = kernels.load("reference")
DEFINITIONS = "spread of samples"

# (operation, file, right, wrong, array, what it looks like): None for the array is an error
LOOKS = {
    "a constant factor 1/N": (
        "dense_backward", "dense", "np.sum(dz, axis=0, out=dbias)",
        "np.mean(dz, axis=0, out=dbias)", "dbias", r"constant factor.* 1/N times"),
    "a constant factor N": (
        "binary_crossentropy_backward", "losses", "(scale / (D * N))", "(scale / D)", "dlogits",
        r"constant factor.* N times"),
    "a constant factor 2": (
        "squared_error_backward", "losses", "(2 * scale", "(4 * scale", "dlogits",
        r"constant factor.* 2 times"),
    "a sign": (
        "reparameterize_backward", "reparameterize", "dz_mean[...] = dz", "dz_mean[...] = -dz",
        "dz_mean", r"sign is wrong.* -1 times"),
    "axes exchanged in another shape": (
        "dense_backward", "dense", "np.matmul(x.T, dz, out=dkernel)",
        "dkernel[...] = (dz.T @ x).reshape(dkernel.shape)", "dkernel",
        r"order of \(M, K\) instead of \(K, M\)"),
    "reversed": (
        "mask_steps", "sequences", "np.where(mask[..., np.newaxis], x, 0)",
        "np.where(mask[..., np.newaxis], x, 0)[:, ::-1]", "y", r"reverse order along T"),
    "shifted": (
        "concatenate_forward", "sequences", "y[:, a.shape[1]:] = b",
        "y[:, a.shape[1]:] = b; y[...] = np.roll(y, 1, axis=1)", "y",
        r"shifted by one place along"),
    "never written": (
        "reparameterize_forward", "reparameterize", "z[...] = ", "z = ", "z",
        r"never written: z = \.\.\..*z\[\.\.\.\] ="),
    "partly written": (
        "repeat_forward", "sequences", "y[...] = x[:, np.newaxis]", "y[:, 1:] = x[:, np.newaxis]",
        "y", r"15 of 60 elements were not written"),
    "added to what was there": (
        "dense_backward", "dense", "np.sum(dz, axis=0, out=dbias)", "dbias += dz.sum(axis=0)",
        "dbias", r"adds to what the array held before"),
    "set instead of added to": (
        "gaussian_kl_backward", "reparameterize", "dz_mean += factor", "dz_mean[...] = factor",
        "dz_mean", r"must be added, \+=, not set"),
    "not updated": (
        "batchnorm_update", "batchnorm",
        "moving_mean[...] = momentum * moving_mean + (1 - momentum) * mean", "pass",
        "moving_mean", r"unchanged: the call should have updated it"),
    "a missing term": (
        "batchnorm_inference", "batchnorm", "np.sqrt(variance + epsilon) + beta",
        "np.sqrt(variance + epsilon)", "y", r"term is missing.*plus beta"),
    "a missing factor": (
        "gru_backward", "gru", "dc = (1 - z) * dh", "dc = dh", "da",
        r"factor is missing.*divided by \(1 - z\)"),
    "equal indices": (
        "embedding_backward", "embedding", "np.add.at(dtable, indices, dout)",
        "dtable[indices] = dout", "dtable", r"only where indices has an index twice"),
    "negative numbers": (
        "activation_forward", "activations", "np.where(x > 0, x, slope * x)",
        "np.where(x > 0, x, 0.7 * x)", "y", r"where x < 0"),
    "a mask ignored": (
        "gru_forward", "gru", "np.where(mask[:, t, np.newaxis], z * h + (1 - z) * c, h)",
        "z * h + (1 - z) * c", "y", r"as if mask were 1 everywhere"),
    "an option ignored": (
        "sgd_update", "optimizers", "velocity *= momentum", "velocity *= 0", "velocity",
        r"as if momentum were 0"),
    "zeros": (
        "sum_steps", "sequences", "np.sum(x, axis=1, out=y)", "y[...] = 0", "y",
        r"zero in all elements"),
    "overflow": (
        "binary_crossentropy_forward", "losses", "np.log1p(np.exp(-np.abs(logits)))",
        "np.log(1 + np.exp(logits)) - positive", "loss", r"overflows"),
}
# (operation, file, right, wrong, when it is wrong)
ONLY = {
    "one direction": (
        "gru_backward", "gru", "reversed(time_steps(T, go_backwards))",
        "reversed(time_steps(T, False))",
        "only with go_backwards True"),
    "one precision": (
        "repeat_backward", "sequences", "np.sum(dout, axis=1, out=dx)",
        "np.sum(dout, axis=1, out=dx, dtype='f2' if dx.dtype == 'f4' else None)",
        "only in float32"),
    "large numbers": (
        "activation_forward", "activations", "x - x.max(axis=-1, keepdims=True)", "x",
        "only with large numbers"),
    "equal numbers": (
        "max_pooling_forward", "pooling", "np.argmax(pixels, axis=0)",
        "len(pixels) - 1 - np.argmax(pixels[::-1], axis=0)",
        "only with zeros and equal numbers"),
    "one activation": (
        "activation_backward", "activations", "dout * (1 - y * y)", "dout * (1 - y)",
        "only with activation tanh"),
    "a missing array": (
        "dense_backward", "dense", "np.sum(dz, axis=0, out=dbias)",
        "np.sum(dz, axis=0, out=dbias) if dx is not None else dbias.fill(0)",
        "only if dx is None"),
    "an example alone": (
        "dense_forward", "dense", "y += bias", "y += bias * (len(x) > 1)",
        "only with one of each"),
}


def folder_with(folder, file, right=None, wrong=None):
    """Write a file of the reference, with one change, into a folder; return its backend."""
    text = reference_file(file)
    if right is not None:
        assert text.count(right) >= 1
        text = text.replace(right, wrong)
    folder.mkdir(exist_ok=True)
    (folder / f"{file}.py").write_text(text, encoding="utf-8")
    return kernels.load(str(folder))


def printed(verdict):
    """Return what is printed of a Verdict, without line breaks."""
    out = Console(file=io.StringIO(), width=1000, highlight=False)
    print_verdict(verdict, out)
    return out.file.getvalue()


def in_silence(judgements, count):
    """Show no progress."""
    return judgements


@pytest.mark.slow
@pytest.mark.parametrize("case", LOOKS)
def test_a_wrong_array_is_named_with_its_worst_element_and_what_it_looks_like(case, tmp_path):
    name, file, right, wrong, array, looks = LOOKS[case]
    judgement = judge(folder_with(tmp_path, file, right, wrong), REFERENCE, name)
    assert not judgement.passed
    finding = judgement.findings[0]
    assert finding.array == array
    assert array in finding.says
    if "written" not in looks and "before" not in looks:
        assert re.match(rf"{array}\[[\d, ]+\] is \S+, right is \S+$", finding.worst)
    assert finding.case
    assert any(re.search(looks, sentence) for sentence in finding.looks), finding.looks
    assert array not in judgement.right


@pytest.mark.parametrize("case", ONLY)
def test_the_calls_that_are_wrong_are_told_from_those_that_are_right(case, tmp_path):
    name, file, right, wrong, only = ONLY[case]
    judgement = judge(folder_with(tmp_path, file, right, wrong), REFERENCE, name)
    assert not judgement.passed
    assert judgement.only == only


def test_the_worst_element_has_both_numbers(tmp_path):
    backend = folder_with(tmp_path, "sequences", "y[...] = x[:, t]",
                          "y[...] = x[:, t]; y[1, 2] += 5")
    worst = judge(backend, REFERENCE, "last_forward").findings[0].worst
    place, wrong, right = re.fullmatch(r"y\[(.+)\] is (\S+), right is (\S+)", worst).groups()
    assert place == "1, 2"
    assert float(wrong) - float(right) == pytest.approx(5)


def test_an_input_that_was_changed_is_found(tmp_path):
    backend = folder_with(tmp_path, "activations", "dx[...] = dout * (1 - y * y)",
                          "dout *= 1 - y * y; dx[...] = dout")
    judgement = judge(backend, REFERENCE, "activation_backward")
    assert not judgement.passed
    assert judgement.findings[0].array == "dout"
    assert "dout is an input and was changed" in judgement.findings[0].says


def test_random_results_are_found(tmp_path):
    backend = folder_with(tmp_path, "sequences", "y[...] = x[:, t]",
                          "y[...] = x[:, t] * (1 + 1e-12 * np.random.default_rng().random())")
    assert "something random" in judge(backend, REFERENCE, "last_forward").findings[0].says


def test_an_exception_is_a_finding_with_its_place_and_the_shapes(tmp_path):
    backend = folder_with(tmp_path, "dense", "np.matmul(dz, kernel.T, out=dx)",
                          "np.matmul(dz, kernel, out=dx)")
    finding = judge(backend, REFERENCE, "dense_backward").findings[0]
    assert "dense.py, line" in finding.says
    assert "in dense_backward: ValueError" in finding.says
    assert "kernel (K, M)" in finding.looks[0]


def test_outputs_that_are_right_are_named(tmp_path):
    backend = folder_with(tmp_path, "dense", "np.sum(dz, axis=0, out=dbias)",
                          "np.mean(dz, axis=0, out=dbias)")
    judgement = judge(backend, REFERENCE, "dense_backward")
    assert {"dx", "dkernel"} <= set(judgement.right)
    assert judgement.agrees is False


def test_a_pair_that_agrees_on_the_wrong_function_is_told(tmp_path):
    backend = folder_with(tmp_path, "dropout", "(1 / (1 - rate))", "1")
    judgement = judge(backend, REFERENCE, "dropout_backward")
    assert not judgement.passed
    assert judgement.agrees
    verdict = Verdict(str(tmp_path), "reference", {"dropout_backward": judgement}, [])
    assert "derivative of its own forward pass" in printed(verdict)


@pytest.mark.parametrize("name", ["dense_backward", "embedding_backward", "gaussian_kl_backward",
                                  "max_pooling_forward", "adam_update", "words_before"])
def test_what_is_right_is_proven(name, tmp_path):
    file = getattr(REFERENCE, name).__module__.rpartition(".")[2]
    judgement = judge(folder_with(tmp_path, file), REFERENCE, name)
    assert judgement.passed
    assert not judgement.only
    calls = int(re.fullmatch(r"(\d+) calls beside the reference backend", judgement.proofs[0])[1])
    assert calls >= 7
    if name.endswith("_backward"):
        assert judgement.agrees
        assert re.fullmatch(r"\d+ gradients by central differences", judgement.proofs[1])


def test_a_judgement_outlives_json():
    with planted(MISTAKES["bias-mean"]):
        judgement = judge(REFERENCE, kernels.load("cpu"), "dense_backward")
    assert not judgement.passed
    assert Judgement.from_dict(judgement.as_dict()) == judgement


def test_a_verdict_names_function_file_line_numbers_looks_and_proofs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend = folder_with(tmp_path / "mine", "dense", "np.sum(dz, axis=0, out=dbias)",
                          "np.mean(dz, axis=0, out=dbias)")
    judgements = {name: judge(backend, REFERENCE, name) for name in backend.written}
    verdict = Verdict(str(tmp_path / "mine"), "reference", judgements, [])
    assert not verdict.passed
    text = printed(verdict)
    lines = (tmp_path / "mine" / "dense.py").read_text().splitlines()
    line = next(i for i, code in enumerate(lines, 1) if code.startswith("def dense_backward"))
    assert f"dense_backward is wrong   mine/dense.py, line {line}" in text
    assert re.search(r"dbias\[\d\] is \S+, right is", text)
    assert "1/N times" in text
    assert "1 of 2 operations are right" in text
    assert "proven by" in text
    assert "not looked at: speed" in text
    fitting = Console(file=io.StringIO(), width=100, highlight=False)
    print_verdict(verdict, fitting)
    assert max(map(len, fitting.file.getvalue().splitlines())) <= 100


# ---------------------------------------------------------------- a process of its own

@pytest.mark.slow
def test_endless_loops_and_crashes_end_in_a_judgement(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "SECONDS", 6)
    (tmp_path / "sequences.py").write_text(textwrap.dedent("""\
        import ctypes
        import os
        import time

        def last_backward(dout, dx, t):
            time.sleep(1000)

        def last_forward(x, y, t):
            ctypes.string_at(0)

        def repeat_backward(dout, dx):
            os._exit(0)

        def repeat_forward(x, y):
            print("not an answer")
            y[...] = x[:, None]
        """))
    subject = open_subject(str(tmp_path))
    verdict = judge_subject(subject, in_silence, golden=False)
    assert set(verdict.judgements) == set(subject.operations)
    assert "within 6 seconds" in verdict.judgements["last_backward"].findings[0].says
    for name in ("last_forward", "repeat_backward"):
        assert "crashed" in verdict.judgements[name].findings[0].says
    assert [judgement.operation for judgement in verdict.right] == ["repeat_forward"]
    assert not verdict.passed
    assert "last_backward is wrong" in printed(verdict)


def test_an_operation_that_only_calls_a_wrong_one_is_right(tmp_path):
    folder_with(tmp_path, "activations", "dout * (1 - y * y)", "dout * (1 - y)")
    backend = folder_with(tmp_path, "dense")
    assert not judge(backend, REFERENCE, "dense_backward").passed       # as long as it calls it
    verdict = judged_in_a_process(open_subject(str(tmp_path)), in_silence, golden=False)
    assert [judgement.operation for judgement in verdict.wrong] == ["activation_backward"]
    assert {judgement.operation for judgement in verdict.right} == {
        "activation_forward", "dense_backward", "dense_forward"}


# ---------------------------------------------------------------- numbers from outside

def some_golden(monkeypatch, *words):
    """Compare only groups that contain one of these words."""
    chosen = [golden for golden in all_golden() if any(word in golden.name for word in words)]
    assert len(chosen) > 1
    monkeypatch.setattr(coverage, "all_golden", lambda: chosen)


def test_the_library_agrees_with_numbers_from_outside():
    results = golden_results(REFERENCE)
    assert all(result.passed for result in results)
    assert {"Keras"} < {result.source for result in results}
    assert len(results) > 80
    called = {name for result in results for name in result.operations}
    assert {"dense_backward", "gru_backward", "adam_update", "activation_forward"} <= called


@pytest.mark.parametrize("name", ["cpu", "reference"])
def test_a_mistake_that_both_backends_share_is_found_and_its_function_suspected(name, monkeypatch):
    """Half of the padding, rounded up instead of down, in the function that both call."""
    source = ("def padding_before(fine, coarse, kernel, stride):\n"
              "    return (max((coarse - 1) * stride + kernel - fine, 0) + 1) // 2\n")
    made = {}
    exec(compile(source, windows.__file__, "exec"), made)
    some_golden(monkeypatch, "conv2d", "Pooling", "dense")
    backend = kernels.load(name)
    monkeypatch.setattr(windows.padding_before, "__code__", made["padding_before"].__code__)
    alike = judge(kernels.load("reference"), kernels.load("cpu"), "conv2d_forward")
    assert alike.passed                                 # the backends agree
    verdict = Verdict(name, "reference", {"conv2d_forward": alike}, golden_results(backend))
    assert not verdict.passed
    assert verdict.elsewhere
    assert any(suspect.endswith("windows.py: padding_before") for suspect in verdict.suspects)
    text = printed(verdict)
    assert "Keras says" in text
    assert "padding_before" in text


@pytest.mark.parametrize("layer", [BatchNormalization, Conv2D, MaxPooling2D])
def test_a_mistake_in_a_layer_is_found_and_its_function_suspected(layer, monkeypatch):
    """The input's gradient with the sign turned."""
    right = layer.backward

    def wrong(self, *arguments, **options):
        return -right(self, *arguments, **options)
    monkeypatch.setattr(layer, "backward", wrong)
    some_golden(monkeypatch, "batchnorm", "dense", "conv2d", "Pooling")
    verdict = Verdict("cpu", "reference", {}, golden_results(kernels.load("cpu")))
    assert verdict.elsewhere
    assert all("dx" in result.says for result in verdict.elsewhere)
    file = layer.__module__.rpartition(".")[2]
    assert any(f"layers/{file}.py: " in suspect and suspect.endswith("backward")
               for suspect in verdict.suspects)


def test_a_wrong_operation_explains_the_comparisons_that_run_it(monkeypatch):
    some_golden(monkeypatch, "dense", "gru")
    with planted(MISTAKES["gru-tanh"]):
        wrong = judge(REFERENCE, kernels.load("cpu"), "gru_backward")
        verdict = Verdict("reference", "cpu", {"gru_backward": wrong}, golden_results(REFERENCE))
    assert any(not result.passed for result in verdict.golden)
    assert not verdict.elsewhere
    assert not verdict.suspects


def test_of_two_backends_the_one_that_contradicts_itself_is_wrong(monkeypatch):
    """The reference has a mistake; cpu differs from it, and is right."""
    some_golden(monkeypatch, "dense/tanh", DEFINITIONS)
    names = ("cpu", "reference")
    with planted(MISTAKES["bias-mean"]):
        made = {name: Verdict(name, other,
                              {"dense_backward": judge(kernels.load(name), kernels.load(other),
                                                       "dense_backward")},
                              golden_results(kernels.load(name)))
                for name, other in (names, names[::-1])}
    monkeypatch.setattr(verdicts, "judge_subject", lambda subject, progress: made[subject.backend])
    cpu, reference = judge_each_other([SimpleNamespace(backend=name) for name in names],
                                      in_silence)
    assert cpu.passed
    assert "dense_backward" in cpu.innocent
    assert not reference.passed
    assert [judgement.operation for judgement in reference.wrong] == ["dense_backward"]
    assert "1 of 1 operations are right" in printed(cpu)
    assert "dense_backward is wrong" in printed(reference)


# ---------------------------------------------------------------- the command

def test_a_subject_is_a_backend_a_folder_or_a_file(tmp_path):
    folder_with(tmp_path, "dropout")
    folder_with(tmp_path, "dense")
    whole = open_subject(str(tmp_path))
    assert set(whole.operations) == {"dense_forward", "dense_backward", "dropout_forward",
                                     "dropout_backward"}
    assert whole.whole
    assert whole.operations.index("dense_forward") < whole.operations.index("dense_backward")
    part = open_subject(str(tmp_path / "dense.py"))
    assert part.operations == ["dense_forward", "dense_backward"]
    assert not part.whole
    assert open_subject("cpu").trusted == "reference"
    assert open_subject("reference").trusted == "cpu"


def test_subjects_that_do_not_exist_are_refused_with_what_is_allowed(tmp_path):
    folder_with(tmp_path, "dense")
    (tmp_path / "dropout.py").write_text("def dropout_forward(x, noise, y, rate):\n    pass\n")
    with pytest.raises(ScratchVAEError, match="dropout_forward, dropout_backward|"
                                              "dropout_backward, dropout_forward"):
        open_subject(str(tmp_path / "dropout.py"))
    with pytest.raises(ScratchVAEError, match="no such file"):
        open_subject(str(tmp_path / "gru.py"))
    with pytest.raises(ScratchVAEError, match="'cup'.*cpu"):
        open_subject("cup")


def test_the_command_judges_one_file(run, tmp_path):
    folder_with(tmp_path / "mine", "dropout", "x * (1 / (1 - rate))", "x")
    code, output, _ = run("check", "mine/dropout.py")
    assert code == 1
    assert "dropout_forward is wrong   mine/dropout.py, line" in output
    assert "1 - rate times" in output
    folder_with(tmp_path / "mine", "dropout")
    code, output, _ = run("check", "mine/dropout.py")
    assert code == 0
    assert "2 of 2 operations are right" in output


def test_symptoms_lead_to_what_to_check_first(run):
    code, output, _ = run("check", "--symptom")
    assert code == 0
    assert output.count("check DIR") >= len(SYMPTOMS) // 2
    code, output, _ = run("check", "--symptom", "checkerboard")
    assert code == 0
    assert "conv2d_transpose" in output
    assert "moving averages" not in output
    code, _, errors = run("check", "--symptom", "xyzzy")
    assert code == 1
    assert "'xyzzy'" in errors
    assert len(errors.splitlines()) == 1


def test_unknown_subjects_are_refused_by_the_command(run):
    code, _, errors = run("check", "nowhere")
    assert code != 0
    assert "'nowhere'" in errors
    assert len(errors.splitlines()) == 1


def test_differences_of_work_space_are_no_mistake(tmp_path):
    """dz of a dense layer is undefined after the call."""
    folder_with(tmp_path, "dense")
    text = (tmp_path / "dense.py").read_text()
    (tmp_path / "dense.py").write_text(text + "    dz[...] = 5\n")
    backend = kernels.load(str(tmp_path))
    assert judge(backend, REFERENCE, "dense_backward").passed
