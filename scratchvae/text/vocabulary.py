"""The words that a model knows, in a fixed order, and their indices."""
import difflib
from collections import Counter
from itertools import chain

import numpy as np

from ..errors import ScratchVAEError

PADDING = "<pad>"
UNKNOWN = "<unk>"
END = "<end>"
LINE_SPECIALS = (PADDING, UNKNOWN, END)     # words 0, 1 and 2 of a vocabulary of lines


class Vocabulary:
    """Words and their indices: the index of a word is its position in `words`.

    Vocabulary.build makes a vocabulary from text.

    Parameters
    ----------
    words : iterable of str
        Each word once.
    """

    def __init__(self, words):
        self.words = tuple(words)
        self._indices = {word: index for index, word in enumerate(self.words)}
        if len(self._indices) != len(self.words):
            word, count = Counter(self.words).most_common(1)[0]
            raise ScratchVAEError("vocabulary: each word must occur once, "
                                  f"got {word!r} {count} times")

    @classmethod
    def build(cls, sequences, specials=(PADDING, UNKNOWN), min_count=1, max_size=None):
        """Return the vocabulary of a text: the specials, then its words, the most frequent first.

        Equally frequent words are in alphabetical order.

        Parameters
        ----------
        sequences : iterable of sequences of str
        specials : sequence of str, default (PADDING, UNKNOWN)
            Words that come first, whether they occur or not.
        min_count : int, default 1
            Leave out words that occur less often.
        max_size : int, optional
            Leave out the rarest words beyond this size, which counts the specials.

        Raises
        ------
        ScratchVAEError
            If no word of the text is left.
        """
        counts = Counter(chain.from_iterable(sequences))
        kept = [word for word, count in counts.items()
                if count >= min_count and word not in specials]
        kept.sort(key=lambda word: (-counts[word], word))
        if max_size is not None:
            kept = kept[:max(max_size - len(specials), 0)]
        if not kept:
            raise ScratchVAEError(
                f"vocabulary: none of the text's {len(counts):,} different words is kept "
                f"(min_count={min_count}, max_size={max_size}, {len(specials)} specials)")
        return cls([*specials, *kept])

    def __len__(self):
        return len(self.words)

    def __contains__(self, word):
        return word in self._indices

    def index(self, word):
        """Return the index of a word, an int; an error suggests similar words if it is unknown."""
        if word not in self._indices:
            near = difflib.get_close_matches(word, self.words, n=3)
            hint = f"; similar: {', '.join(map(repr, near))}" if near else ""
            raise ScratchVAEError(
                f"{word!r} is not among the {len(self):,} words of the vocabulary{hint}")
        return self._indices[word]

    def encode(self, words):
        """Return words as indices, int32 (N,).

        Unknown words become UNKNOWN, or raise an error if the vocabulary lacks it.
        """
        if self.unknown is None:
            return np.array([self.index(word) for word in words], np.int32)
        return np.array([self._indices.get(word, self.unknown) for word in words], np.int32)

    def decode(self, indices):
        """Return indices (N,) as a list of words; an index out of range raises an error."""
        indices = np.asarray(indices).tolist()
        for index in indices:
            if not 0 <= index < len(self):
                raise ScratchVAEError("vocabulary: the index of a word must be from 0 to "
                                      f"{len(self) - 1}, got {index}")
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
