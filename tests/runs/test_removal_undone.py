"""Deleting a run on its page: it can be undone for some weeks, and then it is gone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.runs.films import order
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.removing import purge_all
from fooling_web.users.models import AuditLine

pytestmark = pytest.mark.django_db
As = Callable[[Any], Client]


def long_ago(run: Run, days: int) -> None:
    Run.everything.filter(pk=run.pk).update(removed_at=timezone.now() - timedelta(days=days))


def test_offers_to_undo_at_once(as_person: As, alice: Any, finished_run: Run) -> None:
    browser, undo = as_person(alice), reverse("runs:undelete", args=[finished_run.pk])
    page = browser.post(reverse("runs:delete", args=[finished_run.pk]), follow=True).content.decode()
    assert "was deleted" in page
    assert undo in page

    answer = browser.post(undo, follow=True)

    assert answer.redirect_chain[-1][0] == finished_run.get_absolute_url()
    assert finished_run.champions.count() == 10
    assert list(AuditLine.objects.order_by("pk").values_list("name", "deed")) == [
        ("alice", "remove run"),
        ("alice", "restore run"),
    ]


def test_offers_it_later_among_a_persons_own_runs(as_person: As, alice: Any, finished_run: Run) -> None:
    finished_run.remove()
    mine = f"{reverse('runs:list')}?mine=1"

    assert reverse("runs:undelete", args=[finished_run.pk]) in as_person(alice).get(mine).content.decode()
    long_ago(finished_run, 31)
    assert finished_run.name not in as_person(alice).get(mine).content.decode()


@pytest.mark.parametrize("whose", ["bob", None])
def test_lets_nobody_else_undo(
    as_person: As, client: Client, request: Any, finished_run: Run, whose: Any
) -> None:
    finished_run.remove()
    browser = as_person(request.getfixturevalue(whose)) if whose else client

    answer = browser.post(reverse("runs:undelete", args=[finished_run.pk]))

    assert answer.status_code == (404 if whose else 302)
    assert Run.everything.get(pk=finished_run.pk).removed_at


def test_undoes_nothing_that_is_there(as_person: As, alice: Any, finished_run: Run) -> None:
    assert as_person(alice).post(reverse("runs:undelete", args=[finished_run.pk])).status_code == 404


def test_purges_after_the_time_that_the_site_allows(finished_run: Run, settings: LazySettings) -> None:
    finished_run.remove()
    long_ago(finished_run, 8)
    assert purge_all() == 0

    settings.REMOVED_RUNS_DAYS = 7
    assert not Run.everything.get(pk=finished_run.pk).restore()
    assert purge_all() == 1

    assert not Run.everything.exists()
    assert not Individual.objects.exists()


def test_purges_in_slices_with_films_and_all(finished_run: Run) -> None:
    film = order(finished_run, "somebody", [], 10)
    name = default_storage.save("films/one.webp", ContentFile(b"film"))
    film.note(file=name, size=4, status="finished")
    finished_run.remove()
    long_ago(finished_run, 31)

    slices = 0
    while not purge_all(seconds=0):
        slices += 1
        assert slices < 20

    assert slices > 2
    assert not default_storage.exists(name)
    assert not Run.everything.exists()
