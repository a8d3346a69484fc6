"""Trains with two processes, makes one of them fail, and prints what the user sees.

    python faults.py [FOLDER]

FOLDER is a small file system, to see a full disk. After each fault the checkpoint is read and the
run is resumed on one process.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scratchvae.storage import read_arrays

LAB = ("mnist-dense", "--shards", 4, "--threads", 1, "--epochs", 400, "--limit", 2000)
PATIENT = ("--mca", "odls_base_sigkill_timeout", "60")          # waits before it kills
OWN = ("note", "Error", "interrupted", "mpiexec noticed")       # how lines begin that matter


def main(full=None):
    """Try all faults."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        fault(folder / "killed", "kill -9 of process 1", lambda ranks: send(ranks[1], "KILL"))
        fault(folder / "killed0", "kill -9 of process 0", lambda ranks: send(ranks[0], "KILL"))
        fault(folder / "term", "SIGTERM to process 1", lambda ranks: send(ranks[1], "TERM"))
        fault(folder / "slow", "process 1 stands still for 35 s", stand_still)
        for options in ((), PATIENT):
            fault(folder / f"interrupted{len(options)}", f"Ctrl-C at mpiexec {' '.join(options)}",
                  lambda ranks: send(ranks["mpiexec"], "INT"), options)
        two(folder, "another seed in process 1", (*LAB, "--seed", 1), (*LAB, "--seed", 2))
        if full:
            fault(Path(full) / "run", "a full disk", lambda ranks: fill(Path(full)))


def mpiexec(*words):
    root = ["--allow-run-as-root"] if os.getuid() == 0 else []
    return subprocess.Popen(["mpiexec", *root, "--oversubscribe", "--bind-to", "none",
                             *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)


def fault(run, title, cause, options=()):
    """Start a training, let something happen after its second epoch, and look at what is left."""
    process = mpiexec(*options, "-n", 2, "scratchvae", "train", *LAB, "--out", run)
    while not (run / "history.csv").exists() or len((run / "history.csv").read_text().split()) < 3:
        time.sleep(0.1)
    begun = time.monotonic()
    cause(ranks_of(process))
    report(title, process, begun)
    _, state = read_arrays(run / "checkpoint.npz", "checkpoint")
    epochs = state["epoch"] + 1
    if title == "a full disk":
        (run.parent / "filling").unlink(missing_ok=True)
    resumed = subprocess.run(["scratchvae", "train", LAB[0], "--resume", run, "--epochs",
                              str(epochs)], capture_output=True, text=True)
    print(f"    checkpoint of epoch {state['epoch']}, step {state['step']}, is whole; "
          f"resumed: exit code {resumed.returncode}", flush=True)


def two(folder, title, first, second):
    begun = time.monotonic()
    process = mpiexec("-n", 1, "scratchvae", "train", *first, "--out", folder / "two", ":",
                      "-n", 1, "scratchvae", "train", *second, "--out", folder / "two")
    report(title, process, begun)


def ranks_of(process):
    """Return the ids of mpiexec's processes by rank, and its own."""
    ranks = {"mpiexec": process.pid}
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        parent = (path.parent / "status").read_text().split("PPid:")[1].split()[0]
        rank = [word.split(b"=")[1] for word in words if word.startswith(b"OMPI_COMM_WORLD_RANK=")]
        if rank and int(parent) == process.pid:
            ranks[int(rank[0])] = int(path.parent.name)
    return ranks


def send(process, name):
    os.kill(process, getattr(signal, f"SIG{name}"))


def stand_still(ranks):
    send(ranks[1], "STOP")
    time.sleep(35)
    send(ranks[1], "CONT")
    time.sleep(1)
    send(ranks[1], "TERM")


def fill(folder):
    """Fill a file system to the last byte."""
    try:
        with open(folder / "filling", "wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
    except OSError:
        pass


def report(title, process, begun):
    output, _ = process.communicate(timeout=120)
    print(f"{title}: exit code {process.returncode} after {time.monotonic() - begun:.1f} s",
          flush=True)
    for line in output.splitlines():
        if line.startswith(OWN):
            print(f"    {line}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
