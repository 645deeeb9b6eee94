"""Runs in the administration."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fooling_web.celery import app
from fooling_web.runs.models import Run
from fooling_web.runs.storage import measure_all
from fooling_web.runs.tasks import keep_order
from fooling_web.users.models import AuditLine
from tests.factories import execute_once, executed, launched

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


LIST = "admin:runs_run_changelist"


def act(desk: Client, action: str, *runs: Run, **more: str) -> str:
    chosen = {"action": action, "_selected_action": [str(run.pk) for run in runs], **more}
    return desk.post(f"{reverse(LIST)}?removed=all", chosen, follow=True).content.decode()


def deeds() -> list[str]:
    return list(AuditLine.objects.order_by("pk").values_list("deed", flat=True))


def status_of(run: Run) -> str:
    return Run.everything.get(pk=run.pk).status


def test_requeues_what_failed_and_lets_it_go_on(desk: Client, run: Run) -> None:
    run.fail("the disk was full")

    assert "1 run queued again." in act(desk, "requeue", run)

    run.refresh_from_db()
    assert (run.status, run.error, run.finished_at) == ("queued", "", None)
    assert executed(run).generation == 5
    assert deeds() == ["requeue run"]


def test_goes_on_to_the_very_archive_that_an_uninterrupted_run_has(
    desk: Client, every_generation_kept: None, finished_run: Run, alice: Any
) -> None:
    run = launched(owner=alice)
    execute_once(run, seconds=0)
    run.cancel()

    act(desk, "requeue", run)

    run = Run.objects.get(pk=run.pk)
    assert run.generation == 0
    executed(run)
    held = [
        list(one.champions.values_list("class_index", "individual__genome_hash", "confidence"))
        for one in (run, finished_run)
    ]
    assert held[0] == held[1]


def test_requeues_nothing_that_has_lost_what_it_needs(desk: Client, run: Run, finished_run: Run) -> None:
    gradient = launched(encoding="gradient", population=None, generations=2)
    Run.objects.filter(pk=gradient.pk).update(status="cancelled", generation=1, random_state={})

    assert "3 runs could not be queued again: only those can be that failed" in act(
        desk, "requeue", run, finished_run, gradient
    )

    assert [status_of(one) for one in (run, finished_run, gradient)] == ["queued", "finished", "cancelled"]
    assert deeds() == []


def test_cancels(desk: Client, run: Run) -> None:
    assert "1 run cancelled." in act(desk, "cancel", run)

    assert (status_of(run), deeds()) == ("cancelled", ["cancel run"])


def test_removes_shows_the_removed_and_restores(desk: Client, finished_run: Run) -> None:
    act(desk, "remove", finished_run)

    assert finished_run.name not in desk.get(reverse(LIST)).content.decode()
    assert finished_run.name in desk.get(f"{reverse(LIST)}?removed=yes").content.decode()
    assert desk.get(address(finished_run)).status_code == 200

    act(desk, "restore", finished_run)

    assert finished_run.name in desk.get(reverse(LIST)).content.decode()
    assert deeds() == ["remove run", "restore run"]


def test_asks_before_it_deletes_for_good(desk: Client, finished_run: Run, run: Run) -> None:
    finished_run.remove()

    page = act(desk, "delete_for_good", finished_run, run)

    assert finished_run.name in page
    assert "1 of the chosen is not removed and will stay" in page
    assert deeds() == []


def test_deletes_for_good_what_was_removed_alone(desk: Client, finished_run: Run, run: Run) -> None:
    finished_run.remove()

    page = act(desk, "delete_for_good", finished_run, run, sure="yes")
    keep_order()  # as the scheduler does

    assert "1 run deleted for good." in page
    assert "1 run could not be deleted for good: remove them first." in page
    assert list(Run.everything.all()) == [run]
    assert deeds() == ["delete run", "purge run"]


def test_brings_nothing_back_that_is_going_for_good(desk: Client, finished_run: Run) -> None:
    finished_run.remove()
    act(desk, "delete_for_good", finished_run, sure="yes")

    assert "could not be restored" in act(desk, "restore", finished_run)


def test_offers_the_confirmation_of_nothing_but_its_own(desk: Client) -> None:
    assert "delete_selected" not in desk.get(reverse(LIST)).content.decode()


def test_says_what_runs_take(desk: Client, finished_run: Run) -> None:
    measure_all()

    page = desk.get(reverse(LIST)).content.decode()

    assert "genomes, " in page
    assert "not measured yet" not in page
    assert finished_run.name in desk.get(reverse("admin:storage")).content.decode()


@pytest.mark.parametrize("route", [LIST, "admin:runs_champion_changelist", "admin:users_user_changelist"])
def test_asks_as_many_queries_however_long_a_list_is(desk: Client, route: str, finished_run: Run) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert desk.get(reverse(route)).status_code == 200
        return len(asked)

    queries()  # which fills caches
    before = queries()
    for seed in (2, 3):
        executed(launched(seed=seed, owner=finished_run.owner))

    assert queries() == before


def test_shows_champions_with_their_pictures(desk: Client, finished_run: Run) -> None:
    champion = finished_run.champions.select_related("individual").first()
    assert champion

    page = desk.get(f"{reverse('admin:runs_champion_changelist')}?run__id__exact={finished_run.pk}")

    individual = champion.individual
    picture = reverse("runs:image", args=[finished_run.pk, individual.number, individual.genome_hash])
    assert picture in page.content.decode()
    assert desk.get(reverse("admin:runs_champion_add")).status_code == 403


def test_tells_of_workers_and_of_a_broker_that_is_away(
    desk: Client, run: Run, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.claim("machine:1", run.lease_number)

    page = desk.get(reverse("admin:workers")).content.decode()
    assert "Messages that wait" in page
    assert "machine:1" in page

    monkeypatch.setattr(app.conf, "broker_url", "redis+socket:///nowhere.sock?virtual_host=0")
    monkeypatch.setattr(app.conf, "broker_write_url", "redis+socket:///nowhere.sock?virtual_host=0")
    page = desk.get(reverse("admin:workers")).content.decode()
    assert "The broker is away" in page
    assert "machine:1" in page


def test_arranges_the_desk_by_work(desk: Client) -> None:
    page = desk.get(reverse("admin:index")).content.decode()

    places = [
        page.index(f">{title}</a>")
        for title in ("Runs", "People", "Moderation", "Classifiers", "Files", "Log")
    ]
    assert places == sorted(places)
    assert reverse("admin:workers") in page


@pytest.mark.parametrize("route", ["admin:index", "admin:workers", "admin:storage"])
def test_lets_nobody_else_in(client: Client, alice: Any, route: str) -> None:
    client.force_login(alice)

    assert client.get(reverse(route)).status_code == 302
