"""Pictures inside the page: as data URIs, so that it is one file."""
import base64
import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

TYPES = {".png": "image/png", ".gif": "image/gif"}


def data_uri(content, suffix=".png"):
    """The bytes of an image file as a URI."""
    return f"data:{TYPES[suffix]};base64,{base64.b64encode(content).decode()}"


def embedded(path):
    """An image file, as {"uri", "width", "height"} (pixels): with its size, a browser keeps its place while it is decoded."""
    content = Path(path).read_bytes()
    width, height = struct.unpack(">II", content[16:24]) if path.suffix == ".png" else struct.unpack("<HH", content[6:10])
    return {"uri": data_uri(content, path.suffix), "width": width, "height": height}


def row_of_images(examples):
    """Examples (N, ...) of one square grey image each, side by side, black on white, as the URI of a PNG."""
    side = round(np.sqrt(examples[0].size))
    images = np.pad(examples.reshape(-1, side, side), ((0, 0), (0, 0), (1, 1)))
    pixels = 255 - np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.concatenate(list(pixels), axis=1)).save(file, "PNG")
    return data_uri(file.getvalue())
