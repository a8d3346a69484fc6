"""What a wrong array looks like: a factor, a sign, other axes, a term too few, places.

Each finder compares the wrong array with the right one and returns one sentence with its evidence,
or None. The first finders are the most specific.
"""
import itertools
import re
from typing import NamedTuple

import numpy as np

from ...kernels.windows import padding_before
from .numbers import name_factor
from .quantities import PARTS, quantities
from .terms import (
    NEGLIGIBLE,
    combination,
    find_multiple,
    functions_of,
    letters_of,
    multiple,
    products,
    simple_terms,
)

CARRIED = "look at what is carried from one step to the next"
LARGE = 400                     # elements
MOST = 45                       # products that are tried as parts of a sum
FEW = 4                         # equal numbers prove nothing if there are fewer


class Comparison(NamedTuple):
    """A wrong array beside the right one, and the call that wrote it.

    Attributes
    ----------
    declaration : Declaration
    name : str
        The array's.
    wrong, right : float64 arrays of one shape
    before : array or None
        What an array that is updated held before the call.
    letters : tuple of str
        A letter for each axis.
    sizes : dict of letter -> int
    options : dict of name -> value
    arrays : dict of name -> array
        The arguments of the call, of the forward pass before it, and the right results.
    cut : dict of letter -> index
        The part of some axes that is compared: a slice, or a bool array.
    """
    declaration: object
    name: str
    wrong: np.ndarray
    right: np.ndarray
    before: np.ndarray
    letters: tuple
    sizes: dict
    options: dict
    arrays: dict
    cut: dict = {}

    @property
    def bad(self):
        """Where the array is wrong, a bool array."""
        return differs(self.wrong, self.right)

    def terms(self):
        """Return the arrays and quantities that the result may be made of."""
        terms = simple_terms(self.declaration, self.arrays,
                             quantities(self.declaration, self.arrays, self.options))
        return [term._replace(array=self.part(term.array, term.letters)) for term in terms]

    def part(self, array, letters):
        """Return the part of an array that is compared."""
        for axis, letter in enumerate(letters):
            if letter in self.cut:
                array = array[(slice(None),) * axis + (self.cut[letter],)]
        return array

    def number(self, factor):
        """Return a factor with its name."""
        letters = self.declaration.letters
        sizes = {letter: self.sizes[letter] for letter in letters}
        return name_factor(factor, sizes, self.options)

    def knows(self, factor):
        """Return whether a factor has a name in this call."""
        text = self.number(factor).lstrip("-")
        return text in ("1", "2") or not re.fullmatch(r"[\d.e+-]+", text)

    def within(self, index, letters=None):
        """Return the Comparison of a part of the array."""
        return self._replace(
            wrong=self.wrong[index], right=self.right[index],
            before=None if self.before is None else self.before[index],
            letters=self.letters if letters is None else letters)


def differs(wrong, right, tolerance=1e-9):
    """Return where two arrays differ by more than rounding; NaN and infinity are compared, too."""
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(right)
        scale = max(1e-3, np.abs(right[finite]).max(initial=0))
        far = np.abs(wrong - right) > tolerance * scale
    same = (wrong == right) | np.isnan(wrong) & np.isnan(right)
    return (far | ~np.isfinite(wrong) | ~finite) & ~same


def looks_like(comparison):
    """Return what a wrong array looks like: sentences, the most telling first, at most two."""
    found = not_finite(comparison)
    if found:
        return [found]
    where, comparison = recurrent_part(comparison)
    if where.endswith(CARRIED):
        return [where]
    for finder in (as_before, zeros, constant, rearranged, signs, two_factors):
        found = finder(comparison)
        if found:
            return [where + found]
    places = wrong_places(comparison)
    found = made_of(comparison)
    if places and not found:
        found = at_these_places(comparison)
    sentences = [sentence for sentence in (found, places) if sentence]
    if not sentences and hardly_differs(comparison):
        sentences = [hardly_differs(comparison)]
    if not sentences and where:
        return [where.removesuffix(": ")]
    return [where + sentence for sentence in sentences]


