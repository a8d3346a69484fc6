"""mnist-dense: handwritten digits through a plane, with nothing but dense layers."""
from ..layers import Dense
from ..models import VAE
from ..optimizers import RMSprop
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule

PIXELS = 784


def make_model(settings, backend="cpu"):
    """784 -> 256 -> 2 -> 256 -> 784."""
    return VAE(encoder=[Dense(settings["intermediate_dim"], activation="relu")],
               latent_dim=settings["latent_dim"],
               decoder=[Dense(settings["intermediate_dim"], activation="relu"),
                        Dense(PIXELS, activation="sigmoid")],
               reconstruction="binary_crossentropy", reconstruction_scale=float(PIXELS),
               kl_weight=kl_schedule(settings), backend=backend)


def make_optimizer(settings):
    """RMSprop with Keras's defaults."""
    return RMSprop(learning_rate=settings["learning_rate"])


def draw(run):
    """Loss curves, latent scatter, manifold, reconstructions and samples."""
    from .. import plots        # matplotlib takes a second to import: not before training
    model, data, x = run.model, run.data, run.x_test
    figures, note, title = run.folder / "figures", run.note, f"mnist-dense, epoch {len(run.history)}"
    reference = [(r.epoch, r.val_loss, "reference, validation") for r in run.references if r.epoch <= len(run.history)]
    paths = [plots.loss_curves(run.history, figures / "loss_curves.png", title, note, reference)]
    if model.latent_dim >= 2:
        paths.append(plots.latent_scatter(model.encode(x)[0], data.y_test[:len(x)], data.classes, figures / "latent_scatter.png",
                                          f"Test digits in latent space: $\\mu$ of $q(z|x)$ ({title})", note))
    if model.latent_dim == 2:
        paths.append(plots.manifold(model.decode, figures / "manifold.png",
                                    f"The decoder's manifold, 5 % to 95 % of the prior ({title})", note))
    paths += [run.draw_reconstructions(10), run.draw_samples(30)]
    return paths


LAB = Lab(
    name="mnist-dense",
    title="Handwritten digits through a plane, with dense layers",
    data="mnist",
    example_shape=(PIXELS,),
    epochs=50,
    batch_size=100,
    settings={"intermediate_dim": 256, "latent_dim": 2, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"intermediate_dim": 5},
    parameters=404_244,
    references=(Reference("Keras 3 (JAX), seed 0", 1, 190.3, 172.2),
                Reference("Keras 3 (JAX), seed 0", 10, 157.5, 157.6),
                Reference("Keras 3 (JAX), seed 0", 50, 148.85, 151.32)),
    make_model=make_model,
    make_optimizer=make_optimizer,
    draw=draw,
)
