"""A gallery in a file: the pictures of a view with a table, at once or by a worker."""

import csv
import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from PIL import Image

from fooling_web.exports import gallery_views
from fooling_web.exports.gallery_files import NOTHING_LEFT, Order, ordered, taken_at_once
from fooling_web.exports.gallery_pieces import safe
from fooling_web.exports.jobs import Refused, advance
from fooling_web.exports.models import ExportJob
from fooling_web.galleries.hanging import hang_all
from fooling_web.galleries.models import Entry, Exhibit
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from fooling_web.runs.pictures import png_of
from tests.imagined import imagined

pytestmark = pytest.mark.django_db

TAKE = "/gallery/take/"
N_CLASSES = 70
PATIENT = 60.0  # seconds


@pytest.fixture(autouse=True)
def _storage(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep files in a folder of the test's own, and let no busy machine hurry."""
    monkeypatch.setattr(gallery_views, "SECONDS", PATIENT)
    settings.HOME = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "files"}},
    }


@pytest.fixture
def digits(finished_run: Run) -> Run:
    """A public run of Alice's with ten champions, which hang."""
    hang_all()
    return finished_run


@pytest.fixture
def hung(alice: Any) -> Run:
    """A public run of Alice's with seventy champions, which hang."""
    run = imagined(N_CLASSES, 1, name="Seventy", owner=alice).run
    hang_all()
    return run


def wanted(form: str = "zip", most: int = 60, **view: Any) -> Order:
    told = {"title": "all images", "address": "http://testserver/gallery/", "site": "http://testserver/"}
    return Order.of(Wanted(**view), form, most, **told)


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def table(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("images.csv").decode())))


def test_holds_what_other_programs_check(digits, tmp_path):
    archive = opened(taken_at_once(wanted(), PATIENT))
    archive.extractall(tmp_path / "out")

    assert archive.testzip() is None
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path / "out", check=True)
    assert {"images.csv", "citation.bib", "README.txt", "SHA256SUMS"} < set(archive.namelist())
    assert {row["file"] for row in table(archive)} == {
        name for name in archive.namelist() if name.startswith("pictures/")
    }


def test_holds_the_very_pixels_that_the_classifier_saw(digits):
    archive = opened(taken_at_once(wanted(), PATIENT))

    rows = table(archive)
    assert len(rows) == 10
    for row in rows:
        individual = digits.individuals.get(number=row["number"])
        saw, taken = (
            np.asarray(Image.open(io.BytesIO(content)))
            for content in (png_of(digits, individual), archive.read(row["file"]))
        )
        assert np.array_equal(taken, saw)


def test_names_pictures_by_class_confidence_run_and_number(digits):
    first = table(opened(taken_at_once(wanted(), PATIENT)))[0]

    entry = Entry.objects.order_by("-confidence", "pk").first()
    slug, confidence, run, number = Path(first["file"]).stem.split("_")
    assert (slug, int(number)) == (entry.image_class.slug, entry.number)
    assert digits.pk.hex.startswith(run)
    assert 0 <= entry.confidence - float(confidence) < 1e-6
    assert float(first["confidence"]) == entry.confidence
    assert first["address"] == f"http://testserver{entry.get_absolute_url()}"


def test_takes_what_the_view_shows_in_its_order(hung):
    rows = table(opened(taken_at_once(wanted(most=12), PATIENT)))

    shown = Entry.objects.order_by("-confidence", "pk")[:12]
    assert [int(row["number"]) for row in rows] == [entry.number for entry in shown]


def test_takes_only_what_a_filter_lets_through(digits):
    label = Entry.objects.get(image_class__class_index=3)

    rows = table(opened(taken_at_once(wanted(image_class=label.image_class.slug), PATIENT)))

    assert [row["class_index"] for row in rows] == ["3"]


def test_leaves_what_was_hidden_or_made_private_since(digits):
    order = wanted()
    Exhibit.objects.create(individual=Entry.objects.get(pk=order.keys[0]).individual, hidden=True)

    archive = opened(taken_at_once(order, PATIENT))

    assert len(table(archive)) < 10
    assert "more hung there when" in archive.read("README.txt").decode()
    Run.objects.update(visibility=Run.Visibility.PRIVATE)
    with pytest.raises(Refused, match="Nothing of it hangs"):
        taken_at_once(order, PATIENT)


