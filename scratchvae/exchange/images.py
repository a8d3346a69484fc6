"""What differs between frameworks about images: the place of the channels, and borders."""
from ..kernels.windows import padding_before

FIRST = ("AveragePooling2D", "Conv2D", "Conv2DTranspose", "Cropping2D", "MaxPooling2D",
         "UpSampling2D", "ZeroPadding2D")


def channels_first(piece, now):
    """Return whether a layer's input has its channels first, where convolutions need them there.

    Parameters
    ----------
    piece : Piece
    now : bool
        Whether they are first before it: layers that work element by element leave them there.
    """
    if len(piece.input_shape) != 3:
        return False
    if piece.kind in FIRST or piece.kind == "BatchNormalization":
        return True
    if piece.kind == "Dropout" or piece.kind == "Activation" and piece.activation() != "softmax":
        return now
    return False


def padding(piece, window):
    """Return ((top, bottom), (left, right)): what "same" adds to the input of a moving window.

    Parameters
    ----------
    piece : Piece
        A convolution or a pooling layer.
    window : (int, int)
        Its height and width.
    """
    if piece.config["padding"] == "valid":
        return (0, 0), (0, 0)
    result = []
    for fine, coarse, size, stride in zip(piece.input_shape, piece.output_shape, window,
                                          piece.config["strides"]):
        before = padding_before(fine, coarse, size, stride)
        result.append((before, max((coarse - 1) * stride + size - fine, 0) - before))
    return tuple(result)


def cropping(piece):
    """Return what a transposed convolution cuts off, and what it adds where nothing is painted.

    Frameworks without Keras's "same" paint the windows of all pixels.

    Parameters
    ----------
    piece : Piece
        A transposed convolution.

    Returns
    -------
    ((top, bottom), (left, right))
        Rows and columns cut off.
    (int, int)
        Rows and columns added at the bottom and on the right; they hold the bias.
    """
    border = []
    added = []
    for coarse, fine, size, stride in zip(piece.input_shape, piece.output_shape,
                                          piece.config["kernel_size"], piece.config["strides"]):
        painted = (coarse - 1) * stride + size
        before = padding_before(fine, coarse, size, stride)
        border.append((before, max(painted - fine - before, 0)))
        added.append(max(fine + before - painted, 0))
    return tuple(border), tuple(added)
