"""What is unhealthy about a training step, in plain words, each with the rule that was applied."""

from dataclasses import dataclass

import numpy as np

from .check import TOLERANCE

DEAD_SHARE = 0.25
DEAD_ROWS = 8
SATURATED_SHARE = 0.5
STUCK_SHARE = 0.02
COLLAPSED_VARIANCE = 0.01
COLLAPSED_KL = 0.01
GROWTH = 1e3
SHRINKAGE = 1e-4
FAST = 0.3
SLOW = 1e-7


@dataclass(frozen=True)
class Finding:
    """Something to look at: at which event, what is wrong, and by which rule."""

    place: str
    direction: str
    problem: str
    rule: str


def examine(trace):
    """The Findings on a Trace, in the order of its events.

    Each rule below yields pairs (problem, rule).
    """
    loss = next(
        event for event in trace.events if event.place == "loss" and event.direction == "backward"
    )
    findings = []
    for event in trace.events:
        pairs = [*not_finite(event)]
        if event.direction == "forward":
            pairs += [
                *dead_units(event),
                *saturated(event),
                *stuck_outputs(event),
                *collapsed(event, trace.subject.steps > 0),
            ]
        elif event.direction == "backward":
            pairs += [
                *gradient_size(event, loss.arrays["dlogits"].norm),
                *update_size(trace.updates.get(event.place)),
                *wrong_gradient(event),
            ]
        findings += [
            Finding(event.place, event.direction, problem, rule) for problem, rule in pairs
        ]
    return findings


def not_finite(event):
    """NaN or infinity in any array."""
    bad = [name for name, portrait in event.arrays.items() if not np.isfinite(portrait.norm)]
    if bad:
        yield (
            f"{', '.join(bad)}: not finite.  What follows from it is of no use: try a smaller "
            "learning rate",
            "a NaN or an infinity among the elements",
        )


def dead_units(event):
    """Units of relu layers that are 0 for the whole batch."""
    y = event.arrays.get("output")
    if event.activation != "relu" or event.place == "loss":
        return
    rows = int(np.prod(y.shape[:-1]))
    if rows >= DEAD_ROWS and y.silent > DEAD_SHARE * y.units:
        yield (
            f"{y.silent:,} of {y.units:,} units are dead: 0 for every example of the batch.  relu "
            "lets no gradient through where its output "
            "is 0, so this batch teaches them nothing",
            f"relu units that are 0 at all of {rows:,} examples and positions are more than "
            f"{DEAD_SHARE:.0%}",
        )


def saturated(event):
    """Hidden sigmoids near 0 or 1, tanh and recurrent states near -1 or 1."""
    y = event.arrays.get("output")
    if y is None or event.place == "loss":
        return
    if event.activation == "sigmoid":
        share = y.near_one + y.near_zero
        where = "below 0.01 or above 0.99"
        slope = "y (1 - y) < 0.01"
    elif event.activation == "tanh" or event.kind in ("GRU", "Bidirectional"):
        share = y.near_one
        where = "beyond 0.99 in size"
        slope = "1 - y^2 < 0.02"
    else:
        return
    if share > SATURATED_SHARE:
        yield (
            f"{share:.0%} of its outputs are saturated: there the slope {slope} lets next to no "
            "gradient through",
            f"more than {SATURATED_SHARE:.0%} of the outputs are {where}",
        )


def stuck_outputs(event):
    """Outputs of a sigmoid that are wrong and saturated, under a loss that needs the sigmoid's
    slope.
    """
    stuck = event.facts.get("stuck")
    if event.kind == "squared_error" and stuck and stuck > STUCK_SHARE:
        yield (
            f"{stuck:.0%} of the outputs are wrong and saturated: the squared error's gradient "
            "has the factor y (1 - y), which is near 0 "
            "there; cross-entropy has not",
            f"more than {STUCK_SHARE:.0%} of the outputs have |y - t| > 0.5 and y (1 - y) < 0.01",
        )


def collapsed(event, trained):
    """Latent dimensions that tell nothing of x.  Fresh weights always look like that."""
    if event.place != "kl" or not trained:
        return
    kl = event.facts["kl"]
    variance = event.facts["variance"]
    dimensions = np.flatnonzero((variance < COLLAPSED_VARIANCE) & (kl < COLLAPSED_KL))
    if dimensions.size:
        which = f"{', '.join(map(str, dimensions[:12]))}{' ...' * (dimensions.size > 12)}"
        yield (
            f"{dimensions.size} of {len(kl)} latent dimensions ({which}) collapsed onto the "
            "prior: z is mere noise there, whatever x is.  "
            "A KL weight that rises slowly, or free bits, may prevent it",
            f"the variance of mu over the batch is below {COLLAPSED_VARIANCE} and the mean KL "
            f"below {COLLAPSED_KL} nats",
        )


def gradient_size(event, at_loss):
    """Gradients far larger or smaller than at the loss."""
    dout = event.arrays.get("dout")
    if dout is None or not at_loss or not np.isfinite(dout.norm):
        return
    ratio = dout.norm / at_loss
    if event.gradient_norm == 0:
        yield (
            "no gradient at all reaches its parameters: it does not learn from this batch",
            "all gradients of its parameters are 0",
        )
    elif ratio > GROWTH:
        yield (
            f"exploding gradient: {ratio:,.0f} times as large as at the loss.  Clipping "
            "(global_clipnorm) bounds the step",
            f"|dout| is more than {GROWTH:,.0f} times |dlogits|",
        )
    elif 0 < ratio < SHRINKAGE:
        yield (
            f"vanishing gradient: {ratio:.1e} of that at the loss reaches it",
            f"|dout| is less than {SHRINKAGE:g} of |dlogits|",
        )


def update_size(update):
    """Steps that are large or tiny beside the weights."""
    ratio = update and update.ratio
    if ratio and ratio > FAST:
        yield (
            f"the step changes its parameters by {ratio:.0%} of their size: the learning rate is "
            "too large for it",
            f"|step| / |W| is more than {FAST:g}",
        )
    elif ratio and ratio < SLOW:
        yield (
            f"the step hardly changes its parameters ({ratio:.0e} of their size): it stands still",
            f"|step| / |W| is below {SLOW:g}",
        )


def wrong_gradient(event):
    """A gradient that finite differences contradict."""
    if event.checked and not event.checked.passed:
        yield (
            f"its gradient differs from finite differences by {event.checked.error:.1e}",
            f"the largest relative error of the sampled entries is more than {TOLERANCE:g}, in "
            "float64",
        )