def test_lets_no_program_take_a_name_for_a_formula(digits):
    Run.objects.update(name="=HYPERLINK(1)")

    assert table(opened(taken_at_once(wanted(), PATIENT)))[0]["run_name"] == "'=HYPERLINK(1)"
    assert [safe(value) for value in ("plain", -1.5, "@x")] == ["plain", -1.5, "'@x"]


def test_comes_at_once_where_it_is_small(client: Client, digits):
    answer = client.get(TAKE, {"take": "zip"})

    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == 'attachment; filename="gallery-all-images-surest-first.zip"'
    assert len(table(opened(answer.content))) == 10


def test_needs_no_account_where_it_is_small_and_one_where_it_is_large(client: Client, hung, alice):
    large = f"{TAKE}?take=zip&most=200"

    assert "Sign in" in client.get(large).content.decode()
    assert client.post(large)["Location"].startswith("/accounts/login/")
    assert not ExportJob.objects.exists()
    client.force_login(alice)
    assert "Make the file" in client.get(large).content.decode()


def test_becomes_a_job_that_a_worker_does_in_slices(client: Client, hung, alice, monkeypatch, settings):
    asked: list[ExportJob] = []
    monkeypatch.setattr(gallery_views, "ask_to_export", asked.append)
    monkeypatch.setattr(gallery_views.transaction, "on_commit", lambda call: call())
    client.force_login(alice)

    answer = client.post(f"{TAKE}?take=zip&most=200")

    job = ExportJob.objects.get()
    assert asked == [job]
    assert answer["Location"] == job.get_absolute_url()
    slices = 1
    while advance(job.pk, seconds=0):
        slices += 1
    job.refresh_from_db()
    assert (job.status, job.done, job.total) == ("finished", N_CLASSES, N_CLASSES), job.error
    assert slices == 4  # three parts of 25 and what is left, then the file
    link = client.get(job.get_absolute_url()).context["link"]
    content = b"".join(Client().get(link).streaming_content)
    assert len(table(opened(content))) == N_CLASSES


def test_is_the_same_file_at_once_and_by_a_worker(digits, alice):
    job = ordered(alice, wanted())
    assert not advance(job.pk, seconds=60)
    job.refresh_from_db()

    assert job.file.open().read() == taken_at_once(wanted(), PATIENT)


def test_is_offered_as_a_job_where_drawing_takes_long(client: Client, hung, alice, monkeypatch):
    monkeypatch.setattr(gallery_views, "SECONDS", 0)
    client.force_login(alice)

    page = client.get(TAKE, {"take": "png"}).content.decode()

    assert "takes longer than a page" in page
    assert "Make the file" in page


def test_is_offered_as_a_job_while_another_is_drawn(client: Client, digits):
    with gallery_views._drawing:
        page = client.get(TAKE, {"take": "zip"}).content.decode()

    assert "Another file is being made" in page


def test_has_limits_for_each_address(client: Client, digits, monkeypatch):
    monkeypatch.setattr(gallery_views, "IMAGES_A_MINUTE", 15)

    assert client.get(TAKE, {"take": "zip"}).status_code == 200
    assert client.get(TAKE, {"take": "zip"}).status_code == 429


def test_says_so_where_nothing_hangs(client: Client, alice):
    page = client.get(TAKE, {"take": "zip"}).content.decode()

    assert NOTHING_LEFT in page
    client.force_login(alice)
    assert NOTHING_LEFT in client.post(f"{TAKE}?take=zip").content.decode()


def test_holds_as_many_as_its_kind_can(client: Client, hung):
    assert len(wanted("png", 1000).keys) == N_CLASSES
    offered = client.get(TAKE, {"take": "png", "most": "no number"}).context
    assert offered is None or offered["most"] == 60


def test_is_linked_from_the_gallery(client: Client, digits):
    page = client.get("/gallery/?sort=newest").content.decode()

    assert "Take it with you" in page
    assert f"{reverse('exports:take')}?sort=newest&amp;take=pdf" in page
