"""MNIST, read from files, downloaded, and as the sample that needs neither."""

import gzip
import hashlib
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from models_zoo import torchvision_ops  # noqa: F401 (must come before torchvision)
from models_zoo.datasets import FILES, SIZES, load_mnist, load_mnist_sample
from models_zoo.errors import DatasetMissing

from torchvision.datasets import MNIST  # isort: skip

NOWHERE = "http://127.0.0.1:9/"


def idx(array, *, magic=0x0800):
    """Compress an array of bytes in the idx format, written down here by hand."""
    header = (magic + array.ndim).to_bytes(4, "big")
    header += b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(header + array.tobytes(), compresslevel=1)


@pytest.fixture(scope="module")
def whole_files():
    files = {}
    for split, (images_name, labels_name) in FILES.items():
        count = SIZES[split]
        images = np.zeros((count, 28, 28), np.uint8)
        images[0, 2, 3] = 200
        files[images_name] = idx(images)
        files[labels_name] = idx((np.arange(count) % 10).astype(np.uint8))
    return files


@pytest.fixture
def folder(tmp_path, whole_files):
    write(whole_files, tmp_path / "mnist")
    return tmp_path


@pytest.fixture
def mirror(tmp_path_factory, whole_files, monkeypatch):
    """A server of the four files on this machine, in the place of MNIST's own."""
    served = tmp_path_factory.mktemp("mirror")
    write(whole_files, served)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=served))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in whole_files.items()]  # noqa: S324
    monkeypatch.setattr(MNIST, "resources", sums)
    monkeypatch.setattr(MNIST, "mirrors", [NOWHERE, f"http://127.0.0.1:{server.server_port}/"])
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(MNIST, "mirrors", [NOWHERE])


def write(files, folder):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("split", ["train", "test"])
def test_reads_images_and_labels(folder, split):
    data = load_mnist(split, folder)

    assert data.images.shape == (SIZES[split], 28, 28)
    assert data.images.dtype == data.labels.dtype == np.uint8
    assert data.images[0, 2, 3] == 200
    assert data.images.sum() == 200
    assert data.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not compressed",
        idx(np.zeros(10_000, np.uint8), magic=0x0D00),
        idx(np.zeros((10_000, 1), np.uint8)),
        idx(np.zeros(9_999, np.uint8)),
        idx(np.zeros(10_000, np.uint8))[:-20],
        gzip.compress(b"\0\0"),
    ],
    ids=["empty", "raw", "floats", "dimensions", "count", "truncated", "header"],
)
def test_names_a_damaged_file_and_the_remedy(folder, content):
    path = folder / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(content)

    with pytest.raises(DatasetMissing, match=f"{path} is damaged; delete it"):
        load_mnist("test", folder)


def test_downloads_what_is_missing_from_the_first_mirror_that_answers(tmp_path, mirror):
    data = load_mnist("test", tmp_path / "new")

    assert len(data) == 10_000
    assert sorted(path.name for path in (tmp_path / "new" / "mnist").iterdir()) == sorted(
        name for names in FILES.values() for name in names
    )


def test_keeps_nothing_of_a_download_that_does_not_match_its_checksum(tmp_path, mirror):
    first = FILES["train"][0]
    (mirror / first).write_bytes(b"something else")

    with pytest.raises(DatasetMissing):
        load_mnist("test", tmp_path)

    assert list((tmp_path / "mnist").iterdir()) == []


def test_tells_who_is_offline_where_to_put_the_files(tmp_path, offline):
    with pytest.raises(DatasetMissing, match=r"put its four idx .gz files there or set FOOLING_DATA_DIR"):
        load_mnist("train", tmp_path)


def test_gives_a_sample_of_real_digits_without_files():
    training_set, test_set = load_mnist_sample("train"), load_mnist_sample("test")

    assert training_set.images.shape == (4000, 28, 28)
    assert test_set.images.shape == (1000, 28, 28)
    assert np.bincount(test_set.labels).tolist() == [100] * 10
    assert test_set.images.max() == 255


def test_reads_the_real_files():
    folder = os.environ.get("FOOLING_DATA_DIR", "")
    if not (Path(folder) / "mnist").is_dir():
        pytest.skip("FOOLING_DATA_DIR names no folder with mnist/ in it")

    data = load_mnist("train", Path(folder))

    assert data.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]  # the published order
    assert np.bincount(data.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
