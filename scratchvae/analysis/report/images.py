"""Images as data URIs, so that the page is a single file."""
import base64
import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

TYPES = {".png": "image/png", ".gif": "image/gif"}


def data_uri(content, suffix=".png"):
    """Return the bytes of an image file as a data URI.

    Parameters
    ----------
    content : bytes
    suffix : {".png", ".gif"}, default ".png"

    Returns
    -------
    str
    """
    return f"data:{TYPES[suffix]};base64,{base64.b64encode(content).decode()}"


def embedded(path):
    """Return an image file as {"uri", "width", "height"}, the size in pixels.

    A browser that knows the size reserves the place of an image before it has decoded it.
    """
    content = Path(path).read_bytes()
    if path.suffix == ".png":
        width, height = struct.unpack(">II", content[16:24])
    else:
        width, height = struct.unpack("<HH", content[6:10])
    return {"uri": data_uri(content, path.suffix), "width": width, "height": height}


def row_of_images(examples):
    """Return square grey images (N, ...) in a row, black on white, as the data URI of a PNG."""
    side = round(np.sqrt(examples[0].size))
    images = np.pad(examples.reshape(-1, side, side), ((0, 0), (0, 0), (1, 1)))
    pixels = 255 - np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.concatenate(list(pixels), axis=1)).save(file, "PNG")
    return data_uri(file.getvalue())
