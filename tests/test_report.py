"""The report of a run: what it says, that it grows while training goes on, and how it behaves in a browser."""
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
from conftest import bits, write_play
from scratchvae import labs
from scratchvae.analysis import report
from scratchvae.training.history import History
from scratchvae.analysis.report import curves, facts
from scratchvae.analysis.report.live import Live
from scratchvae.runs.run import Run
from scratchvae.training.fit import Training

SMALL = ["--batch-size", 10, "--seed", 3, "--set", "intermediate_dim=8"]
TINY_LINES = ["--batch-size", 8, "--set", "units=4", "--set", "embedding_dim=4", "--set", "latent_dim=3", "--set", "min_count=1"]
WICKED = "<script>alert(1)</script> & ![x](http://example.org/x.png)"


@pytest.fixture
def images(run, small_data, monkeypatch):
    """Train mnist-dense, reduced, with one figure: images(folder, *options) returns the folder."""
    lab = labs.LABS["mnist-dense"]
    monkeypatch.setitem(labs.LABS, "mnist-dense", replace(lab, draw=lambda run: [run.draw_samples(4)]))

    def train(folder, *options, code=0):
        resume = "--resume" in options
        chosen = [] if resume else ["--out", folder, "--data-dir", small_data, *SMALL]
        result = run("train", "mnist-dense", *chosen, *options)
        assert result[0] == code, result[2]
        return small_data.parent / folder
    return train


@pytest.fixture
def lines(run, tmp_path):
    """Train shakespeare-vae, reduced, on a small play with a wicked line: returns the folder."""
    play = write_play(tmp_path / "play.txt")
    play.write_text(f"{WICKED}\n{WICKED}\n" + play.read_text())
    code, _, errors = run("train", "shakespeare-vae", "--text", play, "--out", "lines", "--epochs", 2, *TINY_LINES)
    assert code == 0, errors
    return tmp_path / "lines"


def page(folder):
    """The page's source."""
    return (folder / "report.html").read_text(encoding="utf-8")


