"""What several text labs have in common: measures and files of a run whose examples are lines."""
import numpy as np

from ..analysis import metrics
from ..text import detokenize
from . import figures
from .text_lab import Measure

SAMPLES = 500                   # lines, of which diversity is measured
MOST_LINES = 2000               # held-out lines, of which mutual information and reconstructions are measured


def measure_lines(run, importance_samples, words_of):
    """Measures of a VAE of lines.  words_of(words) -> how many predictions a line's loss is the sum of."""
    model, x, seed = run.model, run.x_test, run.config["seed"]
    lines = run.data.lines_test[:len(x)]
    losses = model.evaluate(x, seed)
    words = sum(map(words_of, lines)) / len(x)                              # a line
    weights = model.log_weights(x, importance_samples, seed)
    nll = -float(np.mean(metrics.importance_weighted(weights)))
    bound = (losses["reconstruction"] + losses["kl"]) / words
    z_mean, z_log_var = model.encode(x)
    rng = np.random.default_rng(seed)
    real = [known(run, line) for line in lines]
    written = run.lab.lines_of(run, rng.standard_normal((min(SAMPLES, len(real)), model.latent_dim)).astype(model.dtype), rng, 1.0)
    beside = real[:len(written)]                                            # diversity depends on how much there is: as many
    again = run.lab.lines_of(run, z_mean[:MOST_LINES], rng, 0.0)
    learnt = [known(run, line) for line in run.data.lines_train]
    copied = metrics.longest_copied_run(written, learnt)
    return [
        Measure("loss", losses["loss"], "nats a line, reconstruction + KL weight x KL: lower is better"),
        Measure("reconstruction", losses["reconstruction"], "nats a line: how badly z tells the words"),
        Measure("kl", losses["kl"], "nats a line: how much z tells; near 0, the decoder ignores it"),
        Measure("nats a word, bound", bound, "(reconstruction + KL) / words, an upper bound of -log p: lower is better"),
        Measure("nats a word, importance-weighted", nll / words, f"a tighter bound, by {importance_samples} samples of z a line: lower is better"),
        Measure("perplexity", metrics.perplexity(nll, words), "exp of it: among how many words, all alike, one would be as much in doubt"),
        Measure("active units", metrics.active_units(z_mean), f"of {model.latent_dim} dimensions, those that vary with the line: 0 is a collapse"),
        Measure("mutual information", metrics.mutual_information(z_mean[:MOST_LINES], z_log_var[:MOST_LINES], rng),
                f"nats that z tells about which of {len(z_mean[:MOST_LINES]):,} lines it is; at most {np.log(len(z_mean[:MOST_LINES])):.1f}"),
        Measure("distinct-1", metrics.distinct(written, 1), f"different words among all of {len(written)} samples: near that of as many real "
                "lines is good", metrics.distinct(beside, 1)),
        Measure("distinct-2", metrics.distinct(written, 2), "the same of pairs of words", metrics.distinct(beside, 2)),
        *([Measure("self-BLEU", metrics.self_bleu(written, rng, 2), "how alike the samples are, in pairs of words; near that of real lines "
                   "is good", metrics.self_bleu(beside, rng, 2))] if len(written) > 1 else []),
        Measure("BLEU of reconstructions", metrics.bleu(real[:MOST_LINES], again, 2), "pairs of words that come back: higher is better, 1 at most"),
        Measure("longest copied run", copied.length, f"words that stand so in the training text: {detokenize(copied.words)!r}"),
        Measure("copied run, mean", copied.mean, "of the samples' longest; near that of real lines is good: more is learnt by heart",
                metrics.longest_copied_run(beside, learnt).mean),
    ]


def known(run, words):
    """The words as the model sees them: those it doesn't know are all one."""
    return run.vocabulary.decode(run.vocabulary.encode(words))


def draw_lines(run, count=20):
    """Loss curves, KL by dimension, and texts: reconstructions, samples, variations of a line, a way between two lines."""
    from ..analysis import plots
    z_mean, z_log_var = run.model.encode(run.x_test[:MOST_LINES])
    kl = np.mean(np.exp(z_log_var) + z_mean ** 2 - 1 - z_log_var, axis=0) / 2
    paths = [figures.loss_curves(run),
             plots.kl_by_dimension(kl, run.figures / "kl_by_dimension.png", f"How much each latent dimension tells ({figures.title(run)})", run.note),
             run.draw_reconstructions(count), run.draw_samples(count)]
    two = np.concatenate([run.x_test[:2], run.data.x_train[:2]])[:2, np.newaxis]           # a short text may hold out one line only
    first, second = (detokenize(words) for words in (run.data.lines_test[:len(run.x_test)] + run.data.lines_train)[:2])
    paths.append(run.write("variations.txt", [first, *(f"    {line}" for line in run.variations(two[0], 8))]))
    paths.append(run.write("interpolation.txt", [first, *(f"    {line}" for line in run.interpolate(*two)), second]))
    return paths
