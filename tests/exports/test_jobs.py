"""Files that workers make: in slices, by one worker at a time, fetched by links that expire, and gone after days."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.exports import jobs, tasks
from fooling_web.exports.jobs import (
    Desk,
    JobLost,
    Refused,
    advance,
    cancel,
    fail,
    link_to,
    order,
    order_again,
)
from fooling_web.exports.models import ExportJob
from fooling_web.exports.tasks import keep_exports, make_export
from fooling_web.users.models import AuditLine

pytestmark = pytest.mark.django_db

PARTS = 3
Status = ExportJob.Status


@pytest.fixture(autouse=True)
def _storage(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep files in a folder of the test's own, and make them of three words."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "files"}},
    }
    monkeypatch.setitem(jobs.MAKERS, ExportJob.Kind.GALLERY, f"{__name__}.words")


def words(job: ExportJob, desk: Desk) -> Path | None:
    """Make a file of three parts, one a slice."""
    if job.choices.get("breaks"):
        raise {"badly": ValueError, "kindly": Refused}[job.choices["breaks"]]("no such thing")
    if job.done < PARTS:
        desk.keep_part(job.done, f"word {job.done}\n".encode())
        desk.note(job.done + 1, PARTS)
        return None
    path = desk.folder / "words.txt"
    path.write_bytes(b"".join(desk.part(number) for number in range(PARTS)))
    return path


@pytest.fixture
def job(alice: Any) -> ExportJob:
    return ordered(alice)


def ordered(person: Any, **choices: Any) -> ExportJob:
    return order(person, ExportJob.Kind.GALLERY, "Some words", choices)


def finished(job: ExportJob) -> ExportJob:
    while advance(job.pk):
        pass
    job.refresh_from_db()
    return job


def files() -> list[str]:
    return sorted(default_storage.listdir(jobs.FOLDER)[1]) if default_storage.exists(jobs.FOLDER) else []


def late(job: ExportJob, **ago: float) -> None:
    """Let a job seem to have been touched some time ago."""
    ExportJob.objects.filter(pk=job.pk).update(touched_at=timezone.now() - timedelta(**ago))


def test_is_made_in_slices_and_leaves_one_file(job):
    assert advance(job.pk)
    job.refresh_from_db()
    assert (job.status, job.done, job.total, job.attempts) == (Status.WAITING, 1, PARTS, 0)

    assert finished(job).status == Status.FINISHED
    assert job.file.open().read() == b"word 0\nword 1\nword 2\n"
    assert job.size == 21
    assert len(job.sha256) == 64
    assert files() == [f"{job.pk}.txt"]
    assert timedelta(days=6) < job.expires_at - timezone.now() < timedelta(days=8)


def test_tells_the_audit_log(job, alice):
    finished(job)

    line = AuditLine.objects.get()
    assert (line.by, line.deed, line.what, line.size, line.outcome) == (
        *(alice, "export", "Some words", 21, "done"),
    )


def test_goes_on_where_a_worker_was_killed(job):
    advance(job.pk)
    ExportJob.objects.filter(pk=job.pk).update(status=Status.RUNNING, touched_at=timezone.now())

    assert not advance(job.pk), "another worker seems to have it"
    late(job, minutes=3)
    assert list(jobs.waiting(timezone.now())) == [job]
    assert finished(job).file.open().read() == b"word 0\nword 1\nword 2\n"


def test_is_given_up_where_workers_die_of_it(job):
    for _ in range(jobs.MOST_ATTEMPTS):
        jobs._claimed(job.pk)
        late(job, minutes=3)

    assert finished(job).status == Status.FAILED
    assert "stopped 5 times" in job.error


def test_is_no_longer_kept_by_a_worker_that_lost_it(job, tmp_path):
    slow = jobs._claimed(job.pk)
    late(job, minutes=3)
    quick = jobs._claimed(job.pk)

    with pytest.raises(JobLost):
        Desk(slow, tmp_path, 1).note(1, PARTS)
    Desk(quick, tmp_path, 1).note(2, PARTS)
    job.refresh_from_db()
    assert job.done == 2


def test_stops_where_it_was_cancelled(job):
    advance(job.pk)

    assert cancel(job)
    assert not cancel(job)

    assert not advance(job.pk)
    assert finished(job).status == Status.CANCELLED
    assert files() == []


def test_leaves_nothing_where_it_was_cancelled_at_the_last_moment(job, monkeypatch):
    while job.done < PARTS:
        advance(job.pk)
        job.refresh_from_db()
    real = jobs._sha256

    def cancelled_meanwhile(path: Path) -> str:
        cancel(job)
        return real(path)

    monkeypatch.setattr(jobs, "_sha256", cancelled_meanwhile)
    assert finished(job).status == Status.CANCELLED
    assert files() == []


def test_says_why_it_failed(alice, caplog):
    kindly, badly = finished(ordered(alice, breaks="kindly")), finished(ordered(alice, breaks="badly"))

    assert (kindly.status, kindly.error) == (Status.FAILED, "no such thing")
    assert (badly.status, badly.error) == (
        Status.FAILED,
        "The file could not be made. The log of the worker says why.",
    )
    assert "ValueError" in caplog.text
    assert AuditLine.objects.filter(outcome__startswith="failed").count() == 2


def test_waits_for_no_more_than_three_of_a_person(alice, bob):
    for _ in range(3):
        ordered(alice)

    with pytest.raises(Refused, match="3 files already"):
        ordered(alice)
    ordered(bob)


def test_can_be_made_again_once_it_is_over(job):
    assert not order_again(job)
    fail(job, "no room")

    assert order_again(job)
    assert finished(job).status == Status.FINISHED


def test_goes_after_its_days(job):
    finished(job)

    keep_exports()
    assert files()
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(link_to(job)).status_code == 404, "even before it has been removed"
    keep_exports()

    job.refresh_from_db()
    assert (job.status, job.file.name) == (Status.REMOVED, "")
    assert files() == []


def test_leaves_no_pieces_when_its_person_goes(job, bob):
    advance(job.pk)
    finished(other := ordered(bob))
    job.by.delete()

    keep_exports()

    assert files() == [f"{other.pk}.txt"]


def test_keeps_the_latest_files_of_a_person(alice, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_FILES", 2)
    made = [finished(ordered(alice)) for _ in range(3)]

    assert files() == sorted(f"{job.pk}.txt" for job in made[1:])


def test_is_rung_for_where_its_bell_was_lost(job, monkeypatch):
    asked: list[Any] = []
    monkeypatch.setattr(tasks, "ask_to_export", asked.append)

    keep_exports()
    assert asked == []
    late(job, seconds=40)
    keep_exports()
    assert asked == [job]
    make_export(str(job.pk))
    assert asked == [job, job]


def test_is_fetched_by_a_link_that_expires(job, as_person, monkeypatch):
    link = as_person(finished(job).by).get(job.get_absolute_url()).context["link"]

    answer = Client().get(link)
    assert b"".join(answer.streaming_content) == b"word 0\nword 1\nword 2\n"
    assert answer["Content-Disposition"] == 'attachment; filename="some-words.txt"'
    assert Client().get(link.replace("/file/", "/file/x")).status_code == 404
    later = time.time() + 2 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    assert Client().get(link).status_code == 404


def test_shows_its_page_to_whoever_asked_for_it_and_to_administrators(job, as_person, bob, administrator):
    address = job.get_absolute_url()

    assert as_person(job.by).get(address).status_code == 200
    assert as_person(administrator).get(address).status_code == 200
    assert as_person(bob).get(address).status_code == 404
    assert as_person(bob).post(reverse("exports:cancel", args=[job.pk])).status_code == 404
    assert Client().get(address)["Location"].startswith("/accounts/login/")


def test_shows_how_far_it_is(job, as_person):
    browser, address = as_person(job.by), job.get_absolute_url()

    assert "Waiting for a worker" in browser.get(address).content.decode()
    advance(job.pk)
    part = browser.get(address, headers={"hx-request": "true"}).content.decode()
    assert "1 of 3 steps" in part
    assert "<html" not in part
    assert "every 1s" in part
    finished(job)
    assert "every 1s" not in browser.get(address).content.decode()


def test_is_cancelled_and_asked_for_again_on_its_page(job, as_person, monkeypatch):
    asked: list[Any] = []
    monkeypatch.setattr("fooling_web.exports.views.ask_to_export", asked.append)
    monkeypatch.setattr("fooling_web.exports.views.transaction.on_commit", lambda call: call())
    browser = as_person(job.by)

    browser.post(reverse("exports:cancel", args=[job.pk]))
    assert "This was cancelled" in browser.get(job.get_absolute_url()).content.decode()
    browser.post(reverse("exports:again", args=[job.pk]))

    job.refresh_from_db()
    assert (job.status, asked) == (Status.WAITING, [job])
