"""What a wrong gradient looks like beside its central differences."""
import itertools

import numpy as np

CLOSE = 1e-4                    # relative: differences are not exact


def resemblance(analytic, numeric, shapes):
    """Return in words how a wrong gradient resembles the right one, or an empty text.

    Parameters
    ----------
    analytic, numeric : arrays of one shape
    shapes : dict of name -> tuple
        Of all arrays of the check: a factor may be one of their sizes.
    """
    if not np.isfinite(analytic).all():
        return "not a finite number"
    if not analytic.any():
        return "zero everywhere"
    scale = np.abs(numeric).max()
    if not scale:
        return "should be zero everywhere"
    factor = float((analytic * numeric).sum() / (numeric * numeric).sum())
    if near(analytic, numeric, scale):
        return "right but for rounding"
    if near(analytic, factor * numeric, scale * abs(factor)) and analytic.size > 1:
        return "the sign is wrong" if abs(factor + 1) < CLOSE else (
            f"{name_factor(factor, shapes)} times the right numbers")
    if near(np.abs(analytic), np.abs(numeric), scale):
        return "the sign of some elements is wrong"
    for order in itertools.permutations(range(analytic.ndim)):
        turned = numeric.transpose(order)
        if list(order) != sorted(order) and turned.shape == analytic.shape:
            if near(analytic, turned, scale):
                return "the right numbers with axes exchanged"
    for axis in range(analytic.ndim):
        if analytic.shape[axis] > 1 and near(analytic, np.flip(numeric, axis), scale):
            return f"the right numbers in reverse order along axis {axis}"
    bad = np.abs(analytic - numeric) > CLOSE * scale
    places = ", ".join(str(tuple(map(int, place))) for place in np.argwhere(bad)[:3])
    return f"{bad.sum()} of {bad.size} elements are wrong, the first at {places}"


def near(first, second, scale):
    """Return whether arrays are equal but for the error of central differences."""
    return bool((np.abs(first - second) <= CLOSE * scale).all())


def name_factor(factor, shapes):
    """Return a factor as text, with the size that it equals."""
    for name, shape in shapes.items():
        for axis, size in enumerate(shape):
            if size > 1 and abs(abs(factor) - size) < CLOSE * size:
                return f"{factor:.4g} (the size of axis {axis} of {name})"
            if size > 1 and abs(abs(factor) * size - 1) < CLOSE:
                return f"{factor:.4g} (1 / the size of axis {axis} of {name})"
    inverse = round(1 / factor) if abs(factor) > 1e-6 else 0
    if abs(inverse) > 2 and abs(factor * inverse - 1) < CLOSE:
        return f"{factor:.4g} (1/{inverse})"
    return f"{factor:.4g}"
