"""Texts: Tiny Shakespeare, about 40,000 lines of his plays, and any text file."""
import hashlib
import shlex
from dataclasses import dataclass

from ..errors import ScratchVAEError
from .catalogue import CATALOGUE
from .idx import is_page, read_content
from .sources import locate

SHAKESPEARE_BYTES = 1_115_394   # of the published file


@dataclass
class TextData:
    """A text as its file has it; scratchvae.text.clean makes it plain.

    Parameters
    ----------
    text : str
    description : str
        What the text is and where it comes from.
    complete : bool
        False if it is another text in place of a published one.
    """

    text: str
    description: str
    complete: bool


def load_shakespeare(data_dir=None):
    """Return Tiny Shakespeare (Karpathy 2015), plays as dialogues, as TextData.

    Without a directory it looks in the places that scratchvae.data.sources lists.
    """
    found = locate("shakespeare", data_dir)
    data_set = CATALOGUE["shakespeare"]
    (path,) = found.files.values()
    content = read_content(path)
    complete = hashlib.sha256(content).hexdigest() == data_set.sha256[0]
    if len(content) == SHAKESPEARE_BYTES and not complete:
        raise ScratchVAEError(f"{path}: has the size of the published file but not its content: "
                              "it is damaged, or another text")
    if is_page(content):
        raise ScratchVAEError(f"{path}: is a web page, not a text; download the file itself")
    text = decode(content, path)
    what = data_set.title if complete else f"a stand-in for {data_set.title}"
    return TextData(text, f"{what} ({len(text):,} characters), from {found.origin}", complete)


def load_text(path):
    """Return a text file in UTF-8, plain or gzipped, as TextData."""
    try:
        text = decode(read_content(path), path)
    except OSError as error:
        raise ScratchVAEError(f"{path}: cannot be read as a text file: {error.strerror}") from None
    return TextData(text, f"{path} ({len(text):,} characters)", True)


def decode(content, path):
    """Return bytes in UTF-8 as a str; the text must not be blank.

    Parameters
    ----------
    content : bytes
    path : path
        The name of the file, for error messages.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        kind = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "CP1252"
        convert = shlex.join(["iconv", "-f", kind, "-t", "UTF-8", str(path)])
        raise ScratchVAEError(f"{path}: not a text in UTF-8: byte 0x{content[error.start]:02x} at "
                              f"offset {error.start:,} ({error.reason}). If it is {kind}, this "
                              f"converts it: {convert} > utf8.txt") from None
    if not content:
        raise ScratchVAEError(f"{path}: is empty; it must hold a text")
    if not text.strip().strip("\ufeff"):
        raise ScratchVAEError(f"{path}: holds nothing but blanks; it must hold a text")
    return text
