"""Files of costly pictures: made once, never half, and never too many."""

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from fooling_web.runs.cabinet import kept, tidy_up


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.HOME = tmp_path
    return tmp_path / "pictures"


def used(path: Path, seconds_ago: float) -> None:
    now = path.stat().st_mtime
    os.utime(path, (now - seconds_ago, now - seconds_ago))


def test_makes_a_file_once() -> None:
    made: list[bytes] = []

    def make() -> bytes:
        made.append(b"picture")
        return made[-1]

    assert [kept("a", make), kept("a", make)] == [b"picture"] * 2
    assert len(made) == 1


def test_leaves_nothing_where_making_fails(folder: Path) -> None:
    def make() -> bytes:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        kept("a", make)

    assert not folder.exists() or not list(folder.iterdir())


def test_removes_the_longest_unused_first(folder: Path) -> None:
    for name, seconds_ago in [("old", 300), ("older", 400), ("new", 100)]:
        kept(name, lambda: bytes(100))
        used(folder / name, seconds_ago)

    tidy_up(most=250)

    assert {path.name for path in folder.iterdir()} == {"old", "new"}


def test_counts_reading_as_use(folder: Path) -> None:
    for name in ("first", "second"):
        kept(name, lambda: bytes(100))
        used(folder / name, 1000)
    kept("first", lambda: b"")

    tidy_up(most=150)

    assert {path.name for path in folder.iterdir()} == {"first"}


def test_serves_pictures_where_it_cannot_write(settings: LazySettings, tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file stands where the folder should be")

    assert kept("a", lambda: b"picture") == b"picture"
