"""Mistakes in dense layers, activations, dropout and normalisation."""
from ...layers import Activation, BatchNormalization, Dense, Dropout, LayerNormalization
from . import checks
from .plant import Edit, Mistake

MISTAKES = (
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
        "bias-added-up",
        "the bias's gradient added to what its array holds",
        (Edit("dense_backward", "np.sum(dz, axis=0, out=dbias)", "dbias += dz.sum(axis=0)"),),
        "the first step is right, since the array holds zeros. From then on all gradients of the "
        "past are in it. This check runs the backward pass twice; a check of a single pass finds "
        "nothing",
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
        "dout-overwritten",
        "the upstream gradient overwritten by tanh's backward pass",
        (Edit("activation_backward", "dx[...] = dout * (1 - y * y)",
              "dx[...] = np.multiply(dout, 1 - y * y, out=dout)"),),
        "dx is right, so a gradient check of this layer passes. Whatever reads dout afterwards, "
        "such as a second branch of the network, gets a wrong one. A check must compare the inputs "
        "before and after the call",
        checks.layer(lambda: Activation("tanh"), (3, 5)),
        checks.beside_another("activation_backward"),
        checks.BESIDE,
    ),
    Mistake(
        "sigmoid-overflow",
        "the sigmoid as exp(x) / (1 + exp(x))",
        (
            Edit("activation_forward", "np.exp(-np.abs(x))", "np.exp(x)"),
            Edit("activation_forward", "np.where(x >= 0, 1, e) / (1 + e)", "e / (1 + e)"),
        ),
        "exp(x) is infinite for x > 88 in float32, and infinity / infinity is not a number. A "
        "gradient check uses small x in float64, where both forms are equal. Only calls with large "
        "numbers show it",
        checks.layer(lambda: Activation("sigmoid"), (3, 5)),
        checks.beside_another("activation_forward"),
        checks.BESIDE,
    ),
    Mistake(
        "softmax-overflow",
        "softmax without its maximum subtracted",
        (Edit("activation_forward", "x - x.max(axis=-1, keepdims=True)", "x"),),
        "the maximum cancels in the quotient, so the gradients are right. Without it exp "
        "overflows for x > 88 in float32. Only calls with large numbers show it",
        checks.layer(lambda: Activation("softmax"), (3, 5)),
        checks.beside_another("activation_forward"),
        checks.BESIDE,
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
        "dropout-not-scaled",
        "kept elements not scaled by 1 / (1 - rate), forward and backward",
        (
            Edit("dropout_forward", "x * (1 / (1 - rate))", "x"),
            Edit("dropout_backward", "dout * (1 / (1 - rate))", "dout"),
        ),
        "this is the right gradient of a dropout that makes numbers smaller in training than in "
        "inference, where nothing is dropped. Dropping many ones and taking the mean shows it: "
        "the mean must stay 1",
        checks.layer(lambda: Dropout(0.3), (3, 5)),
        checks.golden_group("mean after dropout"),
        checks.GOLDEN,
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
        "moving-average-swapped",
        "momentum and 1 - momentum exchanged in the moving averages",
        (
            Edit("batchnorm_update", "momentum * moving_mean + (1 - momentum) * mean",
                 "(1 - momentum) * moving_mean + momentum * mean"),
            Edit("batchnorm_update", "momentum * moving_variance + (1 - momentum) * variance",
                 "(1 - momentum) * moving_variance + momentum * variance"),
        ),
        "no gradient depends on the moving averages, and the training loss does not either. They "
        "follow the last batch almost alone, so the validation loss is noisy. The state after a "
        "step must be compared, too",
        checks.layer(lambda: BatchNormalization(), (3, 2, 4)),
        checks.golden_group("batchnorm/rows"),
        checks.GOLDEN,
    ),
    Mistake(
        "batchnorm-inference",
        "the batch's own mean and variance in inference",
        (Edit("batchnorm_inference", "(x - mean) / np.sqrt(variance + epsilon)",
              "(x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + epsilon)"),),
        "a gradient check runs the layer as in training. In inference an example's result must not "
        "depend on the others in its batch, and a single example would become beta. Comparing "
        "the output in inference shows it",
        checks.layer(lambda: BatchNormalization(), (3, 2, 4)),
        checks.golden_group("batchnorm/rows"),
        checks.GOLDEN,
    ),
    Mistake(
        "layernorm-gamma",
        "gamma outside of the means in layer normalisation's gradient",
        (
            Edit("layernorm_backward", "dx_hat = gamma * dout", "dx_hat = dout"),
            Edit("layernorm_backward", "s[:, np.newaxis] * (", "gamma * s[:, np.newaxis] * ("),
        ),
        "batch normalisation may take gamma out of its means, because they run over examples, "
        "which share it. Here they run over columns, and each has its own gamma. A check with "
        "gamma = 1, the initial value, finds nothing: this one moves all parameters first",
        checks.layer(lambda: LayerNormalization(), (5,)),
    ),
    Mistake(
        "layernorm-variance",
        "the path through the variance missing from layer normalisation's gradient",
        (Edit("layernorm_backward", "dx_hat - through_variance - through_mean",
              "dx_hat - through_mean"),),
        "each number of a row also changes the row's variance. dx still sums to 0 over the row, so "
        "this property alone would not show the mistake",
        checks.layer(lambda: LayerNormalization(), (5,)),
    ),
)
