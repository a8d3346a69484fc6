"""Random numbers from a counter on the device: a thread draws a block of four. The generator is
explained in reference/noise.py; its words are the same bits here.
"""
import math

import numpy as np
from numba import cuda

from ..reference import noise as reference
from ..reference.noise import LOW, MULTIPLIER_0, MULTIPLIER_1, ROUNDS, SHIFT, WEYL_0, WEYL_1
from .device import blocks, flat, implements, launch_each


def _launch(kernel, out, seed, step, stream):
    """Run a kernel in a thread for each block of four numbers."""
    counter = map(np.uint64, (seed, step, stream))
    launch_each(kernel, blocks(out.size, 4), flat(out), *counter)


@cuda.jit(device=True)
def _words(block, seed, step, stream):
    """Return the four words of a block as numbers in [0, 1): ten rounds of Philox4x32."""
    c0 = np.uint64(block)
    c1 = stream
    c2 = step & LOW
    c3 = step >> SHIFT
    k0 = seed & LOW
    k1 = seed >> SHIFT
    for _ in range(ROUNDS):
        product_0 = MULTIPLIER_0 * c0
        product_1 = MULTIPLIER_1 * c2
        c0 = (product_1 >> SHIFT) ^ c1 ^ k0
        c2 = (product_0 >> SHIFT) ^ c3 ^ k1
        c1 = product_1 & LOW
        c3 = product_0 & LOW
        k0 = (k0 + WEYL_0) & LOW
        k1 = (k1 + WEYL_1) & LOW
    return _unit(c0), _unit(c1), _unit(c2), _unit(c3)


@cuda.jit(device=True)
def _unit(word):
    """Return a 32-bit word as a float in [0, 1) with 24 bits."""
    return (word >> np.uint64(8)) / 2.0 ** 24


@cuda.jit(device=True)
def _store(out, block, numbers):
    for i in range(4):
        if 4 * block + i < out.size:
            out[4 * block + i] = numbers[i]


@implements(reference.uniform)
def uniform(out, seed, step, stream):
    _launch(_uniform, out, seed, step, stream)


@cuda.jit
def _uniform(out, seed, step, stream):
    block = cuda.grid(1)
    if 4 * block < out.size:
        _store(out, block, _words(block, seed, step, stream))


@implements(reference.normal)
def normal(out, seed, step, stream):
    _launch(_normal, out, seed, step, stream)


@cuda.jit
def _normal(out, seed, step, stream):
    block = cuda.grid(1)
    if 4 * block < out.size:
        w0, w1, w2, w3 = _words(block, seed, step, stream)
        x0, x1 = _box_muller(w0, w1)
        x2, x3 = _box_muller(w2, w3)
        _store(out, block, (x0, x1, x2, x3))


@cuda.jit(device=True)
def _box_muller(u, v):
    radius = math.sqrt(-2 * math.log(1 - u))
    angle = 2 * math.pi * v
    return radius * math.cos(angle), radius * math.sin(angle)
