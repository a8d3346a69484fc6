"""Where an array is wrong, in words: the places that typical mistakes single out.

The functions take a Comparison of patterns.py.
"""
import numpy as np

from ...kernels.windows import padding_before
from .terms import letters_of


def place_in_words(c, bad):
    """Return where a bool array is true, in words, or an empty text."""
    if bad.all():
        return "everywhere"
    for words, places in predicates(c):
        if places.shape == bad.shape and places.any() and not places.all():
            if (bad == places).all():
                return f"where {words}"
            if not (bad & ~places).any() and bad.sum() >= 0.7 * places.sum():
                return f"where {words}"
    for axis, letter in enumerate(c.letters):
        others = tuple(i for i in range(bad.ndim) if i != axis)
        indices = np.flatnonzero(bad.any(axis=others)).tolist()
        size = bad.shape[axis]
        if size < 3 or len(indices) == size:
            continue
        if indices == [0]:
            return f"in the first of {size} along {letter}"
        if indices == [size - 1]:
            return f"in the last of {size} along {letter}"
        if indices == [0, size - 1] and size > 3:
            return f"at both ends of {letter}"
    inner = np.zeros_like(bad)
    if "P" in c.letters and "Q" in c.letters or "H" in c.letters:
        height = next(i for i, letter in enumerate(c.letters) if letter in "PH")
        middle = (slice(None),) * height + (slice(1, -1), slice(1, -1))
        inner[middle] = True
        if min(bad.shape[height:height + 2]) > 2 and not bad[inner].any():
            return "at the edges of the images"
    return ""


def predicates(c):
    """Yield (words, bool array) of places that mistakes single out."""
    for name, declared in c.declaration.arrays.items():
        array = c.arrays.get(name)
        if array is None:
            continue
        letters = letters_of(declared, array)
        if declared.kind == "index" and declared.bound in c.letters:
            counts = np.bincount(array.ravel(), minlength=c.sizes[declared.bound])
            axis = c.letters.index(declared.bound)
            yield from spread(c, f"{name} has an index twice: contributions must be added up, not "
                              "overwritten", counts > 1, (declared.bound,), axis)
            continue
        if not set(letters) <= set(c.letters) or declared.output and name == c.name:
            continue
        array = c.part(array, letters)
        for words, places in ((f"{name} < 0", array < 0), (f"{name} > 0", array > 0),
                              (f"{name} = 0", array == 0), (f"{name} is not 0", array != 0)):
            yield from spread(c, words, places, letters)
    met = overlaps(c)
    if met is not None:
        letters = "PQ" if c.declaration.family == "conv2d_transpose" else "HW"
        yield from spread(c, "several windows meet a pixel: contributions must be added up, not "
                          "overwritten", met, tuple(letters))
    yield "the right number is 0", np.abs(c.right) < 1e-12
    yield "the right number is below 0", c.right < 0
    yield "the right number is above 0", c.right > 0


def overlaps(c):
    """Return where several windows meet a pixel, for an array of the finer images; or None."""
    window = c.options.get("window")
    if window is None or not {"A", "B"} <= c.sizes.keys():
        return None
    kernel = c.options.get("pool_size", (c.sizes["A"], c.sizes["B"]))
    letters = "PQ" if c.declaration.family == "conv2d_transpose" else "HW"
    if not set(letters) <= set(c.letters):
        return None
    coarse = "HW" if letters == "PQ" else "PQ"
    counts = []
    for fine_letter, coarse_letter, size, stride in zip(letters, coarse, kernel, window.strides):
        fine = c.sizes[fine_letter]
        stops = c.sizes[coarse_letter]
        start = padding_before(fine, stops, size, stride)
        met = [p * stride + a - start for p in range(stops) for a in range(size)]
        counts.append(np.bincount([i for i in met if 0 <= i < fine], minlength=fine))
    return np.outer(*counts) > 1


def spread(c, words, places, letters, axis=None):
    """Yield a predicate that is repeated along the axes of the result that it lacks."""
    order = [letters.index(letter) for letter in c.letters if letter in letters]
    places = places.transpose(order)
    for i, letter in enumerate(c.letters):
        if letter not in letters:
            places = np.expand_dims(places, i)
    yield words, np.broadcast_to(places, c.wrong.shape)
