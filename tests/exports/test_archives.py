"""Runs out of a site and into it: the same run, its history and all, or nothing."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evolution.archive_file import CHAMPIONS_ONLY, ArchiveFile
from evolution.errors import ArchiveFileError
from evolution.parameters import Parameters
from fooling_web.exports.exporting import NOT_KEPT, export_archive
from fooling_web.exports.importing import AlreadyImported, import_archive
from fooling_web.runs.estimation import estimate
from fooling_web.runs.execution import archive_sha256
from fooling_web.runs.models import Run
from models_zoo.errors import ImportRefused
from tests.archives import column, on_line, tampered, with_json, written
from tests.factories import execute_once, executed, launched

pytestmark = pytest.mark.django_db

SMALL = {"generations": 8, "first_population": 20, "offspring": 20}
HISTORY = ("individuals", "takeovers", "champions", "statistics", "climbs")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """A home of one's own for the classifiers that come in."""
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def file(finished_run: Run, tmp_path: Path) -> Path:
    """The archive file of a run that is gone by now."""
    export_archive(finished_run, tmp_path / "run.zip")
    finished_run.delete()
    return tmp_path / "run.zip"


def rows(run: Run, name: str) -> list[dict[str, Any]]:
    """Return a run's rows without what differs from site to site."""
    other = {"id", "run_id", "individual_id", "seconds"}
    found = getattr(run, name).order_by("pk").values()
    return [{key: value for key, value in row.items() if key not in other} for row in found]


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_brings_a_run_back_as_it_was(tmp_path, alice, encoding):
    run = executed(launched(owner=alice, encoding=encoding))
    before = {name: sorted(map(str, rows(run, name))) for name in HISTORY}
    sha256 = export_archive(run, tmp_path / "run.zip")

    again = import_archive(tmp_path / "run.zip", owner=alice)

    assert {name: sorted(map(str, rows(again, name))) for name in HISTORY} == before
    assert archive_sha256(again) == sha256 == archive_sha256(run)
    same = ("name", "classifier", "classifier_sha256", "encoding", "parameters", "seed", "generation")
    same += ("generations", "evaluations", "median_confidence", "max_confidence", "random_state", "status")
    assert [getattr(again, name) for name in same] == [getattr(run, name) for name in same]


def test_exports_what_it_imported_as_the_same_file(file, tmp_path):
    run = import_archive(file)

    export_archive(run, tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()


def test_remembers_where_a_run_comes_from(file):
    run = import_archive(file)

    assert run.origin is not None
    assert run.origin["file"] == "run.zip"
    assert run.origin["archive_sha256"] == archive_sha256(run)
    assert "numpy" in run.origin["versions"]


def test_refuses_the_same_file_twice_and_says_where_it_is(file):
    run = import_archive(file)

    with pytest.raises(AlreadyImported, match=run.get_absolute_url()):
        import_archive(file)

    assert Run.objects.count() == 1


def packed_again(file: Path, name: str = "again.zip") -> Path:
    """Return a file of the same members, packed otherwise."""
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(file.with_name(name), "w") as after:
        for member in reversed(before.namelist()):
            after.writestr(member, before.read(member), zipfile.ZIP_STORED)
    return file.with_name(name)


def test_recognises_a_run_in_a_file_that_was_packed_again(file):
    run = import_archive(file)

    with pytest.raises(AlreadyImported, match=run.get_absolute_url()):
        import_archive(packed_again(file))

    assert Run.objects.count() == 1


def test_takes_the_same_run_again_from_a_file_that_holds_its_whole_history(finished_run, tmp_path):
    export_archive(finished_run, tmp_path / "champions.zip", holds=CHAMPIONS_ONLY)
    export_archive(finished_run, tmp_path / "whole.zip")
    first = import_archive(tmp_path / "champions.zip")

    assert import_archive(tmp_path / "whole.zip").pk != first.pk


def test_says_where_a_run_stopped_that_cannot_go_on_here(tmp_path, elsewhere, client):
    run = import_archive(written(tmp_path / "run.zip", Parameters(**SMALL), last=4))

    assert (run.status_title, run.origin_title) == ("Stopped", "imported at generation 4 of 8")
    assert f"· {run.origin_title}" in client.get(run.get_absolute_url()).content.decode()
    assert f"· {run.origin_title}" in client.get("/runs/").content.decode()


def test_shows_an_imported_run_like_any_other(file, client):
    run = import_archive(file)
    champion = run.champions.select_related("individual").first()

    page = client.get(run.get_absolute_url())
    assert "imported from <code>run.zip</code>" in page.content.decode()
    assert client.get(f"{run.get_absolute_url()}classes/0/").status_code == 200
    individual = champion.individual
    picture = f"{run.get_absolute_url()}individuals/{individual.number}/{individual.genome_hash}.png"
    assert client.get(picture)["Content-Type"] == "image/png"


def test_pauses_a_run_that_may_go_on_and_goes_on_as_if_it_had_never_left(
    tmp_path, run, every_generation_kept
):
    straight = archive_sha256(executed(launched()))
    execute_once(run, seconds=0)
    run.pause()
    assert run.generation < run.generations
    export_archive(run, tmp_path / "run.zip")

    again = import_archive(tmp_path / "run.zip")

    assert (again.status, again.generation) == (Run.Status.PAUSED, run.generation)
    again.resume()
    while again.is_active:
        execute_once(again)
        again.refresh_from_db()
    assert archive_sha256(again) == straight


def test_ends_a_run_whose_weights_are_others_here(tmp_path, run, every_generation_kept):
    execute_once(run, seconds=0)
    run.pause()
    Run.objects.filter(pk=run.pk).update(classifier_sha256="ab" * 32)
    run.refresh_from_db()
    export_archive(run, tmp_path / "run.zip")

    assert import_archive(tmp_path / "run.zip").status == Run.Status.CANCELLED


def test_brings_the_champions_alone_with_their_whole_history(finished_run, tmp_path, client):
    export_archive(finished_run, tmp_path / "run.zip", holds=CHAMPIONS_ONLY)

    run = import_archive(tmp_path / "run.zip")

    assert archive_sha256(run) == archive_sha256(finished_run)
    assert run.individuals.count() == finished_run.individuals.count()
    assert run.takeovers.count() == finished_run.takeovers.count()
    others = run.individuals.filter(championships=None)
    assert {(bytes(other.genome), other.genome_hash) for other in others} == {(b"", NOT_KEPT)}
    assert client.get(run.get_absolute_url()).status_code == 200
    past = others.first()
    gone = f"{run.get_absolute_url()}individuals/{past.number}/{past.genome_hash}.png"
    assert client.get(gone).status_code in (200, 404)  # a placeholder or nothing, never an error
    export_archive(run, tmp_path / "again.zip", holds=CHAMPIONS_ONLY)
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "run.zip").read_bytes()


