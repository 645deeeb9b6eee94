"""Families: which picture was branched from which, over generations of people.

A family is a tree. Its root is a picture that somebody bred from nothing, or an image that a run evolved; every other
member was published by a person who branched from its parent. What the asking person may not see is left out; where
something visible descends from it, a nameless member keeps the tree in one piece.

All is read by plain SQL, which SQLite and PostgreSQL read alike: a few queries, however large the family.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import connection

from fooling_web.breeding.models import Publication
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.watching import SHORT_HASH
from models_zoo.errors import UnknownClassifier
from models_zoo.registry import find

SECRET, BRED, EVOLVED = range(3)  # what a member is
NOWHERE = -1
COLUMNS = ("parent", "kind", "run", "number", "hash", "title", "author", "label", "confidence", "stars")
NOTHING = (SECRET, "", 0, "", "", NOWHERE, NOWHERE, 0, 0)  # of a secret member, its parent aside
FINE = 10_000  # parts of a confidence that the drawing tells apart
MOST_NEAR = 200  # descendants that a page tells beside the drawing
MOST_TOLD = 12  # of those from which a picture comes
MOST_FAMILIES = 24
KEPT_SECONDS = 60  # the overview: it looks at every published picture

UP = """
WITH RECURSIVE up (id, parent_id) AS (
    SELECT held.id, publication.branched_from_id
    FROM runs_individual held LEFT JOIN breeding_publication publication ON publication.individual_id = held.id
    WHERE held.id = %s
    UNION
    SELECT held.id, publication.branched_from_id
    FROM up JOIN runs_individual held ON held.id = up.parent_id
    LEFT JOIN breeding_publication publication ON publication.individual_id = held.id
)
SELECT id, parent_id FROM up
"""  # UNION, not UNION ALL: a circle, which only damage can make, ends, too
DOWN = """
WITH RECURSIVE member (id, parent_id) AS (
    SELECT id, CAST(NULL AS BIGINT) FROM runs_individual WHERE id = %s
    UNION
    SELECT publication.individual_id, publication.branched_from_id
    FROM member JOIN breeding_publication publication ON publication.branched_from_id = member.id
)
"""
NEAR = """
WITH chosen (id, parent_id) AS (
    SELECT individual_id, branched_from_id FROM breeding_publication WHERE branched_from_id = %s
    UNION
    SELECT child.individual_id, child.branched_from_id FROM breeding_publication child
    JOIN breeding_publication parent ON parent.individual_id = child.branched_from_id
    WHERE parent.branched_from_id = %s
), member (id, parent_id) AS (SELECT id, parent_id FROM chosen ORDER BY id LIMIT %s)
"""
DETAILS = """
SELECT member.id, member.parent_id, run.id, held.number, SUBSTR(held.genome_hash, 1, %s),
    held.top -> 0 ->> 0, held.top -> 0 ->> 1, run.visibility, run.owner_id, run.classifier,
    exhibit.title, exhibit.stars, exhibit.hidden, author.username,
    CASE WHEN publication.individual_id IS NULL THEN 2 ELSE 1 END
FROM member
JOIN runs_individual held ON held.id = member.id
JOIN runs_run run ON run.id = held.run_id
LEFT JOIN galleries_exhibit exhibit ON exhibit.individual_id = held.id
LEFT JOIN breeding_publication publication ON publication.individual_id = held.id
LEFT JOIN users_user author ON author.id = publication.author_id
ORDER BY member.id
"""
FAMILIES = """
WITH RECURSIVE member (root, id, generation) AS (
    SELECT individual_id, individual_id, 1 FROM breeding_publication WHERE branched_from_id IS NULL
    UNION
    SELECT first.branched_from_id, first.branched_from_id, 0 FROM breeding_publication first
    WHERE first.branched_from_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM breeding_publication parent WHERE parent.individual_id = first.branched_from_id
    )
    UNION ALL
    SELECT member.root, publication.individual_id, member.generation + 1
    FROM member JOIN breeding_publication publication ON publication.branched_from_id = member.id
)
SELECT member.root, COUNT(*), MAX(member.generation), COUNT(DISTINCT publication.author_id),
    MIN(CASE WHEN member.id = member.root THEN 0 ELSE member.id END), MIN(member.id)
