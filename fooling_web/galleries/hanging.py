"""Hang the champions of public runs in the galleries: keep the index over them true to the runs.

A run's entries follow its champions, a few seconds behind. What has changed since is found by the generation up to
which the run hangs; a run that is public no more is taken down. Counts are kept with the entries, in the same
transaction: those of a run from its entries, those of all runs by the difference that it made.
"""

import logging
import time
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.text import slugify

from fooling_web.galleries.models import (
    BANDS,
    NO_BRANCH,
    Approach,
    Entry,
    Hanging,
    ImageClass,
    RunTally,
    Tally,
)
from fooling_web.galleries.wanted import ASCENT, BRED, PICTURES
from fooling_web.runs.models import Champion, Run
from fooling_web.runs.watching import SHORT_HASH
from models_zoo.wordnet import CLASSES, IMAGENET_LABELS

logger = logging.getLogger(__name__)

IMAGENET, CUSTOM = "imagenet", "custom"
LONGEST_SLUG, LONGEST_LABEL = 100, 200
CHUNK = 1000  # rows in one statement
COLUMNS = (
    *("run", "image_class", "individual", "approach", "branch", "band", "confidence", "number", "short_hash"),
    *("hung_at", "place"),
)
Bands = Counter[tuple[str, int]]  # how many entries, by branch and band


@dataclass(frozen=True)
class Hung:
    """What `hang_all` did."""

    runs: int = 0
    entries: int = 0
    taken_down: int = 0


def hang_all(*, anew: bool = False, seconds: float = float("inf")) -> Hung:
    """Hang every run that is not up to date, or every run again; stop after some seconds, to go on next time."""
    deadline, runs, entries, taken_down = time.monotonic() + seconds, 0, 0, 0
    for run in list(_public() if anew else _behind()):
        if time.monotonic() > deadline:
            break
        try:
            entries += hang(run, anew=anew)
            runs += 1
        except IntegrityError:
            if Run.objects.filter(pk=run.pk).exists():
                raise
            logger.info("run %s was deleted while it was hung", run.pk)
    for run in list(_no_longer_public()):
        taken_down += take_down(run)
    if anew or not _adds_up():
        add_up()
    return Hung(runs, entries, taken_down)


def hang(run: Run, *, anew: bool = False) -> int:
    """Bring a run's entries up to date; return how many were written.

    `anew` looks at every champion again, and leaves it to `add_up` to sum the counts up anew.

    The run's generation was read before its champions are: a takeover between the two is hung twice rather than
    never.
    """
    if run.generation is None:
        return 0
    approach = approach_of(run)
    with transaction.atomic():
        hanging = _hanging(run, approach)
        champions = run.champions.select_related("individual").defer("individual__genome", "individual__top")
        if run.climbed_classes:  # the others are held by whatever came by
            champions = champions.filter(class_index__in=run.climbed_classes)
        if not anew:
            champions = champions.filter(generation__gt=hanging.generation)
        written = _write(run, approach, list(champions))
        if anew:
            _remove_strays(run)
        if written or anew:
            _count(run, approach, sums_follow=not anew)
        Hanging.objects.filter(pk=run.pk).update(generation=run.generation)
    return written


def take_down(run: Run) -> int:
    """Remove a run from the galleries; return how many entries that were."""
    with transaction.atomic():
        hanging = Hanging.objects.select_for_update().filter(pk=run.pk).first()
        if hanging is None:
            return 0
        removed, _ = Entry.objects.filter(run=run).delete()
        _count(run, hanging.approach)
        hanging.delete()
    return removed


def add_up() -> None:
    """Sum up the counts of all runs."""
    with transaction.atomic():
        Tally.objects.all().delete()
        sums = RunTally.objects.values_list("run__hanging__approach", "branch", "band")
        Tally.objects.bulk_create(
            Tally(approach_id=approach, branch=branch, band=band, entries=entries)
            for approach, branch, band, entries in sums.annotate(sum=Sum("entries")).order_by()
        )