def text_of(folder):
    """What the page says, without its tags."""
    source = re.sub(r"<(style|script)>.*?</\1>", "", page(folder), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", source)).split())


# What it says.

def test_a_report_says_what_was_trained_on_what_and_how_it_came_out(images, run):
    folder = images("a", "--epochs", 2)
    text, last = text_of(folder), History.read_csv(folder / "history.csv").rows[-1]
    for said in ("Handwritten digits through a plane, with dense layers", "2 epochs in batches of 10, seed 3", "a subset of 60 images",
                 f"{last['loss']:#.5g}", f"{last['val_loss']:#.5g}", "dense (Dense) (None, 8) 6,280", "binary crossentropy, times 784",
                 "RMSprop: learning_rate 0.001", "intermediate_dim 8 256", "scratchvae 0.1.0, python 3.", "cpu backend: Numba"):
        assert said in text, said
    assert page(folder).count('src="data:image/png') == 1 + 5                   # the figure; originals, and two kinds for two epochs
    assert "Measures" not in text and "refresh" not in page(folder) and "<script>" not in page(folder)
    assert run("evaluate", folder)[0] == 0
    measured = json.loads((folder / "evaluation.json").read_text())
    assert f"loss {measured['loss']:#.5g} reconstruction + KL weight x KL" in re.sub(" +", " ", text_of(folder))
    assert f"last batch {measured['last_batch']['loss']:#.5g}" in text_of(folder)


@pytest.mark.parametrize("options", [["--epochs", 1, "--limit", 15], ["--epochs", 2, "--set", "kl_weight=0.5", "--backend", "reference"]])
def test_its_command_trains_the_same_again(options, images, run):
    folder = images("a", *options)
    command = facts.train_command(Run.open(folder))
    assert f'<pre class="command">{html.escape(command)}</pre>' in page(folder)
    code, _, errors = run(*shlex.split(command)[1:], "--out", "again")
    assert code == 0, errors
    assert bits(folder) == bits(folder.parent / "again")


def test_a_text_s_command_trains_the_same_again(lines, run):
    code, _, errors = run(*shlex.split(facts.train_command(Run.open(lines)))[1:], "--out", "again")
    assert code == 0, errors
    assert bits(lines) == bits(lines.parent / "again")


def test_a_report_of_text_shows_what_was_written_and_escapes_it(lines, run):
    assert run("evaluate", lines)[0] == 0
    text = text_of(lines)
    for name in ("samples", "reconstructions", "variations", "interpolation"):
        assert " ".join((lines / f"{name}.txt").read_text(encoding="utf-8").split()) in text
    for m in json.loads((lines / "evaluation.json").read_text()).values():
        assert f"{m['name']} {m['value']:.4g}" in text and m["meaning"] in text
    progress = json.loads((lines / "progress.json").read_text(encoding="utf-8"))
    assert [entry["epoch"] for entry in progress["epochs"]] == [1, 2] and "alert" in progress["originals"][0]
    for entry in progress["epochs"]:
        assert len(entry["samples"]) == len(entry["reconstructions"]) == 3
        assert all(" ".join(line.split()) in text for line in entry["samples"] + entry["reconstructions"])
    (lines / "samples.txt").write_text(WICKED, encoding="utf-8")
    (lines / "progress.json").write_text(json.dumps({"originals": [WICKED], "epochs": [{"epoch": 1, "reconstructions": [WICKED]}]}))
    report.write_report(Run.open(lines))
    assert text_of(lines).count(WICKED) == 3 and "<script>" not in page(lines)


def test_a_lab_s_own_report_is_shown_and_leads_nowhere(run, tmp_path):
    play = write_play(tmp_path / "play.txt")
    assert run("train", "shakespeare-onehot", "--text", play, "--out", "a", "--epochs", 1, "--set", "intermediate_dim=4")[0] == 0
    path = tmp_path / "a" / "report.md"
    path.write_text(path.read_text(encoding="utf-8") + f"\n{WICKED} [y](http://example.org) <http://example.org>\n", encoding="utf-8")
    report.write_report(Run.open(tmp_path / "a"))
    assert "<h2>The problem</h2>" in page(tmp_path / "a") and "<th>how to read it</th>" in page(tmp_path / "a")
    assert WICKED in text_of(tmp_path / "a")
    assert not re.search(r"<script|<a |<img (?!class=.pixels)", page(tmp_path / "a"))
    assert not re.search(r"(src|href)\s*=\s*.(?!data:)", page(tmp_path / "a"))


def test_references_stand_beside_only_what_can_be_compared(images):
    folder = images("a", "--epochs", 1, "--limit", 20)
    assert "Keras" not in text_of(folder)
    for reason in ("can't be compared with this run: intermediate_dim is 8 in place of 256", "batches of 10 in place of 100",
                   "only the first 20 examples", "not the whole published set"):
        assert reason in text_of(folder)
    run = Run.open(folder)
    run.config |= {"settings": run.lab.settings, "batch_size": 100, "limit": None, "complete": True}
    report.write_report(run)
    row = History.read_csv(folder / "history.csv").rows[0]
    assert f"1 Keras 3 (JAX), seed 0 190.3 {row['loss']:.5g} {row['loss'] / 190.3 - 1:+.1%} 172.2 {row['val_loss']:.5g}" in text_of(folder)
    assert "50 Keras 3 (JAX), seed 0 148.85 151.32" in text_of(folder) and "can't be compared" not in text_of(folder)
    assert page(folder).count('<path class="reference"') == 1                   # the later ones are not on the chart yet


def test_the_peculiarities_of_the_sheet_are_told(run, small_data, tmp_path):
    assert run("train", "mnist-batchnorm", "--out", "a", "--epochs", 1, "--data-dir", small_data)[0] == 0
    assert "The loss that the sheet compiles has no KL term" in text_of(tmp_path / "a")


# While training goes on.

@pytest.fixture
def pages(monkeypatch):
    """All pages that are written, with what is known of each."""
    written, write = [], report.write_text
    monkeypatch.setattr(report, "write_text", lambda path, text: (written.append(text), write(path, text)))
    return written


def test_the_page_grows_and_loads_itself_anew_until_training_ends(images, pages):
    folder = images("a", "--epochs", 4)
    assert len(pages) == 1 + 4 + 1                      # at the first step, after every epoch, and with the figures
    for epochs, source in enumerate(pages[:-1]):
        assert '<meta http-equiv="refresh" content="' in source and "his page renews itself" in source
        points = re.findall(r'<polyline class="training" points="([^"]*)"', source)
        assert [len(line.split()) for line in points] == [epochs] * (3 if epochs else 0)
    assert "0 of 4 epochs" in pages[0] and "2 of 4 epochs are done" in pages[2] and "figures are being drawn" in pages[4]
    assert [source.count('class="pixels"') for source in pages] == [0, 3, 5, 7, 7, 7]       # of epoch 4, no longer of 3
    assert "refresh" not in pages[-1] and pages[-1] == page(folder) and "<script>" not in pages[-1]
    assert [path.name for path in folder.iterdir() if "report" in path.name] == ["report.html"]


def test_training_with_a_page_gives_the_same_bits_as_without(images, monkeypatch):
    watched = images("watched", "--epochs", 2)
    for method in ("begin", "end_epoch"):
        monkeypatch.setattr(Live, method, lambda *arguments: None)
    assert bits(images("unwatched", "--epochs", 2)) == bits(watched)


def test_an_interrupted_run_says_so_and_how_to_go_on_to_the_same_bits(images, monkeypatch):
    whole, train_batch, steps = images("whole", "--epochs", 3), Training.train_batch, []

    def interrupted(self, indices):
        steps.append(indices)
        if len(steps) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        train_batch(self, indices)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "train_batch", interrupted)
        folder = images("a run", "--epochs", 3, code=130)
    text = text_of(folder)
    assert "Training stopped after 1 of 3 epochs. Nothing is lost; go on with scratchvae train mnist-dense --resume 'a run'" in text
    assert "refresh" not in page(folder) and "How it learnt" in text
    images("a run", "--resume", folder)
    assert bits(folder) == bits(whole) and "stopped" not in text_of(folder)
    assert [entry["epoch"] for entry in json.loads((folder / "progress.json").read_text())["epochs"]] == [1, 2, 3]


