"""The layer table of a model, as Keras prints it, and as a notebook shows it."""
from html import escape

from ..layers import Layer

WIDTHS = (46, 24, 12)
HEAD = ("Layer (type)", "Output Shape", "Param #")


class Described:
    """The part of a Model or Sequential that shows its layer table as its representation.

    It has `parts`, networks and layers by name, and `input_shape`, which is None until it is built.
    """
    input_shape = None

    def __repr__(self):
        return summary_text(self) if self.input_shape is not None else self._not_built()

    def _repr_html_(self):
        return summary_html(self) if self.input_shape is not None else escape(self._not_built())

    def _not_built(self):
        return f"{type(self).__name__}, not built: it has no parameters yet"


def summary_text(model):
    """Return a table for each network: layer, output shape, parameters; then the total."""
    rule = "=" * sum(WIDTHS)
    lines = []
    for part, layers in networks(model).items():
        lines += [f'Model: "{part}"', _row(*HEAD), rule]
        lines += [_row(*_cells(name, layer)) for name, layer in layers]
        lines += [rule, _sum(part, layers), ""]
    return "\n".join([*lines, total(model)])


def summary_html(model):
    """Return the table of summary_text in HTML."""
    parts = ["<table>", _html_row("th", *HEAD)]
    for part, layers in networks(model).items():
        parts += [_html_row("td", *_cells(name, layer)) for name, layer in layers]
        parts.append(f'<tr><th colspan="3">{escape(_sum(part, layers))}</th></tr>')
    return "".join([*parts, "</table>", f"<p>{escape(total(model))}</p>"])


def total(model):
    """Return the number of all parameters as text, and how many of them gradients train."""
    layers = [layer for network in networks(model).values() for _, layer in network]
    trained = sum(parameter.size for layer in layers for parameter in layer.params.values())
    count = sum(map(size, layers))
    kinds = ""
    if trained < count:
        kinds = f", {trained:,} of them trained by gradients, {count - trained:,} moving averages"
    return f"Total: {count:,} parameters{kinds}"


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


def _cells(name, layer):
    return f"{name} ({layer.name})", str((None, *layer.output_shape)), f"{size(layer):,}"


def _sum(part, layers):
    return f"{part}: {sum(size(layer) for _, layer in layers):,} parameters"


def _row(*cells):
    return f"{cells[0]:<{WIDTHS[0]}}{cells[1]:<{WIDTHS[1]}}{cells[2]:>{WIDTHS[2]}}"


def _html_row(tag, *cells):
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
