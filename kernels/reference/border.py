"""A border around images: `pad` puts zeros there, `crop` cuts it off. Each is the gradient of the
other:

    pad    y = x inside, 0 in the border         dx = dout inside: crop
    crop   y = x inside                          dx = dout inside, 0 in the border: pad

border is ((top, bottom), (left, right)), in pixels.
"""
from ..errors import ScratchVAEError
from ..operation import operation

BORDERS = (((1, 2), (0, 1)), ((0, 0), (0, 0)), ((0, 3), (2, 2)))


def padded_positions(sizes, border):
    """Return the height P and width Q of the larger images."""
    (top, bottom), (left, right) = border
    return {"P": sizes["H"] + top + bottom, "Q": sizes["W"] + left + right}


def cropped_positions(sizes, border):
    """Return the height P and width Q of the smaller images."""
    (top, bottom), (left, right) = border
    positions = {"P": sizes["H"] - top - bottom, "Q": sizes["W"] - left - right}
    if min(positions.values()) < 1:
        raise ScratchVAEError(f"a border of {border} leaves nothing of an image of "
                              f"{sizes['H']} x {sizes['W']}; use a smaller one")
    return positions


@operation("x=NHWC -> y=NPQC", padded_positions, border=BORDERS)
def pad(x, y, border):
    """y = x with zeros around it."""
    y[...] = 0
    inside(y, border)[...] = x


@operation("x=NHWC -> y=NPQC", cropped_positions, border=BORDERS)
def crop(x, y, border):
    """y = x without its border."""
    y[...] = inside(x, border)


def inside(images, border):
    """Return what lies inside the border, a view."""
    (top, bottom), (left, right) = border
    _, H, W, _ = images.shape
    return images[:, top:H - bottom, left:W - right]
