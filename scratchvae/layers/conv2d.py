"""Convolution and its transpose."""
import numpy as np

from kernels.contract import parse_activation
from kernels.windows import check_window, conv2d_output_shape, conv2d_transpose_output_shape

from . import initializers
from ..errors import ScratchVAEError
from .layer import Layer, positive_integer


class Conv2D(Layer):
    """y = f(x * W + b).  x (N, H, W, C), kernel (kh, kw, C, filters), bias (filters,), y (N, P, Q, filters).

    kernel_size, strides: a whole number, or one each for height and width.  padding: "same" (P = ceil(H / stride), zeros around
    the image) or "valid" (only where the window lies within it).  activation: as for Dense.
    """

    def __init__(self, filters, kernel_size, strides=1, padding="valid", activation=None, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        name = type(self).__name__
        self.filters = positive_integer(name, "filters", filters)
        self.kernel_size = _pair(name, "kernel_size", kernel_size)
        self.strides = _pair(name, "strides", strides)
        self.padding = padding
        check_window(self.strides[0], padding)
        self.activation = activation or "linear"
        parse_activation(self.activation)
        initializers.get(kernel_initializer), initializers.get(bias_initializer)        # known names, or an error now
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer

    def setup(self, input_shape):
        if len(input_shape) != 3:
            raise ScratchVAEError(f"{type(self).__name__}: input shape {input_shape}; needed: three axes (height, width, channels)")
        shape = self.kernel_shape(input_shape[2])
        output_shape = self._output_shape(input_shape, shape, self.strides, self.padding)
        self.add_parameter("kernel", shape, self.kernel_initializer)
        self.add_parameter("bias", (self.filters,), self.bias_initializer)
        self._scratch, self._capacity = None, 0
        return output_shape

    def kernel_shape(self, channels):
        """The kernel's shape for images of that many channels."""
        return (*self.kernel_size, channels, self.filters)

    _output_shape = staticmethod(conv2d_output_shape)

    def operations(self):
        """The kernels that make scratch, go forward and go backward."""
        return self.kernels.conv2d_scratch, self.kernels.conv2d_forward, self.kernels.conv2d_backward

    def forward(self, x, training=False):
        self.check_input(x)
        make_scratch, forward, _ = self.operations()
        if len(x) > self._capacity:
            self._capacity = len(x)
            self._scratch = make_scratch(len(x), self.input_shape, self.params["kernel"].shape, self.strides, self.padding, self.dtype)
        self._x, self._y = x, self.workspace.array("y", (len(x), *self.output_shape))
        forward(x, self.params["kernel"], self.params["bias"], self._y, self.strides, self.padding, self.activation, self._scratch)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        dx = self.workspace.array("dx", self._x.shape) if need_dx else None
        self.operations()[2](dout, self._x, self._y, self.params["kernel"], dx, self.grads["kernel"], self.grads["bias"],
                             self.strides, self.padding, self.activation, self._scratch)
        return dx

    def flops(self):
        positions = self.output_shape[:2]
        product = 2 * int(np.prod(positions) * np.prod(self.params["kernel"].shape))
        return product, product, product


class Conv2DTranspose(Conv2D):
    """The way back of a convolution: each pixel of x paints its window, W times what it holds, onto a finer image.

    x (N, H, W, C), kernel (kh, kw, filters, C), bias (filters,), y (N, P, Q, filters).  padding: "same" (P = H * stride) or
    "valid" (all of it: P = H * stride + max(kh - stride, 0)).  The rest as for Conv2D.
    """

    _output_shape = staticmethod(conv2d_transpose_output_shape)

    def kernel_shape(self, channels):
        """The kernel's shape for images of that many channels."""
        return (*self.kernel_size, self.filters, channels)

    def operations(self):
        """The kernels that make scratch, go forward and go backward."""
        return self.kernels.conv2d_transpose_scratch, self.kernels.conv2d_transpose_forward, self.kernels.conv2d_transpose_backward

    def flops(self):
        product = 2 * int(np.prod(self.input_shape[:2]) * np.prod(self.params["kernel"].shape))
        return product, product, product


def _pair(owner, name, value):
    """(height, width) from one number or two."""
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ScratchVAEError(f"{owner}: {name} is {value!r}; allowed: a whole number from 1, or two of them")
    return tuple(positive_integer(owner, name, n) for n in pair)
