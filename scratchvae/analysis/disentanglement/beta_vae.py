"""The score of Higgins et al. 2017, "beta-VAE", section 3 and algorithm 1.

A factor is drawn, and pairs of examples that share its value, and are random in all others. The
mean absolute difference of the two codes, over L pairs, should be small in the dimension of that
factor. A linear classifier has to say from it which factor it was.
"""
import numpy as np

from .codes import Alike, check

PAIRS = 64                      # L
TRAIN = 2000                    # differences with which the classifier learns
TEST = 1000
DECAY = 1e-4                    # of the classifier's weights: otherwise they may grow for ever


def beta_vae_score(codes, factors, seed=0):
    """Return the accuracy of the classifier on differences that it has not seen.

    The paper draws new images for each pair. Here both are drawn from the examples, so that the
    codes are needed only once; take enough of them that each value occurs often.

    Parameters
    ----------
    codes : array (N, J)
    factors : int array (N, K)
        Values counted from 0.
    seed : int, default 0

    Returns
    -------
    float
        From 1/K, chance, to 1. A code can mix factors and have 1: it is enough that each factor
        leaves its own trace in the differences.
    """
    codes, factors = check(codes, factors)
    rng = np.random.default_rng(seed)
    K = factors.shape[1]
    shared = rng.integers(0, K, TRAIN + TEST)
    differences = np.empty((len(shared), codes.shape[1]))
    for k in range(K):
        chosen = shared == k
        first = rng.integers(0, len(codes), (chosen.sum(), PAIRS))
        second = Alike(factors[:, k]).draw(first, rng)
        differences[chosen] = np.abs(codes[first] - codes[second]).mean(axis=1)
    differences -= differences[:TRAIN].mean(axis=0)
    spread = differences[:TRAIN].std(axis=0)
    differences /= np.where(spread > 0, spread, 1)
    W, b = linear_classifier(differences[:TRAIN], shared[:TRAIN], K)
    answers = np.argmax(differences[TRAIN:] @ W + b, axis=1)
    return float(np.mean(answers == shared[TRAIN:]))


def linear_classifier(x, y, classes):
    """Return W (J, C) and b (C,) that minimise the mean of -log softmax(x W + b)_y.

    Parameters
    ----------
    x : array (N, J)
    y : int array (N,)
    classes : int
    """
    # Imported here because they take a second.
    from scipy.optimize import minimize
    from scipy.special import log_softmax, softmax
    J = x.shape[1]
    onehot = np.eye(classes)[y]

    def loss(parameters):
        W, b = np.split(parameters.reshape(J + 1, classes), [J])
        logits = x @ W + b
        dlogits = (softmax(logits, axis=1) - onehot) / len(x)
        value = -np.sum(onehot * log_softmax(logits, axis=1)) / len(x) + DECAY / 2 * np.sum(W ** 2)
        gradient = np.vstack((x.T @ dlogits + DECAY * W, dlogits.sum(axis=0)))
        return value, gradient.ravel()

    found = minimize(loss, np.zeros((J + 1) * classes), jac=True, method="L-BFGS-B")
    W, b = np.split(found.x.reshape(J + 1, classes), [J])
    return W, b[0]
