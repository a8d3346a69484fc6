"""Images of one's own: files of every kind, conversions, and labs that learn from them."""
import gzip
import json
import pickle
import re
import sys
import tarfile

import numpy as np
import pytest
from helpers import is_picture
from PIL import Image

from scratchvae import labs
from scratchvae.batches import Batches
from scratchvae.data import Images, load_images
from scratchvae.data.idx import write_idx
from scratchvae.data.own import cifar
from scratchvae.errors import ScratchVAEError

IMAGE_LABS = [name for name, lab in labs.LABS.items() if lab.kind == "images"]
FAST = {                        # settings that make training quick
    "mnist-dense": "intermediate_dim=8",
    "mnist-conv": "filters=2",
    "mnist-latent8": "filters=2",
    "fashion-autoencoder": "filters=2",
    "fashion-conv": "filters=2",
    "mnist-batchnorm": "latent_dim=2",
    "shapes-beta": "filters=2",
    "mnist-batchnorm-deep": "latent_dim=2",
}
MODES = ("L", "RGB", "P", "RGBA", "LA", "CMYK", "1", "I;16")


def picture(rng, mode="RGB", size=(8, 8)):
    """A random picture of a mode, with the height and width of `size`."""
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, size, dtype=np.uint16))
    image = Image.fromarray(rng.integers(0, 256, (*size, 4), dtype=np.uint8))
    return image.convert("RGB").quantize(16) if mode == "P" else image.convert(mode)


def folder_of(folder, rng, count=12, classes=("cat", "dog"), **options):
    """A folder of pictures with a subfolder for each class."""
    for i in range(count):
        place = folder / classes[i % len(classes)] if classes else folder
        place.mkdir(parents=True, exist_ok=True)
        picture(rng, **options).save(place / f"{i:03d}.png")
    return folder


