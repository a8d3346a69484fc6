"""A border around images, added or cut off."""
from .. import checks
from ..errors import ScratchVAEError
from ..kernels.reference.border import cropped_positions, padded_positions
from .formulas import Formula
from .layer import Layer


def border_of(owner, name, value):
    """Return ((top, bottom), (left, right)) from one of Keras's three forms.

    Parameters
    ----------
    owner, name : str
        Whose argument it is, and its name, for the message.
    value : int, (int, int) or ((int, int), (int, int))
        The same on all sides, or (vertical, horizontal), or ((top, bottom), (left, right)).
    """
    try:
        height, width = value if isinstance(value, (tuple, list)) else (value, value)
        return checks.pair(owner, name, height, 0), checks.pair(owner, name, width, 0)
    except ValueError:
        raise ScratchVAEError(f"{owner}: {name} must be an integer of at least 0, a pair of them, "
                              f"or ((top, bottom), (left, right)), got {value!r}") from None


class ZeroPadding2D(Layer):
    """y = x with a border of zeros.

    x (N, H, W, C), y (N, H + top + bottom, W + left + right, C).

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int))
        Pixels on all sides, or (top and bottom, left and right), or
        ((top, bottom), (left, right)).
    dtype : str
    """
    reads_dout_only = True
    affine = True

    def __init__(self, padding=1, dtype="float32"):
        super().__init__(dtype)
        self.padding = border_of(self.name, "padding", padding)

    @classmethod
    def examples(cls):
        yield cls(), (3, 2, 2)
        yield cls(((0, 1), (2, 0))), (2, 3, 1)

    def setup(self, input_shape):
        self.check_axes(input_shape, "height, width, channels")
        positions = padded_positions(dict(zip("HW", input_shape)), self.padding)
        return positions["P"], positions["Q"], input_shape[2]

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        self.kernels.pad(x, self._y, self.padding)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", (len(dout), *self.input_shape))
        self.kernels.crop(dout, dx, self.padding)
        return dx

    def formula(self):
        return Formula("y = x inside, 0 in the border", "dx = dout inside")


class Cropping2D(Layer):
    """y = x without its border.

    x (N, H, W, C), y (N, H - top - bottom, W - left - right, C).

    Parameters
    ----------
    cropping : int, (int, int) or ((int, int), (int, int))
        Pixels on all sides, or (top and bottom, left and right), or
        ((top, bottom), (left, right)).
    dtype : str
    """
    reads_dout_only = True
    affine = True
    rearranges = True

    def __init__(self, cropping=0, dtype="float32"):
        super().__init__(dtype)
        self.cropping = border_of(self.name, "cropping", cropping)

    @classmethod
    def examples(cls):
        yield cls(1), (5, 4, 2)
        yield cls(((0, 1), (2, 0))), (3, 4, 1)

    def setup(self, input_shape):
        self.check_axes(input_shape, "height, width, channels")
        try:
            positions = cropped_positions(dict(zip("HW", input_shape)), self.cropping)
        except ScratchVAEError as error:
            raise ScratchVAEError(f"{self.name}: {error}") from None
        return positions["P"], positions["Q"], input_shape[2]

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        self.kernels.crop(x, self._y, self.cropping)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", (len(dout), *self.input_shape))
        self.kernels.pad(dout, dx, self.cropping)
        return dx

    def formula(self):
        return Formula("y = x inside the border", "dx = dout inside, 0 in the border")
