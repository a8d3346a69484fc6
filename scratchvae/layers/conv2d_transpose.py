"""Transposed convolution."""
import math

from kernels.windows import transposed_positions

from .conv2d import Conv2D
from .formulas import activated


class Conv2DTranspose(Conv2D):
    """Each pixel of x paints its window, W times what it holds, onto a finer image.

    x (N, H, W, C), kernel (kh, kw, filters, C), bias (filters,), y (N, P, Q, filters).

    Parameters
    ----------
    padding : str
        "same": P = H * stride. "valid": P = H * stride + max(kh - stride, 0).
    filters, kernel_size, strides, activation, kernel_initializer, bias_initializer, dtype
        See Conv2D.
    """
    family = "conv2d_transpose"
    find_positions = staticmethod(transposed_positions)

    @classmethod
    def examples(cls):
        yield cls(2, 3, 2, "same", "tanh"), (3, 2, 3)
        yield cls(3, (2, 3), (1, 2), "valid"), (3, 2, 2)

    def kernel_shape(self, channels):
        return (*self.kernel_size, self.filters, channels)

    def formula(self):
        return activated("sum over taps of x W_ab^T, painted at y_ab, + b", self.activation,
                         "dW_ab = dz_ab^T x,  db = sum of dz,  dx = sum over taps of dz_ab W_ab")

    def flops(self):
        pixels = math.prod(self.input_shape[:2])
        product = 2 * pixels * self.params["kernel"].size
        return product, product, product
