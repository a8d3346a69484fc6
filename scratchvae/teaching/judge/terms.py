"""Terms: products of an operation's arrays, to compare a wrong result with.

An array has letters for its axes, from the operation's declaration. A term for a result with the
letters KM is a product of arrays, summed over all other letters: x[NK] dout[NM] gives the matrix
product x^T dout. A wrong result often equals such a term, or differs from the right one by it.
"""
import itertools
import re
from typing import NamedTuple

import numpy as np

NEGLIGIBLE = 1e-7               # relative; what is left of a difference that a term explains


class Term(NamedTuple):
    """A named array with a letter for each axis.

    Attributes
    ----------
    name : str
        In the notation of the derivations: "x^", "dout", "1 - y^2".
    letters : tuple of str
    array : float64 array
    """
    name: str
    letters: tuple
    array: np.ndarray


def letters_of(declared, array):
    """Return a letter for each axis of a declared array: its axes, or numbers for any shape."""
    if declared.any_shape:
        return tuple(f"axis {i}" for i in range(array.ndim))
    return declared.axes


def simple_terms(declaration, arrays, extras):
    """Return the Terms that are arrays of a call, and functions of one array.

    Parameters
    ----------
    declaration : Declaration
    arrays : dict of name -> array
        Inputs, and right results.
    extras : list of Term
        Quantities of the operation's derivation.
    """
    terms = []
    for name, declared in declaration.arrays.items():
        array = arrays.get(name)
        if array is None or declared.kind in ("index", "place"):
            continue
        if not declared.output or declared.updated:
            name = f"{name} before" if declared.updated else name
            terms.append(Term(name, letters_of(declared, array), array.astype(np.float64)))
    return terms + extras


def functions_of(term):
    """Return the functions of a Term's numbers that derivatives are made of."""
    name, letters, f = term
    short = name if re.fullmatch(r"[\w^]+", name) else f"({name})"
    values = {
        f"{short}^2": f * f,
        f"(1 - {short})": 1 - f,
        f"{short} (1 - {short})": f * (1 - f),
        f"(1 - {short}^2)": 1 - f * f,
        f"[{short} > 0]": (f > 0) * 1.0,
    }
    if "log_var" in name:
        values |= {f"exp({short} / 2)": np.exp(f / 2), f"exp({short})": np.exp(f)}
    return [Term(text, letters, value) for text, value in values.items()]


def products(terms, letters, shape, most=3):
    """Yield Terms for a result of these letters: products of up to three terms, summed.

    A letter that the result has and the product lacks is a repetition of the same numbers; at
    least one letter is shared. Numbers that are constant over the result are not yielded: a
    constant factor is another finding.

    Parameters
    ----------
    terms : list of Term
    letters : tuple of str
    shape : tuple of int
    most : int
        How many terms a product has at most.
    """
    symbols = {}
    for term in terms:
        for letter in (*term.letters, *letters):
            symbols.setdefault(letter, chr(ord("a") + len(symbols)))
    for count in range(1, most + 1):
        for chosen in itertools.combinations(terms, count):
            inputs = ["".join(symbols[letter] for letter in term.letters) for term in chosen]
            kept = [letter for letter in letters if symbols[letter] in "".join(inputs)]
            if not kept:
                continue
            output = "".join(symbols[letter] for letter in kept)
            array = np.einsum(f"{','.join(inputs)}->{output}", *(term.array for term in chosen))
            array = np.expand_dims(array, [i for i, letter in enumerate(letters)
                                           if letter not in kept])
            summed = [letter for letter in dict.fromkeys(itertools.chain(
                *(term.letters for term in chosen))) if letter not in letters]
            name = " ".join(term.name for term in chosen)
            if summed:
                name = f"sum over {' and '.join(summed)} of {name}"
            full = np.broadcast_to(array, shape)
            if np.isfinite(full).all() and np.ptp(full) > 0:
                yield Term(name, letters, full)


def multiple(target, term):
    """Return c if target = c * term in all elements, otherwise None."""
    scale = np.abs(target).max()
    length = float((term * term).sum())
    if not scale or not length:
        return None
    c = float((target * term).sum()) / length
    return c if np.abs(target - c * term).max() <= NEGLIGIBLE * scale else None


def find_multiple(target, candidates):
    """Return (c, Term) of the first candidate with target = c * term, or None.

    Parameters
    ----------
    target : array
    candidates : iterable of Term
    """
    for term in candidates:
        c = multiple(target, term.array)
        if c is not None:
            return c, term
    return None


def combination(target, terms):
    """Return the coefficients of target as a sum of at most three of the terms, or None.

    Returns
    -------
    list of (float, Term) or None
    """
    scale = np.abs(target).max()
    for count in (1, 2, 3) if len(terms) <= 45 else (1, 2):
        for chosen in itertools.combinations(terms, count):
            matrix = np.stack([np.broadcast_to(term.array, target.shape).ravel()
                               for term in chosen], axis=1)
            if np.count_nonzero(np.abs(matrix).max(axis=1)) < count + 3:
                continue                # a few numbers always fit
            coefficients, _, rank, _ = np.linalg.lstsq(matrix, target.ravel(), rcond=None)
            rest = np.abs(matrix @ coefficients - target.ravel()).max()
            if rank == count and rest <= NEGLIGIBLE * scale:
                return list(zip(map(float, coefficients), chosen))
    return None
