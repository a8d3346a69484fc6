"""The report of a run: its content, its updates during training, and its behaviour in a browser."""
import html
import json
import os
import re
import shlex
import signal
import sys
import time
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from browser import brightness, emulate, open_page, requests_of
from helpers import bits, write_play

from scratchvae import charts, labs
from scratchvae.analysis import report
from scratchvae.analysis.report import facts
from scratchvae.analysis.report.live import Live
from scratchvae.runs import open_run
from scratchvae.training.history import History
from scratchvae.training.loop import Training

SMALL = ["--batch-size", 10, "--seed", 3, "--set", "intermediate_dim=8"]
TINY_LINES = ["--batch-size", 8, "--set", "units=4", "--set", "embedding_dim=4",
              "--set", "latent_dim=3", "--set", "min_count=1"]
WICKED = "<script>alert(1)</script> & ![x](http://example.org/x.png)"
NO_TENSORBOARD = "needs tensorboardX: pip install 'scratchvae[tensorboard]'"


@pytest.fixture
def images(run, small_data, monkeypatch):
    """Train a small mnist-dense with one figure: images(folder, *options) returns the folder."""
    lab = labs.LABS["mnist-dense"]
    reduced = replace(lab, figures=(lambda run: [run.draw_samples(4)],))
    monkeypatch.setitem(labs.LABS, "mnist-dense", reduced)

    def train(folder, *options, code=0):
        resume = "--resume" in options
        chosen = [] if resume else ["--out", folder, "--data-dir", small_data, *SMALL]
        result = run("train", "mnist-dense", *chosen, *options)
        assert result[0] == code, result[2]
        return small_data.parent / folder
    return train


@pytest.fixture
def lines(run, tmp_path):
    """Train a small shakespeare-vae on a play with HTML in a line; returns the folder."""
    play = write_play(tmp_path / "play.txt")
    play.write_text(f"{WICKED}\n{WICKED}\n" + play.read_text())
    code, _, errors = run("train", "shakespeare-vae", "--text", play, "--out", "lines",
                          "--epochs", 2, *TINY_LINES)
    assert code == 0, errors
    return tmp_path / "lines"


def page(folder):
    """Return the source of the page."""
    return (folder / "report.html").read_text(encoding="utf-8")


def text_of(folder):
    """Return the text of the page, without its tags and with single spaces."""
    source = re.sub(r"<(style|script)>.*?</\1>", "", page(folder), flags=re.S)
    return single_spaced(html.unescape(re.sub(r"<[^>]*>", " ", source)))


def single_spaced(text):
    """Return a text with every run of white space replaced by one space."""
    return " ".join(text.split())


def read_json(path):
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


# The content of the page.

def test_a_report_describes_the_run_and_its_results(images, run):
    folder = images("a", "--epochs", 2)
    text = text_of(folder)
    last = History.read_csv(folder / "history.csv").rows[-1]
    for expected in (
            "Handwritten digits through a plane, with dense layers",
            "2 epochs in batches of 10, seed 3",
            "other images than the published MNIST",
            f"{last['loss']:#.5g}",
            f"{last['val_loss']:#.5g}",
            "dense (Dense) (None, 8) 6,280",
            "binary crossentropy, times 784",
            "RMSprop: learning_rate 0.001",
            "intermediate_dim 8 256",
            "scratchvae 0.1.0, python 3.",
            "cpu backend: Numba",
    ):
        assert expected in text, expected
    # The figure; the originals; and reconstructions and samples of two epochs.
    assert page(folder).count('src="data:image/png') == 1 + 1 + 2 * 2
    assert "Measures" not in text
    assert "refresh" not in page(folder)
    assert "<script>" not in page(folder)

    assert run("evaluate", folder)[0] == 0
    measured = read_json(folder / "evaluation.json")
    assert f"loss {measured['loss']:#.5g} reconstruction + KL weight x KL" in text_of(folder)
    assert f"last batch {measured['last_batch']['loss']:#.5g}" in text_of(folder)


@pytest.mark.parametrize("options", [
    ["--epochs", 1, "--limit", 15],
    ["--epochs", 2, "--set", "kl_weight=0.5", "--backend", "reference"],
])
def test_its_command_trains_the_same_again(options, images, run):
    folder = images("a", *options)
    command = facts.train_command(open_run(folder))
    assert f'<pre class="command">{html.escape(command)}</pre>' in page(folder)
    code, _, errors = run(*shlex.split(command)[1:], "--out", "again")
    assert code == 0, errors
    assert bits(folder) == bits(folder.parent / "again")


