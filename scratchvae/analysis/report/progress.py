"""How a model learns: reconstructions and samples after some of the epochs, in progress.json.

They are of the same few examples and latent points each time.
"""
import json

import numpy as np

from ...labs.text_lab import TextLab
from ...models import VAE
from ...storage import read_json, write_text
from ...text import detokenize
from .images import row_of_images

IMAGES = 8                      # images of each kind
LINES = 3                       # lines of text of each kind
WORDS = 20                      # words written by a model of single words


def glimpse(run):
    """Return reconstructions and samples of run.model, as {"reconstructions", "samples"}.

    Each is an array of images or a list of lines. Examples and latent points are the same at every
    call. The call is cheap and does not influence training.
    """
    return glimpse_of_text(run) if isinstance(run.lab, TextLab) else glimpse_of_images(run)


def glimpse_of_images(run):
    """Return arrays (IMAGES, ...); a model without a prior has no samples."""
    made = {"reconstructions": run.model.reconstruct(run.x_test[:IMAGES])}
    if isinstance(run.model, VAE):
        made["samples"] = run.model.sample(IMAGES)
    return made


def glimpse_of_text(run):
    """Return lines: greedy reconstructions, and samples drawn at temperature 1.

    A model of single words has no reconstructions: its sample continues a text.
    """
    if not run.lab.lines_of:
        text = run.generate(
            0, seed_word=None, length=WORDS, temperature=None, top_k=None, top_p=None)
        return {"samples": [text]}
    z_mean = run.model.encode(run.x_test[:LINES])[0]
    lines = run.lab.lines_of(run, z_mean, np.random.default_rng(0), temperature=0.0)
    return {"reconstructions": [detokenize(words) for words in lines],
            "samples": run.sample_lines(LINES)}


def originals(run):
    """Return the examples that are reconstructed."""
    if isinstance(run.lab, TextLab):
        return [detokenize(words) for words in run.data.lines_test[:LINES]]
    return run.x_test[:IMAGES]


class Progress:
    """The content of progress.json, which keeps epochs 1, 2, 4, 8, ... and the last.

    It is {"originals": ..., "epochs": [{"epoch": 1, "reconstructions": ..., "samples": ...}, ...]}.
    Images are stored as the data URI of a PNG with all of them in a row, text as a list of lines.
    """

    def __init__(self, folder):
        self.path = folder / "progress.json"
        if self.path.exists():
            self.content = read_json(self.path, dict)
        else:
            self.content = {"originals": [], "epochs": []}

    def add(self, run, epoch, made):
        """Add an epoch and write the file.

        Parameters
        ----------
        run : Run
        epoch : int
        made : dict
            The examples after the epoch, as glimpse returns them.
        """
        if not self.content["originals"]:
            self.content["originals"] = stored(originals(run))
        kept = [entry for entry in self.content["epochs"] if is_power_of_two(entry["epoch"])]
        added = {"epoch": epoch} | {kind: stored(examples) for kind, examples in made.items()}
        self.content["epochs"] = [*kept, added]
        write_text(self.path, json.dumps(self.content, ensure_ascii=False, indent=1) + "\n")


def is_power_of_two(epoch):
    """Return whether an epoch is one of 1, 2, 4, 8, ..."""
    return epoch.bit_count() == 1


def stored(examples):
    """Return examples in the form in which progress.json stores them."""
    return row_of_images(examples) if isinstance(examples, np.ndarray) else examples
