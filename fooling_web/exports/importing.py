"""Take an archive file into this site: a run with its whole history, or nothing at all.

The file is checked from end to end before the database is touched; then everything is written in one transaction,
and the archive that the database now holds is compared with the one that the file told of.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from evolution.archive_file import ArchiveFile, archive_sha256
from evolution.archive_lines import Climb as ClimbLine
from evolution.archive_lines import Statistics
from evolution.errors import ArchiveFileError
from fooling_web.exports.exporting import NOT_KEPT
from fooling_web.runs.models import Champion, Climb, GenerationStat, Individual, Run, Takeover
from fooling_web.users.models import User
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry
from models_zoo.travelling import known_or_registered

CHUNK = 2000  # rows in memory
INDIVIDUALS = ("number", "generation", "parents", "top", "genome", "genome_hash")
TAKEOVERS = ("generation", "class_index", "individual", "confidence", "taken_from")
CHAMPIONS = ("class_index", "individual", "confidence", "generation")
BLOCK = 2**20  # bytes


class AlreadyImported(Exception):
    """The very same run was imported before, maybe from a file that was packed otherwise, and is still here."""

    def __init__(self, path: Path, run: Run) -> None:
        super().__init__(f"{path} was imported before: see {run.get_absolute_url()}")
        self.run = run


def import_archive(
    path: Path,
    *,
    owner: User | None = None,
    visibility: str = Run.Visibility.PUBLIC,
    name: str = "",
    bundle: str = "",
    anyway: bool = False,
) -> Run:
    """Return the run that a file holds, stored with its whole history.

    With the name of a bundle it is put aside, as removed runs are, until the bundle is whole. Raises AlreadyImported
    where the owner has the same run here or, unless it is taken in `anyway`, sees somebody else's; ArchiveFileError
    where the file is damaged, ZooError where its classifier collides with one of this site's.
    """
    with ArchiveFile(path) as archive:
        sha256 = file_sha256(path)
        known = _known_to(owner, anyway=anyway) | put_aside(bundle)
        if earlier := _own_first(known.filter(origin__file_sha256=sha256), owner):
            raise AlreadyImported(path, earlier)
        archive.require_whole()
        archive.check()
        if earlier := _own_first(_same_runs(archive, known), owner):
            raise AlreadyImported(path, earlier)
        entry = known_or_registered(archive.run.classifier)
        with transaction.atomic():
            run = _store_run(
                archive, entry, sha256, owner=owner, visibility=visibility, name=name, bundle=bundle
            )
            _store_history(run, archive)
            _refuse_another_archive(run, archive)
        return run


def _known_to(owner: User | None, *, anyway: bool) -> QuerySet[Run]:
    """Runs of which an importer may be told: of somebody's private ones nobody learns, and imports a copy."""
    if anyway:
        return Run.objects.filter(owner=owner)
    return Run.objects.all() if owner is None else Run.objects.listed_for(owner)


def put_aside(bundle: str) -> QuerySet[Run]:
    """Runs of a ZIP that is not in as a whole yet."""
    aside = Run.everything.filter(removed_at__isnull=False, visibility_before="")
    return aside.filter(origin__bundle=bundle) if bundle else aside.none()


def _own_first(runs: Iterable[Run], owner: User | None) -> Run | None:
    """Return a run of the owner's, or else of anybody, if there is one."""
    key = owner.pk if owner else None
    return min(runs, key=lambda run: run.owner_id != key, default=None)


def _same_runs(archive: ArchiveFile, known: QuerySet[Run]) -> Iterator[Run]:
    """Yield runs that were imported from another file of the very same content."""
    told = archive.run
    alike = known.filter(
        origin__archive_sha256=archive.archive_sha256,
        origin__holds=archive.holds,
        seed=told.seed,
        classifier_sha256=told.classifier["weights_sha256"],
    )
    return (run for run in alike if _is_as_far(run, archive) and run.settings == told.parameters)


def _is_as_far(run: Run, archive: ArchiveFile) -> bool:
    """Whether a run had come as far when it was imported: a generation may pass that changes no champion."""
    return bool((run.origin or {}).get("generation", run.generation) == archive.generation)


