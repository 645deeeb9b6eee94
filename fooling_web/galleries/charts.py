"""What examinations found, as pages draw it: curves with their numbers, maps with their colours."""

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

from fooling_web.runs.models import Run
from fooling_web.runs.percentages import percent
from models_zoo.perturbing import NOT_COMPRESSED, Series, series_for

NO_BREAK, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
PEAK = 0.01  # the least change of confidence that gets the full colour
# Of a map, as red, green and blue: confidence rises, stays, falls. Told apart by the colour-blind too.
RISES, STAYS, FALLS = (38, 84, 178), (246, 245, 240), (173, 63, 6)
WORTH_TELLING = 0.0005  # the least drop that is not written as none
LEGEND_STEPS = 41
PLACES = ("Top left", "Top right", "Bottom left", "Bottom right", "Centre")


class Frame(NamedTuple):
    """A chart in its own units, and where in it lines are drawn."""

    width: int = 320
    height: int = 176
    left: int = 42
    right: int = 306
    top: int = 12
    bottom: int = 146


FRAME = Frame()


@dataclass(frozen=True, kw_only=True)
class Point:
    """An answer along a series."""

    x: float
    y: float
    amount: str
    confidence: float
    label: str
    stays: bool  # the class is still the likeliest
    is_neutral: bool


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A series of answers: a line over a common scale of confidence."""

    title: str
    unit: str
    points: list[Point]
    ticks: list[tuple[float, str]]

    @property
    def line(self) -> str:
        """The line, as SVG takes it."""
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)

    @property
    def neutral(self) -> Point:
        """The picture as it is."""
        return next(point for point in self.points if point.is_neutral)

    @property
    def staying(self) -> int:
        """At how many amounts the class stays the likeliest."""
        return sum(point.stays for point in self.points)

    @property
    def lowest(self) -> Point:
        """Where the confidence is lowest."""
        return min(self.points, key=lambda point: point.confidence)


@dataclass(frozen=True)
class Cell:
    """A part of a picture with a colour of its own."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    drop: float


def charts_of(run: Run, class_index: int, result: dict[str, Any]) -> list[Chart]:
    """Return a chart for each series of a robustness examination."""
    known = {series.name: series for series in series_for(result["side"])}
    return [
        _chart(run, class_index, known[found["name"]], found["amounts"], found["rows"], result["whole"])
        for found in result["series"]
        if found["name"] in known
    ]


def scale() -> list[tuple[float, str]]:
    """Return where lines stand for confidences, and what they are called."""
    return [(_height(share), f"{share:.0%}".replace("%", f"{NO_BREAK}%")) for share in (0.0, 0.5, 1.0)]


