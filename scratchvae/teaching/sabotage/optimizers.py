"""Mistakes in the optimizers."""
from . import checks
from .plant import Edit, Mistake

MISTAKES = (
    Mistake(
        "adam-no-correction",
        "Adam without bias correction",
        (Edit("adam_update",
              "alpha = learning_rate * (1 - beta_2 ** step) ** 0.5 / (1 - beta_1 ** step)",
              "alpha = learning_rate"),),
        "a gradient check does not run the optimizer: here the gradients are right, and the step "
        "is wrong. Adam's first step has a known size, the learning rate, for any gradient that "
        "is much larger than epsilon",
        checks.vae,
        checks.golden_group("optimizer/Adam"),
        checks.GOLDEN,
    ),
    Mistake(
        "adam-step-1",
        "Adam that corrects its averages for step 1 in each step",
        (Edit("adam_update", "(1 - beta_2 ** step) ** 0.5 / (1 - beta_1 ** step)",
              "(1 - beta_2) ** 0.5 / (1 - beta_1)"),),
        "the first step is right, so a check of one step passes. From the second step on the "
        "factor is too large, and after a hundred steps too small. The group has five steps",
        checks.vae,
        checks.golden_group("optimizer/Adam"),
        checks.GOLDEN,
    ),
    Mistake(
        "sgd-velocity",
        "SGD that forgets its velocity",
        (Edit("sgd_update", "velocity *= momentum", "velocity *= 0"),),
        "the first step is right, since the velocity begins as 0. Without it training is slower, "
        "and nothing else tells. Several steps with momentum show it",
        checks.vae,
        checks.golden_group("optimizer/SGD momentum"),
        checks.GOLDEN,
    ),
    Mistake(
        "rmsprop-epsilon",
        "RMSprop's epsilon outside of the root",
        (Edit("rmsprop_update", "np.sqrt(v + epsilon)", "(np.sqrt(v) + epsilon)"),),
        "the gradients are right, and for large ones the steps nearly are. Where a gradient is "
        "near 0, they are too large. Keras adds epsilon inside the root here, and outside of it in "
        "Adam",
        checks.vae,
        checks.golden_group("optimizer/RMSprop"),
        checks.GOLDEN,
    ),
    Mistake(
        "clip-by-value",
        "gradients clipped by value instead of by norm",
        (Edit("clip_by_global_norm", "gradients *= clipnorm / norm",
              "np.clip(gradients, -clipnorm, clipnorm, out=gradients)"),),
        "large gradients become smaller, as they should, and training does not explode. But the "
        "step's direction changes. A gradient check looks at gradients before they are clipped",
        checks.vae,
        checks.golden_group("optimizer/Adam clipped"),
        checks.GOLDEN,
    ),
)
