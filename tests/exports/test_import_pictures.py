"""Plain pictures with a table of classes: taken in as one run that every page can show, or refused whole."""

import io
import json
import random
import stat
import struct
import tempfile
import zipfile
import zlib
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from PIL import Image

from evolution.archive_lines import as_float32
from evolution.direct import DirectEncoding
from fooling_web.exports import aside, picture_files
from fooling_web.exports.importing import AlreadyImported, import_archive
from fooling_web.exports.models import ImportJob
from fooling_web.exports.packing import Choices, pack
from fooling_web.exports.picture_files import PicturesRefused
from fooling_web.exports.pictures_in import import_pictures
from fooling_web.exports.working import work_off
from fooling_web.galleries.hanging import hang_all
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from fooling_web.studies import building, choosing
from fooling_web.studies.choosing import Asked
from models_zoo.registry import find
from models_zoo.travelling import card_document, known_or_registered
from tests.exports.recorded import recorded

pytestmark = pytest.mark.django_db

LENET = "mnist-lenet"
TABLE = "file,class,confidence\nring.png,0,\nline.jpg,1,\nother.webp,1,\nwide.png,7,0.5\n"


def picture(seed: int, kind: str = "PNG", size: tuple[int, int] = (28, 28)) -> bytes:
    """A bright stroke on black, in colours."""
    levels = np.zeros((size[1], size[0], 3), np.uint8)
    levels[4:-4, 6 + seed : 10 + seed] = 255
    file = io.BytesIO()
    Image.fromarray(levels).save(file, format=kind)
    return file.getvalue()


FILES = {
    "ring.png": picture(1),
    "line.jpg": picture(5, "JPEG"),
    "other.webp": picture(8, "WEBP", (60, 60)),
    "wide.png": picture(3, size=(80, 40)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "strokes"
    path.mkdir()
    for name, content in FILES.items():
        (path / name).write_bytes(content)
    (path / "classes.csv").write_text(TABLE)
    return path


def zipped(path: Path, files: dict[str, bytes], table: str = TABLE, *, within: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, "classes.csv": table.encode()}.items():
            archive.writestr(f"{within}{name}", content)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return zipped(tmp_path / "strokes.zip", FILES)


@pytest.fixture
def pictures(file: Path, alice: Any) -> Run:
    """A run of Alice's of four pictures, two of them of one class."""
    return import_pictures(file, classifier=LENET, owner=alice)


def answer(*words: object) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def test_takes_a_folder_by_a_command(folder, alice):
    words = (
        "--classifier",
        LENET,
        "--owner",
        "alice",
        "--visibility",
        "private",
        "--name",
        "Strokes",
        "--json",
    )
    report = json.loads(answer("import_pictures", folder, *words))

    run = Run.objects.get(pk=report["run"])
    assert (report["pictures"], report["classes"], report["confidences"]) == (4, 3, "measured")
    assert (run.owner, run.visibility, run.name, run.kind) == (alice, "private", "Strokes", "pictures")
    assert (run.status, run.encoding, run.evaluations) == ("finished", "direct", 4)


def test_takes_a_zip_with_a_table_from_outside(tmp_path, file):
    other = tmp_path / "other.csv"
    other.write_text("\ufefffile;class\r\nring.png;3\r\nline.jpg;class 4\r\nother.webp;5\r\nwide.png;9\r\n")
    path = tmp_path / "bare.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(f"strokes/{name}", content)
        archive.writestr("__MACOSX/strokes/._ring.png", b"litter")

    assert "4 pictures of 4 classes" in answer("import_pictures", path, "--classifier", LENET, "--csv", other)
    assert set(Run.objects.get().champions.values_list("class_index", flat=True)) == {3, 4, 5, 9}


def test_keeps_pixels_as_a_direct_run_does(pictures):
    first = pictures.individuals.get(number=0)
    encoding = DirectEncoding(pictures.settings)
    population = encoding.from_bytes([bytes(first.genome)])

    grey = np.asarray(Image.open(io.BytesIO(FILES["ring.png"])).convert("L"))
    assert np.array_equal(population.levels[0, 0], grey)
    assert encoding.fingerprint(population, 0) == first.genome_hash


def test_asks_the_classifier_and_lets_the_surest_hold_a_class(pictures):
    told = {one.number: one for one in pictures.individuals.all()}
    sure = {1: dict(told[1].top)[1], 2: dict(told[2].top)[1]}
    champion = pictures.champions.get(class_index=1)

    assert champion.individual.number == max(sure, key=sure.get)
    assert champion.confidence == max(sure.values())
    assert pictures.takeovers.filter(class_index=1).count() == 2
    assert pictures.champions.get(class_index=7).confidence != 0.5  # which the table claims
    assert not pictures.is_claimed
    assert pictures.origin["file"] == "strokes.zip"
    assert pictures.origin["pictures"] == 4


def test_finds_the_same_pictures_here(file, pictures, alice, bob):
    with pytest.raises(AlreadyImported):
        import_pictures(file, classifier=LENET, owner=bob)

    assert import_pictures(file, classifier=LENET, owner=bob, anyway=True) != pictures
    assert import_pictures(file, classifier="mnist-mlp", owner=alice).classifier == "mnist-mlp"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("file;label\n", "line 1: there is no column class; begin with file,class"),
        ("file,class\n", "names no picture"),
        ("file,class\nring.png,10\n", "line 2: class 10 is out of range; classes are 0 to 9"),
        ("file,class\nring.png,\n", "line 2: the class is missing"),
        ("file,class\nring.png,starfish\n", "line 2: no class is called “starfish”"),
        ("file,class\nring.png,1\nring.png,2\n", "line 3: ring.png stands in line 2, too"),
        ("file,class\n../ring.png,1\n", "line 2: '../ring.png' names no file beside the table"),
        ("file,class\nnone.png,1\n", "line 2: there is no file none.png; add it, or take the line out"),
        (
            "file,class\nring.png,1\n",
            "line.jpg is not in classes.csv; add a line for it, or take the file out",
        ),
        ("file,class,confidence\nring.png,1,nan\n", "line 2: 'nan' is no confidence"),
        ("file,class,confidence\nring.png,1,1.5\n", "line 2: '1.5' is no confidence"),
    ],
)
def test_refuses_a_table_naming_line_and_remedy(tmp_path, table, said):
    path = zipped(tmp_path / "strokes.zip", FILES, table)

    with pytest.raises(CommandError) as refused:
        answer("import_pictures", path, "--classifier", LENET)

    assert said in str(refused.value)
    assert not Run.everything.exists()


