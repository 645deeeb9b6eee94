"""Imports as jobs: sent on a page, taken in aside as runs of whoever sent them, or refused and forgotten."""

import shutil
import zipfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from fooling_web.exports import arrivals, aside
from fooling_web.exports.models import ImportJob
from fooling_web.exports.packing import Choices, pack, pack_many
from fooling_web.exports.tasks import keep_exports
from fooling_web.exports.working import work_off
from fooling_web.runs.models import Run
from fooling_web.users.models import AuditLine
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db

LEAN = Choices(plain=True)
SENT = {"visibility": "private"}


@pytest.fixture
def archive(finished_run, tmp_path):
    """The bytes of a run's archive file."""
    pack(finished_run, tmp_path / "run.zip", LEAN)
    return (tmp_path / "run.zip").read_bytes()


@pytest.fixture(autouse=True)
def _no_files():
    """Begin with an empty folder of files that were sent."""
    shutil.rmtree(default_storage.path(arrivals.FOLDER), ignore_errors=True)


def send(client, content, name="run.zip", **sent):
    """Send a file and return the answer."""
    return client.post(reverse("exports:import"), {**SENT, **sent, "file": SimpleUploadedFile(name, content)})


def job_of(answer):
    assert answer.status_code == 302, answer.content.decode()
    return ImportJob.objects.get(pk=answer.url.split("/")[-2])


def left():
    """Return what lies on the disk of files that were sent."""
    folder = default_storage.path(arrivals.FOLDER)
    files = default_storage.listdir(arrivals.FOLDER)[1] if default_storage.exists(folder) else []
    return [*files, *aside.own_folder(aside.IN).iterdir()]


def test_takes_an_archive_in_for_whoever_sent_it(archive, finished_run, bob, as_person):
    client = as_person(bob)
    job = job_of(send(client, archive, visibility="unlisted"))

    assert work_off(aside.IN) == 1

    job.refresh_from_db()
    assert (job.status, job.error) == ("finished", "")
    [run] = job.runs.all()
    assert (run.owner, run.visibility, run.origin["file"]) == (bob, "unlisted", "run.zip")
    assert run.individuals.count() == finished_run.individuals.count()
    assert run.get_absolute_url() in client.get(job.get_absolute_url()).content.decode()
    line = AuditLine.objects.get(deed="import")
    assert (line.by, line.size, line.outcome) == (bob, len(archive), "done")
    assert str(run.pk) in line.what
    assert left() == []


