# %% [markdown]
# # 4. A VAE in eighty lines
#
#     python examples/4_vae_in_eighty_lines.py                            a minute
#     python examples/4_vae_in_eighty_lines.py --epochs 1 --limit 2000    a quick look
#
# This script puts the parts together: dense layers (script 1), the training loop (2) and the
# random draw (3) make a variational autoencoder. The mathematics is in `kernels/reference`, in
# plain NumPy. The script shows how it fits together.

# %%
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

from scratchvae import kernels
from scratchvae.data import load_mnist
from scratchvae.notebook import read_options, show

k = kernels.load("reference")
options = read_options(epochs=5, limit=None, data_dir=None, out="4_vae_figures")
BATCH = 100
HIDDEN = 256
LATENT = 2
RATE = 0.001
rng = np.random.default_rng(0)
data = load_mnist(options.data_dir)
print(data.description)
x_train, x_test = (part[:options.limit].reshape(-1, 784) for part in (data.x_train, data.x_test))

# %% [markdown]
# A layer has parameters, their gradients, and for each of them Adam's two running means.


# %%
class Dense:
    """y = f(x W + b)."""

    def __init__(self, inputs, units, activation):
        a = np.sqrt(6 / (inputs + units))
        self.W = rng.uniform(-a, a, (inputs, units)).astype(np.float32)
        self.b = np.zeros(units, np.float32)
        self.dW, self.db = map(np.zeros_like, (self.W, self.b))
        self.f = activation
        self.means = [np.zeros((2, array.size), np.float32) for array in (self.W, self.b)]

    def forward(self, x):
        self.x = x
        self.y = np.empty((len(x), len(self.b)), np.float32)
        k.dense_forward(x, self.W, self.b, self.y, self.f, None)
        return self.y

    def backward(self, dy):
        dz, dx = map(np.empty_like, (dy, self.x))
        k.dense_backward(dy, self.x, self.y, self.W, dz, dx, self.dW, self.db, self.f, None)
        return dx

    def update(self, step):
        for w, dw, (m, v) in zip((self.W, self.b), (self.dW, self.db), self.means):
            k.adam_update(w.reshape(-1), dw.reshape(-1), m, v, RATE, 0.9, 0.999, 1e-7, step)


# %% [markdown]
# The encoder has one hidden layer and two heads, mu and lv = log sigma^2. The decoder has one
# hidden layer, and gives the logit of each pixel: the loss puts the sigmoid on top.

# %%
encoder = Dense(784, HIDDEN, "relu")
z_mean = Dense(HIDDEN, LATENT, "linear")
z_log_var = Dense(HIDDEN, LATENT, "linear")
decoder_hidden = Dense(LATENT, HIDDEN, "relu")
decoder = Dense(HIDDEN, 784, "linear")


def forward(x):
    """Return mu, lv, eps, the pixels' probabilities, and both terms of each example's loss."""
    h = encoder.forward(x)
    mu = z_mean.forward(h)
    lv = z_log_var.forward(h)
    eps = rng.standard_normal(mu.shape, np.float32)
    z = np.empty_like(mu)
    k.reparameterize_forward(mu, lv, eps, z)  # z = mu + sigma eps
    logits = decoder.forward(decoder_hidden.forward(z))
    p = np.empty_like(x)
    reconstruction, kl = np.empty((2, len(x)), np.float32)
    k.binary_crossentropy_forward(logits, x, p, reconstruction, 784.0)  # -log p(x|z)
    k.gaussian_kl_forward(mu, lv, kl)  # KL(q(z|x) || N(0, 1))
    return mu, lv, eps, p, reconstruction, kl


def train_step(x, step):
    """Make a step of Adam and return the loss of the batch before it."""
    mu, lv, eps, p, reconstruction, kl = forward(x)
    dlogits, dmu, dlv = map(np.empty_like, (p, mu, mu))
    k.binary_crossentropy_backward(p, x, dlogits, 784.0)  # the same chain, last line first
    dz = decoder_hidden.backward(decoder.backward(dlogits))
    k.reparameterize_backward(dz, lv, eps, dmu, dlv)  # dmu = dz, dlv = dz sigma eps / 2
    k.gaussian_kl_backward(mu, lv, dmu, dlv, 1.0, 0.0)  # dmu += mu / N, dlv += (sigma^2 - 1) / 2N
    encoder.backward(z_mean.backward(dmu) + z_log_var.backward(dlv))    # both heads read h
    for layer in (encoder, z_mean, z_log_var, decoder_hidden, decoder):
        layer.update(step)
    return np.mean(reconstruction + kl)


# %% [markdown]
# ## Training
#
# A loss of 206 nats is what the best constant image costs; 45.8 would be the least, since grey
# pixels are never certain.

# %%
step = 0
for epoch in range(1, options.epochs + 1):
    order = rng.permutation(len(x_train))
    losses = []
    for start in tqdm(range(0, len(order), BATCH), f"epoch {epoch}", leave=False, disable=None):
        step += 1
        losses.append(train_step(x_train[order[start : start + BATCH]], step))
    *_, reconstruction, kl = forward(x_test)
    print(f"epoch {epoch}: loss {np.mean(losses):.2f}; test set {np.mean(reconstruction + kl):.2f} "
          f"= {reconstruction.mean():.2f} + KL {kl.mean():.2f}")

# %% [markdown]
# ## What it has learnt
#
# Above: test digits, and their reconstructions from two numbers. Below: new digits, decoded from
# points drawn from N(0, 1).


# %%
def decode(z):
    """Return the probabilities of the pixels as images."""
    p = np.empty((len(z), 784), np.float32)
    k.activation_forward(decoder.forward(decoder_hidden.forward(z)), p, "sigmoid")
    return p.reshape(-1, 28, 28)


some = x_test[:12]
again = decode(z_mean.forward(encoder.forward(some)))
drawn = decode(rng.standard_normal((24, LATENT), np.float32))
rows = [*some.reshape(1, -1, 28, 28), again, drawn[:12], drawn[12:]]
figure, panels = plt.subplots(4, 1, figsize=(9, 3.6), layout="constrained")
for axes, images, name in zip(panels, rows, ("original", "through z", "new", "new")):
    axes.imshow(np.concatenate(list(images), axis=1), cmap="gray_r", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
figure.suptitle(f"A VAE in eighty lines, after {epoch} epoch{'s' * (epoch > 1)}")
show(figure, options.out / "vae.png")
