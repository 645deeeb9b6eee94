"""Runs out of a site, into it as somebody else's, and out again: nothing is lost on the way, whatever the kind."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.breeding import publishing
from fooling_web.exports.importing import import_archive
from fooling_web.exports.packing import Choices, pack
from fooling_web.runs.models import Run
from tests.breeding.bred import begun, first_of, stepped
from tests.exports.recorded import LARGE, SMALL, recorded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_generation_kept")]

PLAIN, FULL = Choices(plain=True), Choices(pictures=64, authors=True)


@pytest.mark.parametrize(
    ("made", "choices"),
    [
        *(pytest.param(made, PLAIN, id=name) for name, made in (SMALL | LARGE).items()),
        *(pytest.param(made, FULL, id=f"{name}, for people") for name, made in SMALL.items()),
    ],
)
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


@pytest.fixture
def bred(client: Client, as_person: Any, alice: Any) -> Run:
    """The run of a picture that Alice bred and published, at which the classifier has looked."""
    client = as_person(alice)
    litter = stepped(client, first_of(begun(client, picture="digits")), "evolve", picked=[1])
    run: Run = publishing.publish(litter.session, litter, 0, publishing.Said("Low tide")).run
    publishing.crown(run, [[3, 0.75], [5, 0.25]], run.classifier_sha256)
    run.refresh_from_db()
    return run


def test_bring_what_was_bred_by_hand(tmp_path: Path, bred: Run, bob: Any) -> None:
    before, packed = recorded(bred), pack(bred, tmp_path / "run.zip", PLAIN)

    again = import_archive(tmp_path / "run.zip", owner=bob)

    assert recorded(again) == before
    assert pack(again, tmp_path / "again.zip", PLAIN) == packed
    assert (tmp_path / "run.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_lead_to_a_picture_that_its_importer_may_rename_and_delete(
    tmp_path: Path, bred: Run, bob: Any, as_person: Any
) -> None:
    pack(bred, tmp_path / "run.zip", PLAIN)
    bred.delete()
    run, client = import_archive(tmp_path / "run.zip", owner=bob), as_person(bob)

    page = client.get(run.get_absolute_url(), follow=True).content.decode()
    assert "Bred by hand on another site" in page
    assert reverse("runs:delete", args=[run.pk]) in page
    for address in ("cite/", "edit/", "delete/"):
        assert client.get(f"{run.get_absolute_url()}{address}").status_code == 200
    client.post(reverse("runs:delete", args=[run.pk]))
    assert not Run.objects.exists()
