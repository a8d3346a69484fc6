"""Random numbers from a counter: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
easy as 1, 2, 3").

A counter-based generator has no state. It is a function, a weak cipher, of a 128-bit counter under
a 64-bit key:

    (word_0, word_1, word_2, word_3) = philox(counter = (block, stream, step, step >> 32),
                                              key = (seed, seed >> 32))

Element i of an array is word i % 4 of block i // 4. So the noise of a training step can be drawn by
any number of threads, on any machine, in any order, and again after an interruption, and is always
the same. `stream` tells layers apart.
"""
import numpy as np

from ..operation import operation

MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)
ROUNDS = 10
STEPS = (2 ** 35 + 5, 0)        # examples of the options: beyond 32 bits, and the first
SEEDS = (2 ** 40 + 3, 0)
STREAMS = (2 ** 31 + 7, 0)


def philox(counter, key):
    """Return four words: ten rounds of Philox4x32.

    Parameters
    ----------
    counter : four arrays of uint64 below 2^32
    key : two numbers of uint64 below 2^32
    """
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = (np.asarray(word, np.uint64) for word in key)
    for _ in range(ROUNDS):
        product_0 = MULTIPLIER_0 * c0
        product_1 = MULTIPLIER_1 * c2
        c0 = (product_1 >> SHIFT) ^ c1 ^ k0
        c2 = (product_0 >> SHIFT) ^ c3 ^ k1
        c1 = product_1 & LOW
        c3 = product_0 & LOW
        k0 = (k0 + WEYL_0) & LOW
        k1 = (k1 + WEYL_1) & LOW
    return c0, c1, c2, c3


def _words(seed, step, stream, count):
    """Return the first `count` words of a stream as floats in [0, 1) of 24 bits."""
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    counter = (block, stream, step & 0xFFFFFFFF, step >> 32)
    words = philox(counter, key=(seed & 0xFFFFFFFF, seed >> 32))
    return (np.stack(words, axis=1).ravel()[:count] >> np.uint64(8)) / 2.0 ** 24


@operation("-> out=*", seed=SEEDS, step=STEPS, stream=STREAMS)
def uniform(out, seed, step, stream):
    """Fill out with U[0, 1) in steps of 2^-24: exactly the same in every backend."""
    out[...] = _words(seed, step, stream, out.size).reshape(out.shape)


@operation("-> out=*", seed=SEEDS, step=STEPS, stream=STREAMS)
def normal(out, seed, step, stream):
    """Fill out with N(0, 1) by Box and Muller's transform of pairs u, v of uniform numbers:

        r = sqrt(-2 log(1 - u)),   (r cos(2 pi v), r sin(2 pi v))

    in double precision.
    """
    u, v = _words(seed, step, stream, out.size + out.size % 2).reshape(-1, 2).T
    radius = np.sqrt(-2 * np.log(1 - u))
    angle = 2 * np.pi * v
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    out[...] = pairs.ravel()[:out.size].reshape(out.shape)
