"""Dense layer: y = f(x W + b), for N examples of K inputs and M units.

How these files work (read this once)
-------------------------------------
An operation is a plain function on NumPy arrays. It returns nothing: the caller makes all arrays,
the ones for the results too, and the function writes into them.

    y[...] = 2 * x          writes into the array that the caller holds
    np.add(a, b, out=y)     does so, too
    y = 2 * x               makes another array; the caller's y keeps what it held

- An output holds arbitrary numbers before the call, so write every element of it. Add with += to
  what it held only where the docstring says so.
- Inputs stay unchanged. Two arguments are different arrays unless the docstring says otherwise.
- Training uses float32, the checks also use float64. Write no dtype down: np.empty_like(y) makes an
  array of the shape and dtype of y.
- `scratch` is work space for faster backends. Here it is None; do not use it.

What a backward pass computes
-----------------------------
The loss L is one number. The gradient dL/da of an array a has the shape of a; each of its numbers
says how fast L grows with that number of a. We write da for it, so dW stands for dL/dW.

`dout` is the gradient of the operation's output, dL/dy. The layer behind has computed it already:
backpropagation goes from the last layer to the first. From dout your function computes the
gradients of the operation's inputs and parameters. The gradient dx of the input is the dout of the
layer before.

One rule is enough for the whole course, the chain rule. If x_j reaches the loss through the numbers
y_1, y_2, ..., then

    dL/dx_j = sum over all i of  dL/dy_i  dy_i/dx_j.

So three questions lead to every gradient: Which outputs does this number reach? What is the
derivative of each of them? Which sum is that, and which NumPy call computes it?

Known
-----
    z_nm = sum over k of x_nk W_km + b_m           n = 1..N, k = 1..K, m = 1..M
    y_nm = f(z_nm)                                 f: see activations.py

W is called `kernel` in the code, b is called `bias`. The operation activation_forward computes f.
Its arguments are in activations.py; until you write it, the reference's is used.

Sought
------
dz, dW, db and dx, from dout = dL/dy.

1. First undo the last step, y = f(z). The operation activation_backward takes dL/dy to dL/dz.
   Which of your arrays is its input, which is its output?
2. Now dz is known. Take one weight, W_km, and look at the formula of z. Which numbers z_nm contain
   it: for which n, for which m? What is the derivative of such a z_nm with respect to W_km?
3. Write the sum of the chain rule for dL/dW_km. Over which index does it run? Compare the shapes of
   x, dz and dW: dW has the indices k and m, and lacks one that x and dz share.
4. A sum over a shared index of two arrays is a matrix product. Which factor must be transposed, so
   that the shapes (., .) (., .) -> (K, M) fit?
5. The same for b_m. In how many of the z_nm does it occur, and with which derivative?
6. The same for x_nk. Which index does dx lack now?

Test your answer before you run it: does each gradient have the shape of its array?
"""
import numpy as np

from .activations import activation_backward, activation_forward


def dense_forward(x, kernel, bias, y, activation, scratch):
    """Compute y = f(x W + b).

    Inputs
    ------
    x : (N, K)
    kernel : (K, M)
        W.
    bias : (M,)
        b, the same for all examples.
    activation : str
        The name of f, for activation_forward.

    Outputs
    -------
    y : (N, M)

    activation_forward may write its result into the array that it reads, so z needs no array of its
    own.
    """
    raise NotImplementedError


def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
    """Compute the gradients of a dense layer, after its forward pass.

    Inputs
    ------
    dout : (N, M)
        dL/dy.
    x : (N, K)
    y : (N, M)
        The output of the forward pass.
    kernel : (K, M)
    activation : str

    Outputs
    -------
    dz : (N, M)
        dL/dz. Nobody reads it afterwards: it is work space that you are given. With the activation
        "linear", dz, dout and y may be one and the same array: recurrent layers save memory so.
    dx : (N, K), or None
        None if it is not needed, as in the first layer of a network. Then do not compute it.
    dkernel : (K, M)
    dbias : (M,)
    """
    raise NotImplementedError
