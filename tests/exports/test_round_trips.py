"""Runs out of a site, into it as somebody else's, and out again: nothing is lost on the way, whatever the kind."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fooling_web.exports.importing import import_archive
from fooling_web.exports.packing import Choices, pack
from fooling_web.runs.models import Run
from tests.exports.recorded import KINDS, recorded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_generation_kept")]

PLAIN, FULL = Choices(plain=True), Choices(pictures=64, authors=True)


@pytest.mark.parametrize("made", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("choices", [PLAIN, FULL], ids=["plain", "for people"])
def test_bring_a_run_to_somebody_else_as_it_was(
    tmp_path: Path, bob: Any, made: Callable[[], Run], choices: Choices
) -> None:
    run = made()
    before, packed = recorded(run), pack(run, tmp_path / "run.zip", choices)

    again = import_archive(tmp_path / "run.zip", owner=bob)

    assert recorded(again) == before
    assert (again.owner, again.origin["archive_sha256"]) == (bob, before["archive_sha256"])
    told = pack(again, tmp_path / "again.zip", choices)
    assert told.archive_sha256 == packed.archive_sha256 == before["archive_sha256"]
    assert differing(tmp_path / "run.zip", tmp_path / "again.zip") == set()


def differing(one: Path, other: Path) -> set[str]:
    """Return the names of members that two files do not share to the byte."""
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        names = {*first.namelist(), *second.namelist()}
        held = [{*archive.namelist()} for archive in (first, second)]
        common = held[0] & held[1]
        return (names - common) | {name for name in common if first.read(name) != second.read(name)}
