"""Write a trace as one HTML page that needs no network: its numbers, and arrays as heat maps."""

import base64
from pathlib import Path

import numpy as np

from ...analysis.pages import render
from ...storage import write_text
from .table import describe, name_of, totals

HERE = Path(__file__).parent
BRIGHTEST = 99.5  # percentile of the absolute values that gets the full colour
LEVELS = 127  # of colour on each side of 0; the byte 0 is a gap between tiles


def write_page(trace, path):
    """Write the page of a trace to the file `path`, and return the path."""
    write_text(path, page_of(trace))
    return Path(path)


def page_of(trace):
    """Return the page of a trace as text."""
    return render(HERE, trace=contents(trace))


def contents(trace):
    """Return the content of the page, as a dict for JSON."""
    about = [describe(trace), trace.subject.example, *totals(trace)]
    return {
        "title": trace.subject.title,
        "about": [line for line in about if line],
        "findings": [vars(finding) for finding in trace.findings],
        "step": trace.times.step,
        "events": [event_contents(event, trace) for event in trace.events],
    }


def event_contents(event, trace):
    """Return an event with its arrays, as a dict for JSON."""
    facts_of = {"forward": forward_facts, "backward": backward_facts, "update": update_facts}
    facts = facts_of[event.direction](event, trace)
    return {
        "place": event.place,
        "name": name_of(event),
        "direction": event.direction,
        "kind": event.kind,
        "activation": event.activation,
        "formula": event.formula,
        "parameters": event.parameters,
        "flops": event.flops,
        "bytes": event.bytes,
        "ms": event.ms,
        "peak": event.peak,
        "arrays": [array_contents(portrait) for portrait in event.arrays.values()],
        **{name: finite(value) for name, value in facts.items()},
    }


def forward_facts(event, trace):
    """Return the statistics of an output."""
    output = event.result
    return {
        "output": "x".join(map(str, output.shape)),
        "mean": output.mean,
        "spread": output.spread,
        "zeros": output.zeros,
    }


def backward_facts(event, trace):
    """Return the norms of gradients, the size of the update, and the result of the check."""
    dout = event.arrays.get("dout")
    update = trace.updates.get(event.place)
    facts = {
        "dout": dout and dout.norm,
        "dx": event.result and event.result.norm,
        "gradient": event.gradient_norm,
        "ratio": update and update.ratio,
        "weight": update and update.weight,
        "change": update and update.change,
    }
    if event.checked and event.checked.entries:
        facts |= {
            "entries": event.checked.entries,
            "error": event.checked.error,
            "passed": event.checked.passed,
        }
    return facts


def update_facts(event, trace):
    """Return the sizes of the optimizer's step, as a whole and for each layer."""
    updates = [
        [place, finite(update.weight), finite(update.change), finite(update.ratio)]
        for place, update in trace.updates.items()
    ]
    return {
        "gradient": event.facts["norm"],
        "clipnorm": event.facts["clipnorm"],
        "updates": updates,
        "ratio": event.facts["change"] / event.facts["weight"],
    }


def array_contents(portrait):
    """Return a portrait with its cells as bytes: round(127 value / scale) + 128."""
    cells = portrait.cells
    known = np.abs(cells[np.isfinite(cells)])
    scale = float(np.percentile(known, BRIGHTEST) or known.max()) if known.size else 0.0
    shares = np.nan_to_num(cells / (scale or 1), posinf=1, neginf=-1)
    levels = np.clip(shares, -1, 1) * LEVELS + 128
    levels = np.where(np.isnan(cells), 0, levels.round()).astype(np.uint8)
    return {
        "name": portrait.name,
        "shape": portrait.shape,
        "caption": portrait.caption,
        "rows": cells.shape[0],
        "columns": cells.shape[1],
        "scale": scale,
        "cells": base64.b64encode(levels.tobytes()).decode(),
        "mean": finite(portrait.mean),
        "spread": finite(portrait.spread),
        "zeros": finite(portrait.zeros),
        "low": finite(portrait.low),
        "high": finite(portrait.high),
        "norm": finite(portrait.norm),
    }


def finite(value):
    """Return the value, or its name as text if it is a float that JSON cannot express."""
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
