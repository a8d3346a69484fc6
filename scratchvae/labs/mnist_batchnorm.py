"""mnist-batchnorm: handwritten digits through a plane, batch-normalised throughout."""
from ..layers import BatchNormalization, Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..models import VAE
from .figures import PLANE
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule

SIDE = 28
STAGES = ((8, 2), (16, 2))      # filters and strides of the encoder; the decoder's are the reverse


def make_network(stages, settings, backend):
    """Return a VAE of convolutions, each with batch normalisation, down to 20 numbers and to 2.

    Parameters
    ----------
    stages : sequence of (filters, stride)
        Of the encoder; the decoder has them in reverse.
    settings : dict
        Of a lab; "divide" divides the filters.
    backend : str
    """
    divide = settings.get("divide", 1)
    stages = [(max(1, filters // divide), stride) for filters, stride in stages]
    coarse = settings.get("side", SIDE)
    encoder = []
    for filters, stride in stages:
        coarse //= stride
        encoder += [Conv2D(filters, 3, strides=stride, padding="same", activation="relu"),
                    BatchNormalization()]
    encoder += [Flatten(), Dense(20, activation="relu"), BatchNormalization()]
    filters, _ = stages[-1]
    decoder = [Dense(coarse * coarse * filters, activation="relu"), BatchNormalization(),
               Reshape((coarse, coarse, filters))]
    for filters, stride in reversed(stages):
        decoder += [Conv2DTranspose(filters, 3, strides=stride, padding="same",
                                    activation="relu"),
                    BatchNormalization()]
    decoder += [Conv2DTranspose(1, 3, padding="same", activation="sigmoid")]
    return VAE(encoder, settings["latent_dim"], decoder, reconstruction="binary_crossentropy",
               reconstruction_scale=settings["reconstruction_scale"],
               kl_weight=kl_schedule(settings), backend=backend)


def make_model(settings, backend="cpu"):
    """28 x 28 -> 14 x 14 x 8 -> 7 x 7 x 16 -> 20 -> 2, and back."""
    return make_network(STAGES, settings, backend)


def peculiarities(settings):
    """Return what the sheet leaves out."""
    if settings["kl_weight"]:
        return ()
    return ("the loss that the sheet compiles has no KL term, so the latent plane need not "
            "resemble the prior, and samples from it suffer; --set kl_weight=0.001 mends it "
            "(losses are means over 784 pixels, so 1/784 = 0.0013 is the weight of an ELBO)",)


LAB = Lab(
    order=6,
    name="mnist-batchnorm",
    title="Handwritten digits through a plane, batch-normalised: 26 thousand parameters",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=50,
    batch_size=128,
    settings={"latent_dim": 2, "reconstruction_scale": 1.0, "learning_rate": 0.001,
              **KL_SETTINGS, "kl_weight": 0.0},
    small_settings={"divide": 4, "side": 8},
    parameters=26_345,
    references=(Reference("Keras 3 (TensorFlow)", 1, 0.3531, 0.2734),
                Reference("Keras 3 (TensorFlow)", 5, 0.2000, 0.1964)),
    make_model=make_model,
    figures=PLANE,
    peculiarities=peculiarities,
    validation_split=0.2,
    unit="mean cross-entropy of a pixel, nats",
    beside="mnist-batchnorm-deep",
)
