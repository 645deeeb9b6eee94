"""Publishing a bred picture: it and its ancestors in the session become a run, and galleries treat it as any image.

The picture comes last in its run, after those from which it descends, the eldest first. It becomes the champion of
the class that its classifier is surest of as soon as the classifier has looked at it; until then its page says so.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Sum
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from evolution.encoding import encoding_for
from evolution.errors import GenomeError
from evolution.fitting import GREY, fitted
from evolution.parameters import Parameters
from evolution.statistics import summarise
from fooling_web.breeding.family import published_in_place_of
from fooling_web.breeding.litters import parameters_of
from fooling_web.breeding.models import Attempt, BreedingSession, Goal, Litter, Opinion, Publication
from fooling_web.galleries import keeping
from fooling_web.galleries.models import Exhibit
from fooling_web.runs.models import Champion, GenerationStat, Individual, Run, Takeover
from models_zoo.errors import UnknownClassifier, ZooError
from models_zoo.registry import ClassifierEntry, find

MOST_ANCESTORS = 500  # of a picture that are kept with it; of a longer way the eldest are left out
USUAL = {1: "mnist-lenet", 3: "efficientnet-lite0"}  # classifiers, by the values of a pixel
Top = list[list[float]]  # [class_index, confidence], the surest first


class AlreadyPublished(Exception):
    """A tile was published before."""

    def __init__(self, publication: Publication) -> None:
        super().__init__(f"This picture was published before, as “{publication.title or 'untitled'}”.")
        self.publication = publication


@dataclass(frozen=True)
class Said:
    """What a breeder says of a picture."""

    title: str
    description: str = ""
    visibility: str = Run.Visibility.PUBLIC
    tags: list[str] = field(default_factory=list)
    seen: bool | None = None  # whether they see the target in it


@dataclass(frozen=True)
class Forebear:
    """A tile of the session from which the picture descends, or the picture itself."""

    litter: int  # its key
    place: int
    parents: list[int]  # places in the line, always earlier ones
    generation: int


def publish(session: BreedingSession, litter: Litter, place: int, said: Said) -> Publication:
    """Store a picture with its ancestors, in one transaction; raises AlreadyPublished.

    The session has an owner, who is the author. Whoever calls asks for the verdict.
    """
    with transaction.atomic():
        locked = BreedingSession.objects.select_for_update().get(pk=session.pk)
        if before := published(locked, litter, place):
            raise AlreadyPublished(before)
        line = line_of(litter, place)
        litters = Litter.objects.in_bulk({one.litter for one in line})
        run = _run(locked, litter.documents[place], said)
        individuals = _individuals(run, line, litters)
        Individual.objects.bulk_create(individuals)
        publication = _publication(locked, litter, place, individuals[-1], line, said)
        if known := _opinions(run, {litter.pk: litter}).get(litter.pk):
            crown(run, known.tops[place], known.weights_sha256)
    return publication


def published(session: BreedingSession, litter: Litter, place: int) -> Publication | None:
    """Return the publication of a tile, if it was published and still is."""
    found = session.publications.filter(litter=litter, place=place)
    return found.select_related("individual__run", "individual__exhibit").first()


def line_of(litter: Litter, place: int) -> list[Forebear]:
    """Return a tile and all from which it descends in its session, as many as are kept, the eldest first."""
    rows = litter.session.litters.values_list("pk", "parent_id", "parents")
    known = {pk: (parent, parents) for pk, parent, parents in rows}
    found: list[tuple[int, int]] = [(litter.pk, place)]
    current, places = litter.pk, [place]
    while len(found) <= MOST_ANCESTORS:
        above, parents = known[current]
        places = sorted({parent for one in places for parent in _at(parents, one)})
        if above is None or not places:
            break
        found += [(above, one) for one in places]
        current = above
    return _numbered(found[: MOST_ANCESTORS + 1][::-1], known)


def classifier_of(session: BreedingSession) -> ClassifierEntry:
    """Return the first classifier that looks on and can judge such pictures; the usual one, where there is none."""
    settings = session.settings
    for name in session.classifiers:
        with suppress(UnknownClassifier):
            entry = find(name)
            if entry.channels == settings.channels and _can_be_drawn(settings, entry):
                return entry
    return find(USUAL[settings.channels])


def target_of(session: BreedingSession, litter: Litter, place: int) -> int | None:
    """Return the session's target, if the litter was bred towards it or the person was asked of it about this tile.

    None where another classifier judges than the one whose class it is.
    """
    entry, target = classifier_of(session), session.target
    if target is None or target >= entry.n_classes or entry.name not in session.classifiers[:1]:
        return None
    asked = litter.opinions.filter(classifier=entry.name).values_list("seen", flat=True)
    is_asked = any((tile, about) == (place, target) for said in asked for tile, about, _ in said)
    return target if is_asked or litter.target == target else None


def crown(run: Run, top: Top, weights_sha256: str) -> None:
    """Let the published picture of a run hold the class that the classifier is surest of; once is enough."""
    class_index, confidence = int(top[0][0]), float(top[0][1])
    with transaction.atomic():
        picture = run.individuals.defer("genome").latest("number")
        judged = Run.objects.filter(pk=run.pk, generation=None)
        changes: dict[str, Any] = {"classifier_sha256": weights_sha256, "max_confidence": confidence}
        if not judged.update(generation=picture.generation, error="", **changes):
            return
        Individual.objects.filter(pk=picture.pk).update(top=top)
        held: dict[str, Any] = {
            "run": run,
            "class_index": class_index,
            "individual": picture,
            "confidence": confidence,
            "generation": picture.generation,
        }
        Champion.objects.create(**held)
        Takeover.objects.create(**held)
        confidences = np.zeros(max(run.n_classes, class_index + 1), np.float32)
        confidences[class_index] = confidence
        GenerationStat.objects.create(
            run=run,
            generation=picture.generation,
            takeovers=1,
            evaluations=picture.number + 1,
            seconds=0,
            **asdict(summarise(confidences)),
        )
    run.refresh_from_db()


def change(publication: Publication, said: Said) -> None:
    """Say something else of a published picture; tags that others gave stay."""
    individual = publication.individual
    with transaction.atomic():
        changes = {"name": said.title, "visibility": said.visibility}
        Run.objects.filter(pk=individual.run_id).update(**changes)
        Publication.objects.filter(pk=publication.pk).update(description=said.description, seen=said.seen)
        keeping.name(individual, said.title)
        _retag(publication, said.tags)
        recount_branches(publication.branched_from_id)


def unpublish(publication: Publication) -> None:
    """Delete a published picture with all that was said of it."""
    publication.individual.run.delete()


def recount_branches(individual_id: int | None) -> None:
    """Count anew how many public pictures were bred from an image."""
    if individual_id is None:
        return
    exhibit, _ = Exhibit.objects.get_or_create(individual_id=individual_id)
    number = Publication.objects.public().filter(branched_from=individual_id).count()
    Exhibit.objects.filter(pk=exhibit.pk).update(n_branches=number)


@receiver(pre_delete, sender=Publication)
def _hang_branches_higher(instance: Publication, **signal: Any) -> None:
    """Let what was branched from a picture that goes hang by the one from which this came itself."""
    parent = instance.branched_from_id
    branches = list(Publication.objects.filter(branched_from=instance.pk).values_list("pk", flat=True))
    if parent is not None:
        transaction.on_commit(lambda: _hang(branches, parent))


def _hang(branches: list[int], parent: int) -> None:
    if Individual.objects.filter(pk=parent).exists():
        Publication.objects.filter(pk__in=branches, branched_from=None).update(branched_from=parent)
        recount_branches(parent)


def tags_of(publication: Publication) -> Iterator[str]:
    """Yield the tags that the author gave."""
    if publication.author:
        given = publication.author.taggings.filter(exhibit__individual=publication.individual)
        yield from given.order_by("tag__name").values_list("tag__name", flat=True)


def _at(parents: list[list[int]], place: int) -> list[int]:
    return parents[place] if place < len(parents) else []


def _numbered(found: list[tuple[int, int]], known: dict[int, Any]) -> list[Forebear]:
    """Give tiles their numbers, the eldest first: parents by number, and the steps from the first ancestor on."""
    line: list[Forebear] = []
    numbers = {tile: number for number, tile in enumerate(found)}
    for litter, place in found:
        above, parents = known[litter]
        own = [numbers[above, one] for one in _at(parents, place) if (above, one) in numbers]
        generation = 1 + max(line[number].generation for number in own) if own else 0
        line.append(Forebear(litter, place, sorted(own), generation))
    return line


def _run(session: BreedingSession, document: dict[str, Any], said: Said) -> Run:
    entry = classifier_of(session)
    parameters = parameters_of(session.settings, [document]).replaced(height=entry.height, width=entry.width)
    weights = ""
    with suppress(ZooError):  # whoever judges says what is missing
        weights = entry.card["sha256"]
    now = timezone.now()
    return Run.objects.create(
        name=said.title,
        kind=Run.Kind.BREEDING,
        owner=session.owner,
        visibility=said.visibility,
        classifier=entry.name,
        classifier_sha256=weights,
        encoding="cppn",
        parameters=parameters.to_json(),
        seed=0,
        status=Run.Status.FINISHED,
        generations=1,
        started_at=session.created_at,
        finished_at=now,
        rung_at=now,
    )


def _individuals(run: Run, line: list[Forebear], litters: dict[int, Litter]) -> list[Individual]:
    parameters = run.settings
    known = {pk: litter.documents for pk, litter in litters.items()}
    documents = [_as_read(known[one.litter][one.place], parameters) for one in line]
    encoding: Any = encoding_for(parameters)
    population = encoding.from_json(documents)
    opinions = _opinions(run, litters)
    individuals = []
    for number, one in enumerate(line):
        genome, genome_hash = encoding.written(population, number)
        opinion = opinions.get(one.litter)
        individuals.append(
            Individual(
                run=run,
                number=number,
                generation=one.generation,
                parents=one.parents,
                top=opinion.tops[one.place] if opinion else [],
                genome=genome,
                genome_hash=genome_hash,
            )
        )
    steps = max(line[-1].generation, 1)
    Run.objects.filter(pk=run.pk).update(generations=steps, evaluations=len(individuals))
    return individuals


def _as_read(document: dict[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Return an ancestor's genome as the picture itself is read: its colour may have been switched on the way."""
    from evolution.breeding import with_colour, without_colour  # they bring in the compiler

    if document.get("colour", parameters.colour) == parameters.colour:
        return document
    if parameters.colour.endswith(GREY):
        return without_colour(document)
    try:
        return fitted(document, parameters)  # the same picture, bit for bit
    except GenomeError:
        return with_colour(document)


