"""Mistakes in the losses and in the latent variable."""
from . import checks
from .plant import Edit, Mistake

MISTAKES = (
    Mistake(
        "loss-no-mean",
        "the factor 1/N missing from the loss's gradient",
        (Edit("binary_crossentropy_backward", "(scale / (D * N))", "(scale / D)"),),
        "the loss is a mean over N examples, so without 1/N every gradient behind it is N times "
        "too large. In training this looks like a learning rate that is N times too large",
        checks.vae,
    ),
    Mistake(
        "squared-error-factor",
        "the squared error's gradient without its 2",
        (Edit("squared_error_backward", "(2 * scale / (D * N))", "(scale / (D * N))"),),
        "all gradients are half of what they should be, which in training looks like half the "
        "learning rate. Nothing fails, and the loss falls, so only numbers show the mistake",
        checks.small_vae("squared_error"),
    ),
    Mistake(
        "words-loss-scale",
        "the gradient of a line's cross-entropy divided by N instead of N T",
        (Edit("sparse_categorical_crossentropy_backward", "scale / targets.size",
              "scale / len(targets)"),),
        "the loss is a mean over the T words of a line, too. With lines of one word both are the "
        "same, so the check needs T > 1",
        checks.words,
    ),
    Mistake(
        "one-hot-columns",
        "1 subtracted in the target's column for all examples",
        (Edit("onehot_binary_crossentropy_backward", "dlogits[np.arange(N), targets] -= 1",
              "dlogits[:, targets] -= 1"),),
        "the slice takes every row, and the list of targets then takes columns. With one example "
        "there is no difference: a check needs several, with different words",
        checks.lab("shakespeare-onehot"),
    ),
    Mistake(
        "cross-entropy-log",
        "the cross-entropy as the logarithm of a probability",
        (Edit("binary_crossentropy_forward",
              "positive - logits * target + np.log1p(np.exp(-np.abs(logits)))",
              "-target * np.log(probability) - (1 - target) * np.log(1 - probability)"),),
        "it is the same function, but in float a sigmoid of 40 is 1, and log(1 - 1) is minus "
        "infinity. A gradient check uses small logits, where nothing of this is seen. Only calls "
        "with large numbers show it",
        checks.vae,
        checks.beside_another("binary_crossentropy_forward"),
        checks.BESIDE,
    ),
    Mistake(
        "kl-no-mean",
        "the KL divergence's gradient not divided by the batch size",
        (Edit("gaussian_kl_backward", "weight / len(z_mean)", "weight"),),
        "only the KL term's part of dz_mean and dz_log_var is too large, but it reaches all "
        "parameters of the encoder. In training the posterior collapses, because the KL weight is "
        "in effect N times the one that was set",
        checks.vae,
    ),
    Mistake(
        "kl-sign",
        "the KL divergence's gradient with the wrong sign",
        (Edit("gaussian_kl_backward", "dz_mean += factor * z_mean", "dz_mean -= factor * z_mean"),),
        "the KL divergence falls when z_mean moves towards 0, but this gradient says that it rises",
        checks.vae,
    ),
    Mistake(
        "kl-set",
        "the KL divergence's gradient set instead of added",
        (Edit("gaussian_kl_backward", "dz_mean += factor * z_mean",
              "dz_mean[...] = factor * z_mean"),),
        "dz_mean holds the reconstruction loss's gradient already, and it is lost. Nothing but the "
        "whole loss shows the mistake: each of its two terms alone has the right gradient",
        checks.vae,
    ),
    Mistake(
        "sigma-squared",
        "exp(z_log_var) instead of exp(z_log_var / 2), in the forward pass",
        (Edit("reparameterize_forward", "np.exp(z_log_var / 2)", "np.exp(z_log_var)"),),
        "the backward pass is the derivative of another function than the forward pass computes",
        checks.vae,
    ),
    Mistake(
        "sigma-squared-twice",
        "exp(z_log_var) instead of exp(z_log_var / 2), with the matching derivative",
        (
            Edit("reparameterize_forward", "np.exp(z_log_var / 2)", "np.exp(z_log_var)"),
            Edit("reparameterize_backward", "np.exp(z_log_var / 2) * eps / 2",
                 "np.exp(z_log_var) * eps"),
        ),
        "a gradient check compares the backward pass with the forward pass, and here they agree. "
        "It cannot know which function was intended. Drawing samples and measuring their standard "
        "deviation shows the mistake",
        checks.vae,
        checks.golden_group("spread of samples"),
        checks.GOLDEN,
    ),
)
