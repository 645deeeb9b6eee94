"""How pages write things: confidences that never claim more than was measured, times as people say them."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from django import template
from django.urls import reverse
from django.utils import timezone

from fooling_web.runs.models import Individual, Run
from fooling_web.runs.percentages import confidence, finely, percent, share
from fooling_web.runs.sweeps import Summary, summarise
from fooling_web.runs.watching import SHORT_HASH

register = template.Library()
for written in (percent, confidence, finely, share):
    register.filter(written)

LARGEST_PIXELATED = 64  # pixels a side: smaller pictures are shown pixel by pixel, larger ones smoothly
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


@register.inclusion_tag("runs/_picture.html")
def picture(run: Run, held: Any, label: str, size: int = 0, loading: str = "", decoding: str = "") -> Any:
    """Show the individual of a champion or takeover, at most `size` pixels a side (64, 128, 256) or in full.

    A takeover whose `genome_bytes` were counted as 0 has lost its picture, and a quiet place is shown.
    """
    native = run.parameters["width"]
    is_small = 0 < size < native
    individual = held.individual
    return {
        "run": run,
        "held": held,
        "label": label,
        "is_kept": getattr(held, "genome_bytes", 1) != 0,
        "address": _small_address(run, individual, size) if is_small else _address(run, individual),
        "side": size if is_small else native,
        "is_fine": native > LARGEST_PIXELATED,
        "loading": loading,
        "decoding": decoding,
    }


def _address(run: Run, individual: Individual) -> str:
    return reverse("runs:image", args=[run.pk, individual.number, individual.genome_hash])


def _small_address(run: Run, individual: Individual, size: int) -> str:
    short_hash = individual.genome_hash[:SHORT_HASH]
    return reverse("runs:small_image", args=[run.pk, individual.number, short_hash, size])


@register.filter
def summarised(runs: list[Run]) -> Summary:
    """Return what the runs of a sweep come to together."""
    return summarise(runs)


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
