"""Images as data URIs, so that the page is a single file."""
import base64
import io
import struct
from pathlib import Path

from PIL import Image

from ..pictures import as_bytes, as_images, pad, tile

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
    """Return images (N, ...) in a row, grey ones black on white, as the data URI of a PNG."""
    row = tile(pad(as_images(examples), right=(1, 1)), len(examples))
    file = io.BytesIO()
    Image.fromarray(as_bytes(row)).save(file, "PNG")
    return data_uri(file.getvalue())
