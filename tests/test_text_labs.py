"""The labs about text: models, gradients, the files and texts of their runs, and errors."""

import json
from dataclasses import replace

import numba
import numpy as np
import pytest
from helpers import bits, write_play

from scratchvae import labs
from scratchvae.gradcheck.check import check_model
from scratchvae.models import Model
from scratchvae.runs import open_run
from scratchvae.training.history import History

SMALLER = {
    "shakespeare-onehot": ["intermediate_dim=8", "latent_dim=4"],
    "text-gru": ["units=4", "embedding_dim=4", "latent_dim=3", "steps=6"],
    "shakespeare-vae": ["units=6", "embedding_dim=4", "latent_dim=3", "min_count=1"],
}
LINES = ["text-gru", "shakespeare-vae"]  # labs whose examples are lines
FILES = {
    "config.json",
    "history.csv",
    "weights.npz",
    "checkpoint.npz",
    "vocabulary.json",
    "speeches.json",
    "figures",
    "report.html",
    "progress.json",
    ".lock",
}
WRITTEN = {"reconstructions.txt", "samples.txt", "variations.txt", "interpolation.txt"}
EVERY_TEXT_LAB = pytest.mark.parametrize("name", SMALLER)


@pytest.fixture
def train(run, tmp_path):
    """Train a small lab on a play: train(name, folder, ...) returns the folder and the output."""
    write_play(tmp_path / "data" / "tinyshakespeare.txt")

    def call(name, folder, *options, epochs=1):
        settings = [part for setting in SMALLER[name] for part in ("--set", setting)]
        text = [] if "--text" in options else ["--data-dir", "data"]
        code, output, errors = run(
            "train",
            name,
            "--out",
            folder,
            *text,
            "--epochs",
            epochs,
            "--batch-size",
            8,
            *settings,
            *options,
        )
        assert code == 0, errors
        return tmp_path / folder, output

    return call


def test_every_text_lab_is_tested():
    assert set(SMALLER) == {name for name, lab in labs.LABS.items() if lab.kind == "text"}


# The models, as printed.


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("text-gru", [640_000, 18_816, 7_872, 528, 544, 544, 528, 0, 3_264, 12_672, 650_000]),
        ("shakespeare-onehot", [14_067 * 64 + 64, 3_250, 3_250, 3_264, 14_067 * 64 + 14_067]),
    ],
)
def test_the_summary_is_the_sheet_s_table_row_by_row(name, parameters, run):
    code, output, _ = run("summary", name)
    assert code == 0
    assert [
        int(line.split()[-1].replace(",", "")) for line in output.splitlines() if "(None" in line
    ] == parameters
    assert f"Total: {sum(parameters):,} parameters" in output and labs.get(name).parameters == sum(
        parameters
    )


def test_the_parameters_of_the_lines_lab(run):
    assert (
        f"Total: {labs.get('shakespeare-vae').parameters:,} parameters"
        in run("summary", "shakespeare-vae")[1]
    )


@EVERY_TEXT_LAB
def test_gradients(name):
    report = check_model(labs.get(name).make_small_model("cpu"))
    assert report.passed and max(row.error for row in report.rows) <= 1e-6, report


# Runs from the command line.


@EVERY_TEXT_LAB
def test_a_run_has_all_that_its_sheet_asks_for(name, train, run):
    folder, output = train(name, "a")
    lines = name in LINES
    assert {path.name for path in folder.iterdir()} == FILES | (WRITTEN if lines else {"report.md"})
    assert {path.name for path in (folder / "figures").iterdir()} == {"loss_curves.png"} | (
        {"kl_by_dimension.png"} if lines else set()
    )
    words = json.loads((folder / "vocabulary.json").read_text())
    config = json.loads((folder / "config.json").read_text())
    assert (
        config["settings"]["vocabulary_size"] == len(words) == len(set(words)) and "loveth" in words
    )
    assert "stand-in" in config["data"] and config["complete"] is False

    code, output, errors = run("evaluate", folder)
    assert code == 0, errors
    measured = json.loads((folder / "evaluation.json").read_text())
    assert all(
        name in output and np.isfinite(m["value"]) and m["meaning"] for name, m in measured.items()
    )
    assert run("plot", folder)[0] == 0
    code, output, errors = run(
        "generate", folder, "--length", 20, "--seed-word", "thou", "--temperature", 1
    )
    assert code == 0 and ("thou" in output.split() or name == "text-gru") and "<" not in output, (
        errors
    )
    assert (
        run("generate", folder, "--length", 20, "--seed-word", "thou", "--temperature", 1)[1]
        == output
    )  # the same seed
    assert (
        run(
            "generate", folder, "--length", 20, "--seed-word", "thou", "--temperature", 1, "--slang"
        )[1]
        != output
    )


