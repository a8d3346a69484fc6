"""Sequences of one length, and examples held out."""

import numpy as np

from ..errors import ScratchVAEError

SIDES = ("pre", "post")


def pad_sequences(sequences, length, padding="pre", truncating="pre", value=0):
    """Sequences of indices as an array, int32 (N, length), as Keras does it.

    Shorter ones are filled up with `value` in front ("pre") or behind ("post"); longer ones lose
    what is too much, in front or
    behind.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in SIDES:
            raise ScratchVAEError(f"{name}: {side!r} is unknown; allowed: {', '.join(SIDES)}")
    if length < 1:
        raise ScratchVAEError(f"length: {length} is out of range; allowed: 1 or more")
    padded = np.full((len(sequences), length), value, np.int32)
    for row, sequence in zip(padded, sequences):
        kept = sequence[-length:] if truncating == "pre" else sequence[:length]
        row[length - len(kept) if padding == "pre" else 0 :][: len(kept)] = kept
    return padded


def split(items, validation=0.2, seed=42):
    """(training, validation) items of a list or an array: about that part of them, drawn by the
    seed, validates.

    Both keep the order of the items, and each has at least one.
    """
    if not 0 < validation < 1:
        raise ScratchVAEError(f"validation: {validation} is out of range; allowed: between 0 and 1")
    if len(items) < 2:
        raise ScratchVAEError(
            f"{len(items)} examples can't be split into training and validation; needed: 2 or more"
        )
    count = min(max(round(validation * len(items)), 1), len(items) - 1)
    held_out = np.zeros(len(items), bool)
    held_out[np.random.default_rng(seed).permutation(len(items))[:count]] = True
    return tuple(
        items[chosen]
        if isinstance(items, np.ndarray)
        else [items[i] for i in np.flatnonzero(chosen)]
        for chosen in (~held_out, held_out)
    )
