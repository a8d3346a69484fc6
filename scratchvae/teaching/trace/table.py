"""A trace on the terminal: tables of both passes, the formulas, and the problems found."""
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from .check import EXAMPLES

WIDTH = 120                     # columns, at least: a narrower table would cut numbers off
FORWARD = ("layer", "output", "parameters", "MFLOP", "MB", "ms", "% peak", "mean", "spread",
           "zeros")
BACKWARD = ("layer", "|dout|", "|dx|", "|dW|", "|step|/|W|", "check (entries)", "MFLOP", "MB", "ms",
            "% peak")
PLACES = {                      # place -> the name of its row, where that is not the place itself
    "loss": "loss: {kind}",
    "kl": "KL divergence",
    "optimizer": "optimizer: {kind}",
}


def print_trace(trace):
    """Print a Trace."""
    console = Console()
    console = Console(width=max(console.width, WIDTH) if console.is_terminal else WIDTH)
    console.print(f"[bold]{escape(trace.subject.title)}[/]: {describe(trace)}")
    forward = _table("Forward pass: the output of each layer for the batch", FORWARD)
    backward = _table("Backward pass, from the last layer to the first, and the update", BACKWARD)
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
    """Return the step, the batch, the losses and the backend as text."""
    subject = trace.subject
    losses = trace.losses
    size = f"batch of {len(subject.x)}"
    if len(subject.x) < subject.usual_batch_size:
        size += f" (in training {subject.usual_batch_size})"
    loss = f"loss {losses['loss']:.5g} = reconstruction {losses['reconstruction']:.5g}"
    if any(event.place == "kl" for event in trace.events):
        name = "KL" if subject.model.objective.name == "elbo" else "cost of z"
        loss += f" + {subject.kl_weight:g} x {name} {losses['kl']:.4g}"
    return f"step {subject.steps + 1:,}, {size}; {loss}; {trace.backend}"


def totals(trace):
    """Yield lines of text about all rows together: times, products, finite differences."""
    times = trace.times
    flops = sum(event.flops for event in trace.events)
    share_of_peak = flops / (times.step * 1e6) / trace.gflops
    yield (
        f"all rows: {number(sum(times.calls.values()))} ms, {times.covered:.0%} of the "
        f"{number(times.step)} ms of a whole step ({times.repeats} repeats); "
        f"{flops / 1e6:,.0f} MFLOP, {share_of_peak:.0%} of the sgemm peak of "
        f"{trace.gflops:.0f} GFLOP/s"
    )
    if any(event.peak and event.peak > 1 for event in trace.events):
        yield (
            "above 100 % of the peak: FLOP are counted from the formula, but Winograd's algorithm "
            "for convolutions needs fewer, and inputs that are 0 are skipped"
        )
    layers = [event.checked for event in trace.events if event.checked]
    entries = sum(checked.entries for checked in layers)
    reached = sum(checked.entries > 0 for checked in layers)
    examples = min(EXAMPLES, len(trace.subject.x))
    yield (
        f"finite differences (float64, {examples} example{'s' if examples > 1 else ''}): "
        f"{entries} random entries in {reached} of {len(layers)} layers within the time limit; "
        f"largest relative error {max(checked.error for checked in layers):.0e}"
    )
    wrong = [judgement for judgement in trace.judgements if not judgement.passed]
    if trace.judgements and not wrong:
        yield (f"the judge: all {len(trace.judgements)} operations that training and inference "
               "call give the right results beside another backend, on small arrays")
    for judgement in wrong:
        finding = judgement.findings[0]
        yield (f"the judge: {judgement.operation} is WRONG: {finding.says}"
               f"{': ' + finding.worst if finding.worst else ''}"
               f"{'; it looks like this: ' + finding.looks[0] if finding.looks else ''}")


def forward_row(event):
    """Return the cells of FORWARD."""
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
    """Return the cells of BACKWARD."""
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
    """Print the formulas of each kind of layer, and of the other parts, once."""
    console.print("\n[bold]Formulas[/]")
    backward = {event.place: event.formula
                for event in trace.events if event.direction == "backward"}
    printed = set()
    for event in trace.events:
        if event.direction == "backward" or (event.kind, event.activation) in printed:
            continue
        printed.add((event.kind, event.activation))
        title = event.kind
        if event.activation != "linear":
            title += f" ({event.activation})"
        console.print(f"[cyan]{title}[/]", highlight=False)
        for line in (event.formula, backward.get(event.place)):
            if line:
                console.print(Padding(escape(line), (0, 0, 0, 4), expand=False), highlight=False)


def print_findings(console, findings):
    """Print the problems, each with its rule."""
    console.print()
    if not findings:
        console.print("[green]Nothing unhealthy was found[/]: no dead units, saturation, vanishing "
                      "or exploding gradients, or collapsed dimensions. This is about sizes, not "
                      "about whether the code is right: see the judge above.")
    for finding in findings:
        problem = f"[bold yellow]! {finding.place}[/]: {escape(finding.problem)}."
        rule = f"[dim]rule: {escape(finding.rule)}[/]"
        console.print(problem, highlight=False)
        console.print(Padding(rule, (0, 0, 0, 2), expand=False), highlight=False)


def name_of(event):
    """Return the name of an event's row: a layer's path, or what else it is, with its kind."""
    return PLACES.get(event.place, event.place).format(kind=event.kind)


def number(value):
    """Return a number in few digits; "" for 0."""
    if not value:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 1:
        return f"{value:.1f}"
    return f"{value:.2g}"


def count(value):
    """Return a whole number as text; "" for 0."""
    return f"{value:,}" if value else ""


def norm(value):
    """Return a norm in two digits; "" for None."""
    return "" if value is None else f"{value:.2g}"


def percent(fraction):
    """Return a fraction in whole percent; "" for None."""
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
