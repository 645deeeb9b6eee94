"""Bred pictures in archive files: a run that they began, or came into, is the same run elsewhere."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from evolution.archive_file import FOUNDERS, RUN, ArchiveFile
from evolution.encoding import encoding_for
from evolution.errors import ArchiveFileError
from fooling_web.exports.exporting import export_archive
from fooling_web.exports.importing import import_archive
from fooling_web.runs.execution import archive_sha256
from fooling_web.runs.guests import Guest, admit
from fooling_web.runs.models import Run
from tests.archives import replaced, tampered, with_json
from tests.factories import execute_once, executed, launched

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_generation_kept")]

LAST = 6  # generation, the guest's counted
SAME = (
    "generation",
    "generations",
    "evaluations",
    "parameters",
    "random_state",
    "status",
    "n_founders",
    "guests",
)


def documents_of(run: Run, count: int = 4) -> list[dict]:
    encoding = encoding_for(run.settings)
    population = encoding.random(count, np.random.default_rng(4))
    return [encoding.to_json(population, row) for row in range(count)]


def bred_with(generations: int) -> Run:
    """Return a run that began with founders, took a guest in after its first generation, and went on so far."""
    run = launched(founders=documents_of(launched()))
    execute_once(run, seconds=0)
    encoding = encoding_for(run.settings)
    sure = np.zeros(10, np.float32)
    sure[[3, 7]] = 0.9999
    genome, genome_hash = encoding.written(encoding.random(1, np.random.default_rng(8)), 0)
    assert run.borrow("a test")
    admit(run, Guest(genome, genome_hash, sure, [(3, 0.9999)]))
    run.release()
    while run.generation < generations:
        execute_once(run, seconds=0)
    return executed(run) if generations == LAST else run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    run = bred_with(LAST)
    export_archive(run, tmp_path / "run.zip")
    Run.objects.all().delete()
    return tmp_path / "run.zip"


def test_brings_a_run_back_with_its_guests_and_founders(tmp_path):
    run = bred_with(LAST)
    export_archive(run, tmp_path / "run.zip")

    again = import_archive(tmp_path / "run.zip")

    assert [getattr(again, name) for name in SAME] == [getattr(run, name) for name in SAME]
    assert again.founding_genomes == run.founding_genomes
    assert archive_sha256(again) == archive_sha256(run)
    assert [one.number for one in again.guest_individuals] == [20]


def test_exports_what_it_imported_as_the_same_file(file, tmp_path):
    export_archive(import_archive(file), tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()


def test_goes_on_elsewhere_as_it_would_have_here(tmp_path):
    run = bred_with(3)
    run.pause()
    export_archive(run, tmp_path / "run.zip")
    again = import_archive(tmp_path / "run.zip")
    assert (again.status, again.guests) == (Run.Status.PAUSED, 1)

    for one in (run, again):
        one.resume()
        executed(one)

    assert archive_sha256(again) == archive_sha256(run)
    assert (again.generation, again.evaluations) == (run.generation, run.evaluations) == (6, 121)


def test_says_on_the_page_of_an_imported_run_what_was_bred(file, client):
    page = client.get(import_archive(file).get_absolute_url()).content.decode()

    assert "Begun with 4 bred pictures" in page
    assert "bred by hand" in page


def test_writes_files_of_other_runs_as_ever(finished_run, tmp_path):
    export_archive(finished_run, tmp_path / "run.zip")

    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert FOUNDERS not in archive.namelist()
        assert "guests" not in json.loads(archive.read(RUN))


def refusal(path: Path) -> str:
    with pytest.raises(ArchiveFileError) as refused, ArchiveFile(path) as archive:
        archive.check()
    return str(refused.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({RUN: with_json(guests=0)}, "1 images came from outside, and 0 are announced"),
        ({RUN: with_json(guests=2)}, "1 images came from outside, and 2 are announced"),
        ({RUN: with_json(guests=-1)}, "run.json does not describe a run"),
        ({RUN: with_json(guests=True)}, "run.json does not describe a run"),
        ({FOUNDERS: replaced('"outputs":1', '"outputs":3')}, "founders.jsonl"),
        ({FOUNDERS: lambda content: content * 6}, "holds 24 genomes, which this run cannot begin with"),
        ({FOUNDERS: lambda content: b"{\n" + content}, "founders.jsonl, line 1"),
        ({FOUNDERS: lambda content: b"[]\n" + content}, "founders.jsonl"),
        ({FOUNDERS: replaced('"connections":[[', '"connections":[[NaN,')}, "founders.jsonl, line 1"),
    ],
)
def test_refuses_guests_and_founders_that_cannot_be(file, changes, reason):
    told = refusal(tampered(file, changes))

    assert reason in told
    assert "\n" not in told
