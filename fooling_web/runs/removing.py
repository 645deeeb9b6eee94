"""Runs that are taken away: removed, so that they can come back, and after some weeks gone for good.

Each deed leaves a line in the audit log. What goes for good goes in slices, so that a run of a million images is no
burden to anybody who uses the site meanwhile.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from fooling_web.runs.films import forget_parts
from fooling_web.runs.models import Film, Individual, Run
from fooling_web.users.auditing import record

CHUNK = 500  # individuals in one transaction, with what is said of them


def remove(run: Run, by: Any) -> bool:
    """Take a run out of sight, and note who did it; whether it was there."""
    removed = run.remove()
    if removed:
        record(by, "remove run", named(run))
    return removed


def restore(run: Run, by: Any) -> bool:
    """Bring a removed run back, and note who did it; whether it could be brought back."""
    restored = run.restore()
    if restored:
        record(by, "restore run", named(run))
    return restored


def give_up(run: Run, by: Any) -> bool:
    """Let a removed run go for good at the next opportunity, and note who decided it; whether it was removed."""
    long_ago = timezone.now() - timedelta(days=settings.REMOVED_RUNS_DAYS, seconds=1)
    given_up = Run.everything.filter(pk=run.pk, removed_at__isnull=False).update(removed_at=long_ago)
    if given_up:
        record(by, "delete run", named(run), size=_size_of(run))
    return bool(given_up)


def purge_all(seconds: float = float("inf")) -> int:
    """Delete runs that were removed long ago, for some seconds; return how many went altogether."""
    deadline, gone = time.monotonic() + seconds, 0
    for run in Run.everything.due_to_go(timezone.now()).without_burdens():
        for _ in _purged(run):
            if time.monotonic() > deadline:
                return gone
        gone += 1
    return gone


def named(run: Run) -> str:
    """Return how the audit log names a run."""
    owner = f" of {run.owner}" if run.owner else ""
    return f"{run.name}{owner} ({run.pk})"


def _purged(run: Run) -> Iterator[None]:
    """Delete a run piece by piece; one that was left half is taken up again."""
    what, size = named(run), _size_of(run)
    for film in run.films.all():
        forget_parts(film)
        film.file.delete(save=False)
    for rows in _simple(run):
        deleted, _ = rows.delete()
        if deleted:
            yield
    while some := list(Individual.objects.filter(run=run).values_list("pk", flat=True)[:CHUNK]):
        Individual.objects.filter(pk__in=some).delete()
        yield
    run.delete()
    record(None, "purge run", what, size=size)


def _simple(run: Run) -> list[QuerySet[Any]]:
    """Return the rows that nothing else hangs on."""
    return [
        Film.objects.filter(run=run),
        run.takeovers.all(),
        run.champions.all(),
        run.statistics.all(),
        run.climbs.all(),
        run.search_states.all(),
    ]


def _size_of(run: Run) -> int | None:
    storage = getattr(Run.everything.select_related("storage").get(pk=run.pk), "storage", None)
    return storage.genomes + storage.history if storage else None
