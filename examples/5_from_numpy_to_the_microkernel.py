# %% [markdown]
# # 5. From NumPy to the microkernel, in measured steps
#
#     python examples/5_from_numpy_to_the_microkernel.py          a quarter of a minute
#
# A dense layer is a matrix product, y = x W. The reference leaves it to NumPy, and NumPy to a
# library in assembler. How would one write a fast product oneself? Each step below changes one
# thing and measures it, on one thread: the same 40 million multiplications and additions each time.

# %%
import time

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from threadpoolctl import threadpool_limits

from scratchvae import kernels
from scratchvae.notebook import read_options, show

options = read_options(out="5_from_numpy_figures")
N = 100
K = 784
M = 256
rng = np.random.default_rng(0)
x = rng.standard_normal((N, K)).astype(np.float32)
w = rng.standard_normal((K, M)).astype(np.float32)
exact = x.astype(np.float64) @ w
rates = {}


def measure(name, product, rows=N, columns=M):
    """Note the GFLOP/s of a product of the first rows of x and columns of w."""
    a = x[:rows]
    b = np.ascontiguousarray(w[:, :columns])
    y = np.zeros((rows, columns), np.float32)
    product(a, b, y)                                    # compiles
    assert np.abs(y - exact[:rows, :columns]).max() < 1e-2
    times = []
    while sum(times) < 0.3 or len(times) < 3:
        started = time.perf_counter()
        product(a, b, y)
        times.append(time.perf_counter() - started)
    rates[name] = 2 * rows * K * columns / np.median(times) / 1e9
    print(f"{name:<34}{rates[name]:10.3f} GFLOP/s")


# %% [markdown]
# ## 1. Three loops in Python
#
# The definition: y_nm = sum over k of x_nk W_km. Each multiplication goes through the interpreter:
# it looks up types, makes objects for numbers, and calls functions. A small corner is enough.

# %%
def loops(x, w, y):
    for n in range(x.shape[0]):
        for m in range(w.shape[1]):
            total = 0.0
            for k in range(x.shape[1]):
                total += x[n, k] * w[k, m]
            y[n, m] = total


measure("three loops in Python", loops, rows=2, columns=8)

# %% [markdown]
# ## 2. The inner loop in NumPy
#
# One call of NumPy for each y_nm. A call costs about a microsecond, and the column of w is read in
# jumps of M numbers.

# %%
def dots(x, w, y):
    for n in range(x.shape[0]):
        for m in range(w.shape[1]):
            y[n, m] = x[n] @ w[:, m]


measure("a loop of dot products", dots, rows=10)

# %% [markdown]
# ## 3. The three loops, compiled
#
# The same lines, translated to machine code by Numba. But it is still one multiplication at a time:
# the sum must be made in its order, and the jumps through w leave the cache unused.

# %%
measure("the same loops, compiled", njit(loops))

# %% [markdown]
# ## 4. Another order of the loops
#
# Now the innermost loop runs along a row of w and a row of y. Neighbours in memory are multiplied
# by the same x_nk, and different elements of y do not wait for each other: the processor takes a
# whole vector of them at once, 8 or 16 numbers.

# %%
@njit
def row_by_row(x, w, y):
    for n in range(x.shape[0]):
        y[n] = 0
        for k in range(x.shape[1]):
            a = x[n, k]
            for m in range(w.shape[1]):
                y[n, m] += a * w[k, m]


measure("along the rows: vectors", row_by_row)

# %% [markdown]
# ## 5. Load once, use four times
#
# Step 4 loads w_km and y_nm and stores y_nm for each multiplication, and loading takes longer than
# multiplying. Four rows of x at once use each loaded number of w four times.

# %%
@njit
def four_rows(x, w, y):
    for n in range(0, x.shape[0], 4):
        y[n:n + 4] = 0
        for k in range(x.shape[1]):
            a = x[n:n + 4, k]
            for m in range(w.shape[1]):
                b = w[k, m]
                y[n, m] += a[0] * b
                y[n + 1, m] += a[1] * b
                y[n + 2, m] += a[2] * b
                y[n + 3, m] += a[3] * b


measure("four rows at once", four_rows)

# %% [markdown]
# ## 6. Keep the sums in registers
#
# What is left is y itself: it is loaded and stored again at each k. A tile of six rows and two
# vectors of columns has twelve vectors of sums, which fit into the registers of the processor. They
# are stored once, when all k are done. No compiler finds this in plain loops, so
# `kernels/cpu/microkernel.py` emits the instructions. Around it are loops that keep a panel of w in
# the first cache (`kernels/cpu/product.py`).

# %%
cpu = kernels.load("cpu")
cpu.set_threads(1)
bias = np.zeros(M, np.float32)
scratch = cpu.dense_scratch(N, K, M, np.dtype(np.float32))
measure("the microkernel (scratchvae)",
        lambda x, w, y: cpu.dense_forward(x, w, bias, y, "linear", scratch))

# %% [markdown]
# ## 7. The library behind NumPy
#
# Assembler by hand, for this processor, from people who do nothing else.

# %%
with threadpool_limits(1):
    measure("the library behind NumPy", lambda x, w, y: np.matmul(x, w, out=y))

figure = Figure(figsize=(7, 3), layout="tight")
axes = figure.subplots()
bars = axes.barh(list(rates), list(rates.values()), color="#1f4e79")
axes.bar_label(bars, fmt="{:.3g}", padding=3)
axes.set(xscale="log", xlim=(min(rates.values()) / 3, 4 * max(rates.values())),
         xlabel="GFLOP/s on one thread, logarithmic", title="One product, seven ways")
axes.invert_yaxis()
show(figure, options.out / "rates.png")

# %% [markdown]
# A second thread doubles the last two, and skipping the zeros of an image or of a relu's output
# is worth more still. How far your own kernels are from this: `scratchvae bench mnist-dense
# --backend DIR`.
