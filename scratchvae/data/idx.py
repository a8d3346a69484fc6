"""The IDX format of MNIST: a magic number, big-endian sizes, then bytes; plain or gzipped."""
import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from ..errors import ScratchVAEError

UNSIGNED_BYTES = 0x08           # the third byte of the magic number: the type of an element
GZIP = b"\x1f\x8b"


def read_content(path):
    """Return the bytes of a file, uncompressed if it is gzipped."""
    content = Path(path).read_bytes()
    if not content.startswith(GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ScratchVAEError(f"{path}: damaged or truncated gzip file ({error})") from None


def is_page(content):
    """Return whether bytes are a web page: what a browser saves in place of a file."""
    start = content[:1000].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or b"<html" in start


def parse_idx(content, path):
    """Return the array of unsigned bytes that an IDX file holds.

    Parameters
    ----------
    content : bytes
        The uncompressed file.
    path : path
        The name of the file, for error messages.

    Returns
    -------
    uint8 array

    Raises
    ------
    ScratchVAEError
        If the content is not an IDX file of bytes, or is truncated.
    """
    header, shape = read_header(content, len(content), path)
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def map_idx(path):
    """Return the array of an IDX file that is not gzipped; it stays on the disk."""
    with open(path, "rb") as file:
        start = file.read(1024)
    header, shape = read_header(start, Path(path).stat().st_size, path)
    return np.memmap(path, np.uint8, "r", header, shape)


def read_header(start, length, path):
    """Return the size of an IDX file's header in bytes, and the shape of its array.

    Parameters
    ----------
    start : bytes
        The file, or as much of its beginning as the header may take.
    length : int
        The size of the whole file in bytes.
    path : path
        The name of the file, for error messages.

    Returns
    -------
    (int, tuple of int)

    Raises
    ------
    ScratchVAEError
        If the file is not an IDX file of bytes, or is truncated.
    """
    if is_page(start):
        raise ScratchVAEError(f"{path}: is a web page, not an IDX file; download the file itself")
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != UNSIGNED_BYTES:
        raise ScratchVAEError(f"{path}: not an IDX file of bytes "
                              f"(it begins with {start[:4].hex(' ') or 'nothing'})")
    axes = start[3]
    header = 4 + 4 * axes
    shape = ()
    if len(start) >= header:
        shape = tuple(np.frombuffer(start, ">u4", axes, 4).tolist())
    size = header + math.prod(shape)
    if length != size:
        raise ScratchVAEError(f"{path}: truncated or damaged: its header announces {size} bytes "
                              f"for an array of shape {shape}, got {length}")
    return header, shape


def write_idx(path, array):
    """Write an array of numbers from 0 to 255 as a gzipped IDX file."""
    header = bytes([0, 0, UNSIGNED_BYTES, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    Path(path).write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))
