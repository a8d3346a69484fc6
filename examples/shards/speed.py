"""Compares two processes of one thread with one process of two threads, at batches of 128.

    python speed.py [LAB ...]

Trainings alternate; of each the fastest epoch counts.
"""
import json
import os
import subprocess
import sys

from scratchvae import kernels, labs
from scratchvae.runs import make_run, new_config
from scratchvae.shards import started

BATCH = 128
STEPS = {"mnist-batchnorm-deep": 2, "fashion-conv": 8}      # in an epoch
EPOCHS = 3
ROUNDS = 2
CASES = {"1 process, 2 threads, 1 shard": (1, 2, 1), "1 process, 2 threads, 2 shards": (1, 2, 2),
         "2 processes, 1 thread, 2 shards": (2, 1, 2)}


def main(names):
    """Print seconds a step, and the ratio to one process of two threads."""
    for name in names or STEPS:
        best = dict.fromkeys(CASES, float("inf"))
        for _ in range(ROUNDS):
            for title, case in CASES.items():
                best[title] = min(best[title], measure(name, *case))
        first, *_ = best.values()
        for title, seconds in best.items():
            print(f"{name:24}{title:34}{seconds:8.4f} s a step   speed {first / seconds:.2f}",
                  flush=True)


def measure(name, processes, threads, shards):
    """Return seconds a step, of new processes."""
    root = ["--allow-run-as-root"] if os.getuid() == 0 else []
    start = ["mpiexec", *root, "--bind-to", "none", "-n", str(processes)] * (processes > 1)
    done = subprocess.run([*start, sys.executable, "-W", "ignore", __file__, "train", name,
                           str(threads), str(shards)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def train(name, threads, shards):
    """Train a few epochs, and print the seconds of a step of the fastest."""
    processes = started()
    kernels.load("cpu").set_threads(threads)
    lab = labs.LABS[name]
    run = make_run("nowhere", new_config(lab, limit=BATCH * STEPS[name]))
    x, y, _ = run.examples()
    model = run.make_model()
    history = model.fit(x, EPOCHS, BATCH, lab.make_optimizer(lab.settings), y=y, shards=shards,
                        processes=processes, progress=False)
    if processes.rank == 0:
        print(min(history["seconds"]) / -(-len(x) // BATCH))


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        train(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(sys.argv[1:])
