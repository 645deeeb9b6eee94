"""A home of its own for each test, so that no classifier taken in is seen by another."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from models_zoo.datasets import load_mnist_sample


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path / "home"))


@pytest.fixture
def digit(tmp_path: Path) -> Callable[..., SimpleUploadedFile]:
    """Return a way to make a file of a handwritten seven."""
    sample = load_mnist_sample("test")
    seven = sample.images[sample.labels == 7][0]

    def make(name: str = "seven.png", kind: str = "PNG") -> SimpleUploadedFile:
        path = tmp_path / name
        Image.fromarray(seven).resize((280, 280)).save(path, format=kind)
        return SimpleUploadedFile(name, path.read_bytes())

    return make
