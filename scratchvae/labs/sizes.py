"""The labs' networks for images of other sizes than their sheets'.

A convolution with strides 2 halves an odd number of pixels to the next larger whole number. On the
way back the transposed convolution makes one pixel too many, which is cropped.
"""
from ..layers import Cropping2D


def image_shape(settings, side):
    """Return the height, width and channels of a lab's images.

    Parameters
    ----------
    settings : dict
        "shape" are those of other images than the sheet's; "side" is the height and width of a
        small model.
    side : int
        The height and width of the sheet's images, which are grey.

    Returns
    -------
    (int, int, int)
    """
    side = settings.get("side", side)
    return settings.get("shape") or (side, side, 1)


def sizes_after(size, strides):
    """Return the height and width before and after each of several convolutions.

    Parameters
    ----------
    size : (int, int)
    strides : sequence of int
        Of the convolutions, whose padding is "same".

    Returns
    -------
    list of (int, int)
    """
    sizes = [tuple(size)]
    for stride in strides:
        height, width = sizes[-1]
        sizes.append((-(-height // stride), -(-width // stride)))
    return sizes


def crop(coarse, stride, fine):
    """Return the layers that crop what a transposed convolution makes; none if it fits.

    Parameters
    ----------
    coarse : (int, int)
        Height and width before the transposed convolution.
    stride : int
    fine : (int, int)
        Height and width that are needed.

    Returns
    -------
    list of Layer
    """
    extra = [stride * before - after for before, after in zip(coarse, fine)]
    return [Cropping2D(((0, extra[0]), (0, extra[1])))] if any(extra) else []
