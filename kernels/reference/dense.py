"""Dense layer: y = f(x W + b), for N examples of K inputs and M units.

Derivation.  With z = x W + b, that is z_nm = sum_k x_nk W_km + b_m, and dz = dL/dz = dout * f'(z):

    dL/dx_nk = sum_m dz_nm W_km   ->  dx = dz W^T
    dL/dW_km = sum_n x_nk dz_nm   ->  dW = x^T dz
    dL/db_m  = sum_n dz_nm        ->  db = column sums of dz

Each gradient has the shape of its array, and the sum runs over the index that the shape lacks.
"""
import numpy as np

from ..contract import operation
from .activations import activation_backward, activation_forward


def dense_scratch(batch, inputs, units, dtype):
    """Work space for a dense layer: NumPy needs none."""
    return None


@operation
def dense_forward(x, kernel, bias, y, activation, scratch):
    """y = f(x W + b).  x (N, K), kernel (K, M), bias (M,), y (N, M)."""
    np.matmul(x, kernel, out=y)
    y += bias
    activation_forward(y, y, activation)


@operation
def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
    """dkernel, dbias and dx from dout (N, M), and the x and y of the forward pass.

    dz (N, M) is work space for dout * f'(z).  dx (N, K) may be None where nobody needs it, as in a first layer.
    """
    activation_backward(dout, y, dz, activation)
    np.matmul(x.T, dz, out=dkernel)
    np.sum(dz, axis=0, out=dbias)
    if dx is not None:
        np.matmul(dz, kernel.T, out=dx)
