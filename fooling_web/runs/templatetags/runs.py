"""How pages write things: confidences that never claim more than was measured, times as people say them."""

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from django import template
from django.utils import timezone

from fooling_web.runs.models import Individual, Run
from fooling_web.runs.percentages import confidence, finely, percent

register = template.Library()
for written in (percent, confidence, finely):
    register.filter(written)

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
def sentence_case(title: str) -> str:
    """Write a title as the site writes its own: "Change Password" is "Change password"."""
    return re.sub(r"(?<=\S\s)[A-Z](?=[a-z])", lambda initial: initial.group().lower(), title.strip())


@register.filter
def is_letting_go(run: Run) -> bool:
    """Whether a worker still has the run in hand and may keep what it found meanwhile."""
    return bool(run.lease_holder and run.lease_until and run.lease_until > timezone.now())


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
