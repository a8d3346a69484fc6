"""Each layer as members of a module of PyTorch, and as lines of its forward pass.

Images have their channels last here, and first in PyTorch. There is a line where they change place,
and one where they change back, such as before a Flatten: the weights behind it depend on the order.
PyTorch pads both sides alike, Keras's "same" sometimes more behind, which F.pad writes out.
"""
from ...kernels.activation_names import parse_activation
from .. import images
from ..writing import code

RECURRENT = ("GRU", "LSTM", "Bidirectional")


class Chain:
    """Layers one after the other, as members of a module and as lines of its forward pass.

    Parameters
    ----------
    x : str
        The name of the first input; all others are h.
    shape : tuple of int
        Its shape, without the batch axis.
    """

    def __init__(self, x, shape):
        self.x = x
        self.members = []
        self.lines = []
        self.shape = shape
        self.first = False      # whether the channels are first

    def add_all(self, pieces):
        """Add layers."""
        for piece in pieces:
            self.add(piece)

    def add(self, piece):
        """Add a layer."""
        self.move_channels(images.channels_first(piece, self.first))
        WRITERS[piece.kind](self, piece)
        self.shape = piece.output_shape
        comment = (self.shape[-1], *self.shape[:-1]) if self.first else self.shape
        line, note = self.lines[-1]
        self.lines[-1] = (line, code(comment) + (f": {note}" if note else ""))

    def move_channels(self, first):
        """Bring the channels to the place where the next layer needs them."""
        if first and not self.first:
            self.line(f"{self.x}.permute(0, 3, 1, 2)", "channels first")
        elif self.first and not first:
            self.line(f"{self.x}.permute(0, 2, 3, 1)", "channels last")
        self.first = first

    def line(self, expression, comment=""):
        """Add a line that computes h."""
        self.lines.append((f"h = {expression}", comment))
        self.x = "h"

    def activated(self, h, piece):
        """Add a line that computes h, with the layer's activation."""
        name, slope = parse_activation(piece.activation())
        if name == "linear":
            return self.line(h)
        axis = 1 if self.first else -1
        return self.line({"relu": f"F.relu({h})", "sigmoid": f"torch.sigmoid({h})",
                          "tanh": f"torch.tanh({h})", "softmax": f"F.softmax({h}, dim={axis})",
                          "leaky_relu": f"F.leaky_relu({h}, {slope})"}[name])

    def member(self, piece, made):
        """Add a member of the module."""
        self.members.append((f"self.{piece.name} = {made}", ""))


def activation(chain, piece):
    chain.activated(chain.x, piece)


def linear(piece):
    return f"self.{piece.name} = nn.Linear({piece.input_shape[-1]}, {piece.config['units']})", ""


def dense(chain, piece):
    chain.members.append(linear(piece))
    chain.activated(f"self.{piece.name}({chain.x})", piece)


def one_hot_dense(chain, piece):
    depth = piece.config["depth"]
    chain.member(piece, f"nn.Linear({depth}, {piece.config['units']})")
    chain.line(f"F.one_hot({chain.x}[:, 0].long(), {depth}).float()", f"({depth},)")
    chain.activated(f"self.{piece.name}(h)", piece)


def embedding(chain, piece):
    chain.member(piece, f"nn.Embedding({piece.config['input_dim']}, "
                        f"{piece.config['output_dim']})")
    chain.line(f"self.{piece.name}({chain.x})")


def dropout(chain, piece):
    chain.member(piece, f"nn.Dropout({code(piece.config['rate'])})")
    chain.line(f"self.{piece.name}({chain.x})")


def pair(numbers):
    """Return one number or a tuple as code."""
    return str(numbers[0] if numbers[0] == numbers[1] else tuple(numbers))


def padded(chain, border, value="", same=True):
    """Add a line that pads images."""
    (top, bottom), (left, right) = border
    chain.line(f"F.pad({chain.x}, ({left}, {right}, {top}, {bottom}){value})",
               'Keras\'s "same"' if same else "")


def conv2d(chain, piece):
    config = piece.config
    size = config["kernel_size"]
    strides = config["strides"]
    border = images.padding(piece, size)
    options = "" if max(strides) == 1 else f", stride={pair(strides)}"
    if all(before == after for before, after in border):
        padding = [before for before, _ in border]
        options += f", padding={pair(padding)}" if any(padding) else ""
    else:
        padded(chain, border)
    chain.member(piece, f"nn.Conv2d({piece.input_shape[2]}, {config['filters']}, "
                        f"{pair(size)}{options})")
    chain.activated(f"self.{piece.name}({chain.x})", piece)


def conv2d_transpose(chain, piece):
    """PyTorch paints the windows of all pixels; the script keeps what Keras does."""
    config = piece.config
    border, added = images.cropping(piece)
    options = "" if max(config["strides"]) == 1 else f", stride={pair(config['strides'])}"
    options += f", output_padding={pair(added)}" if any(added) else ""
    chain.member(piece, f"nn.ConvTranspose2d({piece.input_shape[2]}, {config['filters']}, "
                        f"{pair(config['kernel_size'])}{options})")
    painted = f"self.{piece.name}({chain.x})"
    if border != ((0, 0), (0, 0)):
        (top, _), (left, _) = border
        height, width, _ = piece.output_shape
        painted += f"[:, :, {top}:{top + height}, {left}:{left + width}]"
    chain.activated(painted, piece)


