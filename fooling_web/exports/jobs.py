"""Files that a worker makes for somebody: asked for on a page, made in slices, fetched by a link that expires.

Each kind of file has a function that makes it, named in `MAKERS`. It is called once a slice, does what it can in the
time that its desk gives it, and returns the file when that is whole. What it leaves between two slices are parts in
the storage, so that any worker goes on where another one stopped, or was killed. Whoever works on a job shows it by
its `touched_at`; who finds another time there than it wrote itself has lost the job.
"""

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core import signing
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.text import slugify

from fooling_web.exports.models import ExportJob
from fooling_web.runs.models import Run
from fooling_web.users.auditing import record
from fooling_web.users.models import User

logger = logging.getLogger(__name__)

# To add a kind of file, write a function (job, desk) -> the file, or None if it wants a further slice; name it here.
MAKERS: dict[str, str] = {
    ExportJob.Kind.ARCHIVES: "fooling_web.exports.archive_files.make",  # aside, in one go
    ExportJob.Kind.GALLERY: "fooling_web.exports.gallery_files.make",
    ExportJob.Kind.SHEET: "fooling_web.exports.gallery_files.make",
}
SLICE_SECONDS = 2.0  # for which others wait
MOST_ATTEMPTS = 5  # slices that were begun and not ended, before a job is given up
MOST_UNFINISHED = 3  # jobs of a person
MOST_FILES = 20  # of a person
UNHEARD = timedelta(seconds=30)  # after which the bell of a waiting job is taken for lost
LINKED_FOR = timedelta(days=1)
FOLDER = "exports"
SALT = "fooling_web.exports"
BLOCK = 2**20
DEED = "export"


class Refused(Exception):
    """What somebody asked for is not made, for a reason that they can act on."""


class JobLost(Exception):
    """The job was cancelled or deleted, or another worker has it: what this one made must not be kept."""


class Desk:
    """What a maker works with for one slice: some seconds, a folder that goes afterwards, and parts that stay."""

    def __init__(self, job: ExportJob, folder: Path, seconds: float) -> None:
        self.job, self.folder = job, folder
        self._until = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether others should have their turn."""
        return time.monotonic() > self._until

    def note(self, done: int, total: int) -> None:
        """Say how far the work has come; raises JobLost."""
        self.save(done=done, total=total)

    def save(self, **changes: Any) -> None:
        """Save changes while the job is still this worker's; raises JobLost."""
        job, changes = self.job, {**changes, "touched_at": timezone.now()}
        held = ExportJob.objects.filter(pk=job.pk, status=job.status, touched_at=job.touched_at)
        if not held.update(**changes):
            raise JobLost(f"job {job.pk} is no longer this worker's")
        for name, value in changes.items():
            setattr(job, name, value)

    def keep_part(self, number: int, content: bytes) -> None:
        """Keep a part for later slices; one is replaced that a worker left before it could say so."""
        name = _part_name(self.job, number)
        default_storage.delete(name)
        default_storage.save(name, ContentFile(content))

    def part(self, number: int) -> bytes:
        """Return a part that was kept."""
        with default_storage.open(_part_name(self.job, number)) as file:
            content: bytes = file.read()
        return content


Maker = Callable[[ExportJob, Desk], Path | None]


def order(
    by: User,
    kind: ExportJob.Kind,
    title: str,
    choices: dict[str, Any],
    *,
    runs: Sequence[Run] = (),
    total: int = 0,
) -> ExportJob:
    """Return a new job that waits for a worker; raises Refused where the person waits for enough already."""
    with transaction.atomic():
        _require_room(by)
        job = ExportJob.objects.create(by=by, kind=kind, title=title[:200], choices=choices, total=total)
        job.runs.set(runs)
    return job


def order_again(job: ExportJob) -> bool:
    """Let a job that is over and has no file begin anew; whether that changed anything. Raises Refused."""
    over = (ExportJob.Status.FAILED, ExportJob.Status.CANCELLED, ExportJob.Status.REMOVED)
    fresh: dict[str, Any] = {"done": 0, "attempts": 0, "error": "", "file": "", "size": 0, "sha256": ""}
    with transaction.atomic():
        _require_room(job.by)
        return bool(
            ExportJob.objects.filter(pk=job.pk, status__in=over).update(
                **fresh,
                status=ExportJob.Status.WAITING,
                touched_at=timezone.now(),
                finished_at=None,
                expires_at=None,
            )
        )


