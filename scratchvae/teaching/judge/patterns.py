"""What a wrong array looks like: a factor, a sign, other axes, a term too few, places.

Each finder compares the wrong array with the right one and returns one sentence with its evidence,
or None. The first finders are the most specific.
"""
import itertools
import re
from typing import NamedTuple

import numpy as np

from .numbers import name_factor
from .places import place_in_words, predicates
from .quantities import quantities
from .recurrent import CARRIED, recurrent_part
from .terms import (
    NEGLIGIBLE,
    combination,
    find_multiple,
    functions_of,
    multiple,
    products,
    simple_terms,
)

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
        if c.declaration.name == "adam_update":
            step = c.options["step"]
            alpha = (1 - c.options["beta_2"] ** step) ** 0.5 / (1 - c.options["beta_1"] ** step)
            return (f"the bias correction: the step is {factor * alpha:.5g} m / sqrt(v) learning "
                    f"rates long, right is {alpha:.5g} = sqrt(1 - beta_2^step) / (1 - beta_1^step)")
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
