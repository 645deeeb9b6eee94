"""A family of bred pictures as if many people had branched from each other: rows, without anybody breeding.

Each picture is a published one in a run of its own, as publishing makes them; a few dozen real networks are shared by
all. With a home to put it into: `FOOLING_HOME=... .venv/bin/python -m benchmarks.imagined_family [PICTURES]`, which
prints the root's place in the tree's addresses.
"""

import os
import sys
from typing import Any

import numpy as np

GENOMES, STEPS, PEOPLE = 40, 12, 60
CLASSIFIER = "efficientnet-lite0"
CHUNK = 500
TITLES = ("Night train", "Two suns", "The shell", "Blue window", "Low tide", "", "")


def imagine_family(count: int, seed: int = 1, people: int = PEOPLE) -> list[Any]:
    """Store a family of so many pictures, a root that was bred from nothing first; return the individuals."""
    from django.db import transaction

    from fooling_web.breeding.models import Publication
    from fooling_web.galleries.models import Exhibit
    from fooling_web.runs.models import Individual, Run

    rng = np.random.default_rng(seed)
    authors, genomes, parents = _people(people), _genomes(rng), parents_by_lot(count, rng)
    runs, individuals = [], []
    for place in range(count):
        author = authors[int(len(authors) * rng.random() ** 2)]  # some breed much more than others
        runs.append(_run(Run, author))
        genome, genome_hash = genomes[int(rng.integers(len(genomes)))]
        top = [[int(rng.integers(1000)), float(rng.beta(0.8, 0.8))]]
        individuals.append(
            Individual(
                run=runs[-1], number=place % 7, generation=1, genome=genome, genome_hash=genome_hash, top=top
            )
        )
    with transaction.atomic():
        Run.objects.bulk_create(runs, batch_size=CHUNK)
        Individual.objects.bulk_create(individuals, batch_size=CHUNK)
        Publication.objects.bulk_create(
            [
                Publication(
                    individual=one, author=one.run.owner, branched_from=individuals[parent] if place else None
                )
                for place, (one, parent) in enumerate(zip(individuals, parents, strict=True))
            ],
            batch_size=CHUNK,
        )
        Exhibit.objects.bulk_create(
            [
                Exhibit(individual=one, title=_title(place, rng), stars=float(rng.integers(0, 6)))
                for place, one in enumerate(individuals)
            ],
            batch_size=CHUNK,
        )
    return individuals


def parents_by_lot(count: int, rng: np.random.Generator) -> list[int]:
    """Return for each picture an earlier one that it was branched from; liked ones are liked by more."""
    parents = [0]
    for place in range(1, count):
        recent = int(place * rng.random() ** 0.5)  # people branch from what is new
        parents.append(parents[recent] if rng.random() < 0.4 else recent)
    return parents


def _title(place: int, rng: np.random.Generator) -> str:
    title = TITLES[int(rng.integers(len(TITLES)))]
    return f"{title} {place}" if title else ""


def _run(run: Any, author: Any) -> Any:
    from evolution.parameters import Parameters

    return run(
        name="Bred by hand",
        kind=run.Kind.BREEDING,
        owner=author,
        classifier=CLASSIFIER,
        classifier_sha256="",
        encoding="cppn",
        parameters=Parameters(channels=3, height=256, width=256).to_json(),
        seed=0,
        status=run.Status.FINISHED,
        generation=1,
        generations=1,
    )


def _people(count: int) -> list[Any]:
    from fooling_web.users.models import User

    names = [f"imagined-{number}" for number in range(1, count + 1)]
    User.objects.bulk_create([User(username=name, password="!") for name in names], ignore_conflicts=True)  # noqa: S106
    return list(User.objects.filter(username__in=names).order_by("pk"))


def _genomes(rng: np.random.Generator) -> list[tuple[bytes, str]]:
    from evolution.encoding import encoding_for
    from evolution.parameters import Parameters

    encoding: Any = encoding_for(Parameters(channels=3, height=256, width=256))
    population = encoding.random(GENOMES, rng)
    for generation in range(STEPS):
        population, _ = encoding.vary(population, generation, rng)
    return [encoding.written(population, row) for row in range(GENOMES)]


def main() -> None:
    """Put a family into the home that the environment names."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "fooling_web.settings"
    import django

    django.setup()
    root = imagine_family(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)[0]
    print(f"{root.run_id}/{root.number}")


if __name__ == "__main__":
    main()
