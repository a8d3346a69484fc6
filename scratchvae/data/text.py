"""Texts: Tiny Shakespeare, about 40,000 lines of his plays, and whatever file one has."""

import hashlib
from dataclasses import dataclass

from ..errors import ScratchVAEError
from .catalogue import CATALOGUE
from .idx import read_content
from .sources import locate

SHAKESPEARE_BYTES = 1_115_394  # of the published file


@dataclass
class TextData:
    """A text as its file has it (scratchvae.text.clean makes it plain).

    description says what this is and where it came from; complete is False if it stands in for a
    published text.
    """

    text: str
    description: str
    complete: bool


def load_shakespeare(data_dir=None):
    """Tiny Shakespeare (Karpathy 2015):

    plays as dialogues.  scratchvae.data.sources says where it is looked for.
    """
    found = locate("shakespeare", data_dir)
    data_set = CATALOGUE["shakespeare"]
    (path,) = found.files.values()
    content = read_content(path)
    complete = hashlib.sha256(content).hexdigest() == data_set.sha256[0]
    if len(content) == SHAKESPEARE_BYTES and not complete:
        raise ScratchVAEError(
            f"{path}: has the size of the published file but not its content: damaged, or another "
            "text"
        )
    text = decode(content, path)
    what = data_set.title if complete else f"a stand-in for {data_set.title}"
    return TextData(text, f"{what} ({len(text):,} characters), from {found.origin}", complete)


def load_text(path):
    """Any text file in UTF-8, gzipped or not."""
    try:
        text = decode(read_content(path), path)
    except OSError as error:
        raise ScratchVAEError(f"{path}: can't be read as a text file: {error.strerror}") from None
    return TextData(text, f"{path} ({len(text):,} characters)", True)


def decode(content, path):
    """The text that bytes in UTF-8 hold, which must not be blank; `path` is for errors."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ScratchVAEError(
            f"{path}: not a text in UTF-8: byte 0x{content[error.start]:02x} at offset "
            f"{error.start:,} "
            f"({error.reason})"
        ) from None
    if not text.strip().strip("\ufeff"):
        raise ScratchVAEError(
            f"{path}: "
            + (
                "holds nothing but blanks; needed: a text"
                if content
                else "is empty; needed: a text"
            )
        )
    return text