def not_finite(c):
    """NaN or infinity where the right numbers are finite."""
    nan = np.isnan(c.wrong) & ~np.isnan(c.right)
    if not nan.any() and not (np.isinf(c.wrong) & np.isfinite(c.right)).any():
        return None
    if not nan.any():
        return "infinite where the right numbers are finite: something overflows"
    where = place_in_words(c, nan)
    return f"not a number {where}" if where else "not a number in some elements"


def as_before(c):
    """An updated array that was left alone, or overwritten instead of added to."""
    if c.before is None:
        return None
    if not differs(c.wrong, c.before).any():
        return "unchanged: the call should have updated it"
    if not differs(c.wrong, c.right - c.before).any():
        return ("the right gradient without what the array held before: it must be added, +=, "
                "not set")
    factor = multiple(c.wrong - c.before, c.right - c.before)
    if factor is not None and c.wrong.size >= FEW and abs(factor - 1) > 1e-5:
        return f"its change is {c.number(factor)} times the right change"
    return None


def zeros(c):
    """Nothing but zeros."""
    return "zero in all elements" if not c.wrong.any() and c.right.any() else None


def constant(c):
    """A constant factor, or a constant that was added."""
    if c.wrong.size < 2:
        return None
    factor = multiple(c.wrong, c.right)
    if factor is not None and abs(factor - 1) > 1e-5:
        if abs(factor + 1) < NEGLIGIBLE:
            return f"the sign is wrong: all {c.wrong.size} elements are -1 times the right ones"
        return (f"a constant factor: all {c.wrong.size} elements are {c.number(factor)} times the "
                "right ones")
    difference = c.wrong - c.right
    if c.wrong.size >= FEW and np.ptp(difference) <= NEGLIGIBLE * np.abs(difference).max():
        return f"{c.number(difference.flat[0])} was added to all elements"
    return None


def rearranged(c):
    """The right numbers in other places: axes exchanged, reversed, or shifted."""
    if c.wrong.size < FEW or c.wrong.ndim == 0:
        return None
    axes = range(c.wrong.ndim)
    for order in itertools.permutations(axes):
        turned = c.right.transpose(order)
        if list(order) != list(axes) and turned.shape == c.wrong.shape:
            if not differs(c.wrong, turned).any():
                moved = [c.letters[i] for i in axes if order[i] != i]
                return f"the right numbers with the axes {' and '.join(moved)} exchanged"
        flat = turned.reshape(c.wrong.shape)
        if list(order) != list(axes) and not differs(c.wrong, flat).any():
            return (f"the right numbers in the order of ({', '.join(c.letters[i] for i in order)}) "
                    "instead of " f"({', '.join(c.letters)})")
    for count in (1, 2):
        for chosen in itertools.combinations(axes, count):
            names = " and ".join(c.letters[i] for i in chosen)
            if not differs(c.wrong, np.flip(c.right, chosen)).any():
                return f"the right numbers in reverse order along {names}"
    for axis in axes:
        for shift in (1, -1):
            if c.wrong.shape[axis] > 3:
                inner = [slice(None)] * c.wrong.ndim
                inner[axis] = slice(1, -1)
                if not differs(c.wrong, np.roll(c.right, shift, axis))[tuple(inner)].any():
                    return f"the right numbers shifted by one place along {c.letters[axis]}"
    return None


def signs(c):
    """Right but for the sign of some elements."""
    if differs(np.abs(c.wrong), np.abs(c.right)).any() or c.wrong.size < FEW:
        return None
    where = place_in_words(c, c.bad)
    return f"the sign is wrong {where or 'of some elements'}, the sizes are right"


