"""What `scratchvae gradcheck` checks:

every layer, every loss, or a lab's model at a reduced size.
"""
import inspect

from .. import labs, layers
from ..layers import GRU, Bidirectional, Dense, Dropout, Embedding
from ..models import VAE, Autoencoder, Sequential
from .check import check_layer, check_model

LOSSES = (                      # of numbers, with their output activations
    ("binary_crossentropy", "sigmoid"),
    ("squared_error", "sigmoid"),
    ("squared_error", "linear"),
)


def suite(lab, backend):
    """Yield a Report for each check.

    Parameters
    ----------
    lab : Lab or None
        Check its model; None checks all layers, and small models with every loss.
    backend : str
    """
    if lab:
        yield check_model(lab.make_small_model(backend))
        return
    for layer, input_shape in layer_cases():
        members = layer.layers.values() if isinstance(layer, Sequential) else [layer]
        for member in members:
            member.backend = backend
        yield check_layer(layer, input_shape)
    for model in model_cases(backend):
        model.build((12,))
        yield check_model(model)
    for lab in labs.LABS.values():
        if lab.kind == "text":          # these have the losses of words
            yield check_model(lab.make_small_model(backend))


def layer_cases():
    """Yield pairs of a layer and an input_shape: the examples of all of the library's layers.

    A chain with a mask follows.
    """
    for layer_class in library_layers():
        yield from layer_class.examples()
    chain = [Embedding(5, 3, mask_zero=True), Bidirectional(GRU(2, True)), GRU(3)]
    yield Sequential(chain), (4,)


def library_layers():
    """Return the classes of the library's layers, without a learner's own."""
    return [member for member in vars(layers).values()
            if inspect.isclass(member) and issubclass(member, layers.Layer)]


def model_cases(backend):
    """Yield small models with every loss of numbers, on examples of 12 elements."""
    for reconstruction, activation in LOSSES:
        encoder = [Dense(6, "relu"), Dropout(0.2)]
        decoder = [Dense(5, "tanh"), Dense(12, activation)]
        yield VAE(encoder, 3, decoder, reconstruction, 12.0, kl_weight=0.7, backend=backend)
    yield Autoencoder([Dense(6, "relu"), Dense(2)], [Dense(5, "tanh"), Dense(12, "sigmoid")],
                      backend=backend)
