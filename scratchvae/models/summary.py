"""The layer table of a model, as Keras prints it."""
from ..layers import Layer

WIDTHS = (46, 24, 12)


def summary_text(model):
    """A table for each network: layer, shape of the output, parameters; then the total."""
    lines = []
    for part, rows in networks(model).items():
        lines += [f'Model: "{part}"', _row("Layer (type)", "Output Shape", "Param #"), "=" * sum(WIDTHS)]
        lines += [_row(f"{name} ({type(layer).__name__})", str((None, *layer.output_shape)), f"{size(layer):,}")
                  for name, layer in rows]
        lines += ["=" * sum(WIDTHS), f"{part}: {sum(size(layer) for _, layer in rows):,} parameters", ""]
    trained = model.parameters.count
    kinds = "" if trained == model.count else f", {trained:,} of them trained by gradients, {model.count - trained:,} moving averages"
    return "\n".join(lines + [f"Total: {model.count:,} parameters{kinds}"])


def networks(model):
    """name -> [(layer's name, layer)]; layers that stand alone, as z_mean does, belong to the network before them."""
    networks, rows = {}, []
    for part, module in model.parts.items():
        if isinstance(module, Layer):
            rows.append((part, module))
        else:
            networks[part] = rows = list(module.layers.items())
    return networks


def size(layer):
    """How many parameters a layer has, moving averages among them."""
    return sum(weight.size for weight in layer.weights.values())


def _row(*cells):
    return f"{cells[0]:<{WIDTHS[0]}}{cells[1]:<{WIDTHS[1]}}{cells[2]:>{WIDTHS[2]}}"
