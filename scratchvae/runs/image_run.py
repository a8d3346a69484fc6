"""A run of a lab that learns from images."""
from functools import cached_property

import numpy as np

from ..data.images import load_images
from ..models import VAE
from .run import MEANINGS, Run

GLIMPSE = 8                     # images of each kind in a glimpse


class ImageRun(Run, kind="images"):
    """See Run."""

    @cached_property
    def data(self):
        """The lab's data set, with the images as the lab's examples."""
        data = load_images(self.lab.data, self.config["data_dir"])
        print(f"data: {data.description}", flush=True)
        data.x_train = self.lab.prepare(data.x_train)
        data.x_test = self.lab.prepare(data.x_test)
        return data

    @property
    def x_test(self):
        """The test examples, at most --limit of them."""
        return self.data.x_test[:self.config["limit"]]

    def examples(self):
        """Return training examples, their targets (None: themselves), and validation examples.

        The configuration is completed with the description of the data.
        """
        limit = self.config["limit"]
        x, validation = (part[:limit] for part in self.lab.split(self.data))
        used = ""
        if limit or self.lab.validation_split:
            used = f"; of these {len(x):,} and {len(validation):,} used"
        self.config["data"] = self.data.description + used
        self.config["complete"] = self.data.complete
        self.data.x_train = self.data.x_train[:0]       # figures show the test set: free 190 MB
        return x, None, validation

    def evaluate(self):
        """Return the model's losses on the test set, which evaluation.json then holds."""
        x = self.x_test
        seed = self.config["seed"]
        batch_size = self.config["batch_size"]
        last_batch = x[-(len(x) % batch_size or batch_size):]
        result = {"data": self.data.description, "examples": len(x),
                  **self.model.evaluate(x, seed),
                  "last_batch": self.model.evaluate(last_batch, seed)}
        self.write_evaluation(result)
        return result

    def describe_evaluation(self, result):
        """Yield what `evaluate` returned as lines for the terminal."""
        yield (f"test set, {result['examples']:,} examples{self.model.how_measured} "
               f"({self.lab.unit}):")
        for name, meaning in MEANINGS.items():
            yield f"  {name:<16}{result[name]:.4f}   {meaning}"
        yield (f"  last batch      {result['last_batch']['loss']:.4f}   loss of the last "
               f"{self.config['batch_size']} or fewer examples alone, which some sheets print "
               "instead of the mean")

    def glimpse(self):
        """Return a few reconstructions and samples: name -> array (GLIMPSE, ...).

        Examples and latent points are the same at each call, which does not influence training. A
        model without a prior has no samples.
        """
        made = {"reconstructions": self.model.reconstruct(self.x_test[:GLIMPSE])}
        if isinstance(self.model, VAE):
            made["samples"] = self.model.sample(GLIMPSE)
        return made

    def originals(self):
        """Return the examples that a glimpse reconstructs."""
        return self.x_test[:GLIMPSE]

    @property
    def image_shape(self):
        """The (height, width, channels) of an example."""
        shape = self.model.input_shape if "model" in vars(self) else self.lab.example_shape
        if len(shape) == 3:
            return shape
        side = round(int(np.prod(shape)) ** 0.5)
        return side, side, 1

    def in_words(self, example):
        """Return an example as text: images have none."""
        return ""

    def draw_reconstructions(self, count):
        """Draw `count` test examples above their reconstructions; return the path."""
        from ..analysis import plots
        x = self.x_test[:count]
        return plots.reconstructions(x, self.model.reconstruct(x),
                                     self.figures / "reconstructions.png",
                                     f"Test images and their reconstructions ({self.lab.name})",
                                     self.note)

    def draw_samples(self, count, seed=0):
        """Draw `count` new images; return the path."""
        from ..analysis import plots
        return plots.samples(self.model.sample(count, seed), self.figures / "samples.png",
                             f"Decoded from random points of the prior ({self.lab.name})",
                             self.note)
