"""The geometry of what the results draw on the server: the plane of images, and shades of a heat map.

Everything is a fraction of a frame that is stretched to the page's width; dots are lines of no length, so that they
stay round, and a thousand of them are one path. Ticks stand beside the frame as ordinary text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SIDE = 1000  # units of the frame, either way
MOST_NINES = 6  # of the scale by nines, as a run's chart has it
SHADES = 9  # of a heat map, beside none
FIRST_NINE = 0.9
EVEN_TICKS = [
    "0\N{NO-BREAK SPACE}%",
    "25\N{NO-BREAK SPACE}%",
    "50\N{NO-BREAK SPACE}%",
    "75\N{NO-BREAK SPACE}%",
    "100\N{NO-BREAK SPACE}%",
]
NINE_TICKS = [
    f"{text}\N{NO-BREAK SPACE}%" for text in ("0", "90", "99", "99.9", "99.99", "99.999", "99.9999")
]


@dataclass(frozen=True)
class Scale:
    """How confidences are drawn: evenly, or a step for every further nine."""

    name: str
    ticks: list[str]

    def of(self, confidence: float) -> float:
        """Return where a confidence lies, from 0 to 1."""
        if self.name == "even":
            return confidence
        return min(MOST_NINES, -math.log10(max(1 - confidence, 1e-9))) / MOST_NINES


SCALES = {"even": Scale("even", EVEN_TICKS), "nines": Scale("nines", NINE_TICKS)}


def scale_for(confidences: Sequence[float], wanted: str = "") -> Scale:
    """Return the scale asked for, or else the one in which these confidences can be told apart."""
    if wanted in SCALES:
        return SCALES[wanted]
    middle = sorted(confidences)[len(confidences) // 2] if confidences else 0.0
    return SCALES["nines" if middle >= FIRST_NINE else "even"]


def path_of(places: Iterable[tuple[float, float]]) -> str:
    """Return the path of dots at these places, each a pair of fractions from the lower left."""
    return "".join(f"M{x * SIDE:.0f} {(1 - y) * SIDE:.0f}h0" for x, y in places)


def shade_of(share: float) -> int:
    """Return the shade of a share in a heat map: 0 for none, and up to SHADES."""
    return min(SHADES, math.ceil(share * SHADES)) if share > 0 else 0
