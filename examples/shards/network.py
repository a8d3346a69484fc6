"""Starts a command by Open MPI on machines of a network that this one only pretends to be.

    python network.py MACHINES GBIT COMMAND ...
    python network.py 4 1 python exchange.py

Each machine is a network namespace of Linux with a host name and an address of its own, a cable of
so many Gbit/s to a common switch, and one process. They share the cores. Needs root, iproute2 and
a kernel with the token bucket filter (tbf), which limits the cables.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SWITCH = "shards"
# What mpiexec calls in the place of ssh: an address, and a command for the shell.
AGENT = """#!/bin/sh
machine=shards${1##*.}
shift
exec ip netns exec $machine unshare --uts sh -c "hostname $machine; $*"
"""


def main(machines, gigabits, command):
    """Lay the cables, run the command, and take the cables away."""
    addresses = [f"10.99.0.{number + 1}" for number in range(machines)]
    with tempfile.TemporaryDirectory() as folder:
        agent = Path(folder) / "agent"
        agent.write_text(AGENT)
        agent.chmod(0o755)
        try:
            lay_cables(addresses, gigabits)
            done = subprocess.run([
                str(agent), addresses[0], "mpiexec", "--allow-run-as-root", "--bind-to", "none",
                "--mca", "plm_rsh_agent", str(agent), "--mca", "btl", "tcp,self",
                "--mca", "mpi_yield_when_idle", "1",    # who waits leaves the core to others
                "--host", ",".join(addresses), "-n", str(machines), *command])
        finally:
            take_away(machines)
    return done.returncode


def lay_cables(addresses, gigabits):
    """Make a switch, and a namespace for each address with a cable to it."""
    ip("link", "add", SWITCH, "type", "bridge")
    ip("link", "set", SWITCH, "up")
    for number, address in enumerate(addresses, 1):
        machine = f"{SWITCH}{number}"
        ip("netns", "add", machine)
        ip("link", "add", "eth0", "netns", machine, "type", "veth", "peer", "name", machine)
        ip("link", "set", machine, "master", SWITCH, "up")
        ip("-n", machine, "link", "set", "lo", "up")
        ip("-n", machine, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", machine, "link", "set", "eth0", "up")
        limit = ("root", "tbf", "rate", f"{gigabits}gbit", "burst", "512kb", "latency", "20ms")
        run("tc", "qdisc", "add", "dev", machine, *limit)                       # to the machine
        run("tc", "-n", machine, "qdisc", "add", "dev", "eth0", *limit)         # and from it


def take_away(machines):
    """Remove what lay_cables made; with a namespace its cable goes."""
    for number in range(1, machines + 1):
        subprocess.run(["ip", "netns", "del", f"{SWITCH}{number}"], stderr=subprocess.DEVNULL)
    subprocess.run(["ip", "link", "del", SWITCH], stderr=subprocess.DEVNULL)


def ip(*words):
    run("ip", *words)


def run(*words):
    subprocess.run(words, check=True)


if __name__ == "__main__":
    if os.getuid() or len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