def bomb(side: int) -> bytes:
    """A PNG that says that it has so many pixels a side."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"0"))
        + chunk(b"IEND", b"")
    )


def gif() -> bytes:
    file = io.BytesIO()
    Image.new("L", (28, 28)).save(file, format="GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(10_000), "100,000,000 pixels; give a picture of at most 40,000,000"),
        (bomb(60_000), "far too many pixels; give a picture of at most 40,000,000"),
        (gif(), "ring.png cannot be read as a picture"),
        (FILES["ring.png"][:60], "ring.png cannot be read as a picture"),
        (b"no picture", "ring.png cannot be read as a picture"),
        (picture(1, size=(2000, 20)), "ring.png is a strip of 2000 x 20 pixels"),
        (b"\0" * 10_000_001, "ring.png has more than 10 MB"),
    ],
    ids=["bomb", "larger bomb", "another format", "cut short", "no picture", "strip", "large"],
)
def test_refuses_pictures_that_are_none(tmp_path, monkeypatch, content, said):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "aside"))
    (tmp_path / "aside").mkdir()
    path = zipped(tmp_path / "strokes.zip", {**FILES, "ring.png": content})

    with pytest.raises(PicturesRefused, match=said):
        import_pictures(path, classifier=LENET)

    assert not Run.everything.exists()
    assert not list((tmp_path / "aside").iterdir())


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("../ring.png", "points outside"),
        ("/ring.png", "points outside"),
        ("a\\..\\ring.png", "points outside"),
        (link(), "link.png is a link"),
        ("ring.png", "holds a file twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_entries_that_lead_elsewhere(tmp_path, file, member, said):
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(member, b"/etc/passwd")

    with pytest.raises(PicturesRefused, match=said):
        import_pictures(file, classifier=LENET)


def test_refuses_links_in_a_folder(folder):
    (folder / "link.png").symlink_to("/etc/hostname")

    with pytest.raises(PicturesRefused, match=r"link.png is a link"):
        import_pictures(folder, classifier=LENET)


def test_refuses_more_pictures_than_a_run_holds(folder, monkeypatch):
    monkeypatch.setattr(picture_files, "MOST_PICTURES", 3)

    with pytest.raises(PicturesRefused, match="more than 3 pictures; bring them in parts"):
        import_pictures(folder, classifier=LENET)


@pytest.mark.parametrize("cut", [60, 200, 500])
def test_refuses_a_zip_that_is_cut_short_or_altered(tmp_path, file, cut):
    whole = file.read_bytes()
    (tmp_path / "short.zip").write_bytes(whole[:-cut])
    (tmp_path / "altered.zip").write_bytes(whole[:cut] + bytes([whole[cut] ^ 255]) + whole[cut + 1 :])

    for name in ("short.zip", "altered.zip"):
        with pytest.raises(PicturesRefused, match=r"pack it again|cannot be read as|points outside"):
            import_pictures(tmp_path / name, classifier=LENET)


def test_refuses_what_does_not_exist_with_one_line(tmp_path):
    for words in ((tmp_path / "none", LENET), (tmp_path, LENET), (tmp_path, "no-such")):
        with pytest.raises(CommandError) as refused:
            answer("import_pictures", words[0], "--classifier", words[1])
        assert "\n" not in str(refused.value)


def test_takes_nothing_but_the_same_or_refuses_whatever_byte_was_altered(file):
    entry, whole = find(LENET), file.read_bytes()
    table = picture_files.Pictures(file, entry).table

    for place in range(0, len(whole), 97):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        with suppress(PicturesRefused), closing(picture_files.Pictures(file, entry)) as found:
            for told in found.told:
                picture_files.levels_of(found.content_of(told), told.name, entry)
            assert found.table == table


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A classifier that the site knows by its card alone."""
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path / "home"))
    card = card_document(find(LENET)) | {"name": "stand-in", "title": "Stand-in", "weights_sha256": "ab" * 32}
    return known_or_registered(card).name


