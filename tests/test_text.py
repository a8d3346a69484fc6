"""Tests of the preparation of text: from a file's text to padded indices, and back to text."""
import random
import time
from itertools import chain

import numpy as np
import pytest
from scratchvae.kernels import folders

from scratchvae.data import load_shakespeare, sources
from scratchvae.errors import ScratchVAEError
from scratchvae.text import (
    END,
    PADDING,
    UNKNOWN,
    Vocabulary,
    clean,
    detokenize,
    keep_tokens,
    lines,
    nltk_tokens,
    pad_sequences,
    speeches,
    split,
    tokenize,
)
from scratchvae.text.tokenize import SENTENCE_END
from scratchvae.text.tokenize import _tokenize_word as of_a_word

PLAY = """\
First Citizen:
We know't, we know't.
Let us kill him!

All:
No more talking on't; let it be done: away, away!
"""


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", ""),
        (" \n\t\r\n", ""),
        ("word", "word"),
        (PLAY, PLAY.strip()),
        ("\ufeffa\r\nb\rc\n", "a\nb\nc"),
        ("a\x00b\x1b[c\x7f", "ab[c"),
        ("a\tb \u00a0\u2003 c  \n  d", "a b c\nd"),
        ("a\n \n\n\n\nb", "a\n\nb"),
        ("‘’Tis’ “so” – he said—and… ‐", "''Tis' \"so\" - he said--and... -"),
        ("cafe\u0301 ", "caf\u00e9"),
        ("soft\u00adly\u200b", "softly"),
        ("e\u200b\u0301", "\u00e9"),
    ],
)
def test_clean(text, expected):
    assert clean(text) == expected == clean(expected)


def test_what_project_gutenberg_adds_is_stripped():
    begin = "*** START OF THE PROJECT GUTENBERG EBOOK HAMLET,\r\nPRINCE OF DENMARK ***\r\n"
    end = "\r\n*** END OF THE PROJECT GUTENBERG EBOOK HAMLET ***\r\nLicence"
    book = f"The Project Gutenberg eBook\r\n\r\n{begin}\r\nTo be.\r\n{end}"
    assert clean(book) == "To be."
    assert clean(book + "\r\n\r\n" + book.replace("To be", "Or not")) == "To be.\n\nOr not."
    small_print = "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*"
    older = f"Small print\n{small_print}\nTo be.\nEnd of Project Gutenberg's Hamlet"
    assert clean(older) == "To be."
    sentence = "It was the end of Project Gutenberg, and no mark."
    assert clean(sentence) == sentence


def test_lines_and_speeches():
    assert lines(PLAY) == [
        "We know't, we know't.",
        "Let us kill him!",
        "No more talking on't; let it be done: away, away!",
    ]
    assert speeches(PLAY) == [("First Citizen", lines(PLAY)[:2]), ("All", lines(PLAY)[2:])]
    assert speeches("Prose.\n\nA:\n\nB:\nHe said:\nnothing.\n") == [("B", ["He said:", "nothing."])]
    from_windows = PLAY.replace("\n", "\r\n")
    assert lines(from_windows) == lines(PLAY)
    assert speeches(from_windows) == speeches(PLAY)
    assert lines("") == lines(" \n:") == speeches("") == []
    assert lines("one") == ["one"]


@pytest.mark.parametrize(
    "line, words",
    [
        ("", ""),
        ("  ", ""),
        ("word", "word"),
        ("We know't, sir.", "We know't , sir ."),
        ("We know't. Sir?", "We know't . Sir ?"),
        ("I can't; cannot!", "I ca n't ; can not !"),
        ("'Tis the soldiers' king's.", "' Tis the soldiers ' king 's ."),
        ("die--rather", "die -- rather"),
        ('He said "go." And', "He said `` go. '' And"),
        ("at 3.5 p.m. (now) ...", "at 3.5 p.m . ( now ) ..."),
        ("a\t b\r\n", "a b"),
    ],
)
def test_tokenize(line, words):
    assert tokenize(line) == words.split()


def test_tokens_are_those_of_nltk():
    from nltk.tokenize import word_tokenize

    rng = random.Random(0)
    words = "'s n't 'll can not wanna gonna 'tis d'ye more'n '' `` -- ...".split()
    parts = [*"abns'\"`.,:;!?()[]<>-*$&%1«»“”‘’–", *words, *9 * " "]
    for _ in range(5000):
        line = "".join(rng.choices(parts, k=rng.randint(1, 14)))
        expected = [
            word_tokenize(" ".join(sentence.split()), preserve_line=True)
            for sentence in SENTENCE_END.split(line)
        ]
        assert tokenize(line) == list(chain(*expected)), line


@pytest.fixture
def begin(monkeypatch):
    """Return a function that forgets all tokens, as a new process would; it may have no nltk."""
    def start(has_nltk):
        nltk_tokens._memory.cache_clear()
        of_a_word.cache_clear()
        if not has_nltk:
            monkeypatch.setattr(nltk_tokens, "_nltk", lambda: pytest.fail("nltk is asked again"))
    start(has_nltk=True)
    yield start
    start(has_nltk=True)


