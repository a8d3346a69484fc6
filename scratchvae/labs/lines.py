"""Measures and texts of models of lines: what shakespeare-vae and text-gru have in common."""
from functools import partial

import numpy as np

from ..analysis import metrics
from ..text import detokenize
from .figures import loss_curves, reconstructions, samples, title
from .text_lab import Measure

SAMPLES = 500                   # lines whose diversity is measured
MOST_LINES = 2000               # held-out lines for mutual information and reconstructions
COUNT = 20                      # lines in reconstructions.txt and samples.txt
VARIATIONS = 8                  # lines in variations.txt


def measure_lines(run, importance_samples, predictions):
    """Return the Measures of a VAE of lines.

    Parameters
    ----------
    run : TextRun
    importance_samples : int
        Samples of z for each line in the importance-weighted bound.
    predictions : callable
        predictions(words) returns the number of words, and ends, whose losses add up to the loss of
        a line.

    Returns
    -------
    list of Measure
    """
    x = run.x_test
    z_mean, z_log_var = run.model.encode(x)
    rng = np.random.default_rng(run.config["seed"])
    learnt = run.shown(run.data.x_train)
    real = run.shown(x)
    count = min(SAMPLES, len(real))
    z = rng.standard_normal((count, run.model.latent_dim)).astype(run.model.dtype)
    written = run.lab.lines_of(run, z, rng, 1.0)
    again = run.lab.lines_of(run, z_mean[:MOST_LINES], rng, 0.0)
    likelihood = measure_likelihood(run, importance_samples, predictions)
    code = measure_code(z_mean, z_log_var, rng)
    # Diversity depends on the number of lines, so it is compared with that of equally many.
    diversity = measure_diversity(written, real[:count], rng)
    bleu = Measure("BLEU of reconstructions", metrics.bleu(real[:MOST_LINES], again, 2),
                   "pairs of words that are reconstructed: higher is better, 1 at most")
    return [*likelihood, *code, *diversity, bleu, *measure_copies(written, real[:count], learnt)]


def measure_likelihood(run, importance_samples, predictions):
    """Return Measures of the losses and the likelihood of held-out lines."""
    x = run.x_test
    seed = run.config["seed"]
    losses = run.model.evaluate(x, seed)
    words = sum(map(predictions, run.data.lines_test[:len(x)])) / len(x)            # in a line
    weights = run.model.log_weights(x, importance_samples, seed)
    nll = -float(np.mean(metrics.importance_weighted(weights)))
    bound = (losses["reconstruction"] + losses["kl"]) / words
    return [
        Measure("loss", losses["loss"],
                "nats a line, reconstruction + KL weight x KL: lower is better"),
        Measure("reconstruction", losses["reconstruction"],
                "nats a line: the cost of the words, given z"),
        Measure("kl", losses["kl"],
                "nats a line: the information in z; near 0, the decoder ignores it"),
        Measure("nats a word, bound", bound,
                "(reconstruction + KL) / words, an upper bound of -log p: lower is better"),
        Measure("nats a word, importance-weighted", nll / words,
                f"a tighter bound, by {importance_samples} samples of z a line: lower is better"),
        Measure("perplexity", metrics.perplexity(nll, words),
                "exp of it: the number of equally probable words that are as hard to predict"),
    ]


def measure_code(z_mean, z_log_var, rng):
    """Return Measures of the information in the latent codes of lines."""
    means = z_mean[:MOST_LINES]
    information = metrics.mutual_information(means, z_log_var[:MOST_LINES], rng)
    return [
        Measure("active units", metrics.active_units(z_mean),
                f"of {z_mean.shape[1]} dimensions, those that vary with the line: 0 is a collapse"),
        Measure("mutual information", information,
                f"nats of information in z on which of {len(means):,} lines it belongs to; at most "
                f"{np.log(len(means)):.1f}"),
    ]


def measure_diversity(written, real, rng):
    """Return Measures of the diversity of samples, beside that of real lines."""
    measures = [
        Measure("distinct-1", metrics.distinct(written, 1),
                f"different words among all of {len(written)} samples: near that of real lines "
                "is good", metrics.distinct(real, 1)),
        Measure("distinct-2", metrics.distinct(written, 2), "the same of pairs of words",
                metrics.distinct(real, 2)),
    ]
    if len(written) > 1:
        measures.append(Measure(
            "self-BLEU", metrics.self_bleu(written, rng, 2),
            "how alike the samples are, in pairs of words; near that of real lines is good",
            metrics.self_bleu(real, rng, 2)))
    return measures


def measure_copies(written, real, learnt):
    """Return Measures of what the samples copy from the training text."""
    copied = metrics.longest_copied_run(written, learnt)
    return [
        Measure("longest copied run", copied.length,
                f"words in a row that the training text has too: {detokenize(copied.words)!r}"),
        Measure("copied run, mean", copied.mean,
                "of the samples' longest; near that of real lines is good: more is memorised",
                metrics.longest_copied_run(real, learnt).mean),
    ]


# Figures and texts.

def kl_by_dimension(run):
    """Draw the mean KL divergence of each latent dimension."""
    from ..analysis import plots
    z_mean, z_log_var = run.model.encode(run.x_test[:MOST_LINES])
    kl = np.mean(np.exp(z_log_var) + z_mean ** 2 - 1 - z_log_var, axis=0) / 2
    return [plots.kl_by_dimension(kl, run.figures / "kl_by_dimension.png",
                                  f"KL divergence by latent dimension ({title(run)})", run.note)]


def variations(run):
    """Write a held-out line, and lines decoded from samples of its posterior."""
    (line, _), (x, _) = two_lines(run)
    varied = run.variations(x, VARIATIONS)
    return [run.write("variations.txt", [line, *(f"    {other}" for other in varied)])]


def interpolation(run):
    """Write two held-out lines, and lines decoded on the path between their codes."""
    (first, second), x = two_lines(run)
    between = [f"    {line}" for line in run.interpolate(*x)]
    return [run.write("interpolation.txt", [first, *between, second])]


def two_lines(run):
    """Return two lines as text, and their examples as batches of one.

    They are held out, unless the text is so short that only one line is.
    """
    x = np.concatenate([run.x_test[:2], run.data.x_train[:2]])[:2, np.newaxis]
    lines = (run.data.lines_test[:len(run.x_test)] + run.data.lines_train)[:2]
    return [detokenize(words) for words in lines], x


FIGURES = (
    loss_curves,
    kl_by_dimension,
    partial(reconstructions, count=COUNT),
    partial(samples, count=COUNT),
    variations,
    interpolation,
)
