"""Plain text from a text file: uniform line breaks, blanks, quotes and dashes; lines; speeches."""
import re
import unicodedata

CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
BREAKS = dict.fromkeys(map(ord, "\n\v\f\x85\u2028\u2029"), "\n")
BLANKS = dict.fromkeys([*map(ord, "\t\u00a0\u1680\u202f\u205f\u3000"), *range(0x2000, 0x200B)], " ")
PUNCTUATION = {
    "'": "‘’‚‛′",
    '"': "“”„‟″",
    "-": "‐‑‒–−",
    "--": "—―",
    "...": "…",
    "s": "ſ",
    "": "\ufeff\u00ad\u200b",           # byte order mark, soft hyphen, zero-width space
}
PLAIN = CONTROLS | BREAKS | BLANKS | {
    ord(character): plain for plain, characters in PUNCTUATION.items() for character in characters}
RUNS_OF_BLANKS = re.compile(" {2,}")
EMPTY_LINES = re.compile(r"\n{3,}")
EMPTY_LINE = re.compile(r"\n\s*\n")
BOOK_BEGINS = re.compile(
    r"\*{3} ?START OF TH(?:E|IS) PROJECT GUTENBERG[^*]*\*{3}|\*END\*THE SMALL PRINT![^\n]*",
    re.IGNORECASE)
BOOK_ENDS = re.compile(r"^(?:\*{3} ?)?END OF (?:THE |THIS )?PROJECT GUTENBERG",
                       re.IGNORECASE | re.MULTILINE)


def clean(text):
    """Return a text in plain characters, composed Unicode (NFC) and tidy lines.

    Lines end in "\\n", blanks are single, and at most one line in a row is empty. Quotes and dashes
    become ASCII. Byte order marks, control characters and soft hyphens are removed. Of Project
    Gutenberg's files only the books remain, without the licence before and after each. Clean text
    is returned unchanged.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", text.translate(PLAIN))
    text = RUNS_OF_BLANKS.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n")
    books = BOOK_BEGINS.split(text)[1:] or [text]
    text = "\n\n".join(BOOK_ENDS.split(book, maxsplit=1)[0] for book in books)
    return EMPTY_LINES.sub("\n\n", text).strip()


def lines(text):
    """Return the lines of a text, stripped, without empty ones and without the names of speakers.

    A line that ends in a colon is taken as the name of a speaker.
    """
    return [line for line in map(str.strip, text.splitlines()) if line and not line.endswith(":")]


def speeches(text):
    """Return the speeches of a play as pairs (speaker, list of lines).

    A speech is a paragraph whose first line is "SPEAKER:". The text must be clean.
    """
    found = []
    for paragraph in EMPTY_LINE.split(text):
        first, *spoken = paragraph.strip().splitlines() or [""]
        if first.endswith(":") and spoken:
            found.append((first[:-1], spoken))
    return found
