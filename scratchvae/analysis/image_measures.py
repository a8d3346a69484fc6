"""The measures of a model of images, beside what is attainable and what is trivial.

Each measure of images has three values: of the model; of real test images in its place, which is
the best that can be expected of so many images; and of a baseline. The baseline of whole images is
noise with the right pixels: each pixel is that of a training image drawn anew. The baseline of
reconstruction and likelihood knows the mean of each pixel, and nothing else.
"""
import math
import textwrap
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from ..errors import ScratchVAEError
from ..models import VAE, Autoencoder
from . import metrics
from .frechet import frechet_distance
from .image_classifier import judge_of, looked_at
from .inception_score import inception_score
from .likelihood import log_likelihood, pixel_means_likelihood
from .posterior import information_and_gap
from .precision_recall import Neighbours

IMAGES = 10_000                 # of each kind, for measures of whole images
NUMBERS = 50_000_000            # pixels of a kind: fewer images are compared if they are large
FEWEST = 20                     # below so many nothing is measured
COMPARED = 5_000                # of these, where all pairs are compared
LIKELIHOOD_SAMPLES = 5_000      # of z for each example
WIDTH = 100                     # of lines of text
NEIGHBOURS = {
    "precision": "the part of the samples that lie near a real image; low: bad images. Images that "
                 "are all alike pass if one unusual image has a large neighbourhood: see the "
                 "baseline",
    "recall": "the part of the real images that lie near a sample; low: missing ones. Images that "
              "differ little from each other have small neighbourhoods, and reach few",
    "density": "how many neighbourhoods of real images hold a sample, on average, divided by 3: "
               "about 1 for real images",
    "coverage": "the part of the real images that have a sample in their neighbourhood: the "
                "hardest to deceive of the four",
}


@dataclass
class ImageMeasure:
    """A number about a model: its standard error or deviation, and the same of others.

    Parameters
    ----------
    name : str
    value : float
    meaning : str
        How to read it, in a line.
    error : float, optional
    real : float, optional
        Of real test images.
    baseline : float, optional
    """
    name: str
    value: float
    meaning: str
    error: float = None
    real: float = None
    baseline: float = None

    def in_lines(self):
        """Return the value beside the others, and how to read it, as lines of text."""
        others = "".join(f"{'-' if other is None else f'{other:.4g}':>14}"
                         for other in (self.real, self.baseline))
        error = "" if self.error is None else f" ± {self.error:.2g}"
        value = f"{self.value:.4g}{error}"
        return [f"  {self.name:<34}{value:>16}{others}",
                *textwrap.wrap(self.meaning, WIDTH, initial_indent="      ",
                               subsequent_indent="      ")]


class Sets:
    """The sets of images that are compared: as many of each kind.

    Parameters
    ----------
    run : ImageRun
    """

    def __init__(self, run):
        self.run = run
        self.model = run.model
        self.seed = run.config["seed"]
        self.is_vae = isinstance(self.model, VAE)
        self.has_prior = not isinstance(self.model, Autoencoder)
        x_train, _ = run.part("train")
        x_test = run.x_test
        affordable = NUMBERS // math.prod(x_test.shape[1:])
        self.count = max(1, min(IMAGES, affordable, len(x_train), len(x_test)))
        self.x_test = x_test
        rng = np.random.default_rng(self.seed)
        self.train = x_train[rng.permutation(len(x_train))[:self.count]]
        self.test = x_test[rng.permutation(len(x_test))[:self.count]]

    def noise(self):
        """Return images whose pixels are independent, each with its values in training."""
        rng = np.random.default_rng(self.seed)
        flat = np.asarray(self.train).reshape(self.count, -1)
        return rng.permuted(flat, axis=0).reshape(self.train.shape)

    def samples(self):
        """Return images decoded from the model's prior; conditional ones of the test's classes."""
        labels = {"label": self.test.labels} if self.run.is_conditional else {}
        return self.model.sample(self.count, seed=self.seed, **labels)

    def mixture(self):
        """Return images decoded from a mixture that is fitted to codes of training images."""
        labels = {"labels": self.test.labels} if self.run.is_conditional else {}
        return self.model.decode(self.run.mixture.sample(self.count, self.seed), **labels)


def measure_images(run):
    """Return the ImageMeasures of a run, and lines: which classifier judges, what is left out.

    Parameters
    ----------
    run : ImageRun

    Returns
    -------
    (list of ImageMeasure, list of str)
    """
    sets = Sets(run)
    if sets.count < FEWEST:
        return [], [f"left out: all further measures, which need {FEWEST} images for training and "
                    f"as many for the test, of which there are {sets.count}"]
    measures, notes = sample_measures(sets)
    measures.append(reconstruction_error(sets))
    if not sets.is_vae:
        notes.append("left out: log p(x), mutual information and the aggregate posterior, which "
                     "a model whose codes are points does not have")
        return measures, notes
    if sets.model.loss.scale > 0:
        measures.append(likelihood(sets))
    else:
        notes.append("left out: log p(x), which is unknown with reconstruction_scale 0")
    return [*measures, *code_measures(sets)], notes


def describe(measures, notes):
    """Return ImageMeasures and lines about them as lines of text, ready to print."""
    head = f"  {'':<34}{'this run':>16}{'real images':>14}{'baseline':>14}"
    lines = [line for measure in measures for line in measure.in_lines()]
    notes = [line for note in notes for line in textwrap.wrap(note, WIDTH)]
    return [*([head] if measures else []), *lines, *notes]


# What the classifier sees.