def advance(job_id: Any, seconds: float = SLICE_SECONDS) -> bool:
    """Work on a job for a slice, unless somebody else does; whether it wants a further one."""
    job = _claimed(job_id)
    if job is None:
        return False
    try:
        return _advance(job, seconds)
    except JobLost:
        _clear_away(job)
    except Refused as refusal:
        fail(job, str(refusal))
    except Exception:
        logger.exception("export %s could not be made", job.pk)
        fail(job, "The file could not be made. The log of the worker says why.")
    return False


def fail(job: ExportJob, reason: str) -> None:
    """Give a job up, with a reason that a person can act on."""
    now = timezone.now()
    unfinished = ExportJob.objects.filter(pk=job.pk, status__in=ExportJob.UNFINISHED)
    if unfinished.update(status=ExportJob.Status.FAILED, error=reason, touched_at=now, finished_at=now):
        forget_parts(job)
        record(job.by, DEED, job.title, outcome=f"failed: {reason}")


def cancel(job: ExportJob) -> bool:
    """Stop a job that is not finished; whether that changed anything."""
    now = timezone.now()
    unfinished = ExportJob.objects.filter(pk=job.pk, status__in=ExportJob.UNFINISHED)
    if not unfinished.update(status=ExportJob.Status.CANCELLED, touched_at=now, finished_at=now):
        return False
    forget_parts(job)
    record(job.by, DEED, job.title, outcome="cancelled")
    return True


def remove_file(job: ExportJob) -> None:
    """Remove a finished job's file; the job stays, and says that it was there."""
    finished = ExportJob.objects.filter(pk=job.pk, status=ExportJob.Status.FINISHED)
    if finished.update(status=ExportJob.Status.REMOVED, file="", touched_at=timezone.now()):
        default_storage.delete(str(job.file.name))


def waiting(now: datetime) -> QuerySet[ExportJob]:
    """Jobs whose bell was lost, and those whose worker shows no sign of life."""
    unheard = Q(status=ExportJob.Status.WAITING, touched_at__lt=now - UNHEARD)
    return ExportJob.objects.filter(unheard | _forsaken(now))


def tidy_up(now: datetime) -> None:
    """Remove files whose time is over, and pieces that belong to no job any more."""
    for job in ExportJob.objects.filter(status=ExportJob.Status.FINISHED, expires_at__lt=now):
        remove_file(job)
    with suppress(OSError):
        _, names = default_storage.listdir(FOLDER)
        _forget_orphans(names)


def link_to(job: ExportJob) -> str:
    """Return an address at which the file is fetched for a day; `is_open_to` says by whom."""
    return reverse("exports:file", args=[signing.dumps(str(job.pk), salt=SALT)])


def linked(token: str) -> ExportJob | None:
    """Return the job whose file a link leads to; None where the link is none of ours, too old, or the file gone."""
    try:
        job_id = signing.loads(token, salt=SALT, max_age=LINKED_FOR)
    except signing.BadSignature:
        return None
    there = ExportJob.objects.filter(status=ExportJob.Status.FINISHED, expires_at__gt=timezone.now())
    return there.filter(pk=job_id).first()


def is_open_to(job: ExportJob, person: Any) -> bool:
    """Whether somebody who has a link may fetch the file: they find every run in it in lists, or asked for the file.

    Where a run was removed nobody may. Unlisted runs count as private here: who was given the one address was not
    given the whole history.
    """
    held: int = job.choices.get("runs", job.runs.through.objects.filter(exportjob=job).count())
    there = Run.objects.filter(exports=job)
    if there.count() < held:
        return False
    is_trusted = bool(person.is_staff) or person == job.by
    return is_trusted or there.listed_for(person).count() == held


