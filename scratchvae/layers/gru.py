"""The gated recurrent unit."""
import numpy as np

from .formulas import Formula
from .recurrent import Recurrent


class GRU(Recurrent):
    """A gated recurrent unit, Keras's with reset_after=True; see kernels/reference/gru.py.

    x (N, T, K), kernel (K, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units).
    Parameters: see Recurrent.
    """
    gates = 3                   # z, r and the candidate

    def bias_shape(self, width):
        """Return the bias's shape: one row for the input, one for the state."""
        return (2, width)

    def forward(self, x, training=False, initial_state=None):
        """Return the output; the state before the first step is initial_state (N, units), or 0."""
        self.check_input(x)
        N, T, _ = x.shape
        self._x = x
        self._mask = self.current_mask(N)
        if initial_state is None:
            initial_state = self.constant("no state", (N, self.units), 0, self.dtype)
        bias = self.params["bias"]
        self._a = self.contributions(x, bias[0])
        states = self.workspace.array("states", (N, T, self.units))
        self.kernels.gru_forward(self._a, self.params["recurrent_kernel"], bias[1], initial_state,
                                 self._mask, states, self.go_backwards, self._work(N))
        return self.output_of(states)

    def backward(self, dout, need_dx=True):
        """Fill grads; return dx. `dinitial_state` is then the gradient of the initial state."""
        self.check_gradient(dout, self._y)
        N = len(dout)
        da = self._a            # its memory: the backward pass does not read a
        self.dinitial_state = self.workspace.array("dinitial_state", (N, self.units))
        dbias = self.grads["bias"]
        self.kernels.gru_backward(self.states_gradient(dout), self.params["recurrent_kernel"],
                                  self._mask, da, self.grads["recurrent_kernel"], dbias[1],
                                  self.dinitial_state, self.go_backwards, self._work(N))
        return self.contributions_backward(da, dbias[0], need_dx)

    def step(self, x, state):
        """Return the states (N, units) after one step.

        Parameters
        ----------
        x : array (N, K)
            The input of the step.
        state : array (N, units)
            The states before it.
        """
        N, K = x.shape
        kernels = self.kernels
        width = 3 * self.units
        one_step = kernels.from_host(np.ones((N, 1), np.int32))
        a = kernels.empty((N, width), self.dtype)
        after = kernels.empty((N, 1, self.units), self.dtype)
        bias = self.params["bias"]
        kernels.dense_forward(x, self.params["kernel"], bias[0], a, "linear",
                              kernels.dense_scratch(N, K, width, self.dtype))
        kernels.gru_forward(a.reshape(N, 1, width), self.params["recurrent_kernel"],
                            bias[1], state, one_step, after, False,
                            kernels.gru_scratch(N, 1, self.units, self.dtype))
        return after.reshape(N, self.units)

    def _work(self, N):
        """Return the kernels' work space for N sequences."""
        return self.scratch("gru", N, T=self.input_shape[0], U=self.units)

    def formula(self):
        return Formula(
            "a = x W + b0,  q = h' R + b1,  z = sigmoid(a_z + q_z),  r = sigmoid(a_r + q_r),  "
            "c = tanh(a_c + r q_c),  h = z h' + (1 - z) c",
            "dz = (h' - c) dh,  dc = (1 - z) dh,  da_c = (1 - c^2) dc,  dr = q_c da_c,  "
            "dq_c = r da_c,  dh' = z dh + dq R^T,  dW += x^T da,  dR += h'^T dq,  dx = da W^T")
