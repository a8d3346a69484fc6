"""The course: templates and hints that fit the reference, and that give no answer away."""
import ast
import importlib
import inspect
import re

import numpy as np
import pytest
from scratchvae.kernels.backend import operations
from scratchvae.kernels.cases import all_cases, run

from scratchvae import kernels, labs
from scratchvae.teaching.course import FILES, FIRST_GOAL, STAGES, hints, template
from scratchvae.teaching.course.content import HINTS

REFERENCE = kernels.load("reference")
COURSE = [stage.file for stage in STAGES]
OPERATIONS = [name for stage in STAGES for name in stage.operations]
UNTAUGHT = {"border", "importance", "learnt_variance", "missing", "mmd", "noise", "pooling",
            "quantize", "table_losses", "total_correlation", "upsampling"}
TELLING = 25                    # characters: a shorter line of code may be anyone's
GIVEN = {"pad", "time_steps", "rows", "flush_denormals", "gru_scratch", "lstm_scratch"}


def reference_module(file):
    """Return a file of the reference as a module."""
    return importlib.import_module(f"scratchvae.kernels.reference.{file}")


def functions(source):
    """Return the functions of a source at its top level: name -> ast node."""
    return {node.name: node for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef)}


def body(node):
    """Return the statements of a function without its docstring."""
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def code(text):
    """Return text without any white space, to be compared as code."""
    return re.sub(r"\s", "", text)


def telling_lines(file):
    """Return the lines of code of a file's operations that would give an answer away."""
    source = inspect.getsource(reference_module(file))
    return [line for name, node in functions(source).items() if name in OPERATIONS
            for statement in body(node)
            for line in ast.unparse(statement).splitlines() if len(line.strip()) > TELLING]


def filled(file):
    """Return a template with the bodies of the reference in place of NotImplementedError.

    Functions of the reference that the template lacks are put at its end.
    """
    solutions = functions(inspect.getsource(reference_module(file)))
    tree = ast.parse(template(file))
    present = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            present.add(node.name)
            if node.name in OPERATIONS:
                node.body = node.body[:1] + body(solutions[node.name])
    for name, node in solutions.items():
        if name not in present:
            node.decorator_list = []
            tree.body.append(node)
    return ast.unparse(tree)


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """The backend of a folder whose course files are filled with the reference's bodies."""
    folder = tmp_path_factory.mktemp("learner")
    for file in COURSE:
        (folder / f"{file}.py").write_text(filled(file), encoding="utf-8")
    return kernels.load(str(folder))


def test_the_course_has_all_operations_in_order_and_once():
    assert len(set(COURSE)) == len(COURSE)
    assert {path.stem for path in FILES.glob("*.py")} == set(COURSE)
    assert {path.stem for path in HINTS.glob("*.md")} == set(COURSE)
    of_files = {}
    for name, member in operations(REFERENCE).items():
        of_files.setdefault(member.__module__.rpartition(".")[2], []).append(name)
    assert set(of_files) == set(COURSE) | UNTAUGHT
    for stage in STAGES:
        assert sorted(stage.operations) == of_files[stage.file]
        order = [name for name in functions(template(stage.file)) if name in stage.operations]
        assert tuple(order) == stage.operations
    assert OPERATIONS[:FIRST_GOAL] == ["dense_forward", "dense_backward", "activation_forward",
                                       "activation_backward", "binary_crossentropy_forward"]


@pytest.mark.parametrize("stage", STAGES, ids=COURSE)
def test_a_stage_names_a_lab_and_its_command(stage):
    assert stage.reward.endswith(".")
    if stage.free:
        assert stage.lab is None and not stage.command
        assert 'backend="DIR"' in stage.program
        return
    words = stage.command.split()
    assert words[:2] == ["train", stage.lab]
    lab = labs.LABS[stage.lab]
    changes = [words[i + 1].split("=") for i, word in enumerate(words) if word == "--set"]
    assert lab.with_settings(dict(changes))


@pytest.mark.filterwarnings("ignore::scratchvae.errors.ScratchVAEWarning")
@pytest.mark.parametrize("stage", [stage for stage in STAGES if not stage.free],
                         ids=[stage.file for stage in STAGES if not stage.free])
def test_a_lab_uses_the_operations_of_its_stage(stage, monkeypatch):
    called = called_in_training(labs.LABS[stage.lab], monkeypatch)
    assert called & set(stage.operations)
    if stage.file == "dense":           # the first goal: both passes of all layers, and the loss
        assert set(OPERATIONS[:FIRST_GOAL]) <= called


def called_in_training(lab, monkeypatch):
    """Return the names of the operations that a step of a small model of a lab calls."""
    called = set()
    for name, function in operations(REFERENCE).items():
        def noted(*arguments, name=name, function=function):
            called.add(name)
            return function(*arguments)
        monkeypatch.setattr(REFERENCE, name, noted)
        for file in COURSE:             # operations that call each other
            if vars(reference_module(file)).get(name) is function:
                monkeypatch.setattr(reference_module(file), name, noted)
    model = lab.make_small_model("reference")
    rng = np.random.default_rng(0)
    shape = (4, *model.input_shape)
    x = (rng.integers(1, 7, shape).astype(np.int32) if lab.kind == "text"
         else rng.uniform(0, 1, shape).astype(np.float32))
    model.fit(x, epochs=1, batch_size=4, validation_data=x, progress=False,
              optimizer=lab.make_optimizer(lab.settings))
    return called


