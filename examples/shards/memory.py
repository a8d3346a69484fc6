"""Prints the largest memory of `scratchvae train mnist-batchnorm-deep`, by number of shards.

    python memory.py [SHARDS ...]

Batches of 128: an epoch of two steps, validation, checkpoints and figures. Libraries and data are
in the numbers.
"""
import os
import subprocess
import sys
import tempfile

COMMAND = ("scratchvae", "train", "mnist-batchnorm-deep", "--batch-size", "128", "--limit", "256",
           "--epochs", "1")


def main(numbers):
    """Train with each number of shards, in a process of its own."""
    for shards in numbers or (1, 2, 4, 8, 16, 32):
        print(f"{shards:3} shards: {largest_memory(shards):.2f} GiB", flush=True)


def largest_memory(shards):
    """Return the largest resident memory of a training, in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([*COMMAND, "--shards", str(shards), "--out", f"{folder}/run"],
                                   stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"training with {shards} shards failed")
    return usage.ru_maxrss / 2 ** 20


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]])
