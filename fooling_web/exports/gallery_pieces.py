"""What leaves a gallery: of each image that hangs in a view a picture, and a row that says what it is.

Whoever takes a view with them takes what hangs there when the pictures are drawn. An image whose run was made private
meanwhile, or that a moderator hid, stays behind.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from evolution.errors import GenomeError
from fooling_web.galleries.models import Entry
from fooling_web.galleries.ordering import stretch_of
from fooling_web.galleries.sifting import Sieve
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.pictures import file_of_size

BATCH = 25  # genomes in memory
DIGITS = 6  # of a confidence in a file's name, cut
SHORT_RUN, LONGEST_SLUG = 12, 60  # signs in a file's name
FORMULAS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
)  # a table that begins a cell so would be computed by some programs


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is known of an image, as a line of a table."""

    file: str
    dataset: str
    class_index: int
    label: str
    wnid: str
    confidence: float
    classifier: str
    classifier_title: str
    classifier_sha256: str
    encoding: str
    method: str
    run: str
    run_name: str
    owner: str
    seed: int
    generation: int
    number: int
    width: int
    genome_sha256: str
    title: str
    address: str


@dataclass(frozen=True)
class Piece:
    """An image of a gallery, ready to be taken away."""

    row: Row
    picture: bytes  # as a PNG

    def to_json(self) -> dict[str, Any]:
        """Return the row as a document."""
        return asdict(self.row)


def keys_of(wanted: Wanted, most: int) -> tuple[list[int], int]:
    """Return which entries a view begins with, and how many it has in all."""
    stretch = stretch_of(Sieve(wanted), 0, most)
    return stretch.keys, stretch.total


def pieces_of(keys: list[int], size: int, site: str) -> Iterator[Piece]:
    """Yield the images of entries in order, `size` pixels a side; 0: as large as the classifier saw them.

    Those that hang no more, or whose genome is damaged, are left out.
    """
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        entries = _hanging().in_bulk(batch)
        genomes = _genomes([entry.individual_id for entry in entries.values()])
        for key in batch:
            if key in entries and (piece := _piece(entries[key], genomes, size, site)):
                yield piece


def safe(value: Any) -> Any:
    """Return a value such that no program that opens a table takes a person's words for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def _hanging() -> Any:
    """Entries that anybody may see, with what a row tells of them."""
    entries = Entry.objects.filter(run__visibility=Run.Visibility.PUBLIC, run__removed_at=None)
    related = entries.exclude(individual__exhibit__hidden=True).select_related(
        "run__owner", "image_class", "approach", "individual__exhibit"
    )
    return related.defer("run__random_state", "run__founders", "individual__genome")


def _genomes(individuals: list[int]) -> dict[int, bytes]:
    rows = Individual.objects.filter(pk__in=individuals).values_list("pk", "genome")
    return {pk: bytes(genome) for pk, genome in rows}


def _piece(entry: Entry, genomes: dict[int, bytes], size: int, site: str) -> Piece | None:
    individual = entry.individual
    individual.genome = genomes.get(individual.pk, b"")
    try:
        picture = file_of_size(entry.run, individual, size or entry.run.settings.width, "png")
    except GenomeError:
        return None
    return Piece(_row(entry, site), picture)


def _row(entry: Entry, site: str) -> Row:
    run, individual, image_class = entry.run, entry.individual, entry.image_class
    exhibit = getattr(individual, "exhibit", None)
    return Row(
        file=_file_name(entry),
        dataset=image_class.dataset,
        class_index=image_class.class_index,
        label=image_class.label,
        wnid=image_class.wnid,
        confidence=entry.confidence,
        classifier=run.classifier,
        classifier_title=run.classifier_title,
        classifier_sha256=run.classifier_sha256,
        encoding=run.encoding,
        method=entry.approach.method,
        run=str(run.pk),
        run_name=run.name,
        owner=run.owner.get_username() if run.owner else "",
        seed=run.seed,
        generation=individual.generation,
        number=individual.number,
        width=run.settings.width,
        genome_sha256=individual.genome_hash,
        title=exhibit.title if exhibit else "",
        address=f"{site.rstrip('/')}{entry.get_absolute_url()}",
    )


def _file_name(entry: Entry) -> str:
    """Name a picture by class, confidence (cut, never rounded up), run and number."""
    cut = math.floor(round(entry.confidence * 10**DIGITS, 3)) / 10**DIGITS
    slug = entry.image_class.slug[:LONGEST_SLUG]
    return f"{slug}_{cut:.{DIGITS}f}_{str(entry.run_id).replace('-', '')[:SHORT_RUN]}_{entry.number}.png"
