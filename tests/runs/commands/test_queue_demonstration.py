"""`manage.py queue_demonstration`."""

import io

import pytest
from django.core.management import call_command
from django.utils import timezone

from fooling_web.runs.models import Run
from tests.factories import executed

pytestmark = pytest.mark.django_db


def answer() -> str:
    out = io.StringIO()
    call_command("queue_demonstration", stdout=out)
    return out.getvalue()


def test_queues_a_public_run_of_nobodys_and_says_so() -> None:
    said = answer()

    run = Run.objects.get()
    assert said == f"Queued: {run.name}\n"
    assert (run.status, run.owner, run.visibility) == ("queued", None, "public")
    assert (run.generations, run.settings.offspring) == (200, 200)


def test_queues_it_where_a_worker_finds_it() -> None:
    answer()

    assert Run.objects.waiting(timezone.now()).count() == 1


def test_says_and_does_nothing_the_second_time() -> None:
    answer()

    assert answer() == ""
    assert Run.objects.count() == 1


def test_leaves_a_site_alone_that_has_runs(run: Run) -> None:
    executed(run)

    assert answer() == ""
    assert Run.objects.count() == 1
