"""Search the galleries: from what is wanted to a page of images, and to the counts beside every filter."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from evolution.parameters import ENCODINGS
from fooling_web.galleries.models import BANDS, Entry
from fooling_web.galleries.ordering import stretch_of
from fooling_web.galleries.sifting import Sieve
from fooling_web.galleries.wanted import BRED, DEEPEST, METHODS, RECOGNISED, SORTS, Wanted
from fooling_web.runs.models import Individual, Run, Sweep
from models_zoo.registry import all_entries
from models_zoo.wordnet import TITLES

__all__ = [
    "DEEPEST",
    "RECOGNISED",
    "SORTS",
    "Facet",
    "Hits",
    "Option",
    "Sieve",
    "Wanted",
    "at_position",
    "facets_of",
    "page_of",
]
MOST_OPTIONS = 12  # runs and sweeps that a filter offers
TITLES_OF_FACETS = {
    "classifier": "Classifier",
    "encoding": "Encoding",
    "method": "Method",
    "branch": "Kind of class",
    "band": "Confidence",
    "run": "Run",
    "sweep": "Sweep",
    "recognised": "People",
}
SUMMED = ("classifier", "encoding", "method", "branch", "band")


@dataclass(frozen=True, kw_only=True)
class Hits:
    """One page of a view."""

    entries: list[Entry]
    total: int
    number: int
    pages: int
    first_position: int

    @property
    def has_next(self) -> bool:
        """Whether another page follows."""
        return self.number < self.pages

    @property
    def is_cut(self) -> bool:
        """Whether more hang here than can be paged through."""
        return self.total > DEEPEST


@dataclass(frozen=True, kw_only=True)
class Option:
    """A value that a filter may take, and how many images it would leave."""

    value: str
    title: str
    count: int
    is_chosen: bool
    query: str


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A filter with its options."""

    name: str
    title: str
    options: list[Option]


def page_of(wanted: Wanted, size: int = 48, sieve: Sieve | None = None) -> Hits:
    """Return one page of a view; in the place of a page beyond the last comes the last.

    Who asks for the page and the facets of a view gives both the same sieve, so that it counts once.
    """
    sieve = sieve or Sieve(wanted)
    number = min(max(wanted.page, 1), _pages(DEEPEST, size))
    stretch = stretch_of(sieve, (number - 1) * size, size)
    pages = _pages(min(stretch.total, DEEPEST), size)
    if number > pages:
        number = pages
        stretch = stretch_of(sieve, (number - 1) * size, size)
    return Hits(
        entries=_entries(stretch.keys),
        total=stretch.total,
        number=number,
        pages=pages,
        first_position=(number - 1) * size,
    )


def at_position(wanted: Wanted, position: int) -> Entry | None:
    """Return what hangs at a position of a view, from 0; None where nothing does."""
    if not 0 <= position < DEEPEST:
        return None
    stretch = stretch_of(Sieve(wanted), position, 1)
    return next(iter(_entries(stretch.keys)), None)


def facets_of(wanted: Wanted, sieve: Sieve | None = None) -> list[Facet]:
    """Return every filter with its options; the counts of each are given all the other filters."""
    sieve = sieve or Sieve(wanted)
    counts: dict[str, Mapping[Any, int]] = dict(_summed(sieve))
    by_run = sieve.by_run()
    counts["run"] = _most(_of_runs(sieve, by_run), wanted.run)
    counts["sweep"] = _most(_of_sweeps(sieve, by_run), wanted.sweep)
    counts["recognised"] = sieve.recognised()
    return [_facet(wanted, sieve, name, counts[name]) for name in TITLES_OF_FACETS]


