"""Plain pictures that came in as a run: which class each was told to show, and how a page lists them.

Those of one class took it from each other in the order of their confidence; of two that are equally sure one took
nothing, but then its class is the one it is surest of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator

from fooling_web.runs.models import Individual, Run

PER_PAGE = 96


@dataclass(frozen=True)
class Shown:
    """A picture with the class that it was told to show."""

    individual: Individual
    class_index: int
    label: str
    confidence: float
    is_champion: bool

    @property
    def title(self) -> str:
        """What it was called, where that is known."""
        exhibit = getattr(self.individual, "exhibit", None)
        return exhibit.title if exhibit and not exhibit.hidden else ""


def classes_told(run: Run, individuals: Iterable[Individual]) -> dict[int, tuple[int, float]]:
    """Return the class and the confidence of pictures of a run, by their keys."""
    told = {one.pk: (int(one.top[0][0]), float(one.top[0][1])) for one in individuals if one.top}
    took = run.takeovers.filter(individual__in=list(told))
    return told | {
        pk: (index, sure) for pk, index, sure in took.values_list("individual", "class_index", "confidence")
    }


def page_of_pictures(run: Run, number: str | None) -> tuple[Page[Individual], list[Shown]]:
    """Return a page of the pictures in the order in which they were listed."""
    rows = run.individuals.select_related("exhibit").defer("genome").order_by("number")
    page = Paginator(rows, PER_PAGE).get_page(number)
    return page, _shown(run, list(page))


def _shown(run: Run, individuals: Sequence[Individual]) -> list[Shown]:
    told = classes_told(run, individuals)
    champions = set(run.champions.values_list("individual", flat=True))
    return [
        Shown(one, index, run.label_of(index), sure, one.pk in champions)
        for one in individuals
        for index, sure in [told[one.pk]]
    ]