def test_a_dialogue_has_the_form_of_the_play(train, run):
    folder, _ = train("shakespeare-vae", "a")
    code, output, errors = run("generate", folder, "--length", 60)
    assert code == 0, errors
    speeches = output.strip().split("\n\n")
    assert len(speeches) > 1 and all(
        speech.split("\n")[0] in ("ANNA:", "BERT:", "First Clown:") for speech in speeches
    )
    assert all(len(speech.split("\n")) > 1 for speech in speeches)


@pytest.mark.parametrize("name", LINES)
def test_lines_come_back_vary_and_change_into_one_another(name, train, run):
    folder, _ = train(name, "a")
    for count, command in (
        (4, ("sample", folder, "--count", 4)),
        (6, ("reconstruct", folder, "--count", 3)),
    ):
        code, output, errors = run(*command)
        assert code == 0 and len(output.splitlines()) >= count, errors
    code, output, errors = run("reconstruct", folder, "--line", "thou knowest him.", "--count", 5)
    assert (
        code == 0
        and output.startswith("thou knowest him.\n-> ")
        and len(output.splitlines()) == 3 + 5
    ), errors
    code, output, errors = run(
        "interpolate", folder, "thou knowest him.", "I saw Rome!", "--steps", 4
    )
    assert code == 0 and len(output.splitlines()) == 4, errors


def test_variations_are_drawn_from_the_posterior_and_ways_are_straight(train, monkeypatch):
    run = open_run(train("shakespeare-vae", "a")[0])
    seen = []
    monkeypatch.setattr(run, "lines_of", lambda z: seen.append(z) or [])
    z_mean = np.array([[1.0, -2.0, 0.5]])
    z_log_var = np.array([[0.0, -4.0, 2.0]])
    monkeypatch.setattr(run.model, "encode", lambda x: (z_mean * x, z_log_var))
    run.variations(1.0, 20_000)
    np.testing.assert_allclose(seen[0].mean(axis=0), z_mean[0], atol=0.05)
    np.testing.assert_allclose(seen[0].std(axis=0), np.exp(z_log_var[0] / 2), rtol=0.03)
    run.interpolate(1.0, 3.0, steps=3)
    np.testing.assert_allclose(seen[1], [z_mean[0], 2 * z_mean[0], 3 * z_mean[0]])


def test_the_printed_one_hot_lab_learns_its_input_and_repeats_itself(train, run):
    folder, output = train(
        "shakespeare-onehot",
        "a",
        "--set",
        "intermediate_dim=32",
        "--set",
        "latent_dim=16",
        "--set",
        "learning_rate=0.01",
        "--set",
        "kl_weight=0",
        epochs=30,
    )
    assert "give back its input" in output
    words = run("generate", folder, "--seed-word", "thou", "--length", 30)[1].split()
    assert set(words) == {"thou"} and len(words) == 31
    report = (folder / "report.md").read_text()
    assert "target = the same word" in report and "| distinct-1, argmax | 0.01 |" in report