def max_pooling(chain, piece):
    pooled(chain, piece, "F.max_pool2d", ', value=-float("inf")')


def average_pooling(chain, piece):
    size = piece.config["pool_size"]
    strides = piece.config["strides"]
    border = images.padding(piece, size)
    if border == ((0, 0), (0, 0)):
        return pooled(chain, piece, "F.avg_pool2d", "")
    (top, bottom), (left, right) = border
    call = f"{{}}, {pair(size)}, stride={pair(strides)}"
    chain.lines.append((f"inside = F.pad(torch.ones_like({chain.x}[:1]), ({left}, {right}, {top}, "
                        f"{bottom}))", "pixels outside take no part"))
    padded(chain, border)
    return chain.line(f"F.avg_pool2d({call.format('h')}) / F.avg_pool2d({call.format('inside')})")


def pooled(chain, piece, function, value):
    """Add a pooling layer."""
    size = piece.config["pool_size"]
    strides = piece.config["strides"]
    border = images.padding(piece, size)
    if border != ((0, 0), (0, 0)):
        padded(chain, border, value)
    chain.line(f"{function}({chain.x}, {pair(size)}, stride={pair(strides)})")


def upsampling(chain, piece):
    down, across = piece.config["size"]
    chain.line(f"{chain.x}.repeat_interleave({down}, dim=2).repeat_interleave({across}, dim=3)")


def cropping(chain, piece):
    (top, _), (left, _) = piece.config["cropping"]
    height, width, _ = piece.output_shape
    chain.line(f"{chain.x}[:, :, {top}:{top + height}, {left}:{left + width}]")


def zero_padding(chain, piece):
    padded(chain, piece.config["padding"], same=False)


def batch_normalization(chain, piece):
    """PyTorch's momentum is that of the new value."""
    channels = piece.input_shape[-1]
    axes = "2d" if chain.first else "1d"
    config = piece.config
    chain.member(piece, f"nn.BatchNorm{axes}({channels}, eps={config['epsilon']}, "
                        f"momentum={code(1 - config['momentum'])})")
    if len(piece.input_shape) in (1, 3):
        return chain.line(f"self.{piece.name}({chain.x})")
    shape = ", ".join(map(str, piece.input_shape))
    return chain.line(f"self.{piece.name}({chain.x}.reshape(-1, {channels})).reshape(-1, {shape})")


def layer_normalization(chain, piece):
    chain.member(piece, f"nn.LayerNorm({piece.input_shape[-1]}, eps={piece.config['epsilon']})")
    chain.line(f"self.{piece.name}({chain.x})")


def flatten(chain, piece):
    chain.line(f"{chain.x}.flatten(1)")


def reshape(chain, piece):
    chain.line(f"{chain.x}.reshape(-1, {', '.join(map(str, piece.output_shape))})")


def repeat_vector(chain, piece):
    chain.line(f"{chain.x}[:, None].expand(-1, {piece.config['n']}, -1)")


def recurrent_member(piece):
    """Return the line that makes a recurrent layer."""
    config = piece.config.get("layer", piece.config)
    both = ", bidirectional=True" if "layer" in piece.config else ""
    return (f"self.{piece.name} = nn.{config['class']}({piece.input_shape[-1]}, "
            f"{config['units']}, batch_first=True{both})", "")


def recurrent(chain, piece):
    config = piece.config.get("layer", piece.config)
    chain.members.append(recurrent_member(piece))
    given = f"without_padding({chain.x}, x)" if piece.masked else chain.x
    if config["return_sequences"]:
        chain.lines.append((f"h, _ = self.{piece.name}({given})", ""))
    else:
        last = "last" if config["class"] == "GRU" else "(last, _)"
        chain.lines.append((f"_, {last} = self.{piece.name}({given})", "the states at the end"))
        both = "layer" in piece.config
        chain.lines.append(("h = torch.cat([last[0], last[1]], dim=1)" if both else "h = last[0]",
                            "forwards, backwards" if both else ""))
    chain.x = "h"


WRITERS = {
    "Activation": activation, "AveragePooling2D": average_pooling,
    "BatchNormalization": batch_normalization, "Bidirectional": recurrent, "Conv2D": conv2d,
    "Conv2DTranspose": conv2d_transpose, "Cropping2D": cropping, "Dense": dense,
    "Dropout": dropout, "Embedding": embedding, "Flatten": flatten, "GRU": recurrent,
    "LSTM": recurrent, "LayerNormalization": layer_normalization, "MaxPooling2D": max_pooling,
    "OneHotDense": one_hot_dense, "RepeatVector": repeat_vector, "Reshape": reshape,
    "UpSampling2D": upsampling, "ZeroPadding2D": zero_padding,
}
KINDS = tuple(WRITERS)