def crops_of(run: Run, class_index: int, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each place that a crop is taken from, and what is said of it as it is and mirrored."""
    return [
        {
            "title": title,
            "left": crop["left"],
            "top": crop["top"],
            "views": [
                {"title": name, **answer_of(run, class_index, crop[key])}
                for name, key in (("As it is", "as_is"), ("Mirrored", "mirrored"))
            ],
        }
        for title, crop in zip(PLACES, result["crops"], strict=False)
    ]


def answer_of(run: Run, class_index: int, row: list[Any]) -> dict[str, Any]:
    """Return the confidence in the class, and what the classifier takes the picture for."""
    confidence, top, top_confidence = row
    return {
        "confidence": confidence,
        "label": run.label_of(top),
        "top_confidence": top_confidence,
        "stays": top == class_index,
    }


def cells_of(result: dict[str, Any]) -> list[Cell]:
    """Return a map's cells: each stands around the middle of a patch, the outer ones reach to the edge."""
    edges = _edges(result)
    columns = list(itertools.pairwise(edges))
    peak = peak_of(result)
    return [
        Cell(left, top, right - left, bottom - top, colour_of(drop / peak), drop)
        for (top, bottom), row in zip(columns, result["drops"], strict=True)
        for (left, right), drop in zip(columns, row, strict=True)
    ]


def peak_of(result: dict[str, Any]) -> float:
    """Return the change of confidence that gets the full colour."""
    drops: list[list[float]] = result["drops"]
    return max(PEAK, *(abs(drop) for row in drops for drop in row))


def legend_of(result: dict[str, Any]) -> dict[str, Any]:
    """Return the colours of a map from its least drop to its greatest, and what they stand for."""
    every = [drop for row in result["drops"] for drop in row]
    low, high, peak = min(0.0, *every), max(0.0, *every), peak_of(result)
    span = (high - low) or PEAK
    drops = [low + span * step / (LEGEND_STEPS - 1) for step in range(LEGEND_STEPS)]
    return {
        "colours": [
            (round(100 * step / LEGEND_STEPS, 3), colour_of(drop / peak)) for step, drop in enumerate(drops)
        ],
        "step": round(100 / LEGEND_STEPS + 0.2, 3),  # overlapping: no gaps between them
        "low": change_of(low) if low <= -max(WORTH_TELLING, span / 20) else "",
        "high": change_of(high),
    }


def strongest_of(result: dict[str, Any], count: int = 3) -> list[dict[str, Any]]:
    """Return the places whose hiding costs the most confidence, as pixels of the picture."""
    return [
        {"change": change_of(drop), "top": top, "left": left}
        for drop, top, left in sorted(_places(result), reverse=True)[:count]
        if drop >= WORTH_TELLING
    ]


def largest_of(result: dict[str, Any]) -> dict[str, Any] | None:
    """Return the place whose hiding changes the confidence most, down or up; None where none is worth telling."""
    drop, top, left = max(_places(result), key=lambda place: abs(place[0]))
    return {"change": change_of(drop), "top": top, "left": left} if abs(drop) >= WORTH_TELLING else None


def table_of(result: dict[str, Any]) -> list[tuple[int, list[str]]]:
    """Return a map's numbers, in points, row by row with where the patch begins."""
    return [
        (result["margin"] + start, [f"{100 * drop:.1f}".replace("-", MINUS) for drop in row])
        for start, row in zip(result["starts"], result["drops"], strict=True)
    ]


def colour_of(share: float) -> str:
    """Return the colour of a drop, from -1 (confidence rises most) over 0 to 1 (it falls most)."""
    end, weight = (FALLS if share > 0 else RISES), min(1.0, abs(share))
    levels = (round(calm + (far - calm) * weight) for calm, far in zip(STAYS, end, strict=True))
    return "#" + "".join(f"{level:02x}" for level in levels)


def change_of(drop: float) -> str:
    """Write a drop as a change of confidence, in points: a drop of 0.5 is "−50.0 points"."""
    points = -100 * drop
    sign = MINUS if points < 0 else "+"
    return f"{sign if abs(points) >= 0.05 else ''}{abs(points):.1f}{NO_BREAK}points"


def _chart(
    run: Run, class_index: int, series: Series, amounts: list[float], rows: list[list[Any]], whole: list[Any]
) -> Chart:
    """Draw a series; the picture as it is has one answer in all of them."""
    rows = [whole if amount == series.neutral else row for amount, row in zip(amounts, rows, strict=True)]
    points = [
        Point(
            x=_place(series, amount, amounts),
            y=_height(row[0]),
            amount=_amount(series, amount),
            confidence=row[0],
            label=run.label_of(row[1]),
            stays=row[1] == class_index,
            is_neutral=amount == series.neutral,
        )
        for amount, row in zip(amounts, rows, strict=True)
    ]
    marked = {
        0,
        len(points) // 2,
        len(points) - 1,
        *(i for i, point in enumerate(points) if point.is_neutral),
    }
    ticks = [(points[place].x, points[place].amount) for place in sorted(marked)]
    return Chart(title=series.title, unit=series.unit, points=points, ticks=ticks)


def _place(series: Series, amount: float, amounts: list[float]) -> float:
    """Return where an amount stands: those that change less, or leftwards, on the left."""
    first, last = amounts[0], amounts[-1]
    return round(FRAME.left + (amount - first) / (last - first) * (FRAME.right - FRAME.left), 2)


def _height(confidence: float) -> float:
    return round(FRAME.bottom - confidence * (FRAME.bottom - FRAME.top), 2)


def _amount(series: Series, amount: float) -> str:
    if series.name == "jpeg" and amount == NOT_COMPRESSED:
        return "none"
    return f"{amount:g}".replace("-", MINUS)


def _places(result: dict[str, Any]) -> list[tuple[float, int, int]]:
    """Return every drop with the row and the column of the picture at which the patch begins."""
    return [
        (drop, result["margin"] + top, result["margin"] + left)
        for top, row in zip(result["starts"], result["drops"], strict=True)
        for left, drop in zip(result["starts"], row, strict=True)
    ]


def _edges(result: dict[str, Any]) -> list[float]:
    """Return where cells begin and end along a side of the picture: half-way between the middles of patches."""
    margin, half = result["margin"], result["patch"] / 2
    middles = [margin + start + half for start in result["starts"]]
    between = [(one + other) / 2 for one, other in itertools.pairwise(middles)]
    return [margin, *between, margin + result["size"]]


def colour_words(levels: list[int]) -> str:
    """Write a colour as people read it: "48.6 %, 45.9 %, 40.8 % of red, green and blue"."""
    shares = ", ".join(percent(level / 255, 1) for level in levels)
    return f"{shares} of red, green and blue" if len(levels) == 3 else f"{shares} of white"
