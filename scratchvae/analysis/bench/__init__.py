"""How fast a lab trains, beside other frameworks: same model, same batches, same threads, or the same GPU.

Each framework works in a process of its own, and they take turns: in every round each trains for a fraction of a second while
the others wait, idle.  What disturbs the machine for longer disturbs all alike; medians over the rounds are reported, ratios
are medians of the rounds' own ratios, and in every round the machine's sgemm peak is measured too.
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
from tqdm import tqdm

import kernels

from ...errors import ScratchVAEError
from ...runs.run import new_config, run_class
from .peers import PEERS, variants

OURS = "scratchvae"
DEVICE_PEERS = ("torch",)       # those that are compared on a GPU
EXAMPLES = 6000                 # real ones, from which the batches are taken
SECONDS = 0.4                   # of training by each framework in a round
PAUSE = 0.2                     # seconds between turns: thread pools go on spinning for a while after their last work
FIRST_STEPS = 2                 # which compile, and allocate
MATRIX = 2048


def benchmark(lab, against, threads, rounds, data_dir=None, batch_size=None, backend="cpu"):
    """Measure one lab, by default with its own batch size; returns what `bench --json` writes."""
    allowed = DEVICE_PEERS if backend == "cuda" else tuple(PEERS)
    unknown = [name for name in against if name not in allowed]
    if unknown:
        raise ScratchVAEError(f"--against: unknown framework {unknown[0]!r}; allowed: {', '.join(allowed)}")
    device = kernels.load(backend)
    threads = threads or len(os.sched_getaffinity(0))
    if backend == "cuda":
        rate, peak_of, computed_by = partial(product_gflops, device), f"our product of {MATRIX}", device.describe()
    else:
        rate, peak_of, computed_by = partial(sgemm_gflops, threads), "sgemm peak", f"{threads} threads"
    batch_size = batch_size or lab.batch_size
    config = new_config(lab, dict(lab.settings), data_dir=data_dir)
    examples = run_class(config)("bench", config).examples()[0][:max(EXAMPLES, batch_size)]
    model = lab.make_model(config["settings"])
    model.build(lab.shape(config["settings"]))
    installed = [name for name in against if importlib.util.find_spec(name)]
    setup = {"model": model.get_config(), "optimizer": lab.make_optimizer(lab.settings).get_config(),
             "batch_size": batch_size, "threads": threads, "backend": backend}
    with tempfile.TemporaryDirectory() as folder:
        setup["examples"] = str(Path(folder) / "examples.npy")
        np.save(setup["examples"], examples)
        with ExitStack() as stack:
            workers = [stack.enter_context(Worker(name, setup | {"options": options}))
                       for name in (OURS, *installed) for options in variants(name, setup["model"], backend)]
            peaks = []
            for i in tqdm(range(rounds), desc=f"bench {lab.name}", unit="round", disable=None):
                peaks.append(rate())
                for k in range(len(workers)):
                    time.sleep(PAUSE)
                    workers[(i + k) % len(workers)].measure()
    flops, peak = model.flops(batch_size), float(np.median(peaks))
    ours = np.array(workers[0].milliseconds)
    return {"lab": lab.name, "batch_size": batch_size, "threads": threads, "computed_by": computed_by,
            "peak_of": peak_of, "sgemm_gflops": peak, "mflop_a_step": flops / 1e6, "launches_a_step": workers[0].launches,
            "frameworks": {worker.version: describe(worker, ours, flops, peak) for worker in workers},
            "missing": [f"{PEERS[name]} is not installed" for name in against if name not in installed]}


def describe(worker, ours, flops, peak):
    """The figures of one framework."""
    times = np.array(worker.milliseconds)
    return {"ms": float(np.median(times)), "ms_10": float(np.percentile(times, 10)), "ms_90": float(np.percentile(times, 90)),
            "ratio": float(np.median(times / ours)), "fraction_of_peak": flops / (float(np.median(times)) * 1e6) / peak,
            "rounds_ms": times.tolist()}


class Worker:
    """A process that trains with one framework when told to."""

    def __init__(self, name, setup):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([sys.executable, "-m", "scratchvae.analysis.bench.worker"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.name = name
        self.milliseconds = []
        self.version = self._ask({"framework": name, **setup})["version"]
        self._ask(FIRST_STEPS)
        one = self._ask(1)
        self.steps, seconds, self.launches = 1, one["seconds"], one["launches"]
        while seconds < SECONDS:                                    # warms up, and finds how many steps make a turn
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
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.log.seek(0)
            last_line = (self.log.read().strip().splitlines() or ["without a word"])[-1]
            raise ScratchVAEError(f"bench: the process of {self.name} ended: {last_line}")
        return json.loads(answer)


def product_gflops(device, repeats=10):
    """The rate of our own large float32 matrix product on the device, now."""
    a = device.from_host(np.random.default_rng(0).random((MATRIX, MATRIX), np.float32))
    bias, out = device.zeros(MATRIX, "float32"), device.empty((MATRIX, MATRIX), "float32")
    for count in (1, repeats):                                      # the first compiles
        device.synchronize()
        started = time.perf_counter()
        for _ in range(count):
            device.dense_forward(a, a, bias, out, "linear", None)
        device.synchronize()
    return 2 * MATRIX ** 3 * repeats / (time.perf_counter() - started) / 1e9


def sgemm_gflops(threads, repeats=3):
    """The machine's best rate in a large float32 matrix product by NumPy's BLAS, now."""
    a = np.random.default_rng(0).random((MATRIX, MATRIX), np.float32)
    out = np.empty_like(a)
    with threadpool_limits(threads):
        seconds = []
        for _ in range(repeats):
            started = time.perf_counter()
            np.matmul(a, a, out=out)
            seconds.append(time.perf_counter() - started)
    return 2 * MATRIX ** 3 / min(seconds) / 1e9
