"""The diagram of who took classes from whom: a square for each pair of groups, the darker the more takeovers.

Takeovers within a group would outshine all others: their squares are grey and faint, and leave the scale alone.

Givers stand in lines, takers in columns. It is laid out here and drawn by a template as SVG; the squares, of which
there may be a thousand, are written here, since a template would take a quarter of a second for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt
from django.utils.safestring import SafeString

from fooling_web.runs.takeovers import Group, Numbers

FAINTEST = 0.12  # of a square with one takeover, where the fullest has 1
WITHIN = 0.25  # of any square within a group
HALF_DARK = 0.5  # from here on a number on it must be light
FEW = 12  # groups, whose squares are large enough for a number
LARGE, SMALL = 44, 22  # units a side
LETTER = 6.6  # units that a letter of a name takes
GAP = 8  # between names and squares
SLANT = 0.88  # how much of a column's name goes upwards
LEAN = 0.5  # how much of it goes to the right
SQUARE = (
    '<a href="?{0}&amp;to={1}#taken" tabindex="-1" data-at="{2} {3}" data-count="{4}"{9}>'
    '<rect x="{5}" width="{6}" height="{6}" fill-opacity="{7:.2f}"></rect>{8}</a>'
)


@dataclass(frozen=True)
class Line:
    """What one group gave, by who took it, and what it came to in all."""

    group: Group
    place: int
    at: int  # of its line, from above, and of its column, from the left
    squares: SafeString
    own: int  # within the group
    gave: int
    took: int
    best_giver: Group | None
    best_taker: Group | None


@dataclass(frozen=True)
class Diagram:
    """All lines, and where they are drawn."""

    lines: list[Line]
    side: int
    left: int
    top: int
    width: int
    height: int

    @property
    def middle(self) -> float:
        """Half a square."""
        return self.side / 2

    @property
    def has_numbers(self) -> bool:
        """Whether squares are large enough for a number."""
        return self.side == LARGE


def diagram_of(matrix: Numbers, groups: Sequence[Group], *, query: str = "") -> Diagram:
    """Lay out how many takeovers went from each group to each, (groups, groups); query begins a square's address."""
    side = LARGE if len(groups) <= FEW else SMALL
    longest = max((len(group.title) for group in groups), default=0) * LETTER
    squares, left, top = side * len(groups), round(longest) + GAP, round(longest * SLANT) + 2 * GAP
    lines = _lines(matrix, groups, side, query)
    return Diagram(lines, side, left, top, left + squares + round(longest * LEAN), top + squares + 1)


def _lines(matrix: Numbers, groups: Sequence[Group], side: int, query: str) -> list[Line]:
    others = matrix.copy()
    np.fill_diagonal(others, 0)
    shades = _shades(others)
    np.fill_diagonal(shades, WITHIN)
    return [
        Line(
            group=group,
            place=place,
            at=place * side,
            squares=_squares(matrix, shades, groups, place, side, query),
            own=int(matrix[place, place]),
            gave=int(others[place].sum()),
            took=int(others[:, place].sum()),
            best_giver=_most(others[:, place], groups),
            best_taker=_most(others[place], groups),
        )
        for place, group in enumerate(groups)
    ]


def _squares(
    matrix: Numbers,
    shades: npt.NDArray[np.float64],
    groups: Sequence[Group],
    place: int,
    side: int,
    query: str,
) -> SafeString:
    """Write a line's squares, each a link to what it counts; pairs that never were are left out."""
    own = groups[place]
    before = escape(f"{query}from={own.name}")
    squares = []
    for at, (count, shade) in enumerate(zip(matrix[place].tolist(), shades[place].tolist(), strict=True)):
        if count:
            taker, x = groups[at], at * side
            inner = _number(count, x, shade) if side == LARGE else _title(own, taker, count)
            kind = ' class="within"' if at == place else ""
            name = escape(taker.name)
            squares.append(SQUARE.format(before, name, place, at, count, x, side, shade, inner, kind))
    return SafeString("".join(squares))  # its words are escaped, the rest are numbers


def _number(count: int, x: int, shade: float) -> str:
    """Write a count on its square."""
    on_dark = ' class="on-dark"' if shade > HALF_DARK else ""
    return f'<text x="{x + LARGE // 2}" y="{LARGE // 2}"{on_dark}>{count}</text>'


def _title(giver: Group, taker: Group, count: int) -> str:
    """Write what a browser tells of a small square without a script."""
    return f"<title>{escape(giver.title)} \N{RIGHTWARDS ARROW} {escape(taker.title)}: {count}</title>"


def _shades(matrix: Numbers) -> npt.NDArray[np.float64]:
    """Return how dark squares are: with the root of their counts, or the few full ones would outshine the rest."""
    relative: npt.NDArray[np.float64] = np.sqrt(matrix / max(1, matrix.max(initial=0)))
    return FAINTEST + (1 - FAINTEST) * relative


def _most(counts: Numbers, groups: Sequence[Group]) -> Group | None:
    return groups[int(counts.argmax())] if counts.any() else None
