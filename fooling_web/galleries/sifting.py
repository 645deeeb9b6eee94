"""Sift what hangs: which entries a view asks for, and how many there are of each kind.

Nothing here grows with the number of entries where it can be helped. A run has one approach, a class one branch; so
filters become small sets of approaches, classes and runs, and counts come from the sums that `hanging` keeps. Only
views that are narrowed to classes or single images are counted entry by entry, from an index.
"""

import functools
import re
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum

from fooling_web.galleries.models import BANDS, Approach, Entry, Exhibit, Hanging, ImageClass, RunTally, Tally
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.models import User
from models_zoo.wordnet import TITLES

FEW = 20_000  # entries that are soon found one by one, and sorted
MOST_WORDS = 6  # of a text; further ones are not looked at
MOST_EXHIBITS = 2_000  # whose title or tag begins with a word
WORD = re.compile(r"[^\W_]+")
SMALL_WORDS = {"and", "of", "the", "other"}
RECOGNISED_FROM = (
    0.5  # the share of people who named the class, above chance, from which on an image is recognised
)
FOOLS_FROM = 0.9  # the fooling index, likewise
ANSWERS = {  # what people may have said of an image, as `wanted.RECOGNISED` names it
    "yes": Q(recognition__gte=RECOGNISED_FROM),
    "no": Q(recognition__lt=RECOGNISED_FROM),
    "fools": Q(n_asked__gt=0, fooling_index__gte=FOOLS_FROM),
}

Cube = Counter[tuple[int, str, int]]  # how many entries, by approach, branch and band
Runs = frozenset[uuid.UUID]
Classes = frozenset[int]


class Hung(NamedTuple):
    """What must be known of a run that hangs."""

    pk: uuid.UUID
    approach: int
    entries: int
    name: str
    sweep: uuid.UUID | None
    owner: int | None


class Single(NamedTuple):
    """An entry that is told apart from others of its class and run."""

    pk: int
    approach: int
    branch: str
    band: int
    image_class: int
    run: uuid.UUID
    individual: int


@dataclass(frozen=True)
class Part:
    """All entries of some classes and some runs; None stands for all."""

    classes: Classes | None = None
    runs: Runs | None = None

    def within(self, classes: Classes | None, runs: Runs | None) -> "Part":
        """Return what of it lies within other classes and runs, too."""
        return Part(_both(self.classes, classes), _both(self.runs, runs))

    def holds(self, single: Single) -> bool:
        """Whether an entry belongs to it."""
        return (self.classes is None or single.image_class in self.classes) and (
            self.runs is None or single.run in self.runs
        )

    def __bool__(self) -> bool:
        return self.classes != frozenset() and self.runs != frozenset()


@dataclass(frozen=True)
class Columns:
    """Names under which a query speaks of an entry's columns; where an order shall lead, filters must not."""

    approach: str = "approach"
    image_class: str = "image_class"
    run: str = "run"
    band: str = "band"
    branch: str = "branch"


