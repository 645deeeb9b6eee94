"""A run's verbs and leases, and who finds which run."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.utils import timezone

from fooling_web.runs.models import LeaseLost, Run
from tests.factories import launched

pytestmark = pytest.mark.django_db

NOBODY = AnonymousUser()
STATUSES = list(Run.Status)
VERBS = {
    "pause": lambda run: run.pause(),
    "resume": lambda run: run.resume(),
    "cancel": lambda run: run.cancel(),
    "finish": lambda run: run.finish(),
    "queue": Run.queue,
    "fail": lambda run: run.fail("the reason"),
}
# For each verb, the statuses that it leaves and the one it leads to.
TABLE = {
    "queue": ({"pending"}, "queued"),
    "pause": ({"pending", "queued", "running"}, "paused"),
    "resume": ({"paused"}, "queued"),
    "cancel": ({"pending", "queued", "running", "paused"}, "cancelled"),
    "finish": ({"queued", "running"}, "finished"),
    "fail": ({"pending", "queued", "running", "paused"}, "failed"),
}


def with_status(run: Run, status: str) -> Run:
    Run.objects.filter(pk=run.pk).update(status=status)
    run.refresh_from_db()
    return run


def again(run: Run) -> Run:
    """Return the run as somebody else has loaded it."""
    return Run.objects.get(pk=run.pk)


def expire(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


class TestVerbs:
    @pytest.mark.parametrize("status", STATUSES)
    @pytest.mark.parametrize("verb", VERBS)
    def test_changes_the_status_only_from_those_it_leaves(self, run: Run, verb: str, status: str) -> None:
        leaving, leads_to = TABLE[verb]
        with_status(run, status)

        changed = VERBS[verb](run)

        assert changed == (status in leaving)
        assert again(run).status == (leads_to if changed else status)

    @pytest.mark.parametrize("verb", VERBS)
    def test_goes_by_the_database_and_not_by_what_was_loaded_before(self, run: Run, verb: str) -> None:
        with_status(again(run), Run.Status.CANCELLED)

        changed = VERBS[verb](run)

        assert not changed
        assert run.status == Run.Status.CANCELLED

    @pytest.mark.parametrize("verb", ["cancel", "finish", "fail"])
    def test_notes_when_a_run_ended(self, run: Run, verb: str) -> None:
        VERBS[verb](run)

        assert again(run).finished_at is not None

    def test_keeps_the_reason_of_a_failure(self, run: Run) -> None:
        run.fail("the reason")

        assert again(run).error == "the reason"

    def test_forgets_vain_attempts_when_a_run_is_resumed(self, run: Run) -> None:
        Run.objects.filter(pk=run.pk).update(status=Run.Status.PAUSED, attempts=7)

        run.resume()

        assert again(run).attempts == 0

    def test_marks_a_run_as_running_that_was_resumed_under_its_worker(self, run: Run) -> None:
        run.claim("one", 0)
        run.pause()
        run.resume()

        went_on = run.go_on()

        assert went_on
        assert again(run).status == Run.Status.RUNNING


class TestClaiming:
    def test_lets_one_of_two_claim_a_run(self, run: Run) -> None:
        other = again(run)

        claims = [run.claim("one", 0), other.claim("two", 0)]

        assert claims == [True, False]
        assert again(run).lease_holder == "one"

    def test_sets_the_run_going(self, run: Run) -> None:
        run.claim("one", 0)

        assert run.status == Run.Status.RUNNING
        assert run.lease_number == 1
        assert run.attempts == 1
        assert run.started_at is not None
        assert run.lease_until is not None
        assert run.lease_until > timezone.now()

    def test_keeps_the_first_beginning(self, run: Run) -> None:
        run.claim("one", 0)
        began = run.started_at
        run.release()

        run.claim("two", 1)

        assert run.started_at == began

    def test_refuses_a_number_gone_by(self, run: Run) -> None:
        run.claim("one", 0)
        run.release()

        assert not run.claim("two", 0)

    def test_refuses_a_number_to_come(self, run: Run) -> None:
        assert not run.claim("one", 1)

    def test_refuses_a_run_that_is_held(self, run: Run) -> None:
        run.claim("one", 0)

        assert not again(run).claim("two", 1)

    def test_lets_anybody_claim_a_run_whose_lease_has_run_out(self, run: Run) -> None:
        run.claim("one", 0)
        expire(run)

        assert again(run).claim("two", 1)

    @pytest.mark.parametrize("status", ["paused", "finished", "cancelled", "failed"])
    def test_refuses_a_run_that_wants_no_worker(self, run: Run, status: str) -> None:
        with_status(run, status)

        assert not run.claim("one", 0)
        assert again(run).status == status

    def test_takes_a_holder_with_a_very_long_name(self, run: Run) -> None:
        assert run.claim("h" * 300, 0)


class TestKeeping:
    def test_saves_progress_and_extends_the_lease(self, run: Run) -> None:
        run.claim("one", 0)
        expire(run)

        run.keep(generation=3)

        kept = again(run)
        assert kept.generation == 3
        assert kept.attempts == 0
        assert kept.lease_until is not None
        assert kept.lease_until > timezone.now()

    def test_refuses_whoever_lost_the_lease_and_writes_nothing(self, run: Run) -> None:
        run.claim("one", 0)
        expire(run)
        again(run).claim("two", 1)

        with pytest.raises(LeaseLost):
            run.keep(generation=3)

        assert again(run).generation is None
        assert again(run).lease_holder == "two"

    def test_refuses_to_keep_a_run_that_was_deleted(self, run: Run) -> None:
        run.claim("one", 0)
        again(run).delete()

        with pytest.raises(LeaseLost):
            run.keep(generation=3)

    def test_never_takes_its_followers_lease_for_its_own(self, run: Run) -> None:
        run.claim("one", 0)
        expire(run)
        again(run).claim("two", 1)
        run.pause()
        run.resume()

        with pytest.raises(LeaseLost):
            run.keep(generation=3)

    def test_gives_the_lease_back(self, run: Run) -> None:
        run.claim("one", 0)

        run.release()

        assert again(run).lease_holder == ""
        assert again(run).lease_until is None

    def test_leaves_somebody_elses_lease_alone(self, run: Run) -> None:
        run.claim("one", 0)
        expire(run)
        again(run).claim("two", 1)

        run.release()

        assert again(run).lease_holder == "two"


class TestWaiting:
    def test_finds_a_run_whose_bell_was_never_rung(self, run: Run) -> None:
        assert list(Run.objects.waiting(timezone.now())) == [run]

    def test_leaves_a_bell_time_to_be_heard(self, run: Run, settings: LazySettings) -> None:
        settings.RUN_LEASE_SECONDS = 10
        Run.objects.update(rung_at=timezone.now())

        found = [
            Run.objects.waiting(timezone.now() + timedelta(seconds=later)).exists() for later in (0, 4, 6)
        ]

        assert found == [False, False, True]

    def test_passes_over_a_run_that_is_held(self, run: Run) -> None:
        run.claim("one", 0)

        assert not Run.objects.waiting(timezone.now()).exists()

    def test_finds_a_run_whose_worker_died(self, run: Run) -> None:
        run.claim("one", 0)
        expire(run)

        assert Run.objects.waiting(timezone.now()).exists()

    @pytest.mark.parametrize("status", ["paused", "finished", "cancelled", "failed"])
    def test_passes_over_a_run_that_wants_no_worker(self, run: Run, status: str) -> None:
        with_status(run, status)

        assert not Run.objects.waiting(timezone.now()).exists()


class TestWhoSeesWhat:
    @pytest.fixture
    def runs(self, alice: Any) -> dict[str, Run]:
        return {
            visibility: launched(owner=alice, visibility=visibility) for visibility in Run.Visibility.values
        }

    def found(self, runs: Any) -> set[str]:
        return set(runs.values_list("visibility", flat=True))

    def test_shows_an_owner_everything_of_hers(self, runs: dict[str, Run], alice: Any) -> None:
        assert self.found(Run.objects.visible_to(alice)) == {"private", "unlisted", "public"}
        assert self.found(Run.objects.listed_for(alice)) == {"private", "unlisted", "public"}
        assert self.found(Run.objects.owned_by(alice)) == {"private", "unlisted", "public"}

    def test_hides_private_runs_from_others(self, runs: dict[str, Run], bob: Any) -> None:
        assert self.found(Run.objects.visible_to(bob)) == {"unlisted", "public"}
        assert self.found(Run.objects.listed_for(bob)) == {"public"}
        assert self.found(Run.objects.owned_by(bob)) == set()

    def test_hides_private_runs_from_people_without_an_account(self, runs: dict[str, Run]) -> None:
        assert self.found(Run.objects.visible_to(NOBODY)) == {"unlisted", "public"}
        assert self.found(Run.objects.listed_for(NOBODY)) == {"public"}
        assert self.found(Run.objects.owned_by(NOBODY)) == set()
        assert self.found(Run.objects.public()) == {"public"}

    def test_hides_a_private_run_that_nobody_owns(self, runs: dict[str, Run]) -> None:
        Run.objects.update(owner=None)

        assert self.found(Run.objects.visible_to(NOBODY)) == {"unlisted", "public"}

    def test_lets_administrators_open_everything(self, runs: dict[str, Run], administrator: Any) -> None:
        assert self.found(Run.objects.visible_to(administrator)) == {"private", "unlisted", "public"}

    def test_lets_only_owners_and_administrators_steer(
        self, run: Run, alice: Any, bob: Any, administrator: Any
    ) -> None:
        steering = [run.is_controlled_by(person) for person in (alice, administrator, bob, NOBODY)]

        assert steering == [True, True, False, False]

    def test_lets_nobody_steer_a_run_that_nobody_owns(self, run: Run, bob: Any) -> None:
        run.owner = None

        assert not run.is_controlled_by(bob)
        assert not run.is_controlled_by(NOBODY)


class TestNumbers:
    def test_knows_how_far_it_is(self) -> None:
        assert [Run(generation=g, generations=8).progress for g in (None, 0, 2, 8)] == [0, 0, 0.25, 1]

    def test_foretells_the_time_left_from_the_pace_so_far(self, run: Run) -> None:
        run.evaluations, run.seconds = 40, 2.0  # of 20 + 5 * 20 = 120

        assert run.seconds_left == 4.0

    def test_foretells_nothing_before_it_began(self, run: Run) -> None:
        assert run.seconds_left is None

    def test_tells_the_command_that_runs_it_again(self) -> None:
        run = launched(encoding="direct", fidelity="released-code", seed=9, generations=7, population=30)

        assert run.command == (
            ".venv/bin/python manage.py evolve --classifier mnist-lenet --encoding direct --generations 7 "
            "--population 30 --fidelity released-code --seed 9"
        )


@pytest.mark.django_db(transaction=True)
def test_lets_one_of_many_claim_a_run_at_the_same_moment(run: Run) -> None:
    together = Barrier(8)

    def claim(holder: int) -> bool:
        mine = again(run)
        together.wait()
        try:
            return mine.claim(f"worker {holder}", 0)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as workers:
        claims = list(workers.map(claim, range(8)))

    assert sum(claims) == 1
    assert again(run).lease_holder == f"worker {claims.index(True)}"
