"""Exports of runs as jobs: asked for on a page, packed aside, fetched by a link, begun anew after a mishap."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from evolution.archive_file import ArchiveFile
from fooling_web.exports import archive_files, aside, jobs
from fooling_web.exports.archive_files import order_archives
from fooling_web.exports.models import ExportJob
from fooling_web.exports.packing import Choices
from fooling_web.exports.tasks import keep_exports
from fooling_web.exports.working import work_off
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.models import AuditLine
from tests.factories import executed, launched
from tests.services import PROJECT

pytestmark = pytest.mark.django_db

ORDER = {"history": "whole", "pictures": "64", "tables": "on"}
LEAN = Choices(pictures=0, tables=False)


def ask(client, *runs, **choices):
    """Send the form, and return the job that comes of it."""
    answer = client.post(reverse("exports:order"), {**ORDER, "run": [run.pk for run in runs], **choices})
    assert answer.status_code == 302, answer.content.decode()
    return ExportJob.objects.get(pk=answer.url.split("/")[-2])


def content_of(client, job):
    """Return what the link of a finished job leads to."""
    return b"".join(client.get(jobs.link_to(job)).streaming_content)


def test_packs_a_run_with_what_was_chosen(finished_run, alice, as_person, tmp_path):
    client = as_person(alice)
    job = ask(client, finished_run, authors="on")

    assert work_off(aside.OUT) == 1

    job.refresh_from_db()
    assert (job.status, job.error, job.done) == ("finished", "", job.total)
    (tmp_path / "it.zip").write_bytes(content_of(client, job))
    with ArchiveFile(tmp_path / "it.zip") as archive:
        assert archive.run.seed == finished_run.seed
    names = zipfile.ZipFile(tmp_path / "it.zip").namelist()
    assert "parquet/individuals.parquet" in names
    assert "authors/bestfit.dat" in names
    assert sum(name.startswith("pictures/") for name in names) == 10
    assert job.size == (tmp_path / "it.zip").stat().st_size
    line = AuditLine.objects.get(deed="export")
    assert (line.by, line.what, line.size) == (alice, finished_run.name, job.size)


def test_packs_the_runs_of_a_sweep_into_one_file(alice, as_person):
    sweep = Sweep.objects.create(name="Three seeds", owner=alice)
    runs = [executed(launched(owner=alice, seed=seed, generations=2)) for seed in (1, 2)]
    Run.objects.filter(owner=alice).update(sweep=sweep)
    client = as_person(alice)
    page = client.get(reverse("exports:order"), {"sweep": sweep.pk})
    assert "Export 2 archives" in page.content.decode()

    job = ask(client, *runs)
    work_off(aside.OUT)

    job.refresh_from_db()
    assert job.title == "Three seeds, 2 runs"
    names = zipfile.ZipFile(io.BytesIO(content_of(client, job))).namelist()
    assert sum(name.endswith(".zip") for name in names) == 2


@pytest.mark.parametrize("status", [403, 404])
def test_is_for_the_owner_alone(finished_run, bob, as_person, status):
    if status == 404:
        Run.objects.update(visibility=Run.Visibility.PRIVATE)

    answers = [
        as_person(bob).get(reverse("exports:order"), {"run": finished_run.pk}),
        as_person(bob).post(reverse("exports:order"), {**ORDER, "run": finished_run.pk}),
    ]

    assert [answer.status_code for answer in answers] == [status, status]
    assert status == 404 or "Only the owner" in answers[0].content.decode()
    assert not ExportJob.objects.exists()


def test_shows_a_job_to_whoever_ordered_it(finished_run, alice, bob, administrator, as_person):
    job = order_archives(alice, [finished_run], LEAN)

    pages = [as_person(one).get(job.get_absolute_url()).status_code for one in (alice, bob, administrator)]

    assert pages == [200, 404, 200]
    assert finished_run.name in as_person(alice).get(reverse("exports:mine")).content.decode()
    assert finished_run.name not in as_person(bob).get(reverse("exports:mine")).content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"classes": "11"}, "out of range"),
        ({"classes": "x"}, "x"),
        ({"at_least": "2"}, "less than or equal to 1"),
        ({"pictures": "257"}, "257"),
        ({"history": "some"}, "some"),
    ],
    ids=["class", "name", "confidence", "size", "history"],
)
def test_refuses_what_cannot_be_chosen(finished_run, alice, as_person, wrong, said):
    answer = as_person(alice).post(reverse("exports:order"), {**ORDER, "run": finished_run.pk, **wrong})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ExportJob.objects.exists()


@pytest.mark.parametrize("address", ["?run=nonsense", "", "?sweep=1", "?run=%00"])
def test_finds_no_run_under_a_wrong_number(alice, as_person, address):
    assert as_person(alice).get(reverse("exports:order") + address).status_code == 404


def test_says_why_nothing_was_made(finished_run, alice, as_person):
    client = as_person(alice)
    job = ask(client, finished_run, at_least="1")

    work_off(aside.OUT)

    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error in client.get(job.get_absolute_url()).content.decode().replace("&#x27;", "'")
    assert AuditLine.objects.get(deed="export").outcome.startswith("failed")


def test_says_that_the_run_was_deleted_meanwhile(finished_run, alice):
    job = order_archives(alice, [finished_run], LEAN)
    Run.objects.update(removed_at=timezone.now())

    work_off(aside.OUT)

    job.refresh_from_db()
    assert "deleted meanwhile" in job.error


def test_stops_when_it_is_cancelled(finished_run, alice, as_person, monkeypatch):
    job = order_archives(alice, [finished_run], LEAN)
    pack = archive_files.pack

    def cancelled_meanwhile(*arguments):
        as_person(alice).post(reverse("exports:cancel", args=[job.pk]))
        return pack(*arguments)

    monkeypatch.setattr(archive_files, "pack", cancelled_meanwhile)
    work_off(aside.OUT)

    job.refresh_from_db()
    assert (job.status, job.file.name) == ("cancelled", "")
    assert not list(aside.own_folder(aside.OUT).iterdir())


def test_begins_anew_where_a_worker_died(finished_run, alice):
    job = order_archives(alice, [finished_run], LEAN)
    ExportJob.objects.update(status="running", touched_at=timezone.now(), attempts=1)
    assert work_off(aside.OUT) == 0  # somebody may be at it

    ExportJob.objects.update(touched_at=timezone.now() - ExportJob.PATIENCE - timedelta(seconds=1))
    work_off(aside.OUT)

    job.refresh_from_db()
    assert job.status == "finished"


def test_is_given_back_by_a_process_that_has_to_end(finished_run, alice, monkeypatch):
    job = order_archives(alice, [finished_run], LEAN)

    def stopped(*arguments):
        raise SystemExit(143)

    monkeypatch.setattr(archive_files, "pack", stopped)
    with pytest.raises(SystemExit):
        work_off(aside.OUT)

    job.refresh_from_db()
    assert (job.status, job.attempts) == ("waiting", 0)
    assert not list(aside.own_folder(aside.OUT).iterdir())


def test_goes_when_its_time_is_over(finished_run, alice, as_person):
    job = order_archives(alice, [finished_run], LEAN)
    work_off(aside.OUT)
    job.refresh_from_db()
    link, name = jobs.link_to(job), job.file.name
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    keep_exports()

    job.refresh_from_db()
    assert job.status == "removed"
    assert not default_storage.exists(name)
    assert as_person(alice).get(link).status_code == 404


def test_is_offered_on_the_pages_of_ones_own_runs(finished_run, alice, bob, as_person):
    offered = [
        reverse("exports:order") in as_person(one).get(finished_run.get_absolute_url()).content.decode()
        for one in (alice, bob)
    ]

    assert offered == [True, False]


def test_is_an_action_of_the_administration(finished_run, administrator, as_person):
    chosen = {"action": "export_chosen", "_selected_action": [finished_run.pk]}

    page = as_person(administrator).post(reverse("admin:runs_run_changelist"), chosen)

    assert page.status_code == 200
    assert f'name="run" value="{finished_run.pk}"' in page.content.decode()
    assert reverse("exports:order") in page.content.decode()


def test_keeps_the_limit_of_an_address(finished_run, alice, as_person, monkeypatch):
    monkeypatch.setattr("fooling_web.exports.archive_views.EXPORTS", 1)
    client = as_person(alice)
    ask(client, finished_run)

    answer = client.post(reverse("exports:order"), {**ORDER, "run": finished_run.pk})

    assert answer.status_code == 422
    assert "Wait for a minute" in answer.content.decode()


def test_is_worked_on_by_a_process_that_ends_with_its_worker(tmp_path):
    script = (
        "import subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-c', 'import os, time\\n"
        "import django; django.setup()\\n"
        "from fooling_web.exports.aside import tied_to\\n"
        "with tied_to(os.getppid()):\\n print(os.getpid(), flush=True); time.sleep(60)']);"
        "time.sleep(60)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "fooling_web.settings"}
    worker = subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    )
    number = int(worker.stdout.readline())

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    end = time.monotonic() + 10
    while is_alive(number) and time.monotonic() < end:
        time.sleep(0.1)
    assert not is_alive(number)


def is_alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True
