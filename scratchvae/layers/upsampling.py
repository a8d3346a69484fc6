"""Upsampling: images become larger by repeating pixels."""
from .. import checks
from .formulas import Formula
from .layer import Layer


class UpSampling2D(Layer):
    """y = x with every pixel repeated: a block of size[0] x size[1] equal pixels for each.

    x (N, H, W, C), y (N, H size[0], W size[1], C). It has no parameters: a convolution behind it
    learns how to fill in the blocks.

    Parameters
    ----------
    size : int or (int, int)
    dtype : str
    """
    reads_dout_only = True
    affine = True
    rearranges = True

    def __init__(self, size=2, dtype="float32"):
        super().__init__(dtype)
        self.size = checks.pair(self.name, "size", size)

    @classmethod
    def examples(cls):
        yield cls(), (3, 2, 3)
        yield cls((1, 3)), (2, 3, 2)

    def setup(self, input_shape):
        self.check_axes(input_shape, "height, width, channels")
        H, W, C = input_shape
        return H * self.size[0], W * self.size[1], C

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        self.kernels.upsampling_forward(x, self._y, self.size)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", (len(dout), *self.input_shape))
        self.kernels.upsampling_backward(dout, dx, self.size)
        return dx

    def formula(self):
        return Formula("y = x at every pixel of its block", "dx = sum of dout over the block")
