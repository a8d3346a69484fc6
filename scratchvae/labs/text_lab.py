"""What labs about text have beyond others: words."""
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..text import Vocabulary
from .lab import Lab


@dataclass
class TextExamples:
    """A text as the examples of a lab.

    Attributes
    ----------
    x_train : int32 array (N, steps)
        Indices of words.
    vocabulary : Vocabulary
    lines_train : list of list of str
        The lines that the examples stand for, as words.
    x_test, lines_test
        The same of the held-out examples; None and empty if nothing is held out.
    y_train : int32 array or None
        Targets; None stands for x_train.
    description : str
    complete : bool
        Whether this is the whole published text.
    cut_off : int
        How many lines were too long.
    """
    x_train: np.ndarray
    vocabulary: Vocabulary
    lines_train: list = field(default_factory=list)
    x_test: np.ndarray = None
    lines_test: list = field(default_factory=list)
    y_train: np.ndarray = None
    description: str = ""
    complete: bool = True
    cut_off: int = 0


@dataclass(frozen=True)
class Measure:
    """A number about a trained model, and how to read it; `beside` is that of real lines."""
    name: str
    value: float
    meaning: str
    beside: float = None


@dataclass(frozen=True)
class TextLab(Lab):
    """A lab about text; see Lab.

    settings["vocabulary_size"] is how many words it may have; 0 means all of the text. In a run it
    is how many they are; without a text it is those of Tiny Shakespeare, `words`.

    Attributes
    ----------
    read : function
        read(text, settings) returns the TextExamples of a clean text.
    example : function or None
        example(vocabulary, words, settings) returns a line as an example.
    generate : function
        generate(run, rng, seed_word, length, temperature, top_k, top_p) returns about so many
        words; a temperature of None stands for the lab's own way.
    measure : function
        measure(run) returns Measures.
    lines_of : function or None
        lines_of(run, z, rng, temperature) returns latent points as lists of words; None if the
        examples are single words.
    words : int
    """
    read: Callable = None
    example: Callable = None
    generate: Callable = None
    measure: Callable = None
    lines_of: Callable = None
    words: int = 0
    kind = "text"

    @property
    def held_out(self):
        return "held-out examples"

    def shape(self, settings):
        return self.example_shape or (settings["steps"],)