def test_tokens_are_kept_for_the_next_process(begin):
    line = 'I can\'t say "go." Cannot we?'
    words = tokenize(line)
    keep_tokens()
    begin(has_nltk=False)
    assert tokenize(line) == words
    with pytest.raises(pytest.fail.Exception, match="asked again"):
        tokenize("I won't.")


@pytest.mark.parametrize("damage", [
    pytest.param(lambda content: b"", id="empty"),
    pytest.param(lambda content: content[:-30], id="cut short"),
    pytest.param(lambda content: content.replace(b"'ll", b"'LL"), id="a word changed"),
])
def test_kept_tokens_that_are_damaged_are_made_anew(damage, begin):
    words = ["so", "I", "'ll", "go"]
    assert tokenize("so I'll go") == words
    keep_tokens()
    path, = folders.tokens_home().iterdir()
    content = path.read_bytes()
    path.write_bytes(damage(content))
    assert path.read_bytes() != content
    begin(has_nltk=True)
    assert tokenize("so I'll go") == words
    keep_tokens()
    begin(has_nltk=False)
    assert tokenize("so I'll go") == words


def test_tokens_that_cannot_be_kept_are_no_reason_to_stop(begin, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(folders, "tokens_home", lambda: tmp_path / "file" / "tokens")
    assert tokenize("I can't.") == ["I", "ca", "n't", "."]
    keep_tokens()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "word",
        "We know't, we know't.",
        "I can't, and you cannot: he won't.",
        "'Tis true, and 'twas so; bring 'em!",
        "One--two,--three--",
        "He said, \"go home,\" and (then) left.",
        "Cry, 'all hail!' to me?",
        "The soldiers' arms o' the king's men.",
        "'Lo, thus,' quoth he, 'we'll die.'",
        "It costs $5, or 10%.",
        "We gonna; d'ye?",
    ],
)
def test_detokenize_brings_the_text_back(text):
    assert detokenize(tokenize(text)) == text


def test_detokenize_in_the_form_of_older_tokenizers():
    older = ["So", "'t", "is", ",", "and", "ca", "n't", "'t", "was", "?"]
    assert detokenize(older) == "So 'tis, and can't 'twas?"
    assert detokenize(iter(["a", UNKNOWN, "!"])) == "a <unk>!"


SEQUENCES = [["b", "a", "c"], ["a", "b", "thou"], ["thee"]]


def test_vocabulary_is_in_a_fixed_order():
    assert Vocabulary.build(SEQUENCES).words == (PADDING, UNKNOWN, "a", "b", "c", "thee", "thou")
    assert Vocabulary.build(SEQUENCES[::-1]).words == Vocabulary.build(SEQUENCES).words
    assert Vocabulary.build(SEQUENCES, specials=(END,), min_count=2).words == (END, "a", "b")
    assert Vocabulary.build(SEQUENCES, max_size=4).words == (PADDING, UNKNOWN, "a", "b")
    assert Vocabulary.build([[PADDING, "a"]], specials=(PADDING,)).words == (PADDING, "a")
    message = (
        r"^vocabulary: none of the text's 5 different words is kept "
        r"\(min_count=3, max_size=None, 2 specials\)$"
    )
    with pytest.raises(ScratchVAEError, match=message):
        Vocabulary.build(SEQUENCES, min_count=3)
    for arguments in (
        {"sequences": []},
        {"sequences": SEQUENCES, "max_size": 2},
        {"sequences": SEQUENCES, "max_size": 1},
        {"sequences": SEQUENCES, "max_size": 0},
    ):
        with pytest.raises(ScratchVAEError, match="is kept"):
            Vocabulary.build(**arguments)


def test_vocabulary_encodes_and_decodes():
    vocabulary = Vocabulary.build(SEQUENCES)
    assert len(vocabulary) == 7
    assert "thou" in vocabulary
    assert "you" not in vocabulary
    assert (vocabulary.padding, vocabulary.unknown, vocabulary.end) == (0, 1, None)
    assert vocabulary.index("b") == 3
    indices = vocabulary.encode(["thou", "you", "a"])
    assert indices.dtype == np.int32
    assert indices.tolist() == [6, 1, 2]
    assert vocabulary.decode(indices) == ["thou", UNKNOWN, "a"]
    assert vocabulary.encode([]).shape == (0,)
    assert vocabulary.decode([]) == []
    assert Vocabulary(list(vocabulary.words)).words == vocabulary.words


def test_errors_of_a_vocabulary():
    vocabulary = Vocabulary.build(SEQUENCES, specials=(END,))
    assert vocabulary.unknown is None
    assert vocabulary.end == 0
    message = "^'thous' is not among the 6 words of the vocabulary; similar: 'thou'$"
    with pytest.raises(ScratchVAEError, match=message):
        vocabulary.index("thous")
    with pytest.raises(ScratchVAEError, match=message):
        vocabulary.encode(["a", "thous"])
    message = "^'xyzzy' is not among the 6 words of the vocabulary$"
    with pytest.raises(ScratchVAEError, match=message):
        vocabulary.index("xyzzy")
    for index in (6, -1):
        message = f"^vocabulary: the index of a word must be from 0 to 5, got {index}$"
        with pytest.raises(ScratchVAEError, match=message):
            vocabulary.decode(np.array([0, index]))
    message = "^vocabulary: each word must occur once, got 'a' 2 times$"
    with pytest.raises(ScratchVAEError, match=message):
        Vocabulary(["b", "a", "a"])


