"""fashion-conv: garments through a plane, by a convolutional variational autoencoder."""
from ..models import VAE
from ..optimizers import Adam
from . import figures
from .fashion_autoencoder import SIDE, decoder_layers, encoder_layers
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule


def make_model(settings, backend="cpu"):
    """The network of fashion-autoencoder, with a distribution in place of the point; the loss is 500 x mean cross-entropy + KL."""
    return VAE(encoder=encoder_layers(settings), latent_dim=settings["latent_dim"], decoder=decoder_layers(settings),
               reconstruction="binary_crossentropy", reconstruction_scale=settings["reconstruction_scale"],
               kl_weight=kl_schedule(settings), backend=backend)


def make_optimizer(settings):
    """Adam with Keras's defaults."""
    return Adam(learning_rate=settings["learning_rate"])


def draw(run):
    """Loss curves, embedding beside the plain autoencoder's, the sheet's three grids, manifold, reconstructions, samples."""
    ranges = ((-4, 4, 0.5), (-2, 1.5, 0.3), (-1.5, 0.7, 0.15))
    return [figures.loss_curves(run), *figures.embedding(run), *figures.grids(run, ranges), *figures.manifolds(run),
            run.draw_reconstructions(10), run.draw_samples(30)]


LAB = Lab(
    name="fashion-conv",
    title="Garments through a plane, by a convolutional VAE",
    data="fashion-mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=30,
    batch_size=10,
    settings={"filters": 32, "latent_dim": 2, "reconstruction_scale": 500.0, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"filters": 2, "side": 8},
    parameters=347_141,
    references=(Reference("Keras 3 (TensorFlow), seed 0", 1, 138.47, 134.68),
                Reference("Keras 3 (TensorFlow), seed 0", 3, 132.17, 132.02),
                Reference("the sheet (123.03 + KL 5.67)", 30, 128.71)),
    make_model=make_model,
    make_optimizer=make_optimizer,
    draw=draw,
    peculiarities=lambda settings: (
        "the sheet's validation figures are those of the last batch alone; here they are means over the whole test set",),
    unit="500 x mean nats a pixel, + KL",
    beside="fashion-autoencoder",
    bench_batch_sizes=(10, 128),
)
