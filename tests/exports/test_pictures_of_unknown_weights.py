"""Pictures of the classes of a classifier whose weights were never here: their run goes out and comes in, too."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from PIL import Image

from fooling_web.exports.importing import import_archive
from fooling_web.exports.packing import Choices, pack
from fooling_web.exports.pictures_in import import_pictures
from fooling_web.runs.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictures(tmp_path: Path, alice: Any) -> Run:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, format="PNG")
    with zipfile.ZipFile(tmp_path / "greys.zip", "w") as archive:
        archive.writestr("one.png", file.getvalue())
        archive.writestr("classes.csv", "file,class,confidence\none.png,starfish,0.5\n")
    return import_pictures(tmp_path / "greys.zip", classifier="alexnet", owner=alice)


@pytest.mark.parametrize("choices", [Choices(plain=True), Choices(pictures=64, authors=True)])
def test_come_back_as_claimed(tmp_path: Path, pictures: Run, bob: Any, choices: Choices) -> None:
    assert pictures.is_claimed
    packed = pack(pictures, tmp_path / "run.zip", choices)

    again = import_archive(tmp_path / "run.zip", owner=bob, anyway=True)

    assert again.are_pictures
    assert again.is_claimed
    assert pack(again, tmp_path / "again.zip", choices).sha256 == packed.sha256


def test_are_verified_as_far_as_they_can_be(tmp_path: Path, pictures: Run) -> None:
    pack(pictures, tmp_path / "run.zip", Choices(plain=True))
    out = io.StringIO()

    call_command("verify_archive", str(tmp_path / "run.zip"), stdout=out)

    assert "alexnet" in out.getvalue()
