"""The layer table of a model, as Keras prints it."""
from ..layers import Layer

WIDTHS = (46, 24, 12)


def summary_text(model):
    """Return a table for each network: layer, output shape, parameters; then the total."""
    rule = "=" * sum(WIDTHS)
    lines = []
    for part, layers in networks(model).items():
        lines += [f'Model: "{part}"', _row("Layer (type)", "Output Shape", "Param #"), rule]
        lines += [_row(f"{name} ({layer.name})", str((None, *layer.output_shape)),
                       f"{size(layer):,}") for name, layer in layers]
        total = sum(size(layer) for _, layer in layers)
        lines += [rule, f"{part}: {total:,} parameters", ""]
    trained = model.parameters.count
    kinds = ""
    if trained < model.count:
        kinds = (f", {trained:,} of them trained by gradients, "
                 f"{model.count - trained:,} moving averages")
    return "\n".join([*lines, f"Total: {model.count:,} parameters{kinds}"])


def networks(model):
    """Return network -> [(layer's name, layer)].

    Layers that stand alone, as z_mean does, belong to the network before them.
    """
    networks = {}
    layers = []
    for part, module in model.parts.items():
        if isinstance(module, Layer):
            layers.append((part, module))
        else:
            layers = list(module.layers.items())
            networks[part] = layers
    return networks


def size(layer):
    """Return how many parameters a layer has, moving averages included."""
    return sum(weight.size for weight in layer.weights.values())


def _row(*cells):
    return f"{cells[0]:<{WIDTHS[0]}}{cells[1]:<{WIDTHS[1]}}{cells[2]:>{WIDTHS[2]}}"
