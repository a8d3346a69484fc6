"""What `scratchvae gradcheck` checks: all layers and losses, or the small model of one lab."""
import inspect

from .. import labs, layers
from ..layers import GRU, Bidirectional, Conv2D, Dense, Dropout, Embedding, Flatten, Reshape
from ..models import VAE, Autoencoder, Classifier, ConditionalVAE, Sequential
from .check import check_layer, check_model

LOSSES = (                      # losses of numbers, with output activations
    ("binary_crossentropy", "sigmoid"),
    ("squared_error", "sigmoid"),
    ("squared_error", "linear"),
)


def suite(lab, backend):
    """Yield a Report for each layer and model that is checked.

    Parameters
    ----------
    lab : Lab or None
        Check the small model of this lab. None: all layers, and small models with all losses.
    backend : str
        "cpu", "reference" or "cuda".
    """
    if lab:
        yield check_model(lab.make_small_model(backend))
        return
    for layer, input_shape in layer_cases():
        members = layer.layers.values() if isinstance(layer, Sequential) else [layer]
        for member in members:
            member.backend = backend
        yield check_layer(layer, input_shape)
    for model, input_shape in model_cases(backend):
        model.build(input_shape)
        yield check_model(model)
    for lab in labs.LABS.values():
        if lab.kind != "images":        # their losses are those of words, and of tables
            yield check_model(lab.make_small_model(backend))


def layer_cases():
    """Yield pairs of a layer and an input_shape.

    They are the examples of all layer classes of the library, and a chain of layers with a mask.
    """
    for layer_class in library_layers():
        yield from layer_class.examples()
    chain = [Embedding(5, 3, mask_zero=True), Bidirectional(GRU(2, True)), GRU(3)]
    yield Sequential(chain), (4,)


def library_layers():
    """Return the layer classes that scratchvae.layers exports, without those defined elsewhere."""
    return [member for member in vars(layers).values()
            if inspect.isclass(member) and issubclass(member, layers.Layer)]


def model_cases(backend):
    """Yield pairs of a small model and an input_shape: all losses of numbers, and of classes."""
    for reconstruction, activation in LOSSES:
        encoder = [Dense(6, "relu"), Dropout(0.2)]
        decoder = [Dense(5, "tanh"), Dense(12, activation)]
        model = VAE(encoder, 3, decoder, reconstruction, 12.0, kl_weight=0.7, backend=backend)
        yield model, (12,)
    yield Autoencoder([Dense(6, "relu"), Dense(2)], [Dense(5, "tanh"), Dense(12, "sigmoid")],
                      backend=backend), (12,)
    yield ConditionalVAE([Dense(6, "tanh")], 3, [Dense(5, "tanh"), Dense(12, "linear")], 4,
                         reconstruction="squared_error", kl_weight=0.7, backend=backend), (12,)
    yield ConditionalVAE([Conv2D(2, 2, activation="tanh"), Flatten(), Dense(5, "tanh")], 2,
                         [Dense(24, "sigmoid"), Reshape((3, 4, 2))], 3, backend=backend), (3, 4, 2)
    yield Classifier([Dense(6, "relu"), Dropout(0.2), Dense(5, "tanh")], 4, backend=backend), (12,)
