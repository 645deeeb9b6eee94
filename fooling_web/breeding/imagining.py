"""Imagine published pictures: families as if people had branched from each other for years.

The first few hundred are bred as people breed, each from the picture that it is branched from, so that families look
like families; later ones show one of these again. What a classifier says, stars and dates are drawn, not measured.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from evolution.breeding import begun, litter_of
from evolution.encoding import encoding_for
from evolution.parameters import Parameters
from fooling_web.breeding.models import Publication
from fooling_web.breeding.publishing import USUAL, crown
from fooling_web.galleries.hanging import hang
from fooling_web.galleries.imagining import TAGS, TITLES
from fooling_web.galleries.models import Exhibit, Rating, Tag, Tagging
from fooling_web.runs.models import Individual, Run
from fooling_web.users.models import User
from models_zoo.registry import find

PEOPLE = 60
BRED = 400  # pictures that are bred; further ones show one of these
STEPS = (3, 9)  # of breeding between a picture and its branch
ROOTS = 0.08  # share of pictures that were bred from nothing
DAYS = 700  # since the first of them
SHARE_RATED, SHARE_TAGGED, SHARE_DESCRIBED = 0.4, 0.5, 0.3
CHUNK = 100  # pictures in one transaction
CHANGE = 0.6


def imagine_publications(count: int, seed: int) -> Iterator[int]:
    """Store so many public pictures with their families; yield how many more there are each time."""
    imagination = Imagination(np.random.default_rng(seed), count)
    for first in range(0, count, CHUNK):
        with transaction.atomic():  # otherwise every row would be one
            number = min(CHUNK, count - first)
            for _ in range(number):
                imagination.publish_another()
        yield number
    imagination.count_branches()


class Imagination:
    """What imagined publications share: people, the pictures so far, and where the next one comes from."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.rng, self.count, self.now = rng, count, timezone.now()
        self.entry = find(USUAL[3])
        self.settings = Parameters(channels=3, height=self.entry.height, width=self.entry.width)
        self.encoding: Any = encoding_for(self.settings)
        self.people = _people()
        self.tags = [Tag.objects.get_or_create(name=name)[0] for name in TAGS]
        self.published: list[Publication] = []
        self.bred: list[list[dict[str, Any]]] = []  # of each picture its line, itself last

    def publish_another(self) -> None:
        """Store one more picture, branched from an earlier one, or bred from nothing."""
        parent = self._parent()
        line = self._line(parent)
        author = self.people[int(PEOPLE * self.rng.random() ** 2)]  # some breed much more than others
        title = f"{TITLES[self.rng.integers(len(TITLES))]} {len(self.published) + 1}"
        run = self._run(author, title, len(line) - 1)
        picture = self._individuals(run, line)[-1]
        above = None if parent is None else self.published[parent].individual
        publication = Publication.objects.create(
            individual=picture, author=author, branched_from=above, description=self._description()
        )
        when = run.finished_at or self.now
        Publication.objects.filter(pk=publication.pk).update(published_at=when)
        self._let_people_speak(picture, author, title)
        crown(run, self._top(), run.classifier_sha256)
        hang(run)
        self.published.append(publication)

    def count_branches(self) -> None:
        """Count of each picture how many were branched from it."""
        numbers: dict[int, int] = {}
        for publication in self.published:
            if publication.branched_from_id is not None:
                parent = publication.branched_from_id
                numbers[parent] = numbers.get(parent, 0) + 1
        exhibits = list(Exhibit.objects.filter(individual__in=numbers))
        for exhibit in exhibits:
            exhibit.n_branches = numbers[exhibit.individual_id]
        Exhibit.objects.bulk_update(exhibits, ["n_branches"], batch_size=CHUNK)

    def _parent(self) -> int | None:
        """Return the place of the picture that the next one is branched from; people look at what is new."""
        known = len(self.published)
        if not known or self.rng.random() < ROOTS:
            return None
        return int(known * self.rng.random() ** 0.5)

    def _line(self, parent: int | None) -> list[dict[str, Any]]:
        """Return genomes from the beginning of a session to the picture."""
        if len(self.bred) >= BRED:
            return self.bred[self.rng.integers(len(self.bred))]
        line = begun(1, self.settings, self.rng) if parent is None else self.bred[parent][-1:]
        for _ in range(int(self.rng.integers(*STEPS))):
            children, _ = litter_of(
                line[-1:], 1, change=CHANGE, focus="whole", parameters=self.settings, rng=self.rng
            )
            line = line + children
        self.bred.append(line)
        return line

    def _run(self, author: User, title: str, steps: int) -> Run:
        age = DAYS * (1 - (len(self.published) + self.rng.random()) / self.count)
        when = self.now - timedelta(days=age)
        return Run.objects.create(
            name=title,
            kind=Run.Kind.BREEDING,
            owner=author,
            classifier=self.entry.name,
            classifier_sha256=self.entry.card["sha256"],
            encoding="cppn",
            parameters=self.settings.to_json(),
            seed=0,
            status=Run.Status.FINISHED,
            generations=max(steps, 1),
            evaluations=steps + 1,
            started_at=when,
            finished_at=when,
        )

    def _individuals(self, run: Run, line: list[dict[str, Any]]) -> list[Individual]:
        population = self.encoding.from_json(line)
        written = [self.encoding.written(population, row) for row in range(len(line))]
        return Individual.objects.bulk_create(
            Individual(
                run=run,
                number=number,
                generation=number,
                parents=[number - 1] if number else [],
                genome=genome,
                genome_hash=genome_hash,
            )
            for number, (genome, genome_hash) in enumerate(written)
        )

    def _top(self) -> list[list[float]]:
        """Draw what the classifier says: bred pictures seldom make it sure."""
        classes = self.rng.choice(self.entry.n_classes, size=5, replace=False).tolist()
        first = float(self.rng.beta(1.2, 2.0))
        return [
            [classes[0], first],
            *([one, (1 - first) * 0.5**place] for place, one in enumerate(classes[1:], 2)),
        ]

    def _let_people_speak(self, picture: Individual, author: User, title: str) -> None:
        raters = self._raters() if self.rng.random() < SHARE_RATED else []
        stars = self.rng.integers(1, 6, size=len(raters)).tolist()
        exhibit = Exhibit.objects.create(
            individual=picture,
            title=title,
            views=int(self.rng.pareto(1.0) * 5) % 10_000,
            n_ratings=len(raters),
            stars=sum(stars) / len(stars) if stars else 0,
        )
        Rating.objects.bulk_create(
            Rating(exhibit=exhibit, person=person, stars=given)
            for person, given in zip(raters, stars, strict=True)
        )
        if self.rng.random() < SHARE_TAGGED:
            chosen = self.rng.choice(len(self.tags), size=int(self.rng.integers(1, 4)), replace=False)
            Tagging.objects.bulk_create(
                Tagging(exhibit=exhibit, tag=self.tags[row], person=author) for row in chosen
            )

    def _raters(self) -> list[User]:
        chosen = self.rng.choice(PEOPLE, size=int(self.rng.integers(1, 9)), replace=False)
        return [self.people[row] for row in chosen]

    def _description(self) -> str:
        return "An imagined picture: nobody bred it." if self.rng.random() < SHARE_DESCRIBED else ""


def _people() -> list[User]:
    """Return people who breed and rate; nobody can sign in as one of them."""
    names = [f"imagined-breeder-{number}" for number in range(1, PEOPLE + 1)]
    known = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    missing = [name for name in names if name not in known]
    User.objects.bulk_create(User(username=name, password=make_password(None)) for name in missing)
    return list(User.objects.filter(username__in=names).order_by("pk"))
