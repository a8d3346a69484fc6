"""Convolution."""
import math

from .. import checks
from ..errors import ScratchVAEError
from ..kernels.activation_names import parse_activation
from ..kernels.windows import Window, check_window, convolution_positions
from . import initializers
from .formulas import activated
from .layer import Layer


class Conv2D(Layer):
    """y = f(x * W + b).

    x (N, H, W, C), kernel (kh, kw, C, filters), bias (filters,), y (N, P, Q, filters).

    Parameters
    ----------
    filters : int
    kernel_size, strides : int or (int, int)
        One number for both, or one each for height and width.
    padding : str
        "same": P = ceil(H / stride), with zeros around the image. "valid": only where the window
        lies within the image.
    activation, kernel_initializer, bias_initializer, dtype
        See Dense.
    """
    family = "conv2d"

    def __init__(self, filters, kernel_size, strides=1, padding="valid", activation=None,
                 kernel_initializer="glorot_uniform", bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        self.filters = checks.integer(self.name, "filters", filters)
        self.kernel_size = checks.pair(self.name, "kernel_size", kernel_size)
        self.strides = checks.pair(self.name, "strides", strides)
        self.padding = padding
        check_window(self.name, self.window)
        self.activation = activation or "linear"
        parse_activation(self.activation)
        self.kernel_initializer = initializers.checked(kernel_initializer)
        self.bias_initializer = initializers.checked(bias_initializer)

    @classmethod
    def examples(cls):
        yield cls(2, 3, 2, "same", "tanh"), (5, 4, 3)
        yield cls(3, (2, 3), (1, 2), "valid"), (4, 5, 2)

    @property
    def affine(self):
        return self.activation == "linear"

    @property
    def window(self):
        """How the kernels take strides and padding."""
        return Window(self.strides, self.padding)

    def setup(self, input_shape):
        self.check_axes(input_shape, "height, width, channels")
        self.add_parameter("kernel", self.kernel_shape(input_shape[2]), self.kernel_initializer)
        self.add_parameter("bias", (self.filters,), self.bias_initializer)
        positions = self.positions(input_shape)
        return positions["P"], positions["Q"], self.filters

    def kernel_shape(self, channels):
        """Return the kernel's shape for images of that many channels."""
        return (*self.kernel_size, channels, self.filters)

    def positions(self, input_shape):
        """Return the height P and the width Q of the output."""
        try:
            return self.find_positions(self._sizes(input_shape), self.window)
        except ScratchVAEError as error:
            raise ScratchVAEError(f"{self.name}: {error}") from None

    find_positions = staticmethod(convolution_positions)

    def _sizes(self, input_shape):
        """Return the sizes by the letters of the kernels' declarations."""
        return dict(zip("HWC", input_shape)) | dict(zip("AB", self.kernel_size))

    def _work(self, N):
        """Return the kernels' work space for N images."""
        return self.scratch(self.family, N, **self._sizes(self.input_shape), M=self.filters,
                            window=self.window)

    def forward(self, x, training=False):
        self.check_input(x)
        self._x = x
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        convolve = getattr(self.kernels, f"{self.family}_forward")
        convolve(x, self.params["kernel"], self.params["bias"], self._y, self.window,
                 self.activation, self._work(len(x)))
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        dx = self.workspace.array("dx", self._x.shape) if need_dx else None
        convolve_backward = getattr(self.kernels, f"{self.family}_backward")
        convolve_backward(dout, self._x, self._y, self.params["kernel"], dx, self.grads["kernel"],
                          self.grads["bias"], self.window, self.activation, self._work(len(dout)))
        return dx

    def formula(self):
        return activated("sum over taps of x_ab W_ab + b", self.activation,
                         "dW_ab = x_ab^T dz,  db = sum of dz,  dx_ab += dz W_ab^T")

    def flops(self):
        positions = math.prod(self.output_shape[:2])
        product = 2 * positions * self.params["kernel"].size
        return product, product, product
