"""How a model learns: what it makes of the same few examples and latent points after some of its epochs, kept in progress.json."""
import json

import numpy as np

from ...labs.text_lab import TextLab
from ...models import VAE
from ...storage import read_json, write_text
from ...text import detokenize
from .images import row_of_images

IMAGES, LINES = 8, 3            # of each kind
WORDS = 20                      # that a model of single words writes


def glimpse(run):
    """What run.model makes of test examples, and new ones, as {"reconstructions", "samples"}: arrays of images, or lists of lines.

    Each time of the same examples and the same latent points.  It costs little, and leaves training as it was.
    """
    return glimpse_of_text(run) if isinstance(run.lab, TextLab) else glimpse_of_images(run)


def glimpse_of_images(run):
    """Arrays (IMAGES, ...); a model without a prior has no samples."""
    made = {"reconstructions": run.model.reconstruct(run.x_test[:IMAGES])}
    return made | {"samples": run.model.sample(IMAGES)} if isinstance(run.model, VAE) else made


def glimpse_of_text(run):
    """Lines, reconstructed greedily and drawn at temperature 1; a model of single words only continues its text."""
    if not run.lab.lines_of:
        return {"samples": [run.generate(0, None, WORDS, None, None, None)]}
    again = run.lab.lines_of(run, run.model.encode(run.x_test[:LINES])[0], np.random.default_rng(0), 0.0)
    return {"reconstructions": [detokenize(words) for words in again], "samples": run.sample_lines(LINES)}


def originals(run):
    """What the reconstructions are of."""
    if isinstance(run.lab, TextLab):
        return [detokenize(words) for words in run.data.lines_test[:LINES]]
    return run.x_test[:IMAGES]


class Progress:
    """progress.json: {"originals": ..., "epochs": [{"epoch": 1, "reconstructions": ..., "samples": ...}, ...]}.

    Images are rows of pixels as a PNG's URI, text is a list of lines.  It keeps epochs 1, 2, 4, 8, ... and the last.
    """

    def __init__(self, folder):
        self.path = folder / "progress.json"
        self.content = read_json(self.path, dict) if self.path.exists() else {"originals": [], "epochs": []}

    def add(self, run, epoch, made):
        """Add the glimpse of an epoch, and write the file."""
        kept = [entry for entry in self.content["epochs"] if entry["epoch"].bit_count() == 1]
        self.content["originals"] = self.content["originals"] or shown(originals(run))
        self.content["epochs"] = [*kept, {"epoch": epoch, **{kind: shown(examples) for kind, examples in made.items()}}]
        write_text(self.path, json.dumps(self.content, ensure_ascii=False, indent=1) + "\n")


def shown(examples):
    """Examples as they stand in the file."""
    return row_of_images(examples) if isinstance(examples, np.ndarray) else examples
