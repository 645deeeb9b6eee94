"""Images that tests say something of, stored without evolving them, and the addresses at which it is said."""

from typing import Any

from django.urls import reverse

from fooling_web.galleries.models import Exhibit
from fooling_web.runs.models import Individual, Run

HUGE = 10**30  # larger than any number in a database


def image(run: Run, number: int = 0, label: int = 3) -> Individual:
    """Store an image that the classifier takes for a class."""
    return Individual.objects.create(
        run=run,
        number=number,
        generation=0,
        genome=b"{}",
        genome_hash=f"{number:064d}",
        top=[[label, 0.99]],
    )


def address(name: str, individual: Individual, *further: Any) -> str:
    """Return the address at which something is said of an image."""
    return reverse(f"galleries:{name}", args=[individual.run_id, individual.number, *further])


def exhibit(individual: Individual) -> Exhibit:
    """Return what is kept of an image now."""
    return Exhibit.objects.get(individual=individual)


def closed(run: Run, visibility: str = "private") -> Run:
    """Close a run to others."""
    Run.objects.filter(pk=run.pk).update(visibility=visibility)
    return run
