"""Bred pictures as tests of the way to archives need them: published without a session, of LeNet's kind."""

from typing import Any

import numpy as np

from evolution.encoding import encoding_for
from evolution.parameters import Parameters
from fooling_web.breeding.models import BreedingSession, Litter, Offer, Publication
from fooling_web.runs.models import Individual, Run
from tests.factories import executed, launched

GREY, COLOURED = Parameters(), Parameters(channels=3, height=256, width=256)


def documents_of(parameters: Parameters = GREY, count: int = 1, seed: int = 3) -> list[dict[str, Any]]:
    """Return random networks."""
    encoding: Any = encoding_for(parameters)
    population = encoding.random(count, np.random.default_rng(seed))
    return [encoding.to_json(population, row) for row in range(count)]


def champion_document(run: Run, class_index: int = 3) -> dict[str, Any]:
    """Return the network that holds a class."""
    encoding: Any = encoding_for(run.settings)
    genome = bytes(run.champions.get(class_index=class_index).individual.genome)
    document: dict[str, Any] = encoding.to_json(encoding.from_bytes([genome]), 0)
    return document


def published(
    author: Any,
    document: dict[str, Any] | None = None,
    parameters: Parameters = GREY,
    visibility: str = Run.Visibility.PUBLIC,
) -> Publication:
    """Store a published picture of a person's."""
    encoding: Any = encoding_for(parameters)
    population = encoding.from_json([document or documents_of(parameters)[0]])
    genome, genome_hash = encoding.written(population, 0)
    home = Run.objects.create(
        name="Bred by hand",
        kind=Run.Kind.BREEDING,
        owner=author,
        visibility=visibility,
        classifier="mnist-lenet" if parameters.channels == 1 else "efficientnet-lite0",
        encoding="cppn",
        parameters=parameters.to_json(),
        seed=0,
        status=Run.Status.FINISHED,
        generation=0,
        generations=1,
    )
    individual = Individual.objects.create(
        run=home, number=0, generation=0, genome=genome, genome_hash=genome_hash
    )
    return Publication.objects.create(individual=individual, author=author)


def practised(seed: int = 9) -> Run:
    """Return a run that searched for so long that its champions beat those of a short one."""
    return executed(launched(generations=40, seed=seed))


def opened(run: Run, is_open: bool = True) -> Run:
    """Open a run's archive to bred pictures."""
    Run.objects.filter(pk=run.pk).update(accepts_bred=is_open)
    run.refresh_from_db()
    return run


def hidden_away(run: Run, visibility: str = "private") -> Run:
    Run.objects.filter(pk=run.pk).update(visibility=visibility)
    run.refresh_from_db()
    return run


def waiting(publication: Publication, run: Run, by: Any) -> Offer:
    """Store an offer that waits, whatever forbids it."""
    return Offer.objects.create(publication=publication, run=run, by=by)


def session_of(person: Any, documents: list[dict[str, Any]], parameters: Parameters = GREY) -> Litter:
    """Store a session of a person's with one litter."""
    from fooling_web.breeding.litters import add_litter

    session = BreedingSession.objects.create(owner=person, parameters=parameters.to_json())
    return add_litter(
        session,
        deed=Litter.Deed.BEGIN,
        documents=documents,
        before=None,
        parent=None,
        picked=[],
        parents=[[] for _ in documents],
    )
