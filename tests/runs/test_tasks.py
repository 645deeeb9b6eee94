"""Bells for workers: they may be lost, late or doubled, and no work is."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.home import valkey_socket
from fooling_web.runs.models import Run
from fooling_web.runs.tasks import execute_run, ring, ring_for_waiting_runs
from tests.factories import executed, launched
from tests.runs.test_forms import CHOICES
from tests.services import PROJECT, new_home

pytestmark = pytest.mark.django_db

LAUNCH_WITHOUT_BROKER = f"""
import time
from datetime import timedelta
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from fooling_web.runs.models import Run
from fooling_web.users.models import User
call_command("migrate", verbosity=0)
browser = Client(SERVER_NAME="127.0.0.1")
browser.force_login(User.objects.create_user("alice"))
began = time.monotonic()
answer = browser.post("/runs/launch/", {CHOICES})
seconds = time.monotonic() - began
waiting = Run.objects.waiting(timezone.now() + timedelta(minutes=1)).count()
print(answer.status_code, seconds, Run.objects.get().status, waiting)
"""


@pytest.fixture(autouse=True)
def queue() -> Any:
    """Return the broker's own database, emptied."""
    with redis.Redis(unix_socket_path=str(valkey_socket()), db=0) as client:
        client.flushdb()
        yield client


def bells(queue: Any, name: str = "runs") -> int:
    return int(queue.llen(name))


def waiting_since_long(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(rung_at=timezone.now() - timedelta(hours=1))
    return run


class TestRinging:
    def test_leaves_a_bell_in_the_queue_of_runs(self, run: Run, queue: Any) -> None:
        ring(run)

        assert bells(queue) == 1
        assert Run.objects.get().rung_at is not None

    def test_rings_when_a_run_is_launched_but_not_before_it_is_stored(
        self,
        as_person: Callable[[Any], Client],
        alice: Any,
        queue: Any,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        with django_capture_on_commit_callbacks() as callbacks:
            as_person(alice).post(reverse("runs:launch"), CHOICES)

        assert bells(queue) == 0
        for callback in callbacks:
            callback()
        assert bells(queue) == 1

    def test_rings_when_a_run_is_resumed(
        self,
        as_person: Callable[[Any], Client],
        alice: Any,
        run: Run,
        queue: Any,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        run.pause()

        with django_capture_on_commit_callbacks(execute=True):
            as_person(alice).post(reverse("runs:resume", args=[run.pk]))

        assert bells(queue) == 1

    def test_answers_at_once_and_lets_the_run_wait_while_there_is_no_broker(self) -> None:
        """In a process of its own, whose home has no Valkey."""
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment["FOOLING_HOME"] = str(new_home())

        answer = subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", LAUNCH_WITHOUT_BROKER],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
        )

        assert answer.returncode == 0, answer.stderr
        status, seconds, run_status, waiting = answer.stdout.split()[-4:]
        assert (status, run_status, waiting) == ("302", "queued", "1")
        assert float(seconds) < 3  # it took six before the retries were bounded
        assert "did not ring" in answer.stderr


class TestExecuting:
    def test_advances_a_run_for_a_slice_and_asks_for_the_next(
        self, run: Run, queue: Any, settings: LazySettings
    ) -> None:
        settings.RUN_SLICE_SECONDS = 0

        execute_run(str(run.pk), 0)

        run.refresh_from_db()
        assert (run.status, run.generation, run.lease_number, run.lease_until) == ("running", 0, 1, None)
        assert bells(queue) == 1

    def test_asks_for_no_more_when_a_run_is_done(self, run: Run, queue: Any) -> None:
        execute_run(str(run.pk), 0)

        run.refresh_from_db()
        assert run.status == Run.Status.FINISHED
        assert bells(queue) == 0

    def test_does_nothing_for_a_doubled_bell(self, run: Run, queue: Any, settings: LazySettings) -> None:
        settings.RUN_SLICE_SECONDS = 0

        for _ in range(3):
            execute_run(str(run.pk), 0)

        run.refresh_from_db()
        assert (run.generation, run.lease_number) == (0, 1)
        assert bells(queue) == 1

    def test_does_nothing_while_another_worker_holds_the_run(self, run: Run, queue: Any) -> None:
        run.claim("another", 0)

        execute_run(str(run.pk), 1)

        run.refresh_from_db()
        assert (run.generation, run.lease_holder) == (None, "another")
        assert bells(queue) == 0

    @pytest.mark.parametrize("run_id", ["7e7c3a4e-5a9b-4d6f-8d5f-3f2b1c0a9e8d"])
    def test_does_nothing_for_a_run_that_was_deleted(self, run_id: str, queue: Any) -> None:
        execute_run(run_id, 0)

        assert bells(queue) == 0


class TestScheduling:
    def test_rings_for_runs_that_nobody_holds(self, alice: Any, queue: Any) -> None:
        forgotten = waiting_since_long(launched(owner=alice))
        held = waiting_since_long(launched(owner=alice))
        held.claim("another", 0)
        paused = waiting_since_long(launched(owner=alice))
        paused.pause()
        executed(waiting_since_long(launched(owner=alice)))

        ring_for_waiting_runs()

        assert bells(queue) == 1
        forgotten.refresh_from_db()
        assert forgotten.rung_at is not None
        assert forgotten.rung_at > timezone.now() - timedelta(minutes=1)

    def test_rings_once_for_each(self, run: Run, queue: Any) -> None:
        for _ in range(5):
            ring_for_waiting_runs()

        assert bells(queue) == 1

    def test_rings_again_for_a_run_whose_worker_died(self, run: Run, queue: Any) -> None:
        run.claim("another", 0)
        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

        ring_for_waiting_runs()

        assert bells(queue) == 1

    def test_is_asked_every_few_seconds(self, settings: LazySettings) -> None:
        entry = settings.CELERY_BEAT_SCHEDULE["ring for waiting runs"]

        assert entry["task"] == ring_for_waiting_runs.name
        assert entry["schedule"] < settings.RUN_LEASE_SECONDS
