"""Objectives beyond the ELBO: their gradients, their values by definition, and in labs."""
import math

import numpy as np
import pytest
from scipy import integrate

from scratchvae import kernels, labs
from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck import check_model
from scratchvae.layers import Dense
from scratchvae.models import IWAE, VAE, VQVAE, Model
from scratchvae.objectives import ELBO, BetaTC, Capacity, InfoVAE
from scratchvae.optimizers import SGD, Adam

J = 3
EACH = [ELBO(), Capacity(0.1), Capacity(50.0), BetaTC(4.0), InfoVAE(0.5, 10.0), InfoVAE(1.0, 20.0)]


def networks(width=7):
    return [Dense(6, "tanh")], J, [Dense(5, "tanh"), Dense(width, "sigmoid")]


@pytest.fixture(params=["reference", "cpu"])
def backend(request):
    return request.param


def built(model, width=7):
    model.build((width,))
    return model


# VAE with another cost of the code

@pytest.mark.parametrize("objective", EACH, ids=lambda each: str(each.get_config()))
def test_every_gradient_is_the_derivative_of_the_loss(objective, backend):
    report = check_model(built(VAE(*networks(), objective=objective, kl_weight=0.7,
                                   backend=backend)))
    assert report.passed, report
    assert max(row.error for row in report.rows) < 1e-6


def cost_of(objective, mu, lv, z):
    """Return the costs (N,) of codes."""
    objective.build(kernels.load("cpu"), "float64")
    return objective.forward(mu, lv, (z - mu) * np.exp(-lv / 2), z).copy()


@pytest.fixture
def codes(rng):
    mu, lv, eps = rng.standard_normal((3, 5, J))
    return mu, lv, mu + np.exp(lv / 2) * eps


def kl_of(mu, lv):
    return 0.5 * (mu ** 2 + np.exp(lv) - 1 - lv).sum(axis=1)


def test_beta_tc_is_the_kl_and_the_total_correlation_of_the_batch(codes):
    mu, lv, z = codes

    def density(n, m, j):
        return (math.exp(-(z[n, j] - mu[m, j]) ** 2 / (2 * math.exp(lv[m, j])))
                / math.sqrt(2 * math.pi * math.exp(lv[m, j])))

    tc = []
    for n in range(5):
        joint = sum(math.prod(density(n, m, j) for j in range(J)) for m in range(5)) / 5
        each = [sum(density(n, m, j) for m in range(5)) / 5 for j in range(J)]
        tc.append(math.log(joint) - sum(map(math.log, each)))
    np.testing.assert_allclose(cost_of(BetaTC(6.0), mu, lv, z), kl_of(mu, lv) + 5 * np.array(tc),
                               rtol=1e-12)
    np.testing.assert_allclose(cost_of(BetaTC(1.0), mu, lv, z), kl_of(mu, lv), rtol=1e-12)


def test_the_total_correlation_tells_dependent_dimensions_from_independent_ones(rng):
    a, b = rng.standard_normal((2, 400))
    lv = np.full((400, 2), -2.0)
    noise = np.exp(-1.0) * rng.standard_normal((400, 2))

    def correlation(mu):
        return np.mean(cost_of(BetaTC(2.0), mu, lv, mu + noise) - kl_of(mu, lv))

    assert correlation(np.stack([a, a], axis=1)) > 0.5 > 0.2 > correlation(np.stack([a, b], axis=1))


def test_mmd_has_the_integrals_over_the_prior(codes):
    """In one dimension, where both expectations can be computed by quadrature."""
    _, _, z = codes
    z = np.ascontiguousarray(z[:, :1])

    def normal(p):
        return math.exp(-p * p / 2) / math.sqrt(2 * math.pi)

    def kernel(a, b):
        return math.exp(-(a - b) ** 2 / 2)

    among = np.array([[kernel(a, b) for b in z[:, 0]] for a in z[:, 0]]).mean(axis=1)
    to_prior = [integrate.quad(lambda p, a=a: kernel(a, p) * normal(p), -9, 9)[0] for a in z[:, 0]]
    prior = integrate.dblquad(lambda p, q: kernel(p, q) * normal(p) * normal(q), -9, 9, -9, 9)[0]
    mmd = np.empty(5)
    kernels.load("reference").mmd_forward(z, mmd)
    np.testing.assert_allclose(mmd, among - 2 * np.array(to_prior) + prior, rtol=1e-7)


