"""Pooling: images become smaller, window by window."""
from .. import checks
from ..errors import ScratchVAEError
from ..kernels.reference.pooling import pooling_positions
from ..kernels.windows import Window, check_window
from .formulas import Formula
from .layer import Layer


class Pooling2D(Layer):
    """What both pooling layers share: x (N, H, W, C), y (N, P, Q, C).

    Parameters
    ----------
    pool_size : int or (int, int)
        The window's height and width.
    strides : int or (int, int), optional
        Its steps; defaults to pool_size, so that windows do not overlap.
    padding : str
        "valid": only where the window lies within the image. "same": P = ceil(H / stride); pixels
        outside the image take no part.
    dtype : str
    """

    def __init__(self, pool_size=2, strides=None, padding="valid", dtype="float32"):
        super().__init__(dtype)
        self.pool_size = checks.pair(self.name, "pool_size", pool_size)
        if strides is None:
            strides = self.pool_size
        self.strides = checks.pair(self.name, "strides", strides)
        self.padding = padding
        self.window = Window(self.strides, padding)
        check_window(self.name, self.window)

    @classmethod
    def examples(cls):
        yield cls(), (5, 4, 3)
        yield cls((3, 2), (2, 1), "same"), (5, 4, 2)

    def setup(self, input_shape):
        self.check_axes(input_shape, "height, width, channels")
        sizes = dict(zip("HW", input_shape))
        try:
            positions = pooling_positions(sizes, self.pool_size, self.window)
        except ScratchVAEError as error:
            raise ScratchVAEError(f"{self.name}: {error}") from None
        return positions["P"], positions["Q"], input_shape[2]


class MaxPooling2D(Pooling2D):
    """y = the maximum of each window, in each channel; its gradient goes to the first maximum.

    x (N, H, W, C), y (N, P, Q, C). Parameters: see Pooling2D.
    """

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        self._winner = self.workspace.array("winner", self._y.shape, "int32")
        self.kernels.max_pooling_forward(x, self._y, self._winner, self.pool_size, self.window)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", (len(dout), *self.input_shape))
        self.kernels.max_pooling_backward(dout, self._winner, dx, self.pool_size, self.window)
        return dx

    def formula(self):
        return Formula("y = max over the window of x_t",
                       "dx_t += dout where t is the first maximum, else 0")


class AveragePooling2D(Pooling2D):
    """y = the mean of each window, in each channel, over its pixels inside the image.

    x (N, H, W, C), y (N, P, Q, C). Parameters: see Pooling2D.
    """
    reads_dout_only = True
    affine = True

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        self.kernels.average_pooling_forward(x, self._y, self.pool_size, self.window)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", (len(dout), *self.input_shape))
        self.kernels.average_pooling_backward(dout, dx, self.pool_size, self.window)
        return dx

    def formula(self):
        return Formula("y = sum over the window of x_t / count,  count = its pixels in the image",
                       "dx_t += dout / count")
