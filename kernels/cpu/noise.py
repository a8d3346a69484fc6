"""Random numbers from a counter, in Numba.  The generator is explained in reference/noise.py; the words are the same bits."""
import math

import numpy as np
from numba import prange

from ..operation import implements
from ..reference import noise as reference
from .jit import inner, parallel

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
ROUNDS = 10
BLOCKS = 512                    # blocks of four numbers that a thread takes at a time


@implements(reference.uniform)
def uniform(out, seed, step, stream):
    _fill(out.reshape(-1), seed, step, stream, False)


@implements(reference.normal)
def normal(out, seed, step, stream):
    _fill(out.reshape(-1), seed, step, stream, True)


@inner
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds of Philox4x32 on one counter; words are uint64 below 2^32."""
    for _ in range(ROUNDS):
        product_0, product_1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (product_1 >> SHIFT) ^ c1 ^ k0, product_1 & LOW, (product_0 >> SHIFT) ^ c3 ^ k1, product_0 & LOW
        k0, k1 = (k0 + WEYL_0) & LOW, (k1 + WEYL_1) & LOW
    return c0, c1, c2, c3


@inner
def box_muller(u, v):
    radius, angle = math.sqrt(-2 * math.log(1 - u)), 2 * math.pi * v
    return radius * math.cos(angle), radius * math.sin(angle)


@parallel
def _fill(out, seed, step, stream, gaussian):
    step, seed = np.uint64(step), np.uint64(seed)
    block_count = (out.size + 3) // 4
    for chunk in prange((block_count + BLOCKS - 1) // BLOCKS):
        for block in range(chunk * BLOCKS, min(block_count, (chunk + 1) * BLOCKS)):
            w0, w1, w2, w3 = philox(np.uint64(block), np.uint64(stream), step & LOW, step >> SHIFT, seed & LOW, seed >> SHIFT)
            numbers = (unit(w0), unit(w1), unit(w2), unit(w3))
            if gaussian:
                numbers = box_muller(numbers[0], numbers[1]) + box_muller(numbers[2], numbers[3])
            for i in range(min(4, out.size - 4 * block)):
                out[4 * block + i] = numbers[i]


@inner
def unit(word):
    """A 32-bit word as a float in [0, 1) with 24 bits."""
    return (word >> np.uint64(8)) / 2.0 ** 24