def test_info_vae_weighs_kl_and_mmd_as_its_paper_does(codes):
    mu, lv, z = codes
    mmd = np.empty(5)
    kernels.load("reference").mmd_forward(z, mmd)
    np.testing.assert_allclose(cost_of(InfoVAE(0.25, 10.0), mu, lv, z),
                               0.75 * kl_of(mu, lv) + 9.25 * mmd, rtol=1e-12)


def test_capacity_is_approached_from_both_sides(codes):
    mu, lv, z = codes
    mean = kl_of(mu, lv).mean()
    for capacity, sign in ((mean - 0.5, 1), (mean + 0.5, -1)):
        objective = Capacity(capacity)
        np.testing.assert_allclose(cost_of(objective, mu, lv, z), 0.5, rtol=1e-12)
        dmu, dlv = np.zeros((2, 5, J))
        objective.backward(dmu, dlv, 2.0)
        np.testing.assert_allclose(dmu, sign * 2 * mu / 5, rtol=1e-12)


@pytest.mark.parametrize("objective", ["capacity", "beta_tc", "info_vae"])
def test_the_history_has_the_kl_divergence_and_the_whole_loss(objective, rng):
    x = rng.random((40, 7))
    vae = VAE(*networks(), objective=objective, kl_weight=0.5)
    row = vae.fit(x, epochs=1, progress=False, batch_size=40, shuffle=False,
                  optimizer=SGD(1e-30)).rows[-1]
    vae.noise.step = 0
    reconstruction, cost = vae.forward(np.asarray(vae.as_examples(x)), training=True)
    assert row["loss"] == pytest.approx(float(np.mean(reconstruction + 0.5 * cost)), rel=1e-6)
    assert row["kl"] == pytest.approx(float(kl_of(vae.mu, vae.lv).mean()), rel=1e-6)


def test_models_share_no_objective(rng):
    objective = BetaTC(3.0)
    one, other = (built(VAE(*networks(), objective=objective)) for _ in range(2))
    x = rng.random((4, 7)).astype(np.float32)
    one.forward(x)
    kl = one.objective.kl.copy()
    other.forward(x[:2])
    assert one.objective.kl.shape == (4,)
    np.testing.assert_array_equal(one.objective.kl, kl)


@pytest.mark.parametrize("make", [
    lambda: VAE(*networks(), objective={"name": "beta_tc", "beta": 3.0}),
    lambda: IWAE(*networks(), samples=3),
    lambda: VQVAE(*networks(), codes=9),
], ids=("beta_tc", "iwae", "vq"))
def test_saved_and_resumed_models_are_the_same(make, rng, tmp_path):
    x = rng.random((40, 7))
    options = {"batch_size": 10, "progress": False, "validation_data": x[:9]}
    whole = make()
    whole.fit(x, epochs=3, **options)
    part = make()
    part.fit(x, epochs=2, checkpoint=tmp_path / "checkpoint", **options)
    part = make()
    part.fit(x, epochs=3, checkpoint=tmp_path / "checkpoint", resume=True, **options)
    whole.save(tmp_path / "model.npz")
    loaded = Model.load(tmp_path / "model.npz")
    assert loaded.get_config() == whole.get_config()
    for model in (part, loaded):
        for one, other in zip(model.get_weights(), whole.get_weights()):
            np.testing.assert_array_equal(one, other)


# Importance weights