def test_the_mended_one_hot_lab_learns_the_next_word(train, run):
    folder, _ = train(
        "shakespeare-onehot",
        "a",
        "--set",
        "target=next",
        "--set",
        "intermediate_dim=32",
        "--set",
        "latent_dim=16",
        "--set",
        "learning_rate=0.01",
        epochs=30,
    )
    assert (
        len(
            set(
                run("generate", folder, "--seed-word", "thou", "--length", 30, "--temperature", 1)[
                    1
                ].split()
            )
        )
        > 5
    )
    assert "target = the next word" in (folder / "report.md").read_text()


def test_the_one_hot_lab_takes_the_words_in_the_order_of_the_text(train, monkeypatch):
    fits = []
    fit = Model.fit
    monkeypatch.setattr(
        Model,
        "fit",
        lambda self, x, **options: fits.append((x, options)) or fit(self, x, **options),
    )
    train("shakespeare-onehot", "same")
    train("shakespeare-onehot", "next", "--set", "target=next")
    (same, of_same), (x, of_next) = fits
    assert of_same["shuffle"] is of_next["shuffle"] is False and of_same["y"] is None
    assert (x == same[:-1]).all() and (of_next["y"] == same[1:]).all()


@EVERY_TEXT_LAB
def test_same_bits_whatever_the_threads(name, train, monkeypatch):
    monkeypatch.setitem(labs.LABS, name, replace(labs.LABS[name], figures=()))
    a, b = (
        train(name, f"threads-{n}", "--threads", n, epochs=2)[0]
        for n in (1, numba.config.NUMBA_NUM_THREADS)
    )
    assert bits(a) == bits(b)


@EVERY_TEXT_LAB
def test_a_resumed_run_comes_to_the_same_bits(name, train, run, monkeypatch):
    monkeypatch.setitem(labs.LABS, name, replace(labs.LABS[name], figures=()))
    whole, _ = train(name, "whole", epochs=3)
    part, _ = train(name, "part", epochs=1)
    code, _, errors = run("train", name, "--resume", part, "--epochs", 3)
    assert code == 0, errors
    assert bits(whole) == bits(part)


# Texts of one's own.