def test_keeps_what_the_table_claims_where_nobody_can_be_asked(tmp_path, absent, client):
    table = "file,class,confidence\nring.png,0,0.9\nline.jpg,1,0.25\nother.webp,1,0.75\nwide.png,7,0.5\n"
    run = import_pictures(zipped(tmp_path / "strokes.zip", FILES, table), classifier=absent)

    assert run.is_claimed
    assert (run.classifier_sha256, run.evaluations) == ("ab" * 32, 0)
    assert dict(run.champions.values_list("class_index", "confidence")) == {
        0: as_float32(0.9),
        1: 0.75,
        7: 0.5,
    }
    for address in (run.get_absolute_url(), reverse("galleries:image", args=[run.pk, 0])):
        assert "claimed, not measured" in client.get(address).content.decode()
    assert "Claimed of 0" in client.get(reverse("runs:champion", args=[run.pk, 0])).content.decode()


def test_asks_for_a_confidence_that_nobody_can_measure(file, absent):
    with pytest.raises(PicturesRefused, match=r"line 2 of the table gives no confidence for ring.png"):
        import_pictures(file, classifier=absent)

    assert not Run.everything.exists()


# The page and its job.


def send(client, content, **sent):
    told = {"kind": "pictures", "classifier": LENET, "visibility": "private", **sent}
    return client.post(
        reverse("exports:import"), {**told, "file": SimpleUploadedFile("strokes.zip", content)}
    )


def test_offers_both_kinds_with_an_example(bob, as_person):
    page = as_person(bob).get(reverse("exports:import")).content.decode()

    assert "Runs that a site exported" in page
    assert "Plain pictures" in page
    assert "file,class,confidence" in page


def test_takes_pictures_in_for_whoever_sent_them(file, bob, as_person):
    client = as_person(bob)
    answered = send(client, file.read_bytes())
    job = ImportJob.objects.get()

    assert answered.status_code == 302
    work_off(aside.IN)

    job.refresh_from_db()
    assert (job.status, job.error, job.done, job.total) == ("finished", "", 8, 8)
    [run] = job.runs.all()
    assert (run.owner, run.visibility, run.kind) == (bob, "private", "pictures")
    assert run.get_absolute_url() in client.get(job.get_absolute_url()).content.decode()
    assert list(aside.own_folder(aside.IN).iterdir()) == []


def test_tells_why_pictures_were_refused_and_keeps_the_choices(tmp_path, bob, as_person):
    client = as_person(bob)
    send(client, zipped(tmp_path / "strokes.zip", FILES, "file,class\nring.png,77\n").read_bytes())
    work_off(aside.IN)

    job = ImportJob.objects.get()
    page = client.get(job.get_absolute_url()).content.decode()
    assert "classes.csv, line 2: class 77 is out of range" in page.replace("Classes.csv", "classes.csv")
    assert not Run.everything.exists()
    again = client.get(f"{reverse('exports:import')}?{job.query}").content.decode()
    assert f'value="{LENET}" selected' in again
    assert 'value="pictures" id="id_kind_1" checked' in " ".join(again.split()).replace(" required", "")


def test_asks_which_classifier_the_classes_belong_to(file, bob, as_person):
    answered = send(as_person(bob), file.read_bytes(), classifier="")

    assert answered.status_code == 422
    assert "Choose the classifier whose classes the table names." in answered.content.decode()


# Wherever runs are shown.


