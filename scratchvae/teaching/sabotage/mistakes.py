"""The mistakes."""

from ...layers import GRU, Activation, BatchNormalization, Conv2D, Dense, Dropout, Embedding
from . import checks
from .plant import Edit, Mistake

LIST = (
    Mistake(
        "loss-no-mean",
        "a forgotten 1/N in the loss's gradient",
        (Edit("binary_crossentropy_backward", "(scale / (D * N))", "(scale / D)"),),
        "the loss is a mean over N examples, so what comes back from it is N times too large.  In "
        "training it looks like "
        "a learning rate N times as large",
        checks.vae,
    ),
    Mistake(
        "kl-no-mean",
        "the KL divergence's gradient not divided by the batch size",
        (Edit("gaussian_kl_backward", "weight / len(z_mean)", "weight"),),
        "only what the KL term adds to dmu and dlv is too large, but all of the encoder lies "
        "behind it.  In training the "
        "posterior collapses: the KL weight is N times what was asked for",
        checks.vae,
    ),
    Mistake(
        "kl-sign",
        "the KL divergence's gradient with the wrong sign",
        (Edit("gaussian_kl_backward", "dz_mean += factor * z_mean", "dz_mean -= factor * z_mean"),),
        "the loss falls where mu comes nearer to 0, the gradient says the opposite",
        checks.vae,
    ),
    Mistake(
        "sigma-squared",
        "exp(log_var) for exp(log_var / 2), in the forward pass",
        (Edit("reparameterize_forward", "np.exp(z_log_var / 2)", "np.exp(z_log_var)"),),
        "the backward pass differentiates another function than the forward pass computes",
        checks.vae,
    ),
    Mistake(
        "sigma-squared-twice",
        "exp(log_var) for exp(log_var / 2), and its right derivative",
        (
            Edit("reparameterize_forward", "np.exp(z_log_var / 2)", "np.exp(z_log_var)"),
            Edit(
                "reparameterize_backward",
                "np.exp(z_log_var / 2) * eps / 2",
                "np.exp(z_log_var) * eps",
            ),
        ),
        "a gradient check compares the backward pass with the forward pass, and these agree: it "
        "cannot know which "
        "function was meant.  Drawing samples and measuring their spread can",
        checks.vae,
        checks.spread_of_samples,
        "spread of samples",
    ),
    Mistake(
        "dense-transpose",
        "a missing transpose, in a square dense layer",
        (
            Edit(
                "dense_backward", "np.matmul(dz, kernel.T, out=dx)", "np.matmul(dz, kernel, out=dx)"
            ),
        ),
        "dz W has the right shape, because W is square: no error message says anything.  Check "
        "layers with sizes that "
        "differ, too",
        checks.layer(lambda: Dense(5, "tanh"), (5,)),
    ),
    Mistake(
        "bias-mean",
        "the bias's gradient as a mean over the batch",
        (
            Edit(
                "dense_backward", "np.sum(dz, axis=0, out=dbias)", "np.mean(dz, axis=0, out=dbias)"
            ),
        ),
        "the 1/N is in dz already, from the loss: here it comes a second time",
        checks.layer(lambda: Dense(4, "tanh"), (5,)),
    ),
    Mistake(
        "relu-ignored",
        "relu's derivative forgotten",
        (
            Edit(
                "activation_backward",
                "dx[...] = np.where(y > 0, dout, slope * dout)",
                "dx[...] = dout",
            ),
        ),
        "a unit that is off has no influence on the loss, so its gradient is 0; here it is dout",
        checks.layer(lambda: Activation("relu"), (3, 5)),
    ),
    Mistake(
        "softmax-diagonal",
        "softmax's derivative by its diagonal alone",
        (
            Edit(
                "activation_backward",
                "dx[...] = y * (dout - (dout * y).sum(axis=-1, keepdims=True))",
                "dx[...] = dout * y * (1 - y)",
            ),
        ),
        "each input moves every output, through the sum below the fraction; y (1 - y), as for a "
        "sigmoid, is only its own",
        checks.layer(lambda: Activation("softmax"), (3, 5)),
    ),
    Mistake(
        "dropout-mask",
        "dropout's mask drawn anew in the backward pass",
        (
            Edit(
                "dropout_backward",
                "noise >= rate",
                "np.random.default_rng(0).random(noise.shape) >= rate",
            ),
        ),
        "gradients flow through units that were off, and not through some that were on.  To see "
        "it the check must fix the"
        " forward pass's noise, or the differences are noise themselves",
        checks.layer(lambda: Dropout(0.3), (3, 5)),
    ),
    Mistake(
        "batchnorm-constants",
        "batch normalisation without its mean terms",
        (Edit("batchnorm_backward", "(dout - (dbeta + x_hat * dgamma) / len(x))", "dout"),),
        "each example also moves the batch's mean and variance, and through them all other "
        "outputs.  The right dx sums to"
        " 0 over the batch: to move all examples alike changes nothing",
        checks.layer(lambda: BatchNormalization(), (3, 2, 4)),
    ),
    Mistake(
        "embedding-overwrite",
        "a repeated word's gradients overwrite each other",
        (Edit("embedding_backward", "np.add.at(dtable, indices, dout)", "dtable[indices] = dout"),),
        "a row that was read twice has two gradients, and they add.  Only a check with repeated "
        "words can see it: four "
        "random ones of three do repeat",
        checks.layer(lambda: Embedding(5, 3), (4,)),
    ),
    Mistake(
        "gru-reset",
        "the reset gate forgotten in the GRU's backward pass",
        (
            Edit(
                "gru_backward",
                "dq[:, t, 2 * U:] = r * da[:, t, 2 * U:]",
                "dq[:, t, 2 * U:] = da[:, t, 2 * U:]",
            ),
        ),
        "step 5 multiplies q_c by r, so its gradient has the factor r; without it, states are "
        "blamed for what the gate "
        "kept from them",
        checks.layer(lambda: GRU(3, return_sequences=True), (4, 5)),
    ),
    Mistake(
        "gru-gates-swapped",
        "z and 1 - z exchanged in the GRU, forwards and backwards",
        (
            Edit("gru_forward", "z * h + (1 - z) * c, h)", "(1 - z) * h + z * c, h)"),
            Edit("gru_backward", "dz = (before - c) * dh", "dz = (c - before) * dh"),
            Edit("gru_backward", "dc = (1 - z) * dh", "dc = z * dh"),
            Edit("gru_backward", "dbefore = z * dh\n", "dbefore = (1 - z) * dh\n"),
        ),
        "it is a right gradient of another recurrent layer, one that even learns as well.  Only "
        "its weights mean "
        "something else: those of another framework give other states",
        checks.layer(lambda: GRU(3, return_sequences=True), (4, 5)),
        checks.golden_gru,
        "golden values",
    ),
    Mistake(
        "convolution-flipped",
        "the window turned upside down, forwards and backwards",
        (
            Edit("conv2d_forward", "@ kernel[a, b]", "@ kernel[-1 - a, -1 - b]"),
            Edit("conv2d_backward", "dkernel[a, b] = ", "dkernel[-1 - a, -1 - b] = "),
            Edit("conv2d_backward", "dz @ kernel[a, b].T", "dz @ kernel[-1 - a, -1 - b].T"),
        ),
        "this is the mathematicians' convolution, with a right gradient; the frameworks' is a "
        "correlation.  It learns the"
        " same, upside down",
        checks.layer(lambda: Conv2D(2, 3, 2, "same", "tanh"), (5, 4, 3)),
        checks.golden_convolution,
        "golden values",
    ),
    Mistake(
        "adam-no-correction",
        "Adam without the correction of its running means' start",
        (
            Edit(
                "adam_update",
                "alpha = learning_rate * (1 - beta_2 ** step) ** 0.5 / (1 - beta_1 ** step)",
                "alpha = learning_rate",
            ),
        ),
        "no gradient check looks at an optimizer: the gradients are right, it is the step that is "
        "wrong.  Adam's first "
        "step has a known size, that of the learning rate, whatever the gradient",
        checks.vae,
        checks.first_step_of_adam,
        "a known first step",
    ),
)
MISTAKES = {mistake.name: mistake for mistake in LIST}