@EVERY_TEXT_LAB
def test_a_text_of_one_s_own(name, train, run, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("\ufeffThe cat sat.\r\nThe dog “ran”.\n\nA cat ran, and a dog sat.\n" * 4)
    folder, output = train(name, "a", "--text", own)
    words = json.loads((folder / "vocabulary.json").read_text())
    assert {"cat", "dog"} < set(words) and "thou" not in words and "own.txt" in output
    assert run("evaluate", folder)[0] == 0
    own.unlink()
    assert run("generate", folder, "--length", 5)[0] == 0
    for command in (["evaluate", folder], ["trace", folder], ["train", name, "--resume", folder]):
        code, _, errors = run(*command, "--data-dir", ".")
        assert code == 1 and "was trained on the file" in errors


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("count", [2, 5])
def test_a_text_of_few_lines(name, count, train, run, tmp_path):
    (tmp_path / "own.txt").write_text(
        "\n".join(f"The {word} sat." for word in ("cat", "dog", "cat", "dog", "king")[:count])
    )
    folder, _ = (
        train(name, "a", "--text", "own.txt", "--set", "min_count=1")
        if name == "shakespeare-vae"
        else train(name, "a", "--text", "own.txt")
    )
    assert WRITTEN <= {path.name for path in folder.iterdir()}
    assert run("evaluate", folder)[0] == 0 and run("plot", folder)[0] == 0


@EVERY_TEXT_LAB
def test_a_text_that_has_changed_is_refused(name, train, run, tmp_path):
    own = write_play(tmp_path / "own.txt")
    folder, _ = train(name, "a", "--text", own)
    own.write_text(own.read_text().replace("thou", "you", 1))
    for arguments in (
        ("evaluate", folder),
        ("plot", folder),
        ("train", name, "--resume", folder, "--epochs", 2),
    ):
        code, _, errors = run(*arguments)
        assert (
            code == 1 and "was trained on another text than" in errors and errors.count("\n") == 1
        )


def test_unknown_words_of_a_line_are_named(train, run):
    folder, _ = train("text-gru", "a")
    code, output, errors = run("reconstruct", folder, "--line", "thou seest Xyzzy", "--count", 1)
    assert code == 0 and "does not know 'seest', 'Xyzzy'" in errors


def test_two_one_hot_runs_side_by_side(train, run):
    train("shakespeare-onehot", "same")
    folder, _ = train("shakespeare-onehot", "next", "--set", "target=next")
    assert run("plot", folder, "--beside", "same")[0] == 0
    assert (
        "| measure | this run | same, target = same | real text |"
        in (folder / "report.md").read_text()
    )


def test_long_lines_are_cut_off_and_rare_words_are_unknown(train, run, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("\n".join(f"{'very ' * 40}long, word{i} said." for i in range(20)))
    folder, output = train("shakespeare-vae", "a", "--text", own, "--set", "min_count=2")
    assert json.loads((folder / "vocabulary.json").read_text()) == [
        "<pad>",
        "<unk>",
        "<end>",
        "very",
        ",",
        ".",
        "long",
        "said",
    ]
    assert "20 lines are longer than 21 steps and are cut off" in output
    limited, _ = train("text-gru", "b", "--text", own, "--set", "vocabulary_size=5")
    assert len(json.loads((limited / "vocabulary.json").read_text())) == 5


@EVERY_TEXT_LAB
@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "own.txt: is empty"),
        (b" \n\t\n", "own.txt: holds nothing but blanks"),
        (b"Thou \xff\xfe", "not a text in UTF-8: byte 0xff at offset 5"),
    ],
)
def test_what_is_no_text_gets_one_clear_line(name, content, message, run, tmp_path):
    (tmp_path / "own.txt").write_bytes(content)
    code, _, errors = run("train", name, "--text", "own.txt", "--out", "a")
    assert (
        code == 1
        and message in errors
        and errors.count("\n") == 1
        and not (tmp_path / "a").exists()
    )


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("shakespeare-onehot", "word", "the text must have at least 2 words, got 1"),
        ("text-gru", "word", "the text must have at least 2 lines with words, got 1"),
        (
            "shakespeare-vae",
            "Only one line.",
            "the text must have at least 2 lines with words, got 1",
        ),
        ("text-gru", "NAME:\n\nOTHER:\n", "the text must have at least 2 lines with words, got 0"),
    ],
)
def test_too_little_text_gets_one_clear_line(name, content, message, run, tmp_path):
    (tmp_path / "own.txt").write_text(content)
    code, _, errors = run("train", name, "--text", "own.txt", "--out", "a")
    assert code == 1 and message in errors and errors.count("\n") == 1


def test_wrong_commands_get_one_clear_line(train, run, small_data, tmp_path):
    onehot, _ = train("shakespeare-onehot", "onehot")
    lines, _ = train("text-gru", "gru")
    assert (
        run(
            "train",
            "mnist-dense",
            "--data-dir",
            small_data,
            "--epochs",
            1,
            "--out",
            "image",
            "--set",
            "intermediate_dim=4",
        )[0]
        == 0
    )
    for arguments, code, message in (
        (("generate", onehot, "--seed-word", "thow"), 1, "'thow' is not among the"),
        (("generate", "image"), 2, "learns from images; choose a run about text"),
        (("interpolate", "image", "a", "b"), 2, "learns from images"),
        (("reconstruct", "image", "--line", "a"), 2, "learns from images"),
        (("sample", onehot), 2, "whose examples are single words"),
        (("interpolate", onehot, "a", "b"), 2, "whose examples are single words"),
        (
            ("reconstruct", lines, "--line", "  "),
            1,
            "the model knows none of its words; write a line",
        ),
        (
            ("interpolate", lines, "thou", "Xyzzy plugh"),
            1,
            "'Xyzzy plugh': the model knows none of its words",
        ),
        (("generate", lines, "--seed-word", "thow"), 1, "'thow' is not among the"),
        (("generate", lines, "--seed-word", "<unk>"), 1, "<unk> is not a word of the text"),
        (
            ("train", "text-gru", "--text", "data/tinyshakespeare.txt", "--data-dir", "data"),
            2,
            "--text names the text itself",
        ),
        (
            ("train", "text-gru", "--set", "padding=middle"),
            2,
            "padding must be one of pre, post, got 'middle'",
        ),
        (
            ("train", "shakespeare-vae", "--set", "steps=1"),
            2,
            "steps must be an integer of at least 2, got 1",
        ),
        (
            ("train", "mnist-dense", "--text", tmp_path / "data" / "tinyshakespeare.txt"),
            2,
            "learns from images; allowed for: shakespeare-onehot",
        ),
        (
            ("train", "shakespeare-onehot", "--set", "target=last"),
            2,
            "target must be one of same, next, got 'last'",
        ),
    ):
        got, _, errors = run(*arguments)
        assert got == code and message in errors, (arguments, errors)
    for content, message in (
        ("[", "vocabulary.json: missing or damaged"),
        ('{"a": 1}', "missing or damaged"),
        ('["a"]', "vocabulary.json: damaged"),
        ("[1, 2]", "vocabulary.json: damaged"),
    ):
        (onehot / "vocabulary.json").write_text(content)
        code, _, errors = run("generate", onehot)
        assert code == 1 and message in errors and errors.count("\n") == 1


