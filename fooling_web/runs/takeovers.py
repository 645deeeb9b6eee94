"""Takeovers between classes: by whose genes each class was won, and whose image had to go.

What is counted. A takeover is one class changing hands in one generation: an image takes a class that was vacant, or
ousts the image that held it. The image's *source* is the class by which its parent was an elite when it bred, which
is in the generation before:

- where the parent held the very class that was won, the source is that class. The one that is ousted is then the
  parent itself, and the genes stay where they are;
- where the parent held other classes only, the takeover is a *goal switch* (Nguyen, Yosinski and Clune 2015,
  "Innovation Engines"), and its source is the one among them in which the parent was surest. So each takeover counts
  once, however many classes the parent held;
- an image of the first population has no parent, nor has an image that climbs a gradient: such takeovers have no
  source. Neither have those few whose parent held no class in the generation before, as in other searches.

Of two parents the first counts, of which the child is a changed copy; the second gave it a part.

The line of a champion follows sources back: the takeover by which its parent held the source has a source in its
turn. It ends with an image that has no parent. The page of an image tells its line by the same sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fooling_web.runs.cabinet import kept
from fooling_web.runs.models import Run
from fooling_web.runs.watching import MOST_FIGURES, labels_of
from models_zoo.wordnet import IMAGENET_LABELS, branches

NOBODY = -1  # in the place of a parent, and of an image that was ousted
NO_PARENT, NO_CLASS = -1, -2  # in the place of a source: no parent, or one that held no class
NEVER = np.iinfo(np.int64).max  # in the place of the generation in which a class was lost
MOST_RANGES = 30  # into which very many classes are parted that have no branches
COLUMNS = (
    "generation",
    "class_index",
    "confidence",
    "taken_from",
    "individual__number",
    "individual__parents__0",
)
ROW = np.dtype(
    [
        ("generation", "<i4"),
        ("class_index", "<i4"),
        ("confidence", "<f8"),
        ("ousted", "<i8"),
        ("number", "<i8"),
        ("parent", "<i8"),
        ("source", "<i4"),
    ]
)
Rows = npt.NDArray[Any]  # (T,) of ROW, by generation and class
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Classes that a diagram shows as one line: a branch, a range, or a single class."""

    name: str
    title: str
    class_indices: tuple[int, ...]


@dataclass(frozen=True)
class Totals:
    """All takeovers of a run, or of some generations, by where their winners came from."""

    takeovers: int
    parentless: int
    own: int  # the winner's parent held the class
    switches: int
    unheld: int  # the winner's parent held no class

    @property
    def share(self) -> float:
        """The share of goal switches in all takeovers that have a source."""
        return self.switches / max(1, self.own + self.switches)


@dataclass(frozen=True)
class Band:
    """Some generations, the last one included, with their takeovers."""

    first: int
    last: int
    totals: Totals


@dataclass(frozen=True)
class Standing:
    """How often a class gave genes to others, and took from others."""

    class_index: int
    gave: int
    took: int


def takeovers_of(run: Run, generation: int) -> Rows:
    """Return every takeover up to a generation that the run has kept, each with its source; one query at most."""
    content = kept(f"{run.pk}-{generation}-takeovers", lambda: _traced(run, generation).tobytes())
    return np.frombuffer(content, ROW)


def sources_of(rows: Rows, ends: Numbers | None = None) -> Numbers:
    """Return for each takeover the row by which the parent held the source, or NO_PARENT or NO_CLASS, (T,).

    Where the rows are not all of a run's, `ends` tells in which generation each one's winner lost the class again.
    """
    ends = _ends(rows) if ends is None else ends
    children, tenures = _held_by_parents(rows)
    bred, won = rows["generation"][children], rows["class_index"][children]
    held = (rows["generation"][tenures] < bred) & (bred <= ends[tenures])
    children, tenures, won = children[held], tenures[held], won[held]
    classes = rows["class_index"][tenures]
    order = np.lexsort((-classes, rows["confidence"][tenures], classes == won, children))
    sources = np.full(len(rows), NO_CLASS, np.int64)
    sources[children[order]] = tenures[order]  # of several the last stays: its own class, or else the surest
    sources[rows["parent"] == NOBODY] = NO_PARENT
    return sources


def givers_of(rows: Rows) -> Numbers:
    """Return the class of each takeover's source; NO_PARENT and NO_CLASS as they are, (T,)."""
    sources = rows["source"].astype(np.int64)
    return np.where(sources >= 0, rows["class_index"][np.maximum(sources, 0)], sources)


def are_switches(rows: Rows) -> npt.NDArray[np.bool_]:
    """Return which takeovers are goal switches, (T,)."""
    givers = givers_of(rows)
    switched: npt.NDArray[np.bool_] = (givers >= 0) & (givers != rows["class_index"])
    return switched


def totals_of(rows: Rows, givers: Numbers) -> Totals:
    """Count takeovers by where their winners came from."""
    own = int((givers == rows["class_index"]).sum())
    parentless, unheld = int((givers == NO_PARENT).sum()), int((givers == NO_CLASS).sum())
    return Totals(len(rows), parentless, own, len(rows) - own - parentless - unheld, unheld)


def bands_of(rows: Rows, givers: Numbers) -> list[Band]:
    """Return the totals of generations 1, 2 to 3, 4 to 7 and so on: takeovers grow rare at about that pace."""
    last, first, bands = int(rows["generation"].max(initial=0)), 1, []
    while first <= last:
        end = min(2 * first - 1, last)
        lies = slice(*np.searchsorted(rows["generation"], [first, end + 1]))
        bands.append(Band(first, end, totals_of(rows[lies], givers[lies])))
        first = end + 1
    return bands