def two_factors(c):
    """One factor on one side of a condition, another one on the other side."""
    for words, places in predicates(c):
        if places.shape != c.wrong.shape or min(places.sum(), (~places).sum()) < 2:
            continue
        inside = multiple(c.wrong[places], c.right[places])
        outside = multiple(c.wrong[~places], c.right[~places])
        if inside is not None and outside is not None and abs(inside - outside) > 1e-3:
            beyond = "it is right" if abs(outside - 1) < NEGLIGIBLE else (
                f"{c.number(outside)} times")
            return (f"where {words} it is {c.number(inside)} times the right numbers, elsewhere "
                    f"{beyond}")
    return None


def hardly_differs(c):
    """A difference far below the numbers' size."""
    size = np.abs(c.wrong - c.right).max() / np.abs(c.right).max(initial=1e-300)
    if size < 1e-4:
        return (f"the numbers differ by {size:.0e} of their size only: look at small constants "
                "such as epsilon, and at where they are added")
    return ""


def made_of(c):
    """The wrong array, or its ratio to or difference from the right one, as a product of terms."""
    if c.wrong.size < FEW or not np.isfinite(c.right).all():
        return None
    if c.wrong.size > LARGE:            # products of large arrays take too long
        return None
    terms = c.terms()
    functions = [function for term in terms for function in functions_of(term)]
    plain = list(products(terms, c.letters, c.wrong.shape, 2))
    for finder in (ratio_is, difference_is, itself_is, itself_combines):
        found = finder(c, plain)
        if found:
            return found
    for candidates in (products(terms + functions, c.letters, c.wrong.shape, 2),
                       products(terms, c.letters, c.wrong.shape, 3)):
        candidates = list(candidates)
        for finder in (ratio_is, difference_is, itself_is):
            found = finder(c, candidates)
            if found:
                return found
    return None


def ratio_is(c, candidates):
    """A factor that differs from element to element."""
    used = np.abs(c.right) > 1e-9 * np.abs(c.right).max()
    if used.sum() < FEW or (np.abs(c.wrong[~used]) > 1e-9).any():
        return None
    ratio = c.wrong[used] / c.right[used]
    varied = [term._replace(array=term.array[used]) for term in candidates
              if "sum over" not in term.name and np.ptp(term.array[used]) > 0]
    found = find_multiple(ratio, varied)
    if found:
        factor, term = found
        by = "" if abs(factor - 1) < NEGLIGIBLE else f" and {c.number(factor)}"
        return f"a factor too many: each element is the right one times {term.name}{by}"
    if (np.abs(ratio) > NEGLIGIBLE).all():
        found = find_multiple(1 / ratio, varied)
        if found:
            factor, term = found
            by = "" if abs(factor - 1) < NEGLIGIBLE else f", also by {c.number(factor)}"
            return f"a factor is missing: each element is the right one divided by {term.name}{by}"
    return None


def difference_is(c, candidates):
    """A term that is missing, or too many."""
    found = find_multiple(c.right - c.wrong, candidates)
    if not found:
        return None
    factor, term = found
    size = c.number(abs(factor))
    size = "" if size == "1" else f"{size} times "
    operator = "plus" if factor > 0 else "minus"
    return f"a term is missing or doubled: right is yours {operator} {size}{term.name}"


def itself_is(c, candidates):
    """What was computed, if it is one product of terms."""
    found = find_multiple(c.wrong, candidates)
    if not found:
        return None
    factor, term = found
    size = c.number(factor)
    size = "" if size == "1" else f"{size} times "
    return f"what was computed is {size}{term.name}"


def itself_combines(c, terms):
    """What was computed and what is right, as sums of a few terms with constant factors."""
    terms = [term for term in terms if "sum over" not in term.name][:MOST]
    wrong = combination(c.wrong, terms)
    if wrong is None or not all(c.knows(factor) for factor, _ in wrong):
        return None
    right = combination(c.right, terms)
    in_words = sum_of(c, wrong)
    if right is None or not all(c.knows(factor) for factor, _ in right):
        return f"what was computed is {in_words}"
    return f"what was computed is {in_words}; right is {sum_of(c, right)}"


