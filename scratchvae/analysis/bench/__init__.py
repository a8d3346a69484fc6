"""The speed of training beside other frameworks: same model, batches and threads, or the same GPU.

Each framework runs in its own process, and they take turns: in every round each of them trains for
a fraction of a second while the others are idle. A longer disturbance of the machine therefore
affects all of them alike. The results are medians over the rounds; a ratio is the median of the
rounds' own ratios. Every round also measures the machine's peak rate in a matrix product.
"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from ... import kernels
from ...errors import ScratchVAEError
from ...runs import make_run, new_config
from .peers import PEERS, variants

OURS = "scratchvae"
DEVICE_PEERS = ("torch",)       # the frameworks to compare with on a GPU
EXAMPLES = 6000                 # from which the batches are taken
SECONDS = 0.4                   # how long each framework trains in a round
PAUSE = 0.2                     # seconds between turns: idle thread pools spin for a while
FIRST_STEPS = 2                 # not timed: they compile and allocate
MATRIX = 2048                   # rows and columns of the matrices that measure the peak rate


def benchmark(lab, against, threads, rounds, data_dir=None, batch_size=None, backend="cpu"):
    """Measure how fast a lab's model trains, beside other frameworks.

    Parameters
    ----------
    lab : Lab
    against : list of str
        The frameworks to compare with, of PEERS; those that are not installed are left out.
    threads : int or None
        How many threads each framework uses; None: one per available core.
    rounds : int
        How often each framework is measured.
    data_dir : path, optional
        Where the lab's data are.
    batch_size : int, optional
        Defaults to the lab's own.
    backend : str, default "cpu"
        One that is neither cpu nor cuda is measured beside cpu.

    Returns
    -------
    dict
        What `bench --json` writes; "frameworks" has the times in milliseconds per step.

    Raises
    ------
    ScratchVAEError
        If a framework is unknown, or its process fails.
    """
    allowed = DEVICE_PEERS if backend == "cuda" else tuple(PEERS)
    for name in against:
        if name not in allowed:
            raise ScratchVAEError(
                f"--against: unknown framework {name!r}; allowed: {', '.join(allowed)}.")
    installed = [name for name in against if importlib.util.find_spec(name)]
    device = kernels.load(backend)
    threads = threads or len(os.sched_getaffinity(0))
    batch_size = batch_size or lab.batch_size
    if backend == "cuda":
        peak_rate = partial(product_gflops, device)
        peak_of = f"our product of {MATRIX}"
        computed_by = device.describe()
    else:
        peak_rate = partial(sgemm_gflops, threads)
        peak_of = "sgemm peak"
        computed_by = f"{threads} threads"

    run = make_run("bench", new_config(lab, data_dir=data_dir))
    examples = run.examples()[0][:max(EXAMPLES, batch_size)]
    model = run.make_model()
    setup = {
        "model": model.get_config(),
        "optimizer": run.make_optimizer().get_config(),
        "batch_size": batch_size,
        "threads": threads,
        "backend": backend,
    }
    peers_on = "cuda" if backend == "cuda" else "cpu"
    own = [{"backend": name} for name in dict.fromkeys((backend, peers_on))]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        setup["examples"] = str(Path(folder) / "examples.npy")
        np.save(setup["examples"], examples)
        workers = []
        for name in (OURS, *installed):
            for options in own if name == OURS else variants(name, setup["model"], peers_on):
                worker = Worker(name, setup | {"options": options})
                workers.append(stack.enter_context(worker))
        peaks = _take_turns(workers, peak_rate, rounds, f"bench {lab.name}")

    flops = model.flops(batch_size)
    peak = float(np.median(peaks))
    ours = np.array(workers[0].milliseconds)
    return {
        "lab": lab.name,
        "batch_size": batch_size,
        "threads": threads,
        "computed_by": computed_by,
        "peak_of": peak_of,
        "sgemm_gflops": peak,
        "mflop_a_step": flops / 1e6,
        "launches_a_step": workers[0].launches,
        "frameworks": {worker.version: _figures(worker, ours, flops, peak) for worker in workers},
        "missing": [f"{PEERS[name]} is not installed" for name in against if name not in installed],
    }


def _take_turns(workers, peak_rate, rounds, title):
    """Let the workers measure in turns, a new one first in each round; return the peak rates."""
    peaks = []
    for i in tqdm(range(rounds), desc=title, unit="round", disable=None):
        peaks.append(peak_rate())
        for k in range(len(workers)):
            time.sleep(PAUSE)
            workers[(i + k) % len(workers)].measure()
    return peaks


def _figures(worker, ours, flops, peak):
    """Return the times of one framework, its ratio to ours, and its fraction of the peak rate."""
    times = np.array(worker.milliseconds)
    median = float(np.median(times))
    return {
        "ms": median,
        "ms_10": float(np.percentile(times, 10)),
        "ms_90": float(np.percentile(times, 90)),
        "ratio": float(np.median(times / ours)),
        "fraction_of_peak": flops / (median * 1e6) / peak,
        "rounds_ms": times.tolist(),
    }


class Worker:
    """A process that trains with one framework on request.

    Parameters
    ----------
    name : str
        The framework.
    setup : dict
        What to train: the model, optimizer, batch size, threads, examples, and options of the
        framework's Trainer.
    """

    def __init__(self, name, setup):
        self.name = name
        self.milliseconds = []
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scratchvae.analysis.bench.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.version = self._ask({"framework": name, **setup})["version"]
        self._ask(FIRST_STEPS)
        answer = self._ask(1)
        self.launches = answer["launches"]
        seconds = answer["seconds"]
        self.steps = 1
        while seconds < SECONDS:                # warms up, and finds the number of steps of a turn
            self.steps *= 2
            seconds = self._ask(self.steps)["seconds"]
        self.steps = max(1, round(SECONDS / seconds * self.steps))

    def measure(self):
        """Train for a fraction of a second and note the time of a step."""
        self.milliseconds.append(self._ask(self.steps)["seconds"] / self.steps * 1e3)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()

    def _ask(self, message):
        """Send a message to the process and return its answer."""
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.log.seek(0)
            lines = self.log.read().strip().splitlines()
            reason = lines[-1] if lines else "no error message"
            raise ScratchVAEError(f"bench: the process of {self.name} ended: {reason}")
        return json.loads(answer)


def product_gflops(device, repeats=10):
    """Return the current rate of our own large float32 matrix product on a device, in GFLOP/s."""
    a = device.from_host(np.random.default_rng(0).random((MATRIX, MATRIX), np.float32))
    bias = device.zeros(MATRIX, "float32")
    out = device.empty((MATRIX, MATRIX), "float32")
    for count in (1, repeats):                  # the first product compiles; it is not timed
        device.synchronize()
        started = time.perf_counter()
        for _ in range(count):
            device.dense_forward(a, a, bias, out, "linear", None)
        device.synchronize()
    return 2 * MATRIX ** 3 * repeats / (time.perf_counter() - started) / 1e9


def sgemm_gflops(threads, repeats=3):
    """Return the current best rate of NumPy's BLAS in a large float32 product, in GFLOP/s."""
    a = np.random.default_rng(0).random((MATRIX, MATRIX), np.float32)
    out = np.empty_like(a)
    seconds = []
    with threadpool_limits(threads):
        for _ in range(repeats):
            started = time.perf_counter()
            np.matmul(a, a, out=out)
            seconds.append(time.perf_counter() - started)
    return 2 * MATRIX ** 3 / min(seconds) / 1e9