FROM member
JOIN runs_individual held ON held.id = member.id
JOIN runs_run run ON run.id = held.run_id AND run.visibility = 'public'
LEFT JOIN galleries_exhibit exhibit ON exhibit.individual_id = member.id
LEFT JOIN breeding_publication publication ON publication.individual_id = member.id
WHERE exhibit.hidden IS NULL OR NOT exhibit.hidden
GROUP BY member.root
HAVING COUNT(*) > 1
ORDER BY 2 DESC, 1
LIMIT %s
"""


class Row(NamedTuple):
    """A member as the database tells it."""

    id: int
    parent: int | None
    run: Any
    number: int
    hash: str
    class_index: Any
    confidence: Any
    visibility: str
    owner: int | None
    classifier: str
    title: str | None
    stars: float | None
    hidden: bool | None
    author: str | None
    kind: int


@dataclass(frozen=True)
class Member:
    """One picture of a family, for templates; of a secret one nothing is known but its place."""

    id: int
    parent: int | None
    kind: int
    run_id: str = ""
    number: int = 0
    short_hash: str = ""
    title: str = ""
    author: str = ""
    classifier: str = ""
    label: str = ""
    confidence: float | None = None
    stars: float = 0.0
    children: tuple["Member", ...] = ()

    @property
    def is_secret(self) -> bool:
        """Whether the asking person may not see it."""
        return self.kind == SECRET

    @property
    def is_bred(self) -> bool:
        """Whether a person bred it, rather than a run."""
        return self.kind == BRED

    @property
    def name(self) -> str:
        """What it is called."""
        if self.is_secret:
            return "A picture that is not public"
        return self.title or (f"{self.classifier} on {self.label}" if self.label else "Untitled")

    @property
    def address(self) -> str:
        """How a link to the tree names it."""
        return f"{self.run_id}/{self.number}"


@dataclass(frozen=True)
class Surroundings:
    """A picture with those from which it comes, the eldest first, and its children with theirs."""

    centre: Member
    line: list[Member]
    n_bred: int  # published pictures from the root on, itself included
    n_breeders: int  # of these, as far as they may be seen
    n_near: int  # descendants that are told

    @property
    def told_line(self) -> list[Member]:
        """Those from which it comes that are listed, the nearest first."""
        return self.line[: -MOST_TOLD - 1 : -1]

    @property
    def n_untold(self) -> int:
        """How many of these are not listed."""
        return len(self.line) - len(self.told_line)

    @property
    def is_cut(self) -> bool:
        """Whether there may be more children and grandchildren than are told."""
        return self.n_near >= MOST_NEAR


@dataclass(frozen=True)
class Family:
    """A family in the overview."""

    root: Member
    pictures: int
    generations: int
    breeders: int


def published_in_place_of(individual: Individual) -> Individual:
    """Return the published picture of a bred one's run: an ancestor that was never published is in no family."""
    if individual.run.kind != Run.Kind.BREEDING:
        return individual
    published = Individual.objects.filter(run=individual.run_id, publication__isnull=False)
    return published.defer("genome").select_related("run").order_by("-number").first() or individual


def family_document(centre: Individual, user: Any) -> dict[str, Any]:
    """Return the whole family of a picture as columns; parents come before their children, the root first."""
    line = _line_up(centre.pk)
    rows = _rows(DOWN, [line[0]])
    seen = _Seeing(user, centre.pk)
    visible = {row.id for row in rows if seen(row)}
    ordered = _pruned(_parents_first(rows, line[0]), visible)
    return _columns(ordered, visible, centre.pk)


def surroundings(centre: Individual, user: Any) -> Surroundings:
    """Return what a page tells of a picture's family without drawing it: three queries."""
    line = _line_up(centre.pk)
    seen = _Seeing(user, centre.pk)
    above = {row.id: _member(row, seen) for row in _rows(_these(line), [])}
    told = [above[pk] for pk in line if pk in above]
    near = _near(centre.pk, seen)
    return Surroundings(
        centre=replace(told[-1], children=tuple(near)),
        line=told[:-1],
        n_bred=sum(member.kind != EVOLVED for member in told),
        n_breeders=len({member.author for member in told if member.author}),
        n_near=len(near) + sum(len(child.children) for child in near),
    )


def largest_families() -> list[Family]:
    """Return the families with the most public pictures; the overview that everybody sees alike."""
    found: list[Family] | None = cache.get("breeding:families")
    if found is None:
        found = list(_counted_families())
        cache.set("breeding:families", found, KEPT_SECONDS)
    return found


def _counted_families() -> Iterator[Family]:
    with connection.cursor() as cursor:
        cursor.execute(FAMILIES, [MOST_FAMILIES])
        counted = cursor.fetchall()
    shown = {root: root if least == 0 else eldest for root, _, _, _, least, eldest in counted}
    rows = _rows(_these(list(shown.values())), []) if shown else []
    faces = {row.id: _member(row, _Seeing(None, None)) for row in rows}
    for root, pictures, generations, breeders, _, _ in counted:
        yield Family(faces[shown[root]], pictures, generations, breeders)


def has_publications() -> bool:
    """Whether anything was published at all."""
    return Publication.objects.public().exists()


class _Seeing:
    """What a person may see of a family: what is public, what is theirs, and the picture whose address they know."""

    def __init__(self, user: Any, centre: int | None) -> None:
        self.sees_all = bool(user and user.is_staff)
        self.user_id = user.pk if user and user.is_authenticated else None
        self.centre = centre

    def __call__(self, row: Row) -> bool:
        if row.visibility == Run.Visibility.PUBLIC and not row.hidden:
            return True
        owns = self.user_id is not None and row.owner == self.user_id
        return owns or self.sees_all or row.id == self.centre


