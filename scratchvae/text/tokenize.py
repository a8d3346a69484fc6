"""Lines of text in words, as nltk splits them, with no table to download."""

import functools
import re

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
CLOSING = re.compile(r"""[])}>"'»”’]+""")
CONTRACTIONS = {
    "cannot",
    "gimme",
    "gonna",
    "gotta",
    "lemme",
    "wanna",
}  # words of letters alone that nltk splits


def tokenize(line):
    """The words and punctuation marks of a line, a list of str, in their case: "We know't, sir." ->
    We know't , sir .

    Each sentence gives what nltk.word_tokenize(sentence, preserve_line=True) gives (before nltk
    3.10.2, "'tis" was split
    otherwise).  A full stop is parted from its word at the end of a sentence only, so the line is
    split into sentences first:
    after . ! ? with a blank behind.
    """
    return [
        token
        for sentence in SENTENCE_END.split(line)
        if sentence.strip()
        for token in _tokenize_sentence(sentence.split())
    ]


def _tokenize_sentence(words):
    """The tokens of a sentence, of which the words between blanks are given.

    nltk's rules look at a word alone and at whether it is the first or last, but for a full stop
    before brackets or quotes that
    end the sentence.  So all is remembered by word, which gives the same and takes nltk's time once
    for each word.
    """
    if CLOSING.fullmatch(words[-1]):
        return _nltk()(" ".join(words))
    last = len(words) - 1
    return [
        token for i, word in enumerate(words) for token in _tokenize_word(word, i == 0, i == last)
    ]


@functools.lru_cache(maxsize=1 << 17)
def _tokenize_word(word, first, last):
    if word.isascii() and word.isalpha() and word.lower() not in CONTRACTIONS:
        return [
            word
        # as nltk would say after trying all its rules: that takes seconds for the words of a play
        ]
    tokens = _nltk()(f"{'' if first else 'x '}{word}{'' if last else ' x'}")
    return tokens[0 if first else 1 : None if last else -1]


@functools.cache
def _nltk():
    """nltk's function that splits a sentence.

    It is loaded when first needed: that takes a second.
    """
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer().tokenize
