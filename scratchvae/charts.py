"""Curves as hand-written SVG: drawn in under a millisecond, and sharp on screen and on paper."""
import math
from html import escape

WIDTH = 360
HEIGHT = 230
LEFT = 54                       # space between each edge of the chart and the axes
RIGHT = 8
TOP = 8
BOTTOM = 38
MOST_MARKERS = 60               # a curve with more epochs has no marker at each
ROUNDING = 1e-6                 # relative: values this close to a tick are on it


def chart(title, ylabel, lines, points=(), log=False, bands=()):
    """Return an SVG of curves by epoch.

    Values that are None, not finite, or not positive on a logarithmic axis are left out.

    Parameters
    ----------
    title : str
        What the curves show, for screen readers.
    ylabel : str
        The label of the vertical axis.
    lines : list of (kind, name, epochs, values)
        The curves: CSS class, name, and two lists of the same length.
    points : list of (epoch, value, name), default ()
        Single values, drawn as crosses.
    log : bool, default False
        The vertical axis is logarithmic.
    bands : list of (kind, epochs, lows, highs), default ()
        Areas between two curves, drawn behind all curves: CSS class, and three lists of the same
        length.

    Returns
    -------
    str
        The SVG; empty if there is nothing to draw.
    """
    curves = [(kind, name, [(x, y) for x, y in zip(epochs, values) if drawable(y, log)])
              for kind, name, epochs, values in lines]
    points = [(x, y, name) for x, y, name in points if drawable(y, log)]
    edges = [(kind, *([(x, y) for x, y in zip(epochs, values) if drawable(y, log)]
                      for values in (lows, highs)))
             for kind, epochs, lows, highs in bands]
    places = [place for _, _, curve in curves for place in curve]
    places += [place for _, low, high in edges for place in low + high]
    places += [(x, y) for x, y, _ in points]
    if not places:
        return ""
    xs = [x for x, _ in places]
    ys = [y for _, y in places]
    last_epoch = max(max(xs), min(xs) + 1)              # an axis needs two values
    place_x, xticks = axis(min(xs), last_epoch, LEFT, WIDTH - RIGHT, whole=True)
    place_y, yticks = axis(min(ys), max(ys), HEIGHT - BOTTOM, TOP, log=log)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)} by epoch">',
        *_vertical_axis(yticks, place_y),
        *_horizontal_axis(xticks, place_x),
        _labels(ylabel),
    ]

    def placed_on_page(curve):
        return [(f"{place_x(x):.1f}", f"{place_y(y):.1f}") for x, y in curve]

    for kind, low, high in edges:
        parts.append(_band(kind, placed_on_page(low + high[::-1])))
    for kind, name, curve in curves:
        placed = placed_on_page(curve)
        parts.append(_polyline(kind, placed))
        if len(curve) <= MOST_MARKERS:
            parts += [_marker(kind, name, *values, *place) for values, place in zip(curve, placed)]
    for x, y, name in points:
        parts.append(_cross(name, x, y, place_x(x), place_y(y)))
    return "".join([*parts, "</svg>"])


def _vertical_axis(ticks, place):
    """Return the grid lines and labels of the vertical axis."""
    parts = []
    for value in ticks:
        y = place(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}"'
                     f' y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    return parts


def _horizontal_axis(ticks, place):
    """Return the labels and the line of the horizontal axis."""
    bottom = HEIGHT - BOTTOM
    parts = [f'<text x="{place(value):.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>'
             for value in ticks]
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}"'
                 f' y1="{bottom}" y2="{bottom}"/>')
    return parts


def _labels(ylabel):
    """Return the labels of both axes."""
    middle_x = (LEFT + WIDTH - RIGHT) / 2
    middle_y = (TOP + HEIGHT - BOTTOM) / 2
    return (f'<text x="{middle_x}" y="{HEIGHT - 5}" text-anchor="middle">epoch</text>'
            f'<text transform="translate(11 {middle_y}) rotate(-90)" text-anchor="middle">'
            f'{escape(ylabel)}</text>')


def _polyline(kind, placed):
    """Return a curve through places on the page."""
    points = " ".join(f"{x},{y}" for x, y in placed)
    return f'<polyline class="{kind}" points="{points}"/>'


def _band(kind, placed):
    """Return an area whose outline runs through places on the page."""
    points = " ".join(f"{x},{y}" for x, y in placed)
    return f'<polygon class="{kind}" points="{points}"/>'


def _marker(kind, name, epoch, value, x, y):
    """Return the marker of one epoch on a curve, with its value as a tooltip."""
    return (f'<circle class="{kind}" cx="{x}" cy="{y}" r="2.2">'
            f'<title>epoch {epoch}, {escape(name)}: {value:.6g}</title></circle>')


def _cross(name, epoch, value, x, y):
    """Return the cross of a single value, with its value as a tooltip."""
    return (f'<path class="reference" d="M{x - 5:.1f} {y:.1f}h10m-5 -5v10">'
            f'<title>epoch {epoch}, {escape(name)}: {value:g}</title></path>')


def drawable(value, log):
    """Return whether a value can be placed on the axis."""
    return value is not None and math.isfinite(value) and (value > 0 or not log)


def axis(low, high, start, end, log=False, whole=False):
    """Return how an axis maps values to positions, and its ticks.

    Parameters
    ----------
    low, high : float
        The range of the values.
    start, end : float
        The positions of the axis's ends.
    log : bool, default False
        The axis is logarithmic.
    whole : bool, default False
        The values are whole numbers. The axis then ends at low and high; otherwise it ends at the
        first and the last tick, which enclose them.

    Returns
    -------
    place : callable
        The position of a value.
    ticks : list of float
        The values to label.
    """
    if log:
        ticks = log_ticks(low, high)
    elif whole:
        ticks = whole_ticks(low, high)
    else:
        ticks = linear_ticks(low, high)
    if not whole:
        low = ticks[0]
        high = ticks[-1]
    scale = math.log if log else float
    first = scale(low)
    last = scale(high)

    def place(value):
        return start + (scale(value) - first) / (last - first) * (end - start)

    return place, ticks


def whole_ticks(low, high):
    """Return round whole numbers within low and high, at most about seven."""
    step = _round_step(max((high - low) / 5, 1))
    first = math.ceil(low / step)
    last = max(math.floor(high / step), first)
    return [round(i * step, 12) for i in range(first, last + 1)]


def linear_ticks(low, high):
    """Return four to seven round values that enclose low and high."""
    span = (high - low) or abs(high) or 1
    step = _round_step(span / 5)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _round_step(least):
    """Return the smallest of 1, 2 and 5 times powers of ten that is not below a step."""
    power = 10 ** math.floor(math.log10(least))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least * 0.999)


def log_ticks(low, high):
    """Return 1, 2 and 5 times powers of ten that enclose low and high."""
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 2)
    ticks = [digit * 10.0 ** power for power in powers for digit in (1, 2, 5)]
    first = max(i for i, tick in enumerate(ticks) if tick <= low * (1 + ROUNDING))
    last = min(i for i, tick in enumerate(ticks) if tick >= high * (1 - ROUNDING))
    return ticks[first:max(last, first + 1) + 1]
