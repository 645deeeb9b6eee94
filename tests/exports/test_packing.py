"""Packed runs: other programs open them, selections say so, and whoever ends the work leaves nothing behind."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from evolution.archive_file import CHAMPIONS_ONLY, ArchiveFile
from evolution.errors import ArchiveFileError, ParameterError
from fooling_web.breeding import publishing
from fooling_web.exports.exporting import export_archive
from fooling_web.exports.importing import import_archive
from fooling_web.exports.packing import Choices, Packed, pack, pack_many
from fooling_web.runs.models import Run
from fooling_web.runs.pictures import picture_of_size
from tests.breeding.bred import begun, first_of, stepped
from tests.factories import executed, launched
from tests.services import PROJECT

pytestmark = pytest.mark.django_db

EVERYTHING = Choices(pictures=64, authors=True)


def packed(run: Run, folder: Path, choices: Choices = EVERYTHING) -> tuple[Packed, zipfile.ZipFile]:
    path = folder / "run.zip"
    return pack(run, path, choices), zipfile.ZipFile(path)


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def unpacked(path: Path) -> Path:
    """Unpack a file as any program does, once its checksums were found to hold."""
    folder = path.with_suffix("")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder


def test_holds_what_other_programs_check(finished_run, tmp_path):
    told, archive = packed(finished_run, tmp_path)

    assert archive.testzip() is None
    folder = unpacked(tmp_path / "run.zip")
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    listed = {line.partition("  ")[2] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == set(archive.namelist()) - {"SHA256SUMS", "manifest.json"}
    assert told.size == (tmp_path / "run.zip").stat().st_size
    assert told.pictures == 2 * finished_run.champions.count()


def test_comes_back_as_the_very_archive(finished_run, tmp_path):
    told, _ = packed(finished_run, tmp_path)
    finished_run.delete()

    again = import_archive(tmp_path / "run.zip")

    assert again.origin["archive_sha256"] == told.archive_sha256


def test_is_of_version_1_to_the_byte_where_it_is_plain(finished_run, tmp_path):
    export_archive(finished_run, tmp_path / "before.zip")

    told, archive = packed(finished_run, tmp_path, Choices(plain=True))

    assert (tmp_path / "run.zip").read_bytes() == (tmp_path / "before.zip").read_bytes()
    assert json.loads(archive.read("manifest.json"))["version"] == 1
    assert told.pictures == 0


def test_explains_itself(finished_run, tmp_path):
    _, archive = packed(finished_run, tmp_path)

    readme, licence = (archive.read(name).decode() for name in ("README.txt", "LICENSE.txt"))

    assert finished_run.name in readme
    assert "tanh" not in readme
    assert "2 / (1 + exp(-p)) - 1" in readme
    assert all(len(line) <= 120 for line in readme.splitlines())
    named = {name.partition("/")[0] for name in archive.namelist()} - {"README.txt", "checkpoint.json"}
    assert all(name in readme for name in named)
    assert (PROJECT / "LICENSE").read_text() in licence
    assert "claim no rights" in licence
    assert f"numpy=={np.__version__}" in archive.read("packages.txt").decode().splitlines()
    assert json.loads(archive.read("classifier.json"))["name"] == "mnist-lenet"


def test_tells_champions_in_a_table_and_shows_them(finished_run, tmp_path):
    _, archive = packed(finished_run, tmp_path)
    stored = finished_run.champions.select_related("individual").order_by("class_index")

    rows = table(archive, "champions.csv")

    assert [int(row["class_index"]) for row in rows] == [champion.class_index for champion in stored]
    assert [np.float32(row["confidence"]) for row in rows] == [np.float32(one.confidence) for one in stored]
    assert [row["genome_hash"] for row in rows] == [champion.individual.genome_hash for champion in stored]
    assert [row["label"] for row in table(archive, "labels.csv")] == [str(digit) for digit in range(10)]
    for row, champion in zip(rows, stored, strict=True):
        drawn = picture_of_size(finished_run.settings, bytes(champion.individual.genome), 64)
        shown = Image.open(io.BytesIO(archive.read(row["picture"])))
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(drawn))


@pytest.mark.parametrize("name", ["individuals", "takeovers", "statistics", "champions"])
def test_holds_the_same_tables_as_parquet(finished_run, tmp_path, name):
    _, archive = packed(finished_run, tmp_path)

    lines = table(archive, f"{name}.csv")
    found = parquet.read_table(io.BytesIO(archive.read(f"parquet/{name}.parquet")))

    assert found.column_names == list(lines[0])
    assert found.num_rows == len(lines) > 0
    for key in {"generation", "individual", "class_index", "number"} & set(lines[0]):
        assert found[key].to_pylist() == [int(line[key]) for line in lines]
    for key in {"confidence", "median"} & set(lines[0]):
        assert found[key].to_pylist() == pytest.approx([float(line[key]) for line in lines])


def test_keeps_the_types_of_lists_in_parquet(finished_run, tmp_path):
    _, archive = packed(finished_run, tmp_path)
    one = finished_run.individuals.exclude(parents=[]).order_by("number").first()

    found = parquet.read_table(io.BytesIO(archive.read("parquet/individuals.parquet"))).to_pylist()

    row = next(row for row in found if row["number"] == one.number)
    assert row["parents"] == one.parents
    assert [cell["class_index"] for cell in row["top"]] == [index for index, _ in one.top]


def test_lays_files_out_as_the_authors_did(finished_run, tmp_path):
    _, archive = packed(finished_run, tmp_path)
    last = finished_run.generation
    stored = {one.class_index: one for one in finished_run.champions.select_related("individual")}

    archive_last = np.loadtxt(io.BytesIO(archive.read(f"authors/archive_{last}.dat")), ndmin=2)
    best = np.loadtxt(io.BytesIO(archive.read("authors/bestfit.dat")), ndmin=2)

    assert {int(row[0]): int(row[2]) for row in archive_last} == {
        index: champion.individual.number for index, champion in stored.items()
    }
    for index, fitness, _, parent in archive_last:
        assert fitness == pytest.approx(stored[int(index)].confidence)
        assert int(parent) in (stored[int(index)].individual.parents or [-1])
    assert best[:, 0].tolist() == list(range(last + 1))
    assert best[-1, 5] == pytest.approx(min(champion.confidence for champion in stored.values()))
    assert best[:, 4].sum() == finished_run.takeovers.count()
    pictures = [
        name for name in archive.namelist() if name.startswith(f"authors/map_gen_{last}/map_gen_{last}_")
    ]
    assert sorted(int(name.split("_")[-2]) for name in pictures) == sorted(stored)


def test_goes_without_what_was_not_asked_for(finished_run, tmp_path):
    choices = Choices(pictures=0, tables=False, history="champions")

    told, archive = packed(finished_run, tmp_path, choices)

    assert told.pictures == 0
    assert not [name for name in archive.namelist() if name.startswith(("parquet/", "pictures/", "authors/"))]
    with ArchiveFile(tmp_path / "run.zip") as file:
        file.check()
        assert (file.holds, file.version) == (CHAMPIONS_ONLY, 2)


@pytest.mark.parametrize("history", ["whole", "lineages", "champions"])
def test_packs_a_selection_that_verifies_and_does_not_come_in(finished_run, tmp_path, history):
    choices = Choices(history=history, classes=(3, 7), pictures=64, authors=True)

    told, archive = packed(finished_run, tmp_path, choices)

    with ArchiveFile(tmp_path / "run.zip") as file:
        file.check()
        assert sorted(file.champions) == [3, 7]
        assert file.selection.classes == (3, 7)
        assert file.selection.whole_archive_sha256 != told.archive_sha256 == file.archive_sha256
        assert file.random_state is None
    assert {row["class_index"] for row in table(archive, "takeovers.csv")} == {"3", "7"}
    assert "selection" in archive.read("README.txt").decode()
    with pytest.raises(ArchiveFileError, match="holds a part of a run"):
        import_archive(tmp_path / "run.zip")
    assert Run.objects.get() == finished_run


def test_selects_by_confidence(finished_run, tmp_path):
    confidences = sorted(finished_run.champions.values_list("confidence", flat=True))
    sure = (confidences[4] + confidences[5]) / 2

    _, archive = packed(finished_run, tmp_path, Choices(at_least=sure, pictures=0))

    rows = table(archive, "champions.csv")
    assert len(rows) == 5
    assert all(float(row["confidence"]) >= sure for row in rows)


def test_refuses_a_selection_of_nobody(finished_run, tmp_path):
    with pytest.raises(ArchiveFileError, match="no champion is among all classes, champions of at least 1"):
        pack(finished_run, tmp_path / "run.zip", Choices(at_least=1.0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"pictures": 100}, "100 pixels"),
        ({"history": "some"}, "'some' is unknown"),
        ({"at_least": 1.5}, "1.5 is out of range"),
        ({"at_least": float("nan")}, "nan is out of range"),
    ],
)
def test_refuses_choices_that_cannot_be_meant(choices, told):
    with pytest.raises(ParameterError, match=told):
        Choices(**choices)


def test_refuses_a_class_that_does_not_exist(finished_run, tmp_path):
    with pytest.raises(ParameterError, match="class 10 is out of range"):
        pack(finished_run, tmp_path / "run.zip", Choices(classes=(10,)))


def test_packs_pixels_too(tmp_path):
    run = executed(launched(encoding="direct"))

    _, archive = packed(run, tmp_path, Choices(pictures=128))

    picture = Image.open(io.BytesIO(archive.read("pictures/3_3.png")))
    assert (picture.size, picture.mode) == ((128, 128), "L")
    with ArchiveFile(tmp_path / "run.zip") as file:
        file.check()


@pytest.fixture
def bred(client, as_person, alice) -> Run:
    """The run of a picture that Alice bred and published, at which no classifier has looked yet."""
    client = as_person(alice)
    litter = stepped(client, first_of(begun(client, picture="digits")), "evolve", picked=[1])
    return publishing.publish(litter.session, litter, 0, publishing.Said("Low tide")).run


def test_packs_what_was_bred_by_hand(bred, tmp_path):
    publishing.crown(bred, [[3, 0.75], [5, 0.2]], bred.classifier_sha256)

    _, archive = packed(bred, tmp_path)

    with ArchiveFile(tmp_path / "run.zip") as file:
        file.check()
        assert (file.run.kind, file.is_finished, sorted(file.champions)) == ("breeding", True, [3])
    assert "bred by hand" in archive.read("README.txt").decode()
    assert [row["picture"] for row in table(archive, "champions.csv")] == ["pictures/3_3.png"]


def test_waits_until_a_classifier_has_looked_at_what_was_bred(bred, tmp_path):
    with pytest.raises(ArchiveFileError, match="no classifier has looked at Low tide yet"):
        pack(bred, tmp_path / "run.zip", EVERYTHING)


def test_packs_many_runs_into_one_file(finished_run, tmp_path):
    runs = [finished_run, executed(launched(seed=2))]

    told = pack_many(runs, tmp_path / "runs.zip", Choices(pictures=0, tables=False))

    folder = unpacked(tmp_path / "runs.zip")
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    inner = sorted(folder.glob("*.zip"))
    assert [str(run.pk) in path.name for run, path in zip(runs, inner, strict=True)] == [True, True]
    assert inner[1].name in (folder / "README.txt").read_text()
    for path in inner:
        with ArchiveFile(path) as file:
            file.check()
    assert told.archive_sha256 == ""
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["runs.zip"]


def test_tells_how_far_it_has_come(finished_run, tmp_path):
    told: list[tuple[int, int]] = []

    pack(finished_run, tmp_path / "run.zip", EVERYTHING, lambda done, total: told.append((done, total)))

    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] == 21
    assert [done for done, _ in told] == sorted(done for done, _ in told)


class Stopped(Exception):
    """Somebody changed their mind."""


@pytest.mark.parametrize(
    "deed", [pack_many, lambda runs, *others: pack(runs[0], *others)], ids=["many", "one"]
)
def test_leaves_nothing_behind_where_it_is_stopped(finished_run, tmp_path, deed, monkeypatch):
    monkeypatch.setattr("fooling_web.exports.packing.EVERY", 0)
    seen: list[set[str]] = []

    def stop(done: int, total: int) -> None:
        if done > 12:
            seen.append({path.name for path in tmp_path.iterdir()})
            raise Stopped

    with pytest.raises(Stopped):
        deed([finished_run], tmp_path / "run.zip", EVERYTHING, stop)

    assert seen[0]  # it was under way
    assert not list(tmp_path.iterdir())


def test_keeps_parquet_out_of_where_pages_are_answered():
    asked = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'fooling_web.settings'; django.setup(); "
        "import fooling_web.urls, fooling_web.exports.packing; print('pyarrow' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "False"
