"""A trace as one page that needs no network: the numbers of the terminal, and every array as a heat map."""
import base64
from pathlib import Path

import numpy as np

from ...analysis.pages import render
from ...storage import write_text
from .table import describe, name_of, totals

HERE = Path(__file__).parent
BRIGHTEST = 99.5                # percentile of the sizes shown that has the full colour; what is larger looks the same
LEVELS = 127                    # of colour, on each side of 0; a byte of 0 is a gap between tiles


def write_page(trace, path):
    """Write the page, and return its path."""
    write_text(path, render(HERE, trace=contents(trace)))
    return Path(path)


def contents(trace):
    """What the page shows, for JSON."""
    return {"title": trace.subject.title, "about": [line for line in (describe(trace), trace.subject.example, *totals(trace)) if line],
            "findings": [vars(finding) for finding in trace.findings], "step": trace.times.step,
            "events": [event_contents(event, trace) for event in trace.events]}


def event_contents(event, trace):
    """An event, its arrays among it."""
    update, result = trace.updates.get(event.place), event.result
    facts = {}
    if event.direction == "forward":
        facts |= {"output": "x".join(map(str, result.shape)), "mean": result.mean, "spread": result.spread, "zeros": result.zeros}
    elif event.direction == "backward":
        dout = event.arrays.get("dout")
        facts |= {"dout": dout and dout.norm, "dx": result and result.norm, "gradient": event.gradient_norm,
                  "ratio": update and update.ratio, "weight": update and update.weight, "change": update and update.change}
        if event.checked and event.checked.entries:
            facts |= {"entries": event.checked.entries, "error": event.checked.error, "passed": event.checked.passed}
    else:
        updates = [[place, *map(finite, (update.weight, update.change, update.ratio))] for place, update in trace.updates.items()]
        facts |= {"gradient": event.facts["norm"], "clipnorm": event.facts["clipnorm"], "updates": updates,
                  "ratio": event.facts["change"] / event.facts["weight"]}
    return {"place": event.place, "name": name_of(event), "direction": event.direction, "kind": event.kind, "activation": event.activation,
            "formula": event.formula, "parameters": event.parameters, "flops": event.flops, "bytes": event.bytes, "ms": event.ms,
            "peak": event.peak, "arrays": [array_contents(portrait) for portrait in event.arrays.values()],
            **{name: finite(value) for name, value in facts.items()}}


def array_contents(portrait):
    """A portrait, its cells as bytes: round(127 value / scale) + 128."""
    cells = portrait.cells
    known = np.abs(cells[np.isfinite(cells)])
    scale = float(np.percentile(known, BRIGHTEST) or known.max()) if known.size else 0.0
    levels = np.clip(np.nan_to_num(cells / (scale or 1), posinf=1, neginf=-1), -1, 1) * LEVELS + 128
    levels = np.where(np.isnan(cells), 0, levels.round()).astype(np.uint8)
    numbers = {name: finite(getattr(portrait, name)) for name in ("mean", "spread", "zeros", "low", "high", "norm")}
    return {"name": portrait.name, "shape": portrait.shape, "caption": portrait.caption, "rows": cells.shape[0], "columns": cells.shape[1],
            "scale": scale, "cells": base64.b64encode(levels.tobytes()).decode(), **numbers}


def finite(value):
    """The value, or what it is in words if JSON can't express it."""
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
