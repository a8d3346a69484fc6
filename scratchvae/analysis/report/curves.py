"""Curves as SVG, written by hand: a page of them costs less than a millisecond, and is sharp on every screen and on paper."""
import math
from html import escape

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 54, 8, 8, 38         # between the edge and the axes
MOST_MARKERS = 60                               # epochs, beyond which a curve has no marker at each


def chart(title, ylabel, lines, points=(), log=False):
    """An SVG of lines by epoch, as text.

    lines: (CSS class, name, epochs, values) of each.  points: (epoch, value, name) of single ones, drawn as crosses.  log: the
    vertical axis is logarithmic.  Values that are not finite are left out.
    """
    lines = [(kind, name, [(x, y) for x, y in zip(epochs, values) if drawable(y, log)]) for kind, name, epochs, values in lines]
    points = [point for point in points if drawable(point[1], log)]
    xs = [x for *_, line in lines for x, _ in line] + [x for x, *_ in points]
    ys = [y for *_, line in lines for _, y in line] + [y for _, y, _ in points]
    if not ys:
        return ""
    place_x, xticks = axis(min(xs), max(max(xs), min(xs) + 1), LEFT, WIDTH - RIGHT, whole=True)
    place_y, yticks = axis(min(ys), max(ys), HEIGHT - BOTTOM, TOP, log=log)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)} by epoch">']
    for value in yticks:
        y = place_y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                     f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in xticks:
        parts.append(f'<text x="{place_x(value):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
                 f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 5}" text-anchor="middle">epoch</text>'
                 f'<text transform="translate(11 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{escape(ylabel)}</text>')
    for kind, name, line in lines:
        parts.append(f'<polyline class="{kind}" points="{" ".join(f"{place_x(x):.1f},{place_y(y):.1f}" for x, y in line)}"/>')
        if len(line) <= MOST_MARKERS:
            parts += [f'<circle class="{kind}" cx="{place_x(x):.1f}" cy="{place_y(y):.1f}" r="2.2"><title>epoch {x}, {escape(name)}: {y:.6g}'
                      "</title></circle>" for x, y in line]
    for x, y, name in points:
        parts.append(f'<path class="reference" d="M{place_x(x) - 5:.1f} {place_y(y):.1f}h10m-5 -5v10"><title>epoch {x}, {escape(name)}: {y:g}'
                     "</title></path>")
    return "".join([*parts, "</svg>"])


def drawable(value, log):
    """Whether a value has a place on the axis."""
    return value is not None and math.isfinite(value) and (value > 0 or not log)


def axis(low, high, start, end, log=False, whole=False):
    """(place, ticks) of an axis from low to high that is drawn from start to end: a function of a value, and values to label."""
    ticks = log_ticks(low, high) if log else linear_ticks(low, high, 1 if whole else 0)
    scale = math.log if log else float
    if not whole:                                               # the axis ends at ticks; epochs end where they end
        low, high = ticks[0], ticks[-1]
    first, last = scale(low), scale(high)
    return lambda value: start + (scale(value) - first) / (last - first) * (end - start), ticks


def linear_ticks(low, high, least_step):
    """Four to seven round values: within low and high if they are whole (least_step 1), else around them."""
    span = (high - low) or abs(high) or 1
    raw = max(span / 5, least_step)
    power = 10 ** math.floor(math.log10(raw))
    step = next(round_step * power for round_step in (1, 2, 5, 10) if round_step * power >= raw * 0.999)
    first, last = (math.ceil(low / step), math.floor(high / step)) if least_step else (math.floor(low / step), math.ceil(high / step))
    return [round(i * step, 12) for i in range(first, max(last, first + (not least_step)) + 1)]


def log_ticks(low, high):
    """1, 2 and 5 times powers of ten, around low and high."""
    ticks = [round_step * 10.0 ** power for power in range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 2)
             for round_step in (1, 2, 5)]
    first = max(i for i, tick in enumerate(ticks) if tick <= low * 1.000001)
    last = min(i for i, tick in enumerate(ticks) if tick >= high * 0.999999)
    return ticks[first:max(last, first + 1) + 1]
