"""Files that people send: kept until a process has taken them in as runs, or refused them, and no longer.

A job is claimed by a conditional update which counts its attempts; who finds another count there has lost the job.
What a file holds is stored whole or not at all (`importing`), so that a process that was killed leaves nothing but
the job, and another one begins anew.
"""

import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePath
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from evolution.errors import EvolutionError
from fooling_web.classifiers.uploads import Upload
from fooling_web.classifiers.wording import sentence
from fooling_web.exports.aside import IN, own_folder, showing_life
from fooling_web.exports.bundles import import_bundle, is_bundle
from fooling_web.exports.importing import AlreadyImported, import_archive
from fooling_web.exports.jobs import Refused
from fooling_web.exports.models import ImportJob
from fooling_web.exports.picture_files import PicturesRefused
from fooling_web.runs.models import Run
from fooling_web.runs.quotas import complaint_about_storage
from fooling_web.users.auditing import record
from fooling_web.users.models import User
from models_zoo.errors import ZooError

logger = logging.getLogger(__name__)

MOST_UNFINISHED = 3  # jobs of a person
MOST_ATTEMPTS = 3  # that ended without a word, before a job is given up
LONGEST_NAME = 100  # characters of a file's name that are kept
LONGEST_REASON = 600
FOLDER = "imports"
DEED = "import"


def order(
    by: User,
    file: Upload,
    visibility: str,
    kind: ImportJob.Kind = ImportJob.Kind.ARCHIVE,
    *,
    anyway: bool = False,
    classifier: str = "",
) -> ImportJob:
    """Keep a file and return a job that waits for a worker; raises Refused."""
    name = PurePath(file.name or "file.zip").name[-LONGEST_NAME:]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        if complaint := complaint_about(by):
            raise Refused(complaint)
        choices = {"visibility": str(visibility), "anyway": anyway, "classifier": classifier}
        job = ImportJob(by=by, kind=kind, name=name, size=file.size or 0, choices=choices)
        job.file = default_storage.save(f"{FOLDER}/{job.pk}.zip", File(file))
        try:
            job.save()
        except BaseException:
            default_storage.delete(_file_of(job))
            raise
    return job


def complaint_about(by: User) -> str:
    """Say why a person may send nothing now; empty where nothing speaks against it."""
    if ImportJob.objects.filter(by=by, status__in=ImportJob.UNFINISHED).count() >= MOST_UNFINISHED:
        return f"{MOST_UNFINISHED} files of yours wait to be taken in. Send the next when one is done."
    return complaint_about_storage(by)


def waiting(now: datetime) -> QuerySet[ImportJob]:
    """Jobs that somebody must work on, those whose worker shows no sign of life too; the oldest first."""
    return ImportJob.objects.filter(_free(now)).order_by("created_at")


def advance(job_id: Any) -> None:
    """Take a file in, unless somebody else does."""
    job = _claimed(job_id)
    if job is None:
        return
    try:
        if job.attempts > MOST_ATTEMPTS:
            raise Refused(f"The worker stopped {MOST_ATTEMPTS} times while it read this file.")
        if complaint := complaint_about_storage(job.by):
            raise Refused(complaint)
        runs, is_new = _taken_in(job)
    except Refused as refusal:
        fail(job, str(refusal))
    except Exception:
        logger.exception("import %s broke off", job.pk)
        fail(job, "The file could not be taken in. The log of the worker says why.")
    else:
        _finish(job, runs, is_new=is_new)


def fail(job: ImportJob, reason: str) -> None:
    """Refuse a file, with a reason in one line, and keep nothing of it."""
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if _held(job).update(status=ImportJob.Status.FAILED, error=reason, finished_at=timezone.now(), file=""):
        default_storage.delete(_file_of(job))
        record(job.by, DEED, job.name, size=job.size, outcome=f"refused: {reason}")


def cancel(job: ImportJob) -> bool:
    """Give a job up that is not finished; whether that changed anything."""
    unfinished = ImportJob.objects.filter(pk=job.pk, status__in=ImportJob.UNFINISHED)
    if not unfinished.update(status=ImportJob.Status.CANCELLED, finished_at=timezone.now(), file=""):
        return False
    default_storage.delete(_file_of(job))
    record(job.by, DEED, job.name, size=job.size, outcome="cancelled")
    return True


def release(job_id: Any) -> None:
    """Let another process begin with a job anew, since this one has to end."""
    running = ImportJob.objects.filter(pk=job_id, status=ImportJob.Status.RUNNING)
    running.update(status=ImportJob.Status.WAITING, attempts=F("attempts") - 1)


