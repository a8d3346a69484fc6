"""Sequences padded to one length, and examples held out for validation."""
import numpy as np

from .. import checks
from ..errors import ScratchVAEError

SIDES = ("pre", "post")


def pad_sequences(sequences, length, padding="pre", truncating="pre", value=0):
    """Return sequences of indices as one array, padded and truncated as Keras does it.

    Parameters
    ----------
    sequences : sequence of sequences of int
    length : int
        The length of each row, at least 1.
    padding : {"pre", "post"}, default "pre"
        Fill short sequences up at the beginning, or at the end.
    truncating : {"pre", "post"}, default "pre"
        Cut long sequences off at the beginning, or at the end.
    value : int, default 0
        The index that fills short sequences.

    Returns
    -------
    int32 array of shape (N, length)

    Raises
    ------
    ScratchVAEError
        If an argument is not one of those allowed.
    """
    length = checks.integer("pad_sequences", "length", length)
    checks.choice("pad_sequences", "padding", padding, SIDES)
    checks.choice("pad_sequences", "truncating", truncating, SIDES)
    padded = np.full((len(sequences), length), value, np.int32)
    for row, sequence in zip(padded, sequences):
        kept = sequence[-length:] if truncating == "pre" else sequence[:length]
        first = length - len(kept) if padding == "pre" else 0
        row[first:first + len(kept)] = kept
    return padded


def split(items, validation=0.2, seed=42):
    """Return items in two parts, for training and for validation, each in the order of the items.

    Parameters
    ----------
    items : list or array
        At least 2.
    validation : float, default 0.2
        The fraction that validates, above 0 and below 1. Each part has at least one item.
    seed : int, default 42
        Seed of the choice.

    Returns
    -------
    (training, validation)
        Arrays if items is one, otherwise lists.

    Raises
    ------
    ScratchVAEError
        If the fraction is out of range, or if there are fewer than 2 items.
    """
    if not 0 < validation < 1:
        raise ScratchVAEError("split: validation must be a number above 0 and below 1, "
                              f"got {validation!r}")
    if len(items) < 2:
        raise ScratchVAEError("split: at least 2 examples are needed for training and validation, "
                              f"got {len(items)}")
    count = min(max(round(validation * len(items)), 1), len(items) - 1)
    held_out = np.zeros(len(items), bool)
    held_out[np.random.default_rng(seed).permutation(len(items))[:count]] = True
    return _chosen(items, ~held_out), _chosen(items, held_out)


def _chosen(items, mask):
    """Return the items where the mask is true, as an array or a list."""
    if isinstance(items, np.ndarray):
        return items[mask]
    return [items[i] for i in np.flatnonzero(mask)]
