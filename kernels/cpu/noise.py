"""Random numbers from a counter, in Numba. See reference/noise.py for the generator: the words are
the same to the bit.
"""
import math

import numpy as np
from numba import prange

from ..operation import implements
from ..reference import noise as reference
from .jit import inner, parallel

MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)
ROUNDS = 10
BLOCKS = 512                    # blocks of four numbers that a thread takes at a time


@implements(reference.uniform)
def uniform(out, seed, step, stream):
    gaussian = False
    _fill(out.reshape(-1), seed, step, stream, gaussian)


@implements(reference.normal)
def normal(out, seed, step, stream):
    gaussian = True
    _fill(out.reshape(-1), seed, step, stream, gaussian)


@parallel
def _fill(out, seed, step, stream, gaussian):
    step = np.uint64(step)
    seed = np.uint64(seed)
    block_count = (out.size + 3) // 4
    for chunk in prange((block_count + BLOCKS - 1) // BLOCKS):
        for block in range(chunk * BLOCKS, min(block_count, (chunk + 1) * BLOCKS)):
            counter = (np.uint64(block), np.uint64(stream), step & LOW, step >> SHIFT)
            w0, w1, w2, w3 = philox(counter, (seed & LOW, seed >> SHIFT))
            numbers = (unit(w0), unit(w1), unit(w2), unit(w3))
            if gaussian:
                numbers = box_muller(numbers[0], numbers[1]) + box_muller(numbers[2], numbers[3])
            for i in range(min(4, out.size - 4 * block)):
                out[4 * block + i] = numbers[i]


@inner
def philox(counter, key):
    """Return four words, by ten rounds of Philox4x32. All words are uint64 below 2^32."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
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


@inner
def unit(word):
    """Return a 32-bit word as a float in [0, 1) of 24 bits."""
    return (word >> np.uint64(8)) / 2.0 ** 24


@inner
def box_muller(u, v):
    """Return two normal numbers, made of two uniform ones."""
    radius = math.sqrt(-2 * math.log(1 - u))
    angle = 2 * math.pi * v
    return radius * math.cos(angle), radius * math.sin(angle)
