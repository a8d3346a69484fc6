"""A run of a lab about text: its words, beside what every run has.

vocabulary.json    the words that the model knows         *.txt, *.md    what it wrote
speeches.json      who speaks how many lines in a play
"""
import hashlib
import json
from functools import cached_property

import numpy as np

from ..data import load_shakespeare, load_text
from ..errors import ScratchVAEError
from ..storage import read_json, write_text
from ..text import END, PADDING, UNKNOWN, Vocabulary, clean, detokenize, speeches, tokenize
from .run import Run

GLIMPSE_LINES = 3               # lines of each kind in a glimpse
GLIMPSE_WORDS = 20              # words in a glimpse of a model of single words


class TextRun(Run, kind="text"):
    """See Run."""

    @cached_property
    def source(self):
        """The text that the run is about, as its file has it."""
        if self.config.get("text"):
            source = load_text(self.config["text"])
        else:
            source = load_shakespeare(self.config["data_dir"])
        self.digest = hashlib.sha256(source.text.encode()).hexdigest()
        if self.config.get("text_sha256") not in (None, self.digest):
            raise ScratchVAEError(f"{self.folder}: was trained on another text than "
                                  f"{source.description}, so its indices mean other words; "
                                  "restore the text, or train anew")
        return source

    @cached_property
    def data(self):
        """The text as the lab's examples."""
        source = self.source
        settings = self.config["settings"]
        print(f"data: {source.description}", flush=True)
        self.text = clean(source.text)
        data = self.lab.read(self.text, settings)
        data.description = (f"{source.description}: {len(data.x_train):,} examples"
                            f"{_held_out(data)}, {len(data.vocabulary):,} words"
                            f"{_cut_off(data, settings)}")
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
        """The text's speeches, if it is a play: pairs of a speaker and a number of lines."""
        return read_json(self.folder / "speeches.json", list)

    def seed_word(self, word):
        """Return the index of a word to begin with."""
        if word in (PADDING, UNKNOWN, END):
            raise ScratchVAEError(f"seed word: {word} is not a word of the text")
        return self.vocabulary.index(word)

    def examples(self):
        """See ImageRun.examples."""
        data = self.data
        config = self.config
        limit = config["limit"]
        config["settings"]["vocabulary_size"] = len(data.vocabulary)
        config["data"] = data.description + (f"; the first {limit:,} used" if limit else "")
        config["complete"] = data.complete
        config["text_sha256"] = self.digest
        self.vocabulary = data.vocabulary
        self.speeches = [[speaker, len(spoken)] for speaker, spoken in speeches(self.text)]
        if data.cut_off:
            print(f"note: {data.cut_off:,} lines are longer than {config['settings']['steps']} "
                  "steps and are cut off; --set steps=... keeps them", flush=True)
        return [None if part is None else part[:limit]
                for part in (data.x_train, data.y_train, data.x_test)]

    def write_config(self):
        """Write config.json, and the words and speeches beside it."""
        super().write_config()
        words = json.dumps(self.vocabulary.words, ensure_ascii=False, indent=0)
        write_text(self.folder / "vocabulary.json", words + "\n")
        write_text(self.folder / "speeches.json",
                   json.dumps(self.speeches, ensure_ascii=False) + "\n")

    @property
    def x_test(self):
        """The held-out examples, at most --limit of them; those of training if there are none."""
        data = self.data
        examples = data.x_train if data.x_test is None else data.x_test
        return examples[:self.config["limit"]]

    def generate(self, seed, seed_word, length, **choice):
        """Return about `length` words of new text.

        Parameters
        ----------
        seed : int
        seed_word : str or None
            The word to begin with.
        length : int
        **choice
            temperature, top_k and top_p, each a number or None: how the next word is chosen.
        """
        return self.lab.generate(self, np.random.default_rng(seed), seed_word, length, **choice)

    def evaluate(self):
        """Return the lab's Measures, which evaluation.json then holds."""
        measures = self.lab.measure(self)
        self.write_evaluation({measure.name: vars(measure) for measure in measures})
        return measures

    def describe_evaluation(self, measures):
        """Yield what `evaluate` returned as lines for the terminal."""
        for m in measures:
            beside = "" if m.beside is None else f"(real: {m.beside:.4g}) "
            yield f"  {m.name:<37}{m.value:<10.4g}{beside}{m.meaning}"

    def glimpse(self):
        """Return a few reconstructions and samples: name -> list of lines.

        A model of single words has no reconstructions: its sample continues a text.
        """
        if not self.lab.lines_of:
            text = self.generate(0, None, GLIMPSE_WORDS, temperature=None, top_k=None, top_p=None)
            return {"samples": [text]}
        z_mean, _ = self.model.encode(self.x_test[:GLIMPSE_LINES])
        lines = self.lab.lines_of(self, z_mean, np.random.default_rng(0), temperature=0.0)
        return {"reconstructions": [detokenize(words) for words in lines],
                "samples": self.sample_lines(GLIMPSE_LINES)}

    def originals(self):
        """Return the lines that a glimpse reconstructs."""
        return [detokenize(words) for words in self.data.lines_test[:GLIMPSE_LINES]]

    image_shape = None          # examples are not images

    def in_words(self, example):
        """Return an example, indices of words, as text."""
        words = example[example != self.vocabulary.padding]
        return detokenize(self.vocabulary.decode(words))

    # Lines and latent points, for labs whose examples are lines.

    def example(self, line):
        """Return a line of text as the only example of a batch."""
        words = tokenize(clean(line))
        if len(self.unknown_words(line)) == len(words):
            raise ScratchVAEError(f"{line!r}: the model knows none of its words; "
                                  "write a line of words of the text")
        return self.lab.example(self.vocabulary, words, self.config["settings"])[np.newaxis]

    def unknown_words(self, line):
        """Return the words of a line of text that the model does not know."""
        return [word for word in tokenize(clean(line)) if word not in self.vocabulary]

    def lines_of(self, z, seed=None, temperature=None):
        """Return latent points (N, J) decoded as lines of text.

        Parameters
        ----------
        z : array (N, J)
        seed : int, optional
            Of the words that are drawn.
        temperature : float, optional
            Without it, the most probable lines are searched for.
        """
        rng = np.random.default_rng(seed)
        return [detokenize(words) for words in self.lab.lines_of(self, z, rng, temperature)]

    def variations(self, x, count, seed=0):
        """Return `count` lines near the example x: decoded from points z ~ q(z|x)."""
        z_mean, z_log_var = self.model.encode(x)
        eps = np.random.default_rng(seed).standard_normal((count, z_mean.shape[1]))
        return self.lines_of(z_mean + np.exp(z_log_var / 2) * eps.astype(z_mean.dtype))

    def interpolate(self, first, second, steps=7):
        """Return lines decoded on the straight path between the codes of two examples.

        Both ends are included.
        """
        a, b = (self.model.encode(x)[0] for x in (first, second))
        part = np.linspace(0, 1, steps, dtype=a.dtype)[:, np.newaxis]
        return self.lines_of((1 - part) * a + part * b)

    def sample_lines(self, count, seed=0, temperature=1.0):
        """Return `count` new lines, decoded from random points of the prior."""
        z = np.random.default_rng(seed).standard_normal((count, self.model.latent_dim))
        return self.lines_of(z.astype(self.model.dtype), seed, temperature)

    def draw_samples(self, count, seed=0):
        """Write `count` new lines to samples.txt; return the path."""
        return self.write("samples.txt", self.sample_lines(count, seed))

    def draw_reconstructions(self, count):
        """Write held-out lines, each above its reconstruction, to a file; return the path."""
        lines = [detokenize(words) for words in self.data.lines_test[:count]]
        z_mean, _ = self.model.encode(self.x_test[:count])
        pairs = zip(lines, self.lines_of(z_mean))
        return self.write("reconstructions.txt",
                          [f"{line}\n    -> {again}" for line, again in pairs])

    def write(self, name, lines):
        """Write lines to a file of the run; return its path."""
        path = self.folder / name
        write_text(path, "\n".join(lines) + "\n")
        return path


def _held_out(data):
    """Return how many examples are held out, as text."""
    return f", {len(data.x_test):,} held out" if data.x_test is not None else ""


def _cut_off(data, settings):
    """Return how many lines were too long, as text."""
    if not data.cut_off:
        return ""
    return (f"; {data.cut_off:,} lines were too long for {settings['steps']} steps and are "
            "cut off")
