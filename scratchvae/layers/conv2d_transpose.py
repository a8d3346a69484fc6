"""Transposed convolution."""
import math

from .. import checks
from ..errors import ScratchVAEError
from ..kernels.windows import Window, transposed_positions
from .conv2d import Conv2D
from .formulas import activated


class Conv2DTranspose(Conv2D):
    """Each pixel of x adds its value, times the window W, to a finer image.

    x (N, H, W, C), kernel (kh, kw, filters, C), bias (filters,), y (N, P, Q, filters).

    Parameters
    ----------
    padding : str
        "same": P = H * stride. "valid": P = H * stride + max(kh - stride, 0).
    output_padding : int, (int, int) or None
        Sets P = (H - 1) * stride + kh - 2 * pad + output_padding instead, with pad = kh // 2 for
        "same" and 0 for "valid"; from 0 and below the stride. A convolution rounds sizes down or
        up, so several sizes lead to one: this chooses among them on the way back.
    filters, kernel_size, strides, activation, kernel_initializer, bias_initializer, dtype
        See Conv2D.
    """
    family = "conv2d_transpose"
    find_positions = staticmethod(transposed_positions)

    def __init__(self, filters, kernel_size, strides=1, padding="valid", activation=None,
                 kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 output_padding=None, dtype="float32"):
        self.output_padding = None
        super().__init__(filters, kernel_size, strides, padding, activation, kernel_initializer,
                         bias_initializer, dtype)
        if output_padding is not None:
            extra = checks.pair(self.name, "output_padding", output_padding, 0)
            if any(added >= stride for added, stride in zip(extra, self.strides)):
                raise ScratchVAEError(f"{self.name}: output_padding must be smaller than strides "
                                      f"{self.strides}, got {output_padding!r}")
            self.output_padding = extra

    @property
    def window(self):
        return Window(self.strides, self.padding, self.output_padding)

    @classmethod
    def examples(cls):
        yield cls(2, 3, 2, "same", "tanh"), (3, 2, 3)
        yield cls(3, (2, 3), (1, 2), "valid"), (3, 2, 2)
        yield cls(2, 3, 2, "same", output_padding=(0, 1)), (3, 2, 2)

    def kernel_shape(self, channels):
        return (*self.kernel_size, self.filters, channels)

    def formula(self):
        return activated("sum over taps of x W_ab^T, painted at y_ab, + b", self.activation,
                         "dW_ab = dz_ab^T x,  db = sum of dz,  dx = sum over taps of dz_ab W_ab")

    def flops(self):
        pixels = math.prod(self.input_shape[:2])
        product = 2 * pixels * self.params["kernel"].size
        return product, product, product
