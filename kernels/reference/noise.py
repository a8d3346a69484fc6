"""Random numbers from a counter: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").

A counter-based generator has no state.  It is a function, a weak cipher, of a 128-bit counter under a 64-bit key:

    (word_0, word_1, word_2, word_3) = philox(counter = (block, stream, step, step >> 32), key = (seed, seed >> 32))

Element i of an array is word i % 4 of block i // 4.  So the noise of one training step can be drawn by any number of threads,
on any machine, in any order, and again after an interruption, and is always the same.  `stream` tells layers apart.
"""
import numpy as np

from ..contract import operation

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
ROUNDS = 10


def philox(counter, key):
    """Ten rounds of Philox4x32 on four counter words, arrays of uint64 below 2^32, under two key words."""
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = (np.asarray(word, np.uint64) for word in key)
    for _ in range(ROUNDS):
        product_0, product_1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (product_1 >> SHIFT) ^ c1 ^ k0, product_1 & LOW, (product_0 >> SHIFT) ^ c3 ^ k1, product_0 & LOW
        k0, k1 = (k0 + WEYL_0) & LOW, (k1 + WEYL_1) & LOW
    return c0, c1, c2, c3


def _words(seed, step, stream, count):
    """The first `count` 32-bit words of the stream, as floats in [0, 1) with 24 bits: word >> 8 over 2^24."""
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    words = philox((block, stream, step & 0xFFFFFFFF, step >> 32), (seed & 0xFFFFFFFF, seed >> 32))
    return (np.stack(words, axis=1).ravel()[:count] >> np.uint64(8)) / 2.0 ** 24


@operation
def uniform(out, seed, step, stream):
    """Fill out with U[0, 1) in steps of 2^-24: exactly the same in every backend."""
    out[...] = _words(seed, step, stream, out.size).reshape(out.shape)


@operation
def normal(out, seed, step, stream):
    """Fill out with N(0, 1) by Box and Muller's transform of pairs u, v of uniform numbers, in double precision:

        r = sqrt(-2 log(1 - u)),   (r cos(2 pi v), r sin(2 pi v))
    """
    u, v = _words(seed, step, stream, out.size + out.size % 2).reshape(-1, 2).T
    radius, angle = np.sqrt(-2 * np.log(1 - u)), 2 * np.pi * v
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    out[...] = pairs.ravel()[:out.size].reshape(out.shape)