def _line_up(pk: int) -> list[int]:
    """Return an individual and those that it was branched from, the root first."""
    with connection.cursor() as cursor:
        cursor.execute(UP, [pk])
        parents = dict(cursor.fetchall())
    line = [pk]
    while (parent := parents.get(line[-1])) is not None:
        line.append(parent)
        if len(line) > len(parents):
            return [pk]  # a circle, which only damage can make
    return line[::-1]


def _these(ids: Iterable[int]) -> str:
    """Return the part of a query that names members one by one."""
    named = ", ".join(str(int(pk)) for pk in ids)
    return f"WITH member AS (SELECT id, NULL AS parent_id FROM runs_individual WHERE id IN ({named})) "  # noqa: S608


def _rows(which: str, values: list[Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(which + DETAILS, [*values, SHORT_HASH])
        return [Row(*row) for row in cursor.fetchall()]


def _near(pk: int, seen: _Seeing) -> list[Member]:
    """Return the children of an individual with theirs."""
    rows = _rows(NEAR, [pk, pk, MOST_NEAR])
    below: dict[int | None, list[Row]] = defaultdict(list)
    for row in rows:
        below[row.parent].append(row)
    children = [
        replace(_member(row, seen), children=tuple(_member(one, seen) for one in below[row.id] if seen(one)))
        for row in below[pk]
    ]
    return [child for child in children if not child.is_secret or child.children]


def _member(row: Row, seen: _Seeing) -> Member:
    if not seen(row):
        return Member(row.id, row.parent, SECRET)
    known = row.class_index is not None
    title, label = _words(row.classifier, int(row.class_index)) if known else ("", "")
    return Member(
        id=row.id,
        parent=row.parent,
        kind=row.kind,
        run_id=str(uuid.UUID(str(row.run))),
        number=row.number,
        short_hash=row.hash,
        title="" if row.hidden else row.title or "",
        author=row.author or "",
        classifier=title,
        label=label,
        confidence=float(row.confidence) if known else None,
        stars=row.stars or 0.0,
    )


def _parents_first(rows: list[Row], root: int) -> list[Row]:
    """Return a family generation by generation; siblings as they were published."""
    below: dict[int | None, list[Row]] = defaultdict(list)
    for row in rows:
        below[row.parent].append(row)
    ordered = below[None]
    for row in ordered:  # grows as it is walked
        ordered += [child for child in below[row.id] if child.id != root]
    return ordered


def _pruned(ordered: list[Row], visible: set[int]) -> list[Row]:
    """Leave out those who may not be seen and from whom nothing descends that may be."""
    kept = set(visible)
    for row in reversed(ordered):
        if row.id in kept and row.parent is not None:
            kept.add(row.parent)
    return [row for row in ordered if row.id in kept]


def _columns(ordered: list[Row], visible: set[int], centre: int) -> dict[str, Any]:
    """Return members as columns of short values; words that many share are named once."""
    places = {row.id: place for place, row in enumerate(ordered)}
    authors, words = _Shared(), _Shared()
    columns: list[list[Any]] = [[] for _ in COLUMNS]
    for row in ordered:
        parent = NOWHERE if row.id == ordered[0].id else places[row.parent or 0]
        told = (parent, *_told(row, authors, words)) if row.id in visible else (parent, *NOTHING)
        for column, value in zip(columns, told, strict=True):
            column.append(value)
    return {
        "centre": places[centre],
        "authors": list(authors.places),
        "labels": [_words(*word) for word in words.places],
        **dict(zip(COLUMNS, columns, strict=True)),
    }


def _told(row: Row, authors: "_Shared", words: "_Shared") -> tuple[Any, ...]:
    """Return what COLUMNS tell of a visible member, its parent aside."""
    known = row.class_index is not None
    return (
        row.kind,
        row.run if isinstance(row.run, str) else row.run.hex,
        row.number,
        row.hash,
        "" if row.hidden else row.title or "",
        authors.place_of(row.author) if row.author else NOWHERE,
        words.place_of((row.classifier, int(row.class_index))) if known else NOWHERE,
        int(float(row.confidence) * FINE) / FINE if known else 0,  # cut, never rounded up
        round(row.stars or 0, 1),
    )


class _Shared:
    """Values that many members share, each with its place."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def place_of(self, value: Any) -> int:
        """Return the place of a value, the next free one where it is new."""
        return self.places.setdefault(value, len(self.places))


def _words(classifier: str, class_index: int) -> tuple[str, str]:
    """Return what a classifier and one of its classes are called."""
    try:
        entry = find(classifier)
    except UnknownClassifier:
        return classifier, str(class_index)
    return entry.title, entry.labels[class_index] if class_index < entry.n_classes else str(class_index)