def approach_of(run: Run) -> Approach:
    """Return what the run evolved with and against."""
    approach, _ = Approach.objects.get_or_create(
        classifier=run.classifier,
        encoding=run.encoding,
        method=_method_of(run),
    )
    return approach


def _method_of(run: Run) -> str:
    if run.kind == Run.Kind.BREEDING:
        return BRED
    if run.are_pictures:
        return PICTURES
    return ASCENT if run.encoding == "gradient" else run.parameters.get("method", "map-elites")


def band_of(confidence: float) -> int:
    """Return the place in BANDS of a confidence."""
    return max(bisect_right(BANDS, confidence) - 1, 0)


def place_of(run: Run, class_index: int) -> int:
    """Return where an entry hangs in the order at random: always the same, and of no meaning."""
    return zlib.crc32(f"{run.pk} {class_index}".encode()) >> 1  # what a column of 31 bits holds


def _public() -> QuerySet[Run]:
    return Run.objects.public().filter(generation__isnull=False).defer("random_state")


def _behind() -> QuerySet[Run]:
    """Public runs whose champions may have changed since they were hung."""
    return _public().filter(Q(hanging=None) | Q(generation__gt=F("hanging__generation")))


def _no_longer_public() -> QuerySet[Run]:
    return Run.everything.filter(hanging__isnull=False).exclude(visibility=Run.Visibility.PUBLIC)


def _adds_up() -> bool:
    """Whether the counts of all runs are those of the runs; where a run was deleted they are not."""
    of_all = Tally.objects.aggregate(sum=Sum("entries"))["sum"]
    return bool(of_all == Hanging.objects.aggregate(sum=Sum("entries"))["sum"])


def _hanging(run: Run, approach: Approach) -> Hanging:
    """Return how far the run hangs; nobody else hangs it meanwhile."""
    Hanging.objects.get_or_create(run=run, defaults={"approach": approach})
    return Hanging.objects.select_for_update().get(pk=run.pk)


def _write(run: Run, approach: Approach, champions: list[Champion]) -> int:
    """Write the entries of champions. A class keeps the time at which its image was hung while that stays."""
    classes = classes_of(run, [champion.class_index for champion in champions])
    now = timezone.now()
    write_entries(
        (
            run.pk,
            classes[champion.class_index].pk,
            champion.individual_id,
            approach.pk,
            classes[champion.class_index].branch,
            band_of(champion.confidence),
            champion.confidence,
            champion.individual.number,
            champion.individual.genome_hash[:SHORT_HASH],
            now,
            place_of(run, champion.class_index),
        )
        for champion in champions
    )
    return len(champions)


def write_entries(rows: Iterable[Sequence[Any]]) -> None:
    """Insert or update entries, their values in the order of COLUMNS; objects would take several times as long."""
    fields: list[Any] = [Entry._meta.get_field(name) for name in COLUMNS]
    quoted = connection.ops.quote_name
    table, columns = quoted(Entry._meta.db_table), [quoted(field.column) for field in fields]
    own = {"run_id", "image_class_id", "hung_at"}
    changes = [
        f"{column} = excluded.{column}"
        for field, column in zip(fields, columns, strict=True)
        if field.column not in own
    ]
    statement = (  # of names of our own models alone
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(fields))}) "  # noqa: S608
        f"ON CONFLICT (run_id, image_class_id) DO UPDATE SET {', '.join(changes)}, hung_at = CASE "
        f"WHEN {table}.individual_id = excluded.individual_id THEN {table}.hung_at ELSE excluded.hung_at END"
    )
    prepared = [tuple(map(_prepared, fields, row)) for row in rows]
    with connection.cursor() as cursor:
        for start in range(0, len(prepared), CHUNK):
            cursor.executemany(statement, prepared[start : start + CHUNK])


def _prepared(field: Any, value: Any) -> Any:
    """Return a value as the database takes it; numbers and words need nothing done to them."""
    return value if isinstance(value, int | float | str) else field.get_db_prep_save(value, connection)


def _remove_strays(run: Run) -> None:
    """Remove entries whose image holds its class no more."""
    held = Champion.objects.filter(
        run=run,
        individual=models.OuterRef("individual"),
        class_index=models.OuterRef("image_class__class_index"),
    )
    Entry.objects.filter(run=run).exclude(models.Exists(held)).delete()


