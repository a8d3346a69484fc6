"""Where the window of a convolution or a pooling layer lies: sizes and padding as in Keras.

A window relates a fine image and a coarse one: position p of the coarse image sees the positions
s p + t - before of the fine one, for each t in the window. conv2d and pooling go from the fine to
the coarse image, conv2d_transpose from the coarse to the fine one.
"""
from typing import NamedTuple

from .errors import ScratchVAEError

PADDINGS = ("same", "valid")


class Window(NamedTuple):
    """How a window moves over an image.

    Attributes
    ----------
    strides : (int, int)
        Steps down and across.
    padding : str
        "same" or "valid".
    output_padding : (int, int) or None
        Of a transposed convolution: rows and columns added to its output. None takes the size
        that Keras chooses by default.
    """
    strides: tuple = (1, 1)
    padding: str = "valid"
    output_padding: tuple = None


def check_window(owner, window):
    """Refuse an unknown padding and strides below 1.

    Parameters
    ----------
    owner : str
        Whose window it is, for the message.
    window : Window
    """
    if window.padding not in PADDINGS:
        raise ScratchVAEError(f"{owner}: padding must be one of {', '.join(PADDINGS)}, "
                              f"got {window.padding!r}")
    if min(window.strides) < 1:
        raise ScratchVAEError(f"{owner}: strides must be positive integers, got {window.strides}")


def coarse_size(fine, kernel, stride, padding):
    """Return the positions along one axis after a convolution.

    "same": ceil(fine / stride). "valid": only windows that lie within the image.
    """
    if padding == "same":
        return -(-fine // stride)
    if kernel > fine:
        raise ScratchVAEError(f"the window of {kernel} is larger than the image of {fine}; "
                              "use a smaller window or padding='same'")
    return (fine - kernel) // stride + 1


def fine_size(coarse, kernel, stride, padding, output_padding=None):
    """Return the positions along one axis after a transposed convolution.

    Without output_padding: coarse * stride for "same", all that the windows reach for "valid".
    With it, Keras's formula: (coarse - 1) stride + kernel - 2 pad + output_padding, where pad is
    kernel // 2 for "same" and 0 for "valid".
    """
    if output_padding is None:
        return coarse * stride + (max(kernel - stride, 0) if padding == "valid" else 0)
    pad = kernel // 2 if padding == "same" else 0
    fine = (coarse - 1) * stride + kernel - 2 * pad + output_padding
    if fine < 1:
        raise ScratchVAEError(f"output_padding {output_padding} leaves nothing of the output of a "
                              f"window of {kernel} on an image of {coarse}; use a larger one")
    return fine


def padding_before(fine, coarse, kernel, stride):
    """Return the zeros in front of the fine image: half of what its windows need, rounded down."""
    return max((coarse - 1) * stride + kernel - fine, 0) // 2


def convolution_positions(sizes, window):
    """Return the height P and width Q of a convolution's output."""
    check_window("window", window)
    strides, padding, _ = window
    return {"P": coarse_size(sizes["H"], sizes["A"], strides[0], padding),
            "Q": coarse_size(sizes["W"], sizes["B"], strides[1], padding)}


def transposed_positions(sizes, window):
    """Return the height P and width Q of a transposed convolution's output."""
    check_window("window", window)
    strides, padding, extra = window
    extra = extra or (None, None)
    return {"P": fine_size(sizes["H"], sizes["A"], strides[0], padding, extra[0]),
            "Q": fine_size(sizes["W"], sizes["B"], strides[1], padding, extra[1])}


def tap(fine, a, b, coarse_shape, strides):
    """Return what position (a, b) of the window meets in padded fine images.

    Parameters
    ----------
    fine : array (N, H, W, C)
        Padded images.
    a, b : int
        The position in the window.
    coarse_shape : (int, int)
        Height and width of the coarse images.
    strides : (int, int)

    Returns
    -------
    array (N, P, Q, C)
        A view.
    """
    P, Q = coarse_shape
    down, across = strides
    return fine[:, a:a + (P - 1) * down + 1:down, b:b + (Q - 1) * across + 1:across]
