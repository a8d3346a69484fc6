"""A run of a lab about text. Beside the files of every run its directory has

vocabulary.json    the words that the model knows     *.txt, *.md    texts that the model wrote
speeches.json      for a play: who speaks, and how many lines
"""
import hashlib
import json
from functools import cached_property

import numpy as np

from ..data import load_shakespeare, load_text
from ..errors import ScratchVAEError
from ..storage import read_json, side_product, write_text
from ..text import (
    END,
    PADDING,
    UNKNOWN,
    Vocabulary,
    clean,
    detokenize,
    keep_tokens,
    speeches,
    tokenize,
)
from .run import Run

GLIMPSED = 3                    # lines of each kind in a glimpse
GLIMPSED_WORDS = 20             # words in a glimpse of a model of single words
SAMPLES = 30                    # new lines in samples.txt
SCORED = 10                     # lines with the lowest and with the highest scores


class TextRun(Run):
    """A run whose examples are indices of words; see Run."""

    @property
    def decodes(self):
        """Whether examples can be decoded from latent codes: lines can, single words cannot."""
        return self.lab.lines_of is not None

    # The text and the words.

    @cached_property
    def source(self):
        """The text that the run is trained on, as its file has it."""
        if self.config.get("text"):
            source = load_text(self.config["text"])
        else:
            source = load_shakespeare(self.config["data_dir"])
        expected = self.config.get("text_sha256")
        if expected not in (None, digest(source)):
            raise ScratchVAEError(f"{self.folder}: was trained on another text than "
                                  f"{source.description}, so its indices mean other words; "
                                  "restore the text, or train anew")
        return source

    @cached_property
    def text(self):
        """The text without what does not belong to it."""
        return clean(self.source.text)

    @cached_property
    def data(self):
        """The text as the lab's examples."""
        source = self.source
        print(f"data: {source.description}", flush=True)
        settings = self.config["settings"]
        data = self.lab.read(self.text, settings)
        keep_tokens()
        description = f"{source.description}: {len(data.x_train):,} examples"
        if data.x_test is not None:
            description += f", {len(data.x_test):,} held out"
        description += f", {len(data.vocabulary):,} words"
        if data.cut_off:
            description += (f"; {data.cut_off:,} lines were too long for {settings['steps']} "
                            f"steps and are cut off, {data.lost_words:,} words are lost")
        data.description = description
        data.complete = source.complete and not self.config.get("text")
        return data

    @cached_property
    def vocabulary(self):
        """The words that the model knows."""
        path = self.folder / "vocabulary.json"
        words = read_json(path, list)
        count = self.config["settings"]["vocabulary_size"]
        if not all(isinstance(word, str) for word in words) or len(words) != count:
            raise ScratchVAEError(f"{path}: damaged: does not hold the {count:,} words that the "
                                  "model knows")
        return Vocabulary(words)

    @cached_property
    def speeches(self):
        """[speaker, number of lines] of each speech; an empty list if the text is not a play."""
        return read_json(self.folder / "speeches.json", list)

    @property
    def x_test(self):
        """The held-out examples, or those of training if there are none; at most the limit."""
        data = self.data
        return (data.x_train if data.x_test is None else data.x_test)[:self.config["limit"]]

    def examples(self):
        """Return what to train on, and write into the configuration which data these are.

        Returns
        -------
        x : array of shape (N, steps)
            The training examples.
        y : array or None
            The targets; None if an example is its own target.
        validation : array or None
        """
        data = self.data
        config = self.config
        limit = config["limit"]
        config["settings"]["vocabulary_size"] = len(data.vocabulary)
        config["data"] = data.description
        if limit:
            config["data"] += f"; the first {limit:,} used"
        config["complete"] = data.complete
        config["text_sha256"] = digest(self.source)
        self.vocabulary = data.vocabulary
        self.speeches = [[speaker, len(spoken)] for speaker, spoken in speeches(self.text)]
        short = sum(len(words) == 1 for words in data.lines_train)
        if short > len(data.lines_train) / 2:
            print(f"note: {short:,} of {len(data.lines_train):,} lines are one word: words are "
                  "what stands between blanks, so a text without blanks has one word a line",
                  flush=True)
        if data.cut_off:
            print(f"note: {data.cut_off:,} lines are longer than {config['settings']['steps']} "
                  f"steps and are cut off; {data.lost_words:,} words are lost; --set steps=... "
                  "keeps them", flush=True)
        return [None if part is None else part[:limit]
                for part in (data.x_train, data.y_train, data.x_test)]

    def write_config(self):
        """Write config.json, vocabulary.json and speeches.json."""
        super().write_config()
        words = json.dumps(self.vocabulary.words, ensure_ascii=False, indent=0)
        write_text(self.folder / "vocabulary.json", words + "\n")
        spoken = json.dumps(self.speeches, ensure_ascii=False)
        write_text(self.folder / "speeches.json", spoken + "\n")

    def take_weights(self, other):
        """Give the new model the weights of another run, whose words are the same."""
        if self.vocabulary.words != other.vocabulary.words:
            raise ScratchVAEError(f"--from {other.folder}: its model knows other words than those "
                                  "of this text, so its weights mean nothing here")
        super().take_weights(other)

    # What the model writes, and how good it is.

    def seed_word(self, word):
        """Return the index of a word to begin with."""
        if word in (PADDING, UNKNOWN, END):
            raise ScratchVAEError(f"seed word: {word} is not a word of the text")
        return self.vocabulary.index(word)

    def generate(self, seed, **how):
        """Return new text.

        Parameters
        ----------
        seed : int
        **how
            seed_word : str or None
                The word to begin with.
            length : int
                About how many words to write.
            temperature : float or None
                None is the lab's own way.
            top_k : int or None
            top_p : float or None
                Draw only among the most probable words; see text.decoding.sample.

        Returns
        -------
        str
        """
        return self.lab.generate(self, np.random.default_rng(seed), **how)

    def part(self, name):
        """Return the examples of "train" or "test", and {"index": ..., "line": each as text}."""
        x = self.x_test if name == "test" else self.data.x_train[:self.config["limit"]]
        return x, {"index": range(len(x)),
                   "line": [detokenize(words) for words in self.shown(x)]}

    def draw_scores(self, x, known, scores, title):
        """Write the lines with the lowest and the highest scores to scores.txt; return the path."""
        order = np.argsort(scores, kind="stable")
        lines = [title]
        for name, chosen in (("lowest", order[:SCORED]), ("highest", order[::-1][:SCORED])):
            lines.append(f"{name}:")
            lines += [f"{scores[i]:10.2f}  {detokenize(words)}"
                      for i, words in zip(chosen, self.shown(x[chosen]))]
        return self.write("scores.txt", lines)

    def evaluate(self):
        """Return the lab's Measures of the model, and write them to evaluation.json."""
        measures = self.lab.measure(self)
        content = {measure.name: vars(measure) for measure in measures}
        with side_product():
            write_text(self.folder / "evaluation.json", json.dumps(content, indent=2) + "\n")
        return measures

    def describe_evaluation(self, measures):
        """Return what `evaluate` measured as lines of text."""
        lines = []
        for measure in measures:
            real = "" if measure.beside is None else f"(real: {measure.beside:.4g}) "
            lines.append(f"  {measure.name:<37}{measure.value:<10.4g}{real}{measure.meaning}")
        return lines

    # Lines and latent codes, for labs whose examples are lines.

    def example(self, line):
        """Return a line of text as the only example of a batch."""
        words = tokenize(clean(line))
        if len(self.unknown_words(line)) == len(words):
            raise ScratchVAEError(f"{line!r}: the model knows none of its words; "
                                  "write a line of words of the text")
        return self.lab.example(self.vocabulary, words, self.config["settings"])[np.newaxis]

    def shown(self, x):
        """Return examples as the model sees them: lists of words, cut off, some of them unknown."""
        none = (self.vocabulary.padding, self.vocabulary.end)
        return [self.vocabulary.decode([word for word in row if word not in none])
                for row in x.tolist()]

    def unknown_words(self, line):
        """Return the words of a line of text that the model does not know."""
        return [word for word in tokenize(clean(line)) if word not in self.vocabulary]

    def lines_of(self, z, seed=None, temperature=None):
        """Return latent codes as lines of text.

        Parameters
        ----------
        z : array of shape (N, latent_dim)
        seed : int, optional
            Seed of the words that are drawn.
        temperature : float, optional
            By default the most probable lines are searched.

        Returns
        -------
        list of str
        """
        rng = np.random.default_rng(seed)
        return [detokenize(words) for words in self.lab.lines_of(self, z, rng, temperature)]

    def variations(self, x, count, seed=0):
        """Return lines near an example, decoded from samples of its posterior q(z|x).

        Parameters
        ----------
        x : array of shape (1, steps)
        count : int
        seed : int, default 0

        Returns
        -------
        list of str
        """
        z_mean, z_log_var = self.model.encode(x)
        rng = np.random.default_rng(seed)
        eps = rng.standard_normal((count, z_mean.shape[1])).astype(z_mean.dtype)
        return self.lines_of(z_mean + np.exp(z_log_var / 2) * eps)

    def interpolate(self, first, second, steps=7):
        """Return the lines decoded on the straight path between the codes of two examples.

        Parameters
        ----------
        first, second : array of shape (1, steps)
        steps : int, default 7
            The number of lines, both ends included.

        Returns
        -------
        list of str
        """
        a, b = (self.model.encode(x)[0] for x in (first, second))
        part = np.linspace(0, 1, steps, dtype=a.dtype)[:, np.newaxis]
        return self.lines_of((1 - part) * a + part * b)

    def sample_lines(self, count, seed=0):
        """Return new lines, decoded from random points of the prior."""
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((count, self.model.latent_dim)).astype(self.model.dtype)
        return self.lines_of(z, seed, temperature=1.0)

    def draw_samples(self, count=None, seed=0):
        """Write new lines, 30 by default, to samples.txt and return its path."""
        return self.write("samples.txt", self.sample_lines(count or SAMPLES, seed))

    def draw_reconstructions(self, count):
        """Write held-out lines and their reconstructions to a file and return its path."""
        lines = [detokenize(words) for words in self.data.lines_test[:count]]
        made = self.lines_of(self.model.encode(self.x_test[:count])[0])
        return self.write("reconstructions.txt",
                          [f"{line}\n    -> {again}" for line, again in zip(lines, made)])

    # A few examples for the report, the same ones after every epoch.

    def originals(self):
        """Return the held-out lines that a glimpse reconstructs."""
        return [detokenize(words) for words in self.data.lines_test[:GLIMPSED]]

    def glimpse(self):
        """Return a few reconstructions and samples as a dict of lists of lines.

        Reconstructions are greedy, samples are drawn at temperature 1. A model of single words has
        no reconstructions: its sample continues a text. The call does not influence training.
        """
        if not self.decodes:
            text = self.generate(0, seed_word=None, length=GLIMPSED_WORDS, temperature=None,
                                 top_k=None, top_p=None)
            return {"samples": [text]}
        z_mean = self.model.encode(self.x_test[:GLIMPSED])[0]
        return {"reconstructions": self.lines_of(z_mean, seed=0, temperature=0.0),
                "samples": self.sample_lines(GLIMPSED)}


def digest(source):
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(source.text.encode()).hexdigest()
