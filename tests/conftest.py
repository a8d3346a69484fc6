import copy
import gc
import os
import sys

import matplotlib.axis
import matplotlib.figure
import numba
import numpy as np
import pytest
import threadpoolctl
from browser import browser  # noqa: F401 (a fixture)
from helpers import GOLDEN, HOSTS, write_idx_files
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from scratchvae.kernels.backend import operations
from scratchvae.kernels.cases import make_case
from scratchvae.kernels.cases import run as run_case

from scratchvae import cli, kernels
from scratchvae.analysis import bench, image_classifier, image_measures
from scratchvae.data import sources
from scratchvae.teaching.judge.operations import judge
from scratchvae.teaching.trace import operations as trace_operations


@pytest.fixture(params=HOSTS)
def backend(request):
    """Each backend, as a module."""
    return kernels.load(request.param)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels(request):
    """Two processes compile the kernels from both ends of the list; each loads what the other did.

    Otherwise both would compile what they need at the same time. A process alone compiles only
    that.
    """
    worker = getattr(request.config, "workerinput", None)
    if worker is None:
        return
    cpu = kernels.load("cpu")
    cases = [make_case(operation) for operation in operations(cpu).values()]
    for case in cases if worker["workerid"] == "gw0" else reversed(cases):
        run_case(cpu, case, "float32")
        run_case(cpu, case, "float64")
    gc.freeze()                 # or the collector looks through the kernels and all tests 30 times


@pytest.fixture(scope="session")
def golden():
    """group -> {name: array} of what Keras computed (golden/make_golden.py)."""
    groups = {}
    with np.load(GOLDEN) as file:
        for path in file.files:
            group, _, name = path.rpartition("/")
            groups.setdefault(group, {})[name] = file[path]
    return groups


@pytest.fixture
def cache_of_the_test(request):
    """Return a function that returns a cache folder of the test's own.

    Most tests never call it, and need no folder.
    """
    return lambda: request.getfixturevalue("tmp_path") / "cache"


@pytest.fixture(autouse=True)
def no_data_of_the_machine(request, monkeypatch, cache_of_the_test):
    """Tests see no data set and no cache but their own, unless they ask for the real ones."""
    if not {"real_mnist", "real_shakespeare"} & set(request.fixturenames):
        monkeypatch.delenv("SCRATCHVAE_DATA", raising=False)
        monkeypatch.setattr(sources, "cache_folder",
                            lambda name: cache_of_the_test() / "data" / name)


@pytest.fixture(autouse=True)
def quick_measures(monkeypatch, cache_of_the_test):
    """No classifier is trained on a whole data set, likelihoods take few samples, and the peak
    rate of the machine is that of a small product."""
    monkeypatch.setattr(image_classifier, "LEAST", 10 ** 9)     # tests of classifiers lower it
    monkeypatch.setattr(kernels.folders, "classifiers_home",
                        lambda: cache_of_the_test() / "classifiers")
    monkeypatch.setattr(kernels.folders, "tokens_home", lambda: cache_of_the_test() / "tokens")
    monkeypatch.setattr(image_measures, "LIKELIHOOD_SAMPLES", 10)
    monkeypatch.setattr(bench, "MATRIX", 256)


JUDGEMENTS = {}


def judge_once(backend, trusted, name, **options):
    """Return the Judgement of an operation; of the same operations in both backends the same."""
    functions = [*operations(backend).values(), *operations(trusted).values()]
    key = (name, *options.items(), *functions)
    if key not in JUDGEMENTS:
        JUDGEMENTS[key] = judge(backend, trusted, name, **options)
    return copy.deepcopy(JUDGEMENTS[key])


@pytest.fixture(autouse=True)
def judged_once(monkeypatch):
    """Traces judge an operation once in a process, unless an operation is replaced."""
    monkeypatch.setattr(trace_operations, "judge", judge_once)


threadpoolctl.threadpool_limits(1, "blas")          # as below


@pytest.fixture(autouse=True)
def one_thread():
    """The tests share the processor, and small arrays are done before a second thread wakes up.

    Tests of threads set theirs.
    """
    kernels.load("cpu").set_threads(1)


@pytest.fixture
def all_threads():
    kernels.load("cpu").set_threads(numba.config.NUMBA_NUM_THREADS)


def save_blank(figure, file, format, dpi=None, metadata=None):
    """Take the place of Figure.savefig: write a white picture of the figure's shape."""
    size = (figure.get_size_inches() * 16).astype(int)
    Image.new("RGB", tuple(size), "white").save(file, "png")


@pytest.fixture(autouse=True)
def blank_figures(request, monkeypatch):
    """Figures are made, but not drawn, unless a test asks for it: that takes most of the time."""
    if "fine_figures" not in request.fixturenames:
        figure_class = matplotlib.figure.Figure
        monkeypatch.setattr(figure_class, "draw_without_rendering", lambda figure: None)
        monkeypatch.setattr(figure_class, "savefig", save_blank)


def save_coarsely(figure, file, format, dpi=None, metadata=None):
    """Take the place of Figure.savefig: few pixels, and drawn once, not twice for a layout."""
    figure.set_layout_engine("none")
    figure.dpi = 16
    FigureCanvasAgg(figure).print_png(file, metadata=metadata)


@pytest.fixture
def coarse_figures(blank_figures, monkeypatch):
    """Figures are drawn with few pixels, without layout and axes: enough to show something.

    Text beside the axes takes most of the time. test_plots.py draws every kind of figure whole.
    """
    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", save_coarsely)
    monkeypatch.setattr(matplotlib.axis.Axis, "draw", lambda axis, renderer: None)


@pytest.fixture
def fine_figures():
    """Figures are drawn as users see them."""


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Files are not forced onto the disk: what these tests write need not survive the machine."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.fixture
def small_data(tmp_path):
    """A folder with a small data set of random images."""
    return write_idx_files(tmp_path / "data" / "mnist").parent


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Call the command line; returns (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["scratchvae", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err
    return call


@pytest.fixture
def x(rng):
    return rng.random((50, 12)).astype(np.float32)
