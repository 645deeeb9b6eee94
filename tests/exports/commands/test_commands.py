"""`export_archive`, `import_archive`, `verify_archive`, `load_newcomers_gallery` and `develop`."""

import io
import json
import shutil
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from evolution.archive_file import ArchiveFile
from evolution.cppn import CppnEncoding
from evolution.parameters import Parameters
from fooling_web.exports.exporting import export_archive
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.models import AuditLine
from tests.services import PROJECT

pytestmark = pytest.mark.django_db


def answer(*words: object) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def refusal(*words: object) -> str:
    with pytest.raises(CommandError) as caught:
        answer(*words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(finished_run: Run, tmp_path: Path) -> Path:
    export_archive(finished_run, tmp_path / "run.zip")
    return tmp_path / "run.zip"


def test_exports_imports_and_verifies_with_json(finished_run, tmp_path):
    path = tmp_path / "run.zip"

    exported = json.loads(answer("export_archive", finished_run.pk, "--output", path, "--json"))
    verified = json.loads(answer("verify_archive", path, "--json"))
    imported = json.loads(answer("import_archive", path, "--json"))

    assert exported["archive_sha256"] == verified["archive_sha256"] == imported["archive_sha256"]
    assert exported["bytes"] == path.stat().st_size
    assert (imported["status"], imported["classes"], imported["generation"]) == ("finished", 10, 5)
    assert (verified["holds"], verified["can_go_on"]) == ("whole history", False)


def test_takes_a_run_by_its_address(finished_run, tmp_path):
    address = f"http://127.0.0.1:8000{finished_run.get_absolute_url()}"

    assert "archive" in answer("export_archive", address, "--output", tmp_path / "run.zip")


def test_names_owner_and_visibility_of_what_comes_in(file, alice):
    words = ("--owner", "Alice", "--visibility", "private", "--name", "From afar", "--json")

    run = Run.objects.get(pk=json.loads(answer("import_archive", file, *words))["run"])

    assert (run.owner, run.visibility, run.name) == (alice, "private", "From afar")


def test_says_in_words_what_came_in(file):
    said = answer("import_archive", file)

    assert said.startswith("Imported: LeNet")
    assert "10 champions" in said
    assert said.rstrip().endswith(Run.objects.filter(origin__isnull=False).get().get_absolute_url())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--owner", "nobody"), "no account is called 'nobody'"),
        (("--visibility", "secret"), "visibility 'secret' is unknown"),
    ],
)
def test_refuses_an_import_for_nobody(file, words, told):
    assert told in refusal("import_archive", file, *words)


@pytest.mark.parametrize("command", ["import_archive", "verify_archive"])
def test_refuses_what_is_no_archive_file(tmp_path, command):
    assert "cannot be read" in refusal(command, tmp_path / "none.zip")


@pytest.mark.parametrize("number", ["", "lenet", "00000000-0000-0000-0000-000000000000"])
def test_refuses_to_export_a_run_that_does_not_exist(tmp_path, number):
    assert "no run has the number" in refusal("export_archive", number, "--output", tmp_path / "run.zip")


def test_exports_many_runs_and_sweeps_as_one_file(finished_run, tmp_path):
    sweep = Sweep.objects.create(name="Some")
    Run.objects.filter(pk=finished_run.pk).update(sweep=sweep)
    words = ("--output", tmp_path / "runs.zip", "--pictures", 0, "--no-tables", "--json")

    told = json.loads(answer("export_archive", "--sweep", sweep.pk, *words))

    assert told["runs"] == [str(finished_run.pk)]
    with zipfile.ZipFile(tmp_path / "runs.zip") as outer:
        assert str(finished_run.pk) in outer.namelist()[0]
    line = AuditLine.objects.get()
    assert (line.deed, line.size, line.by) == ("export", told["bytes"], None)
    assert str(finished_run.pk) in line.what


def test_exports_what_was_chosen(finished_run, tmp_path):
    words = ("--classes", "3,5-6", "--pictures", 64, "--authors", "--champions-only", "--json")

    told = json.loads(answer("export_archive", finished_run.pk, "--output", tmp_path / "run.zip", *words))

    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        shown = [name for name in archive.namelist() if name.startswith("pictures/")]
        assert "authors/bestfit.dat" in archive.namelist()
    assert sorted(shown) == ["pictures/3_3.png", "pictures/5_5.png", "pictures/6_6.png"]
    assert told["pictures"] == 6


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--pictures", "100"), "100 pixels are not offered"),
        (("--pictures", "many"), "'many' pixels are not offered"),
        (("--classes", "12"), "12 is out of range"),
        (("--at-least", "sure"), "'sure' is no confidence"),
        (("--at-least", "7"), "7.0 is out of range"),
        (("--sweep", "none"), "no sweep has the number 'none'"),
    ],
)
def test_refuses_an_export_that_cannot_be_meant(finished_run, tmp_path, words, told):
    assert told in refusal("export_archive", finished_run.pk, "--output", tmp_path / "run.zip", *words)
    assert not list(tmp_path.iterdir())
    assert not AuditLine.objects.exists()


def test_refuses_to_export_nothing(tmp_path):
    assert "no run was named" in refusal("export_archive", "--output", tmp_path / "run.zip")


def test_refuses_to_export_to_where_nothing_can_be_written(finished_run):
    assert "cannot be written" in refusal("export_archive", finished_run.pk, "--output", "/proc/run.zip")