def _pages(images: int, size: int) -> int:
    return max(1, -(-images // size))


def _entries(keys: list[int]) -> list[Entry]:
    """Return entries in the order of their keys, those of public runs; what is withdrawn just now is missing."""
    light = Entry.objects.select_related("run", "image_class").defer("run__random_state", "run__founders")
    found = light.in_bulk(keys)
    entries = [found[key] for key in keys if key in found]
    public = [entry for entry in entries if entry.run.visibility == Run.Visibility.PUBLIC]
    _tell_breeders([entry for entry in public if entry.run.guests])
    return public


def _tell_breeders(entries: list[Entry]) -> None:
    """Look up who bred the images among these that came into their runs from outside; a few queries for all."""
    lights = Prefetch("individual", Individual.objects.defer("genome"))
    prefetch_related_objects(entries, lights, "individual__offer__publication__author")


def _summed(sieve: Sieve) -> dict[str, Counter[Any]]:
    """Count for the filters that sums are kept of; an entry counts for a filter if it passes the others."""
    wanted = sieve.wanted
    counts: dict[str, Counter[Any]] = {name: Counter() for name in SUMMED}
    chosen = [getattr(wanted, name) for name in SUMMED]
    approaches = {
        key: (approach.classifier, approach.encoding, approach.method)
        for key, approach in sieve.approaches.items()
    }
    for (approach, branch, band), n in sieve.cube.items():
        values = (*approaches[approach], branch, band)
        kept_out = [
            place
            for place, (value, asked) in enumerate(zip(values, chosen, strict=True))
            if asked not in ("", None) and value != asked
        ]
        if len(kept_out) > 1:
            continue
        for place in kept_out or range(len(SUMMED)):
            counts[SUMMED[place]][values[place]] += n
    del counts["branch"][""]
    return counts


def _of_runs(sieve: Sieve, by_run: Mapping[uuid.UUID, int] | None) -> dict[uuid.UUID, int]:
    wanted = sieve.wanted
    if by_run is None:
        return {wanted.run: sieve.total} if wanted.run else {}
    return {
        pk: n
        for pk, n in by_run.items()
        if pk in sieve.hung
        and (not wanted.sweep or sieve.hung[pk].sweep == wanted.sweep)
        and (pk == wanted.run or sieve.approaches[sieve.hung[pk].approach].method != BRED)
    }


def _of_sweeps(sieve: Sieve, by_run: Mapping[uuid.UUID, int] | None) -> dict[uuid.UUID, int]:
    wanted = sieve.wanted
    if by_run is None:
        return {wanted.sweep: sieve.total} if wanted.sweep else {}
    counts: Counter[uuid.UUID] = Counter()
    for pk, n in by_run.items():
        if pk in sieve.hung and (not wanted.run or pk == wanted.run) and (sweep := sieve.hung[pk].sweep):
            counts[sweep] += n
    return counts


def _most(counts: Mapping[uuid.UUID, int], chosen: uuid.UUID | None) -> dict[uuid.UUID, int]:
    """Return the largest counts, and always that of the chosen one."""
    largest = sorted(counts, key=lambda pk: (pk != chosen, -counts[pk], pk))[:MOST_OPTIONS]
    return {pk: counts[pk] for pk in largest}


def _facet(wanted: Wanted, sieve: Sieve, name: str, counts: Mapping[Any, int]) -> Facet:
    chosen, usual = getattr(wanted, name), getattr(Wanted(), name)
    titles = _titles(sieve, name, counts)
    if name == "sweep":
        counts = {pk: n for pk, n in counts.items() if pk in titles}  # runs may be public of one that is not
    values: Iterable[Any] = sorted(counts, key=lambda value: (-counts[value], str(value)))
    if name == "band":
        values = range(len(BANDS))
    elif chosen != usual and chosen not in counts:
        values = [*values, chosen]
    options = [
        Option(
            value=str(value),
            title=titles.get(value, str(value)),
            count=counts.get(value, 0),
            is_chosen=value == chosen,
            query=wanted.query(**{name: usual if value == chosen else value}),
        )
        for value in values
    ]
    return Facet(name=name, title=TITLES_OF_FACETS[name], options=options)


def _titles(sieve: Sieve, name: str, counts: Mapping[Any, int]) -> Mapping[Any, str]:
    if name == "run":
        return {pk: sieve.hung[pk].name for pk in counts if pk in sieve.hung}
    if name == "sweep":
        public = Sweep.objects.filter(pk__in=list(counts), visibility=Run.Visibility.PUBLIC)
        return dict(public.values_list("pk", "name"))
    if name == "classifier":
        return {entry.name: entry.title for entry in all_entries()}
    if name == "branch":
        return {branch: title for branch, (title, _) in TITLES.items()}
    if name == "band":
        return {place: _band_title(place) for place in range(len(BANDS))}
    return {"encoding": ENCODINGS, "method": METHODS, "recognised": RECOGNISED}[name]


def _band_title(place: int) -> str:
    least = f"{BANDS[place] * 100:g}"
    if place + 1 == len(BANDS):
        return f"{least}\N{NO-BREAK SPACE}% and more"
    return f"{least} to {BANDS[place + 1] * 100:g}\N{NO-BREAK SPACE}%"
