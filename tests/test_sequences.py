"""Operations that the cpu backend shares with the reference, against loops over single numbers."""
from itertools import product

import numpy as np
import pytest

from scratchvae import kernels

REFERENCE = kernels.load("reference")
N = 2
T = 3
K = 4
L = 5
SEQUENCES = np.arange(1.0, N * T * K + 1).reshape(N, T, K)
BIT = np.array([[1, 0, 1], [0, 0, 1]], np.int32)


def result(name, shape, *inputs, dtype="float64", **options):
    y = np.full(shape, -77, dtype)
    getattr(REFERENCE, name)(*inputs, y, **options)
    return y


def test_repeat():
    x = SEQUENCES[:, 0].copy()
    y = result("repeat_forward", (N, T, K), x)
    dx = result("repeat_backward", (N, K), SEQUENCES)
    for n, k in product(range(N), range(K)):
        assert all(y[n, t, k] == x[n, k] for t in range(T))
        assert dx[n, k] == sum(SEQUENCES[n, t, k] for t in range(T))


def test_sum_steps():
    y = result("sum_steps", (N, K), SEQUENCES)
    for n, k in product(range(N), range(K)):
        assert y[n, k] == sum(SEQUENCES[n, t, k] for t in range(T))


def test_concatenate():
    a = np.arange(1.0, N * K + 1).reshape(N, K)
    b = -np.arange(1.0, N * L + 1).reshape(N, L)
    y = result("concatenate_forward", (N, K + L), a, b)
    da = np.empty((N, K))
    db = np.empty((N, L))
    REFERENCE.concatenate_backward(y, da, db)
    for n in range(N):
        assert y[n].tolist() == a[n].tolist() + b[n].tolist()
    assert (da == a).all() and (db == b).all()


@pytest.mark.parametrize("t", range(T))
def test_last(t):
    dout = SEQUENCES[:, 0].copy()
    y = result("last_forward", (N, K), SEQUENCES, t=t)
    dx = result("last_backward", (N, T, K), dout, t=t)
    for n, k in product(range(N), range(K)):
        assert y[n, k] == SEQUENCES[n, t, k]
        assert [dx[n, i, k] for i in range(T)] == [dout[n, k] if i == t else 0 for i in range(T)]


def test_scatter():
    x = SEQUENCES[0]
    y = result("scatter", (6, K), x, np.array([4, 0, 5], np.int32))
    expected = [x[1], np.zeros(K), np.zeros(K), np.zeros(K), x[0], x[2]]
    np.testing.assert_array_equal(y, expected)


def test_mask_steps():
    y = result("mask_steps", (N, T, K), SEQUENCES, BIT)
    for n, t, k in product(range(N), range(T), range(K)):
        assert y[n, t, k] == (SEQUENCES[n, t, k] if BIT[n, t] == 1 else 0)


def test_padding_mask():
    words = np.array([[7, 1, 0], [0, 2, 0]], np.int32)
    mask = result("padding_mask", words.shape, words, dtype="int32")
    assert mask.tolist() == [[1, 1, 0], [0, 1, 0]]


def test_words_before():
    words = np.array([[5, 6, 7], [8, 9, 3]], np.int32)
    noise = np.array([[0.0, 0.4, 0.6], [0.0, 0.5, 0.1]])
    before = result("words_before", words.shape, words, noise, dtype="int32", first=2, unknown=1,
                    rate=0.5)
    assert before.tolist() == [[2, 1, 6], [2, 8, 1]]


@pytest.mark.parametrize("border", [((1, 2), (0, 3)), ((0, 0), (2, 0))])
def test_border(border):
    (top, bottom), (left, right) = border
    x = SEQUENCES.reshape(N, T, K, 1)
    H = T + top + bottom
    W = K + left + right
    y = result("pad", (N, H, W, 1), x, border=border)
    for n, i, j in product(range(N), range(H), range(W)):
        within = top <= i < top + T and left <= j < left + K
        assert y[n, i, j, 0] == (x[n, i - top, j - left, 0] if within else 0)
    assert (result("crop", x.shape, y, border=border) == x).all()
