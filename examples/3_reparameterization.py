# %% [markdown]
# # 3. A gradient through a random number
#
#     python examples/3_reparameterization.py             a few seconds
#
# A variational autoencoder draws its code at random: z from a normal distribution with the mean
# mu and the standard deviation sigma that its encoder says. To train the encoder, one has to know
# how the loss changes with mu and sigma. But how does a random draw change? Here is the question,
# the answer, its proof, and what it is worth.

# %%
import matplotlib.pyplot as plt
import numpy as np

from scratchvae import kernels
from scratchvae.notebook import read_options, show

options = read_options(draws=100_000, out="3_reparameterization_figures")
DRAWS = options.draws
rng = np.random.default_rng(0)

# %% [markdown]
# ## The question
#
# Let f(z) = (z - 2)^2 stand for decoder and loss, and let mu = 0.5, sigma = 0.8. What is the
# derivative of the mean of f(z) with respect to mu? For this f it can be worked out, which makes
# every other way easy to judge:
#
#     E f(z) = (mu - 2)^2 + sigma^2       dE/dmu = 2 (mu - 2) = -3        dE/dsigma = 2 sigma = 1.6

# %%
mu = 0.5
sigma = 0.8


def f(z):
    """What is to be made small."""
    return (z - 2) ** 2


def df(z):
    """Its derivative."""
    return 2 * (z - 2)


# %% [markdown]
# ## Why a draw blocks the gradient
#
# Finite differences, the judge of script 1, fail here. Moving mu by h moves the mean of f by
# about -3 h, but two draws differ by far more than that, and the difference is divided by 2h: the
# smaller the step, the worse the answer. `rng.normal(mu, sigma)` is not a function of mu that one
# could differentiate: called twice, it gives two numbers.

# %%
for h in (0.1, 0.01, 0.001):
    estimates = (f(rng.normal(mu + h, sigma, DRAWS)) - f(rng.normal(mu - h, sigma, DRAWS))) / (
        2 * h
    )
    print(
        f"h = {h:<6} mean of {DRAWS:,} differences {estimates.mean():8.2f}, "
        f"standard deviation of one {estimates.std():10.1f}"
    )

# %% [markdown]
# ## The answer
#
# Draw the random number before mu and sigma come in, and it is an input like any other:
#
#     eps ~ N(0, 1)           z = mu + sigma eps
#
# z has the same distribution as before. But now it is a function, with ordinary derivatives, and
# the chain rule goes through it:
#
#     dz/dmu = 1              dz/dsigma = eps             dL/dmu = f'(z),  dL/dsigma = f'(z) eps
#
# An encoder gives the logarithm of the variance, lv = log sigma^2, which may be any number. Then
# sigma = exp(lv / 2), and
#
#     dz/dlv = sigma eps / 2

# %%
eps = rng.standard_normal(DRAWS)
z = mu + sigma * eps
dmu = df(z)
dsigma = df(z) * eps
print(f"dE/dmu    {dmu.mean():7.4f} +- {dmu.std() / DRAWS**0.5:.4f}, exactly {2 * (mu - 2)}")
print(f"dE/dsigma {dsigma.mean():7.4f} +- {dsigma.std() / DRAWS**0.5:.4f}, exactly {2 * sigma}")

# %% [markdown]
# ## Is it right?
#
# With eps held still, finite differences work again, draw by draw. And the kernel that the VAE
# uses says the same.

# %%
h = 1e-5
by_differences = (f(mu + h + sigma * eps) - f(mu - h + sigma * eps)) / (2 * h)
print(f"dmu: largest error {np.abs(dmu - by_differences).max():.1e}")
assert np.allclose(dmu, by_differences, atol=1e-8)

lv = np.full((DRAWS, 1), 2 * np.log(sigma))
by_differences = (
    f(mu + np.exp((lv[:, 0] + h) / 2) * eps) - f(mu + np.exp((lv[:, 0] - h) / 2) * eps)
) / (2 * h)
dmu_kernel = np.empty_like(lv)
dlv_kernel = np.empty_like(lv)
kernels.load("reference").reparameterize_backward(
    df(z)[:, np.newaxis], lv, eps[:, np.newaxis], dmu_kernel, dlv_kernel
)
print(f"dlv: largest error {np.abs(dlv_kernel[:, 0] - by_differences).max():.1e}")
assert np.allclose(dlv_kernel[:, 0], by_differences, atol=1e-8) and np.allclose(
    dmu_kernel[:, 0], dmu
)

# %% [markdown]
# ## What it is worth
#
# There is another way, older and more general, which needs no derivative of f. With log q the
# logarithm of the density of z,
#
#     dE/dmu = E [f(z) dlog q(z)/dmu] = E [f(z) (z - mu) / sigma^2]
#
# It is called the score-function estimator, or REINFORCE (Williams 1992). It is right on average,
# too. It only knows how good a draw was, not in which direction it would have been better, so
# single estimates scatter. To subtract the mean of f helps: this changes nothing on average,
# since the score itself has the mean 0, and it takes out what all draws have in common.

# %%
score = (z - mu) / sigma**2
estimators = {
    "reparameterization: f'(z)": dmu,
    "score function: f(z) dlog q/dmu": f(z) * score,
    "the same, less the mean of f": (f(z) - f(z).mean()) * score,
}
for name, estimates in estimators.items():
    print(f"{name:<32} mean {estimates.mean():7.3f}, standard deviation {estimates.std():6.2f}")

# %% [markdown]
# In one dimension the difference is a factor of a few. A VAE's code has more. Let f be the sum of
# (z_j - 2)^2 over J dimensions, and look at the derivative with respect to the first mu:
# reparameterization sees only the first term, as it should, while the score function is shaken by
# all the others. Its standard deviation grows with J, less the mean of f with the square root of
# J; and the number of draws for the same accuracy is its square.

# %%
dimensions = np.array([1, 2, 4, 8, 16, 32, 64])
spread = {name: [] for name in estimators}
for J in dimensions:
    eps = rng.standard_normal((DRAWS // 10, J))
    z = mu + sigma * eps
    loss = f(z).sum(axis=1)
    score = eps[:, 0] / sigma
    for name, estimates in zip(spread, (df(z[:, 0]), loss * score, (loss - loss.mean()) * score)):
        spread[name].append(estimates.std())

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
bins = np.linspace(-25, 5, 121)
for name, estimates in estimators.items():
    left.hist(
        estimates,
        bins,
        density=True,
        histtype="step",
        lw=1.6,
        label=f"{name}, sd {estimates.std():.1f}",
    )
left.axvline(2 * (mu - 2), color="0.4", lw=1, ls="--", label="the derivative")
left.set(
    title="Estimates of dE/dmu from one draw, one dimension", xlabel="estimate", ylabel="density"
)
left.legend(fontsize=8)
for name, values in spread.items():
    right.loglog(dimensions, values, "o-", label=name)
right.set(
    title="Spread of one estimate",
    xlabel="dimensions of z",
    ylabel="standard deviation",
    xticks=dimensions,
    xticklabels=dimensions,
)
right.minorticks_off()
right.legend(fontsize=8)
show(figure, options.out / "estimators.png")