def mixed_folder(folder, rng, count):
    """A folder of pictures of all modes, many sizes and two types, two of them broken."""
    for i in range(count):
        mode = MODES[i % len(MODES)]
        place = folder / str(i % 3)
        place.mkdir(parents=True, exist_ok=True)
        suffix = "jpg" if mode in ("CMYK", "L") else "png"
        size = tuple(rng.integers(9, 40, 2))
        picture(rng, mode, size).save(place / f"{i:03d}.{suffix}")
    (folder / "0" / "broken.png").write_bytes(b"not a picture")
    whole = (folder / "0" / "000.jpg").read_bytes()
    (folder / "0" / "cut.jpg").write_bytes(whole[:len(whole) // 2])
    return folder


def everything(data):
    """All images of ImageData as bytes, sorted, so that their order does not matter."""
    return sorted(np.asarray(image * 255).round().astype(np.uint8).tobytes()
                  for part in (data.x_train, data.x_test) for image in np.asarray(part))


def same_images(data, pixels):
    """Whether ImageData hold these images (N, height, width, channels), in any order."""
    return everything(data) == sorted(np.uint8(image).tobytes() for image in pixels)


# Chosen images.

def test_chosen_images_are_like_an_array(rng):
    pixels = rng.integers(0, 256, (30, 4, 3), dtype=np.uint8)
    rows = rng.permutation(30)[:20]
    x = Images(pixels, rows)
    expected = np.divide(pixels[rows], np.float32(255))
    assert (len(x), x.shape, x.size) == (20, (20, 4, 3), 240)
    for part, numbers in ((x, expected), (x[3:9], expected[3:9]), (x[::-2], expected[::-2]),
                          (x.reshape(-1, 12), expected.reshape(-1, 12)),
                          (x.reshape((20, 3, 4)), expected.reshape(20, 3, 4))):
        assert part.shape == numbers.shape and np.shares_memory(part.pixels, pixels)
        np.testing.assert_array_equal(np.asarray(part), numbers)
    for index in (3, -1, [3, 1], np.arange(20) > 10, (slice(None), 2), (4, 1), ([1, 2], 0, 2)):
        np.testing.assert_array_equal(x[index], expected[index])
    taken = np.empty((5, 4, 3), np.float32)
    Batches(x, "float32").take(np.arange(5, 10), taken)
    np.testing.assert_array_equal(taken, expected[5:10])
    assert (x.min(), x.max()) == (expected.min(), expected.max())
    with pytest.raises(ScratchVAEError, match="keep their number when .*, 20, got 7"):
        x.reshape(7, -1)


# A folder of pictures.

def test_a_folder_is_read_and_divided(tmp_path, rng):
    folder = folder_of(tmp_path / "pets", rng, 13)
    data = load_images(folder)
    assert isinstance(data.x_train, Images)
    assert (data.x_train.shape, data.x_test.shape) == ((10, 8, 8, 3), (3, 8, 8, 3))
    assert data.description == ("own images from pets (10 to train, 3 to test), 8 x 8, in colour, "
                                "the test images drawn with seed 0")
    assert data.classes == ("cat", "dog") and not data.complete
    for x, y in data:
        for image, label in zip(np.asarray(x), y):
            (found,) = [path for path in folder.rglob("*.png") if np.array_equal(
                np.asarray(Image.open(path)), np.rint(image * 255))]
            assert found.parent.name == data.classes[label]
    assert data.notes == ()
    again = load_images(str(folder))
    assert again.sha256 == data.sha256
    np.testing.assert_array_equal(np.asarray(again.x_test), np.asarray(data.x_test))
    folder_of(folder, np.random.default_rng(1), 1)
    assert load_images(folder).sha256 != data.sha256


@pytest.mark.parametrize("classes", [(), ("only",)])
def test_labels_are_optional(tmp_path, rng, classes):
    data = load_images(folder_of(tmp_path, rng, classes=classes))
    assert (data.y_train, data.y_test, data.classes) == (None, None, ())


def test_folders_name_the_parts(tmp_path, rng):
    folder_of(tmp_path / "a" / "Train", rng, 8)
    folder_of(tmp_path / "a" / "test", rng, 4, classes=("dog", "cow"))
    folder_of(tmp_path / "a" / "val", rng, 2)
    data = load_images(tmp_path)            # a single folder within it is passed through
    assert (len(data.x_train), len(data.x_test)) == (8, 4)
    assert data.classes == ("cat", "cow", "dog")
    assert sorted(data.y_test.tolist()) == [1, 1, 2, 2]
    assert data.notes == ("ignored: 2 outside the folders train and test",)
    assert data.description.endswith("(8 to train, 4 to test), 8 x 8, in colour")


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_each_mode_is_converted(tmp_path, rng, mode, grey):
    pictures = [picture(rng, mode, (6, 9)) for _ in range(3)]
    for i, image in enumerate(pictures):
        image.save(tmp_path / f"{i}.{'tiff' if mode == 'CMYK' else 'png'}")
    data = load_images(tmp_path, grey=grey)
    in_colour = mode in ("RGB", "P", "RGBA", "CMYK") and not grey
    assert data.x_train.shape[1:] == (6, 9, 3 if in_colour else 1)
    expected = []
    for image in pictures:
        if mode == "I;16":
            image = Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
        if mode in ("RGBA", "LA"):
            levels = np.asarray(image.convert("RGBA"), float)
            alpha = levels[..., 3:] / 255
            image = Image.fromarray(np.rint(alpha * levels[..., :3] + 255 * (1 - alpha))
                                    .astype(np.uint8))
        expected.append(np.asarray(image.convert("RGB" if in_colour else "L"), float))
    shown = sorted(np.asarray(part).reshape(-1).tolist()
                   for part in (*data.x_train, *data.x_test))
    for image, other in zip(shown, sorted((array / 255).reshape(-1).tolist()
                                          for array in expected)):
        assert np.abs(np.subtract(image, other)).max() < 2.5 / 255
    assert len(data.notes) == (mode not in ("L", "RGB") or (grey and mode == "RGB"))
    if mode == "I;16":
        assert data.notes == ("converted: 3 of more than 8 bits (scaled to 8)",)


def test_a_palette_of_greys_is_grey(tmp_path, rng):
    for i in range(3):
        picture(rng, "L").convert("P").save(tmp_path / f"{i}.png")
    data = load_images(tmp_path)
    assert data.x_train.shape[3] == 1
    assert data.notes == ("converted: 3 with a palette",)


def test_pictures_are_turned_as_their_camera_says(tmp_path, rng):
    stored = picture(rng, size=(4, 6))
    for orientation in (1, 3, 6):
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = {1: stored, 3: stored.rotate(180), 6: stored.rotate(90, expand=True)}
        turned[orientation].save(tmp_path / f"{orientation}.png", exif=exif)
    data = load_images(tmp_path)
    assert same_images(data, [np.asarray(stored)] * 3)
    assert data.notes == ("converted: 2 turned as their EXIF data say",)


def test_the_first_frame_of_an_animation_counts(tmp_path, rng):
    frames = [picture(rng, "L") for _ in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    frames[1].save(tmp_path / "b.bmp")
    data = load_images(tmp_path)
    assert same_images(data, [np.asarray(frame) for frame in frames[:2]])
    assert data.notes == ("converted: 1 with several frames (the first is used), "
                          "1 with a palette",)


@pytest.mark.parametrize("size, shape", [(4, (4, 4)), ((4, 6), (4, 6)), ([5, 3], (5, 3))])
def test_pictures_are_cut_around_their_centre_and_resized(tmp_path, size, shape):
    for i, (height, width) in enumerate(((16, 40), (40, 16), (4, 6))):
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[height // 4:-height // 4, width // 4:-width // 4] = (200, 100, 50)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    with pytest.raises(ScratchVAEError, match=r"the pictures have 3 sizes, height x width: "
                                              r"16 x 40 \(1\), .*; all must have one. --size 32 "):
        load_images(tmp_path)
    data = load_images(tmp_path, size=size)
    assert data.x_train.shape[1:] == (*shape, 3)
    for image in (*np.asarray(data.x_train), *np.asarray(data.x_test)):
        middle = image[shape[0] // 2, shape[1] // 2] * 255
        assert np.abs(middle - (200, 100, 50)).max() < 30
    (note,) = data.notes
    assert re.fullmatch(r"converted: \d of other sizes \(cut to the aspect around the centre, "
                        r"resized\)", note)


def test_what_cannot_be_read_is_named_and_counted(tmp_path, rng, monkeypatch):
    folder = folder_of(tmp_path / "a", rng, 12)
    (folder / "cat" / "bad.png").write_bytes(b"nothing")
    (folder / "cat" / "empty.jpg").write_bytes(b"")
    whole = (folder / "cat" / "000.png").read_bytes()
    (folder / "cat" / "cut.png").write_bytes(whole[:-40])
    picture(rng, size=(40, 40)).save(folder / "dog" / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for name in (".hidden.png", "notes.txt", "Thumbs.db"):
        (folder / name).write_bytes(b"")
    (folder / "dog" / "again").symlink_to(folder)
    data = load_images(folder)
    assert len(data.x_train) + len(data.x_test) == 12
    broken, ignored = data.notes
    assert broken.startswith("4 of 16 pictures cannot be read: bad.png (not a picture), ")
    assert broken.count("(") == 3 and broken.endswith(", ...")
    assert ignored == "ignored: 1 hidden, 2 of other types"
    assert same_images(data, [np.asarray(Image.open(path)) for path in folder.glob("*/0*.png")])
    for path in folder.rglob("0*.png"):
        path.unlink()
    with pytest.raises(ScratchVAEError, match=r"none of its 4 pictures can be read: bad.png \(not"):
        load_images(folder)


def test_pictures_in_and_beside_subfolders_have_no_classes(tmp_path, rng):
    folder_of(tmp_path, rng)
    folder_of(tmp_path, rng, 3, classes=())
    data = load_images(tmp_path)
    assert data.y_train is None
    assert data.notes == ("some pictures lie in subfolders and some do not, so they have no "
                          "classes",)


def test_links_in_a_circle_end(tmp_path, rng):
    for name in ("a", "b"):
        folder_of(tmp_path / name, rng, 4, classes=())
    (tmp_path / "a" / "b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "a").symlink_to(tmp_path / "a")
    data = load_images(tmp_path)
    assert len(data.x_train) + len(data.x_test) == 16       # each folder, and as seen by the other


@pytest.mark.parametrize("name, content, message", [
    ("empty", None, "no pictures there, and no other kind of images; pictures end in .bmp, .gif"),
    ("x.zip", b"PK", "not a kind of images that can be read; unpack it, and name the folder. "),
    ("x.doc", b"..", "not a kind of images that can be read. Allowed: a folder of pictures "),
])
def test_what_holds_no_images_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ScratchVAEError, match=re.escape(message)):
        load_images(path)
    with pytest.raises(ScratchVAEError, match="nowhere: no such file or folder; images can be a "):
        load_images(tmp_path / "nowhere")


# Arrays.

def test_a_file_of_bytes_stays_on_the_disk(tmp_path, rng):
    pixels = rng.integers(0, 256, (20, 4, 6, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    data = load_images(tmp_path / "x.npy")
    assert isinstance(data.x_train.pixels.base, np.memmap)
    assert np.shares_memory(data.x_train.pixels, data.x_test.pixels)
    assert same_images(data, pixels)
    assert len(data.x_test) == 4 and data.notes == ()


@pytest.mark.parametrize("convert, shape", {
    "grey": (lambda x: x[..., 0], (6, 6, 1)),
    "one channel": (lambda x: x[..., :1], (6, 6, 1)),
    "channels first": (lambda x: np.moveaxis(x, 3, 1), (6, 6, 3)),
    "flat": (lambda x: x.reshape(20, -1), (6, 6, 3)),
    "flat grey": (lambda x: x[..., 0].reshape(20, -1), (6, 6, 1)),
    "[0, 1]": (lambda x: (x / 255).astype(np.float32), (6, 6, 3)),
    "[-1, 1]": (lambda x: x / 127.5 - 1, (6, 6, 3)),
    "floats": (lambda x: x.astype(np.float16), (6, 6, 3)),
    "16 bits": (lambda x: x.astype(np.uint16) * 257, (6, 6, 3)),
    "int64": (lambda x: x.astype(np.int64), (6, 6, 3)),
    "Fortran": (np.asfortranarray, (6, 6, 3)),
}.values())
def test_arrays_of_any_form_are_images(tmp_path, rng, convert, shape):
    pixels = rng.integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    given = convert(pixels)
    np.save(tmp_path / "x.npy", given)
    np.savez_compressed(tmp_path / "x.npz", given)
    for name in ("x.npy", "x.npz"):
        data = load_images(tmp_path / name)
        assert data.x_train.shape[1:] == shape
        assert same_images(data, pixels[..., :shape[2]])
        assert len(data.notes) == (given.dtype != np.uint8)


def test_truth_values_and_zeros_and_ones_are_black_and_white(tmp_path, rng):
    pixels = rng.integers(0, 2, (20, 5, 4), dtype=np.uint8)
    for given in (pixels, pixels > 0):
        np.save(tmp_path / "x.npy", given)
        assert same_images(load_images(tmp_path / "x.npy"), 255 * pixels[..., np.newaxis])


def test_arrays_are_resized_turned_grey_and_put_on_white(tmp_path, rng):
    pixels = np.full((7, 8, 12, 4), (200, 100, 50, 255), np.uint8)
    pixels[0, ..., 3] = 0
    np.save(tmp_path / "x.npy", pixels)
    data = load_images(tmp_path / "x.npy", size=4)
    assert same_images(data, [np.full((4, 4, 3), 255)] + 6 * [np.full((4, 4, 3), (200, 100, 50))])
    data = load_images(tmp_path / "x.npy", grey=True)
    grey = Image.new("RGB", (1, 1), (200, 100, 50)).convert("L").getpixel((0, 0))
    assert data.x_train.shape[1:] == (8, 12, 1)
    assert {int(v) for v in np.unique(np.rint(np.asarray(data.x_train) * 255))} <= {grey, 255}
    assert data.notes == ("converted: 7 with transparency (put on white), "
                          "7 of mode RGB (converted to L)",)


@pytest.mark.parametrize("names", [("x_train", "y_train", "x_test", "y_test"),
                                   ("train_images", "train_labels", "test_images", "test_labels")])
def test_npz_files_name_their_parts(tmp_path, rng, names):
    pixels = rng.integers(0, 256, (12, 5, 4), dtype=np.uint8)
    labels = np.arange(12)[:, None] % 3 + 5
    np.savez(tmp_path / "a.npz", **dict(zip(names, (pixels[:8], labels[:8], pixels[8:],
                                                    labels[8:]))))
    data = load_images(tmp_path / "a.npz")
    assert (data.x_train.shape, data.x_test.shape) == ((8, 5, 4, 1), (4, 5, 4, 1))
    assert data.classes == ("5", "6", "7")
    for x, y, first in ((data.x_train, data.y_train, 0), (data.x_test, data.y_test, 8)):
        for image, label in zip(np.asarray(x), y):
            number = next(i for i in range(first, 12)
                          if np.array_equal(np.rint(image[..., 0] * 255), pixels[i]))
            assert number % 3 == label


def test_npz_files_with_other_names_are_understood(tmp_path, rng):
    pixels = rng.integers(0, 256, (12, 5, 4), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", pictures=pixels, kind=np.array(["b", "a"] * 6))
    assert load_images(tmp_path / "a.npz").classes == ("a", "b")
    np.savez(tmp_path / "b.npz", one=pixels, two=pixels)
    with pytest.raises(ScratchVAEError, match=r"must hold one array of images, or x_train and "
                                              r"x_test, got one \(12, 5, 4\), two \(12, 5, 4\)"):
        load_images(tmp_path / "b.npz")


@pytest.mark.parametrize("array, message", [
    (np.zeros(5), r"images must have shape \(N, height, width\), .*, got \(5,\)"),
    (np.zeros((5, 7)), r"images must have shape .*, got \(5, 7\)"),
    (np.zeros((2, 3, 4, 5, 6)), r"images must have shape .*, got \(2, 3, 4, 5, 6\)"),
    (np.full((5, 4, 4), -300), r"must lie in \[0, 1\], .*, got \[-300, -300\]"),
    (np.full((5, 4, 4), np.nan), "the images hold NaN or infinite numbers"),
    (np.full((5, 4, 4), "a"), "images must be numbers, got <U1 dtype"),
    (np.full((5, 4, 4), {}), "damaged, or not an array of numbers"),
    (np.ones((1, 4, 4)), "need at least 2 images, got 1"),
])
def test_other_arrays_are_refused(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ScratchVAEError, match=message):
        load_images(tmp_path / "x.npy")


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.csv", "x.csv.gz", "cifar.tar.gz",
                                  "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
def test_damaged_files_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x93NUMPY nonsense")
    with pytest.raises(ScratchVAEError, match=re.escape(name)):
        load_images(tmp_path / name)


# IDX.

@pytest.mark.parametrize("name", ["", "emnist-letters-"])
@pytest.mark.parametrize("gzipped", [True, False])
def test_idx_files_are_read(tmp_path, rng, gzipped, name):
    test = "test" if name else "t10k"
    pixels = rng.integers(0, 256, (12, 6, 5), dtype=np.uint8)
    labels = np.arange(12) % 3 + 1
    for part, chosen in (("train", slice(8)), (test, slice(8, 12))):
        for what, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            path = tmp_path / f"{name}{part}-{what}-ubyte.gz"
            write_idx(path, array[chosen])
            if not gzipped:
                path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
                path.unlink()
    if name:
        (tmp_path / f"{name}mapping.txt").write_text("1 65 97\n2 66 98\n3 67\n")
    for path in (tmp_path, next(tmp_path.glob("*train-images*"))):
        data = load_images(path)
        assert (len(data.x_train), len(data.x_test)) == (8, 4)
        assert data.classes == (("Aa", "Bb", "C") if name else ("1", "2", "3"))
        upright = pixels.swapaxes(1, 2) if name else pixels
        assert same_images(data, upright[..., np.newaxis])
    if not gzipped and not name:
        assert isinstance(data.x_train.pixels.base, np.memmap)


def test_a_folder_of_several_idx_sets_is_refused(tmp_path, rng):
    for name in ("emnist-digits-", "emnist-letters-"):
        write_idx(tmp_path / f"{name}train-images-idx3-ubyte.gz",
                  rng.integers(0, 256, (4, 5, 5)))
    with pytest.raises(ScratchVAEError, match="holds 2 sets; name one of the files: emnist-digits-"
                                              "train-images-idx3-ubyte.gz, emnist-letters-"):
        load_images(tmp_path)
    data = load_images(tmp_path / "emnist-letters-train-images-idx3-ubyte.gz")
    assert len(data.x_train) == 3 and data.y_train is None


# CSV.

@pytest.mark.parametrize("header, columns, channels", [
    ("label," + ",".join(f"pixel{i}" for i in range(16)), (0, slice(1, None)), 1),
    (",".join(f"{i}x{j}" for i in range(4) for j in range(4)), (None, slice(None)), 1),
    ("", (0, slice(1, None)), 1),
    ("", (None, slice(None)), 1),
    ("id,label," + ",".join(f"p{i}" for i in range(16)), (1, slice(2, None)), 1),
    (",".join(f"pixel{i:04d}" for i in range(48)) + ",label", (48, slice(48)), 3),
])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_table_of_pixels_is_read(tmp_path, rng, suffix, header, columns, channels):
    label, places = columns
    pixels = rng.integers(0, 256, (12, 4, 4, channels), dtype=np.uint8)
    width = 16 * channels + (0 if label is None else 1) + header.startswith("id")
    table = np.zeros((12, width), int)
    table[:, 0] = 1000 + np.arange(12)
    table[:, places] = pixels.reshape(12, -1)
    if label is not None:
        table[:, label] = np.arange(12) % 3
    lines = [header] * bool(header) + [",".join(map(str, row)) for row in table]
    path = tmp_path / f"x{suffix}"
    (gzip.open if suffix.endswith("gz") else open)(path, "wb").write("\n".join(lines).encode())
    data = load_images(path)
    assert same_images(data, pixels)
    assert data.classes == (() if label is None else ("0", "1", "2"))


@pytest.mark.parametrize("content, message", [
    ("", "holds no line of pixels"),
    ("label,a,b,c\n1,2,3,4\n2,3,4,5\n", "must be the pixels of square images, .* got 4 columns: "),
    ("label,a,b,c,d\n1,2,3,4,5\n1,2,3\n", "lines must be numbers, all of them as many"),
    ("label,a,b,c,d\n1,2,3,4,x\n", "lines must be numbers, all of them as many"),
])
@pytest.mark.filterwarnings("error")
def test_other_tables_are_refused(tmp_path, content, message):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ScratchVAEError, match=message):
        load_images(tmp_path / "x.csv")


# CIFAR.

def write_cifar(folder, rng, fine, binary):
    """The files of a small CIFAR; returns the images of the training and of the test part."""
    folder.mkdir()
    images = {}
    names = [f"name{i}" for i in range(4)]
    train = ("train",) if fine else ("data_batch_1", "data_batch_2")
    test = "test" if fine else "test_batch"
    for name in (*train, test):
        pixels = rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
        images.setdefault("test" if name == test else "train", []).append(pixels)
        data = np.moveaxis(pixels, 3, 1).reshape(6, -1)
        labels = [0, 1, 2, 3, 0, 1]
        if binary:
            columns = [np.array(labels, np.uint8)[:, None]] * (2 if fine else 1)
            (folder / f"{name}.bin").write_bytes(np.hstack([*columns, data]).tobytes())
        else:
            key = "fine_labels" if fine else "labels"
            (folder / name).write_bytes(pickle.dumps({"data": data, key: labels}, protocol=2))
    if binary:
        meta = "fine_label_names.txt" if fine else "batches.meta.txt"
        (folder / meta).write_text("\n".join(names) + "\n")
    else:
        key = "fine_label_names" if fine else "label_names"
        meta = "meta" if fine else "batches.meta"
        (folder / meta).write_bytes(pickle.dumps({key: names}))
    return {part: np.concatenate(found) for part, found in images.items()}


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("fine", [False, True])
def test_cifar_is_read(tmp_path, rng, fine, binary):
    folder = tmp_path / "batches"
    images = write_cifar(folder, rng, fine, binary)
    archive = tmp_path / "cifar.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, "cifar/batches")
    for path in (folder, archive):
        data = load_images(path)
        assert (len(data.x_train), len(data.x_test)) == (6 if fine else 12, 6)
        assert same_images(data, np.concatenate(list(images.values())))
        assert data.classes == ("name0", "name1", "name2", "name3")
        first = np.asarray(data.x_test[:1])[0]
        number = next(i for i in range(6)
                      if np.array_equal(np.rint(first * 255), images["test"][i]))
        assert data.y_test[0] == number % 4


def test_a_pickle_of_python_2_is_read(tmp_path):
    """As CIFAR's are: text is bytes there, and arrays have the module's old name."""
    data = np.arange(2 * 3072, dtype=np.uint8).reshape(2, 3072)
    written = pickle.dumps({b"data": data, b"labels": [1, 2]}, protocol=2)
    written = written.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    made = cifar.unpickled(written)
    np.testing.assert_array_equal(made[b"data"], data)


@pytest.mark.parametrize("content", [
    {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]},
    {b"data": np.zeros((2, 3071), np.uint8), b"labels": [1, 2]},
    {b"data": [1, 2], b"labels": [1, 2]},
    {b"other": 1},
    [1, 2],
])
def test_other_pickles_are_refused(tmp_path, content):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(content))
    with pytest.raises(ScratchVAEError, match="data_batch_1 is damaged, or not of CIFAR"):
        load_images(tmp_path)


def test_cifar_has_one_order_whatever_that_of_its_archive(tmp_path, rng):
    write_cifar(tmp_path / "a", rng, fine=False, binary=True)
    checksums = set()
    for number, order in enumerate((1, -1)):
        with tarfile.open(tmp_path / f"cifar-{number}.tar", "w") as file:
            for path in sorted((tmp_path / "a").iterdir())[::order]:
                file.add(path, path.name)
        checksums.add(load_images(tmp_path / f"cifar-{number}.tar").sha256)
    assert len(checksums) == 1


class Attack:
    def __reduce__(self):
        return sys.exit, (7,)


def test_a_pickle_that_asks_for_a_program_is_refused(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({b"data": Attack()}))
    with pytest.raises(ScratchVAEError, match=r"data_batch_1 is damaged, or not of CIFAR \(asks "
                                              r"for sys.exit; only arrays are allowed\)"):
        load_images(tmp_path)


# Labs.

@pytest.mark.parametrize("shape", [(32, 32, 3), (9, 14, 1), (5, 4, 3), (1, 2, 1)])
@pytest.mark.parametrize("name", IMAGE_LABS)
def test_every_lab_takes_images_of_every_shape(rng, name, shape):
    lab = labs.get(name)
    small = {key: value for key, value in lab.small_settings.items() if key != "side"}
    settings = lab.settings | small | {"shape": shape}
    model = lab.make_model(settings)
    model.build(lab.shape(settings))
    x = Images(rng.integers(0, 256, (6, *shape), dtype=np.uint8))
    model.fit(x, batch_size=3, progress=False)
    assert model.reconstruct(x).shape == x.shape


def test_a_network_that_would_be_too_large_is_refused():
    lab = labs.get("mnist-latent8")
    with pytest.raises(ScratchVAEError, match=r"^mnist-latent8: for images of 64 x 64 x 3 its last "
                                              r"layer would have 805,306,368 weights, .*--size "
                                              r"\d\d is possible, or another lab$"):
        lab.make_model(lab.settings | {"shape": (64, 64, 3)})


@pytest.mark.slow
@pytest.mark.parametrize("name, grey", [
    *((name, False) for name in IMAGE_LABS if name != "mnist-batchnorm-deep"),  # mnist-batchnorm's
    ("mnist-dense", True), ("mnist-conv", True)])       # network, with more filters
@pytest.mark.usefixtures("coarse_figures")
def test_labs_learn_from_a_folder(run, tmp_path, rng, name, grey):
    mixed_folder(tmp_path / "my pets.v2", rng, 40)
    options = ["--grey"] if grey else []
    code, output, errors = run("train", name, "--images", "my pets.v2", "--size", "13x10",
                               "--epochs", 1, "--batch-size", 16, "--set", FAST[name], *options)
    assert code == 0, errors
    folder = tmp_path / "runs" / f"{name}-my-pets"
    channels = 1 if grey else 3
    config = json.loads((folder / "config.json").read_text())
    assert config["images"] == str(tmp_path / "my pets.v2")
    assert (config["size"], config["shape"]) == ([13, 10], [13, 10, channels])
    assert config["data"].startswith("own images from my pets.v2 (33 to train, 7 to test), 13 x 10")
    assert "note: 2 of 42 pictures cannot be read: broken.png (not a picture), cut.jpg (" in output
    assert output.count("note: converted: ") == 1
    assert "reference" not in output
    assert all(is_picture(path) for path in (folder / "figures").glob("*.png"))
    page = (folder / "report.html").read_text()
    assert "on your own images" in page and "the images are your own" in page
    for command in ("evaluate", "reconstruct", "plot", "explore", "score", "trace"):
        code, output, errors = run(command, f"runs/{name}-my-pets")
        assert code == 0, errors


@pytest.fixture
def trained(run, tmp_path, rng):
    """A run of images without labels, in tmp_path / "runs/mnist-dense-faces"."""
    folder_of(tmp_path / "faces", rng, 24, classes=(), size=(6, 9))
    train_on(run, "faces")
    return tmp_path / "runs" / "mnist-dense-faces"


def train_on(run, path, *options, lab="mnist-dense"):
    """Train a lab on images for an epoch; returns the output."""
    code, output, errors = run("train", lab, "--images", path, "--epochs", 1, "--set", FAST[lab],
                               *options)
    assert code == 0, errors
    return output


def test_images_without_labels_are_drawn_and_explored(run, trained):
    config = json.loads((trained / "config.json").read_text())
    assert config["data"] == ("own images from faces (20 to train, 4 to test), 6 x 9, in colour, "
                              "the test images drawn with seed 0")
    assert {path.stem for path in (trained / "figures").iterdir()} == {
        "loss_curves", "latent_scatter", "manifold", "reconstructions", "samples"}
    assert run("explore", trained)[0] == 0
    code, _, errors = run("score", trained)
    assert code == 0, errors
    assert (trained / "scores.csv").read_text().startswith("index,score\n0,")
    assert '"classes": []' in (trained / "explore.html").read_text()


def test_a_run_is_resumed_and_says_when_its_images_changed(run, trained, tmp_path, rng):
    resume = ("train", "mnist-dense", "--resume", trained, "--epochs", 2)
    code, output, errors = run(*resume)
    assert code == 0 and "epoch 2:" in output, errors
    for path in (tmp_path / "faces").iterdir():
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    code, output, errors = run("evaluate", trained)
    assert code == 0 and "these are not the data of the training" in output
    code, output, errors = run(*resume[:-1], 3)
    assert code == 1 and "was trained with data" in errors
    code, _, errors = run(*resume, "--size", "4")
    assert code == 2 and "--size cannot be changed" in errors
    for path in (tmp_path / "faces").iterdir():
        picture(rng, size=(5, 9)).save(path)
    code, _, errors = run("evaluate", trained)
    assert code == 1 and errors.endswith(
        f"was trained on images of height, width and channels [6, 9, 3], but {tmp_path}/faces "
        "holds images of [5, 9, 3]; restore them, or train anew\n")


def test_images_that_have_moved_are_named_again(run, trained, tmp_path):
    (tmp_path / "faces").rename(tmp_path / "moved")
    code, _, errors = run("plot", trained)
    assert code == 1 and "faces: no such file or folder" in errors
    code, _, errors = run("plot", trained, "--data-dir", tmp_path)
    assert code == 1 and errors.endswith("if the place has moved, name it with --images\n")
    for command in ("plot", "evaluate", "explore", "trace"):
        code, output, errors = run(command, trained, "--images", "moved")
        assert code == 0 and "not the data of the training" not in output, errors


def test_the_command_of_the_report_trains_the_same(run, tmp_path, rng):
    mixed_folder(tmp_path / "mixed", rng, 24)
    train_on(run, "mixed", "--size", "8x6", "--grey")
    page = (tmp_path / "runs" / "mnist-dense-mixed" / "report.html").read_text()
    assert f"--images {tmp_path}/mixed --size 8x6 --grey" in page


def test_a_partner_is_drawn_beside_only_with_the_same_images(run, tmp_path, rng):
    folder_of(tmp_path / "faces", rng, 24, classes=())
    train_on(run, "faces", lab="fashion-conv")
    both = tmp_path / "runs" / "fashion-autoencoder-faces" / "figures" / "latent_scatters.png"
    train_on(run, "faces", lab="fashion-autoencoder")
    assert both.exists()
    folder_of(tmp_path / "faces", rng, 25, classes=())
    train_on(run, "faces", "--out", "runs/other", lab="fashion-autoencoder")
    run("plot", "runs/other")
    assert not (tmp_path / "runs" / "other" / "figures" / "latent_scatters.png").exists()


def test_one_command_leads_from_pictures_to_the_page_to_explore(run, tmp_path, rng):
    mixed_folder(tmp_path / "mixed", rng, 24)
    train_on(run, "mixed", "--size", "8x6", "--grey", "--explore")
    folder = tmp_path / "runs" / "mnist-dense-mixed"
    assert (folder / "report.html").is_file() and (folder / "explore.html").is_file()


def test_later_runs_of_the_same_images_get_names_of_their_own(run, trained, tmp_path):
    train_on(run, "faces")
    assert (trained.parent / "mnist-dense-faces-2" / "weights.npz").exists()


@pytest.mark.parametrize("arguments, code, message", [
    (("shakespeare-vae", "--images", "."), 2, "--images: shakespeare-vae learns from text; allowed "
                                              "for: mnist-dense, "),
    (("mnist-dense", "--images", ".", "--data-dir", "."), 2, "--images names the images them"),
    (("mnist-dense", "--images", "nowhere"), 2, "Path 'nowhere' does not exist"),
    (("mnist-dense", "--size", "32"), 2, "--size belongs to images of your own; name them with"),
    (("mnist-dense", "--grey"), 2, "--grey belongs to images of your own; name them with"),
    (("mnist-dense", "--images", ".", "--size", "0"), 2, "expected pixels such as 32, or height x "
                                                         "width such as 24x32, got '0'"),
    (("mnist-dense", "--images", "."), 1, "no pictures there, and no other kind of images"),
])
def test_wrong_use_gets_one_line(run, tmp_path, arguments, code, message):
    found, _, errors = run("train", *arguments)
    assert found == code and message in errors
    assert not (tmp_path / "runs" / "mnist-dense-faces").exists()


def test_two_hundred_mixed_pictures_go_from_one_command_to_a_report(run, tmp_path, rng):
    mixed_folder(tmp_path / "mixed", rng, 200)
    output = train_on(run, "mixed", "--size", 32, lab="mnist-conv")
    assert "note: 2 of 202 pictures cannot be read: " in output
    folder = tmp_path / "runs" / "mnist-conv-mixed"
    page = (folder / "report.html").read_text()
    assert "own images from mixed (166 to train, 34 to test)" in page
    assert run("explore", folder)[0] == 0
    assert {"height": 32, "width": 32, "channels": 3, "ink": False} == json.loads(
        re.search(r'"shape": (\{.*?\})', (folder / "explore.html").read_text())[1])
