"""What a training says in one line: a code that is not used, a warm-up that is cut short, ..."""
import numpy as np

from ..errors import note

ASKED = 200                     # examples whose code is looked at
COLLAPSED = 0.1                 # nats: the KL divergence of a code that is not used
UNUSED = 0.01                   # nats: that of a dimension
EARLY = 100                     # steps in which no code is used yet
WIDE = 30                       # data this far from 0 are probably not scaled


def before(model, steps):
    """Say what will go wrong in a training of so many steps."""
    schedule = model.kl_weight
    final = schedule(steps - 1)
    if schedule.weight > 0 and final < 0.95 * schedule.weight and type(schedule).__name__ == (
            "LinearWarmup"):
        note(f"the KL weight rises for {schedule.steps:,.0f} steps, but the training ends after "
             f"{steps:,}: it only reaches {final:.2g} of {schedule.weight:g}")


def after(model, x):
    """Say whether the decoder uses the code."""
    if not hasattr(model, "z_mean") or model.kl_weight.weight == 0 or model.trained.steps < EARLY:
        return
    mu, lv = (array.astype(np.float64) for array in model.encode(x[:ASKED]))
    kl = np.mean(mu ** 2 + np.exp(lv) - 1 - lv, axis=0) / 2
    if not np.isfinite(kl).all():
        return
    unused = np.flatnonzero(kl < UNUSED)
    if kl.sum() < COLLAPSED:
        note(f"the KL divergence is {kl.sum():.2g} nats: the decoder does not use the code "
             "(posterior collapse). Try a larger reconstruction_scale, a kl_weight below 1 or "
             "LinearWarmup, or another seed")
    elif len(unused):
        note(f"{len(unused)} of {len(kl)} latent dimensions are not used (KL below {UNUSED} nats: "
             f"{', '.join(map(str, unused[:8]))}{', ...' if len(unused) > 8 else ''}); fewer "
             "would do, or a smaller kl_weight uses more")


def likely_cause(x):
    """Return why a training on these data probably diverged, as the end of a sentence."""
    low = float(x.min())
    high = float(x.max())
    if max(abs(low), abs(high)) > WIDE:
        divisor = "255" if 0 <= low and 200 <= high <= 255 else "their largest number"
        return (f"the data lie in [{low:g}, {high:g}]; divide them by {divisor}, or standardise "
                "them")
    return "try a smaller learning_rate"


def cause_of_infinite_validation(model, x):
    """Return why the loss of validation examples x may be infinite in a sound model, or nothing."""
    sizes = np.abs(x.reshape(len(x), -1)).max(axis=1)
    worst = int(np.argmax(sizes))
    usual = float(np.median(sizes))
    if sizes[worst] > 1e3 * max(usual, 1e-30):
        return (f"validation example {worst} has a number of size {sizes[worst]:.3g}, the others "
                f"of about {usual:.3g}")
    if any(layer.name == "BatchNormalization" for layer in model.layers.values()):
        return ("the moving statistics of BatchNormalization, of too few steps or too small "
                "batches")
    return ""
