"""Long short-term memory."""
from .formulas import Formula
from .recurrent import Recurrent


class LSTM(Recurrent):
    """Long short-term memory, as Keras's; see kernels/reference/lstm.py.

    x (N, T, K), kernel (K, 4 units), recurrent_kernel (units, 4 units), bias (4 units,), with the
    gates i and f, the candidate g and the gate o in this order.

    Parameters
    ----------
    unit_forget_bias : bool
        Whether the bias of the forget gate starts at 1: the cell then keeps its contents at first.
    units, return_sequences, kernel_initializer, recurrent_initializer, bias_initializer, dtype
        See Recurrent.
    """
    gates = 4                   # i, f, g and o

    def __init__(self, units, return_sequences=False, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros",
                 unit_forget_bias=True, dtype="float32"):
        super().__init__(units, return_sequences, kernel_initializer, recurrent_initializer,
                         bias_initializer, dtype)
        self.unit_forget_bias = unit_forget_bias

    def bias_shape(self, width):
        """Return the bias's shape."""
        return (width,)

    def setup(self, input_shape):
        output_shape = super().setup(input_shape)
        if self.unit_forget_bias:
            bias = self.kernels.to_host(self.params["bias"]).copy()
            bias[self.units:2 * self.units] = 1
            self.kernels.copy(bias, self.params["bias"])
        return output_shape

    def forward(self, x, training=False, initial_state=None):
        """Return the output.

        Parameters
        ----------
        x : array (N, T, K)
        training : bool
        initial_state : pair of arrays (N, units), optional
            The state h and the cell c before the first step; default 0.
        """
        self.check_input(x)
        N, T, _ = x.shape
        self._x = x
        self._mask = self.current_mask(N)
        if initial_state is None:
            zeros = self.constant("no state", (N, self.units), 0, self.dtype)
            initial_state = (zeros, zeros)
        self._a = self.contributions(x, self.params["bias"])
        states = self.workspace.array("states", (N, T, self.units))
        self.kernels.lstm_forward(self._a, self.params["recurrent_kernel"], *initial_state,
                                  self._mask, states, self.go_backwards, self._work(N))
        return self.output_of(states)

    def backward(self, dout, need_dx=True):
        """Fill grads; return dx. `dinitial_state` is then the pair of gradients of h and c."""
        self.check_gradient(dout, self._y)
        N = len(dout)
        da = self._a            # its memory: the backward pass does not read a
        self.dinitial_state = (self.workspace.array("dinitial_state", (N, self.units)),
                               self.workspace.array("dinitial_cell", (N, self.units)))
        self.kernels.lstm_backward(self.states_gradient(dout), self.params["recurrent_kernel"],
                                   self._mask, da, self.grads["recurrent_kernel"],
                                   *self.dinitial_state, self.go_backwards, self._work(N))
        return self.contributions_backward(da, self.grads["bias"], need_dx)

    def _work(self, N):
        """Return the kernels' work space for N sequences."""
        return self.scratch("lstm", N, T=self.input_shape[0], U=self.units)

    def formula(self):
        return Formula(
            "q = x W + b + h' R,  i, f, o = sigmoid(q_i, q_f, q_o),  g = tanh(q_g),  "
            "c = f c' + i g,  h = o tanh(c)",
            "do = tanh(c) dh,  dc += o (1 - tanh(c)^2) dh,  di = g dc,  df = c' dc,  dg = i dc,  "
            "dc' = f dc,  dh' = dq R^T,  dW += x^T dq,  dR += h'^T dq,  dx = dq W^T")
