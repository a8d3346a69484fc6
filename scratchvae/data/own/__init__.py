"""Images of one's own, in files of many kinds, as ImageData.

pictures.py    a folder of pictures            tables.py    a CSV file of pixels
arrays.py      .npy and .npz                   cifar.py     CIFAR's archives
idx_files.py   the IDX files of MNIST, EMNIST, KMNIST

Each returns a Collection. picture.py converts a single picture; collection.py makes ImageData.
"""
import tarfile
from pathlib import Path

from ... import checks
from ...errors import ScratchVAEError
from .arrays import read_npy, read_npz
from .cifar import is_cifar, read_cifar
from .idx_files import is_idx, read_idx
from .pictures import read_pictures
from .tables import read_table

ALLOWED = ("a folder of pictures (PNG, JPEG, GIF, BMP, TIFF), .npy, .npz, IDX files, a .csv of "
           "pixels, or an archive of CIFAR")


def load_own(path, size=None, grey=False):
    """Return images of one's own, kept as bytes.

    Parameters
    ----------
    path : path
        A folder of pictures, whose subfolders are classes; an .npy or .npz file; a folder of IDX
        files, or one of them; a CSV file of pixels; an archive of CIFAR, packed or not.
    size : int or (int, int), optional
        Height and width: pictures are cut to this aspect around their centre, and resized. By
        default all pictures must have the same size.
    grey : bool, default False
        Whether to convert colour to grey.

    Returns
    -------
    ImageData
        Where the files do not name a part that tests, a sixth of the images does, drawn with seed
        0. The order is shuffled, with seed 0, too.

    Raises
    ------
    ScratchVAEError
        If nothing there can be read, or the pictures differ in size.
    """
    path = Path(path)
    if size is not None:
        size = checks.pair("load_images", "size", size)
    if not path.exists():
        raise ScratchVAEError(f"{path}: no such file or folder; images can be {ALLOWED}")
    return reader(path)(path, size, grey).as_data(path.resolve().name)


def reader(path):
    """Return the function (path, size, grey) -> Collection that reads this kind of files."""
    name = path.name.lower()
    if is_cifar(path):
        return read_cifar
    if is_idx(path):
        return read_idx
    if path.is_dir():
        return read_pictures
    for suffix, function in ((".npy", read_npy), (".npz", read_npz), (".csv", read_table),
                             (".csv.gz", read_table)):
        if name.endswith(suffix):
            return function
    hint = "; unpack it, and name the folder" if is_archive(path) else ""
    raise ScratchVAEError(f"{path}: not a kind of images that can be read{hint}. Allowed: "
                          f"{ALLOWED}")


def is_archive(path):
    """Return whether a file is a .zip or .tar archive."""
    return path.suffix.lower() == ".zip" or tarfile.is_tarfile(path)