@pytest.mark.parametrize(
    "padding, truncating, expected",
    [  # what keras.utils.pad_sequences gives
        ("pre", "pre", [[0, 0, 0], [0, 0, 1], [2, 3, 4], [6, 7, 8]]),
        ("post", "pre", [[0, 0, 0], [1, 0, 0], [2, 3, 4], [6, 7, 8]]),
        ("pre", "post", [[0, 0, 0], [0, 0, 1], [2, 3, 4], [5, 6, 7]]),
        ("post", "post", [[0, 0, 0], [1, 0, 0], [2, 3, 4], [5, 6, 7]]),
    ],
)
def test_padding_and_truncation_as_in_keras(padding, truncating, expected):
    padded = pad_sequences([[], [1], [2, 3, 4], np.array([5, 6, 7, 8])], 3, padding, truncating)
    assert padded.dtype == np.int32
    assert padded.tolist() == expected


def test_padding_of_no_sequences_and_with_another_value():
    assert pad_sequences([], 3).shape == (0, 3)
    assert pad_sequences([[1]], 3, value=9).tolist() == [[9, 9, 1]]
    assert pad_sequences([[1, 2]], 3).tolist() == [[0, 1, 2]]
    assert pad_sequences(([1, 2],), 3, "pre").tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"padding": "left"}, "^pad_sequences: padding must be one of pre, post, got 'left'$"),
        ({"truncating": "both"}, "^pad_sequences: truncating must be one of pre, post, got 'both'"),
        ({"length": 0}, "^pad_sequences: length must be a positive integer, got 0$"),
    ],
)
def test_errors_of_padding(arguments, message):
    with pytest.raises(ScratchVAEError, match=message):
        pad_sequences([[1]], **{"length": 3, **arguments})


def test_split():
    items = list("abcdefghij")
    train, validation = split(items)
    assert len(train) == 8
    assert len(validation) == 2
    assert sorted(train + validation) == items
    assert train == sorted(train)
    assert split(items) == (train, validation)
    assert split(items, seed=43) != (train, validation)
    rows = np.arange(20).reshape(10, 2)
    assert [part.shape for part in split(rows, 0.5)] == [(5, 2), (5, 2)]
    assert [items[row[0] // 2] for row in split(rows)[1]] == validation
    for fraction in (0.01, 0.99):
        assert [len(part) for part in split("ab", fraction)] == [1, 1]


def test_errors_of_a_split():
    items = list("abcdefghij")
    for count in (0, 1):
        message = f"^split: at least 2 examples are needed .*, got {count}$"
        with pytest.raises(ScratchVAEError, match=message):
            split(items[:count])
    for fraction in (0, 1, -0.5):
        message = f"^split: validation must be a number above 0 and below 1, got {fraction}$"
        with pytest.raises(ScratchVAEError, match=message):
            split(items, fraction)


def test_a_large_text_is_prepared_in_reasonable_time():
    text = "\n".join(f"{PLAY}The {i % 5000}th line, 'tis said -- and so on." for i in range(20_000))
    start = time.perf_counter()
    words = [tokenize(line) for line in lines(clean(text))]
    Vocabulary.build(words)
    assert len(words) == 80_000
    assert time.perf_counter() - start < 30


@pytest.fixture
def real_shakespeare():
    """Return Tiny Shakespeare if it is on this machine already; skip the test otherwise."""
    if not any(
        sources.files_in(folder, "shakespeare")
        for folder, _ in sources.local_folders("shakespeare")
    ):
        pytest.skip("no text of Shakespeare is on this machine")
    data = load_shakespeare()
    if not data.complete:
        pytest.skip("Tiny Shakespeare is not on this machine")
    return data.text


def test_constants_of_tiny_shakespeare(real_shakespeare):
    text = clean(real_shakespeare)
    assert clean(text) == text
    spoken = lines(text)
    words = [tokenize(line) for line in spoken]
    train = [line for i, line in enumerate(words) if i % 10]
    held_out = words[::10]
    vocabulary = Vocabulary.build(train, specials=(UNKNOWN,), min_count=2)
    unknown = [word not in vocabulary for word in chain(*held_out)]
    assert len(spoken) == 24_015
    assert len(speeches(text)) == 7_097
    assert len(vocabulary) - 1 == 6_419
    assert np.mean(unknown) == pytest.approx(0.051, abs=0.0005)
    assert len(unknown) + len(held_out) == 24_684
    restored = [detokenize(line) == original for line, original in zip(words, spoken)]
    assert np.mean(restored) > 0.995
