"""A link to a file leads those to it who may see what is in it, and nobody else."""

from typing import Any

import pytest
from django.test import Client

from fooling_web.exports import jobs
from fooling_web.exports.archive_files import order_archives
from fooling_web.exports.models import ExportJob
from fooling_web.exports.packing import Choices
from fooling_web.runs.models import Run

pytestmark = pytest.mark.django_db


def made(run: Run, by: Any) -> ExportJob:
    job = order_archives(by, [run], Choices(plain=True))
    jobs.advance(job.pk)
    job.refresh_from_db()
    assert job.status == ExportJob.Status.FINISHED
    return job


def opens(client: Client, job: ExportJob) -> bool:
    status = client.get(jobs.link_to(job)).status_code
    assert status in (200, 404)
    return status == 200


def test_of_a_public_run_is_for_everybody(finished_run: Run, alice: Any) -> None:
    assert opens(Client(), made(finished_run, alice))


def test_of_a_private_run_is_for_its_owner_and_staff(
    finished_run: Run, alice: Any, bob: Any, administrator: Any, as_person: Any
) -> None:
    Run.objects.update(visibility=Run.Visibility.PRIVATE)
    job = made(finished_run, alice)

    assert [opens(as_person(person), job) for person in (alice, administrator, bob)] == [True, True, False]
    assert not opens(Client(), job)


def test_ends_with_the_run(finished_run: Run, alice: Any, as_person: Any) -> None:
    job = made(finished_run, alice)
    finished_run.remove()

    assert not opens(as_person(alice), job)
    finished_run.restore()
    assert opens(as_person(alice), job)