def file_sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _store_run(
    archive: ArchiveFile,
    entry: ClassifierEntry,
    file_hash: str,
    *,
    owner: User | None,
    visibility: str,
    name: str,
    bundle: str,
) -> Run:
    told = archive.run
    status = _status(archive, entry)
    return Run.objects.create(
        name=(name or told.name)[: Run._meta.get_field("name").max_length],
        kind=told.kind,
        owner=owner,
        visibility=visibility,
        classifier=entry.name,
        classifier_sha256=told.classifier["weights_sha256"],
        encoding=told.parameters.encoding,
        parameters=told.parameters.to_json(),
        seed=told.seed,
        status=status,
        generation=archive.generation,
        generations=_goal(archive),
        founders=Run.packed_founders(list(told.founders)) if told.founders else None,
        n_founders=len(told.founders),
        evaluations=archive.evaluations,
        seconds=archive.seconds,
        random_state=archive.random_state,
        finished_at=None if status == Run.Status.PAUSED else timezone.now(),
        removed_at=timezone.now() if bundle else None,
        origin={
            "file": archive.path.name,
            "file_sha256": file_hash,
            "archive_sha256": archive.archive_sha256,
            "holds": archive.holds,
            "generation": archive.generation,
            "created": told.created,
            "versions": told.versions,
            **({"bundle": bundle} if bundle else {}),
        },
    )


def _goal(archive: ArchiveFile) -> int:
    """Return how many generations the run was to have; what was bred by hand has those that it came to."""
    told = archive.run
    if told.kind == Run.Kind.BREEDING:
        return max(1, archive.generation or 0)
    return told.parameters.generations + told.guests


def _status(archive: ArchiveFile, entry: ClassifierEntry) -> str:
    """Return where the run stands here: it can go on only with a checkpoint and the very weights."""
    if archive.is_finished:
        return Run.Status.FINISHED
    try:
        entry.require_weights()
        is_same = entry.card["sha256"] == archive.run.classifier["weights_sha256"]
    except ZooError:
        is_same = False
    return Run.Status.PAUSED if is_same and archive.random_state else Run.Status.CANCELLED


def _store_history(run: Run, archive: ArchiveFile) -> None:
    _insert(run, Individual, INDIVIDUALS, _individuals(archive))
    rows_of = dict(run.individuals.values_list("number", "pk"))
    takeovers = (
        (line.generation, line.class_index, rows_of[line.individual], line.confidence, line.taken_from)
        for line in archive.takeovers()
    )
    _insert(run, Takeover, TAKEOVERS, takeovers)
    champions = (
        (class_index, rows_of[line.individual], line.confidence, line.generation)
        for class_index, line in sorted(archive.champions.items())
    )
    _insert(run, Champion, CHAMPIONS, champions)
    _insert(run, GenerationStat, Statistics._fields, archive.statistics())
    _insert(run, Climb, ClimbLine._fields, archive.climbs())
    if latest := run.statistics.last():
        run.median_confidence, run.max_confidence = latest.median, latest.max
        run.save(update_fields=["median_confidence", "max_confidence"])
    if (state := archive.search_state()) and run.status == Run.Status.PAUSED:
        run.keep_state(state)


def _insert(run: Run, model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of a run by the thousand; objects of the model, one for each, would take three times as long."""
    fields: list[Any] = [model._meta.get_field(name) for name in ("run", *names)]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table, places = connection.ops.quote_name(model._meta.db_table), ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - names of our own models
    first = _prepared(fields[0], run.pk)
    others = fields[1:]
    prepared = ((first, *map(_prepared, others, row)) for row in rows)
    with connection.cursor() as cursor:
        while chunk := list(islice(prepared, CHUNK)):
            cursor.executemany(statement, chunk)


def _prepared(field: Any, value: Any) -> Any:
    """Return a value as the database takes it; numbers need nothing done to them."""
    if value is None or isinstance(value, int | float):
        return value
    return field.get_db_prep_save(value, connection)


def _individuals(archive: ArchiveFile) -> Iterator[tuple[Any, ...]]:
    for line in archive.individuals(trusting=True):
        top = [list(pair) for pair in line.top]
        genome_hash = line.genome_hash or NOT_KEPT
        yield line.number, line.generation, list(line.parents), top, line.genome, genome_hash


def _refuse_another_archive(run: Run, archive: ArchiveFile) -> None:
    """Make sure that the database now holds the archive that the file told of."""
    rows = run.champions.values_list("class_index", "individual__genome_hash", "confidence")
    stored: dict[int, tuple[str, Any]] = {index: (genome_hash, sure) for index, genome_hash, sure in rows}
    if archive_sha256(archive.run.n_classes, stored) != archive.archive_sha256:
        raise ArchiveFileError(
            f"{archive.path} was not taken in whole: the database holds another archive; nothing was kept"
        )
