"""How pages write numbers: confidences that never claim more than was measured, and times as people say them."""

import math
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from django import template

from fooling_web.runs.models import Individual, Run

register = template.Library()

CERTAIN = 0.9999  # from here on the paper calls a classifier fooled
MINUTE, HOUR, DAY = 60, 3600, 86400


class Confident(Protocol):
    """Anything that carries a confidence: a champion, a takeover."""

    confidence: float


class Titled(NamedTuple):
    """A choice's title and what is added to it."""

    title: str
    note: str


@register.filter
def percent(confidence: float | None) -> str:
    """Write a confidence as a percentage, cut and never rounded up: 0.99996 is "99.99 %"."""
    if confidence is None:
        return "–"
    hundredths = math.floor(
        round(confidence * 10_000, 6)
    )  # 0.29 * 10_000 falls short of 2900 without the round
    return f"{min(hundredths, 9_999) / 100:.2f} %"


@register.filter
def confidence(value: float | None) -> str:
    """Write a confidence as a caption does: as `percent`, and "> 99.99 %" above that."""
    return f"> {percent(value)}" if value is not None and value > CERTAIN else percent(value)


@register.filter
def least(champions: Iterable[Confident]) -> float:
    """Return the lowest confidence among champions; 0 where there are none."""
    return min((champion.confidence for champion in champions), default=0.0)


@register.filter
def is_fooled(value: float) -> bool:
    """Whether a confidence is above 99.99 %."""
    return value > CERTAIN


class Answer(NamedTuple):
    """What a classifier says of an image for one class."""

    class_index: int
    label: str
    confidence: float


@register.filter
def answers(individual: Individual, run: Run) -> list[Answer]:
    """Return the highest confidences that the run's classifier had in an individual."""
    return [Answer(index, run.label_of(index), confidence) for index, confidence in individual.top]


@register.filter
def titled(choice: str) -> Titled:
    """Part a choice like "Private: only you" into title and note."""
    title, _, note = str(choice).partition(": ")
    return Titled(title, note)


@register.filter
def duration(seconds: float | None) -> str:
    """Write a time as people say it: "about 9 s", "3 min", "2 h 10 min", "4 days"."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return "less than 1 s"
    if round(seconds) < MINUTE:
        return f"about {round(seconds)} s"
    return _long_duration(seconds)


def _long_duration(seconds: float) -> str:
    minutes = round(seconds / MINUTE)
    if minutes < HOUR / MINUTE:
        return f"{minutes} min"
    if seconds < DAY:
        return f"{minutes // 60} h {minutes % 60} min"
    days = round(seconds / DAY)
    return "1 day" if days == 1 else f"{days} days"