def tidy_up() -> None:
    """Remove files that wait for nobody: of jobs that are over, or that went with their person."""
    with suppress(OSError):
        _, names = default_storage.listdir(FOLDER)
        wanted = ImportJob.objects.filter(status__in=ImportJob.UNFINISHED).values_list("file", flat=True)
        kept = {PurePath(name).name for name in wanted}
        for name in names:
            if name not in kept and not _is_young(f"{FOLDER}/{name}"):
                default_storage.delete(f"{FOLDER}/{name}")


def _is_young(name: str) -> bool:
    """Whether a file may belong to a job that is just being written down."""
    with suppress(OSError):
        return timezone.now() - default_storage.get_modified_time(name) < ImportJob.PATIENCE
    return True


def _free(now: datetime) -> Q:
    forsaken = Q(status=ImportJob.Status.RUNNING, touched_at__lt=now - ImportJob.PATIENCE)
    return Q(status=ImportJob.Status.WAITING) | forsaken


def _claimed(job_id: Any) -> ImportJob | None:
    now = timezone.now()
    claim = {"status": ImportJob.Status.RUNNING, "touched_at": now, "attempts": F("attempts") + 1}
    if not ImportJob.objects.filter(_free(now), pk=job_id).update(**claim):
        return None
    return ImportJob.objects.select_related("by").filter(pk=job_id).first()


def _held(job: ImportJob) -> QuerySet[ImportJob]:
    """The job while it is still this process's."""
    return ImportJob.objects.filter(pk=job.pk, status=ImportJob.Status.RUNNING, attempts=job.attempts)


def _taken_in(job: ImportJob) -> tuple[list[Run], bool]:
    """Return the runs that the file holds, and whether they are new here; raises Refused."""

    def touch() -> None:
        _held(job).update(touched_at=timezone.now())

    with _local(job) as path, showing_life(touch):
        try:
            return _imported(job, path), True
        except AlreadyImported as earlier:
            return [earlier.run], False
        except (EvolutionError, PicturesRefused, ZooError) as error:
            raise Refused(sentence(_without_folders(str(error)))) from error


def _without_folders(text: str) -> str:
    """Return a complaint that names files as their sender knows them."""
    return re.sub(rf"{re.escape(str(own_folder(IN)))}/[^/ ]+/", "", text)


def _imported(job: ImportJob, path: Path) -> list[Run]:
    visibility = job.choices.get("visibility", Run.Visibility.PRIVATE)
    anyway = job.choices.get("anyway", False)
    if job.kind == ImportJob.Kind.PICTURES:
        return [_pictures(job, path, visibility=visibility, anyway=anyway)]
    if is_bundle(path):
        return import_bundle(path, owner=job.by, visibility=visibility, anyway=anyway)
    return [import_archive(path, owner=job.by, visibility=visibility, anyway=anyway)]


def _pictures(job: ImportJob, path: Path, *, visibility: str, anyway: bool) -> Run:
    from fooling_web.exports.pictures_in import (
        import_pictures,
    )  # loads kernels, which the web process need not

    def tell(done: int, total: int) -> None:
        _held(job).update(done=done, total=total)

    classifier = job.choices["classifier"]
    return import_pictures(
        path, classifier=classifier, owner=job.by, visibility=visibility, anyway=anyway, progress=tell
    )


@contextmanager
def _local(job: ImportJob) -> Iterator[Path]:
    """Lend the file under its own name, on this machine's disk."""
    with tempfile.TemporaryDirectory(dir=own_folder(IN)) as folder:
        path = Path(folder) / (job.name or "file.zip")
        try:
            path.symlink_to(default_storage.path(_file_of(job)))
        except NotImplementedError:  # the storage is elsewhere
            with default_storage.open(_file_of(job)) as source, path.open("wb") as target:
                _copy(source, target)
        yield path


def _copy(source: Any, target: IO[bytes]) -> None:
    shutil.copyfileobj(source, target, 2**20)


def _file_of(job: ImportJob) -> str:
    return job.file.name or ""


def _finish(job: ImportJob, runs: list[Run], *, is_new: bool) -> None:
    """Write down what came of it; if somebody cancelled the job meanwhile, the runs go again."""
    finished = {"status": ImportJob.Status.FINISHED, "file": "", "finished_at": timezone.now()}
    with transaction.atomic():
        is_ours = bool(_held(job).update(**finished, choices={**job.choices, "is_new": is_new}))
        if is_ours:
            job.runs.set(runs)
            names = ", ".join(f"{run.name or 'untitled'} ({run.pk})" for run in runs)
            record(job.by, DEED, f"{job.name}: {names}", size=job.size)
    if is_ours:
        default_storage.delete(_file_of(job))
    elif is_new and not _is_wanted(job):
        for run in runs:
            run.delete()


def _is_wanted(job: ImportJob) -> bool:
    """Whether the job goes on in another process, which will find the runs that are here already."""
    standing = (ImportJob.Status.CANCELLED, ImportJob.Status.FAILED)
    return ImportJob.objects.filter(pk=job.pk).exclude(status__in=standing).exists()
