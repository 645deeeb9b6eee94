"""Write a run of this site to an archive file, straight from the database and in constant memory."""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from evolution.archive_file import WHOLE, Description
from evolution.archive_lines import Climb, Individual, Statistics, Takeover
from evolution.archive_writing import write_archive
from fooling_web.runs.models import Run
from models_zoo.registry import find
from models_zoo.travelling import card_document

NOT_KEPT = "not-kept"  # stands for the hash of a genome that came without either
CHUNK = 1000  # rows in memory
VALUES = 4_000_000  # of pixels, in genomes that are pictures
NAMED_VERSIONS = ("numba", "numpy", "pillow", "torch")
STATISTICS = tuple(Statistics._fields)


def export_archive(run: Run, path: Path, *, holds: str = WHOLE) -> str:
    """Write a run to a file, as far as it has kept its generations by now, and return the archive's hash.

    Raises ArchiveFileError where a champion's genome is missing, UnknownClassifier, OSError.
    """
    return write_archive(
        path,
        description_of(run),
        StoredHistory(run, -1 if run.generation is None else run.generation),
        random_state=run.random_state,
        search_state=run.kept_state(),
        holds=holds,
    )


@dataclass(frozen=True)
class StoredHistory:
    """A run's history up to a generation; what a worker adds meanwhile is left out."""

    run: Run
    last: int

    def individuals(self, *, with_genomes: bool) -> Iterator[Individual]:
        """Yield every individual by number."""
        fields = ["number", "generation", "parents", "top", "genome_hash"]
        if with_genomes:
            fields.append("genome")
        rows = self.run.individuals.filter(generation__lte=self.last)
        at_once = self._genomes_at_once() if with_genomes else CHUNK
        for number, generation, parents, top, genome_hash, *genome in _in_chunks(rows, fields, 1, at_once):
            yield Individual(
                number,
                generation,
                tuple(parents),
                tuple((class_index, confidence) for class_index, confidence in top),
                "" if genome_hash == NOT_KEPT else genome_hash,
                *map(bytes, genome),
            )

    def _genomes_at_once(self) -> int:
        """Return how many rows with genomes memory bears: a network is small, a large picture is not."""
        if self.run.encoding == "cppn":
            return CHUNK
        parameters = self.run.settings
        return max(1, min(CHUNK, VALUES // (parameters.width * parameters.height * parameters.channels)))

    def takeovers(self) -> Iterator[Takeover]:
        """Yield every takeover by generation and class."""
        rows = self.run.takeovers.filter(generation__lte=self.last)
        fields = ("generation", "class_index", "individual__number", "confidence", "taken_from")
        return (Takeover(*row) for row in _in_chunks(rows, fields, 2))

    def statistics(self) -> Iterator[Statistics]:
        """Yield every generation's line."""
        rows = self.run.statistics.filter(generation__lte=self.last)
        return (Statistics(*row) for row in _in_chunks(rows, STATISTICS, 1))

    def climbs(self) -> Iterator[Climb]:
        """Yield every image of gradient ascent with its milestones."""
        return (Climb(*row) for row in _in_chunks(self.run.climbs.all(), Climb._fields, 2))


def _in_chunks(
    rows: QuerySet[Any], fields: Sequence[str], n_keys: int, at_once: int | None = None
) -> Iterator[tuple[Any, ...]]:
    """Yield rows in the order of their first fields, one or two, which no two rows share.

    Each chunk is a query of its own: while a cursor stands open, SQLite refuses to note how far the work has come as
    soon as anybody else has written.
    """
    keys, last = fields[:n_keys], tuple[Any, ...]()
    ordered = rows.order_by(*keys).values_list(*fields)
    while chunk := list(ordered.filter(_after(keys, last))[: at_once or CHUNK]):
        yield from chunk
        last = chunk[-1]


def _after(keys: Sequence[str], last: tuple[Any, ...]) -> Q:
    """Return what comes after a row; after none everything does."""
    if not last:
        return Q()
    beyond = Q(**{f"{keys[0]}__gt": last[0]})
    if len(keys) == 1:
        return beyond
    return Q(**{f"{keys[0]}__gte": last[0]}) & (beyond | Q(**{f"{keys[1]}__gt": last[1]}))


def description_of(run: Run) -> Description:
    """Return what determined a run, and where it was computed; raises UnknownClassifier."""
    origin = run.origin or {}
    return Description(
        name=" ".join(run.name.split()),
        seed=run.seed,
        parameters=run.settings,
        classifier=_classifier(run),
        versions=origin.get("versions") or _versions(),
        created=origin.get("created") or run.created_at.isoformat(timespec="seconds"),
        guests=run.guests,
        founders=tuple(run.founding_genomes),
        kind=run.kind,
    )


def _classifier(run: Run) -> dict[str, Any]:
    """Return the card of the weights that the run was evolved against, be it that others are here now."""
    document = card_document(find(run.classifier))
    if document["weights_sha256"] != run.classifier_sha256:
        document |= {"weights_sha256": run.classifier_sha256, "test_error_percent": None, "source": ""}
    return document


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in NAMED_VERSIONS}}
