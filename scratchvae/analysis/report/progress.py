"""How a model learns: reconstructions and samples after some of the epochs, in progress.json.

They are of the same few examples and latent points each time.
"""
import json

import numpy as np

from ...errors import ScratchVAEError
from ...storage import read_json, write_text
from .images import row_of_images

KINDS = {"epoch", "reconstructions", "samples"}


class Progress:
    """The content of progress.json, which keeps epochs 1, 2, 4, 8, ... and the last.

    It is {"originals": ..., "epochs": [{"epoch": 1, "reconstructions": ..., "samples": ...}, ...]}.
    Images are stored as the data URI of a PNG with all of them in a row, text as a list of lines.
    """

    def __init__(self, folder):
        self.path = folder / "progress.json"
        self.content = {"originals": [], "epochs": []}
        if self.path.exists():
            self._read()

    def _read(self):
        """Take the content of the file; begin anew if it is damaged, which loses examples only."""
        try:
            content = read_json(self.path, dict)
            whole = isinstance(content["originals"], (str, list)) and all(
                isinstance(entry["epoch"], int) and entry.keys() <= KINDS
                and all(is_stored(entry[kind]) for kind in entry.keys() - {"epoch"})
                for entry in content["epochs"])
            if whole:
                self.content = content
                return
        except (ScratchVAEError, KeyError, TypeError, AttributeError):
            pass
        print(f"note: {self.path}: damaged; it begins anew", flush=True)

    def add(self, run, epoch, made):
        """Add an epoch and write the file.

        Parameters
        ----------
        run : Run
        epoch : int
        made : dict
            The examples after the epoch, as run.glimpse returns them.
        """
        if not self.content["originals"]:
            self.content["originals"] = stored(run.originals())
        kept = [entry for entry in self.content["epochs"] if is_power_of_two(entry["epoch"])]
        added = {"epoch": epoch} | {kind: stored(examples) for kind, examples in made.items()}
        self.content["epochs"] = [*kept, added]
        write_text(self.path, json.dumps(self.content, ensure_ascii=False, indent=1) + "\n")


def is_stored(examples):
    """Return whether examples have the form in which progress.json stores them."""
    return isinstance(examples, str) or (
        isinstance(examples, list) and all(isinstance(line, str) for line in examples))


def is_power_of_two(epoch):
    """Return whether an epoch is one of 1, 2, 4, 8, ..."""
    return epoch.bit_count() == 1


def stored(examples):
    """Return examples in the form in which progress.json stores them."""
    return row_of_images(examples) if isinstance(examples, np.ndarray) else examples
