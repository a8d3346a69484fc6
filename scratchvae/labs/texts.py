"""What labs whose examples are lines have in common: measures, figures and files of a run."""
import numpy as np

from ..analysis import metrics
from ..text import detokenize
from .figures import loss_curves, title
from .text_lab import Measure

SAMPLES = 500                   # lines of which diversity is measured
MOST_LINES = 2000               # held-out lines of which slower measures are taken
WRITTEN = 20                    # lines in a file
VARIATIONS = 8
PAIRS = 2                       # BLEU and self-BLEU count pairs of words


def measure_lines(run, importance_samples, predictions):
    """Return the Measures of a VAE of lines.

    Parameters
    ----------
    run : TextRun
    importance_samples : int
        Points z for each line.
    predictions : function
        predictions(words) returns how many predictions a line's loss is the sum of.
    """
    lines = run.data.lines_test[:len(run.x_test)]
    words = sum(map(predictions, lines)) / len(lines)                       # a line
    codes = run.model.encode(run.x_test)
    rng = np.random.default_rng(run.config["seed"])
    real = [known(run, line) for line in lines]
    written = write_samples(run, min(SAMPLES, len(real)), rng)
    again = run.lab.lines_of(run, codes[0][:MOST_LINES], rng, 0.0)
    return [*loss_measures(run, words, importance_samples),
            *code_measures(*codes, rng),
            *diversity(written, real[:len(written)], rng),
            Measure("BLEU of reconstructions", metrics.bleu(real[:MOST_LINES], again, PAIRS),
                    "pairs of words that come back: higher is better, 1 at most"),
            *copying(written, real[:len(written)], run)]


def known(run, words):
    """Return words as the model sees them: those that it does not know are all one."""
    return run.vocabulary.decode(run.vocabulary.encode(words))


def write_samples(run, count, rng):
    """Return lines, as words, decoded from random points of the prior at temperature 1."""
    z = rng.standard_normal((count, run.model.latent_dim)).astype(run.model.dtype)
    return run.lab.lines_of(run, z, rng, 1.0)


def loss_measures(run, words, importance_samples):
    """Return what predicting the held-out lines costs.

    words: the mean number of predictions in a line.
    """
    seed = run.config["seed"]
    losses = run.model.evaluate(run.x_test, seed)
    weights = run.model.log_weights(run.x_test, importance_samples, seed)
    nll = -float(np.mean(metrics.importance_weighted(weights)))
    bound = (losses["reconstruction"] + losses["kl"]) / words
    return [
        Measure("loss", losses["loss"],
                "nats a line, reconstruction + KL weight x KL: lower is better"),
        Measure("reconstruction", losses["reconstruction"],
                "nats a line: how badly z predicts the words"),
        Measure("kl", losses["kl"],
                "nats a line: how much z tells; near 0, the decoder ignores it"),
        Measure("nats a word, bound", bound,
                "(reconstruction + KL) / words, an upper bound of -log p: lower is better"),
        Measure("nats a word, importance-weighted", nll / words,
                f"a tighter bound, by {importance_samples} samples of z a line: lower is better"),
        Measure("perplexity", metrics.perplexity(nll, words),
                "its exponential: among how many equally likely words the next one would be as "
                "uncertain"),
    ]


def code_measures(z_mean, z_log_var, rng):
    """Return whether the latent space is used, from the codes of the held-out lines."""
    count = len(z_mean[:MOST_LINES])
    information = metrics.mutual_information(z_mean[:MOST_LINES], z_log_var[:MOST_LINES], rng)
    return [
        Measure("active units", metrics.active_units(z_mean),
                f"of {z_mean.shape[1]} dimensions, those that vary with the line: 0 is a "
                "collapse"),
        Measure("mutual information", information,
                f"nats that z tells about which of {count:,} lines it is; at most "
                f"{np.log(count):.1f}"),
    ]


def diversity(written, real, rng):
    """Return how varied the samples are, beside as many real lines."""
    measures = [
        Measure("distinct-1", metrics.distinct(written, 1),
                f"different words among all of {len(written)} samples: near that of as many real "
                "lines is good", metrics.distinct(real, 1)),
        Measure("distinct-2", metrics.distinct(written, 2), "the same of pairs of words",
                metrics.distinct(real, 2))]
    if len(written) > 1:
        measures.append(Measure("self-BLEU", metrics.self_bleu(written, rng, PAIRS),
                                "how alike the samples are, in pairs of words; near that of real "
                                "lines is good", metrics.self_bleu(real, rng, PAIRS)))
    return measures


def copying(written, real, run):
    """Return how much of the samples stands in the training text."""
    learnt = [known(run, line) for line in run.data.lines_train]
    copied = metrics.longest_copied_run(written, learnt)
    return [
        Measure("longest copied run", copied.length,
                f"words that stand like this in the training text: {detokenize(copied.words)!r}"),
        Measure("copied run, mean", copied.mean,
                "of the samples' longest; near that of real lines is good: more is learnt by "
                "heart", metrics.longest_copied_run(real, learnt).mean),
    ]


def kl_by_dimension(run):
    """How much each latent dimension tells."""
    from ..analysis import plots
    z_mean, z_log_var = run.model.encode(run.x_test[:MOST_LINES])
    kl = np.mean(np.exp(z_log_var) + z_mean ** 2 - 1 - z_log_var, axis=0) / 2
    return [plots.kl_by_dimension(kl, run.figures / "kl_by_dimension.png",
                                  f"How much each latent dimension tells ({title(run)})",
                                  run.note)]


def reconstructions(run):
    """Held-out lines above their reconstructions."""
    return [run.draw_reconstructions(WRITTEN)]


def samples(run):
    """New lines."""
    return [run.draw_samples(WRITTEN)]


def variations(run):
    """Variations of a line, and the path between two lines."""
    # A short text may hold out one line only: a line of training is then the second.
    examples = np.concatenate([run.x_test[:2], run.data.x_train[:2]])[:2, np.newaxis]
    lines = (run.data.lines_test[:len(run.x_test)] + run.data.lines_train)[:2]
    first, second = map(detokenize, lines)
    varied = [f"    {line}" for line in run.variations(examples[0], VARIATIONS)]
    between = [f"    {line}" for line in run.interpolate(*examples)]
    return [run.write("variations.txt", [first, *varied]),
            run.write("interpolation.txt", [first, *between, second])]


LINES = (loss_curves, kl_by_dimension, reconstructions, samples, variations)
