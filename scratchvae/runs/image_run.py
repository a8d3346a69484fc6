"""A run of a lab about images."""
import json
from functools import cached_property

import numpy as np

from ..batches import Images
from ..data.images import load_images
from ..models import VAE
from ..storage import side_product, write_text
from .run import Run

MEANINGS = {
    "loss": "reconstruction + KL weight x KL: lower is better",
    "reconstruction": "how far the output is from the input",
    "kl": "the information about the input in the code; near 0, the decoder ignores it",
}
GLIMPSED = 8                    # images of each kind in a glimpse


class ImageRun(Run):
    """A run whose examples are images; see Run."""

    decodes = True              # examples can be decoded from latent codes

    @cached_property
    def data(self):
        """The lab's data set, its images prepared as the lab's examples."""
        data = load_images(self.lab.data, self.config["data_dir"])
        print(f"data: {data.description}", flush=True)
        if self.config.get("data_sha256") not in (None, data.sha256):
            self.data_line = data.description
            print(f"note: these are not the data of the training, {self.config['data']}; figures "
                  "and measures are of these", flush=True)
        data.x_train = Images(self.lab.prepare(data.x_train.pixels))
        data.x_test = Images(self.lab.prepare(data.x_test.pixels))
        return data

    @property
    def x_test(self):
        """The test examples, Images; with a limit, the first ones."""
        return self.data.x_test[:self.config["limit"]]

    def examples(self):
        """Return what to train on, and write into the configuration which data these are.

        Returns
        -------
        x : Images
            The training examples.
        y : None
            The targets: an image is its own target.
        validation : Images
        """
        limit = self.config["limit"]
        data = self.data
        x, validation = (part[:limit] for part in self.lab.split(data))
        self.config["data"] = data.description
        if limit or self.lab.validation_split:
            self.config["data"] += f"; of these {len(x):,} and {len(validation):,} used"
        self.config["complete"] = data.complete
        self.config["data_sha256"] = data.sha256
        # The figures show test examples: without this, 47 MB would stay in memory after training.
        data.x_train = data.x_train[:0]
        return x, None, validation

    def codes(self, x=None):
        """Return the latent codes of examples: z, or its mean.

        Parameters
        ----------
        x : array or Images, optional
            Defaults to the test set.

        Returns
        -------
        array of shape (N, latent_dim)
        """
        code = self.model.encode(self.x_test if x is None else x)
        return code[0] if isinstance(self.model, VAE) else code

    def part(self, name):
        """Return the examples of "train" or "test", and {"label": the class of each}."""
        data = self.data
        if name == "test":
            x = self.x_test
            labels = data.y_test
        else:
            x = self.lab.split(data)[0][:self.config["limit"]]
            labels = data.y_train
        return x, {"label": [data.classes[label] for label in labels[:len(x)]]}

    def draw_scores(self, x, scores, title):
        """Draw the examples with the lowest and the highest scores; return the path."""
        from ..analysis import plots
        return plots.extremes(x, scores, self.figures / "scores.png", title, self.note)

    def evaluate(self):
        """Return the model's losses on the test set, and write them to evaluation.json."""
        x = self.x_test
        seed = self.config["seed"]
        size = self.config["batch_size"]
        last_batch = x[-(len(x) % size or size):]
        result = {
            "data": self.data.description,
            "examples": len(x),
            **self.model.evaluate(x, seed),
            "last_batch": self.model.evaluate(last_batch, seed),
        }
        with side_product():
            write_text(self.folder / "evaluation.json", json.dumps(result, indent=2) + "\n")
        return result

    def describe_evaluation(self, result):
        """Return what `evaluate` measured as lines of text."""
        size = self.config["batch_size"]
        return [
            f"test set, {result['examples']:,} examples{self.model.how_measured} "
            f"({self.lab.unit}):",
            *(f"  {name:<16}{result[name]:.4f}   {meaning}" for name, meaning in MEANINGS.items()),
            f"  last batch      {result['last_batch']['loss']:.4f}   loss of the last {size} or "
            "fewer examples alone, which some sheets print in place of the mean",
        ]

    # Figures. Importing matplotlib takes long, so it waits until one is drawn.

    def draw_reconstructions(self, count):
        """Draw test examples above their reconstructions and return the path."""
        from ..analysis import plots
        x = self.originals(count)
        return plots.reconstructions(
            x, self.model.reconstruct(x), self.figures / "reconstructions.png",
            f"Test images and their reconstructions ({self.lab.name})", self.note)

    def draw_samples(self, count, seed=0):
        """Draw new images, decoded from random points of the prior, and return the path."""
        from ..analysis import plots
        return plots.samples(
            self.model.sample(count, seed), self.figures / "samples.png",
            f"Decoded from random points of the prior ({self.lab.name})", self.note)

    # A few examples for the report, the same ones after every epoch.

    def originals(self, count=GLIMPSED):
        """Return the first test examples as an array: those that a glimpse reconstructs."""
        return np.asarray(self.x_test[:count])

    def glimpse(self):
        """Return a few reconstructions and samples as a dict of arrays.

        A model without a prior has no samples. The call does not influence training.
        """
        made = {"reconstructions": self.model.reconstruct(self.originals())}
        if isinstance(self.model, VAE):
            made["samples"] = self.model.sample(GLIMPSED)
        return made
