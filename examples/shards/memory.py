"""Prints the largest memory of the process that trains mnist-batchnorm-deep, by number of shards.

    python memory.py

Batches of 128: a training of two steps, without and with a validation on 128 examples. Libraries
and data are in the numbers.
"""
import resource
import subprocess
import sys

from scratchvae import labs
from scratchvae.data import load_mnist

BATCH = 128


def main():
    """Measure each case in a process of its own."""
    for shards in (1, 4, 16):
        for validated in ("", "validated"):
            done = subprocess.run([sys.executable, __file__, str(shards), validated], check=True,
                                  capture_output=True, text=True)
            print(f"{shards:3} shards {validated or 'not validated':14}{done.stdout.strip()}",
                  flush=True)


def train(shards, validated):
    """Train two steps, and print the largest resident memory of this process."""
    (x, _), (x_test, _) = load_mnist()
    lab = labs.LABS["mnist-batchnorm-deep"]
    x, x_test = (images.reshape(-1, 28, 28, 1)[:2 * BATCH] for images in (x, x_test))
    model = lab.make_model(lab.settings)
    model.build(x.shape[1:])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.fit(x, batch_size=BATCH, optimizer=lab.make_optimizer(lab.settings), shards=shards,
              validation_data=x_test[:BATCH] if validated else None, progress=False)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{after / 2 ** 20:.2f} GiB ({before / 2 ** 20:.2f} GiB before the training)")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        train(int(sys.argv[1]), sys.argv[2])
    else:
        main()
