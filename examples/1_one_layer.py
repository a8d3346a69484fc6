# %% [markdown]
# # 1. One layer, forward and backward
#
#     python examples/1_one_layer.py          two seconds
#
# A framework trains a network by one step that is repeated for every layer: from the gradient of
# the loss with respect to the layer's output it computes the gradients with respect to its
# parameters and its input. Here is that step for a dense layer, in plain NumPy, and the proof that
# it is right.

# %%
import matplotlib.pyplot as plt
import numpy as np

from scratchvae import kernels
from scratchvae.gradcheck.check import check_layer
from scratchvae.layers import Dense
from scratchvae.notebook import read_options, show

options = read_options(out="1_one_layer_figures")

# %% [markdown]
# ## Forward
#
# N examples of K numbers go in, N of M come out: `y = relu(x W + b)`. Everything is float64,
# because a proof needs digits.

# %%
N = 4
K = 3
M = 5
rng = np.random.default_rng(0)
x = rng.standard_normal((N, K))
W = rng.standard_normal((K, M))
b = rng.standard_normal(M)
target = rng.standard_normal((N, M))


def forward(x, W, b):
    """z = x W + b, and y = relu(z)."""
    z = x @ W + b
    return z, np.maximum(z, 0)


def loss(y):
    """Half the squared distance to the target, a mean over the examples: one number."""
    return 0.5 * np.sum((y - target) ** 2) / N


z, y = forward(x, W, b)
print(f"x {x.shape}, W {W.shape}, b {b.shape} -> y {y.shape}; loss {loss(y):.6f}")

# %% [markdown]
# ## Backward
#
# `dy` is short for dL/dy: an array of the shape of y that says how much the loss changes with
# each number of y. The chain rule takes it through the layer, last operation first:
#
#     y_nm = max(z_nm, 0)                   ->  dz_nm = dy_nm where z_nm > 0, else 0
#     z_nm = sum over k of x_nk W_km + b_m  ->  dW_km = sum over n of x_nk dz_nm   dW = x^T dz
#                                               db_m  = sum over n of dz_nm        db = sum of rows
#                                               dx_nk = sum over m of dz_nm W_km   dx = dz W^T
#
# There is nothing to learn by heart: a gradient has the shape of its array, and the sum runs over
# the index that this shape lacks.

# %%
dy = (y - target) / N  # the derivative of the loss

dz = np.where(z > 0, dy, 0)
dW = x.T @ dz
db = dz.sum(axis=0)
dx = dz @ W.T  # for the layer before

# %% [markdown]
# ## Is it right?
#
# Move one number by a little to either side, and see how much the loss moves: `(L(w + h) - L(w -
# h)) / 2h`. This knows nothing of the formulas above, so if it agrees with them for every number,
# they are right.


# %%
def finite_differences(array, h=1e-5):
    """dL/darray, number by number."""
    gradient = np.empty_like(array)
    for i in np.ndindex(array.shape):
        kept = array[i]
        array[i] = kept + h
        above = loss(forward(x, W, b)[1])
        array[i] = kept - h
        below = loss(forward(x, W, b)[1])
        array[i] = kept
        gradient[i] = (above - below) / (2 * h)
    return gradient


for name, array, gradient in (("W", W, dW), ("b", b, db), ("x", x, dx)):
    error = np.abs(gradient - finite_differences(array)).max() / np.abs(gradient).max()
    print(f"d{name} {str(gradient.shape):<7} largest error {error:.1e}")
    assert error < 1e-8

# %% [markdown]
# ## How small is a little?
#
# Two errors pull in opposite directions. A large step h misses the curve of the loss. A small one
# loses digits: the two losses are almost the same, and float64 keeps 16 digits of each. So the
# error falls with h, and then rises again. A one-sided difference, `(L(w + h) - L(w)) / h`, is
# worse from the start.
#
# The loss of this layer is a parabola in each weight, of which the two-sided difference misses
# nothing. To see both errors, take a function that bends more: the sigmoid.


# %%
def sigmoid(t):
    """1 / (1 + exp(-t))."""
    return 1 / (1 + np.exp(-t))


h = np.logspace(-12, 0, 49)
exact = sigmoid(1.0) * (1 - sigmoid(1.0))
one_sided = np.abs((sigmoid(1 + h) - sigmoid(1.0)) / h / exact - 1)
two_sided = np.abs((sigmoid(1 + h) - sigmoid(1 - h)) / (2 * h) / exact - 1)

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.loglog(h, one_sided, ".-", label="(f(t + h) - f(t)) / h")
axes.loglog(h, two_sided, ".-", label="(f(t + h) - f(t - h)) / 2h")
axes.set(
    title="Error of finite differences, the sigmoid at t = 1",
    xlabel="step h",
    ylabel="relative error of f'(t)",
)
axes.legend()
show(figure, options.out / "step_size.png")

# %% [markdown]
# ## The same as a kernel
#
# `kernels/reference/dense.py` is what stands above, once for all activations. A kernel writes
# into arrays that it is given.

# %%
reference = kernels.load("reference")
kernel_y, kernel_dz, kernel_dx, kernel_dW, kernel_db = (
    np.empty_like(a) for a in (y, dz, dx, dW, db)
)
reference.dense_forward(x, W, b, kernel_y, "relu", None)
reference.dense_backward(
    dy, x, kernel_y, W, kernel_dz, kernel_dx, kernel_dW, kernel_db, "relu", None
)
for by_hand, by_kernel in ((y, kernel_y), (dW, kernel_dW), (db, kernel_db), (dx, kernel_dx)):
    np.testing.assert_allclose(by_kernel, by_hand, rtol=1e-12, atol=1e-15)
print("the kernel gives the same")

# %% [markdown]
# ## The same as a layer
#
# A layer owns its arrays, and remembers between forward and backward what the gradient needs. Its
# backward pass takes dL/dy and returns dL/dx, so layers can be put in a row: the dx of one is the
# dy of the one before. `check_layer` does for any layer what was done above.

# %%
layer = Dense(M, activation="relu")
layer.dtype = "float64"
layer.build((K,))
layer.set_weights([W, b])
np.testing.assert_allclose(layer.forward(x, training=True), y, rtol=1e-12)
np.testing.assert_allclose(layer.backward(dy), dx, rtol=1e-12, atol=1e-15)
np.testing.assert_allclose(layer.grads["kernel"], dW, rtol=1e-12, atol=1e-15)
print("the layer gives the same")
print(check_layer(Dense(M, activation="relu"), input_shape=(K,)))
