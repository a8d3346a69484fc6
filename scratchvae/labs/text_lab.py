"""What labs about text have beyond others: words."""
from dataclasses import dataclass, field
from typing import Callable, ClassVar

import numpy as np

from ..text import Vocabulary
from .lab import Lab


@dataclass
class TextExamples:
    """A text as the examples of a lab.

    Attributes
    ----------
    x_train, x_test : int32 arrays of shape (N, steps)
        Indices of words. x_test is None if no lines are held out.
    vocabulary : Vocabulary
    lines_train, lines_test : list of list of str
        The words of the lines that the examples are made of.
    y_train : int32 array or None
        The targets; None if an example is its own target.
    description : str
        What these data are, for people.
    complete : bool
        Whether they are the whole published text.
    cut_off : int
        How many lines were too long.
    lost_words : int
        How many words at their ends the model does not see.
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
    lost_words: int = 0


@dataclass(frozen=True)
class Measure:
    """A number about a trained model, how to read it, and (beside) the same of real lines."""
    name: str
    value: float
    meaning: str
    beside: float = None


@dataclass(frozen=True, kw_only=True)
class TextLab(Lab):
    """A lab about text; see Lab.

    settings["vocabulary_size"] is the largest number of words, 0 for all of the text. In a run it
    is the number of words that the text has.

    Attributes
    ----------
    words : int
        The number of words of Tiny Shakespeare, to show the model without a text.
    read : callable
        read(text, settings) returns the TextExamples of a clean text.
    generate : callable
        generate(run, rng, seed_word, length, temperature, top_k, top_p) returns about `length`
        words as text. A temperature of None is the lab's own way.
    measure : callable
        measure(run) returns a list of Measures.
    example : callable or None
        example(vocabulary, words, settings) returns the example of a line; None if the examples
        are single words.
    lines_of : callable or None
        lines_of(run, z, rng, temperature) decodes latent codes to lists of words; None if the
        examples are single words.
    """
    kind: ClassVar = "text"
    held_out: ClassVar = "held-out examples"
    words: int = 0
    read: Callable
    generate: Callable
    measure: Callable
    example: Callable | None = None
    lines_of: Callable | None = None

    def shape(self, settings):
        """Return the shape of an example."""
        return self.example_shape or (settings["steps"],)
