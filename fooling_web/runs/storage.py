"""How much room runs take, of which kind, and where most of it goes.

Genomes are counted to the byte, and so are confidences and parents. Of everything else, the rows are counted and
multiplied by what a row takes with its indexes, as measured on SQLite. A run is measured anew when it has ended, and
every ten minutes while it is at work: the scheduler asks for it (`measure_all`), so that pages read what is there.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, Length
from django.utils import timezone

from fooling_web.runs.models import Film, GenerationStat, Run, RunQuerySet, SearchState, Storage, Takeover
from fooling_web.users.models import User

A_ROW = {"individuals": 370, "takeovers": 220, "statistics": 210}  # bytes with its indexes, on SQLite
LARGEST = 10  # of a page
PICTURES = "pictures"  # the cabinet's folder


def measure(run: Run) -> Storage:
    """Look how much room a run takes, and keep it."""
    words = (
        Length(Cast("top", TextField())) + Length(Cast("parents", TextField())) + 2 * Length("genome_hash")
    )
    individuals = run.individuals.aggregate(n=Count("pk"), genomes=Sum(Length("genome")), words=Sum(words))
    states = SearchState.objects.filter(run=run).aggregate(bytes=Sum(Length("content")))["bytes"] or 0
    rows = {
        "individuals": individuals["n"],
        "takeovers": Takeover.objects.filter(run=run).count(),
        "statistics": GenerationStat.objects.filter(run=run).count(),
    }
    measured = {
        "genomes": individuals["genomes"] or 0,
        "history": states
        + (individuals["words"] or 0)
        + sum(A_ROW[kind] * number for kind, number in rows.items()),
        "generation": run.generation or 0,
        "status": run.status,
    }
    return Storage.objects.update_or_create(run=run, defaults=measured)[0]


def measure_all(seconds: float = float("inf")) -> int:
    """Measure runs that have grown since, for some seconds; return how many."""
    deadline, measured = time.monotonic() + seconds, 0
    # Keys first, since SQLite lets nobody write who is still reading what others have changed meanwhile.
    keys = list(Run.everything.unmeasured(timezone.now()).values_list("pk", flat=True))
    for run in (Run.everything.without_burdens().filter(pk=key).first() for key in keys):
        if run is None:
            continue
        measure(run)
        measured += 1
        if time.monotonic() > deadline:
            break
    return measured


def with_bytes(runs: RunQuerySet | QuerySet[Run]) -> QuerySet[Run]:
    """Return runs with what they take: `film_bytes`, and `all_bytes`, by which they can be ordered."""
    films = Film.objects.filter(run=OuterRef("pk")).order_by().values("run").annotate(sum=Sum("size"))
    film_bytes = Coalesce(
        Subquery(films.values("sum")[:1], output_field=IntegerField()), Value(0), output_field=IntegerField()
    )
    taken = runs.select_related("storage").annotate(film_bytes=film_bytes)
    measured = Coalesce(F("storage__genomes") + F("storage__history"), Value(0), output_field=IntegerField())
    return taken.annotate(all_bytes=measured + F("film_bytes"))


def pictures_of(runs: Iterable[Run]) -> dict[Any, int]:
    """Return how many bytes of drawn pictures of each run lie in the cabinet of this machine."""
    wanted, sizes = {str(run.pk): run.pk for run in runs}, Counter[Any]()
    with suppress(OSError):
        for entry in os.scandir(Path(settings.HOME) / PICTURES):
            if (run := wanted.get(entry.name[:36])) is not None:
                with suppress(OSError):
                    sizes[run] += entry.stat().st_size
    return sizes


def total() -> dict[str, int]:
    """Return how many bytes all runs take, by kind; removed ones, too."""
    measured = Storage.objects.aggregate(genomes=Sum("genomes"), history=Sum("history"))
    films = Film.objects.aggregate(bytes=Sum("size"))["bytes"]
    return {
        "genomes": measured["genomes"] or 0,
        "history": measured["history"] or 0,
        "films": films or 0,
    }


def overview() -> dict[str, Any]:
    """Return what the page of storage shows."""
    by_kind = total()
    largest = with_bytes(Run.everything.select_related("owner").without_burdens().defer("parameters"))
    people = User.objects.annotate(taken=Sum(F("runs__storage__genomes") + F("runs__storage__history")))
    return {
        "by_kind": by_kind,
        "all_runs": sum(by_kind.values()),
        "removed": Run.everything.filter(removed_at__isnull=False).aggregate(
            n=Count("pk"), bytes=Sum(F("storage__genomes") + F("storage__history"))
        ),
        "days": settings.REMOVED_RUNS_DAYS,
        "pictures": _folder_bytes(Path(settings.HOME) / PICTURES),
        "files": _folder_bytes(Path(settings.HOME) / "files"),
        "database": _database_bytes(),
        "largest": largest.order_by("-all_bytes")[:LARGEST],  # type: ignore[misc]  # annotated
        "people": people.filter(taken__gt=0).order_by("-taken")[:LARGEST],
    }


def _folder_bytes(folder: Path) -> int:
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.stat(os.path.join(place, name)).st_size
    return size


def _database_bytes() -> int | None:
    """Return the size of the database; None where it does not say."""
    if connection.vendor == "sqlite":
        with suppress(OSError):
            return os.stat(str(connection.settings_dict["NAME"])).st_size
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