def test_validation_is_of_lines_held_out(train):
    rows = History.read_csv(train("text-gru", "a")[0] / "history.csv").rows
    assert rows[0]["val_loss"] is not None
    rows = History.read_csv(train("shakespeare-onehot", "b")[0] / "history.csv").rows
    assert rows[0]["val_loss"] is None  # the sheet holds nothing out


def test_measures_compare_what_the_model_was_shown(train, tmp_path):
    """Lines are cut off; a model that reproduces all that it saw has a BLEU of 1."""
    text = tmp_path / "long.txt"
    text.write_text("".join(f"{'very ' * i}long said the king of the north\n" for i in range(30)))
    folder, output = train("text-gru", "a", "--text", text)
    assert "words are lost; --set steps=... keeps them" in output
    run = open_run(folder)
    run.lab = replace(run.lab, lines_of=lambda run, z, *_: run.shown(run.x_test)[:len(z)])
    bleu = next(measure for measure in run.evaluate() if measure.name.startswith("BLEU"))
    assert bleu.value == pytest.approx(1)


def test_a_text_that_has_moved_is_named(train, run, tmp_path):
    text = tmp_path / "play.txt"
    write_play(text)
    folder, _ = train("text-gru", "a", "--text", text)
    moved = text.rename(tmp_path / "moved.txt")
    for command in ("evaluate", "plot", "reconstruct", "explore"):
        assert run(command, folder)[0] == 1
        code, _, errors = run(command, folder, "--text", moved)
        assert code == 0, errors
    code, _, errors = run("train", "text-gru", "--resume", folder, "--text", moved, "--epochs", 2)
    assert code == 0, errors


def test_texts_of_another_kind_are_explained(run, tmp_path):
    (tmp_path / "chinese.txt").write_text("我喜欢读书\n天气很好\n你好世界\n" * 9, encoding="utf-8")
    (tmp_path / "names.txt").write_text("One thing:\nAnother:\n" * 9)
    small = ("--epochs", 1, "--set", "units=4", "--set", "embedding_dim=4")
    code, output, errors = run("train", "text-gru", "--text", "chinese.txt", *small)
    assert code == 0, errors
    assert "lines are one word: words are what stands between blanks" in output
    code, _, errors = run("train", "text-gru", "--text", "names.txt", *small)
    assert code == 1 and "got 0 (a line that ends in a colon is taken for the name" in errors
    (tmp_path / "utf16.txt").write_text("Some words\n", encoding="utf-16")
    code, _, errors = run("train", "text-gru", "--text", "utf16.txt", *small)
    assert code == 1 and "iconv -f UTF-16 -t UTF-8" in errors and errors.count("\n") == 1
