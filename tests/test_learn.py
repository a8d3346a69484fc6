"""The course as a learner meets it: a folder, hints, hunts, progress, and the page to hand in."""
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scratchvae.kernels.cases import cases_of
from scratchvae.kernels.cases import run as run_case
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels, labs
from scratchvae.runs import create_run, new_config
from scratchvae.runs.training import train
from scratchvae.teaching.course import FILES, STAGES, hints
from scratchvae.teaching.course.folder import (
    OPERATIONS,
    make_folder,
    next_hint,
    next_operation,
    progress,
    reference_file,
)
from scratchvae.teaching.course.hunt import make_hunt
from scratchvae.teaching.judge.operations import judge
from scratchvae.teaching.judge.verdict import Verdict
from scratchvae.teaching.sabotage import MISTAKES

REFERENCE = kernels.load("reference")
COURSE = {path.name for path in FILES.iterdir() if path.suffix in (".py", ".md")}
COURSE |= {"try_lstm.py", "try_layernorm.py"}
NOTES = """\
# Notes

The bias is added to *every* row. <script>alert(1)</script>

[a link](javascript:alert(2)) and <b>bold</b>
"""


def solve(folder, *files):
    """Write the reference's files into a learner's folder."""
    for file in files:
        (Path(folder) / f"{file}.py").write_text(reference_file(file), encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A new folder of the course."""
    make_folder(tmp_path / "mine")
    return tmp_path / "mine"


# ---------------------------------------------------------------- the folder

def test_the_command_writes_the_course_once(run, tmp_path):
    code, output, _ = run("learn", "mine")
    assert code == 0
    assert {path.name for path in (tmp_path / "mine").iterdir()} == COURSE
    assert {f"{stage.file}.py" for stage in STAGES} < COURSE
    assert "check mine" in output
    assert "scratchvae check mine/dense.py" in (tmp_path / "mine" / "README.md").read_text()
    (tmp_path / "mine" / "dense.py").write_text("# mine\n")
    (tmp_path / "mine" / "notes.md").unlink()
    before = {path: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    assert run("learn", "mine")[0] == 0
    assert {path: path.read_bytes() for path in before} == before       # nothing is overwritten
    assert (tmp_path / "mine" / "notes.md").read_text() == (FILES / "notes.md").read_text()
    code, output, _ = run("learn", "mine")
    assert code == 0
    assert "nothing was changed" in output


def test_missing_files_come_back(folder):
    for name in ("dense.py", "README.md"):
        (folder / name).unlink()
    assert sorted(path.name for path in make_folder(folder)) == ["README.md", "dense.py"]
    assert {path.name for path in folder.iterdir()} == COURSE
    assert make_folder(folder) == []


def test_a_folder_with_other_things_is_refused(run, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("words")
    code, _, errors = run("learn", "work")
    assert code == 1
    assert "work" in errors
    assert "new or empty folder" in errors
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["thesis.txt"]
    with pytest.raises(ScratchVAEError, match="is a file"):
        make_folder(tmp_path / "work" / "thesis.txt")


def test_a_new_folder_is_a_backend_in_which_nothing_is_written(folder):
    backend = kernels.load(str(folder))
    assert backend.written == ()
    assert "reference" in backend.describe()
    stage, name = next_operation(folder)
    assert (stage.file, name) == ("dense", "dense_forward")
    assert all(not entry.written and not entry.done for entry in progress(folder))


def test_progress_follows_what_is_written(folder):
    solve(folder, "dense", "losses")
    found = {entry.stage.file: entry for entry in progress(folder)}
    assert found["dense"].done
    assert found["losses"].done
    assert not found["activations"].written
    stage, name = next_operation(folder)
    assert (stage.file, name) == ("activations", "activation_forward")
    solve(folder, *(stage.file for stage in STAGES))
    assert next_operation(folder) is None


# ---------------------------------------------------------------- hints

def test_three_hints_and_then_the_solution_again(run, folder):
    asked = ["learn", "mine", "--hint", "dense_backward"]
    texts = []
    for name in ("a nudge", "nearly the formula", "the solution", "the solution"):
        code, output, _ = run(*asked)
        assert code == 0
        assert name in output
        texts.append(" ".join(output.split()))
    nudge, formula = hints("dense")["dense_backward"]
    assert nudge in texts[0]
    assert formula in texts[1]
    assert "np.matmul(dz, kernel.T, out=dx)" in texts[2]
    assert texts[3] == texts[2]
    assert "np.matmul" not in texts[0] + texts[1]
    code, output, _ = run("learn", "mine", "--hint", "dense_forward")
    assert "a nudge" in output                          # each operation has its own three
    assert kernels.load(str(folder)).written == ()      # a hint writes nothing into the files


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_solution_can_be_copied_into_its_file(name, folder):
    """In place of the template's function it computes what the reference does."""
    for number in (1, 2, 3):
        asked, text = next_hint(folder, name)
        assert asked == number
    assert text.startswith(f"def {name}(")
    path = folder / f"{OPERATIONS[name].file}.py"
    source = path.read_text(encoding="utf-8")
    start = source.index(f"def {name}(")
    end = source.find("\n\n\n", start)
    end = len(source) if end < 0 else end
    path.write_text(source[:start] + text + source[end:], encoding="utf-8")
    backend = kernels.load(str(folder))
    assert backend.written == (name,)
    for case in cases_of(getattr(REFERENCE, name)):
        expected = run_case(REFERENCE, case, "float64")
        for array, values in run_case(backend, case, "float64").items():
            np.testing.assert_array_equal(values, expected[array])


def test_an_unknown_operation_is_refused_with_what_is_allowed(run, folder):
    code, _, errors = run("learn", "mine", "--hint", "dense_sideward")
    assert code == 1
    assert "'dense_sideward'" in errors
    assert "dense_forward, dense_backward" in errors
    assert len(errors.splitlines()) == 1
    with pytest.raises(ScratchVAEError, match="dense_forward.*gru_backward"):
        next_hint(folder, "xyz")


def test_a_hint_needs_a_folder_of_the_course(run, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, errors = run("learn", "empty", "--hint", "dense_forward")
    assert code == 1
    assert "learn empty" in errors
    assert not list((tmp_path / "empty").iterdir())


@pytest.mark.parametrize("options", [["--hint", "dense_forward", "--hunt"], ["--seed", "1"],
                                     ["--hint", "dense_forward", "--seed", "1"]])
def test_options_that_do_not_belong_together_are_refused(run, tmp_path, options):
    assert run("learn", "mine", *options)[0] == 2
    assert not (tmp_path / "mine").exists()


# ---------------------------------------------------------------- a hunt

def files_of(folder):
    """Return name -> text of a folder's Python files."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}


def changed_lines(folder):
    """Return the lines that differ from the reference, as (file, right, wrong)."""
    return [(name, right.strip(), wrong.strip()) for name, text in files_of(folder).items()
            for right, wrong in zip(reference_file(Path(name).stem).splitlines(),
                                    text.splitlines(), strict=True) if right != wrong]


def lines_of(mistake):
    """Return the lines that a mistake changes, as (file, right, wrong)."""
    right = {}
    for edit in mistake.edits:
        line, _ = edit.lines
        right.setdefault((f"{edit.file}.py", edit.operation, line), []).append(edit)
    return right


def test_a_hunt_has_exactly_one_known_mistake_and_its_seed_tells_which(run, tmp_path):
    code, output, _ = run("learn", "hunt", "--hunt", "--seed", "7")
    assert code == 0
    changed = changed_lines(tmp_path / "hunt")
    matches = [mistake for mistake in MISTAKES.values()
               if len(lines_of(mistake)) == len(changed)
               and all(any(edit.file + ".py" == name and edit.right.strip().splitlines()[0] in right
                           and edit.wrong.strip() in wrong for edit in mistake.edits)
                       for name, right, wrong in changed)]
    assert len(matches) == 1
    mistake, = matches
    readme = (tmp_path / "hunt" / "README.md").read_text()
    for text in (output, readme):                       # nobody says which one it is
        assert mistake.name not in text
        assert not any(edit.operation in text for edit in mistake.edits)
    assert "check" in readme
    make_hunt(tmp_path / "again", seed=7)
    assert files_of(tmp_path / "again") == files_of(tmp_path / "hunt")
    backend = kernels.load(str(tmp_path / "hunt"))
    wrong = [edit.operation for edit in mistake.edits]
    assert any(not judge(backend, REFERENCE, name).passed for name in wrong)


def test_seeds_choose_different_mistakes(tmp_path):
    chosen = set()
    for seed in range(8):
        make_hunt(tmp_path / str(seed), seed)
        changed = changed_lines(tmp_path / str(seed))
        assert changed
        chosen.add(tuple(changed))
    assert len(chosen) > 4


def test_a_hunt_is_never_written_into_a_folder_that_holds_something(run, folder):
    before = files_of(folder)
    code, _, errors = run("learn", "mine", "--hunt")
    assert code == 1
    assert "not empty" in errors
    assert files_of(folder) == before


# ---------------------------------------------------------------- progress, and the page

def test_the_command_prints_progress_and_writes_the_page(run, folder, tmp_path, small_data):
    """One operation is wrong, those that call it are right, and a run was trained with them."""
    solve(folder, "dense", "activations")
    lab = labs.LABS["mnist-dense"]
    for backend, out in ((str(folder), "with"), ("reference", "without")):
        config = new_config(lab, lab.with_settings({"intermediate_dim": 8}), epochs=1,
                            batch_size=10, backend=backend, data_dir=str(small_data))
        train(create_run(tmp_path / "runs" / out, config))
    path = folder / "activations.py"
    path.write_text(path.read_text().replace("dout * (1 - y * y)", "dout * (1 - y)"))
    (folder / "notes.md").write_text(NOTES)
    code, output, errors = run("check", "mine")
    assert code == 1, errors
    assert "activation_backward is wrong   mine/activations.py, line" in output
    assert "dense_backward is wrong" not in output
    assert "3 of 4 operations are right" in output
    rows = {line.split("  ")[0].strip(): line for line in output.splitlines() if ".py" in line}
    assert "2 of 2" in rows["A dense layer"]
    assert re.search(r"2 of 2\s+1", rows["Activations"])
    assert "0 of 4" in rows["Reconstruction losses"]
    assert "next: mend activation_backward" in output
    assert "--hint activation_backward" in " ".join(output.split())
    assert "mine/report.html" in output
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "3 of them are right" in page
    assert "activation_backward" in page
    assert "calls beside the reference backend" in page
    assert page.count("mnist-dense: epoch 1") == 1      # the run with these kernels alone
    assert "<em>every</em>" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>bold" not in page
    assert 'href="javascript' not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_what_comes_next_is_the_first_operation_that_is_not_written(folder, tmp_path, monkeypatch,
                                                                    capsys):
    from scratchvae.teaching.handin import write_page
    from scratchvae.teaching.judge.table import print_progress
    monkeypatch.chdir(tmp_path)
    print_progress(str(folder), Verdict(str(folder), "reference", {}, []))
    assert "next: dense_forward in mine/dense.py" in capsys.readouterr().out
    solve(folder, "dense")
    backend = kernels.load(str(folder))
    judgements = {name: judge(backend, REFERENCE, name) for name in backend.written}
    verdict = Verdict(str(folder), "reference", judgements, [])
    print_progress(str(folder), verdict)
    output = capsys.readouterr().out
    assert "next: activation_forward in mine/activations.py" in output
    assert "train mnist-dense --limit 10000 --epochs 5 --backend mine" in " ".join(output.split())
    page = write_page(folder, verdict).read_text(encoding="utf-8")
    assert "2 operations are written, 2 of them are right" in page
    assert "No run yet" in page


def test_hints_that_were_asked_for_are_remembered_in_the_folder(folder):
    next_hint(folder, "gru_forward")
    next_hint(folder, "gru_forward")
    kept = [path for path in folder.iterdir() if path.name not in COURSE]
    assert len(kept) == 1
    assert json.loads(kept[0].read_text()) == {"gru_forward": 2}
    assert make_folder(folder) == []
    number, text = next_hint(folder, "gru_forward")
    assert number == 3
    assert np.char.count(text, "def ") == 1