def _opinions(run: Run, litters: dict[int, Litter]) -> dict[int, Opinion]:
    """Return what the run's classifier said of litters, by their keys, as far as it did while they were shown."""
    answered = Opinion.objects.filter(litter__in=litters, status=Opinion.Status.ANSWERED)
    said = answered.filter(classifier=run.classifier).exclude(weights_sha256="")
    return {one.litter_id: one for one in said if len(one.tops) == len(litters[one.litter_id])}


def _publication(
    session: BreedingSession,
    litter: Litter,
    place: int,
    individual: Individual,
    line: list[Forebear],
    said: Said,
) -> Publication:
    target = target_of(session, litter, place)
    is_aimed = target is not None
    tried = Attempt.objects.filter(result__in={one.litter for one in line})
    publication = Publication.objects.create(
        individual=individual,
        author=session.owner,
        session=session,
        litter=litter,
        place=place,
        branched_from=_branched_from(session, line),
        description=said.description,
        goal=session.goal if is_aimed else Goal.NONE,
        target=target,
        seen=said.seen if is_aimed else None,
        computed=tried.aggregate(sum=Sum("generation"))["sum"] or 0,
    )
    keeping.name(individual, said.title)
    _retag(publication, said.tags)
    recount_branches(publication.branched_from_id)
    return publication


def _branched_from(session: BreedingSession, line: list[Forebear]) -> Individual | None:
    """Return the published picture from which one descends: a nearer one of the same session, or its beginning."""
    earlier = session.publications.values_list("pk", "litter", "place")
    before = {(litter, place): pk for pk, litter, place in earlier}
    for one in reversed(line[:-1]):
        if (one.litter, one.place) in before:
            return Individual.objects.defer("genome").get(pk=before[one.litter, one.place])
    return published_in_place_of(session.branched_from) if session.branched_from else None


def _retag(publication: Publication, tags: list[str]) -> None:
    """Let the author's tags be these; those that others gave stay, and count."""
    individual, author = publication.individual, publication.author
    if author is None:
        return
    given = author.taggings.filter(exhibit__individual=individual)
    given.exclude(tag__name__in=tags).delete()
    if tags:
        keeping.give_tags(individual, author, tags)


def _can_be_drawn(settings: Parameters, entry: ClassifierEntry) -> bool:
    """Whether a picture stays the same at the side that a classifier wants: not where its network counts pixels."""
    return settings.cppn.coordinates == "normalised" or settings.width == entry.width