def posterior(x, W, samples, **options):
    """Return an IWAE of the linear model x = W z + noise whose q(z|x) is the true posterior."""
    D = len(W)
    model = IWAE([Dense(D)], 1, [Dense(D)], "squared_error", samples=samples, dtype="float64",
                 **options)
    model.build((D,))
    precision = 1 + W @ W
    model.set_weights([np.eye(D), np.zeros(D), W[:, np.newaxis] / precision, np.zeros(1),
                       np.zeros((D, 1)), np.array([-math.log(precision)]),
                       W[np.newaxis], np.zeros(D)])
    return model


@pytest.mark.parametrize("samples", [1, 4])
def test_with_the_true_posterior_the_bound_is_the_likelihood_and_the_encoder_is_at_rest(
        samples, rng):
    """log p(x) of x = W z + noise is that of N(0, W W^T + 1)."""
    W = rng.standard_normal(4)
    x = rng.standard_normal((6, 4))
    model = posterior(x, W, samples)
    mean, rest = model.forward(x, training=True)
    covariance = np.outer(W, W) + np.eye(4)
    exact = -0.5 * (np.einsum("nd,nd->n", x, np.linalg.solve(covariance, x.T).T)
                    + np.linalg.slogdet(covariance)[1])
    np.testing.assert_allclose(-(mean + rest), exact, rtol=1e-12)
    model.backward()
    for head in (model.z_mean, model.z_log_var):
        for gradient in head.grads.values():
            np.testing.assert_allclose(gradient, 0, atol=1e-12)


@pytest.mark.parametrize("samples", [1, 4])
def test_the_derivative_of_the_importance_weighted_bound(samples, backend):
    report = check_model(built(IWAE(*networks(), samples=samples, backend=backend)))
    assert report.passed, report
    assert max(row.error for row in report.rows) < 1e-6


def test_both_gradients_have_the_same_mean_and_the_doubly_reparameterized_one_less_noise(rng):
    x = rng.random((2, 7))
    gradients = {}
    for name in ("reparameterized", "doubly reparameterized"):
        model = built(IWAE(*networks(), samples=8, gradient=name, dtype="float64"))
        found = []
        for step in range(3000):
            model.noise.step = step
            model.forward(x, training=True)
            model.backward()
            found.append(np.concatenate([model.z_mean.grads["bias"], model.z_log_var.grads["bias"],
                                         model.decoder.layers["dense"].grads["bias"]]))
        gradients[name] = np.array(found)
    plain, doubly = gradients.values()
    error = np.sqrt((plain.var(axis=0) + doubly.var(axis=0)) / 3000)
    assert (abs(plain.mean(axis=0) - doubly.mean(axis=0)) < 4 * error + 1e-15).all()
    assert doubly[:, :2 * J].var(axis=0).sum() < plain[:, :2 * J].var(axis=0).sum() / 2
    np.testing.assert_array_equal(plain[:, 2 * J:], doubly[:, 2 * J:])       # the decoder's


def test_more_samples_tighten_the_bound(rng):
    x = rng.random((50, 7))
    bounds = []
    for samples in (1, 5, 50):
        model = built(IWAE(*networks(), samples=samples))
        bounds.append(model.evaluate(x)["loss"])
    assert bounds[0] > bounds[1] > bounds[2]
    np.testing.assert_allclose(model.score_samples(x, samples=20),
                               built(VAE(*networks())).score_samples(x, samples=20), rtol=1e-6)


# Vector quantisation

def test_an_empty_codebook_has_no_samples():
    with pytest.raises(ScratchVAEError, match="codebook of this VQVAE is empty; call fit first"):
        built(VQVAE(*networks(), codes=4)).sample(3)


