"""Says how much faster R machines train than one, at a batch of 128: a table and a figure.

    python scaling.py                       from measured.json, which lies beside this file
    python scaling.py measure               measures again: needs root, iproute2 and Open MPI

A machine computes the gradients of its 128 / R examples. Then the machines add them: 2 (R - 1) / R
of the array goes through each machine's network, in 2 log2(R) messages.

    t(R) = compute(128 / R) + 2 (R - 1) / R bytes / bandwidth + 2 log2(R) latency

compute() is measured. The exchange is measured, too, on 2 and 4 machines that network.py pretends
to be. The latency of the model is not in these measurements: tbf limits the rate alone. The
machines share the cores of this one, which is most of what is measured on 4.
"""
import json
import math
import subprocess
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from exchange import SIZES  # noqa: E402

from scratchvae import kernels, labs  # noqa: E402
from scratchvae.runs import make_run, new_config  # noqa: E402

HERE = Path(__file__).parent
FIGURE = HERE.parents[1] / "scratchvae" / "shards" / "scaling.png"
BATCH = 128
MACHINES = (1, 2, 4, 8, 16, 32, 64)
TRIED = (2, 4)                  # machines of network.py
NETWORKS = {10: 50e-6, 1: 200e-6}       # Gbit/s: latency in seconds
COLORS = {10: "#3b6fb6", 1: "#e08a2c"}
INK = "#23272e"
REPEATS = 2
# Open MPI sends a large message in pieces: otherwise the two directions of a cable take turns.
IN_PIECES = ("env", "OMPI_MCA_btl_tcp_rdma_pipeline_frag_size=1048576")


# Measuring.

def measure():
    """Return the seconds of computing, by lab and examples, and of exchanges, by network."""
    exchanges = {"shared memory, 2": exchange(["mpiexec", "--allow-run-as-root", "-n", "2"])}
    for gigabits in NETWORKS:
        for machines in TRIED:
            network = [sys.executable, "network.py", str(machines), str(gigabits)]
            exchanges[f"{gigabits} Gbit/s, {machines}"] = exchange([*network, *IN_PIECES])
    return {"compute": {name: compute(name) for name in SIZES}, "exchange": exchanges}


def exchange(start):
    """Return the seconds of exchanges between processes that are started so."""
    done = subprocess.run([*start, sys.executable, "exchange.py"], cwd=HERE, check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def compute(name):
    """Return the seconds that the gradients of a shard take, by its number of examples.

    One thread, and its own time alone: other programs on this machine do not count.
    """
    kernels.load("cpu").set_threads(1)
    lab = labs.LABS[name]
    run = make_run("nowhere", new_config(lab, limit=BATCH))
    x, _, _ = run.examples()
    seconds = {}
    for machines in MACHINES:
        model = run.make_model()
        batch = np.asarray(x[:BATCH // machines], np.float32)
        times = []
        for _ in range(REPEATS + 1):            # the first one makes the arrays
            begun = time.process_time()
            model.gradients(batch, 1.0)
            times.append(time.process_time() - begun)
        seconds[str(len(batch))] = min(times[1:])
    return seconds


# The model.

def exchange_time(size, machines, gigabits, latency):
    """Return the seconds of an exchange of so many bytes by the model."""
    sent = 2 * (machines - 1) / machines * size
    return sent / (gigabits * 1e9 / 8) + 2 * math.log2(machines) * latency


def speed_up(measured, name, machines, seconds):
    """Return how much faster a step is on so many machines, if the exchange takes so long."""
    compute_times = measured["compute"][name]
    return compute_times[str(BATCH)] / (compute_times[str(BATCH // machines)] + seconds)


def speed_ups(measured, name, gigabits):
    """Return the speed-up by the model for all numbers of machines."""
    return [speed_up(measured, name, machines,
                     exchange_time(SIZES[name], machines, gigabits, NETWORKS[gigabits]))
            for machines in MACHINES]


# What it says.

def print_tables(measured):
    """Print exchanges as measured beside the model, and the speed-ups of the model."""
    print("exchange in ms         " + "".join(f"{name:>34}" for name in SIZES))
    for gigabits in NETWORKS:
        for machines in TRIED:
            title = f"{gigabits} Gbit/s, {machines}"
            cells = ""
            for name, size in SIZES.items():
                seconds = measured["exchange"][title][name]
                model = exchange_time(size, machines, gigabits, 0.0)
                cells += f"{1e3 * seconds:13.1f}, model {1e3 * model:6.1f}: {seconds / model:4.2f}"
            print(f"{title + ' machines':23}{cells}")
    heads = "".join(f"{count:>7}" for count in MACHINES)
    print(f"\n{'speed-up, machines':40}{heads}")
    for name in SIZES:
        for gigabits, latency in NETWORKS.items():
            title = f"{name}, {gigabits} Gbit/s, {1e6 * latency:.0f} us"
            values = "".join(f"{value:7.2f}" for value in speed_ups(measured, name, gigabits))
            print(f"{title:40}{values}")


def draw(measured):
    """Draw the speed-ups of the model, and those with measured exchanges."""
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 11, "text.color": INK})
    figure, panels = plt.subplots(1, len(SIZES), figsize=(9, 4), sharey=True)
    for axes, (name, size) in zip(panels, SIZES.items()):
        draw_lab(axes, measured, name)
        axes.set_title(f"{name}: {size / 1e6:.3g} MB of gradients", fontsize=11)
    panels[0].set_ylabel("times as fast as one machine")
    panels[1].legend(frameon=False, fontsize=8.5, loc="upper left")
    figure.tight_layout()
    figure.savefig(FIGURE, dpi=130, facecolor="white")


def draw_lab(axes, measured, name):
    """Draw one lab's curves."""
    computed = [speed_up(measured, name, machines, 0.0) for machines in MACHINES]
    axes.plot(MACHINES, computed, "--", color="#8a919b", label="without any exchange")
    for gigabits, latency in NETWORKS.items():
        color = COLORS[gigabits]
        axes.plot(MACHINES, speed_ups(measured, name, gigabits), color=color,
                  label=f"{gigabits} Gbit/s, {1e6 * latency:.0f} µs: model")
        tried = [speed_up(measured, name, machines,
                          measured["exchange"][f"{gigabits} Gbit/s, {machines}"][name])
                 for machines in TRIED]
        axes.plot(TRIED, tried, "o", color=color, label="with the exchange measured")
    axes.axhline(1.0, color=INK, linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_ylim(1 / 4, 64)
    axes.set_xticks(MACHINES, MACHINES)
    ticks = (1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64)
    axes.set_yticks(ticks, ["1/4", "1/2", *ticks[2:]])
    axes.set_xlabel("machines, which share a batch of 128")
    axes.grid(color="#e8eaed", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)


def main(words):
    """Print and draw; with the word "measure", measure first."""
    path = HERE / "measured.json"
    if words == ["measure"]:
        path.write_text(json.dumps(measure(), indent=1) + "\n")
    measured = json.loads(path.read_text())
    print_tables(measured)
    draw(measured)


if __name__ == "__main__":
    main(sys.argv[1:])
