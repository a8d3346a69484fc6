"""VAETransformer is an estimator of scikit-learn."""
import pickle

import numpy as np
import pytest

from scratchvae.errors import ScratchVAEError

sklearn = pytest.importorskip("sklearn", minversion="1.6",
                              reason="needs scikit-learn: pip install 'scratchvae[sklearn]'")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import estimator_checks_generator  # noqa: E402

from scratchvae.sklearn import VAETransformer  # noqa: E402

# The checks train dozens of models; some of them on noise, whose code is rightly not used.
pytestmark = pytest.mark.filterwarnings("ignore::scratchvae.errors.ScratchVAEWarning")


def small(**options):
    return VAETransformer(hidden=(16,), epochs=4, samples=5, **options)


def name_of(check):
    return getattr(check, "func", check).__name__


@pytest.fixture
def X(rng):
    """200 examples near a plane in 8 dimensions."""
    return rng.standard_normal((200, 2)) @ rng.standard_normal((2, 8)) + 3


CHECKS = list(estimator_checks_generator(VAETransformer()))


@pytest.mark.parametrize("check", [check for _, check in CHECKS],
                         ids=[name_of(check) for _, check in CHECKS])
def test_it_passes_scikit_learn_s_check(check):
    """None is skipped but those of the array API, which scikit-learn itself skips."""
    check(VAETransformer())


def test_a_pipeline_standardises_transforms_and_inverts(X):
    pipeline = make_pipeline(StandardScaler(), VAETransformer(epochs=100, hidden=(32,)))
    Z = pipeline.fit_transform(X)
    assert Z.shape == (200, 2)
    again = pipeline.inverse_transform(Z)
    assert ((again - X) ** 2).mean() < 0.2 * X.var(axis=0).mean()
    assert list(pipeline.get_feature_names_out()) == ["vaetransformer0", "vaetransformer1"]


@pytest.mark.slow
def test_a_grid_search_finds_the_dimension_in_two_processes(X):
    search = GridSearchCV(make_pipeline(StandardScaler(), VAETransformer(epochs=60, hidden=(32,))),
                          {"vaetransformer__latent_dim": [1, 2]}, cv=2, n_jobs=2)
    search.fit(X)
    assert search.best_params_ == {"vaetransformer__latent_dim": 2}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_the_same_seed_gives_the_same_bits_and_a_copy_is_the_same(X):
    first = small().fit(X)
    for other in (small().fit(X), clone(first).fit(X), pickle.loads(pickle.dumps(first))):
        np.testing.assert_array_equal(other.transform(X), first.transform(X))
        np.testing.assert_array_equal(other.score_samples(X), first.score_samples(X))
    assert (small(random_state=1).fit(X).transform(X) != first.transform(X)).any()
    assert (small(random_state=None).fit(X).transform(X)
            != small(random_state=None).fit(X).transform(X)).any()


def test_the_score_is_a_log_likelihood_with_the_given_variance(X):
    transformer = small(noise_variance=0.5).fit(X)
    scale = transformer.vae_.loss.scale
    assert scale == 8 / (2 * 0.5)
    assert transformer.score(X) == pytest.approx(transformer.score_samples(X).mean())
    far = X.copy()
    far[0] += 100
    assert transformer.score_samples(far).argmin() == 0


def test_numbers_in_the_unit_interval_may_be_probabilities(rng):
    X = rng.random((50, 6)).astype(np.float32)
    transformer = small(reconstruction="binary_crossentropy").fit(X)
    again = transformer.inverse_transform(transformer.transform(X))
    assert again.dtype == np.float32
    assert (again > 0).all() and (again < 1).all()


def test_names_of_a_data_frame_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.eye(5), columns=list("abcde"))
    transformer = small().set_output(transform="pandas").fit(frame)
    assert list(transformer.feature_names_in_) == list("abcde")
    assert list(transformer.transform(frame).columns) == ["vaetransformer0", "vaetransformer1"]


@pytest.mark.parametrize("options, message", [
    ({"reconstruction": "hinge"}, "VAETransformer: reconstruction must be one of squared_error, "
                                  "binary_crossentropy, got 'hinge'"),
    ({"noise_variance": 0}, "VAETransformer: noise_variance must be a number of at least 1e-12"),
    ({"latent_dim": 0}, "VAE: latent_dim must be a positive integer, got 0"),
    ({"epochs": 0}, "epochs must be a positive integer, got 0"),
])
def test_wrong_parameters_are_named(options, message, X):
    with pytest.raises(ScratchVAEError, match=message):
        VAETransformer(**options).fit(X)
