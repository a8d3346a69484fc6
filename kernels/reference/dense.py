"""Dense layer: y = f(x W + b), for N examples of K inputs and M units.

Derivation. With z = x W + b, that is z_nm = sum_k x_nk W_km + b_m, and dz = dL/dz = dout * f'(z):

    dL/dx_nk = sum_m dz_nm W_km   ->  dx = dz W^T
    dL/dW_km = sum_n x_nk dz_nm   ->  dW = x^T dz
    dL/db_m  = sum_n dz_nm        ->  db = column sums of dz

Each gradient has the shape of its array, and the sum runs over the index that the shape lacks.
"""
import numpy as np

from ..activation_names import EXAMPLES
from ..operation import operation
from .activations import activation_backward, activation_forward


def dense_scratch(N, K, M, dtype):
    """Return the work space of a dense layer: NumPy needs none."""
    return None


@operation("x=NK kernel=KM bias=M -> y=NM", activation=EXAMPLES)
def dense_forward(x, kernel, bias, y, activation, scratch):
    """y = f(x W + b)."""
    np.matmul(x, kernel, out=y)
    y += bias
    activation_forward(y, y, activation)


@operation("dout=NM x=NK y=NM kernel=KM -> dz=NM dx=NK? dkernel=KM dbias=M", activation=EXAMPLES)
def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
    """Write dkernel, dbias and dx, from dout and the x and y of the forward pass.

    dz is work space for dout * f'(z). dx may be None, as for a first layer.
    """
    activation_backward(dout, y, dz, activation)
    np.matmul(x.T, dz, out=dkernel)
    np.sum(dz, axis=0, out=dbias)
    if dx is not None:
        np.matmul(dz, kernel.T, out=dx)
