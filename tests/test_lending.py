"""Layers take turns with one piece of memory; threads do not."""
import gc
import threading
import weakref

import numpy as np
from scratchvae.kernels.cpu import lending

FLOAT = np.dtype("float32")


def test_arrays_are_apart_aligned_and_lent_again():
    lender = lending.Lender()
    a, b = lender.lend(FLOAT, (3, 5), (7,))
    assert (a.shape, b.shape, a.dtype) == ((3, 5), (7,), FLOAT)
    a[...] = 1
    b[...] = 2
    assert (a == 1).all()
    assert a.ctypes.data % 64 == b.ctypes.data % 64 == 0
    c, = lender.lend(np.dtype("float64"), (4,))
    assert np.shares_memory(a, c)
    assert not np.shares_memory(a, *lender.lend(FLOAT, (1000,)))        # it was too small


def test_threads_have_memory_of_their_own():
    lender = lending.Lender()
    others = []
    thread = threading.Thread(target=lambda: others.extend(lender.lend(FLOAT, (9,))))
    thread.start()
    thread.join()
    assert not np.shares_memory(*others, *lender.lend(FLOAT, (9,)))


def test_memory_is_freed_with_the_last_scratch_that_may_borrow(monkeypatch):
    monkeypatch.setattr(lending, "_lenders", weakref.WeakValueDictionary())
    first = lending.lender()
    assert lending.lender() is first
    memory = weakref.ref(first.lend(FLOAT, (10,))[0].base)
    del first
    gc.collect()
    assert memory() is None
