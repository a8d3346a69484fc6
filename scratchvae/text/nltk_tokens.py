"""What nltk makes of sentences, kept in the cache folder for the next process.

nltk takes a second to import, and more to try all its rules on the words of a play.
"""
import contextlib
import functools
import importlib.metadata

from ..errors import ScratchVAEError
from ..kernels import folders
from ..storage import read_arrays, write_arrays

KIND = "tokens"
MOST = 1 << 17                  # sentences that are kept: of a word or two each, some 6 MB


def nltk_tokens(sentence):
    """Return nltk's tokens of a sentence, a list that must not be changed."""
    return _memory()[sentence]


def keep_tokens():
    """Keep the tokens of all sentences so far for the next process, if that is possible."""
    _memory().keep()


class _Memory(dict):
    """sentence -> tokens, with those that earlier processes have kept in a file.

    It only saves time: without a file, or with a damaged one, nltk is asked again.
    """

    def __init__(self, path):
        self.path = path
        with contextlib.suppress(ScratchVAEError):
            _, description = read_arrays(path, KIND)        # as a whole, or not at all: checksums
            self.update(description["tokens"])
        self.kept = len(self)

    def __missing__(self, sentence):
        tokens = _nltk()(sentence)
        if len(self) < MOST:
            self[sentence] = tokens
        return tokens

    def keep(self):
        """Write the file if there is something new."""
        if len(self) > self.kept:
            self.kept = len(self)
            with contextlib.suppress(OSError, ScratchVAEError):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_arrays(self.path, {}, {"kind": KIND, "tokens": self})


@functools.cache
def _memory():
    """Return the memory of this process; tokens depend on nltk's version."""
    return _Memory(folders.tokens_home() / f"nltk-{importlib.metadata.version('nltk')}.npz")


@functools.cache
def _nltk():
    """Return nltk's function that splits a sentence."""
    from nltk.tokenize import NLTKWordTokenizer
    return NLTKWordTokenizer().tokenize
