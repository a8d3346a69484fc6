"""A run of a lab about text: its words beside what every run has.

vocabulary.json    the words that the model knows         *.txt, *.md    what it wrote
speeches.json      who speaks how many lines in a play
"""
import hashlib
import json
from functools import cached_property

import numpy as np

from ..data import load_shakespeare, load_text
from ..errors import ScratchVAEError
from .run import Run
from ..storage import read_json, write_text
from ..text import END, PADDING, UNKNOWN, Vocabulary, clean, detokenize, speeches, tokenize


class TextRun(Run):
    """See Run."""

    @cached_property
    def source(self):
        """The text that the run is about, as its file has it."""
        source = load_text(self.config["text"]) if self.config.get("text") else load_shakespeare(self.config["data_dir"])
        self.digest = hashlib.sha256(source.text.encode()).hexdigest()
        if self.config.get("text_sha256") not in (None, self.digest):
            raise ScratchVAEError(f"{self.folder} was trained on another text than {source.description}; its words would mean others")
        return source

    @cached_property
    def data(self):
        """The text as the lab's examples."""
        source, settings = self.source, self.config["settings"]
        print(f"data: {source.description}", flush=True)
        self.text = clean(source.text)
        data = self.lab.read(self.text, settings)
        held_out = f", {len(data.x_test):,} held out" if data.x_test is not None else ""
        cut_off = f"; {data.cut_off:,} lines were too long for {settings['steps']} steps and are cut off" if data.cut_off else ""
        data.description = f"{source.description}: {len(data.x_train):,} examples{held_out}, {len(data.vocabulary):,} words{cut_off}"
        data.complete = source.complete and not self.config.get("text")
        return data

    @cached_property
    def vocabulary(self):
        """The words that the model knows."""
        words = read_json(self.folder / "vocabulary.json", list)
        count = self.config["settings"]["vocabulary_size"]
        if not all(isinstance(word, str) for word in words) or len(words) != count:
            raise ScratchVAEError(f"{self.folder / 'vocabulary.json'}: damaged: not the {count:,} words that the model knows")
        return Vocabulary(words)

    @cached_property
    def speeches(self):
        """The text's speeches, if it is a play: pairs of the speaker and the number of lines."""
        return read_json(self.folder / "speeches.json", list)

    def seed_word(self, word):
        """The index of a word to begin with."""
        if word in (PADDING, UNKNOWN, END):
            raise ScratchVAEError(f"{word} is no word of the text; needed: a word to begin with")
        return self.vocabulary.index(word)

    def examples(self):
        """See Run."""
        data, config, limit = self.data, self.config, self.config["limit"]
        config["settings"]["vocabulary_size"] = len(data.vocabulary)
        config["data"], config["complete"] = data.description + (f"; the first {limit:,} used" if limit else ""), data.complete
        config["text_sha256"] = self.digest
        self.vocabulary = data.vocabulary
        self.speeches = [[speaker, len(spoken)] for speaker, spoken in speeches(self.text)]
        if data.cut_off:
            print(f"note: {data.cut_off:,} lines are longer than {config['settings']['steps']} steps and are cut off; --set steps=... keeps them",
                  flush=True)
        return [None if part is None else part[:limit] for part in (data.x_train, data.y_train, data.x_test)]

    def write_config(self):
        """Write config.json, and the words and speeches beside it."""
        super().write_config()
        write_text(self.folder / "vocabulary.json", json.dumps(self.vocabulary.words, ensure_ascii=False, indent=0) + "\n")
        write_text(self.folder / "speeches.json", json.dumps(self.speeches, ensure_ascii=False) + "\n")

    @property
    def x_test(self):
        """The examples held out, at most --limit of them; those of training if there are none."""
        data = self.data
        return (data.x_train if data.x_test is None else data.x_test)[:self.config["limit"]]

    def generate(self, seed, seed_word, length, temperature, top_k, top_p):
        """About `length` words of new text."""
        return self.lab.generate(self, np.random.default_rng(seed), seed_word, length, temperature, top_k, top_p)

    def evaluate(self):
        """The lab's Measures, also written to evaluation.json."""
        measures = self.lab.measure(self)
        write_text(self.folder / "evaluation.json", json.dumps({m.name: vars(m) for m in measures}, indent=2) + "\n")
        return measures

    # Lines and latent points, for labs whose examples are lines.

    def example(self, line):
        """A line of text as the only example of a batch."""
        words = tokenize(clean(line))
        if len(self.unknown_words(line)) == len(words):
            raise ScratchVAEError(f"{line!r}: no words that the model knows; needed: a line of text")
        return self.lab.example(self.vocabulary, words, self.config["settings"])[np.newaxis]

    def unknown_words(self, line):
        """The words of a line of text that the model doesn't know."""
        return [word for word in tokenize(clean(line)) if word not in self.vocabulary]

    def lines_of(self, z, seed=None, temperature=None):
        """Latent points (N, J) as lines of text; without a temperature the most probable ones, as far as they are found."""
        return [detokenize(words) for words in self.lab.lines_of(self, z, np.random.default_rng(seed), temperature)]

    def variations(self, x, count, seed=0):
        """`count` lines near that of the example x: decoded from points z ~ q(z|x)."""
        z_mean, z_log_var = self.model.encode(x)
        eps = np.random.default_rng(seed).standard_normal((count, z_mean.shape[1])).astype(z_mean.dtype)
        return self.lines_of(z_mean + np.exp(z_log_var / 2) * eps)

    def interpolate(self, first, second, steps=7):
        """Lines decoded from points on the straight way between the codes of two examples, both ends included."""
        a, b = (self.model.encode(x)[0] for x in (first, second))
        part = np.linspace(0, 1, steps, dtype=a.dtype)[:, np.newaxis]
        return self.lines_of((1 - part) * a + part * b)

    def draw_samples(self, count, seed=0):
        """`count` new lines from random points of the prior, written to samples.txt; returns the path."""
        return self.write("samples.txt", self.sample_lines(count, seed))

    def sample_lines(self, count, seed=0, temperature=1.0):
        """`count` new lines, decoded from random points of the prior."""
        z = np.random.default_rng(seed).standard_normal((count, self.model.latent_dim)).astype(self.model.dtype)
        return self.lines_of(z, seed, temperature)

    def draw_reconstructions(self, count):
        """Held-out lines, each above its reconstruction, written to reconstructions.txt; returns the path."""
        lines = [detokenize(words) for words in self.data.lines_test[:count]]
        made = self.lines_of(self.model.encode(self.x_test[:count])[0])
        return self.write("reconstructions.txt", [f"{line}\n    -> {again}" for line, again in zip(lines, made)])

    def write(self, name, lines):
        """Write lines to a file of the run; returns its path."""
        path = self.folder / name
        write_text(path, "\n".join(lines) + "\n")
        return path