def standings_of(rows: Rows, givers: Numbers) -> list[Standing]:
    """Return the classes that had a part in any goal switch, in the order of classes."""
    switched = are_switches(rows)
    n_classes = int(rows["class_index"].max(initial=-1)) + 1
    gave = np.bincount(givers[switched], minlength=n_classes)
    took = np.bincount(rows["class_index"][switched], minlength=n_classes)
    return [Standing(int(index), int(gave[index]), int(took[index])) for index in np.flatnonzero(gave + took)]


def groups_of(run: Run, n_classes: int) -> list[Group]:
    """Return the lines of a run's diagram: its classes if they are few, else branches, else ranges of classes."""
    labels = labels_of(run)
    if labels == IMAGENET_LABELS:
        return [Group(branch.name, branch.title, branch.class_indices) for branch in branches()]
    n_classes = max(n_classes, len(labels))
    if n_classes <= MOST_FIGURES:
        return [single(run, index) for index in range(n_classes)]
    parts = np.array_split(np.arange(n_classes), MOST_RANGES)
    return [
        Group(f"range-{part[0]}", f"Classes {part[0]} to {part[-1]}", tuple(part.tolist())) for part in parts
    ]


def single(run: Run, class_index: int) -> Group:
    """Return a class as a group of its own."""
    return Group(f"class-{class_index}", label_in(labels_of(run), class_index), (class_index,))


def label_in(labels: Sequence[str], class_index: int) -> str:
    """Return a class's name, or its number where the classifier is gone or has lost classes."""
    return labels[class_index] if class_index < len(labels) else str(class_index)


def matrix_of(rows: Rows, givers: Numbers, groups: Sequence[Group], *, only_switches: bool) -> Numbers:
    """Return how many takeovers went from each group, down, to each group, across, (groups, groups)."""
    counted = are_switches(rows) if only_switches else givers >= 0
    places = _places(groups, int(rows["class_index"].max(initial=-1)) + 1)
    pairs = places[givers[counted]] * len(groups) + places[rows["class_index"][counted]]
    return np.bincount(pairs, minlength=len(groups) ** 2).reshape(len(groups), len(groups))


def between(
    rows: Rows, givers: Numbers, giving: Group | None, taking: Group | None, *, only_switches: bool
) -> Numbers:
    """Return the takeovers that went from one group to another, the latest first; None stands for any group."""
    chosen = are_switches(rows) if only_switches else givers >= 0
    if giving:
        chosen = chosen & np.isin(givers, giving.class_indices)
    if taking:
        chosen = chosen & np.isin(rows["class_index"], taking.class_indices)
    return np.flatnonzero(chosen)[::-1]


def line_of(rows: Rows, class_index: int) -> list[int]:
    """Return the takeovers on the line of a class's champion, the champion's own first; none of a vacant class."""
    own = np.flatnonzero(rows["class_index"] == class_index)
    line, row = [], int(own[-1]) if len(own) else NO_PARENT
    while row >= 0:
        line.append(row)
        row = int(rows["source"][row])
    return line


def _traced(run: Run, generation: int) -> Rows:
    lines = run.takeovers.filter(generation__lte=generation).order_by("generation", "class_index")
    rows = np.zeros(0, ROW)
    columns = list(zip(*lines.values_list(*COLUMNS), strict=True))
    if columns:
        generations, classes, confidences, ousted, numbers, parents = columns
        rows = np.zeros(len(generations), ROW)
        rows["generation"], rows["class_index"], rows["confidence"] = generations, classes, confidences
        rows["number"], rows["ousted"], rows["parent"] = numbers, _known(ousted), _known(parents)
    rows["source"] = sources_of(rows)
    return rows


def _known(numbers: Sequence[int | None]) -> list[int]:
    return [NOBODY if number is None else number for number in numbers]


def _held_by_parents(rows: Rows) -> tuple[Numbers, Numbers]:
    """Return pairs of a takeover and a takeover that its winner's parent won, as two columns of rows."""
    by_number = np.argsort(rows["number"], kind="stable")
    numbers = rows["number"][by_number]
    first = np.searchsorted(numbers, rows["parent"], "left")
    counts = np.searchsorted(numbers, rows["parent"], "right") - first
    before = np.cumsum(counts) - counts
    places = np.arange(counts.sum()) + np.repeat(first - before, counts)
    return np.repeat(np.arange(len(rows)), counts), by_number[places]


def _ends(rows: Rows) -> Numbers:
    """Return the generation in which each takeover's winner lost the class again; beyond all where it never did."""
    ends = np.full(len(rows), NEVER)
    order = np.argsort(rows["class_index"], kind="stable")
    followed = np.diff(rows["class_index"][order]) == 0
    ends[order[:-1][followed]] = rows["generation"][order[1:][followed]]
    return ends


def _places(groups: Sequence[Group], n_classes: int) -> Numbers:
    """Return for each class in which group it lies, (n_classes,); one of no group counts to the last."""
    known = max((max(group.class_indices) for group in groups), default=-1) + 1
    places = np.full(max(n_classes, known), len(groups) - 1, np.int64)
    for place, group in enumerate(groups):
        places[list(group.class_indices)] = place
    return places