def test_the_command_of_a_text_run_trains_the_same_again(lines, run):
    command = facts.train_command(open_run(lines))
    code, _, errors = run(*shlex.split(command)[1:], "--out", "again")
    assert code == 0, errors
    assert bits(lines) == bits(lines.parent / "again")


def test_a_report_of_a_text_run_shows_its_texts_and_escapes_them(lines, run):
    assert run("evaluate", lines)[0] == 0
    text = text_of(lines)
    for name in ("samples", "reconstructions", "variations", "interpolation"):
        assert single_spaced((lines / f"{name}.txt").read_text(encoding="utf-8")) in text
    for measure in read_json(lines / "evaluation.json").values():
        assert f"{measure['name']} {measure['value']:.4g}" in text
        assert measure["meaning"] in text

    progress = read_json(lines / "progress.json")
    assert [entry["epoch"] for entry in progress["epochs"]] == [1, 2]
    assert "alert" in progress["originals"][0]
    for entry in progress["epochs"]:
        assert len(entry["samples"]) == len(entry["reconstructions"]) == 3
        for line in entry["samples"] + entry["reconstructions"]:
            assert single_spaced(line) in text

    (lines / "samples.txt").write_text(WICKED, encoding="utf-8")
    progress = {"originals": [WICKED], "epochs": [{"epoch": 1, "reconstructions": [WICKED]}]}
    (lines / "progress.json").write_text(json.dumps(progress))
    report.write_report(open_run(lines))
    assert text_of(lines).count(WICKED) == 3
    assert "<script>" not in page(lines)


def test_the_own_report_of_a_lab_is_shown_without_links(run, tmp_path):
    play = write_play(tmp_path / "play.txt")
    folder = tmp_path / "a"
    assert run("train", "shakespeare-onehot", "--text", play, "--out", "a", "--epochs", 1,
               "--set", "intermediate_dim=4")[0] == 0
    path = folder / "report.md"
    added = f"\n{WICKED} [y](http://example.org) <http://example.org>\n"
    path.write_text(path.read_text(encoding="utf-8") + added, encoding="utf-8")
    report.write_report(open_run(folder))
    assert "<h2>The problem</h2>" in page(folder)
    assert "<th>how to read it</th>" in page(folder)
    assert WICKED in text_of(folder)
    assert not re.search(r"<script|<a |<img (?!class=.pixels)", page(folder))
    assert not re.search(r"(src|href)\s*=\s*.(?!data:)", page(folder))


def test_references_are_shown_only_beside_comparable_runs(images):
    folder = images("a", "--epochs", 1, "--limit", 20)
    text = text_of(folder)
    assert "Keras" not in text
    for reason in (
            "can't be compared with this run: intermediate_dim is 8 instead of 256",
            "batches of 10 instead of 100",
            "only the first 20 examples",
            "not the whole published set",
    ):
        assert reason in text

    run = open_run(folder)
    run.config |= {"settings": run.lab.settings, "batch_size": 100, "limit": None, "complete": True}
    report.write_report(run)
    text = text_of(folder)
    row = History.read_csv(folder / "history.csv").rows[0]
    difference = row["loss"] / 190.3 - 1
    assert (f"1 Keras 3 (JAX), seed 0 190.3 {row['loss']:.5g} {difference:+.1%} "
            f"172.2 {row['val_loss']:.5g}") in text
    assert "50 Keras 3 (JAX), seed 0 148.85 151.32" in text
    assert "can't be compared" not in text
    # The chart does not have the reference figures of later epochs.
    assert page(folder).count('<path class="reference"') == 1


def test_the_peculiarities_of_the_lab_sheet_are_shown(run, small_data, tmp_path):
    assert run("train", "mnist-batchnorm", "--out", "a", "--epochs", 1,
               "--data-dir", small_data)[0] == 0
    assert "The loss that the sheet compiles has no KL term" in text_of(tmp_path / "a")


# The page during training.

