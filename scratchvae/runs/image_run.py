"""A run of a lab about images."""
import json
from functools import cached_property
from pathlib import Path

import numpy as np

from ..batches import Images
from ..data.images import load_images
from ..errors import ScratchVAEError
from ..models import VAE
from ..storage import side_product, write_text
from .measures import more_measures
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
        """The lab's data set, its images prepared as the lab's examples; or images of one's own."""
        config = self.config
        if self.has_own:
            data = load_images(Path(config["images"]), size=config["size"], grey=config["grey"])
        else:
            data = load_images(self.lab.data, config["data_dir"])
        print(f"data: {data.description}", flush=True)
        for line in data.notes:
            print(f"note: {line}", flush=True)
        if self.config.get("data_sha256") not in (None, data.sha256):
            self.data_line = data.description
            print(f"note: these are not the data of the training, {self.config['data']}; figures "
                  "and measures are of these", flush=True)
        if self.has_own:
            self.check_shape(data)
            return data
        data.x_train = Images(self.lab.prepare(data.x_train.pixels), data.x_train.rows)
        data.x_test = Images(self.lab.prepare(data.x_test.pixels), data.x_test.rows)
        return data

    @property
    def has_own(self):
        """Whether the images are one's own."""
        return bool(self.config.get("images"))

    @property
    def title(self):
        """What the run is about."""
        return f"The model of {self.lab.name} on your own images" if self.has_own else super().title

    def check_shape(self, data):
        """Keep the shape of one's own images in the configuration, or refuse another shape."""
        shape = list(data.x_train.shape[1:])
        known = self.config.get("shape")
        if known not in (None, shape):
            raise ScratchVAEError(f"{self.folder}: was trained on images of height, width and "
                                  f"channels {known}, but {self.config['images']} holds images of "
                                  f"{shape}; restore them, or train anew")
        self.config["shape"] = shape

    @property
    def model_settings(self):
        """The settings that the lab's model is made with, and the shape of one's own images."""
        settings = self.config["settings"]
        return settings | {"shape": tuple(self.config["shape"])} if self.has_own else settings

    @property
    def labels(self):
        """The labels of the test examples, None if they have none."""
        labels = self.data.y_test
        return None if labels is None else labels[:self.config["limit"]]

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
        """Return the examples of "train" or "test", and {"label": the class of each}.

        The dict is empty if the images have no classes.
        """
        data = self.data
        if name == "test":
            x = self.x_test
            labels = data.y_test
        else:
            x = self.lab.split(data)[0][:self.config["limit"]]
            labels = data.y_train
        if labels is None:
            return x, {}
        return x, {"label": [data.classes[label] for label in labels[:len(x)]]}

    def draw_scores(self, x, scores, title):
        """Draw the examples with the lowest and the highest scores; return the path."""
        from ..analysis import plots
        return plots.extremes(self.shown(x), scores, self.figures / "scores.png", title,
                              self.note)

    def evaluate(self):
        """Return the losses on the test set and other measures; write them to evaluation.json."""
        x = self.x_test
        seed = self.config["seed"]
        size = self.config["batch_size"]
        last_batch = x[-(len(x) % size or size):]
        measures, notes = more_measures(self)
        result = {
            "data": self.data.description,
            "examples": len(x),
            **self.model.evaluate(x, seed),
            "last_batch": self.model.evaluate(last_batch, seed),
            "measures": measures,
            "notes": notes,
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
            *(f"  {name:<21}{measure['value']:.4f}   {measure['meaning']}"
              for name, measure in result["measures"].items()),
            *(f"  note: {line}" for line in result["notes"]),
        ]

    def shown(self, images):
        """Return images as figures draw them.

        Grey images are drawn black on white, as ink. One's own are shown as photographs, which
        images in colour are: three equal channels.
        """
        if not self.is_photograph:
            return images
        if isinstance(images, Images):          # without a copy
            pixels = np.broadcast_to(images.pixels, (*images.pixels.shape[:-1], 3))
            return Images(pixels, images.rows)
        return np.repeat(images, 3, axis=-1)

    @property
    def is_photograph(self):
        """Whether the images are grey ones of one's own."""
        return self.has_own and self.config["shape"][2] == 1

    def decode(self, z):
        """Return the images that are decoded from latent codes, as figures draw them."""
        return self.shown(self.model.decode(z))

    # Figures. Importing matplotlib takes long, so it waits until one is drawn.

    def draw_reconstructions(self, count):
        """Draw test examples above their reconstructions and return the path."""
        from ..analysis import plots
        x = np.asarray(self.x_test[:count])
        return plots.reconstructions(
            self.shown(x), self.shown(self.model.reconstruct(x)),
            self.figures / "reconstructions.png",
            f"Test images and their reconstructions ({self.lab.name})", self.note)

    def draw_samples(self, count, seed=0):
        """Draw new images, decoded from random points of the prior, and return the path."""
        from ..analysis import plots
        return plots.samples(
            self.shown(self.model.sample(count, seed)), self.figures / "samples.png",
            f"Decoded from random points of the prior ({self.lab.name})", self.note)

    # A few examples for the report, the same ones after every epoch.

    def originals(self):
        """Return the first test examples as an array: those that a glimpse reconstructs."""
        return self.shown(np.asarray(self.x_test[:GLIMPSED]))

    def glimpse(self):
        """Return a few reconstructions and samples as a dict of arrays.

        A model without a prior has no samples. The call does not influence training.
        """
        x = self.x_test[:GLIMPSED]
        made = {"reconstructions": self.shown(self.model.reconstruct(x))}
        if isinstance(self.model, VAE):
            made["samples"] = self.shown(self.model.sample(GLIMPSED))
        return made
