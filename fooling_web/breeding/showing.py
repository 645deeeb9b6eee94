"""A litter as its page shows it: the tiles with their keys, the tools, and the way that led here."""

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fooling_web.breeding.looking import Looking
from fooling_web.breeding.models import LITTER_SIZES, BreedingSession, Focus, Litter
from fooling_web.breeding.pictures import COLUMNS, FINE_SIDE, SIDE, digest_of, is_pixelated
from fooling_web.breeding.stepping import COLOURED, Way, way_around

KEYS = (
    "1234567890qwertyiopasdfghjklzc"  # of the tiles in their order; the letters that are left do other things
)
LARGE = 512  # pixels a side of a tile that is looked at alone


@dataclass(frozen=True)
class Tile:
    """One picture of a litter, and where it lies in the sheet."""

    place: int
    address: str  # below which all that belongs to it lies
    is_picked: bool = False
    was_picked: bool = False  # when the session went on from here

    @property
    def number(self) -> int:
        """What people call it: they count from one."""
        return self.place + 1

    @property
    def key(self) -> str:
        """The key that picks it."""
        return KEYS[self.place]

    @property
    def column(self) -> int:
        """Its column in the sheet."""
        return self.place % COLUMNS

    @property
    def row(self) -> int:
        """Its row in the sheet."""
        return self.place // COLUMNS


@dataclass(frozen=True)
class Shown:
    """A litter, and all that its page says of it."""

    session: BreedingSession
    litter: Litter
    picked: frozenset[int] = frozenset()

    @cached_property
    def way(self) -> Way:
        """The steps around it."""
        return way_around(self.session, self.litter)

    @cached_property
    def tiles(self) -> list[Tile]:
        """Its pictures."""
        gone_on_with = next((step.picked for step in self.way.steps if step.is_here), [])
        return [
            Tile(place, f"{self.address}{place}/", place in self.picked, place in gone_on_with)
            for place in range(len(self.litter))
        ]

    @cached_property
    def address(self) -> str:
        """The address of its page, below which all that belongs to it lies: looking each up would take its time."""
        return self.litter.get_absolute_url()

    @cached_property
    def sheet_url(self) -> str:
        """Where all pictures lie in one."""
        return f"{self.address}sheet-{digest_of(self.litter)}.webp"

    @property
    def fine_url(self) -> str:
        """Where the same lie with more pixels; nowhere, if there are no more."""
        return "" if self.is_pixelated else f"{self.sheet_url}?fine=1"

    @cached_property
    def is_pixelated(self) -> bool:
        """Whether each pixel is seen."""
        return is_pixelated(self.litter)

    @property
    def sides(self) -> tuple[int, int]:
        """Pixels a side of a tile in the sheet, and in the finer one."""
        return SIDE, FINE_SIDE

    @property
    def large(self) -> int:
        """Pixels a side of a tile alone."""
        return LARGE

    @property
    def has_colour(self) -> bool:
        """Whether its genomes have colours to be switched."""
        return int(self.session.parameters["channels"]) == COLOURED

    @property
    def n_parents(self) -> int:
        """How many pictures it descends from."""
        litter = self.litter
        return len(litter.picked) or (len(litter.parent) if litter.parent else 0)

    @property
    def stands(self) -> int:
        """The number of the litter where the session stands."""
        return self.session.place.number if self.session.place else self.litter.number

    @property
    def token(self) -> uuid.UUID:
        """What lets a form that is sent twice make one litter."""
        return uuid.uuid4()

    @property
    def focuses(self) -> list[tuple[str, str]]:
        """What may change."""
        return [(str(value), str(label)) for value, label in Focus.choices]

    @property
    def sizes(self) -> range:
        """How many pictures a litter may have."""
        return LITTER_SIZES


def context_of(shown: Shown) -> dict[str, Any]:
    """Return what the templates of a litter are rendered with."""
    looking = Looking(shown.session, shown.litter)
    return {
        "shown": shown,
        "session": shown.session,
        "litter": shown.litter,
        "way": shown.way,
        "looking": looking,
    }


def sentence_of(error: Exception) -> str:
    """Return what an error says as a sentence for people."""
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"