class Sieve:
    """What a view asks for. Every public run that hangs is known to it, and what it needs besides is read once."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted

    @functools.cached_property
    def hung(self) -> dict[uuid.UUID, Hung]:
        """Every public run that hangs; asked for only where runs are told apart."""
        names = ("run", "approach", "entries", "run__name", "run__sweep", "run__owner")
        public = Hanging.objects.filter(run__visibility=Run.Visibility.PUBLIC)
        return {row[0]: Hung(*row) for row in public.values_list(*names)}

    @functools.cached_property
    def withdrawn(self) -> Runs:
        """Runs that hang still, but are public no more: for seconds there are some."""
        withdrawn = Hanging.objects.exclude(run__visibility=Run.Visibility.PUBLIC)
        return frozenset(withdrawn.values_list("run", flat=True))

    @functools.cached_property
    def entries(self) -> int:
        """How many entries there are in all."""
        return Hanging.objects.aggregate(sum=Sum("entries"))["sum"] or 0

    @functools.cached_property
    def approaches(self) -> dict[int, Approach]:
        """Every approach, by its key."""
        return {approach.pk: approach for approach in Approach.objects.all()}

    @functools.cached_property
    def hidden(self) -> list[Single]:
        """Entries that a moderator took out of all galleries."""
        hidden = Exhibit.objects.filter(hidden=True).values("individual")
        return _singles(Entry.objects.filter(individual__in=hidden))

    @functools.cached_property
    def parts(self) -> list[Part]:
        """What is looked through: the text, the class, the runs; without filters that whole sums are kept of."""
        return self._parts_within(self._runs)

    @functools.cached_property
    def cube(self) -> Cube:
        """How many entries there are, before filters by approach, branch and band."""
        if self._images is not None:
            return self._counted_one_by_one()
        cube = Cube()
        for part in self.parts:
            cube.update(self._counted(part))
        cube.update((single.approach, single.branch, single.band) for single in self._extras)
        cube.subtract(
            (single.approach, single.branch, single.band)
            for single in self.hidden
            if self._looked_through(single)
        )
        return +cube

    @functools.cached_property
    def wanted_approaches(self) -> frozenset[int] | None:
        """The approaches that the filters let through; None for all."""
        asked = {
            name: value
            for name in ("classifier", "encoding", "method")
            if (value := getattr(self.wanted, name))
        }
        if not asked:
            return None
        return frozenset(
            key
            for key, approach in self.approaches.items()
            if all(getattr(approach, name) == value for name, value in asked.items())
        )

    def passes(self, approach: int, branch: str, band: int) -> bool:
        """Whether entries of this kind are let through."""
        approaches, wanted = self.wanted_approaches, self.wanted
        return (
            (approaches is None or approach in approaches)
            and (not wanted.branch or branch == wanted.branch)
            and (wanted.band is None or band == wanted.band)
        )

    @functools.cached_property
    def bands(self) -> list[int]:
        """How many entries the view has of each band."""
        counts = [0] * len(BANDS)
        for (approach, branch, band), n in self.cube.items():
            if self.passes(approach, branch, band):
                counts[band] += n
        return counts

    @property
    def total(self) -> int:
        """How many entries the view has."""
        return sum(self.bands)

    def predicate(self, columns: Columns) -> Q:
        """Return the condition on entries that the view's filters make, but for the band's."""
        condition = self._narrow(columns, self.parts, self._extras)
        if self.wanted_approaches is not None:
            condition &= Q(**{f"{columns.approach}__in": self.wanted_approaches})
        if self.wanted.branch:
            condition &= (
                Q(branch=self.wanted.branch)
                if columns.branch
                else Q(**{f"{columns.image_class}__in": self._classes_of_branch})
            )
        return condition

    def by_run(self) -> dict[uuid.UUID, int] | None:
        """Return how many entries each run has, whatever runs are asked for; None where too many would be counted."""
        wanted = self.wanted
        of_person = self._of_person
        parts = self._parts_within(of_person)
        if parts != [Part(None, of_person)] or self._images is not None or self._extras:
            return self._by_run_one_by_one(parts)
        if not wanted.branch and wanted.band is None:
            counts = {run.pk: run.entries for run in self.hung.values()}
        else:
            chosen = {
                name: value
                for name, value in (("branch", wanted.branch), ("band", wanted.band))
                if value not in ("", None)
            }
            sums = RunTally.objects.filter(**chosen).values_list("run").order_by()
            counts = dict(sums.annotate(sum=Sum("entries")))
        return {
            pk: n
            for pk, n in counts.items()
            if pk in self.hung
            and (of_person is None or pk in of_person)
            and (self.wanted_approaches is None or self.hung[pk].approach in self.wanted_approaches)
        }

    def recognised(self) -> dict[str, int]:
        """Return how many images people recognised, did not, or were fooled about, whatever of these is asked for."""
        known = Exhibit.objects.filter(recognition__isnull=False, hidden=False)
        singles = _singles(Entry.objects.filter(individual__in=known.values("individual")))
        if not singles:
            return {}
        answers = {
            answer: set(known.filter(condition).values_list("individual", flat=True))
            for answer, condition in ANSWERS.items()
        }
        tagged = self._tagged
        passed = (
            single
            for single in singles
            if self.passes(single.approach, single.branch, single.band)
            and single.run in self.hung
            and (any(part.holds(single) for part in self.parts) or single in self._extras)
            and (tagged is None or single.individual in tagged)
        )
        return Counter(
            answer
            for single in passed
            for answer, individuals in answers.items()
            if single.individual in individuals
        )

    # What the wanted names, as sets.

    @functools.cached_property
    def _of_person(self) -> Runs | None:
        """Runs of the person; all that are left where one was withdrawn just now; else None for all."""
        if not self.wanted.person:
            return frozenset(self.hung) if self.withdrawn else None
        owners = set(User.objects.filter(username__iexact=self.wanted.person).values_list("pk", flat=True))
        return frozenset(run.pk for run in self.hung.values() if run.owner in owners)

    @functools.cached_property
    def _runs(self) -> Runs | None:
        runs = self._of_person
        if self.wanted.run:
            runs = _both(runs, frozenset({self.wanted.run} & self.hung.keys()))
        if self.wanted.sweep:
            swept = (run.pk for run in self.hung.values() if run.sweep == self.wanted.sweep)
            runs = _both(runs, frozenset(swept))
        return runs

    @functools.cached_property
    def _classes(self) -> Classes | None:
        if not self.wanted.image_class:
            return None
        found = ImageClass.objects.filter(slug=self.wanted.image_class)
        return frozenset(found.values_list("pk", flat=True))

    @functools.cached_property
    def _classes_of_branch(self) -> list[int]:
        return list(ImageClass.objects.filter(branch=self.wanted.branch).values_list("pk", flat=True))

    @functools.cached_property
    def _tagged(self) -> set[int] | None:
        """Images that bear the tag."""
        if not self.wanted.tag:
            return None
        tagged = Exhibit.objects.filter(taggings__tag__name=self.wanted.tag.lower())
        return set(tagged.values_list("individual", flat=True))

    @functools.cached_property
    def _images(self) -> QuerySet[Exhibit] | None:
        """Exhibits that are looked through one by one; None where all images are."""
        if not (self.wanted.tag or self.wanted.recognised):
            return None
        exhibits = Exhibit.objects.filter(hidden=False)
        if self.wanted.tag:
            exhibits = exhibits.filter(taggings__tag__name=self.wanted.tag.lower())
        if self.wanted.recognised:
            exhibits = exhibits.filter(ANSWERS[self.wanted.recognised])
        return exhibits

    # Text: each word must begin a word of what is written about an entry.

    @functools.cached_property
    def _words(self) -> list[str]:
        return [word.lower() for word in WORD.findall(self.wanted.text)][:MOST_WORDS]

    @functools.cached_property
    def _spoken_of(self) -> tuple[dict[int, list[int]], dict[int, list[uuid.UUID]]]:
        """Classes and runs by the words that they satisfy, a bit for each."""
        classes: dict[int, list[int]] = {}
        for key, label, branch in ImageClass.objects.values_list("pk", "label", "branch"):
            classes.setdefault(self._satisfied(label, TITLES.get(branch, ("",))[0]), []).append(key)
        sweeps = dict(Sweep.objects.filter(visibility=Run.Visibility.PUBLIC).values_list("pk", "name"))
        runs: dict[int, list[uuid.UUID]] = {}
        for run in self.hung.values():
            bits = self._satisfied(run.name, sweeps.get(run.sweep, "") if run.sweep else "")
            runs.setdefault(bits, []).append(run.pk)
        return classes, runs

    def _satisfied(self, *texts: str) -> int:
        """Return a bit for each word that begins a word of these texts; a single letter must be the whole word."""
        spoken = {word for text in texts for word in WORD.findall(text.lower())} - SMALL_WORDS
        return sum(
            1 << place
            for place, word in enumerate(self._words)
            if word in spoken or (len(word) > 1 and any(other.startswith(word) for other in spoken))
        )

    @functools.cached_property
    def _text_parts(self) -> list[Part]:
        """What the text speaks of: runs that satisfy it alone, and besides them classes, with the runs they need."""
        if not self._words:
            return [Part()]
        classes, runs = self._spoken_of
        every = (1 << len(self._words)) - 1
        alone = frozenset(runs.get(every, []))
        parts = [Part(None, None if alone and len(alone) == len(self.hung) else alone)]
        for bits, keys in classes.items():
            if bits == 0 or parts[0].runs is None:
                continue
            others = (
                frozenset(pk for other, pks in runs.items() if other | bits == every for pk in pks) - alone
            )
            parts.append(Part(frozenset(keys), None if len(others) == len(self.hung) else others))
        return [part for part in parts if part]

    @functools.cached_property
    def _extras(self) -> list[Single]:
        """Entries that satisfy the text by their own title or tags."""
        if not self._words or self._images is not None:
            return []
        spoken: dict[int, set[str]] = {}
        for individual, text in self._said():
            spoken.setdefault(individual, set()).add(text)
        if not spoken:
            return []
        classes, runs = self._spoken_of
        bits_of_class = {key: bits for bits, keys in classes.items() for key in keys}
        bits_of_run = {pk: bits for bits, pks in runs.items() for pk in pks}
        every = (1 << len(self._words)) - 1
        limits = Part(self._classes, self._runs)
        return [
            single
            for single in _singles(Entry.objects.filter(individual__in=list(spoken)))
            if single.run in self.hung
            and limits.holds(single)
            and (known := bits_of_class.get(single.image_class, 0) | bits_of_run[single.run]) != every
            and known | self._satisfied(*spoken[single.individual]) == every
        ]

    def _said(self) -> Iterator[tuple[int, str]]:
        """Yield images with a title or a tag in which a word of the text begins a word."""
        exhibits = Exhibit.objects.filter(hidden=False)
        for column in ("title", "taggings__tag__name"):
            begins = Q()
            for word in self._words:
                begins |= Q(**{f"{column}__istartswith": word})
                if column == "title":
                    begins |= Q(**{f"{column}__icontains": f" {word}"})
            yield from exhibits.filter(begins).values_list("individual", column)[:MOST_EXHIBITS]

    # Counting.

    def _parts_within(self, runs: Runs | None) -> list[Part]:
        within = (part.within(self._classes, runs) for part in self._text_parts)
        return [part for part in within if part]

    def _counted(self, part: Part) -> Cube:
        """Count a part; of branches that it holds whole, sums are kept."""
        if part.classes is None:
            return self._summed(part.runs)
        whole = self._whole_branches(part.classes) if part.runs is None else {}
        rest = Part(part.classes.difference(*whole.values()), part.runs)
        cube = self._summed(None, whole) if whole else Cube()
        if rest:
            entries = Entry.objects.filter(self._condition(rest, Columns())).order_by()
            rows = entries.values_list("approach", "image_class", "band").annotate(n=Count("pk"))
            for approach, image_class, band, n in rows:
                cube[approach, self._branches[image_class], band] += n
        return cube

    def _whole_branches(self, classes: Classes) -> dict[str, Classes]:
        """Return branches of which all classes are among these, if sums are kept that fit."""
        if len(classes) == 1:
            return {}
        members: dict[str, set[int]] = {}
        for key, branch in self._branches.items():
            members.setdefault(branch, set()).add(key)
        return {branch: frozenset(keys) for branch, keys in members.items() if branch and keys <= classes}

    @functools.cached_property
    def _branches(self) -> dict[int, str]:
        return dict(ImageClass.objects.values_list("pk", "branch"))

    def _summed(self, runs: Runs | None, branches: Collection[str] = ()) -> Cube:
        """Return the sums of runs; of most runs, those of all without those of the others."""
        others: Runs = frozenset() if runs is None else (frozenset(self.hung) | self.withdrawn) - runs
        if runs is not None and len(others) >= len(runs):
            return _sums_of(runs)
        tallies = Tally.objects.filter(branch__in=branches) if branches else Tally.objects.all()
        rows = tallies.values_list("approach", "branch", "band", "entries")
        cube = Cube({(approach, branch, band): n for approach, branch, band, n in rows})
        if others:
            cube.subtract(_sums_of(others))
        return cube

    def _counted_one_by_one(self) -> Cube:
        entries = Entry.objects.filter(self._narrow(Columns(), self.parts)).order_by()
        rows = entries.values_list("approach", "branch", "band").annotate(n=Count("pk"))
        return Cube({(approach, branch, band): n for approach, branch, band, n in rows})

    def _by_run_one_by_one(self, parts: list[Part]) -> dict[uuid.UUID, int] | None:
        most = sum(
            len(part.classes or self._branches) * len(self.hung if part.runs is None else part.runs)
            for part in parts
        )
        if self._images is None and most > 2 * FEW:
            return None
        wanted = self.wanted
        entries = Entry.objects.filter(self._narrow(Columns(), parts)).order_by()
        if wanted.branch:
            entries = entries.filter(branch=wanted.branch)
        if wanted.band is not None:
            entries = entries.filter(band=wanted.band)
        if self.wanted_approaches is not None:
            entries = entries.filter(approach__in=self.wanted_approaches)
        return dict(entries.values_list("run").annotate(n=Count("pk")))

    def _looked_through(self, single: Single) -> bool:
        return any(part.holds(single) for part in self.parts)

    def _narrow(self, columns: Columns, parts: list[Part], extras: Collection[Single] = ()) -> Q:
        """Return the condition that parts and single images make, without what moderators hid."""
        condition = Q(pk__in=[single.pk for single in extras]) if extras or not parts else None
        for part in parts:
            one = self._condition(part, columns)
            condition = one if condition is None else condition | one
        assert condition is not None
        if self._images is not None:
            condition &= Q(individual__in=self._images.values("individual"))
        if self.hidden:
            condition &= ~Q(pk__in=[single.pk for single in self.hidden])
        return condition

    def _condition(self, part: Part, columns: Columns) -> Q:
        condition = Q()
        if part.classes is not None:
            condition &= Q(**{f"{columns.image_class}__in": part.classes})
        if part.runs is not None:
            others = (frozenset(self.hung) | self.withdrawn) - part.runs
            if len(others) < len(part.runs):
                return condition & ~Q(**{f"{columns.run}__in": others}) if others else condition
            condition &= Q(**{f"{columns.run}__in": part.runs})
        return condition


def _both(one: frozenset[Any] | None, other: frozenset[Any] | None) -> frozenset[Any] | None:
    """Return what both hold; None stands for everything."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _sums_of(runs: Iterable[uuid.UUID]) -> Cube:
    rows = RunTally.objects.filter(run__in=runs).order_by()
    sums = rows.values_list("run__hanging__approach", "branch", "band").annotate(sum=Sum("entries"))
    return Cube({(approach, branch, band): n for approach, branch, band, n in sums})


def _singles(entries: QuerySet[Entry]) -> list[Single]:
    names = ("pk", "approach", "branch", "band", "image_class", "run", "individual")
    return [Single(*row) for row in entries.values_list(*names)]
