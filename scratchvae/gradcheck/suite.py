"""What `scratchvae gradcheck` checks: every layer, every loss, or a lab's model at a reduced size."""
from kernels.activation_names import ACTIVATIONS

from .. import labs
from .check import check_layer, check_model
from ..labs.text_lab import TextLab
from ..layers import (
    GRU, Activation, BatchNormalization, Bidirectional, Conv2D, Conv2DTranspose, Dense, Dropout,
    Embedding, Flatten, OneHotDense, RepeatVector, Reshape)
from ..models import VAE, Autoencoder, Sequential


def suite(lab, backend):
    """Yield a Report for each check."""
    if lab:
        yield check_model(lab.make_small_model(backend))
        return
    for layer, input_shape in layer_cases():
        for part in layer.layers.values() if isinstance(layer, Sequential) else [layer]:
            part.backend = backend
        yield check_layer(layer, input_shape)
    for model in model_cases(backend):
        model.build((12,))
        yield check_model(model)
    for lab in labs.LABS.values():
        if isinstance(lab, TextLab):            # they have the losses of words
            yield check_model(lab.make_small_model(backend))


def layer_cases():
    """Pairs of a layer and the shape of an example; sizes are odd and no multiples of a vector's."""
    for activation in (*ACTIVATIONS, "leaky_relu(0.3)"):
        yield Dense(17, activation), (7,)
        yield Activation(activation), (3, 5)
    yield Flatten(), (3, 5, 2)
    yield Reshape((5, 6)), (3, 10)
    yield Dropout(0.3), (3, 5)
    yield Conv2D(2, 3, 2, "same", "tanh"), (5, 4, 3)
    yield Conv2DTranspose(2, 3, 2, "same", "tanh"), (3, 2, 3)
    yield BatchNormalization(), (3, 2, 4)
    yield Dense(4, "relu"), (3, 2, 5)
    yield Embedding(5, 3), (4,)
    yield OneHotDense(5, 3, "tanh"), (1,)
    yield RepeatVector(3), (5,)
    for return_sequences in (False, True):
        yield GRU(3, return_sequences), (4, 5)
        yield Bidirectional(GRU(3, return_sequences)), (4, 5)
    yield Sequential([Embedding(5, 3, mask_zero=True), Bidirectional(GRU(2, True)), GRU(3)]), (4,)


def model_cases(backend):
    """Small models with every kind of loss, on examples of 12 elements."""
    for reconstruction, activation in (("binary_crossentropy", "sigmoid"), ("squared_error", "sigmoid"), ("squared_error", "linear")):
        yield VAE([Dense(6, "relu"), Dropout(0.2)], 3, [Dense(5, "tanh"), Dense(12, activation)], reconstruction, 12.0,
                  kl_weight=0.7, backend=backend)
    yield Autoencoder([Dense(6, "relu"), Dense(2)], [Dense(5, "tanh"), Dense(12, "sigmoid")], backend=backend)
