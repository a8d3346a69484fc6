"""A model as exporters see it: its layers one by one, with what another framework must know."""
from typing import NamedTuple

import numpy as np

from ..errors import ScratchVAEError
from ..layers import Layer
from ..layers.layer import registered_name
from ..models.sequential import unused_name

MODELS = ("VAE", "IWAE", "TextVAE", "Autoencoder")


class Piece(NamedTuple):
    """A layer of a model.

    Attributes
    ----------
    name : str
        "conv2d_1": unique in its network.
    path : str
        "encoder/conv2d_1".
    kind : str
        Its class.
    config : dict
        Its arguments as they were given. The model's own last layer is linear, as the loss
        computes from the logits; this one still has its activation.
    weights : dict of name -> float32 array
        Parameters and state.
    input_shape, output_shape : tuple of int
        Without the batch axis.
    masked : bool
        Whether it skips the steps of padding.
    """
    name: str
    path: str
    kind: str
    config: dict
    weights: dict
    input_shape: tuple
    output_shape: tuple
    masked: bool = False

    def activation(self):
        """Return the name of its activation; "linear" if it has none."""
        return self.config.get("activation") or "linear"


def pieces_of(model, framework, kinds):
    """Return the networks of a model as lists of Pieces, by name in the order of the data.

    Parameters
    ----------
    model : VAE, TextVAE or Autoencoder
        Built.
    framework : str
        Where it goes, for messages.
    kinds : collection of str
        The classes of layers that can go there.

    Raises
    ------
    ScratchVAEError
        If a layer has no counterpart there.
    """
    model.check_built()
    if registered_name(type(model)) not in MODELS:
        raise ScratchVAEError(f"a model of class {type(model).__name__} cannot be exported; "
                              f"allowed: {', '.join(MODELS)}")
    layers = {part: list(_layers_of(part, network)) for part, network in model.parts.items()}
    for _, path, config, _ in sum(layers.values(), []):
        kind = config.get("layer", config)["class"]             # that of a Bidirectional
        if not {config["class"], kind} <= set(kinds):
            raise ScratchVAEError(f"{path}: a layer of class {kind} cannot be exported to "
                                  f"{framework}; allowed: {', '.join(sorted(kinds))}")
    masked = _masked_layers(model)
    return {part: [_piece(model, name, path, config, layer, layer in masked)
                   for name, path, config, layer in found]
            for part, found in layers.items()}


def halves(networks):
    """Return the layers on the way to the code and those from it, with names of their own.

    Parameters
    ----------
    networks : dict of str -> list of Piece

    Returns
    -------
    {"encoder": list of Piece, "decoder": list of Piece}
    """
    joined = {"encoder": ("encoder", "z_mean", "z_log_var"),
              "decoder": ("initial", "words", "gru", "decoder")}
    result = {}
    for half, parts in joined.items():
        pieces = []
        for piece in (piece for part in parts for piece in networks.get(part, ())):
            taken = [other.name for other in pieces]
            name = unused_name(piece.kind, taken) if piece.name in taken else piece.name
            pieces.append(piece._replace(name=name))
        result[half] = pieces
    return result


def _layers_of(part, network):
    """Yield (name, path, arguments as given, layer) of a network, which may be a single layer."""
    if isinstance(network, Layer):
        yield part, part, network.get_config(), network
        return
    for (name, layer), config in zip(network.layers.items(), network.get_config()):
        yield name, f"{part}/{name}", config, layer


def _piece(model, name, path, config, layer, masked):
    weights = {name: np.array(model.kernels.to_host(value), np.float32)
               for name, value in layer.weights.items()}
    return Piece(name, path, config["class"], config, weights, tuple(layer.input_shape),
                 tuple(layer.output_shape), masked)


def _masked_layers(model):
    """Return the encoder's layers that a mask reaches; no other network reads words with one."""
    model.encode(np.ones((1, *model.input_shape), model.encoder.input_dtype or model.dtype))
    return [layer for layer in model.encoder.layers.values() if layer.mask is not None]