@pytest.mark.parametrize("file", COURSE)
def test_a_template_has_the_signatures_of_the_reference(file):
    solutions = functions(inspect.getsource(reference_module(file)))
    for name, node in functions(template(file)).items():
        expected = solutions[name]
        assert not node.decorator_list
        assert ast.unparse(node.args) == ast.unparse(expected.args)
        if name in OPERATIONS:
            assert [ast.unparse(line) for line in body(node)] == ["raise NotImplementedError"]
        else:
            assert name in GIVEN
            assert ([ast.unparse(line) for line in body(node)]
                    == [ast.unparse(line) for line in body(expected)])


@pytest.mark.parametrize("file", COURSE)
def test_a_docstring_names_all_arrays_with_their_shapes(file):
    for name, node in functions(template(file)).items():
        if name not in OPERATIONS:
            continue
        text = ast.get_docstring(node)
        for array in getattr(REFERENCE, name).declaration.arrays.values():
            entry = re.search(rf"^{array.name} : (.+)$", text, re.MULTILINE)
            assert entry, f"{name}: {array.name}"
            if not array.any_shape:
                shape = array.describe_shape().replace("+", " + ")
                assert entry[1].startswith(shape), f"{name}: {array.name} : {shape}"
            assert ("None" in entry[1]) == array.optional
            assert ("int32" in entry[1]) == array.integer


@pytest.mark.parametrize("file", COURSE)
def test_outputs_are_named_as_outputs(file):
    for name, node in functions(template(file)).items():
        if name not in OPERATIONS:
            continue
        text = ast.get_docstring(node)
        inputs, _, outputs = re.split(r"\n(Outputs|Updated in place)", text, maxsplit=1)
        for array in getattr(REFERENCE, name).declaration.arrays.values():
            part = outputs if array.output else inputs
            assert re.search(rf"^{array.name} : ", part, re.MULTILINE), f"{name}: {array.name}"
            if array.updated:
                assert "Updated in place" in text or "added to with +=" in text


@pytest.mark.parametrize("file", COURSE)
def test_each_operation_has_two_hints(file):
    found = hints(file)
    (stage,) = [stage for stage in STAGES if stage.file == file]
    assert tuple(found) == stage.operations
    for name, pair in found.items():
        assert len(pair) == 2 and all(len(hint) > 20 for hint in pair), name


@pytest.mark.parametrize("file", COURSE)
def test_no_answer_is_in_sight(file):
    lines = telling_lines(file)
    assert lines
    shown = code(template(file))
    hinted = code((HINTS / f"{file}.md").read_text(encoding="utf-8"))
    assert not [line for line in lines if code(line) in shown]
    assert not [line for line in lines if code(line) in hinted]


def test_templates_are_a_backend_in_which_nothing_is_written(tmp_path):
    for file in COURSE:
        (tmp_path / f"{file}.py").write_text(template(file), encoding="utf-8")
    backend = kernels.load(str(tmp_path))
    assert backend.written == ()
    assert operations(backend) == operations(REFERENCE)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_course_can_be_done(learner, name):
    cases = [case for case in all_cases(REFERENCE) if case.declaration.name == name]
    assert cases
    for case in cases:
        expected = run(REFERENCE, case, "float64")
        got = run(learner, case, "float64")
        for array in expected:
            np.testing.assert_array_equal(got[array], expected[array], f"{case}: {array}")
    assert name in learner.written


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage.free],
                         ids=[stage.file for stage in STAGES if stage.free])
def test_the_programs_of_free_exercises_run(stage, capsys):
    program = stage.program.replace('"DIR"', '"reference"')
    program = re.sub(r"epochs=\d+", "epochs=1", program).replace("2000", "100")
    exec(compile(program, stage.file, "exec"), {})
    assert capsys.readouterr().out


def test_the_readme_and_the_notes_name_every_stage():
    readme = (FILES / "README.md").read_text(encoding="utf-8")
    notes = (FILES / "notes.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("## ").removesuffix(" (free)")
                for line in notes.splitlines() if line.startswith("## ")]
    assert headings == [stage.name for stage in STAGES]
    assert [name for name in re.findall(r"^\| (`.*?) \|", readme, re.MULTILINE)
            for name in re.findall(r"`(\w+)\.py`", name)] == COURSE
    assert all(f"`{stage.lab}`" in readme for stage in STAGES if stage.lab)


@pytest.mark.parametrize("path", sorted([*FILES.glob("*.md"), *HINTS.glob("*.md")]),
                         ids=lambda path: path.name)
def test_lines_of_text_fit_on_a_screen(path):
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 100
