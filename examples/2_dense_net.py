# %% [markdown]
# # 2. A dense net learns to read digits
#
#     python examples/2_dense_net.py                          five seconds
#     python examples/2_dense_net.py --epochs 1 --limit 2000  a quick look
#
# Two dense layers, one after the other, trained on MNIST by NumPy alone: 784 pixels -> 128 units
# -> 10 classes. The layers are those of script 1; what is new is the chain of them, the loss of a
# classifier, and the loop that goes downhill.

# %%
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

from scratchvae.data import load_mnist
from scratchvae.notebook import read_options, show

options = read_options(epochs=5, limit=None, data_dir=None, out="2_dense_net_figures")
BATCH = 100
UNITS = 128
RATE = 0.2
rng = np.random.default_rng(0)

# %% [markdown]
# ## The data
#
# Images in [0, 1], a row of 784 numbers each, and the digit that each of them is.

# %%
data = load_mnist(options.data_dir)
print(data.description)
x_train, x_test = (
    images[:options.limit].reshape(-1, 784).astype(np.float32)
    for images in (data.x_train, data.x_test)
)
t_train = data.y_train[:options.limit]
t_test = data.y_test[:options.limit]

# %% [markdown]
# ## Forward
#
#     h = relu(x W1 + b1)
#     p = softmax(h W2 + b2)
#     L = mean over the examples of -log p of the right class
#
# The first weights are drawn at random, small enough that a layer neither blows its input up nor
# wipes it out (Glorot and Bengio 2010).


# %%
def glorot(inputs, units):
    """Weights from U(-a, a), a = sqrt(6 / (inputs + units))."""
    a = np.sqrt(6 / (inputs + units))
    return rng.uniform(-a, a, (inputs, units)).astype(np.float32)


parameters = {
    "W1": glorot(784, UNITS),
    "b1": np.zeros(UNITS, np.float32),
    "W2": glorot(UNITS, 10),
    "b2": np.zeros(10, np.float32),
}


def forward(x, W1, b1, W2, b2):
    """The hidden layer (N, UNITS), and the probabilities of the classes (N, 10)."""
    h = np.maximum(x @ W1 + b1, 0)
    logits = h @ W2 + b2
    e = np.exp(logits - logits.max(axis=1, keepdims=True))  # no overflow, and the same quotient
    return h, e / e.sum(axis=1, keepdims=True)


def loss(p, t):
    """Cross-entropy, a mean over the examples, in nats."""
    return -np.mean(np.log(p[np.arange(len(t)), t]))


print(
    f"untrained: {loss(forward(x_test, **parameters)[1], t_test):.3f} nats; "
    f"guessing costs ln 10 = {np.log(10):.3f}"
)

# %% [markdown]
# ## Backward
#
# The same chain, last line first. Softmax and cross-entropy together have a gradient that could
# not be simpler: what was said minus what is true, `p - onehot(t)`. Then comes the backward pass
# of a dense layer, twice.


# %%
def backward(x, t, h, p, W2):
    """The gradients of the loss, by the names of the parameters."""
    dlogits = p.copy()
    dlogits[np.arange(len(t)), t] -= 1  # p - onehot(t)
    dlogits /= len(t)  # the loss is a mean
    dh = dlogits @ W2.T
    dz = np.where(h > 0, dh, 0)  # relu let through only these
    return {"W1": x.T @ dz, "b1": dz.sum(axis=0), "W2": h.T @ dlogits, "b2": dlogits.sum(axis=0)}


# %% [markdown]
# Before it may train, it is checked: a few entries of each gradient against finite differences,
# in float64.

# %%
exact = {name: array.astype(np.float64) for name, array in parameters.items()}
x = x_train[:10].astype(np.float64)
t = t_train[:10]
gradients = backward(x, t, *forward(x, **exact), exact["W2"])
for name, array in exact.items():
    flat = array.reshape(-1)
    error = 0.0
    h = 1e-5
    for i in rng.integers(0, flat.size, 20):
        kept = flat[i]
        flat[i] = kept + h
        above = loss(forward(x, **exact)[1], t)
        flat[i] = kept - h
        below = loss(forward(x, **exact)[1], t)
        flat[i] = kept
        error = max(error, abs((above - below) / (2 * h) - gradients[name].reshape(-1)[i]))
    print(f"d{name}: largest error {error:.1e}, largest entry {np.abs(gradients[name]).max():.1e}")
    assert error < 1e-7

# %% [markdown]
# ## Downhill
#
# Each step takes a hundred images, and moves every parameter a little against its gradient. An
# epoch goes once through all of the images, in an order drawn anew.

# %%
history = []
for epoch in range(1, options.epochs + 1):
    order = rng.permutation(len(x_train))
    total = 0.0
    for start in tqdm(range(0, len(order), BATCH), f"epoch {epoch}", leave=False, disable=None):
        x = x_train[order[start : start + BATCH]]
        t = t_train[order[start : start + BATCH]]
        h, p = forward(x, **parameters)
        total += loss(p, t) * len(t)
        for name, gradient in backward(x, t, h, p, parameters["W2"]).items():
            parameters[name] -= RATE * gradient
    p = forward(x_test, **parameters)[1]
    history.append((total / len(order), loss(p, t_test), np.mean(p.argmax(axis=1) == t_test)))
    print(
        f"epoch {epoch}: loss {history[-1][0]:.4f}, on the test set {history[-1][1]:.4f}; "
        f"{history[-1][2]:.2%} of it read right"
    )

# %% [markdown]
# ## What it has learnt
#
# Left: the loss. Middle: the weights of 25 hidden units, as images, each on its own scale. A unit
# looks for strokes in one place (blue) and against strokes in another (red). Right: test images
# that it still gets wrong, with what it says and, in brackets, what they are.

# %%
figure, (curve, units, mistakes) = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
training, test, accuracy = zip(*history)
epochs = range(1, options.epochs + 1)
curve.plot(epochs, training, "o-", label="training, mean of the epoch")
curve.plot(epochs, test, "o-", label="test set, after it")
curve.set(title="Loss", xlabel="epoch", ylabel="nats an image", xticks=epochs)
curve.legend()

W = parameters["W1"].T[:25].reshape(5, 5, 28, 28)
W = np.pad(
    W / np.abs(W).max(axis=(2, 3), keepdims=True),
    ((0, 0), (0, 0), (2, 2), (2, 2)),
    constant_values=np.nan,
)  # apart
units.imshow(W.swapaxes(1, 2).reshape(160, 160), cmap="RdBu", vmin=-1, vmax=1)
units.set(title="Weights of 25 hidden units", xticks=[], yticks=[])

wrong = np.flatnonzero(p.argmax(axis=1) != t_test)[:25]
mistakes.set(title="Mistakes: said (is)", xlim=(0, 5), ylim=(5, 0), xticks=[], yticks=[])
for place, i in enumerate(wrong):
    row, column = divmod(place, 5)
    mistakes.imshow(
        x_test[i].reshape(28, 28),
        cmap="gray_r",
        extent=(column + 0.2, column + 0.8, row + 0.92, row + 0.32),
    )
    mistakes.text(
        column + 0.5, row + 0.26, f"{p[i].argmax()} ({t_test[i]})", ha="center", fontsize=8
    )
show(figure, options.out / "dense_net.png")