def _count(run: Run, approach: Approach, sums_follow: bool = True) -> None:
    """Count the run's entries again, and let the sum over all runs follow by the difference."""
    before = Bands({(tally.branch, tally.band): tally.entries for tally in run.tallies.all()})
    counted = Entry.objects.filter(run=run).values_list("branch", "band").order_by()
    after = Bands({(branch, band): n for branch, band, n in counted.annotate(n=Count("pk"))})
    if before != after:
        run.tallies.all().delete()
        RunTally.objects.bulk_create(
            RunTally(run=run, branch=branch, band=band, entries=n) for (branch, band), n in after.items()
        )
        if sums_follow:
            _follow(approach, before, after)
    Hanging.objects.filter(pk=run.pk).update(entries=after.total())


def _follow(approach: Approach, before: Bands, after: Bands) -> None:
    """Add a difference to the sums; always in the same order, so that two who do so never wait for each other."""
    known = {(tally.branch, tally.band) for tally in approach.tallies.all()}
    for branch, band in sorted(before.keys() | after.keys()):
        difference = after[branch, band] - before[branch, band]
        if (branch, band) not in known:
            Tally.objects.get_or_create(approach=approach, branch=branch, band=band, defaults={"entries": 0})
        if difference:
            Tally.objects.filter(approach=approach, branch=branch, band=band).update(
                entries=F("entries") + difference
            )


def classes_of(run: Run, class_indices: Sequence[int]) -> dict[int, ImageClass]:
    """Return the classes that these are, over all runs; those that nobody met before are noted."""
    dataset, labels = _labels(run, class_indices)
    known = _known(dataset, labels)
    if missing := {index: label for index, label in labels.items() if index not in known}:
        _note(dataset, missing)
        known = _known(dataset, labels)
    return known


def _labels(run: Run, class_indices: Sequence[int]) -> tuple[str, dict[int, str]]:
    """Return a data set and the labels of classes; of a classifier that is gone the numbers are known alone."""
    entry = run.known_classifier
    if entry is None:
        return CUSTOM, {index: f"class {index}" for index in class_indices}
    labels = {
        index: entry.labels[index][:LONGEST_LABEL] if index < len(entry.labels) else f"class {index}"
        for index in class_indices
    }
    return IMAGENET if entry.labels == IMAGENET_LABELS else entry.dataset, labels


def _known(dataset: str, labels: dict[int, str]) -> dict[int, ImageClass]:
    rows = ImageClass.objects.filter(dataset=dataset, class_index__in=labels)
    return {row.class_index: row for row in rows if row.label == labels[row.class_index]}


def _note(dataset: str, labels: dict[int, str]) -> None:
    taken = set(ImageClass.objects.values_list("slug", flat=True))
    classes = []
    for class_index, label in labels.items():
        slug = _slug(dataset, class_index, label, taken)
        taken.add(slug)
        wordnet = (
            CLASSES[class_index] if dataset == IMAGENET and label == IMAGENET_LABELS[class_index] else None
        )
        classes.append(
            ImageClass(
                dataset=dataset,
                class_index=class_index,
                label=label,
                slug=slug,
                wnid=wordnet.wnid if wordnet else "",
                branch=wordnet.branch if wordnet else NO_BRANCH,
            )
        )
    ImageClass.objects.bulk_create(classes, ignore_conflicts=True)


def _slug(dataset: str, class_index: int, label: str, taken: set[str]) -> str:
    """Return an address's part that no other class has: "starfish", "mnist-7", with its number where ambiguous."""
    named = slugify(label)[:LONGEST_SLUG] or str(class_index)
    slug = named if dataset == IMAGENET else f"{dataset}-{named}"
    attempts = [
        slug,
        f"{slug}-{class_index}",
        *(f"{slug}-{class_index}-{n}" for n in range(2, len(taken) + 3)),
    ]
    return next(attempt for attempt in attempts if attempt not in taken)
