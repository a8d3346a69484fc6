"""Times the sum of arrays over the processes of mpiexec: one line of JSON.

    mpiexec -n 4 python exchange.py
"""
import json
import time

import numpy as np

from scratchvae.shards import started

SIZES = {"mnist-conv": 1.6e6, "mnist-batchnorm-deep": 92.4e6}      # bytes of gradients
REPEATS = 5


def main():
    """Print the seconds of a sum, the fastest of some, for each size and for a few numbers."""
    processes = started()
    times = {}
    for name, size in {"small": 80, **SIZES}.items():
        x = np.zeros(int(size / 4), np.float32)
        seconds = []
        for _ in range(REPEATS):
            processes.sum_small(np.zeros(2))
            begun = time.perf_counter()
            processes.sum(x)
            seconds.append(time.perf_counter() - begun)
        times[name] = max(processes.gather(min(seconds)))
    if processes.rank == 0:
        print(json.dumps(times))


if __name__ == "__main__":
    main()