def name_of(job: ExportJob) -> str:
    """Return what the file is called where it is kept."""
    ending = Path(str(job.file.name)).suffix
    return f"{slugify(job.title)[:80].strip('-') or 'foolbreeder'}{ending}"


def forget_parts(job: ExportJob) -> None:
    """Remove what slices left in the storage."""
    with suppress(OSError):
        _, names = default_storage.listdir(FOLDER)
        for name in names:
            if name.startswith(f"{job.pk}-"):
                default_storage.delete(f"{FOLDER}/{name}")


def _require_room(by: User) -> None:
    """Let a person ask for one more file, and for no other meanwhile; raises Refused."""
    unfinished = (
        User.objects.select_for_update().get(pk=by.pk).exportjobs.filter(status__in=ExportJob.UNFINISHED)
    )
    if unfinished.count() >= MOST_UNFINISHED:
        raise Refused(
            f"You wait for {MOST_UNFINISHED} files already. Ask again when one is finished, or cancel one."
        )


def _forsaken(now: datetime) -> Q:
    return Q(status=ExportJob.Status.RUNNING, touched_at__lt=now - ExportJob.PATIENCE)


def _claimed(job_id: Any) -> ExportJob | None:
    """Return a job that is from now on this worker's; None where another one works on it, or nothing is left."""
    now = timezone.now()
    free = Q(status=ExportJob.Status.WAITING) | _forsaken(now)
    claim = {"status": ExportJob.Status.RUNNING, "touched_at": now, "attempts": F("attempts") + 1}
    if not ExportJob.objects.filter(free, pk=job_id).update(**claim):
        return None
    return ExportJob.objects.select_related("by").filter(pk=job_id).first()


def _advance(job: ExportJob, seconds: float) -> bool:
    if job.attempts > MOST_ATTEMPTS:
        raise Refused(
            f"The worker stopped {MOST_ATTEMPTS} times while it made this file. Ask for less at once."
        )
    make: Maker = import_string(MAKERS[job.kind])
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        desk = Desk(job, Path(folder), seconds)
        made = make(job, desk)
        if made is None:
            desk.save(status=ExportJob.Status.WAITING, attempts=0)
            return True
        _finish(job, desk, made)
    return False


def _finish(job: ExportJob, desk: Desk, made: Path) -> None:
    """Put the file where it is fetched from, unless the job was lost meanwhile."""
    digest, now = _sha256(made), timezone.now()
    with made.open("rb") as file:  # beside another one, if a worker was killed before it could say so
        saved = default_storage.save(f"{FOLDER}/{job.pk}{made.suffix}", File(file))
    try:
        desk.save(
            status=ExportJob.Status.FINISHED,
            file=saved,
            size=made.stat().st_size,
            sha256=digest,
            done=job.total,
            finished_at=now,
            expires_at=now + ExportJob.KEPT_FOR,
        )
    except JobLost:
        default_storage.delete(saved)
        raise
    forget_parts(job)
    record(job.by, DEED, job.title, size=job.size)
    older = ExportJob.objects.filter(by=job.by, status=ExportJob.Status.FINISHED)
    for old in older.order_by("-finished_at")[MOST_FILES:]:
        remove_file(old)


def _clear_away(job: ExportJob) -> None:
    """Remove what a worker left of a job that was cancelled or deleted; another worker's parts stay."""
    if not ExportJob.objects.filter(pk=job.pk, status__in=ExportJob.UNFINISHED).exists():
        forget_parts(job)


def _forget_orphans(names: Iterable[str]) -> None:
    """Remove what no job needs: parts of those that are over, and files that none has, or none knows of."""
    jobs = ExportJob.objects.values_list("pk", "status", "file")
    unfinished = {str(pk) for pk, status, _ in jobs if status in ExportJob.UNFINISHED}
    kept = {file for _, _, file in jobs}
    for name in names:
        if name[:36] not in unfinished and f"{FOLDER}/{name}" not in kept:
            default_storage.delete(f"{FOLDER}/{name}")


def _part_name(job: ExportJob, number: int) -> str:
    return f"{FOLDER}/{job.pk}-{number}.part"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
