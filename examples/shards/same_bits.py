"""Trains every lab on 1, 2 and 4 processes of 1 and 2 threads, and compares the bits.

    python same_bits.py [LAB ...]

Each lab is trained for 2 epochs on a few examples with 8 shards. Other runs are stopped after the
first epoch and resumed on another number of processes. Needs mpiexec and mpi4py.
"""
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scratchvae import kernels, labs
from scratchvae.runs import create_run, make_run, new_config, open_run
from scratchvae.runs.training import train
from scratchvae.shards import started

SHARDS = 8
BATCHES = 2.3                   # in an epoch: the last one is small
# Processes, threads; and for a run that is resumed, its first processes.
TRAININGS = ((1, 1, None), (1, 2, None), (2, 1, None), (2, 2, None), (4, 1, None), (1, 1, 4),
             (4, 1, 2), (2, 1, 1))


def main(names):
    """Train all labs of these names, and print a row for each."""
    for name in names or labs.LABS:
        bits = []
        with tempfile.TemporaryDirectory() as folder:
            for number, (processes, threads, first) in enumerate(TRAININGS):
                run = f"{folder}/{number}"
                if first:
                    start(first, threads, name, run, 1)
                start(processes, threads, name, run, 2)
                bits.append(digest(Path(run)))
        alike = [value == bits[0] for value in bits]
        print(f"{name:24}{'the same bits' if all(alike) else f'DIFFERENT {alike}'}  {bits[0][:12]}",
              flush=True)


def start(processes, threads, name, run, epochs):
    """Train a run to this epoch in new processes."""
    root = ["--allow-run-as-root"] if os.getuid() == 0 else []
    command = [sys.executable, __file__, "train", name, run, epochs, threads]
    if processes > 1:
        command = ["mpiexec", *root, "--oversubscribe", "--bind-to", "none", "-n", processes,
                   *command]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} on {processes} processes: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def train_to(name, folder, epochs, threads):
    """Train a run in this process, one of several."""
    processes = started()
    kernels.load("cpu").set_threads(threads)
    lab = labs.LABS[name]
    resume = processes.share(lambda: (Path(folder) / "config.json").exists())
    with processes.together():
        config = new_config(lab, shards=SHARDS, epochs=epochs, limit=int(BATCHES * lab.batch_size))

        def make():
            run = open_run(folder) if resume else create_run(folder, config)
            return run.config | {"epochs": epochs}
        train(make_run(folder, processes.share(make)), resume=resume, processes=processes)


def digest(run):
    """Return a checksum of the weights, the slots and the history, without its seconds."""
    import numpy as np
    value = hashlib.sha256()
    with np.load(run / "checkpoint.npz") as file:
        for name in sorted(file.files):
            if not name.endswith(".json"):
                value.update(name.encode() + file[name].tobytes())
    lines = (run / "history.csv").read_text().splitlines()
    place = lines[0].split(",").index("seconds")
    for line in lines:
        cells = line.split(",")
        value.update(",".join(cells[:place] + cells[place + 1:]).encode())
    return value.hexdigest()


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        _, _, name, folder, epochs, threads = sys.argv
        train_to(name, folder, int(epochs), int(threads))
    else:
        main(sys.argv[1:])
