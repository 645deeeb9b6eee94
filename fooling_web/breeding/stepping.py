"""Steps of a session: from a litter and what was picked in it to the next, and the way back and forward.

Every step adds a litter and takes none away. Re-rolling stands beside the litter that it replaces, with the same
parents; restarting begins again beside all that was bred.
"""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evolution.parameters import Parameters
from fooling_web.breeding.litters import add_litter, parameters_of
from fooling_web.breeding.models import BreedingSession, Focus, Litter

Deed = Litter.Deed
Documents = list[dict[str, Any]]
SHOWN_BEFORE, SHOWN_AFTER = 16, 8  # steps around the one that is shown
MOST_THUMBNAILS = 3  # of a step
THUMBNAIL = 64  # pixels a side
COLOURED = 3  # outputs of a network


@dataclass(frozen=True, kw_only=True)
class Step:
    """One litter on the way that led here and leads on, with what was picked in it."""

    number: int
    deed: str
    picked: list[int]
    is_here: bool
    url: str  # of the litter's page, below which all that belongs to it lies
    thumbnails: list[str]
    branches: list[tuple[int, str]] = field(default_factory=list)  # numbers and addresses of other ways on


@dataclass(frozen=True)
class Way:
    """The steps around a litter, and whether there are more at either end."""

    steps: list[Step]
    n_earlier: int
    n_later: int
    back: int | None  # numbers of litters
    forward: int | None
    first_url: str
    last_url: str


def begin(session: BreedingSession, ancestor: dict[str, Any] | None = None) -> Litter:
    """Give a new session its first litter, and children of what it begins with as its second."""
    if ancestor is None:
        return _begin_from_nothing(
            session, before=None, deed=Deed.BEGIN, token=None, in_colour=session.in_colour
        )
    first = add_litter(
        session,
        deed=Deed.BEGIN,
        documents=[ancestor],
        before=None,
        parent=None,
        picked=[],
        parents=[[]],
        in_colour=session.in_colour,
        change=session.change,
        focus=session.focus,
    )
    return _offspring(session, first, [0], before=first, deed=Deed.EVOLVE, token=None)


def evolve(session: BreedingSession, litter: Litter, picked: list[int], token: uuid.UUID) -> Litter:
    """Add a litter whose parents are the picked tiles of this one."""
    token = _once(token, Deed.EVOLVE, litter, picked)
    return _offspring(session, litter, picked, before=litter, deed=Deed.EVOLVE, token=token)


def reroll(session: BreedingSession, litter: Litter, token: uuid.UUID) -> Litter:
    """Add other children of the same parents; of a litter that has none, begin anew."""
    token = _once(token, Deed.REROLL, litter, [])
    parent, picked = litter.parent, litter.picked
    if parent is not None and not picked:  # came by an edit or a switch of colour: all of it is the parent
        picked = list(range(len(parent)))
    if parent is None or litter.number == 0:
        return _from_the_beginning(session, litter, Deed.REROLL, token)
    return _offspring(session, parent, picked, before=litter, deed=Deed.REROLL, token=token)


def restart(session: BreedingSession, litter: Litter, token: uuid.UUID) -> Litter:
    """Add a new litter from what the session began with."""
    return _from_the_beginning(session, litter, Deed.BEGIN, _once(token, Deed.BEGIN, litter, []))


def recolour(session: BreedingSession, litter: Litter, token: uuid.UUID) -> Litter:
    """Add the same pictures with colour where they had none, and without where they had."""
    in_colour = not litter.in_colour
    documents = _coloured(litter.documents, in_colour)
    BreedingSession.objects.filter(pk=session.pk).update(in_colour=in_colour)
    return add_litter(
        session,
        deed=Deed.RECOLOUR,
        documents=documents,
        before=litter,
        parent=litter,
        picked=[],
        parents=[[place] for place in range(len(documents))],
        token=_once(token, Deed.RECOLOUR, litter, []),
        in_colour=in_colour,
        change=session.change,
        focus=session.focus,
    )


def warm_up() -> None:
    """Load the kernels that breed and draw, so that nobody's first step waits for them."""
    from evolution.breeding import begun, litter_of, without_colour
    from evolution.encoding import encoding_for

    rng = np.random.default_rng(0)
    settings = Parameters(channels=COLOURED, height=THUMBNAIL, width=THUMBNAIL)
    parents = begun(2, settings, rng)
    for focus in Focus.values:
        offspring, _ = litter_of(parents, 2, change=0.5, focus=focus, parameters=settings, rng=rng)
    for documents in (offspring, [without_colour(document) for document in offspring]):
        encoding: Any = encoding_for(parameters_of(settings, documents))
        encoding.develop(encoding.from_json(documents))


