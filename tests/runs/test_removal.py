"""Runs that were removed are nowhere to be seen, are kept whole, and come back as they were."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.galleries.hanging import hang_all
from fooling_web.galleries.models import Entry
from fooling_web.runs.models import Run
from tests.factories import launched

pytestmark = pytest.mark.django_db


def test_a_removed_run_is_seen_by_nobody(client: Client, finished_run: Run, alice: Any) -> None:
    hang_all()
    assert finished_run.remove()
    hang_all()
    client.force_login(alice)

    assert client.get(finished_run.get_absolute_url()).status_code == 404
    assert finished_run.name not in client.get(reverse("runs:list")).content.decode()
    assert client.get(reverse("galleries:image", args=[finished_run.pk, 0])).status_code == 404
    assert not Entry.objects.filter(run=finished_run).exists()


def test_restoring_brings_everything_back(client: Client, finished_run: Run) -> None:
    hang_all()
    hung = Entry.objects.filter(run=finished_run).count()
    finished_run.remove()
    hang_all()

    assert Run.everything.get(pk=finished_run.pk).restore()
    hang_all()

    run = Run.objects.get(pk=finished_run.pk)
    assert (run.visibility, run.status, run.champions.count()) == ("public", "finished", 10)
    assert Entry.objects.filter(run=run).count() == hung
    assert client.get(run.get_absolute_url()).status_code == 200


def test_removing_stops_a_run_that_is_under_way(alice: Any) -> None:
    run = launched(owner=alice, visibility="unlisted")

    assert run.remove()

    away = Run.everything.get(pk=run.pk)
    assert away.status == "cancelled"
    assert away.restore()
    assert away.visibility == "unlisted"


def test_twice_is_once(finished_run: Run) -> None:
    assert finished_run.remove()
    assert not finished_run.remove()
    assert finished_run.restore()
    assert not finished_run.restore()
