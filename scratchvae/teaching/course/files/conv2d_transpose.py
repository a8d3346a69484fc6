"""Transposed convolution: each pixel paints a window of a finer image.

It is the decoder's convolution: it makes images larger. N images of H x W pixels and C channels
become images of P x Q pixels and M channels.

Known
-----
Each pixel x[n, p, q] adds its value, times the window W, to a finer image that begins as zeros.
From pixel to pixel the window moves in steps (sh, sw). Where windows overlap, they add up:

    z[n, p sh + a, q sw + b, m] += sum over c of  x[n, p, q, c] W[a, b, m, c]

Then a border is cut off, the bias b[m] is added, and y = f(z). Mind the order of the axes: the
kernel is (A, B, M, C), the output's channels before the input's.

The helpers are those of the convolution (see conv2d.py), with the roles changed: here the window
moves on the OUTPUT, and x has one pixel for each stop.

    pad(fine, x.shape, kernel.shape, window.strides)
        returns `padded` and `inside`; `fine` is an array of the shape of y.
    tap(padded, a, b, (H, W), window.strides)
        returns z_ab, the pixels of `padded` that tap (a, b) paints: (N, H, W, M), a view.

Sought
------
1. Forward, one tap: z_ab collects a product of x and W[a, b]. W[a, b] has the shape (M, C). Which
   product has M columns? Where does the bias come in, before or after the border is cut off?
2. You have written such a line before. In which function of conv2d.py does a view collect products
   from all taps? So which pass of a convolution is the forward pass of this layer? Guess what its
   backward pass will look like, before you derive it.
3. Backward through f, then db: over which indices does the sum run?
4. The border was cut off, so nothing of it reached the loss. What is dz there? Which helper puts dz
   back into the larger array?
5. One tap: z_ab is your product of question 1, plus what other taps paint there. So what is dW_ab,
   with its axes in the order (M, C)?
6. x takes part in all taps. What is dx: what does one tap contribute, and what happens with the
   contributions of all taps?
"""
import numpy as np
from scratchvae.kernels.windows import tap

from .activations import activation_backward, activation_forward
from .conv2d import pad


def conv2d_transpose_forward(x, kernel, bias, y, window, activation, scratch):
    """Compute y = f(z + b), z painted by the pixels of x.

    Inputs
    ------
    x : (N, H, W, C)
    kernel : (A, B, M, C)
    bias : (M,)
    window : object
        window.strides is (sh, sw). `pad` finds out the rest from the shapes.
    activation : str

    Outputs
    -------
    y : (N, P, Q, M)
    """
    raise NotImplementedError


def conv2d_transpose_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    """Compute all gradients of a transposed convolution, after its forward pass.

    Inputs
    ------
    dout : (N, P, Q, M)
        dL/dy.
    x : (N, H, W, C)
    y : (N, P, Q, M)
        The output of the forward pass.
    kernel : (A, B, M, C)
    window : object
    activation : str

    Outputs
    -------
    dx : (N, H, W, C), or None
        None if it is not needed.
    dkernel : (A, B, M, C)
    dbias : (M,)
    """
    raise NotImplementedError