def way_around(session: BreedingSession, litter: Litter) -> Way:
    """Return the steps that led to a litter and that were taken from it, each with its other ways on."""
    rows = list(session.litters.values_list("pk", "number", "deed", "before_id", "parent_id", "picked"))
    known = {row[0]: Row(*row) for row in rows}
    after: dict[int | None, list[Row]] = {}
    for row in known.values():
        after.setdefault(row.before, []).append(row)
    earlier = list(_ways_back(known, known[litter.pk]))[::-1]
    later = list(_ways_on(after, known[litter.pk]))
    line = [*earlier, known[litter.pk], *later]
    here, home = len(earlier), session.get_absolute_url()
    first, last = max(0, here - SHOWN_BEFORE), min(len(line), here + SHOWN_AFTER + 1)
    following = [*line[1:], None]
    steps = [
        _step(home, line[place], following[place], after, is_here=place == here)
        for place in range(first, last)
    ]
    return Way(
        steps,
        n_earlier=first,
        n_later=len(line) - last,
        back=earlier[-1].number if earlier else None,
        forward=later[0].number if later else None,
        first_url=_url(home, line[0].number),
        last_url=_url(home, line[-1].number),
    )


@dataclass(frozen=True)
class Row:
    """A litter without its genomes."""

    pk: int
    number: int
    deed: str
    before: int | None
    parent: int | None
    picked: list[int]


def _ways_back(known: dict[int, Row], row: Row) -> Iterator[Row]:
    while row.before is not None:
        row = known[row.before]
        yield row


def _ways_on(after: dict[int | None, list[Row]], row: Row) -> Iterator[Row]:
    """Yield what was shown next, the newest where there were several."""
    while following := after.get(row.pk):
        row = following[-1]
        yield row


def _step(
    home: str,
    row: Row,
    following: Row | None,
    after: dict[int | None, list[Row]],
    *,
    is_here: bool,
) -> Step:
    ways_on = after.get(row.pk, [])
    children = [one for one in ways_on if one.parent == row.pk and one.picked]
    if following in children:
        children = [following]
    picked = children[-1].picked if children else []
    url = _url(home, row.number)
    return Step(
        number=row.number,
        deed=Deed(row.deed).label,
        picked=picked,
        is_here=is_here,
        url=url,
        thumbnails=[_thumbnail(url, place) for place in (picked or [0])[:MOST_THUMBNAILS]],
        branches=[(one.number, _url(home, one.number)) for one in ways_on if one != following],
    )


def _url(home: str, number: int) -> str:
    return f"{home}{number}/"


def _thumbnail(url: str, place: int) -> str:
    return f"{url}{place}/picture-{THUMBNAIL}.webp"


def _once(token: uuid.UUID, deed: str, litter: Litter, picked: list[int]) -> uuid.UUID:
    """Return what tells a form that is sent twice from one that was sent again to do something else."""
    return uuid.uuid5(token, f"{deed} {litter.number} {picked}")


def _from_the_beginning(
    session: BreedingSession, litter: Litter, deed: str, token: uuid.UUID | None
) -> Litter:
    """Add a litter like the first that was shown, coloured like the one that is left."""
    if not session.begun_with:
        return _begin_from_nothing(session, before=litter, deed=deed, token=token, in_colour=litter.in_colour)
    first = session.litters.get(number=0)
    return _offspring(session, first, [0], before=litter, deed=deed, token=token, in_colour=litter.in_colour)


def _begin_from_nothing(
    session: BreedingSession, *, before: Litter | None, deed: str, token: uuid.UUID | None, in_colour: bool
) -> Litter:
    from evolution.breeding import begun  # brings in the compiler of its kernels: only where it is used

    seed, rng = _drawn()
    documents = begun(session.litter_size, session.settings, rng)
    return add_litter(
        session,
        deed=deed,
        documents=_coloured(documents, in_colour),
        before=before,
        parent=None,
        picked=[],
        parents=[[] for _ in documents],
        token=token,
        seed=seed,
        in_colour=in_colour,
        change=session.change,
        focus=session.focus,
    )


def _offspring(
    session: BreedingSession,
    parent: Litter,
    picked: list[int],
    *,
    before: Litter,
    deed: str,
    token: uuid.UUID | None,
    in_colour: bool | None = None,
) -> Litter:
    """Add children of some tiles of a litter, as the session's settings say; coloured like them unless told."""
    from evolution.breeding import litter_of

    seed, rng = _drawn()
    documents = parent.documents
    if in_colour is None or in_colour == parent.in_colour:
        in_colour, chosen = parent.in_colour, [documents[place] for place in picked]
    else:
        chosen = _coloured([documents[place] for place in picked], in_colour)
    offspring, parents = litter_of(
        chosen,
        session.litter_size,
        change=session.change,
        focus=session.focus,
        parameters=parameters_of(session.settings, chosen),
        rng=rng,
    )
    return add_litter(
        session,
        deed=deed,
        documents=offspring,
        before=before,
        parent=parent,
        picked=picked,
        parents=[[picked[row] for row in rows] for rows in parents],
        token=token,
        seed=seed,
        in_colour=in_colour,
        change=session.change,
        focus=session.focus,
    )


def _coloured(documents: Documents, in_colour: bool) -> Documents:
    """Return genomes that are read with their colour or without; of grey ones there is nothing to switch."""
    from evolution.breeding import with_colour, without_colour

    change = with_colour if in_colour else without_colour
    return [change(document) if document["outputs"] == COLOURED else document for document in documents]


def _drawn() -> tuple[int, np.random.Generator]:
    """Return a seed that nobody chose, and randomness that it determines."""
    seed = secrets.randbits(62)
    return seed, np.random.default_rng(seed)
