"""Prints what the model of an exchange says: how much faster R machines are than one.

    python scaling.py BYTES SECONDS

BYTES of gradients, and SECONDS that one machine computes at a step. A sum over R machines sends
2 (R - 1) / R of the array through each machine's network, in 2 log2(R) messages:

    t(R) = SECONDS / R + 2 (R - 1) / R BYTES / bandwidth + 2 log2(R) latency

The time of the additions themselves is not in it.
"""
import math
import sys

NETWORKS = {"10 Gbit/s, 50 us": (10e9 / 8, 50e-6), "1 Gbit/s, 200 us": (1e9 / 8, 200e-6)}
MACHINES = (2, 4, 8, 16, 32, 64)


def step(seconds, size, machines, bandwidth, latency):
    """Return the seconds of a step on so many machines."""
    sent = 2 * (machines - 1) / machines * size
    return seconds / machines + sent / bandwidth + 2 * math.log2(machines) * latency


def main(size, seconds):
    """Print the speed-up for each network and number of machines."""
    print("machines            " + "".join(f"{machines:>7}" for machines in MACHINES))
    for name, network in NETWORKS.items():
        speeds = [seconds / step(seconds, size, machines, *network) for machines in MACHINES]
        print(f"{name:20}" + "".join(f"{speed:7.2f}" for speed in speeds))


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
