"""Archive files as somebody asked for them on a page: one run's, or several runs' in an outer ZIP."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from evolution.errors import EvolutionError
from fooling_web.classifiers.wording import sentence
from fooling_web.exports.jobs import Desk, Refused, order
from fooling_web.exports.models import ExportJob
from fooling_web.exports.packing import Choices, pack, pack_many
from fooling_web.runs.models import Run
from fooling_web.users.models import User
from models_zoo.errors import ZooError


def order_archives(by: User, runs: Sequence[Run], choices: Choices, title: str = "") -> ExportJob:
    """Return a job that packs runs; raises Refused."""
    address = runs[0].get_absolute_url() if len(runs) == 1 else ""
    kept = {**asdict(choices), "address": address, "runs": len(runs)}
    return order(by, ExportJob.Kind.ARCHIVES, title or title_of(runs), kept, runs=runs)


def title_of(runs: Sequence[Run]) -> str:
    """Return what the runs are called together."""
    if len(runs) == 1:
        return runs[0].name or "Untitled run"
    sweeps = {run.sweep for run in runs}
    if len(sweeps) == 1 and (sweep := sweeps.pop()):
        return f"{sweep.name}, {len(runs)} runs"
    return f"{len(runs)} runs"


def choices_of(job: ExportJob) -> Choices:
    """Return the choices that a job keeps."""
    kept: dict[str, Any] = {field.name: job.choices[field.name] for field in fields(Choices)}
    return Choices(**{**kept, "classes": tuple(kept["classes"])})


def make(job: ExportJob, desk: Desk) -> Path:
    """Pack the runs of a job, in one go: whoever stops begins anew. Raises Refused, JobLost."""
    ordered = Run.objects.filter(exports=job).order_by("seed", "created_at")
    runs = [run for run in ordered if run.is_controlled_by(job.by)]
    if not runs:
        raise Refused("Of these runs none is left: they were deleted meanwhile, or are yours no more.")
    path = desk.folder / "archive.zip"
    try:
        if len(runs) == 1:
            pack(runs[0], path, choices_of(job), desk.note)
        else:
            pack_many(runs, path, choices_of(job), desk.note)
    except (EvolutionError, ZooError) as error:
        raise Refused(sentence(str(error))) from error
    except OSError as error:
        raise Refused(f"The file could not be written ({error.strerror}).") from error
    return path
