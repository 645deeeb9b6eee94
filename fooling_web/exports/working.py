"""What the process aside does: one job after the other, until nothing waits."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from fooling_web.exports import arrivals, jobs
from fooling_web.exports.aside import IN, OUT, own_folder
from fooling_web.exports.models import ExportJob

FORGOTTEN = 24 * 3600  # seconds after which nobody works in a folder any more

Steps = tuple[Callable[[], QuerySet[Any]], Callable[[Any], Any], Callable[[Any], Any]]


def work_off(way: str) -> int:
    """Do what waits, the oldest first; return how many jobs were tried."""
    waiting, advance, release = _steps()[way]
    tried: list[Any] = []
    with _working_in(own_folder(way)):
        while job := waiting().exclude(pk__in=tried).first():
            tried.append(job.pk)
            try:
                advance(job.pk)
            except BaseException:  # this process has to end: another one begins at once
                release(job.pk)
                raise
    return len(tried)


def _steps() -> dict[str, Steps]:
    """Return what waits, how it is done, and how it is left."""
    return {
        OUT: (_exports, _export, _leave_export),
        IN: (lambda: arrivals.waiting(timezone.now()), arrivals.advance, arrivals.release),
    }


def _exports() -> QuerySet[Any]:
    silent = timezone.now() - ExportJob.PATIENCE
    forsaken = Q(status=ExportJob.Status.RUNNING, touched_at__lt=silent)
    archives = ExportJob.objects.filter(kind=ExportJob.Kind.ARCHIVES).order_by("created_at")
    return archives.filter(Q(status=ExportJob.Status.WAITING) | forsaken)


def _export(job_id: Any) -> None:
    jobs.advance(job_id, seconds=float("inf"))


def _leave_export(job_id: Any) -> None:
    running = ExportJob.objects.filter(pk=job_id, status=ExportJob.Status.RUNNING)
    running.update(status=ExportJob.Status.WAITING, attempts=F("attempts") - 1)


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Let temporary files lie in a folder, where large ones have room and those of killed processes are found."""
    _clear(folder)
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _clear(folder: Path) -> None:
    for left in folder.iterdir():
        if time.time() - left.stat().st_mtime > FORGOTTEN:
            shutil.rmtree(left, ignore_errors=True)