def sum_of(c, parts):
    """Return a sum of multiples of terms as text."""
    text = " + ".join(f"({c.number(factor)}) {term.name}" for factor, term in parts)
    return text.replace("(1) ", "").replace("+ (-1) ", "- ").replace("(-1) ", "-")


def at_these_places(c):
    """A factor or a known number in the places that are wrong."""
    bad = c.bad
    wrong = c.wrong[bad]
    right = c.right[bad]
    if len(wrong) < 2:
        return None
    if np.ptp(wrong) == 0:
        return f"where it is wrong, it is {c.number(wrong[0])} everywhere"
    factor = multiple(wrong, right)
    if factor is not None:
        return f"where it is wrong, it is {c.number(factor)} times the right numbers"
    terms = products(c.terms(), c.letters, c.wrong.shape, 1)
    found = find_multiple(wrong, [term._replace(array=term.array[bad]) for term in terms])
    if found:
        factor, term = found
        size = c.number(factor)
        return f"where it is wrong, it is {'' if size == '1' else size + ' times '}{term.name}"
    return None


def wrong_places(c):
    """Where the array is wrong, if not everywhere."""
    bad = c.bad
    if bad.all():
        return None
    where = place_in_words(c, bad)
    return f"wrong only {where}" if where else None


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


def carried(c, axis, steps, first):
    """Return for which sequences a recurrence goes wrong, by the mask of the step before."""
    previous = steps[steps.index(first) - 1]
    mask = c.arrays["mask"][:, previous]
    bad = c.bad.take(first, axis)
    bad = bad.any(axis=tuple(range(1, bad.ndim)))
    words = ""
    for value in (0, 1):
        if bad.any() and not bad.all() and not (bad & (mask != value)).any():
            words = f", for sequences whose mask is {value} at step {previous}"
    if c.declaration.family == "lstm" and "4U" in c.letters:
        gates = np.split(c.bad.take(first, axis), 4, axis=-1)
        if not gates[3].any():
            words += " (dh is right there, since the part of o is: dc is not)"
    return words


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


def recurrent_part(c):
    """Return (words, Comparison) of the step and gate where a recurrent layer is wrong first."""
    gates = PARTS.get(c.declaration.family)
    if not gates or not c.bad.any():
        return "", c
    words = ""
    if "T" in c.letters:
        axis = c.letters.index("T")
        steps = list(range(c.wrong.shape[axis]))
        if c.declaration.name.endswith("backward") != bool(c.options["go_backwards"]):
            steps.reverse()
        first = next(t for t in steps if c.bad.take(t, axis).any())
        if first != steps[0]:
            return (f"right at step {steps[0]}, which is computed first, and wrong at step {first}"
                    f"{carried(c, axis, steps, first)}: {CARRIED}"), c
        taken = c.arrays["mask"][:, first] != 0
        here = slice(first, first + 1)
        if "N" in c.letters and taken.any() and not c.bad.take(first, axis)[~taken].any():
            c = c.within(taken)._replace(cut={"N": taken})
        c = c.within((slice(None),) * axis + (here,))._replace(cut=c.cut | {"T": here})
    if f"{len(gates)}U" in c.letters:
        axis = c.letters.index(f"{len(gates)}U")
        parts = np.split(np.arange(c.wrong.shape[axis]), len(gates))
        wrong = [i for i, part in enumerate(parts) if c.bad.take(part, axis).any()]
        if len(wrong) < len(gates):
            words += f"in the part of {' and '.join(gates[i] for i in wrong)} alone: "
            if len(wrong) > 1:
                words += f"look at {gates[wrong[-1]]} first: "
            first = parts[wrong[-1]]
            index = (slice(None),) * axis + (slice(first[0], first[-1] + 1),)
            letters = tuple(other if i != axis else "gate" if "U" in c.letters else "U"
                            for i, other in enumerate(c.letters))
            c = c.within(index, letters)
    return words, c
