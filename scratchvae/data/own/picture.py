"""One picture of any mode and size, as bytes: grey or colour."""
from collections import Counter

import numpy as np
from PIL import Image, ImageOps

ORIENTATION = 0x0112            # the tag of EXIF
GREY = {"1", "L", "LA", "La", "I", "F"}
TURNED = (5, 6, 7, 8)           # orientations that exchange height and width


class Converter:
    """Turns pictures into arrays of one number of channels, and counts what it did.

    Parameters
    ----------
    size : (int, int) or None
        Height and width. None keeps those of the picture.
    channels : {1, 3}
    """

    def __init__(self, size, channels):
        self.size = size
        self.channels = channels
        self.counts = Counter()

    def __call__(self, image):
        """Return a picture as a uint8 array (height, width, channels)."""
        done = []
        if self.size:
            # A JPEG can be decoded at a fraction of its size, which is much faster.
            image.draft(None, (2 * max(self.size), 2 * max(self.size)))
        if getattr(image, "is_animated", False):
            done.append("with several frames (the first is used)")
        if orientation(image) != 1:
            done.append("turned as their EXIF data say")
            image = ImageOps.exif_transpose(image)
        if image.mode == "P":
            done.append("with a palette")
        if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
            done.append("with transparency (put on white)")
            image = on_white(image)
        if image.mode.startswith("I") or image.mode == "F":
            done.append("of more than 8 bits (scaled to 8)")
            image = eight_bits(image)
        mode = "L" if self.channels == 1 else "RGB"
        if image.mode not in ("P", mode):
            done.append(f"of mode {image.mode} (converted to {mode})")
        image = image.convert(mode)
        if self.size and image.size != self.size[::-1]:
            done.append("of other sizes (cut to the aspect around the centre, resized)")
            # This filter never makes numbers larger or smaller than those around them.
            image = ImageOps.fit(image, self.size[::-1], Image.Resampling.HAMMING)
        self.counts.update(done)
        return np.asarray(image).reshape(image.height, image.width, self.channels)

    def notes(self):
        """Return a list with a line that counts the conversions, empty if there were none."""
        counts = ", ".join(f"{count:,} {what}" for what, count in self.counts.most_common())
        return [f"converted: {counts}"] if counts else []


def orientation(image):
    """Return the orientation that the EXIF data of a picture give, 1 if it is upright.

    Those of a PNG file may stand behind the pixels, which would have to be decoded.
    """
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return image.getexif().get(ORIENTATION, 1)


def shown_size(image):
    """Return the height and width of a picture after it is turned."""
    return image.size if orientation(image) in TURNED else image.size[::-1]


def is_colour(image):
    """Return whether a picture is in colour, without decoding it."""
    mode = image.mode
    if mode == "P" and image.palette and image.palette.mode == "RGB":
        red, green, blue = (image.palette.palette[channel::3] for channel in range(3))
        return not red == green == blue
    return mode not in GREY and not mode.startswith("I;")


def on_white(image):
    """Return a picture with transparency as an opaque one on white."""
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def eight_bits(image):
    """Return a grey picture of 16 bits, or of floating-point numbers, with 8 bits."""
    numbers = np.nan_to_num(np.asarray(image, np.float32))
    if image.mode != "F":
        numbers = numbers / 257
    elif numbers.max() <= 1:
        numbers = numbers * 255
    return Image.fromarray(np.rint(numbers.clip(0, 255)).astype(np.uint8))