def test_going_on_forgets_measures_of_other_weights(images, run, pages):
    folder = images("a", "--epochs", 1)
    assert run("evaluate", folder)[0] == 0 and "Measures" in page(folder)
    images("a", "--resume", folder, "--epochs", 2)
    assert "refresh" in pages[-2] and not any("Measures" in source for source in pages[-3:])
    assert not (folder / "evaluation.json").exists()


def test_a_run_that_diverges_says_why(images):
    folder = images("a", "--epochs", 1, "--set", "learning_rate=1e30", code=1)
    assert "Training ended after 0 of 1 epochs: training diverged" in text_of(folder) and "refresh" not in page(folder)


def test_figures_that_fail_leave_no_page_waiting_for_them(images, monkeypatch):
    def fail(run):
        raise OSError("no space")
    monkeypatch.setitem(labs.LABS, "mnist-dense", replace(labs.LABS["mnist-dense"], draw=fail))
    assert "refresh" not in page(images("a", "--epochs", 1, code=1))


def test_damaged_files_are_named(images, run):
    folder = images("a", "--epochs", 1)
    for name in ("progress.json", "evaluation.json"):
        (folder / name).write_text("[")
        code, _, errors = run("plot", folder)
        assert code == 1 and name in errors and "damaged" in errors and errors.count("\n") == 1
        (folder / name).unlink()


