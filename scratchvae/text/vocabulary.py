"""The words that a model knows, in a fixed order, and their indices."""

import difflib
from collections import Counter
from itertools import chain

import numpy as np

from ..errors import ScratchVAEError

PADDING, UNKNOWN, END = LINE_SPECIALS = (
    "<pad>",
    "<unk>",
    "<end>",
)  # words 0, 1 and 2 of a vocabulary of lines


class Vocabulary:
    """Words and their indices: `words` is a tuple of str, and a word's index is its place there.

    Vocabulary(words) restores one from a list of words; Vocabulary.build makes one from text.
    """

    def __init__(self, words):
        self.words = tuple(words)
        self._indices = {word: index for index, word in enumerate(self.words)}
        if len(self._indices) != len(self.words):
            word, count = Counter(self.words).most_common(1)[0]
            raise ScratchVAEError(
                f"vocabulary: {word!r} stands in it {count} times; needed: each word once"
            )

    @classmethod
    def build(cls, sequences, specials=(PADDING, UNKNOWN), min_count=1, max_size=None):
        """The vocabulary of sequences of words: the specials, then the most frequent word first,
        equally frequent ones by alphabet.

        Words that occur fewer than min_count times are left out, and so are the rarest beyond
        max_size, which counts specials.
        """
        counts = Counter(chain.from_iterable(sequences))
        kept = [
            word for word, count in counts.items() if count >= min_count and word not in specials
        ]
        kept = sorted(kept, key=lambda word: (-counts[word], word))[
            : max_size and max(max_size - len(specials), 0)
        ]
        if not kept:
            limits = f"min_count={min_count}, max_size={max_size}, {len(specials)} specials"
            raise ScratchVAEError(
                f"vocabulary: none of the text's {len(counts):,} different words is kept ({limits})"
            )
        return cls([*specials, *kept])

    def __len__(self):
        return len(self.words)

    def __contains__(self, word):
        return word in self._indices

    def index(self, word):
        """The index of a word, an int; an error with near spellings if there is no such word."""
        if word not in self._indices:
            near = difflib.get_close_matches(word, self.words, n=3)
            hint = f"; near it: {', '.join(map(repr, near))}" if near else ""
            raise ScratchVAEError(
                f"{word!r} is not among the {len(self):,} words of the vocabulary{hint}"
            )
        return self._indices[word]

    def encode(self, words):
        """Words as indices, int32 (N,):

        those it lacks as UNKNOWN's, or as an error if it has no UNKNOWN.
        """
        if self.unknown is None:
            return np.array([self.index(word) for word in words], np.int32)
        return np.array([self._indices.get(word, self.unknown) for word in words], np.int32)

    def decode(self, indices):
        """Indices, integers (N,), as a list of words; an error if one is out of range."""
        indices = np.asarray(indices).tolist()
        for index in indices:
            if not 0 <= index < len(self):
                raise ScratchVAEError(
                    f"{index} is no index of a word; allowed: 0 to {len(self) - 1}"
                )
        return [self.words[index] for index in indices]

    @property
    def padding(self):
        """The index of PADDING, or None."""
        return self._indices.get(PADDING)

    @property
    def unknown(self):
        """The index of UNKNOWN, or None."""
        return self._indices.get(UNKNOWN)

    @property
    def end(self):
        """The index of END, or None."""
        return self._indices.get(END)