@pytest.fixture
def pages(monkeypatch):
    """Return a list that receives every page that is written."""
    written = []
    write = report.write_text

    def write_and_keep(path, text):
        written.append(text)
        write(path, text)

    monkeypatch.setattr(report, "write_text", write_and_keep)
    return written


def test_the_page_grows_and_reloads_itself_until_training_ends(images, pages):
    folder = images("a", "--epochs", 4)
    assert len(pages) == 1 + 4 + 1          # at the start, after every epoch, and with the figures
    for epochs, source in enumerate(pages[:-1]):
        assert '<meta http-equiv="refresh" content="' in source
        assert "his page reloads itself" in single_spaced(source)
        points = re.findall(r'<polyline class="training" points="([^"]*)"', source)
        assert [len(line.split()) for line in points] == [epochs] * (3 if epochs else 0)
    assert "0 of 4 epochs" in pages[0]
    assert "2 of 4 epochs are done" in pages[2]
    assert "figures are being drawn" in pages[4]
    # The originals, and reconstructions and samples of epochs 1, 2 and 4: epoch 3 is not kept.
    assert [source.count('class="pixels"') for source in pages] == [0, 3, 5, 7, 7, 7]
    assert "refresh" not in pages[-1]
    assert "<script>" not in pages[-1]
    assert pages[-1] == page(folder)
    assert [path.name for path in folder.iterdir() if "report" in path.name] == ["report.html"]


def test_training_with_a_page_gives_the_same_bits_as_without(images, monkeypatch):
    watched = images("watched", "--epochs", 2)
    for method in ("on_train_begin", "on_epoch_end"):
        monkeypatch.setattr(Live, method, lambda *arguments: None)
    assert bits(images("unwatched", "--epochs", 2)) == bits(watched)


def test_an_interrupted_run_says_how_to_resume_and_resumes_to_the_same_bits(images, monkeypatch):
    whole = images("whole", "--epochs", 3)
    train_batch = Training.train_batch
    steps = []

    def interrupted(self, indices):
        steps.append(indices)
        if len(steps) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        train_batch(self, indices)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "train_batch", interrupted)
        folder = images("a run", "--epochs", 3, code=130)
    text = text_of(folder)
    assert ("Training stopped after 1 of 3 epochs. Nothing is lost. To resume training, run "
            "scratchvae train mnist-dense --resume 'a run'") in text
    assert "Reconstructions" in text
    assert "refresh" not in page(folder)

    images("a run", "--resume", folder)
    assert bits(folder) == bits(whole)
    assert "stopped" not in text_of(folder)
    progress = read_json(folder / "progress.json")
    assert [entry["epoch"] for entry in progress["epochs"]] == [1, 2, 3]


def test_resuming_removes_the_measures_of_earlier_weights(images, run, pages):
    folder = images("a", "--epochs", 1)
    assert run("evaluate", folder)[0] == 0
    assert "Measures" in page(folder)
    images("a", "--resume", folder, "--epochs", 2)
    assert "refresh" in pages[-2]
    assert not any("Measures" in source for source in pages[-3:])
    assert not (folder / "evaluation.json").exists()


def test_a_run_that_diverges_says_why(images):
    folder = images("a", "--epochs", 1, "--set", "learning_rate=1e30", code=1)
    assert "Training failed after 0 of 1 epochs: training diverged" in text_of(folder)
    assert "refresh" not in page(folder)


def test_a_page_does_not_wait_for_figures_that_failed(images, monkeypatch):
    def fail(run):
        raise OSError("no space")
    lab = labs.LABS["mnist-dense"]
    monkeypatch.setitem(labs.LABS, "mnist-dense", replace(lab, figures=(fail,)))
    assert "refresh" not in page(images("a", "--epochs", 1, code=1))


def test_damaged_files_are_named(images, run):
    folder = images("a", "--epochs", 1)
    (folder / "evaluation.json").write_text("[")
    code, _, errors = run("plot", folder)
    assert code == 1
    assert "evaluation.json" in errors and "damaged" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("content", [
    "[", "{}", '{"originals": 3, "epochs": []}', '{"originals": [], "epochs": [7]}',
    '{"originals": [], "epochs": [{"epoch": null}]}',
    '{"originals": [], "epochs": [{"epoch": 1, "samples": 2}]}'])
