"""Text as it comes, made plain; and its lines, and its speeches if it is a play."""

import re
import unicodedata

CONTROLS = {code: None for code in [*range(0x20), *range(0x7F, 0xA0)]}
BREAKS = dict.fromkeys(map(ord, "\n\v\f\x85\u2028\u2029"), "\n")
BLANKS = dict.fromkeys(
    map(ord, "\t\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))), " "
)
PLAIN = (
    CONTROLS
    | BREAKS
    | BLANKS
    | str.maketrans(
        {
            "‘": "'",
            "’": "'",
            "‚": "'",
            "‛": "'",
            "′": "'",
            "“": '"',
            "”": '"',
            "„": '"',
            "‟": '"',
            "″": '"',
            "…": "...",
            "‐": "-",
            "‑": "-",
            "‒": "-",
            "–": "-",
            "−": "-",
            "—": "--",
            "―": "--",
            "ſ": "s",
            "\ufeff": None,
            "\u00ad": None,
            "\u200b": None,
        }
    )
)
RUNS_OF_BLANKS = re.compile(" {2,}")
EMPTY_LINES = re.compile(r"\n{3,}")
BOOK_BEGINS = re.compile(
    r"\*{3} ?START OF TH(?:E|IS) PROJECT GUTENBERG[^*]*\*{3}|\*END\*THE SMALL PRINT![^\n]*",
    re.IGNORECASE,
)
BOOK_ENDS = re.compile(
    r"^(?:\*{3} ?)?END OF (?:THE |THIS )?PROJECT GUTENBERG", re.IGNORECASE | re.MULTILINE
)


def clean(text):
    """The text in Unicode's composed form (NFC), in lines ended by "\\n", with single blanks and at
    most one empty line in a row.

    Quotes and dashes become plain ones; a byte order mark, control characters and soft hyphens go;
    of Project Gutenberg's
    files, what stands before and after the marked beginning and end of each book goes too.  Clean
    text comes out as it is.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", text.translate(PLAIN))
    text = RUNS_OF_BLANKS.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n")
    books = BOOK_BEGINS.split(text)[1:] or [text]
    text = "\n\n".join(BOOK_ENDS.split(book, maxsplit=1)[0] for book in books)
    return EMPTY_LINES.sub("\n\n", text).strip()


def lines(text):
    """The lines of a text that have words, stripped:

    those that end in a colon are left out, as the names of speakers in plays do.
    """
    return [line for line in map(str.strip, text.splitlines()) if line and not line.endswith(":")]


def speeches(text):
    """The speeches of a play as pairs (speaker, [lines]):

    the clean text's paragraphs that begin with a line "SPEAKER:".
    """
    paragraphs = [paragraph.strip().splitlines() for paragraph in re.split(r"\n\s*\n", text)]
    return [
        (speaker[:-1], spoken)
        for speaker, *spoken in filter(None, paragraphs)
        if speaker.endswith(":") and spoken
    ]
