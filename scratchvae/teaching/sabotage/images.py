"""Mistakes in convolutions and in pooling."""
from ...layers import AveragePooling2D, Conv2D, Conv2DTranspose, MaxPooling2D
from . import checks
from .plant import Edit, Mistake

MISTAKES = (
    Mistake(
        "convolution-flipped",
        "the convolution's window rotated by 180 degrees, forward and backward",
        (
            Edit("conv2d_forward", "@ kernel[a, b]", "@ kernel[-1 - a, -1 - b]"),
            Edit("conv2d_backward", "dkernel[a, b] = ", "dkernel[-1 - a, -1 - b] = "),
            Edit("conv2d_backward", "dz @ kernel[a, b].T", "dz @ kernel[-1 - a, -1 - b].T"),
        ),
        "this is the convolution of mathematics, with its right gradient. Frameworks compute a "
        "cross-correlation instead. Training finds the same windows, rotated",
        checks.layer(lambda: Conv2D(2, 3, 2, "same", "tanh"), (5, 4, 3)),
        checks.golden_group("conv2d/3x3 stride 1x1 same linear, 7x14x16 to 16"),
        checks.GOLDEN,
    ),
    Mistake(
        "padding-side",
        "the larger part of the padding before the image, forward and backward",
        (
            Edit("conv2d_forward", "pad(x, y.shape, kernel.shape,",
                 "pad(x, y.shape, np.add(kernel.shape, 1),"),
            Edit("conv2d_backward", "pad(x, y.shape, kernel.shape,",
                 "pad(x, y.shape, np.add(kernel.shape, 1),"),
        ),
        "this is the right gradient of a convolution whose images are shifted by a pixel. Windows "
        "of odd sizes and stride 1 need as much padding before the image as behind it, so only "
        "even windows, or strides, show the mistake",
        checks.layer(lambda: Conv2D(2, 2, 1, "same", "tanh"), (5, 4, 3)),
        checks.golden_group("conv2d/4x4 stride 1x1 same linear, 7x7x17 to 16"),
        checks.GOLDEN,
    ),
    Mistake(
        "windows-overwrite",
        "the gradients of overlapping windows overwrite each other",
        (Edit("conv2d_backward", "dx_ab += dz @ kernel[a, b].T",
              "dx_ab[...] = dz @ kernel[a, b].T"),),
        "a pixel that several windows see receives a gradient from each, and they must be added. "
        "Windows that do not overlap, with strides as large as they are, hide the mistake",
        checks.layer(lambda: Conv2D(2, 3, 2, "same", "tanh"), (5, 4, 3)),
    ),
    Mistake(
        "transposed-overwrite",
        "overlapping windows overwrite each other in a transposed convolution",
        (Edit("conv2d_transpose_forward", "z_ab += x @ kernel[a, b].T",
              "z_ab[...] = x @ kernel[a, b].T"),),
        "the backward pass is that of a sum, and the forward pass keeps only the last window. "
        "Generated images show a checkerboard. Windows that do not overlap hide the mistake",
        checks.layer(lambda: Conv2DTranspose(2, 3, 2, "same", "tanh"), (3, 4, 3)),
    ),
    Mistake(
        "transposed-bias",
        "the bias forgotten in a transposed convolution, forward and backward",
        (
            Edit("conv2d_transpose_forward", "z[inside] + bias", "z[inside]"),
            Edit("conv2d_transpose_backward", "np.sum(dz, axis=(0, 1, 2), out=dbias)",
                 "dbias[...] = 0"),
        ),
        "the loss does not depend on the bias, and its gradient is 0: they agree. The bias never "
        "changes in training, and it begins as 0, so a comparison must use another bias",
        checks.layer(lambda: Conv2DTranspose(2, 3, 2, "same", "tanh"), (3, 4, 3)),
        checks.golden_group("conv2d_transpose/2x2 stride 2x2 valid linear, 3x5x3 to 5"),
        checks.GOLDEN,
    ),
    Mistake(
        "average-of-border",
        "the border counted in average pooling, forward and backward",
        (
            Edit("average_pooling_forward", "pixels_inside(x, y, pool_size, window)",
                 "np.prod(pool_size)"),
            Edit("average_pooling_backward", "pixels_inside(dx, dout, pool_size, window)",
                 "np.prod(pool_size)"),
        ),
        "this is the right gradient of a mean over pixels that do not exist. Images whose size the "
        "window divides have no border: with a window of 2, only odd sizes show the mistake",
        checks.layer(lambda: AveragePooling2D(2, padding="same"), (5, 3, 2)),
        checks.golden_group("layer/AveragePooling2D/2 None same"),
        checks.GOLDEN,
    ),
    Mistake(
        "pooling-overwrite",
        "the gradients of a pixel that wins twice overwrite each other",
        (Edit("max_pooling_backward", "dx_t += np.where(winner == t, dout, 0)",
              "dx_t[winner == t] = dout[winner == t]"),),
        "a pixel can be the maximum of several windows, and receives a gradient from each. Windows "
        "that do not overlap hide the mistake, and they are the usual ones",
        checks.layer(lambda: MaxPooling2D(3, 1), (5, 4, 2)),
    ),
    Mistake(
        "pooling-ties",
        "the last of several equal maxima wins instead of the first",
        (Edit("max_pooling_forward", "np.argmax(pixels, axis=0)",
              "len(pixels) - 1 - np.argmax(pixels[::-1], axis=0)"),),
        "random numbers are never equal, so no check that draws them sees it. Behind a relu many "
        "pixels are equal: all zeros. There each framework must choose, and Keras takes the "
        "first. The check rounds its numbers to make some equal",
        checks.layer(lambda: MaxPooling2D(2), (5, 4, 2)),
        checks.beside_another("max_pooling_forward"),
        checks.BESIDE,
    ),
)
