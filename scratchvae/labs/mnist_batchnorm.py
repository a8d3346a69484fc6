"""mnist-batchnorm and mnist-batchnorm-deep: a network of 26 thousand parameters, and one of 23 million, batch-normalised throughout."""
from dataclasses import replace

from ..layers import BatchNormalization, Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..models import VAE
from ..optimizers import Adam
from . import figures
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule

SIDE = 28
BASELINE = ((8, 2), (16, 2))                            # filters and strides of the encoder; the decoder's are the reverse
DEEP = ((128, 2), (256, 2), (512, 1), (1024, 1))


def make_network(stages, settings, backend):
    """Convolutions, each with batch normalisation, down to 20 numbers and to 2, and the same up again."""
    side = settings.get("side", SIDE)
    stages = [(max(1, filters // settings.get("divide", 1)), stride) for filters, stride in stages]
    encoder, decoder, coarse = [], [], side
    for filters, stride in stages:
        coarse //= stride
        encoder += [Conv2D(filters, 3, strides=stride, padding="same", activation="relu"), BatchNormalization()]
    encoder += [Flatten(), Dense(20, activation="relu"), BatchNormalization()]
    decoder += [Dense(coarse * coarse * stages[-1][0], activation="relu"), BatchNormalization(),
                Reshape((coarse, coarse, stages[-1][0]))]
    for filters, stride in reversed(stages):
        decoder += [Conv2DTranspose(filters, 3, strides=stride, padding="same", activation="relu"), BatchNormalization()]
    decoder += [Conv2DTranspose(1, 3, padding="same", activation="sigmoid")]
    return VAE(encoder, settings["latent_dim"], decoder, reconstruction="binary_crossentropy",
               reconstruction_scale=settings["reconstruction_scale"], kl_weight=kl_schedule(settings), backend=backend)


def make_optimizer(settings):
    """Adam with Keras's defaults."""
    return Adam(learning_rate=settings["learning_rate"])


def peculiarities(settings):
    """What the print leaves out."""
    if settings["kl_weight"]:
        return ()
    return ("the loss that the sheet compiles has no KL term: the latent plane need not resemble the prior, and samples from it suffer; "
            "--set kl_weight=0.001 mends it (losses are means over 784 pixels, 1/784 = 0.0013 is the weight of an ELBO)",)


def draw(run):
    """Loss curves, latent scatter and manifold, also beside the other network's, reconstructions and samples."""
    return [figures.loss_curves(run), *figures.embedding(run), *figures.manifolds(run), run.draw_reconstructions(10),
            run.draw_samples(30)]


LAB = Lab(
    name="mnist-batchnorm",
    title="Handwritten digits through a plane, batch-normalised: 26 thousand parameters",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=50,
    batch_size=128,
    settings={"latent_dim": 2, "reconstruction_scale": 1.0, "learning_rate": 0.001, **KL_SETTINGS, "kl_weight": 0.0},
    small_settings={"divide": 4, "side": 8},
    parameters=26_345,
    references=(Reference("Keras 3 (TensorFlow)", 1, 0.3531, 0.2734),
                Reference("Keras 3 (TensorFlow)", 5, 0.2000, 0.1964)),
    make_model=lambda settings, backend="cpu": make_network(BASELINE, settings, backend),
    make_optimizer=make_optimizer,
    draw=draw,
    peculiarities=peculiarities,
    validation_split=0.2,
    unit="mean cross-entropy of a pixel, nats",
    beside="mnist-batchnorm-deep",
)

DEEP_LAB = replace(
    LAB,
    name="mnist-batchnorm-deep",
    title="The same with 23 million parameters",
    epochs=5,
    small_settings={"divide": 256, "side": 4},
    parameters=23_199_929,
    references=(Reference("the sheet", 1, 0.2530, 0.2558),
                Reference("the sheet", 2, 0.2012, 0.1940),
                Reference("the sheet", 3, 0.1910, 0.1896),
                Reference("the sheet", 4, 0.1869, 0.1837),
                Reference("the sheet", 5, 0.1846, 0.3467)),
    make_model=lambda settings, backend="cpu": make_network(DEEP, settings, backend),
    beside="mnist-batchnorm",
)