@pytest.mark.parametrize("seconds, said", [(0.843, "0.84 s"), (1.0, "1 s"), (71.4, "71 s"), (150, "2.5 min"), (4290, "72 min"),
                                           (9000, "2.5 h"), (90_000, "25 h")])
def test_durations_are_short(seconds, said):
    assert report.duration(seconds) == said


# Curves.

def test_a_chart_places_values_where_its_ticks_say():
    svg = ElementTree.fromstring(curves.chart("L & <l>", "nats <i>", [("training", "t", [1, 2, 3], [30.0, 20.0, 10.0])], [(2, 20.0, "r")]))
    (x1, y1), (x2, y2), (x3, y3) = [tuple(map(float, point.split(","))) for point in svg.find("polyline").get("points").split()]
    ticks = {text.text: float(text.get("y")) - 4 for text in svg.findall("text") if text.get("text-anchor") == "end"}
    assert x2 - x1 == pytest.approx(x3 - x2) and y1 < y2 < y3 and (y1, y2, y3) == pytest.approx((ticks["30"], ticks["20"], ticks["10"]))
    assert svg.find("path").get("d").startswith(f"M{x2 - 5:.1f} {y2:.1f}")
    assert svg.get("aria-label") == "L & <l> by epoch" and "nats <i>" in [text.text for text in svg.findall("text")]


@pytest.mark.parametrize("low, high, log, ticks", [
    (151.3, 172.2, False, [150, 155, 160, 165, 170, 175]), (0.1840, 0.1970, False, [0.18, 0.185, 0.19, 0.195, 0.2]),
    (26.2, 181.0, True, [20, 50, 100, 200]), (0.3, 0.3, False, None), (5.0, 5.0, True, None), (-0.01, 0.02, False, None)])
def test_ticks_are_round_and_enclose_the_values(low, high, log, ticks):
    place, found = curves.axis(low, high, 100, 0, log=log)
    assert (ticks is None or found == pytest.approx(ticks)) and found[0] <= low and high <= found[-1] and 2 <= len(found) <= 8
    assert place(found[0]) == pytest.approx(100) and place(found[-1]) == pytest.approx(0)


@pytest.mark.parametrize("count, ticks", [(1, [1, 2]), (3, [1, 2, 3]), (15, [5, 10, 15]), (50, [10, 20, 30, 40, 50])])
def test_epochs_are_whole(count, ticks):
    assert curves.axis(1, max(count, 2), 0, 1, whole=True)[1] == ticks


def test_a_chart_leaves_out_what_has_no_place():
    svg = ElementTree.fromstring(curves.chart("l", "", [("a", "", [1, 2, 3], [1.0, float("nan"), 2.0]), ("b", "", [1, 2, 3], [None] * 3)]))
    assert [len(line.get("points").split()) for line in svg.findall("polyline")] == [2, 0]
    assert curves.chart("l", "", [("a", "", [1], [None])]) == ""


# TensorBoard.

def events(folder):
    """(step, tag, value) of all that its event files hold, in the order of the files: a float, "image" or a text."""
    from tensorboardX.proto.event_pb2 import Event
    found = []
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        while content:                                  # a record: its length in 8 bytes, a checksum in 4, the event, a checksum
            size = int.from_bytes(content[:8], "little")
            event, content = Event.FromString(content[12:12 + size]), content[16 + size:]
            found += [(event.step, value.tag, value.simple_value if value.HasField("simple_value") else value.image.height or
                       value.tensor.string_val[0].decode()) for value in event.summary.value]
    return found


