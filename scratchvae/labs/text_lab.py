"""What labs about text have beyond others: words."""
from dataclasses import dataclass, field
from typing import Callable

import numpy as np

from ..text import Vocabulary
from .lab import Lab


@dataclass
class TextExamples:
    """A text as the examples of a lab: indices of words, int32 (N, steps), and the lines as lists of words that they stand for.

    y_train: what to make of x, if not x itself.  The test examples may be missing: then nothing is held out.
    """
    x_train: np.ndarray
    vocabulary: Vocabulary
    lines_train: list = field(default_factory=list)
    x_test: np.ndarray = None
    lines_test: list = field(default_factory=list)
    y_train: np.ndarray = None
    description: str = ""
    complete: bool = True
    cut_off: int = 0                        # how many lines were too long


@dataclass(frozen=True)
class Measure:
    """A number about a trained model, and how to read it; beside: the same of real lines."""
    name: str
    value: float
    meaning: str
    beside: float = None


@dataclass(frozen=True)
class TextLab(Lab):
    """A lab about text.  settings["vocabulary_size"] is how many words it may have, 0: all of the text.  In a run they have been counted, and
    it is how many they are; to show the model without a text, they are those of Tiny Shakespeare, `words` in number.

    read(text, settings) makes TextExamples of a clean text.  generate(run, rng, seed_word, length, temperature, top_k, top_p) writes
    about so many words; a temperature of None means the lab's own way.  measure(run) -> Measures.  lines_of(run, z, rng, temperature)
    decodes latent points to lists of words, and example(vocabulary, words, settings) is the example that a line becomes.
    """
    read: Callable = None
    example: Callable = None
    generate: Callable = None
    measure: Callable = None
    lines_of: Callable = None
    words: int = 0

    def shape(self, settings):
        return self.example_shape or (settings["steps"],)