def test_leaves_out_what_a_worker_adds_meanwhile(run, tmp_path, every_generation_kept):
    execute_once(run, seconds=0)
    as_it_was = Run.objects.get(pk=run.pk)
    executed(run)

    export_archive(as_it_was, tmp_path / "run.zip")

    with ArchiveFile(tmp_path / "run.zip") as archive:
        archive.check()
    assert archive.generation == as_it_was.generation < run.generation


def test_exports_a_run_that_has_not_begun(run, tmp_path):
    export_archive(run, tmp_path / "run.zip")

    again = import_archive(tmp_path / "run.zip")

    assert (again.generation, again.status) == (None, Run.Status.CANCELLED)


def test_keeps_the_card_of_a_classifier_that_the_site_lacks(tmp_path, elsewhere, client):
    path = written(tmp_path / "run.zip", Parameters(**SMALL))

    run = import_archive(path)

    assert (run.classifier_title, run.n_classes, run.label_of(3)) == ("Stand-in", 10, "class 3")
    assert run.status == Run.Status.FINISHED
    assert client.get(run.get_absolute_url()).status_code == 200
    card = json.loads((elsewhere / "classifiers" / "stand-in" / "classifier.json").read_text())
    assert card["sha256"] == "ab" * 32


def test_ends_a_run_that_lacks_its_classifier(tmp_path, elsewhere):
    path = written(tmp_path / "run.zip", Parameters(**SMALL), last=4)

    assert import_archive(path).status == Run.Status.CANCELLED


def test_refuses_a_classifier_that_tells_other_classes_apart(file):
    def change(content: bytes) -> bytes:
        document = json.loads(content)
        document["classifier"]["labels"].reverse()
        return json.dumps(document).encode()

    with pytest.raises(ImportRefused, match="tells other classes apart"):
        import_archive(tampered(file, {"run.json": change}))

    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("takeovers.csv", on_line(1, column(3, "nan"))),
        ("takeovers.csv", on_line(1, column(1, "10"))),
        ("statistics.csv", on_line(1, column(1, "2"))),
        ("run.json", with_json(archive_sha256="0" * 64)),
    ],
)
def test_keeps_nothing_of_a_file_that_contradicts_itself(file, member, change):
    with pytest.raises(ArchiveFileError):
        import_archive(tampered(file, {member: change}))

    assert not Run.objects.exists()


def test_imports_a_large_history_with_few_queries(file, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        import_archive(file)


def test_takes_no_pace_from_runs_that_were_computed_elsewhere(file):
    run = import_archive(file)

    assert estimate(run.classifier, run.settings).is_rough
