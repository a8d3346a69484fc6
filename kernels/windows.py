"""Where a window of a convolution lies: sizes and padding as in TensorFlow and Keras.

A convolution relates a fine image and a coarse one: position p of the coarse image sees positions s p + t - before of the fine
one, for t in the window.  conv2d goes from fine to coarse, conv2d_transpose from coarse to fine; all else is the same.
"""
from .contract import ScratchVAEError

PADDINGS = ("same", "valid")


def conv2d_output_size(size, kernel, stride, padding):
    """Positions along one axis after a convolution: ceil(size / stride) for "same", whole windows only for "valid"."""
    check_window(stride, padding)
    if padding == "same":
        return -(-size // stride)
    if kernel > size:
        raise ScratchVAEError(f"conv2d: the kernel, {kernel}, is larger than the image, {size}; "
                              "allowed with padding 'valid': kernels up to the image's size")
    return (size - kernel) // stride + 1


def conv2d_transpose_output_size(size, kernel, stride, padding):
    """Positions along one axis after a transposed convolution."""
    check_window(stride, padding)
    return size * stride if padding == "same" else size * stride + max(kernel - stride, 0)


def padding_before(fine, coarse, kernel, stride):
    """Zeros in front of the fine image: half of what its windows need in all, rounded down."""
    return max((coarse - 1) * stride + kernel - fine, 0) // 2


def check_window(stride, padding):
    """Refuse what is no stride, and an unknown padding."""
    if stride < 1:
        raise ScratchVAEError(f"convolution: a stride of strides is {stride}; allowed: whole numbers from 1")
    if padding not in PADDINGS:
        raise ScratchVAEError(f"unknown padding {padding!r}; allowed: {', '.join(PADDINGS)}")


def conv2d_output_shape(input_shape, kernel_shape, strides, padding):
    """(P, Q, M) of a convolution of (H, W, C) by a kernel (kh, kw, C, M)."""
    return (*map(conv2d_output_size, input_shape[:2], kernel_shape[:2], strides, (padding, padding)), kernel_shape[3])


def conv2d_transpose_output_shape(input_shape, kernel_shape, strides, padding):
    """(P, Q, M) of a transposed convolution of (H, W, C) by a kernel (kh, kw, M, C)."""
    return (*map(conv2d_transpose_output_size, input_shape[:2], kernel_shape[:2], strides, (padding, padding)), kernel_shape[2])


def check_output(y, shape):
    """Refuse an output array whose height and width are not those that follow from the input's."""
    if y.shape[1:] != shape:
        raise ScratchVAEError(f"convolution: y has shape {y.shape}; needed: {(len(y), *shape)}")


def tap(fine, a, b, coarse_size, strides):
    """The elements of padded fine images that the window's position (a, b) meets: a view (N, P, Q, C)."""
    (P, Q), (sh, sw) = coarse_size, strides
    return fine[:, a:a + (P - 1) * sh + 1:sh, b:b + (Q - 1) * sw + 1:sw]
