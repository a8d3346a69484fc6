"""The IDX format of MNIST and its kin:

a magic number, big-endian sizes, then bytes; as it is or gzipped.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from ..errors import ScratchVAEError

UNSIGNED_BYTES = 0x08  # the third byte of the magic number: the type of an element


def read_content(path):
    """The bytes of a file, uncompressed if it is gzipped."""
    content = Path(path).read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ScratchVAEError(f"{path}: damaged or truncated gzip file ({error})") from None


def parse_idx(content, path):
    """The array of unsigned bytes that the content of an IDX file holds; `path` is for errors."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTES:
        raise ScratchVAEError(
            f"{path}: not an IDX file of bytes (it begins with {content[:4].hex(' ') or 'nothing'})"
        )
    axes = content[3]
    header = 4 + 4 * axes
    shape = tuple(np.frombuffer(content, ">u4", axes, 4).tolist()) if len(content) >= header else ()
    if len(content) != header + math.prod(shape):
        raise ScratchVAEError(
            f"{path}: truncated or damaged: {len(content)} bytes, where its header promises "
            f"{header + math.prod(shape)} for an array of shape {shape}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def write_idx(path, array):
    """Write an array of unsigned bytes, gzipped."""
    header = bytes([0, 0, UNSIGNED_BYTES, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    Path(path).write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))
