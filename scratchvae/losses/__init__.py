"""Reconstruction losses: how badly the decoder's output fits an example x.

A loss owns the decoder's output activation and computes from the logits before it (see
kernels/reference/losses.py). It is `scale` times the mean over the elements of an example; with
scale = number of elements, it is their sum.
"""
import re

from .. import checks
from .numbers import BinaryCrossentropy, SquaredError
from .table import TableLoss
from .words import OneHotBinaryCrossentropy, SparseCategoricalCrossentropy

LOSSES = {loss.name: loss for loss in (BinaryCrossentropy, SquaredError, TableLoss,
                                       SparseCategoricalCrossentropy, OneHotBinaryCrossentropy)}


def get(name):
    """Return the loss class of that name."""
    return LOSSES[checks.choice("model", "reconstruction", name, LOSSES)]


def parse(text):
    """Return the loss class that a text names, and the sizes in parentheses behind the name.

    Parameters
    ----------
    text : str
        "squared_error"; or "table(3, 2)", whose class takes sizes.

    Returns
    -------
    class, tuple of int
    """
    parts = re.fullmatch(r"table\((\d+(?:, *\d+)*)\)", text) if isinstance(text, str) else None
    if parts:
        return TableLoss, tuple(map(int, parts[1].split(",")))
    return get(text), ()
