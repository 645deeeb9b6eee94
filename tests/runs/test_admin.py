"""Runs in the administration."""

from typing import Any

import pytest
from django.db.models.signals import pre_save
from django.test import Client
from django.urls import reverse

from fooling_web.runs.models import Run
from tests.factories import execute_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, administrator: Any) -> Client:
    client.force_login(administrator)
    return client


def address(run: Run) -> str:
    return reverse("admin:runs_run_change", args=[run.pk])


def test_lists_and_shows_runs(desk: Client, finished_run: Run) -> None:
    assert finished_run.name in desk.get(reverse("admin:runs_run_changelist")).content.decode()
    assert desk.get(address(finished_run)).status_code == 200


def test_launches_no_runs(desk: Client) -> None:
    assert desk.get(reverse("admin:runs_run_add")).status_code == 403


def test_hides_a_run(desk: Client, run: Run, alice: Any) -> None:
    desk.post(address(run), {"name": "Renamed", "owner": alice.pk, "visibility": "private"})

    run.refresh_from_db()
    assert (run.name, run.visibility) == ("Renamed", "private")


def test_writes_over_nothing_that_a_worker_writes_meanwhile(desk: Client, run: Run, alice: Any) -> None:
    def worker_is_quicker(instance: Run, **signal: Any) -> None:
        execute_once(Run.objects.get(pk=instance.pk))

    pre_save.connect(worker_is_quicker, sender=Run)
    try:
        desk.post(address(run), {"name": "Renamed", "owner": alice.pk, "visibility": "public"})
    finally:
        pre_save.disconnect(worker_is_quicker, sender=Run)

    run.refresh_from_db()
    assert (run.name, run.status, run.generation) == ("Renamed", Run.Status.FINISHED, 5)