def addresses_of(run: Run) -> list[str]:
    place = [run.pk, run.individuals.get(number=2).number]
    return [
        reverse("runs:list"),
        reverse("runs:list") + "?mine=1",
        run.get_absolute_url(),
        reverse("runs:classes", args=[run.pk]),
        *(reverse("runs:champion", args=[run.pk, index]) for index in (1, 2)),
        *(reverse(f"runs:{name}", args=[run.pk]) for name in ("advance", "edit", "delete", "milestones")),
        *(
            reverse(f"galleries:{name}", args=place)
            for name in ("image", "children", "provenance", "said", "opinions")
        ),
        reverse("galleries:image", args=place) + "?class=1",
        reverse("galleries:person", args=["alice"]),
        reverse("galleries:gallery"),
        reverse("galleries:gallery") + f"?run={run.pk}",
        reverse("galleries:gallery") + "?method=pictures",
        reverse("classifiers:detail", args=[LENET]),
        reverse("runs:compare") + f"?run={run.pk}",
        reverse("exports:cite_run", args=[run.pk]),
        reverse("exports:cite_image", args=place),
        reverse("exports:order") + f"?run={run.pk}",
        reverse("studies:add_picked", args=place),
        "/",
    ]


def test_is_shown_wherever_runs_are(pictures, alice, as_person):
    client = as_person(alice)
    hang_all()

    for address in addresses_of(pictures):
        answered = client.get(address, follow=True)
        assert answered.status_code == 200, address
    page = client.get(pictures.get_absolute_url()).content.decode()
    assert "4 pictures from elsewhere, of 3 classes" in page
    assert "imported" in page
    for left_out in ("generation", "Clone", "Time", "Resume", "seed"):
        assert left_out not in page
    assert "strokes" in client.get(reverse("runs:list")).content.decode()
    image = client.get(reverse("galleries:image", args=[pictures.pk, 1])).content.decode()
    assert "line" in image
    for left_out in ("evolved image", "was evolved", "Make it again", "Its family", "Seed", "generation"):
        assert left_out not in image, left_out
    hung = client.get(reverse("galleries:gallery") + "?method=pictures").content.decode()
    assert f"{pictures.pk}" in hung


def test_has_no_generations_and_is_not_cloned(pictures, alice, as_person):
    client = as_person(alice)

    for name in ("time", "takeovers", "takeovers_csv"):
        assert client.get(reverse(f"runs:{name}", args=[pictures.pk])).status_code == 404, name
    assert client.post(reverse("runs:order_film", args=[pictures.pk])).status_code == 404
    assert client.get(reverse("runs:genes", args=[pictures.pk, 1])).status_code == 404
    assert client.get(reverse("runs:launch") + f"?clone={pictures.pk}").status_code == 404
    assert not pictures.can_go_on
    assert not pictures.resume()


def test_is_renamed_removed_and_restored(pictures, alice, as_person):
    client = as_person(alice)
    client.post(reverse("runs:edit", args=[pictures.pk]), {"name": "Strokes", "visibility": "unlisted"})
    client.post(reverse("runs:delete", args=[pictures.pk]))

    assert not Run.objects.exists()
    assert "Strokes" in client.get(reverse("runs:list") + "?mine=1").content.decode()
    client.post(reverse("runs:undelete", args=[pictures.pk]))
    assert Run.objects.get().name == "Strokes"


def test_gives_a_study_all_of_its_pictures(pictures, alice):
    study = building.begin(alice, "P7")  # participants are not asked what the machine said
    asked = Asked(count=10, wanted=Wanted(run=pictures.pk), each_label_once=False)

    choosing.add_evolved(study, alice, asked, random.Random(1))

    images = study.images.exclude(individual=None)
    told = {0: 0, 1: 1, 2: 1, 3: 7}
    assert {one.individual.number: one.class_index for one in images} == told


def test_goes_out_and_comes_in_as_it_was(tmp_path, pictures, bob):
    for choices in (Choices(plain=True), Choices(pictures=64, authors=True)):
        before, packed = recorded(pictures), pack(pictures, tmp_path / "run.zip", choices)
        verdict = json.loads(answer("verify_archive", tmp_path / "run.zip", "--json"))
        again = import_archive(tmp_path / "run.zip", owner=bob, anyway=True)

        assert recorded(again) == before
        assert (again.kind, again.status, again.is_claimed) == ("pictures", "finished", False)
        assert pack(again, tmp_path / "again.zip", choices) == packed
        assert verdict["archive_sha256"] == pictures.origin["archive_sha256"]
        again.delete()


def test_explains_itself_in_its_archive_file(tmp_path, pictures):
    pack(pictures, tmp_path / "run.zip", Choices(pictures=64))

    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        text = " ".join(archive.read("README.txt").decode().split())
    assert "Plain pictures that somebody brought from elsewhere" in text
    assert "are measured" in text
    assert "evolved so that" not in text
