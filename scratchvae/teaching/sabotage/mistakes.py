"""The mistakes that can be planted."""
from ...layers import GRU, Activation, BatchNormalization, Conv2D, Dense, Dropout, Embedding
from . import checks
from .plant import Edit, Mistake

LIST = (
    Mistake(
        "loss-no-mean",
        "the factor 1/N missing from the loss's gradient",
        (Edit("binary_crossentropy_backward", "(scale / (D * N))", "(scale / D)"),),
        "the loss is a mean over N examples, so without 1/N every gradient behind it is N times "
        "too large. In training this looks like a learning rate that is N times too large",
        checks.vae,
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
        checks.spread_of_samples,
        "spread of samples",
    ),
    Mistake(
        "dense-transpose",
        "a missing transpose, in a square dense layer",
        (Edit("dense_backward", "np.matmul(dz, kernel.T, out=dx)",
              "np.matmul(dz, kernel, out=dx)"),),
        "the kernel is square, so dz @ kernel has the right shape and raises no error. Also check "
        "layers whose sizes differ",
        checks.layer(lambda: Dense(5, "tanh"), (5,)),
    ),
    Mistake(
        "bias-mean",
        "the bias's gradient as a mean over the batch",
        (Edit("dense_backward", "np.sum(dz, axis=0, out=dbias)",
              "np.mean(dz, axis=0, out=dbias)"),),
        "dz already contains the factor 1/N, from the loss. A mean applies it a second time",
        checks.layer(lambda: Dense(4, "tanh"), (5,)),
    ),
    Mistake(
        "relu-ignored",
        "relu's derivative missing",
        (Edit("activation_backward", "dx[...] = np.where(y > 0, dout, slope * dout)",
              "dx[...] = dout"),),
        "a unit whose output is 0 does not influence the loss, so its gradient must be 0, not dout",
        checks.layer(lambda: Activation("relu"), (3, 5)),
    ),
    Mistake(
        "softmax-diagonal",
        "only the diagonal of softmax's derivative",
        (Edit("activation_backward",
              "dx[...] = y * (dout - (dout * y).sum(axis=-1, keepdims=True))",
              "dx[...] = dout * y * (1 - y)"),),
        "each input changes every output, through the sum in the denominator. The factor y (1 - y) "
        "is the derivative of an output with respect to its own input only",
        checks.layer(lambda: Activation("softmax"), (3, 5)),
    ),
    Mistake(
        "dropout-mask",
        "dropout's mask drawn again in the backward pass",
        (Edit("dropout_backward", "noise >= rate",
              "np.random.default_rng(0).random(noise.shape) >= rate"),),
        "gradients flow through units that were dropped, and not through some that were kept. The "
        "check must fix the noise of the forward pass, or its differences would be random",
        checks.layer(lambda: Dropout(0.3), (3, 5)),
    ),
    Mistake(
        "batchnorm-constants",
        "batch normalisation's gradient with the mean and variance as constants",
        (Edit("batchnorm_backward", "(dout - (dbeta + x_hat * dgamma) / len(x))", "dout"),),
        "each example also changes the batch's mean and variance, and through them all other "
        "outputs. The right dx sums to 0 over the batch, since adding the same number to all "
        "examples changes no output",
        checks.layer(lambda: BatchNormalization(), (3, 2, 4)),
    ),
    Mistake(
        "embedding-overwrite",
        "the gradients of a repeated word overwrite each other",
        (Edit("embedding_backward", "np.add.at(dtable, indices, dout)", "dtable[indices] = dout"),),
        "a row that was read twice receives two gradients, and they must be added. Only examples "
        "with repeated words show the mistake: this check draws four words from three, so that "
        "one of them repeats",
        checks.layer(lambda: Embedding(5, 3), (4,)),
    ),
    Mistake(
        "gru-reset",
        "the reset gate missing from the GRU's backward pass",
        (Edit("gru_backward", "dq[:, t, 2 * U:] = r * da[:, t, 2 * U:]",
              "dq[:, t, 2 * U:] = da[:, t, 2 * U:]"),),
        "the forward pass multiplies q_c by r, so the gradient of q_c has the factor r. Without "
        "it, states receive a gradient for contributions that the gate had blocked",
        checks.layer(lambda: GRU(3, return_sequences=True), (4, 5)),
    ),
    Mistake(
        "gru-gates-swapped",
        "z and 1 - z exchanged in the GRU, forward and backward",
        (
            Edit("gru_forward", "z * h + (1 - z) * c, h)", "(1 - z) * h + z * c, h)"),
            Edit("gru_backward", "dz = (before - c) * dh", "dz = (c - before) * dh"),
            Edit("gru_backward", "dc = (1 - z) * dh", "dc = z * dh"),
            Edit("gru_backward", "dbefore = z * dh\n", "dbefore = (1 - z) * dh\n"),
        ),
        "this is the right gradient of a different recurrent layer, which learns equally well. "
        "But its weights mean something else: weights from another framework give other states",
        checks.layer(lambda: GRU(3, return_sequences=True), (4, 5)),
        checks.golden_gru,
        "golden values",
    ),
    Mistake(
        "convolution-flipped",
        "the convolution's window rotated by 180 degrees, forward and backward",
        (
            Edit("conv2d_forward", "@ kernel[a, b]", "@ kernel[-1 - a, -1 - b]"),
            Edit("conv2d_backward", "dkernel[a, b] = ", "dkernel[-1 - a, -1 - b] = "),
            Edit("conv2d_backward", "dz @ kernel[a, b].T", "dz @ kernel[-1 - a, -1 - b].T"),
        ),
        "this is the convolution of mathematics, with its right gradient. Frameworks compute a "
        "cross-correlation instead. Training finds the same windows, rotated",
        checks.layer(lambda: Conv2D(2, 3, 2, "same", "tanh"), (5, 4, 3)),
        checks.golden_convolution,
        "golden values",
    ),
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
        checks.first_step_of_adam,
        "a known first step",
    ),
)
MISTAKES = {mistake.name: mistake for mistake in LIST}
