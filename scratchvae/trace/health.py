"""What is unhealthy about a training step, in plain words, each with the rule that was applied."""
from dataclasses import dataclass

import numpy as np

from .check import TOLERANCE

DEAD_SHARE, DEAD_ROWS = 0.25, 8
SATURATED_SHARE = 0.5
STUCK_SHARE = 0.02
GROWTH, SHRINKAGE = 1e3, 1e-4
FAST, SLOW = 0.3, 1e-7
COLLAPSED_VARIANCE, COLLAPSED_KL = 0.01, 0.01


@dataclass(frozen=True)
class Finding:
    """Something to look at: at which event, what is wrong, and by which rule."""
    place: str
    direction: str
    problem: str
    rule: str


def examine(trace):
    """The Findings on a Trace, in the order of its events."""
    events = trace.events
    loss = next(event for event in events if event.place == "loss" and event.direction == "backward")
    findings = []
    for event in events:
        findings += not_finite(event)
        if event.direction == "forward":
            findings += dead_units(event) + saturated(event) + stuck_outputs(event) + collapsed(event, trace.subject.steps > 0)
        elif event.direction == "backward":
            findings += gradient_size(event, loss.arrays["dlogits"].norm) + wrong_gradient(event)
    return findings + [finding for place, update in trace.updates.items() for finding in update_size(place, update)]


def not_finite(event):
    """NaN or infinity in any array."""
    bad = [name for name, portrait in event.arrays.items() if not np.isfinite(portrait.norm)]
    return [Finding(event.place, event.direction, f"{', '.join(bad)}: not finite.  What follows from it is of no use: try a smaller learning rate",
                    "a NaN or an infinity among the elements")] if bad else []


def dead_units(event):
    """Units of relu layers that are 0 for the whole batch."""
    y = event.arrays.get("output")
    if event.activation != "relu" or y is None or event.place == "loss" or np.prod(y.shape[:-1]) < DEAD_ROWS or y.silent <= DEAD_SHARE * y.units:
        return []
    return [Finding(event.place, event.direction, f"{y.silent:,} of {y.units:,} units are dead: 0 for every example of the batch.  relu lets no gradient through where its "
                    "output is 0, so this batch teaches them nothing",
                    f"relu units that are 0 at all of {np.prod(y.shape[:-1]):,} examples and positions are more than {DEAD_SHARE:.0%}")]


def saturated(event):
    """Hidden sigmoids near 0 or 1, tanh and recurrent states near -1 or 1."""
    y = event.arrays.get("output")
    if y is None or event.place == "loss":
        return []
    if event.activation == "sigmoid":
        share, where, slope = y.near_one + y.near_zero, "below 0.01 or above 0.99", "y (1 - y) < 0.01"
    elif event.activation == "tanh" or event.kind in ("GRU", "Bidirectional"):
        share, where, slope = y.near_one, "beyond 0.99 in size", "1 - y^2 < 0.02"
    else:
        return []
    return [Finding(event.place, event.direction, f"{share:.0%} of its outputs are saturated: there the slope {slope} lets next to no gradient through",
                    f"more than {SATURATED_SHARE:.0%} of the outputs are {where}")] if share > SATURATED_SHARE else []


def stuck_outputs(event):
    """Outputs of a sigmoid that are wrong and saturated, under a loss that needs the sigmoid's slope."""
    stuck = event.facts.get("stuck")
    if event.kind != "squared_error" or stuck is None or stuck <= STUCK_SHARE:
        return []
    return [Finding(event.place, event.direction, f"{stuck:.0%} of the outputs are wrong and saturated: the squared error's gradient has the factor y (1 - y), which is "
                    "near 0 there; cross-entropy has not",
                    f"more than {STUCK_SHARE:.0%} of the outputs have |y - t| > 0.5 and y (1 - y) < 0.01")]


def collapsed(event, trained):
    """Latent dimensions that tell nothing of x.  Fresh weights always look like that."""
    if event.place != "kl" or not trained:
        return []
    kl, variance = event.facts["kl"], event.facts["variance"]
    dimensions = np.flatnonzero((variance < COLLAPSED_VARIANCE) & (kl < COLLAPSED_KL))
    if not dimensions.size:
        return []
    which = f"{', '.join(map(str, dimensions[:12]))}{' ...' * (dimensions.size > 12)}"
    return [Finding(event.place, event.direction, f"{dimensions.size} of {len(kl)} latent dimensions ({which}) collapsed onto the prior: z is mere noise there, whatever "
                    "x is.  A KL weight that rises slowly, or free bits, may prevent it",
                    f"the variance of mu over the batch is below {COLLAPSED_VARIANCE} and the mean KL below {COLLAPSED_KL} nats")]


def gradient_size(event, at_loss):
    """Gradients far larger or smaller than at the loss."""
    dout, norm = event.arrays.get("dout"), event.gradient_norm
    if dout is None or not at_loss or not np.isfinite(dout.norm):
        return []
    ratio = dout.norm / at_loss
    if norm == 0:
        return [Finding(event.place, event.direction, "no gradient at all reaches its parameters: it does not learn from this batch", "all gradients of its parameters are 0")]
    if ratio > GROWTH:
        return [Finding(event.place, event.direction, f"exploding gradient: {ratio:,.0f} times as large as at the loss.  Clipping (global_clipnorm) bounds the step",
                        f"|dout| is more than {GROWTH:,.0f} times |dlogits|")]
    if 0 < ratio < SHRINKAGE:
        return [Finding(event.place, event.direction, f"vanishing gradient: {ratio:.1e} of that at the loss reaches it", f"|dout| is less than {SHRINKAGE:g} of |dlogits|")]
    return []


def update_size(place, update):
    """Steps that are large or tiny beside the weights."""
    if update.ratio is None or not np.isfinite(update.ratio):
        return []
    if update.ratio > FAST:
        return [Finding(place, "backward", f"the step changes its parameters by {update.ratio:.0%} of their size: the learning rate is too large for it",
                        f"|dw| / |w| is more than {FAST:g}")]
    if 0 < update.ratio < SLOW:
        return [Finding(place, "backward", f"the step hardly changes its parameters ({update.ratio:.0e} of their size): it stands still", f"|dw| / |w| is below {SLOW:g}")]
    return []


def wrong_gradient(event):
    """A gradient that finite differences contradict."""
    if event.checked is None or event.checked.passed:
        return []
    return [Finding(event.place, event.direction, f"its gradient differs from finite differences by {event.checked.error:.1e}",
                    f"the largest relative error of the sampled entries is more than {TOLERANCE:g}, in float64")]
