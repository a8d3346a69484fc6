"""Problems of a training step in plain words, each with the rule that found it."""
from dataclasses import dataclass

import numpy as np

from .check import TOLERANCE
from .step import STUCK_ERROR, STUCK_SLOPE

DEAD_SHARE = 0.25
DEAD_ROWS = 8
SATURATED_SHARE = 0.5
STUCK_SHARE = 0.02
COLLAPSED_VARIANCE = 0.01
COLLAPSED_KL = 0.01             # nats
GROWTH = 1e3
SHRINKAGE = 1e-4
FAST = 0.3
SLOW = 1e-7
WRONG_GRADIENT = ("the largest relative error of the checked entries, in float64, is above "
                  f"{TOLERANCE:g}")
NAMED = 12                      # dimensions that are listed


@dataclass(frozen=True)
class Finding:
    """A problem.

    Attributes
    ----------
    place, direction : str
        Those of the event at which it appears.
    problem : str
        What is wrong and what it means, without a full stop at the end.
    rule : str
        The rule that found it, with its threshold.
    """
    place: str
    direction: str
    problem: str
    rule: str


def examine(trace):
    """Return the Findings on a Trace, in the order of its events."""
    (loss,) = (event for event in trace.events
               if event.place == "loss" and event.direction == "backward")
    norm_at_loss = loss.arrays["dlogits"].norm
    findings = []
    for event in trace.events:
        pairs = [*not_finite(event)]
        if event.direction == "forward":
            pairs += dead_units(event)
            pairs += saturated(event)
            pairs += stuck_outputs(event)
            pairs += collapsed(event, trace.subject.steps > 0)
        elif event.direction == "backward":
            pairs += gradient_size(event, norm_at_loss)
            pairs += update_size(trace.updates.get(event.place))
            if not any(finding.rule == WRONG_GRADIENT for finding in findings):
                pairs += wrong_gradient(event)
        findings += [Finding(event.place, event.direction, problem, rule)
                     for problem, rule in pairs]
    return findings


# The rules: each yields pairs of a problem and the rule in words.

def not_finite(event):
    """Find NaN or infinity in any array."""
    bad = [name for name, portrait in event.arrays.items() if not np.isfinite(portrait.norm)]
    if bad:
        yield (
            f"{', '.join(bad)}: not finite. All results computed from these numbers are "
            "meaningless. Try a smaller learning rate",
            "an element is NaN or infinite",
        )


def dead_units(event):
    """Find units of relu layers that are 0 for the whole batch."""
    y = event.arrays.get("output")
    if event.activation != "relu" or event.place == "loss":
        return
    rows = int(np.prod(y.shape[:-1]))
    if rows >= DEAD_ROWS and y.silent > DEAD_SHARE * y.units:
        yield (
            f"{y.silent:,} of {y.units:,} units are dead: their output is 0 for every example of "
            "the batch. relu passes no gradient where its output is 0, so these units learn "
            "nothing from this batch",
            f"more than {DEAD_SHARE:.0%} of the relu units are 0 at all of {rows:,} examples and "
            "positions",
        )


def saturated(event):
    """Find hidden sigmoids near 0 or 1, and tanh and recurrent states near -1 or 1."""
    y = event.arrays.get("output")
    if y is None or event.place == "loss":
        return
    if event.activation == "sigmoid":
        share = y.near_one + y.near_zero
        where = "below 0.01 or above 0.99"
        slope = "y (1 - y) is below 0.01"
    elif event.activation == "tanh" or event.kind in ("GRU", "LSTM", "Bidirectional"):
        share = y.near_one
        where = "above 0.99 in absolute value"
        slope = "1 - y^2 is below 0.02"
    else:
        return
    if share > SATURATED_SHARE:
        yield (
            f"{share:.0%} of its outputs are saturated: the slope {slope} there, so almost no "
            "gradient passes",
            f"more than {SATURATED_SHARE:.0%} of the outputs are {where}",
        )


def stuck_outputs(event):
    """Find wrong and saturated sigmoid outputs under a loss whose gradient has the slope."""
    stuck = event.facts.get("stuck")
    if event.kind == "squared_error" and stuck and stuck > STUCK_SHARE:
        yield (
            f"{stuck:.0%} of the outputs are wrong and saturated. The squared error's gradient "
            "has the factor y (1 - y), which is almost 0 there, so that they hardly change. The "
            "gradient of binary cross-entropy does not have this factor",
            f"|y - t| > {STUCK_ERROR:g} and y (1 - y) < {STUCK_SLOPE:g} for more than "
            f"{STUCK_SHARE:.0%} of the outputs",
        )


def collapsed(event, trained):
    """Find latent dimensions that do not depend on x. With new weights none of them does yet."""
    if event.place != "kl" or not trained:
        return
    kl = event.facts["kl"]
    variance = event.facts["variance"]
    dimensions = np.flatnonzero((variance < COLLAPSED_VARIANCE) & (kl < COLLAPSED_KL))
    if dimensions.size:
        listed = ", ".join(map(str, dimensions[:NAMED]))
        if dimensions.size > NAMED:
            listed += " ..."
        yield (
            f"{dimensions.size} of {len(kl)} latent dimensions ({listed}) collapsed to the prior: "
            "z is pure noise in them and carries no information about x. A KL weight that "
            "increases slowly, or free bits, may prevent this",
            f"the variance of mu over the batch is below {COLLAPSED_VARIANCE} and the mean KL "
            f"below {COLLAPSED_KL} nats",
        )


def gradient_size(event, norm_at_loss):
    """Find gradients that are 0, or far larger or smaller than at the loss."""
    dout = event.arrays.get("dout")
    if dout is None or not norm_at_loss or not np.isfinite(dout.norm):
        return
    ratio = dout.norm / norm_at_loss
    if event.gradient_norm == 0:
        yield (
            "no gradient at all reaches its parameters: they learn nothing from this batch",
            "all gradients of its parameters are 0",
        )
    elif ratio > GROWTH:
        yield (
            f"exploding gradient: {ratio:,.0f} times as large as at the loss. Clipping "
            "(global_clipnorm) limits the step",
            f"|dout| is more than {GROWTH:,.0f} times |dlogits|",
        )
    elif 0 < ratio < SHRINKAGE:
        yield (
            f"vanishing gradient: {ratio:.1e} times as large as at the loss",
            f"|dout| is less than {SHRINKAGE:g} times |dlogits|",
        )


def update_size(update):
    """Find steps that are large or tiny compared with the weights."""
    ratio = update and update.ratio
    if ratio and ratio > FAST:
        yield (
            f"the step changes its parameters by {ratio:.0%} of their size: the learning rate is "
            "too large for this layer",
            f"|step| / |W| is above {FAST:g}",
        )
    elif ratio and ratio < SLOW:
        yield (
            f"the step changes its parameters by only {ratio:.0e} of their size: the layer hardly "
            "learns",
            f"|step| / |W| is below {SLOW:g}",
        )


def wrong_gradient(event):
    """Find gradients that finite differences contradict."""
    if event.checked and not event.checked.passed:
        yield (
            f"its gradient differs from finite differences by {event.checked.error:.1e}: this "
            "layer's backward pass, or one behind it, is probably wrong; layers before it follow",
            WRONG_GRADIENT,
        )
