"""What the workers do now, as they say themselves, and which runs they hold, as the database says."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from fooling_web.celery import BrokerAway, waiting_in, workers_say
from fooling_web.runs.models import Run

PATIENCE = 0.7  # seconds, for each of two questions
IN_WORDS = {
    "fooling_web.runs.tasks.execute_run": "evolves a run",
    "fooling_web.runs.tasks.ring_for_waiting_runs": "rings for waiting runs",
    "fooling_web.runs.tasks.make_film": "makes a film",
    "fooling_web.runs.tasks.draw_key_frames": "draws key frames",
    "fooling_web.runs.tasks.keep_order": "measures and tidies up runs",
    "fooling_web.galleries.tasks.hang_galleries": "hangs the galleries",
    "fooling_web.galleries.tasks.examine": "examines an image",
    "fooling_web.classifiers.tasks.answer": "asks a classifier about pictures",
    "fooling_web.classifiers.tasks.take_in": "takes a classifier in",
    "fooling_web.classifiers.tasks.fetch": "fetches weights",
}


@dataclass(frozen=True)
class Task:
    """A task that a worker is at."""

    title: str
    since: datetime | None
    run: Run | None


@dataclass(frozen=True)
class Worker:
    """A worker that answered."""

    name: str
    queues: list[str]
    tasks: list[Task]


def at_work(seconds: float = PATIENCE) -> dict[str, Any]:
    """Return what the page of workers shows; what the broker does not tell, the database still does."""
    held = list(
        Run.everything.filter(lease_until__gt=timezone.now()).select_related("owner").without_burdens()
    )
    waiting = Counter(Run.objects.filter(status__in=Run.UNFINISHED).values_list("status", flat=True))
    page: dict[str, Any] = {
        "held": sorted(held, key=lambda run: run.lease_holder),
        "counts": [(Run.Status(status).label, waiting[status]) for status in Run.UNFINISHED],
        "unheld": Run.objects.active().exclude(pk__in=[run.pk for run in held]).count(),
        "workers": [],
        "queues": {},
        "away": "",
    }
    try:
        said = workers_say(seconds)
        page["queues"] = waiting_in(_queues(said))
    except BrokerAway as error:
        return {**page, "away": str(error).rstrip(".") or "it does not answer"}
    return {**page, "workers": _workers(said)}


def _queues(said: dict[str, dict[str, Any]]) -> list[str]:
    """Return the queues that anybody listens to or sends to."""
    sent_to = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    heard = {queue["name"] for worker in said.values() for queue in worker["queues"]}
    return sorted({settings.CELERY_TASK_DEFAULT_QUEUE, *sent_to, *heard})


def _workers(said: dict[str, dict[str, Any]]) -> list[Worker]:
    runs = _runs_of([task for worker in said.values() for task in worker["tasks"]])
    return [
        Worker(
            name=name,
            queues=sorted(queue["name"] for queue in said[name]["queues"]),
            tasks=[_task(task, runs) for task in said[name]["tasks"]],
        )
        for name in sorted(said)
    ]


def _task(task: dict[str, Any], runs: dict[str, Run]) -> Task:
    began = task.get("time_start")
    name = str(task.get("name", ""))
    return Task(
        title=IN_WORDS.get(name, name.rpartition(".")[2].replace("_", " ")),
        since=datetime.fromtimestamp(began, UTC) if isinstance(began, int | float) else None,
        run=runs.get(_first(task)),
    )


def _runs_of(tasks: list[dict[str, Any]]) -> dict[str, Run]:
    """Return the runs that tasks are about, by their keys as tasks write them; one query."""
    keys = [_first(task) for task in tasks if str(task.get("name", "")).startswith("fooling_web.runs.")]
    wanted = [key for key in keys if len(key) == 36]
    return {str(run.pk): run for run in Run.everything.filter(pk__in=wanted).without_burdens()}


def _first(task: dict[str, Any]) -> str:
    arguments = task.get("args") or [""]
    return str(arguments[0]) if isinstance(arguments, list | tuple) and arguments else ""
