"""A link to a file leads those to it who may see what is in it, and nobody else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from fooling_web.exports import jobs
from fooling_web.exports.archive_files import order_archives
from fooling_web.exports.models import ExportJob
from fooling_web.exports.packing import Choices
from fooling_web.runs.models import Run
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db


def made(by: Any, *runs: Run) -> ExportJob:
    job = order_archives(by, runs, Choices(plain=True))
    jobs.advance(job.pk)
    job.refresh_from_db()
    assert job.status == ExportJob.Status.FINISHED
    return job


@pytest.fixture
def openers(
    alice: Any, bob: Any, administrator: Any, as_person: Callable[[Any], Client]
) -> Callable[[ExportJob], list[str]]:
    """Return who of all people fetches a file by its link."""
    browsers = {"alice": as_person(alice), "bob": as_person(bob), "ada": as_person(administrator)}

    def fetching(job: ExportJob) -> list[str]:
        link = jobs.link_to(job)
        answers = {name: client.get(link).status_code for name, client in {**browsers, "": Client()}.items()}
        assert set(answers.values()) <= {200, 404}
        return [name for name, status in answers.items() if status == 200]

    return fetching


def test_of_a_public_run_is_for_everybody(finished_run: Run, alice: Any, openers: Any) -> None:
    assert openers(made(alice, finished_run)) == ["alice", "bob", "ada", ""]


@pytest.mark.parametrize("visibility", [Run.Visibility.PRIVATE, Run.Visibility.UNLISTED])
def test_of_another_run_is_for_its_owner_and_staff(
    finished_run: Run, alice: Any, openers: Any, visibility: str
) -> None:
    job = made(alice, finished_run)
    Run.objects.update(visibility=visibility)

    assert openers(job) == ["alice", "ada"]


def test_is_for_the_owner_too_where_somebody_else_asked(
    finished_run: Run, administrator: Any, openers: Any
) -> None:
    Run.objects.update(visibility=Run.Visibility.PRIVATE)

    assert openers(made(administrator, finished_run)) == ["alice", "ada"]


def test_of_several_runs_is_as_closed_as_the_most_private(
    finished_run: Run, alice: Any, openers: Any
) -> None:
    other = executed(launched(owner=alice, seed=2, generations=2, visibility=Run.Visibility.PRIVATE))

    assert openers(made(alice, finished_run, other)) == ["alice", "ada"]


def test_ends_with_the_run_and_comes_back_with_it(finished_run: Run, alice: Any, openers: Any) -> None:
    job = made(alice, finished_run)
    finished_run.remove()
    assert openers(job) == []

    finished_run.restore()

    assert openers(job) == ["alice", "bob", "ada", ""]


def test_ends_where_a_run_is_gone_for_good(finished_run: Run, alice: Any, openers: Any) -> None:
    other = executed(launched(owner=alice, seed=2, generations=2))
    alone, both = made(alice, finished_run), made(alice, finished_run, other)

    finished_run.delete()

    assert [openers(alone), openers(both)] == [[], []]


def test_is_offered_to_be_given_away_where_all_is_public(
    finished_run: Run, alice: Any, as_person: Callable[[Any], Client]
) -> None:
    job, client = made(alice, finished_run), as_person(alice)
    assert "whoever you give it to" in client.get(job.get_absolute_url()).content.decode()

    Run.objects.update(visibility=Run.Visibility.PRIVATE)

    assert "not all that is in the file is public" in client.get(job.get_absolute_url()).content.decode()
    assert not jobs.is_open_to(job, AnonymousUser())
