"""Tokens of lines of text, as nltk splits them, without a table to download."""
import functools
import re

from .nltk_tokens import nltk_tokens

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
CLOSING = re.compile(r"""[])}>"'»”’]+""")
PLAIN_WORD = re.compile(r"([A-Za-z]+)([.,:;!?]?)")
# The words of letters alone that nltk splits.
CONTRACTIONS = {"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"}


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
        return nltk_tokens(" ".join(words))
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
    tokens = nltk_tokens(" ".join([*before, word, *after]))
    return tokens[len(before):len(tokens) - len(after)]