def test_codes_are_the_nearest_entries_and_their_gradient_goes_straight_through(rng):
    x = rng.random((6, 7))
    model = built(VQVAE(*networks(), codes=4, commitment=0.3, dtype="float64"))
    model.forward(x, training=True)
    table = model.table.copy()
    _, cost = model.forward(x)
    z_e = model.z_e.forward(model.encoder.forward(x))
    nearest = np.abs(z_e[..., np.newaxis] - table[:, 0]).argmin(axis=2)
    np.testing.assert_array_equal(model.indices.reshape(6, J), nearest)
    z_q = table[nearest, 0]
    np.testing.assert_allclose(cost, J * math.log(4) + 0.3 * ((z_e - z_q) ** 2).sum(axis=1))
    model.backward()
    dlogits = model.loss.backward()
    through = model.decoder.backward(dlogits) + 2 * 0.3 * (z_e - z_q) / 6
    np.testing.assert_allclose(model.z_e.grads["bias"], through.sum(axis=0), rtol=1e-10)


def test_the_codebook_is_the_moving_mean_of_what_came_to_it():
    x = np.array([[0.0], [1.0], [9.0]])
    indices = np.array([0, 0, 1], np.int32)
    counts = np.array([1.0, 1.0, 1.0])
    sums = np.array([[2.0], [8.0], [5.0]])
    table = sums.copy()
    for backend in ("reference", "cpu"):
        given = [array.copy() for array in (counts, sums, table)]
        kernels.load(backend).quantize_update(x, indices, *given, 0.9)
        np.testing.assert_allclose(given[0], [0.9 + 0.2, 0.9 + 0.1, 0.9])
        np.testing.assert_allclose(given[2][:, 0], [(1.8 + 0.1) / 1.1, (7.2 + 0.9) / 1.0, 5.0])


def test_a_quantised_model_learns_and_samples_from_what_it_uses(rng):
    kinds = rng.random((3, 7)) > 0.5
    x = kinds[rng.integers(3, size=300)].astype(np.float32)
    model = VQVAE(*networks(), codes=8)
    history = model.fit(x, epochs=30, optimizer=Adam(0.01), progress=False)
    assert history["reconstruction"][-1] < 0.2 * history["reconstruction"][0]
    assert history["kl"][-1] == pytest.approx(J * math.log(8))
    assert len(np.unique(model.encode_indices(x), axis=0)) == 3
    np.testing.assert_array_equal(model.reconstruct(x).round(), x)
    assert model.sample(5).shape == (5, 7)
    with pytest.raises(ScratchVAEError, match="straight through the rounding"):
        check_model(model)


# Labs

@pytest.mark.slow
@pytest.mark.parametrize("objective", ["capacity", "beta_tc", "info_vae", "iwae"])
@pytest.mark.parametrize("lab", ["mnist-dense", "mnist-batchnorm", "text-gru"])
def test_labs_take_objectives(lab, objective):
    lab = labs.get(lab)
    settings = lab.with_settings({"objective": objective, "kl_weight": "1", "samples": "2"})
    settings |= lab.small_settings
    if lab.kind == "images":
        settings |= {"shape": (4, 5, 1)}
    model = lab.make_model(settings)
    model.build(lab.shape(settings))
    assert (model.name, model.objective.name) in {("VAE", objective), ("IWAE", "elbo")}
    report = check_model(model)
    assert report.passed, report


@pytest.mark.parametrize("changes, message", [
    ({"objective": "better"}, "setting: objective must be one of elbo, capacity, beta_tc"),
    ({"objective": "iwae", "kl_weight": "2"}, "the objective iwae has none; allowed: 1.0, got 2"),
    ({"objective": "vq", "conditional": "1"}, "conditional: the objective vq has none; allowed: 0"),
    ({"objective": "vq", "code_dim": "3"}, "code_dim must divide latent_dim, 2, got 3"),
    ({"objective": "info_vae", "mmd_alpha": "2"}, "alpha must be from 0 to 1, got 2"),
])
def test_wrong_settings_are_refused(changes, message):
    with pytest.raises(ScratchVAEError, match=message):
        labs.get("mnist-dense").with_settings(changes)


def test_a_plain_autoencoder_has_no_objective():
    with pytest.raises(ScratchVAEError, match="no setting 'objective'"):
        labs.get("fashion-autoencoder").with_settings({"objective": "elbo"})