class TestGallery:
    @pytest.fixture
    def gallery(self, file, finished_run, tmp_path):
        finished_run.delete()
        folder = tmp_path / "gallery"
        folder.mkdir()
        shutil.move(file, folder / "lenet.zip")
        return folder

    def load(self, folder: Path) -> str:
        return answer("load_newcomers_gallery", "--folder", folder)

    def test_comes_in_once(self, gallery):
        first, second = self.load(gallery), self.load(gallery)

        run = Run.objects.get()
        assert (first, second) == (f"Imported: {run.name}\n", "")
        assert (run.owner, run.visibility) == (None, "public")

    def test_stays_away_once_it_was_deleted(self, gallery):
        self.load(gallery)
        Run.objects.all().delete()

        assert self.load(gallery) == ""
        assert not Run.objects.exists()

    def test_comes_in_although_one_of_its_files_is_damaged(self, gallery, capsys):
        (gallery / "a-damaged.zip").write_bytes(b"PK")

        assert self.load(gallery).startswith("Imported: ")
        assert "a-damaged.zip was left out" in capsys.readouterr().err

    def test_may_be_empty(self, tmp_path):
        assert self.load(tmp_path / "none") == ""

    def test_holds_archive_files_that_are_whole_and_small(self):
        files = list((PROJECT / "fooling_web" / "exports" / "gallery").glob("*.zip"))

        assert files
        for path in files:
            assert path.stat().st_size < 3_000_000
            with ArchiveFile(path) as archive:
                archive.check()
        answer("verify_archive", min(files, key=lambda path: path.stat().st_size))


class TestDevelop:
    @pytest.fixture
    def genome(self, tmp_path):
        """A grey network, written as the site gives it for download, and its encoding and population."""
        encoding = CppnEncoding(Parameters())
        population = encoding.random(1, np.random.default_rng(1))
        path = tmp_path / "genome.json"
        path.write_bytes(zlib.decompress(encoding.to_bytes(population, 0)))
        return path, encoding, population

    def test_draws_the_very_picture_at_its_native_size(self, genome, tmp_path):
        path, encoding, population = genome

        answer("develop", path, "--size", 28, "--output", tmp_path / "picture.png")

        drawn = np.asarray(Image.open(tmp_path / "picture.png"))
        np.testing.assert_array_equal(drawn, np.rint(encoding.develop(population)[0, 0] * 255))

    @pytest.mark.parametrize("size", [1, 300])
    def test_draws_at_any_size(self, genome, tmp_path, size):
        answer("develop", genome[0], "--size", size, "--output", tmp_path / "picture.png")

        assert Image.open(tmp_path / "picture.png").size == (size, size)

    def test_draws_in_colour(self, tmp_path):
        encoding = CppnEncoding(Parameters(channels=3, height=256, width=256, colour="hls"))
        population = encoding.random(1, np.random.default_rng(1))
        (tmp_path / "genome.json").write_bytes(zlib.decompress(encoding.to_bytes(population, 0)))

        answer("develop", tmp_path / "genome.json", "--output", tmp_path / "picture.png")

        picture = Image.open(tmp_path / "picture.png")
        assert (picture.mode, picture.size) == ("RGB", (256, 256))
        expected = np.rint(encoding.develop(population)[0] * 255).transpose(1, 2, 0)
        np.testing.assert_array_equal(np.asarray(picture), expected)

    @pytest.mark.parametrize(
        "content", ["", "{}", "[1]", '"x"', "null", '{"outputs": 7, "coordinates": "x"}']
    )
    def test_refuses_what_is_no_genome(self, tmp_path, content):
        (tmp_path / "genome.json").write_text(content)

        assert "genome" in refusal("develop", tmp_path / "genome.json", "--output", tmp_path / "picture.png")

    @pytest.mark.parametrize(
        "content",
        ["<svg/>", "<data><genome>", '<!DOCTYPE x [<!ENTITY a "b">]><data><genome>&a;</genome></data>'],
    )
    def test_refuses_xml_that_is_no_genome_of_picbreeder(self, tmp_path, content):
        (tmp_path / "genome.xml").write_text(content)

        assert "genome" in refusal("develop", tmp_path / "genome.xml", "--output", tmp_path / "picture.png")

    def test_draws_a_genome_of_picbreeder(self, tmp_path):
        """A network whose only link is of the bias: 2 / (1 + e^-1) - 1 = 0.462, level 117 everywhere."""
        (tmp_path / "genome.xml").write_text(
            '<cppn-data version="1.2"/><data><genome phenotype="grey"><nodes>'
            '<node type="in" label="bias"><marking branch="1" id="1"/>'
            "<activation>identity(x)</activation></node>"
            '<node type="out" label="ink"><marking branch="1" id="2"/>'
            "<activation>sigmoid(x)</activation></node></nodes>"
            '<links><link><source branch="1" id="1"/><target branch="1" id="2"/><weight>1.0</weight></link>'
            "</links></genome></data>"
        )

        answer("develop", tmp_path / "genome.xml", "--size", 20, "--output", tmp_path / "picture.png")

        assert (np.asarray(Image.open(tmp_path / "picture.png")) == np.full((20, 20, 3), 117)).all()

    @pytest.mark.parametrize("size", ["0", "-1", "9000", "huge"])
    def test_refuses_a_size_that_cannot_be_meant(self, genome, tmp_path, size):
        assert "size" in refusal("develop", genome[0], f"--size={size}", "--output", tmp_path / "picture.png")

    def test_refuses_a_file_that_is_not_there(self, tmp_path):
        words = ("develop", tmp_path / "none.json", "--output", tmp_path / "picture.png")

        assert "cannot be read" in refusal(*words)
