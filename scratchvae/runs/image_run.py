"""A run of a lab about images."""
import json
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..analysis import priors
from ..analysis.image_measures import measure_images
from ..batches import Images
from ..data.images import load_images
from ..errors import ScratchVAEError
from ..labels import Labelled
from ..models import VAE
from ..storage import side_product, write_text
from . import measures
from .measured import MeasuredRun

GLIMPSED = 8                    # images of each kind in a glimpse
SAMPLES = 30                    # new images in a figure; ...
STYLES = 10                     # ... of each class in that of a conditional model, ...
MOST_ROWS = 20                  # ... which shows at most so many classes


class ImageRun(MeasuredRun):
    """A run whose examples are images; see Run."""

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
        self.raw_shape = data.x_train.shape[1:]
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
        """The settings that the lab's model is made with, and what it must know of the images:
        the shape of one's own, and the number of classes if they count.
        """
        settings = dict(self.config["settings"])
        if self.has_own:
            settings["shape"] = tuple(self.config["shape"])
        if self.is_conditional:
            settings["classes"] = len(self.config["classes"])
        return settings

    @property
    def labels(self):
        """The labels of the test examples, None if they have none."""
        labels = self.data.y_test
        return None if labels is None else labels[:self.config["limit"]]

    @property
    def x_test(self):
        """The test examples as the model takes them, Images or Labelled; with a limit, the first.
        """
        return self._labelled(self.data.x_test, self.data.y_test)[:self.config["limit"]]

    def _labelled(self, x, labels):
        """Return images as the model takes them: Labelled if it is conditional."""
        if not self.is_conditional:
            return x
        if labels is None:
            raise ScratchVAEError(f"{self.folder}: conditional=1 needs the class of each image, "
                                  "and these have none; put the pictures of each class into a "
                                  "subfolder, or leave the setting out")
        return Labelled(x, labels)

    def check_classes(self, data):
        """Keep the names of the classes in the configuration, or refuse others."""
        classes = list(data.classes)
        known = self.config.get("classes")
        if known not in (None, classes):
            raise ScratchVAEError(f"{self.folder}: was trained on the classes {', '.join(known)}, "
                                  f"but the data have {', '.join(classes)}; restore them, or "
                                  "train anew")
        self.config["classes"] = classes

    def examples(self):
        """Return what to train on, and write into the configuration which data these are.

        Returns
        -------
        x : Images or Labelled
            The training examples.
        y : None
            The targets: an image is its own target.
        validation : Images or Labelled
        """
        limit = self.config["limit"]
        data = self.data
        if self.is_conditional:
            self.check_classes(data)
        x, validation = (part[:limit] for part in self.lab.split(
            self._labelled(data.x_train, data.y_train), self._labelled(data.x_test, data.y_test)))
        self.config["data"] = data.description
        if limit or self.lab.validation_split:
            self.config["data"] += f"; of these {len(x):,} and {len(validation):,} used"
        self.config["complete"] = data.complete
        self.config["data_sha256"] = data.sha256
        # The figures show test examples: without this, 47 MB would stay in memory after training.
        data.x_train = data.x_train[:0]
        return x, None, validation

    def part(self, name):
        """Return the examples of "train" or "test", and {"index": ..., "label": the class of each}.

        Images without classes have no label.
        """
        data = self.data
        if name == "test":
            x = self.x_test
            labels = data.y_test
        else:
            labels = data.y_train
            x, _ = self.lab.split(self._labelled(data.x_train, labels), None)
            x = x[:self.config["limit"]]
        known = {"index": range(len(x))}
        if labels is not None:
            known["label"] = [data.classes[label] for label in labels[:len(x)]]
        return x, known

    def more_measures(self):
        """Return what is measured beyond the losses for this data set; see measures.py."""
        return measures.more_measures(self)

    def draw_scores(self, x, known, scores, title):
        """Draw the examples with the lowest and the highest scores; return the path."""
        from ..analysis import plots
        return plots.extremes(self.shown(x), scores, self.figures / "scores.png", title,
                              self.note)

    def measure(self, result):
        """Return the ImageMeasures and lines about them, and add them to evaluation.json.

        Parameters
        ----------
        result : dict
            As `evaluate` returns it.
        """
        found, notes = measure_images(self)
        named = {measure.name: asdict(measure) for measure in found}
        whole = result | {"measures": result["measures"] | named,
                          "notes": [*result["notes"], *notes]}
        with side_product():
            write_text(self.folder / "evaluation.json", json.dumps(whole, indent=2) + "\n")
        return found, notes

    def whole_data(self):
        """Return the data with images (N, height, width, channels), whatever the lab's examples."""
        data = self.data
        if data.x_train.shape[1:] == self.raw_shape:
            return data
        x_train, x_test = (Images(self.lab.restore(part.pixels, self.raw_shape), part.rows)
                           for part in (data.x_train, data.x_test))
        return replace(data, x_train=x_train, x_test=x_test)

    def as_images(self, examples):
        """Return an array of examples as images of the shape that whole_data has."""
        if examples.shape[1:] == self.raw_shape:
            return examples
        return self.lab.restore(examples, self.raw_shape)

    def shown(self, images):
        """Return images as figures draw them.

        Grey images are drawn black on white, as ink. One's own are shown as photographs, which
        images in colour are: three equal channels.
        """
        if isinstance(images, Labelled):
            images = images.x
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

    def decode(self, z, **labels):
        """Return the images that are decoded from latent codes, as figures draw them."""
        return self.shown(self.model.decode(z, **labels))

    # Figures. Importing matplotlib takes long, so it waits until one is drawn.

    def draw_reconstructions(self, count):
        """Draw test examples above their reconstructions and return the path."""
        from ..analysis import plots
        x = self.x_test[:count]
        return plots.reconstructions(
            self.shown(np.asarray(x)), self.shown(self.model.reconstruct(x)),
            self.figures / "reconstructions.png",
            f"Test images and their reconstructions ({self.lab.name})", self.note)

    def sample(self, count=None, seed=0, label=None, prior="normal"):
        """Return new images, decoded from random points of a prior, as an array.

        Parameters
        ----------
        count : int, optional
            How many; of a conditional model without a label, of each class. Default: 30 or 10.
        seed : int
        label : int, optional
            The class of all, if the model is conditional. By default all classes, one after the
            other, with the same points of the prior in each.
        prior : {"normal", "mixture"}
            The model's own, N(0, 1), or a mixture fitted to codes of training images.
        """
        if prior == "mixture":
            return self._sample_mixture(count, seed, label)
        if not self.is_conditional:
            return self.model.sample(count or SAMPLES, seed)
        if label is not None:
            return self.model.sample(count or SAMPLES, label, seed)
        return np.concatenate([self.model.sample(count or STYLES, label, seed)
                               for label in range(self.model.classes)])

    def _sample_mixture(self, count, seed, label):
        """Return what `sample` does, from the mixture."""
        if not self.is_conditional:
            return self.model.decode(self.mixture.sample(count or SAMPLES, seed))
        classes = range(self.model.classes) if label is None else [label]
        z = self.mixture.sample(count or (STYLES if label is None else SAMPLES), seed)
        return np.concatenate([self.model.decode(z, labels=[label] * len(z)) for label in classes])

    @cached_property
    def mixture(self):
        """A MixturePrior of codes of training images."""
        x, _ = self.part("train")
        return priors.fit_mixture(self.model, x, self.config["seed"])

    def draw_samples(self, count=None, seed=0, label=None, path=None, prior="normal"):
        """Draw the images that `sample` returns, and return the path.

        Parameters
        ----------
        count, seed, label, prior
            See sample. Without a label a conditional model has a row for each class.
        path : path, optional
            Default: samples.png among the figures.
        """
        from ..analysis import plots
        images = self.shown(self.sample(count, seed, label, prior))
        points = "random points of the prior" if prior == "normal" else "a mixture as prior"
        what = f"Decoded from {points}"
        layout = {}
        if label is not None:
            what += f" as {self.config['classes'][label]}"
        elif self.is_conditional:
            what = "The same points of the prior in each class"
            names = self.config["classes"][:MOST_ROWS]
            columns = len(images) // self.model.classes
            images = images[:len(names) * columns]
            layout = {"columns": columns, "rows": names}
        return plots.samples(images, path or self.figures / "samples.png",
                             f"{what} ({self.lab.name})", self.note, **layout)

    def label_of(self, name):
        """Return the label of a class, given by its name or its number.

        Raises
        ------
        ScratchVAEError
            If the model is not conditional, or has no such class.
        """
        if not self.is_conditional:
            raise ScratchVAEError(f"{self.folder}: its model is not told classes; train one that "
                                  "is with --set conditional=1")
        classes = self.config["classes"]
        names = [known.lower() for known in classes]
        if name.lower() in names:
            return names.index(name.lower())
        if name.isdecimal() and int(name) < len(classes):
            return int(name)
        raise ScratchVAEError(f"class {name!r}: not among the classes of {self.folder}; allowed: "
                              f"{', '.join(classes)}, or a number from 0 to {len(classes) - 1}")

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
            labels = {}
            if self.is_conditional:
                labels["label"] = np.arange(GLIMPSED) % self.model.classes
            made["samples"] = self.shown(self.model.sample(GLIMPSED, **labels))
        return made
