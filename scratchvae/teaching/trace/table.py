"""A trace on the terminal:

two tables, forwards and backwards, the formulas, and what is unhealthy.
"""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from .check import EXAMPLES

WIDTH = 120  # at least: numbers that are cut off are no numbers
FORWARD = (
    "layer",
    "output",
    "parameters",
    "MFLOP",
    "MB",
    "ms",
    "% peak",
    "mean",
    "spread",
    "zeros",
)
BACKWARD = (
    "layer",
    "|dout|",
    "|dx|",
    "|dW|",
    "|step|/|W|",
    "check (entries)",
    "MFLOP",
    "MB",
    "ms",
    "% peak",
)


def print_trace(trace):
    """Print a Trace."""
    console = Console()
    console = Console(width=max(console.width, WIDTH) if console.is_terminal else WIDTH)
    console.print(f"[bold]{escape(trace.subject.title)}[/]: {describe(trace)}")
    forward = _table("Forward: what each layer makes of the batch", FORWARD)
    backward = _table("Backward: the same chain, last first, and the update", BACKWARD)
    for event in trace.events:
        if event.direction == "forward":
            forward.add_row(*forward_row(event))
        else:
            backward.add_row(*backward_row(event, trace))
    console.print(forward)
    console.print(backward)
    for line in totals(trace):
        console.print(line, highlight=False)
    print_formulas(console, trace)
    print_findings(console, trace.findings)


def describe(trace):
    """What was traced, in a line or two."""
    subject = trace.subject
    size = f"batch of {len(subject.x)}"
    if len(subject.x) < subject.usual_batch_size:
        size += f" (training takes {subject.usual_batch_size})"
    losses = (
        f"loss {trace.losses['loss']:.5g} = reconstruction {trace.losses['reconstruction']:.5g}"
    )
    if any(event.place == "kl" for event in trace.events):
        losses += f" + {subject.kl_weight:g} x KL {trace.losses['kl']:.4g}"
    return f"step {subject.steps + 1:,}, {size}; {losses}; {trace.backend}"


def totals(trace):
    """Sums over the rows."""
    times = trace.times
    flops = sum(event.flops for event in trace.events)
    layers = [event.checked for event in trace.events if event.checked]
    yield (
        f"all rows: {number(sum(times.calls.values()))} ms, {times.covered:.0%} of the step's "
        f"{number(times.step)} ms (measured whole, "
        f"{times.repeats} repeats); {flops / 1e6:,.0f} MFLOP, "
        f"{flops / (times.step * 1e6) / trace.gflops:.0%} of the sgemm peak of "
        f"{trace.gflops:.0f} GFLOP/s"
    )
    if any(event.peak and event.peak > 1 for event in trace.events):
        yield (
            "more than 100 % of the peak: FLOP are counted as the formula has them; convolutions "
            "by Winograd's way need fewer, "
            "and inputs of zero are left out"
        )
    few = min(EXAMPLES, len(trace.subject.x))
    yield (
        f"finite differences (float64, {few} example{'s' if few > 1 else ''}): "
        f"{sum(checked.entries for checked in layers)} random entries of "
        f"{sum(checked.entries > 0 for checked in layers)} of {len(layers)} layers, as many as "
        "the time allowed; "
        f"largest relative error {max(checked.error for checked in layers):.0e}"
    )


def forward_row(event):
    """The cells of FORWARD."""
    y = event.result
    return (
        name_of(event),
        "x".join(map(str, y.shape)),
        count(event.parameters),
        number(event.flops / 1e6),
        number(event.bytes / 1e6),
        f"{event.ms:.3f}",
        percent(event.peak),
        f"{y.mean:.2g}",
        f"{y.spread:.2g}",
        f"{y.zeros:.0%}",
    )


def backward_row(event, trace):
    """The cells of BACKWARD."""
    dout = event.arrays.get("dout")
    dx = event.result
    update = trace.updates.get(event.place)
    gradient = event.gradient_norm
    ratio = update and update.ratio
    checked = ""
    if event.direction == "update":
        gradient = event.facts["norm"]
        ratio = event.facts["change"] / event.facts["weight"]
    elif event.checked and event.checked.entries:
        color = "green" if event.checked.passed else "bold red"
        checked = f"[{color}]{event.checked.error:.0e}[/] ({event.checked.entries})"
    return (
        name_of(event),
        norm(dout and dout.norm),
        norm(dx and dx.norm),
        norm(gradient),
        norm(ratio),
        checked,
        number(event.flops / 1e6),
        number(event.bytes / 1e6),
        f"{event.ms:.3f}",
        percent(event.peak),
    )


def print_formulas(console, trace):
    """Each kind of part once, as it first comes: forwards and backwards."""
    console.print("\n[bold]What they compute[/]")
    backward = {
        event.place: event.formula for event in trace.events if event.direction == "backward"
    }
    seen = set()
    for event in trace.events:
        if event.direction != "backward" and (event.kind, event.activation) not in seen:
            seen.add((event.kind, event.activation))
            activation = f" ({event.activation})" * (event.activation != "linear")
            lines = [event.formula, *([backward[event.place]] if backward.get(event.place) else [])]
            console.print(f"[cyan]{event.kind}{activation}[/]", highlight=False)
            for line in lines:
                console.print(Padding(escape(line), (0, 0, 0, 4), expand=False), highlight=False)


def print_findings(console, findings):
    """What is unhealthy, each with its rule."""
    console.print()
    if not findings:
        console.print(
            "[green]Nothing unhealthy was found[/]: no dead units, saturation, vanishing or "
            "exploding gradients, collapsed dimensions."
        )
    for finding in findings:
        console.print(
            f"[bold yellow]! {finding.place}[/]: {escape(finding.problem)}.", highlight=False
        )
        console.print(
            Padding(f"[dim]rule: {escape(finding.rule)}[/]", (0, 0, 0, 2), expand=False),
            highlight=False,
        )


def name_of(event):
    """A row's name: a layer's path, or what the row is, with its kind."""
    named = {
        "loss": f"loss: {event.kind}",
        "sampling": "sampling",
        "kl": "KL divergence",
        "optimizer": f"optimizer: {event.kind}",
    }
    return named.get(event.place, event.place)


def number(value):
    """A count of millions in few digits; nothing for none."""
    return (
        ""
        if not value
        else f"{value:,.0f}"
        if value >= 100
        else f"{value:.1f}"
        if value >= 1
        else f"{value:.2g}"
    )


def count(value):
    """A count; nothing for none."""
    return f"{value:,}" if value else ""


def norm(value):
    """A size in two digits; nothing for None."""
    return "" if value is None else f"{value:.2g}"


def percent(fraction):
    """In whole percent; nothing for None."""
    return "" if fraction is None else f"{fraction:.0%}"


def _table(title, columns):
    first = Column(columns[0], no_wrap=True)
    return Table(
        first,
        *(Column(name, justify="right", no_wrap=True) for name in columns[1:]),
        box=None,
        header_style="bold",
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