def test_tensorboard_gets_losses_and_images_also_after_a_resume(images, monkeypatch):
    pytest.importorskip("tensorboardX", reason="needs tensorboardX: pip install 'scratchvae[tensorboard]'")
    monkeypatch.setattr("tensorboardX.event_file_writer.time", SimpleNamespace(time=lambda: 1e9))     # all within one second
    folder = images("a", "--epochs", 1, "--tensorboard")
    images("a", "--resume", folder, "--epochs", 2, "--tensorboard")
    assert bits(folder) == bits(images("without", "--epochs", 2)) and not (folder.parent / "without" / "tensorboard").exists()
    found = events(folder / "tensorboard")
    for row in History.read_csv(folder / "history.csv").rows:
        for name in ("loss", "reconstruction", "kl", "val_loss", "val_reconstruction", "val_kl"):
            assert [value for step, tag, value in found if (step, tag) == (row["epoch"], name)] == [pytest.approx(row[name], rel=1e-6)]
    assert {(step, tag) for step, tag, value in found if value == 28} == {(step, kind) for step in (1, 2)
                                                                          for kind in ("samples", "reconstructions")}


def test_tensorboard_gets_lines(run, tmp_path):
    pytest.importorskip("tensorboardX", reason="needs tensorboardX: pip install 'scratchvae[tensorboard]'")
    play = write_play(tmp_path / "play.txt")
    assert run("train", "text-gru", "--text", play, "--out", "a", "--epochs", 1, "--set", "units=4", "--tensorboard")[0] == 0
    samples = json.loads((tmp_path / "a" / "progress.json").read_text(encoding="utf-8"))["epochs"][0]["samples"]
    assert "\n\n".join(samples) in [value for step, tag, value in events(tmp_path / "a" / "tensorboard") if "samples" in tag]


def test_without_the_extra_one_line_says_what_to_install(run, small_data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    code, _, errors = run("train", "mnist-dense", "--out", "a", "--data-dir", small_data, *SMALL, "--tensorboard")
    assert code == 1 and errors.count("\n") == 1 and "pip install 'scratchvae[tensorboard]'" in errors and not (tmp_path / "a").exists()


# In a browser.

def test_in_a_browser_nothing_fails_nothing_is_fetched_and_nothing_sticks_out(images, lines, browser):
    folder = images("a", "--epochs", 2)
    for path in (folder / "report.html", lines / "report.html"):
        open_page(browser, path)
        assert requests_of(browser) == [path.as_uri()] and browser.get_log("browser") == []
        browser.execute_script("document.querySelectorAll('details').forEach(details => details.open = true)")
        assert browser.execute_script("return [...document.images].every(image => image.complete && image.naturalWidth)")
        for width in (320, 360, 1280):
            for scheme in ("light", "dark"):
                emulate(browser, width, 740, width < 600, scheme)
                assert browser.execute_script("return document.documentElement.scrollWidth") <= width
                text, background = brightness(browser, "color"), brightness(browser, "backgroundColor")
                assert text + 150 < background if scheme == "light" else background + 150 < text


def test_in_a_browser_an_unfinished_page_renews_itself_and_stays_in_its_place(images, pages, browser, tmp_path):
    images("a", "--epochs", 3)
    path = tmp_path / "live.html"
    path.write_text(pages[1], encoding="utf-8")
    emulate(browser)
    open_page(browser, path)
    browser.execute_script("scrollTo(0, 400); window.old = true")
    path.write_text(pages[2], encoding="utf-8")
    deadline = time.monotonic() + 20
    while browser.execute_script("return window.old || document.readyState != 'complete'") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "2 of 3 epochs are done" in browser.page_source and browser.execute_script("return scrollY") == 400
    assert browser.execute_script("return document.getElementById('silent').hidden") and browser.get_log("browser") == []
    path.write_text(re.sub(r"watch\(\d+", "watch(1000", pages[2]), encoding="utf-8")
    browser.get(path.as_uri())                          # written long ago: training must have been killed
    assert "go on with\nscratchvae train mnist-dense --resume a" in browser.find_element("id", "silent").text