def test_damaged_examples_are_noted_and_begin_anew(images, run, content):
    folder = images("a", "--epochs", 1)
    (folder / "progress.json").write_text(content)
    code, output, errors = run("plot", folder)
    assert code == 0, errors
    assert "progress.json: damaged; it begins anew" in output


@pytest.mark.parametrize("seconds, text", [
    (0.843, "0.84 s"),
    (1.0, "1 s"),
    (71.4, "71 s"),
    (150, "2.5 min"),
    (4290, "72 min"),
    (9000, "2.5 h"),
    (90_000, "25 h"),
])
def test_durations_are_short(seconds, text):
    assert report.duration(seconds) == text


# Curves.

def test_a_chart_places_values_where_its_ticks_say():
    lines = [("training", "t", [1, 2, 3], [30.0, 20.0, 10.0])]
    points = [(2, 20.0, "r")]
    svg = ElementTree.fromstring(charts.chart("L & <l>", "nats <i>", lines, points))
    places = [tuple(map(float, point.split(",")))
              for point in svg.find("polyline").get("points").split()]
    (x1, y1), (x2, y2), (x3, y3) = places
    ticks = {text.text: float(text.get("y")) - 4
             for text in svg.findall("text") if text.get("text-anchor") == "end"}
    assert x2 - x1 == pytest.approx(x3 - x2)
    assert y1 < y2 < y3
    assert (y1, y2, y3) == pytest.approx((ticks["30"], ticks["20"], ticks["10"]))
    assert svg.find("path").get("d").startswith(f"M{x2 - 5:.1f} {y2:.1f}")
    assert svg.get("aria-label") == "L & <l> by epoch"
    assert "nats <i>" in [text.text for text in svg.findall("text")]


@pytest.mark.parametrize("low, high, log, ticks", [
    (151.3, 172.2, False, [150, 155, 160, 165, 170, 175]),
    (0.1840, 0.1970, False, [0.18, 0.185, 0.19, 0.195, 0.2]),
    (26.2, 181.0, True, [20, 50, 100, 200]),
    (0.3, 0.3, False, None),
    (5.0, 5.0, True, None),
    (-0.01, 0.02, False, None),
])
def test_ticks_are_round_and_enclose_the_values(low, high, log, ticks):
    place, found = charts.axis(low, high, 100, 0, log=log)
    if ticks is not None:
        assert found == pytest.approx(ticks)
    assert found[0] <= low
    assert high <= found[-1]
    assert 2 <= len(found) <= 8
    assert place(found[0]) == pytest.approx(100)
    assert place(found[-1]) == pytest.approx(0)


@pytest.mark.parametrize("count, ticks", [
    (1, [1, 2]),
    (3, [1, 2, 3]),
    (15, [5, 10, 15]),
    (50, [10, 20, 30, 40, 50]),
])
def test_epochs_are_whole(count, ticks):
    assert charts.axis(1, max(count, 2), 0, 1, whole=True)[1] == ticks


def test_a_chart_leaves_out_values_that_have_no_place():
    lines = [("a", "", [1, 2, 3], [1.0, float("nan"), 2.0]), ("b", "", [1, 2, 3], [None] * 3)]
    svg = ElementTree.fromstring(charts.chart("l", "", lines))
    assert [len(line.get("points").split()) for line in svg.findall("polyline")] == [2, 0]
    assert charts.chart("l", "", [("a", "", [1], [None])]) == ""


# TensorBoard.

def events(folder):
    """Return (step, tag, value) of all entries of the event files, in the order of the files.

    A value is a float, the height of an image, or a text.
    """
    found = []
    for path in sorted(folder.iterdir()):
        for event in events_of(path):
            found += [(event.step, value.tag, content_of(value)) for value in event.summary.value]
    return found


def events_of(path):
    """Yield the events of a file.

    Each is a record: its length in 8 bytes, a checksum in 4, the event, and a checksum in 4.
    """
    from tensorboardX.proto.event_pb2 import Event
    content = path.read_bytes()
    while content:
        size = int.from_bytes(content[:8], "little")
        yield Event.FromString(content[12:12 + size])
        content = content[16 + size:]


def content_of(value):
    """Return the content of an entry."""
    if value.HasField("simple_value"):
        return value.simple_value
    return value.image.height or value.tensor.string_val[0].decode()


