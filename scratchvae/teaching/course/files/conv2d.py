"""Convolution: y = f(x * W + b), for N images of H x W pixels and C channels, and M filters.

Known
-----
A window of A x B positions slides over the image, which has a border of zeros, in steps (sh, sw)
down and across. It stops at P x Q places. At each stop (p, q) it is a dense layer:

    z[n, p, q, m] = b[m] + sum over a, b, c of  x[n, p sh + a, q sw + b, c] W[a, b, c, m]
    y             = f(z)

where x is the image with its border.

The sum over six indices becomes simple one tap at a time. A tap is one position (a, b) of the
window. The pixels that it meets at all stops, x_ab, are an array (N, P, Q, C): a matrix with C
columns and one row for each stop on each image. Two helpers are given:

    pad(x, y.shape, kernel.shape, window.strides)
        returns `padded`, the images with their border, and `inside`: padded[inside] are the images.
    tap(padded, a, b, (P, Q), window.strides)
        returns x_ab as a view of `padded`: what you add to it with += is added to `padded`.

Example: an image of 6 x 6 pixels, no border, a window of 3 x 3 and strides (2, 2). The stops are
p, q = 0, 1. The tap (0, 0) meets the rows 0 and 2, the tap (2, 2) the rows 2 and 4 (and the same
columns). Row 2 is met by both.

Sought
------
dz, dW, db and dx, from dout.

1. Forward: write z with x_ab (a matrix with C columns) and W[a, b] (C x M). Which sum is left? For
   this one, use a loop: for a, b in np.ndindex(kernel.shape[:2]).
2. Backward through f: as in the dense layer. No dz is given here, so make an array for it.
3. Look at one tap: z = x_ab W_ab + (the other taps) + b. This is a dense layer. What is dW_ab, in
   terms of x_ab and dz? Over which three indices does the sum run? (np.tensordot(u, v, axes=...)
   sums over several axes at once. Or reshape both to matrices first.)
4. db: in how many z does b[m] occur?
5. One tap alone would give the pixels x_ab the gradient of a dense layer's input. Which product is
   that?
6. But a pixel is met by several taps: row 2 of the example by (0, 0) at one stop, by (2, 2) at
   another. What must come together where windows overlap, and how does the view that `tap` returns
   help? What must the array hold before the first tap?
7. Border pixels collect gradients, too. Who needs them? So what is dx?
"""
import numpy as np
from scratchvae.kernels.windows import padding_before, tap

from .activations import activation_backward, activation_forward


def conv2d_forward(x, kernel, bias, y, window, activation, scratch):
    """Compute y = f(x * W + b).

    Inputs
    ------
    x : (N, H, W, C)
    kernel : (A, B, C, M)
    bias : (M,)
    window : object
        window.strides is (sh, sw). `pad` finds out the rest from the shapes.
    activation : str

    Outputs
    -------
    y : (N, P, Q, M)
    """
    raise NotImplementedError


def conv2d_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    """Compute all gradients of a convolution, after its forward pass.

    Inputs
    ------
    dout : (N, P, Q, M)
        dL/dy.
    x : (N, H, W, C)
    y : (N, P, Q, M)
        The output of the forward pass.
    kernel : (A, B, C, M)
    window : object
    activation : str

    Outputs
    -------
    dx : (N, H, W, C), or None
        None if it is not needed.
    dkernel : (A, B, C, M)
    dbias : (M,)
    """
    raise NotImplementedError


def pad(fine, coarse_shape, kernel_shape, strides, value=0):
    """Return images with a border that all windows fit into. This function is given.

    Parameters
    ----------
    fine : array (N, H, W, C)
        The images on which the window moves.
    coarse_shape : tuple
        (N, P, Q, ...): the shape of the array with one number for each stop.
    kernel_shape : tuple
        (A, B, ...).
    strides : (int, int)
    value : float
        What the border holds.

    Returns
    -------
    padded : array
        A copy of the images, with the border.
    inside : tuple of slices
        padded[inside] are the images.
    """
    shape = list(fine.shape)
    inside = [slice(None)] * 4
    for axis in (1, 2):
        size = fine.shape[axis]
        coarse = coarse_shape[axis]
        kernel = kernel_shape[axis - 1]
        stride = strides[axis - 1]
        before = padding_before(size, coarse, kernel, stride)
        shape[axis] = max(before + size, (coarse - 1) * stride + kernel)
        inside[axis] = slice(before, before + size)
    padded = np.full(shape, value, fine.dtype)
    padded[tuple(inside)] = fine
    return padded, tuple(inside)