def test_refuses_what_is_damaged_and_keeps_nothing(archive, bob, as_person):
    client = as_person(bob)
    damaged = bytearray(archive)
    damaged[len(damaged) // 2] ^= 1
    job = job_of(send(client, bytes(damaged)))
    before = Run.objects.count()

    work_off(aside.IN)

    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error.startswith("run.zip")
    assert "\n" not in job.error
    assert job.error in client.get(job.get_absolute_url()).content.decode().replace("&#x27;", "'")
    assert Run.objects.count() == before
    assert AuditLine.objects.get(deed="import").outcome.startswith("refused")
    assert left() == []


@pytest.mark.parametrize(
    ("content", "said"), [(b"no zip", "is no ZIP"), (b"", "empty"), (b"PK\3\4" + bytes(1_000_001), "1 MB")]
)
def test_refuses_at_the_door_what_cannot_be_an_archive(bob, as_person, settings, content, said):
    settings.IMPORT_UPLOAD_MEGABYTES = 1

    answer = send(as_person(bob), content)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ImportJob.objects.exists()
    assert left() == []


def test_shows_the_run_that_came_in_before(archive, bob, as_person):
    client = as_person(bob)
    first, second = job_of(send(client, archive)), job_of(send(client, archive))

    assert work_off(aside.IN) == 2

    assert list(first.runs.all()) == list(second.runs.all())
    page = client.get(second.get_absolute_url()).content.decode()
    assert "here already" in page
    assert Run.objects.owned_by(bob).count() == 1


@pytest.fixture
def bundle(finished_run, alice, tmp_path):
    """A ZIP of two runs' archive files."""
    other = executed(launched(owner=alice, seed=2, generations=2))
    pack_many([finished_run, other], tmp_path / "runs.zip", LEAN)
    return tmp_path / "runs.zip"


def test_takes_several_archives_in_together(bundle, bob, as_person):
    client = as_person(bob)
    job = job_of(send(client, bundle.read_bytes(), "runs.zip"))

    work_off(aside.IN)

    job.refresh_from_db()
    assert (job.status, job.error) == ("finished", "")
    assert set(job.runs.all()) == set(Run.objects.owned_by(bob))
    assert job.runs.count() == 2
    assert left() == []


@pytest.mark.parametrize("wrong", ["damaged", "compressed", "path", "text"])
def test_takes_none_of_several_in_where_one_is_wrong(bundle, bob, as_person, tmp_path, wrong):
    altered = tmp_path / "altered.zip"
    with zipfile.ZipFile(bundle) as before, zipfile.ZipFile(altered, "w") as after:
        names = sorted(name for name in before.namelist() if name.endswith(".zip"))
        contents = [before.read(name) for name in names]
        after.writestr(names[0], contents[0])
        if wrong == "damaged":
            after.writestr(names[1], contents[1][:-100])
        else:
            name = {"compressed": names[1], "path": f"../{names[1]}", "text": "more.txt"}[wrong]
            how = zipfile.ZIP_DEFLATED if wrong == "compressed" else zipfile.ZIP_STORED
            after.writestr(name, contents[1], compress_type=how)
    job = job_of(send(as_person(bob), altered.read_bytes(), "runs.zip"))

    work_off(aside.IN)

    job.refresh_from_db()
    assert job.status == "failed"
    assert str(aside.own_folder(aside.IN)) not in job.error
    assert not Run.objects.owned_by(bob).exists()
    assert left() == []


def test_asks_for_an_account(client, bob, charlie, as_person):
    assert client.get(reverse("exports:import")).status_code == 302
    job = ImportJob.objects.create(by=bob, name="run.zip")

    assert as_person(charlie).get(job.get_absolute_url()).status_code == 404
    assert as_person(charlie).post(reverse("exports:cancel_arrival", args=[job.pk])).status_code == 404


def test_has_no_room_for_whoever_has_used_theirs_up(archive, bob, as_person):
    bob.most_storage = 0
    bob.save()

    page = as_person(bob).get(reverse("exports:import")).content.decode()
    answer = send(as_person(bob), archive)

    assert "may take 0 MB" in page
    assert answer.status_code == 422
    assert left() == []


def test_lets_nobody_fill_the_queue(archive, bob, as_person):
    client = as_person(bob)
    answers = [send(client, archive).status_code for _ in range(arrivals.MOST_UNFINISHED + 1)]

    assert answers == [302] * arrivals.MOST_UNFINISHED + [422]


def test_keeps_the_limit_of_an_address(archive, bob, as_person, monkeypatch):
    monkeypatch.setattr("fooling_web.exports.archive_views.IMPORTS", 1)

    answers = [send(as_person(bob), archive) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 422]
    assert "Wait for a minute" in answers[1].content.decode()


def test_is_cancelled_with_its_file(archive, bob, as_person):
    client = as_person(bob)
    job = job_of(send(client, archive))

    client.post(reverse("exports:cancel_arrival", args=[job.pk]))

    assert work_off(aside.IN) == 0
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert left() == []


def test_leaves_no_run_where_it_was_cancelled_meanwhile(archive, bob, as_person, monkeypatch):
    job = job_of(send(as_person(bob), archive))
    imported = arrivals._imported

    def cancelled_meanwhile(*arguments):
        runs = imported(*arguments)
        arrivals.cancel(ImportJob.objects.get(pk=job.pk))
        return runs

    monkeypatch.setattr(arrivals, "_imported", cancelled_meanwhile)
    work_off(aside.IN)

    assert not Run.objects.owned_by(bob).exists()
    assert left() == []


def test_begins_anew_where_a_worker_died(archive, bob, as_person):
    job = job_of(send(as_person(bob), archive))
    ImportJob.objects.update(status="running", attempts=1, touched_at=timezone.now())
    assert work_off(aside.IN) == 0

    ImportJob.objects.update(touched_at=timezone.now() - ImportJob.PATIENCE - timedelta(seconds=1))
    work_off(aside.IN)

    job.refresh_from_db()
    assert job.status == "finished"


def test_is_given_up_where_workers_die_of_it(archive, bob, as_person):
    job = job_of(send(as_person(bob), archive))
    ImportJob.objects.update(attempts=arrivals.MOST_ATTEMPTS)

    work_off(aside.IN)

    job.refresh_from_db()
    assert "stopped 3 times" in job.error
    assert left() == []


def test_clears_files_away_that_wait_for_nobody(archive, bob, as_person, monkeypatch):
    waiting = job_of(send(as_person(bob), archive))
    default_storage.save(f"{arrivals.FOLDER}/forgotten.zip", ContentFile(b"PK"))
    monkeypatch.setattr(ImportJob, "PATIENCE", timedelta(0))

    keep_exports()

    assert [f"{arrivals.FOLDER}/{name}" for name in left()] == [waiting.file.name]
