"""Tokens of lines of text, as nltk splits them, without a table to download.

nltk takes a second to import, and more to try all its rules on the words of a play. What it made of
them is kept in the cache folder for the next process.
"""
import contextlib
import functools
import importlib.metadata
import json
import re

from ..errors import ScratchVAEError
from ..kernels import folders
from ..storage import read_json, write_text

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
CLOSING = re.compile(r"""[])}>"'»”’]+""")
PLAIN_WORD = re.compile(r"([A-Za-z]+)([.,:;!?]?)")
# The words of letters alone that nltk splits.
CONTRACTIONS = {"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"}
MOST_KEPT = 1 << 17             # words: some 6 MB


def tokenize(line):
    """Return the words and punctuation marks of a line: "We know't." -> ["We", "know't", "."].

    The line is split into sentences after . ! or ? and a blank, because a full stop is a token at
    the end of a sentence only. Each sentence gives the tokens of
    nltk.word_tokenize(sentence, preserve_line=True); nltk before 3.10.2 splits "'tis" otherwise.
    """
    sentences = [sentence.split() for sentence in SENTENCE_END.split(line)]
    return [token for words in sentences if words for token in _tokenize_sentence(words)]


def _tokenize_sentence(words):
    """Return the tokens of a sentence, given as the words between its blanks.

    nltk's rules see a single word, and whether it is the first or the last. The exception is a full
    stop before brackets or quotes at the end. So the tokens of each word are remembered, and nltk
    splits it only once.
    """
    if CLOSING.fullmatch(words[-1]):
        return _tokens()[" ".join(words)]
    last = len(words) - 1
    return [token for i, word in enumerate(words)
            for token in _tokenize_word(word, i == 0, i == last)]


@functools.lru_cache(maxsize=1 << 17)
def _tokenize_word(word, first, last):
    """Return the tokens of a word that is or is not the first and the last of its sentence."""
    # Letters, or letters and a mark (a full stop is the last of its sentence): nltk finds the same
    # after it has tried all its rules, which takes seconds for a play.
    plain = PLAIN_WORD.fullmatch(word)
    if plain and plain[1].lower() not in CONTRACTIONS:
        return [part for part in plain.groups() if part]
    before = [] if first else ["x"]
    after = [] if last else ["x"]
    tokens = _tokens()[" ".join([*before, word, *after])]
    return tokens[len(before):len(tokens) - len(after)]


@functools.cache
def _nltk():
    """Return nltk's function that splits a sentence."""
    from nltk.tokenize import NLTKWordTokenizer
    return NLTKWordTokenizer().tokenize


class _Tokens(dict):
    """sentence -> nltk's tokens, with those that earlier processes have kept in a file."""

    def __init__(self, path):
        self.path = path
        try:
            self.update(read_json(path, dict))
        except ScratchVAEError:         # no file, or a damaged one: it only saves time
            pass
        self.kept = len(self)

    def __missing__(self, sentence):
        tokens = _nltk()(sentence)
        if len(self) < MOST_KEPT:
            self[sentence] = tokens
        return tokens

    def keep(self):
        """Write the file, if that is possible and there is something new."""
        if len(self) > self.kept:
            self.kept = len(self)
            with contextlib.suppress(OSError, ScratchVAEError):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_text(self.path, json.dumps(self))


@functools.cache
def _tokens():
    """Return the tokens of this process; they depend on nltk's version."""
    return _Tokens(folders.tokens_home() / f"nltk-{importlib.metadata.version('nltk')}.json")


def keep_tokens():
    """Keep what nltk has made of all words so far for the next process."""
    _tokens().keep()