def sample_measures(sets):
    """Return the measures that a classifier makes possible, and lines about them."""
    run = sets.run
    try:
        judge = judge_of(run.whole_data())
    except ScratchVAEError as error:
        return [], [f"left out: Frechet distance, Inception Score, precision and recall; {error}"]
    notes = [f"judged by a classifier trained on {run.data.description}, whose accuracy on the "
             f"test images is {judge.accuracy:.2%}; Frechet distance and Inception Score are of "
             "its features and classes, so they compare models of these data alone"]
    kinds = {"train": lambda: np.asarray(sets.train), "real": lambda: np.asarray(sets.test),
             "noise": sets.noise,
             "reconstructions": lambda: sets.model.reconstruct(sets.test)}
    if sets.has_prior:
        kinds["samples"] = sets.samples
    try:
        import sklearn  # noqa: F401
        kinds["mixture"] = sets.mixture
    except ImportError:
        notes.append("left out: samples from a mixture fitted to the codes, for which "
                     "scikit-learn is needed: pip install 'scratchvae[sklearn]'")
    seen = {}
    for kind, make in tqdm(kinds.items(), desc="images", unit="set", leave=False, disable=None):
        seen[kind] = looked_at(judge.classifier, run.as_images(make()))
    return [*frechet_distances(sets, seen), *scores_of(seen)], notes


def frechet_distances(sets, seen):
    """Return the Frechet distances to training images of all kinds of made images."""
    def distance(kind, count=sets.count):
        return frechet_distance(seen[kind][0][:count], seen["train"][0][:count])
    half = sets.count // 2
    meanings = {
        "samples": "of samples from the prior to training images; 0 is best",
        "mixture": "the same from a mixture fitted to the codes: what a better prior gains",
        "reconstructions": "of reconstructed test images: what the decoder alone loses",
    }
    measures = []
    for kind, meaning in meanings.items():
        if kind in seen:
            if not measures:
                meaning += (f". It depends on the number of images: with {half:,} and not "
                            f"{sets.count:,} it is {distance(kind, half):.4g}, of real images "
                            f"{distance('real', half):.4g}")
            measures.append(ImageMeasure(f"Frechet distance, {kind}", distance(kind), meaning,
                                         real=distance("real"), baseline=distance("noise")))
    return measures


def scores_of(seen):
    """Return Inception Score, precision, recall and the like: of samples, or of the mixture's."""
    kind = next((kind for kind in ("samples", "mixture") if kind in seen), None)
    if kind is None:
        return []
    whose = "" if kind == "samples" else ", mixture"
    classes = seen["real"][1].shape[1]
    score, deviation = inception_score(seen[kind][1])
    real, noise = (inception_score(seen[other][1])[0] for other in ("real", "noise"))
    measures = [ImageMeasure(
        f"Inception Score{whose}", score, f"1 to {classes}: high if each image is clearly of one "
        "class, and all classes are there (± deviation over 10 parts)", deviation, real, noise)]
    train = seen["train"][0][:COMPARED]
    compared = [Neighbours(train, seen[other][0][:COMPARED]) for other in (kind, "real", "noise")]
    for name, meaning in NEIGHBOURS.items():
        value, real, noise = (getattr(neighbours, name) for neighbours in compared)
        measures.append(ImageMeasure(f"{name}{whose}", value, meaning, None, real, noise))
    return measures


# What needs no classifier.


def reconstruction_error(sets):
    """Return the root of the mean squared difference of a pixel and its reconstruction."""
    x = np.asarray(sets.test, np.float64)
    again = sets.model.reconstruct(sets.test)
    mean = np.asarray(sets.train).mean(axis=0, dtype=np.float64)
    return ImageMeasure("reconstruction error", root_mean_square(x - again),
                        "of a pixel in [0, 1], root mean square, decoded from the mean of the "
                        "code; the baseline is the mean image", baseline=root_mean_square(x - mean))


def root_mean_square(differences):
    return float(np.sqrt(np.mean(np.square(differences))))


def likelihood(sets):
    """Return log p(x) with its standard error."""
    estimate = log_likelihood(sets.model, sets.x_test, LIKELIHOOD_SAMPLES, seed=sets.seed)
    meaning = (f"nats an image, higher is better; ± standard error; {LIKELIHOOD_SAMPLES:,} samples "
               f"of z for {estimate.examples} test images, one for all {len(sets.x_test):,}; the "
               "baseline has independent pixels with the means of training images")
    means = np.asarray(sets.train).mean(axis=0)
    baseline = pixel_means_likelihood(sets.model, sets.test, means)
    return ImageMeasure("log p(x)", estimate.value, meaning, estimate.error, baseline=baseline)


def code_measures(sets):
    """Return active units, mutual information, and how far the codes are from the prior."""
    z_mean, z_log_var = sets.model.encode(sets.test)
    N, J = z_mean.shape
    information, gap = information_and_gap(z_mean, z_log_var, np.random.default_rng(sets.seed))
    bound = f"at most log {N:,} = {math.log(N):.1f} can be seen"
    if information > 0.95 * math.log(N):
        bound += ", which is nearly reached: there may be more, and less in the next line"
    return [
        ImageMeasure("active units", metrics.active_units(z_mean),
                     f"of {J} latent dimensions: those that say something about the image"),
        ImageMeasure("mutual information", information,
                     f"nats in the code about which image it is; {bound}"),
        ImageMeasure("KL(aggregate posterior || prior)", gap,
                     "nats; 0 if all codes together are N(0, 1). Far above 0 the prior has places "
                     "without codes. Both add up to the KL term"),
    ]