def test_tensorboard_gets_losses_and_images_also_after_a_resume(images, monkeypatch):
    pytest.importorskip("tensorboardX", reason=NO_TENSORBOARD)
    one_second = SimpleNamespace(time=lambda: 1e9)                  # all within one second
    monkeypatch.setattr("tensorboardX.event_file_writer.time", one_second)
    folder = images("a", "--epochs", 1, "--tensorboard")
    images("a", "--resume", folder, "--epochs", 2, "--tensorboard")
    without = images("without", "--epochs", 2)
    assert bits(folder) == bits(without)
    assert not (without / "tensorboard").exists()

    found = events(folder / "tensorboard")
    for row in History.read_csv(folder / "history.csv").rows:
        for name in ("loss", "reconstruction", "kl", "val_loss", "val_reconstruction", "val_kl"):
            values = [value for step, tag, value in found if (step, tag) == (row["epoch"], name)]
            assert values == [pytest.approx(row[name], rel=1e-6)]
    heights = {(step, tag) for step, tag, value in found if value == 28}
    kinds = ("samples", "reconstructions")
    assert heights == {(step, kind) for step in (1, 2) for kind in kinds}


def test_tensorboard_gets_lines(run, tmp_path):
    pytest.importorskip("tensorboardX", reason=NO_TENSORBOARD)
    play = write_play(tmp_path / "play.txt")
    folder = tmp_path / "a"
    assert run("train", "text-gru", "--text", play, "--out", "a", "--epochs", 1,
               "--set", "units=4", "--tensorboard")[0] == 0
    samples = read_json(folder / "progress.json")["epochs"][0]["samples"]
    texts = [value for step, tag, value in events(folder / "tensorboard") if "samples" in tag]
    assert "\n\n".join(samples) in texts


def test_without_tensorboardx_one_line_says_how_to_install_it(
        run, small_data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    code, _, errors = run("train", "mnist-dense", "--out", "a", "--data-dir", small_data, *SMALL,
                          "--tensorboard")
    assert code == 1
    assert errors.count("\n") == 1
    assert "pip install 'scratchvae[tensorboard]'" in errors
    assert not (tmp_path / "a").exists()


# The page in a browser.

@pytest.mark.slow
def test_in_a_browser_nothing_fails_is_fetched_or_sticks_out(images, lines, browser):
    folder = images("a", "--epochs", 2)
    for path in (folder / "report.html", lines / "report.html"):
        open_page(browser, path)
        assert requests_of(browser) == [path.as_uri()]
        assert browser.get_log("browser") == []
        browser.execute_script(
            "document.querySelectorAll('details').forEach(details => details.open = true)")
        assert browser.execute_script(
            "return [...document.images].every(image => image.complete && image.naturalWidth)")
        for width in (320, 360, 1280):
            for scheme in ("light", "dark"):
                emulate(browser, width, 740, width < 600, scheme)
                content = browser.execute_script("return document.documentElement.scrollWidth")
                assert content <= width
                text = brightness(browser, "color")
                background = brightness(browser, "backgroundColor")
                if scheme == "light":
                    assert text + 150 < background
                else:
                    assert background + 150 < text


@pytest.mark.slow
def test_in_a_browser_an_unfinished_page_reloads_itself_and_keeps_its_scroll_position(
        images, pages, browser, tmp_path):
    images("a", "--epochs", 3)
    path = tmp_path / "live.html"
    path.write_text(pages[1], encoding="utf-8")
    emulate(browser)
    open_page(browser, path)
    browser.execute_script("scrollTo(0, 400); window.old = true")

    path.write_text(pages[2], encoding="utf-8")
    loading = "return window.old || document.readyState != 'complete'"
    deadline = time.monotonic() + 20
    while browser.execute_script(loading) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "2 of 3 epochs are done" in browser.page_source
    assert browser.execute_script("return scrollY") == 400
    assert browser.execute_script("return document.getElementById('silent').hidden")
    assert browser.get_log("browser") == []

    # A page that was written long ago: training must have been killed.
    path.write_text(re.sub(r"watch\(\d+", "watch(1000", pages[2]), encoding="utf-8")
    browser.get(path.as_uri())
    warning = browser.find_element("id", "silent").text
    assert "resume it with\nscratchvae train mnist-dense --resume a" in warning
