"""Imagine a site: runs as if they had been evolved, people who looked at them, and everything hung in the galleries.

Large sites are tried out with it before there is one. Confidences, generations and opinions are drawn; the genomes
are real small ones, a few hundred that all images share, so that every picture can be developed and every page works.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from django.contrib.auth.hashers import make_password
from django.db import connection, models, transaction
from django.utils import timezone

from evolution.encoding import encoding_for
from evolution.parameters import METHODS, Parameters
from fooling_web.galleries.hanging import (
    COLUMNS,
    add_up,
    approach_of,
    band_of,
    classes_of,
    place_of,
    write_entries,
)
from fooling_web.galleries.models import Entry, Exhibit, Hanging, ImageClass, Rating, RunTally, Tag, Tagging
from fooling_web.runs.launching import name_in_sweep, parameters_for, usual_name
from fooling_web.runs.models import Champion, GenerationStat, Individual, Run, Sweep, Takeover
from fooling_web.runs.watching import SHORT_HASH
from fooling_web.users.models import User
from models_zoo.registry import find

POOL = 100  # genomes of one kind that all runs of the kind share
GENERATIONS, OFFSPRING = 50, 200
PEOPLE, RUNS_IN_SWEEP = 40, 8
SHARE_IN_SWEEPS, SHARE_EXHIBITED = 0.4, 0.05
DAYS = 400  # that the site has been there
CHUNK = 2000  # rows in one statement
BLOCKS = 4  # of one colour on a side of a picture that is its own genome
TAGS = (
    *("abstract", "animal", "beautiful", "blue", "bright", "calm", "circles", "colourful", "crystal", "dark"),
    *(
        "dream",
        "eye",
        "face",
        "fire",
        "flower",
        "funny",
        "geometry",
        "golden",
        "gradient",
        "green",
        "horizon",
    ),
    *("landscape", "light", "lines", "moon", "mosaic", "night", "noise", "pattern", "red", "scary", "shell"),
    *("space", "spiral", "stripes", "sunset", "symmetric", "texture", "water", "waves"),
)
TITLES = (
    "Night train",
    "Two suns",
    "The shell",
    "Breathing",
    "Blue window",
    "Cathedral",
    "Low tide",
    "Signal",
)
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """Runs of one kind: how many there are of it, and how sure they make a classifier (`ease`, 0.3 to 4)."""

    classifier: str
    encoding: str
    method: str
    share: float
    ease: float


IMAGENET = (
    Kind("efficientnet-lite0", "cppn", "map-elites", 0.4, 0.8),
    Kind("efficientnet-lite2", "cppn", "map-elites", 0.2, 0.7),
    Kind("efficientnet-lite0", "gradient", "map-elites", 0.12, 2.0),
    Kind("efficientnet-lite0", "direct", "map-elites", 0.1, 0.3),
    Kind("efficientnet-lite0", "cppn", "novelty", 0.1, 0.5),
    Kind("efficientnet-lite2", "gradient", "map-elites", 0.08, 1.8),
)
MNIST = (
    Kind("mnist-lenet", "cppn", "map-elites", 0.4, 4.0),
    Kind("mnist-lenet", "direct", "map-elites", 0.3, 3.5),
    Kind("mnist-cnn", "cppn", "map-elites", 0.2, 2.0),
    Kind("mnist-mlp", "direct", "map-elites", 0.1, 3.0),
)
SHARE_OF_IMAGENET = 0.998  # of all champions


def imagine_site(champions: int, seed: int) -> Iterator[int]:
    """Fill the site with so many champions of public runs; yield how many more there are each time."""
    rng = np.random.default_rng(seed)
    owners = _people(rng)
    imagination = Imagination(rng, owners)
    for kind, classes in _kinds(champions):
        yield imagination.imagine_run(kind, classes)
    add_up()
    _look_around(rng, owners)


def _kinds(champions: int) -> Iterator[tuple[Kind, int]]:
    """Yield a kind and a number of classes for each run: of a thousand classes, then of ten, then of what is left."""
    thousands = int(champions * SHARE_OF_IMAGENET) // 1000
    tens, rest = divmod(champions - 1000 * thousands, 10)
    yield from ((kind, 1000) for kind in _shared_out(IMAGENET, thousands))
    yield from ((kind, 10) for kind in _shared_out(MNIST, tens))
    if rest:
        yield MNIST[0], rest


def _shared_out(kinds: Sequence[Kind], count: int) -> Iterator[Kind]:
    """Yield as many kinds, each as often as is its share, mixed."""
    debts = dict.fromkeys(kinds, 0.0)
    for _ in range(count):
        debts = {kind: debt + kind.share for kind, debt in debts.items()}
        kind = max(kinds, key=lambda kind: debts[kind])
        debts[kind] -= 1
        yield kind


def _people(rng: np.random.Generator) -> list[User]:
    """Return people who launch and rate; nobody can sign in as one of them."""
    names = [f"imagined-{number}" for number in range(1, PEOPLE + 1)]
    known = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    User.objects.bulk_create(
        User(username=name, password=make_password(None)) for name in names if name not in known
    )
    return list(User.objects.filter(username__in=names).order_by("pk"))


class Imagination:
    """What imagined runs share: owners, genomes, the sweep that is being filled."""

    def __init__(self, rng: np.random.Generator, owners: list[User]) -> None:
        self.rng, self.owners, self.now = rng, owners, timezone.now()
        self._genomes: dict[tuple[str, str], list[tuple[bytes, str]]] = {}
        self._classes: dict[tuple[str, int], dict[int, ImageClass]] = {}
        self._sweeps: dict[Kind, tuple[Sweep, int]] = {}
        self._seed = 0

    def imagine_run(self, kind: Kind, n_classes: int) -> int:
        """Store a finished run with its history, and hang it; return how many champions it has."""
        with transaction.atomic():  # otherwise every row would be one
            run = self._run(kind)
            drawn = Drawn(self.rng, run, n_classes, kind.ease)
            rows_of = _store_history(run, drawn, self._genomes_for(run, kind))
            _hang(run, drawn, rows_of, self._classes_for(run, n_classes), self.now)
        return n_classes

    def _run(self, kind: Kind) -> Run:
        self._seed += 1
        entry, owner = find(kind.classifier), self._owner()
        sweep = self._sweep(kind) if self.rng.random() < SHARE_IN_SWEEPS else None
        parameters = parameters_for(
            kind.classifier,
            kind.encoding,
            **({} if kind.encoding == "gradient" else {"generations": GENERATIONS, "population": OFFSPRING}),
            method=kind.method,
        )
        begun = self.now - timedelta(days=float(self.rng.uniform(0, DAYS)))
        addition = f"seed {self._seed}"
        if kind.method != "map-elites":
            addition = f"{METHODS[kind.method].lower()}, {addition}"
        run = Run(
            name=name_in_sweep(sweep, self._seed)
            if sweep
            else usual_name(entry, kind.encoding, "", addition),
            owner=sweep.owner if sweep else owner,
            sweep=sweep,
            classifier=kind.classifier,
            classifier_sha256=entry.card["sha256"],
            encoding=kind.encoding,
            parameters=replace(parameters, generations=GENERATIONS).to_json(),
            seed=self._seed,
            status=Run.Status.FINISHED,
            generation=GENERATIONS,
            generations=GENERATIONS,
            evaluations=parameters.first_population + GENERATIONS * parameters.offspring,
            seconds=600.0,
            started_at=begun,
            finished_at=begun + timedelta(minutes=10),
        )
        run.save(force_insert=True)
        Run.objects.filter(pk=run.pk).update(created_at=begun)
        return run

    def _classes_for(self, run: Run, n_classes: int) -> dict[int, ImageClass]:
        key = (run.classifier, n_classes)
        if key not in self._classes:
            self._classes[key] = classes_of(run, range(n_classes))
        return self._classes[key]

    def _owner(self) -> User:
        """Return one of the owners; some have many times the runs of others."""
        return self.owners[min(int(self.rng.exponential(PEOPLE / 5)), len(self.owners) - 1)]

    def _sweep(self, kind: Kind) -> Sweep:
        sweep, left = self._sweeps.get(kind, (None, 0))
        if sweep is None or not left:
            title = usual_name(find(kind.classifier), kind.encoding, "", f"{RUNS_IN_SWEEP} runs")
            sweep, left = Sweep.objects.create(name=title, owner=self._owner()), RUNS_IN_SWEEP
        self._sweeps[kind] = sweep, left - 1
        return sweep

    def _genomes_for(self, run: Run, kind: Kind) -> list[tuple[bytes, str]]:
        """Return genomes and their fingerprints, evolved a little without anybody judging them."""
        parameters = run.settings
        key = (str(parameters.channels), kind.encoding)
        if key not in self._genomes:
            grown = _pictures if kind.encoding in ("direct", "gradient") else _networks
            encoding, population = grown(parameters, self.rng)
            self._genomes[key] = [encoding.written(population, row) for row in range(len(population))]
        return self._genomes[key]


def _networks(parameters: Parameters, rng: np.random.Generator) -> tuple[Any, Any]:
    encoding = encoding_for(parameters)
    population = encoding.random(POOL, rng)
    for generation in range(30):
        population, _ = encoding.vary(population, generation, rng)
    return encoding, population


def _pictures(parameters: Parameters, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return pictures of a few large blocks: as files they are small."""
    from evolution.direct import DirectPopulation

    side = parameters.height // BLOCKS
    blocks = rng.integers(0, 256, size=(POOL, parameters.channels, BLOCKS, BLOCKS), dtype=np.uint8)
    levels = blocks.repeat(side, axis=2).repeat(side, axis=3)  # (P, C, H, W)
    missing = parameters.height - BLOCKS * side
    return encoding_for(parameters), DirectPopulation(
        np.pad(levels, ((0, 0), (0, 0), (0, missing), (0, missing)), mode="edge")
    )


class Drawn:
    """The numbers of a run, drawn: individuals in order of their number, and for each class which one holds it."""

    def __init__(self, rng: np.random.Generator, run: Run, n_classes: int, ease: float) -> None:
        self.n_classes = n_classes
        holders = rng.integers(0, n_classes, size=n_classes)
        used, self.holders = np.unique(holders, return_inverse=True)  # some images hold more than one class
        self.numbers = np.sort(rng.choice(run.evaluations, size=len(used), replace=False))
        self.generations = np.minimum(self.numbers * GENERATIONS // run.evaluations + 1, GENERATIONS)
        hardness = rng.gamma(2.0, 0.5, size=n_classes)  # some classes are harder than others
        self.confidences = 1 - 10 ** -(rng.gamma(1.2, ease, size=n_classes) * np.minimum(hardness, 2) + 1e-3)
        self.confidences = np.minimum(self.confidences, 1 - 1e-7)
        self.hours = rng.uniform(0, 10, size=n_classes)
        self.others = rng.integers(0, n_classes, size=(len(used), 4))
        self.genomes = rng.integers(0, POOL, size=len(used))

    def tops(self) -> list[str]:
        """Return the five likeliest classes of each individual, as JSON."""
        held: list[list[list[float]]] = [[] for _ in self.numbers]
        for class_index, (holder, confidence) in enumerate(zip(self.holders, self.confidences, strict=True)):
            held[holder].append([class_index, float(confidence)])
        return [json.dumps(_top(own, others)) for own, others in zip(held, self.others.tolist(), strict=True)]


def _top(own: list[list[float]], others: list[int]) -> list[list[float]]:
    """Return an image's classes, likeliest first, filled up with others: what is left is theirs."""
    own = sorted(own, key=lambda pair: -pair[1])[:5]
    left = max(1e-6, (1 - own[0][1]) / 5)
    mine = {int(class_index) for class_index, _ in own}
    return own + [[other, left] for other in dict.fromkeys(others) if other not in mine][: 5 - len(own)]


def _store_history(run: Run, drawn: Drawn, genomes: list[tuple[bytes, str]]) -> dict[int, tuple[int, str]]:
    """Write individuals, takeovers, champions and statistics; return id and genome's hash by place in `drawn`."""
    own = _key_of(run)
    numbers, generations = drawn.numbers.tolist(), drawn.generations.tolist()
    chosen = [genomes[row % len(genomes)] for row in drawn.genomes.tolist()]
    individuals = (
        (own, number, generation, json.dumps(numbers[max(0, place - 7) : place][:1]), top, *genome)
        for place, (number, generation, top, genome) in enumerate(
            zip(numbers, generations, drawn.tops(), chosen, strict=True)
        )
    )
    names = ("run", "number", "generation", "parents", "top", "genome", "genome_hash")
    _insert(Individual, names, individuals)
    pks = dict(run.individuals.values_list("number", "pk"))
    rows_of = {
        place: (pks[number], genome[1])
        for place, (number, genome) in enumerate(zip(numbers, chosen, strict=True))
    }
    held = [
        (own, class_index, rows_of[holder][0], confidence, generations[holder])
        for class_index, (holder, confidence) in enumerate(
            zip(drawn.holders.tolist(), drawn.confidences.tolist(), strict=True)
        )
    ]
    columns = ("run", "class_index", "individual", "confidence", "generation")
    _insert(Champion, columns, held)
    _insert(Takeover, columns, held)
    _store_statistics(run, drawn)
    return rows_of


def _store_statistics(run: Run, drawn: Drawn) -> None:
    """Write a line for every generation: classes are taken once, in the generation of their champion."""
    taken = drawn.generations[drawn.holders]
    lines = []
    for generation in range(GENERATIONS + 1):
        held = np.where(taken <= generation, drawn.confidences, 0.0)
        shares = float((held >= 0.99).mean()), float((held >= 0.9999).mean())
        summary = float(np.median(held)), float(held.mean()), float(held.max()), *shares
        evaluations = run.evaluations * generation // GENERATIONS
        lines.append(
            (
                _key_of(run),
                generation,
                *summary,
                int((taken == generation).sum()),
                evaluations,
                12.0 * generation,
            )
        )
    names = ("median", "mean", "max", "share_99", "share_9999", "takeovers", "evaluations", "seconds")
    _insert(GenerationStat, ("run", "generation", *names), lines)
    median, most = float(np.median(drawn.confidences)), float(drawn.confidences.max())
    Run.objects.filter(pk=run.pk).update(median_confidence=median, max_confidence=most)


def _hang(
    run: Run,
    drawn: Drawn,
    rows_of: dict[int, tuple[int, str]],
    classes: dict[int, ImageClass],
    now: datetime,
) -> None:
    approach = approach_of(run)
    begun = run.started_at or now
    values: dict[str, Any] = {"run": _key_of(run), "approach": approach.pk}
    rows, bands = [], Counter[tuple[str, int]]()
    places = zip(drawn.holders.tolist(), drawn.confidences.tolist(), drawn.hours.tolist(), strict=True)
    numbers = drawn.numbers.tolist()
    for class_index, (holder, confidence, hours) in enumerate(places):
        individual, genome_hash = rows_of[holder]
        values |= {
            "image_class": classes[class_index].pk,
            "individual": individual,
            "branch": classes[class_index].branch,
            "band": band_of(confidence),
            "confidence": confidence,
            "number": numbers[holder],
            "short_hash": genome_hash[:SHORT_HASH],
            "hung_at": min(now, begun + timedelta(hours=hours)),
            "place": place_of(run, class_index),
        }
        rows.append(tuple(values[name] for name in COLUMNS))
        bands[values["branch"], values["band"]] += 1
    write_entries(rows)
    Hanging.objects.create(run=run, approach=approach, generation=GENERATIONS, entries=len(rows))
    tallies = ((values["run"], branch, band, n) for (branch, band), n in bands.items())
    _insert(RunTally, ("run", "branch", "band", "entries"), tallies)


def _look_around(rng: np.random.Generator, people: list[User]) -> None:
    """Let people look at a share of all images, rate some, tag some."""
    hanging = Entry.objects.filter(run__owner__in=people).exclude(individual__exhibit__isnull=False)
    individuals = np.unique(np.fromiter(hanging.values_list("individual", flat=True), np.int64))
    chosen = rng.choice(individuals, size=int(len(individuals) * SHARE_EXHIBITED), replace=False)
    exhibits = [_exhibit(rng, individual) for individual in chosen.tolist()]
    Exhibit.objects.bulk_create(exhibits, batch_size=CHUNK)
    _rate(rng, people, exhibits)
    _tag(rng, people, exhibits)


def _exhibit(rng: np.random.Generator, individual: int) -> Exhibit:
    chance = rng.random(4)
    return Exhibit(
        individual_id=individual,
        title=f"{TITLES[rng.integers(len(TITLES))]} {rng.integers(1, 100)}" if chance[0] < 0.05 else "",
        views=min(int(rng.pareto(1.0) * 3) + 1, 100_000),
        n_branches=int(rng.integers(1, 20)) if chance[1] < 0.1 else 0,
        n_ratings=int(rng.integers(1, 5)) if chance[2] < 0.3 else 0,
        recognition=float(rng.random()) if chance[3] < 0.02 else None,
    )


def _rate(rng: np.random.Generator, people: list[User], exhibits: list[Exhibit]) -> None:
    ratings, rated = [], [exhibit for exhibit in exhibits if exhibit.n_ratings]
    for exhibit in rated:
        raters = rng.choice(len(people), size=exhibit.n_ratings, replace=False)
        stars = rng.integers(1, 6, size=exhibit.n_ratings).tolist()
        exhibit.stars = sum(stars) / len(stars)
        ratings += [
            Rating(exhibit=exhibit, person=people[rater], stars=given)
            for rater, given in zip(raters, stars, strict=True)
        ]
    Rating.objects.bulk_create(ratings, batch_size=CHUNK)
    for start in range(0, len(rated), CHUNK // 4):
        Exhibit.objects.bulk_update(rated[start : start + CHUNK // 4], ["stars"])


def _tag(rng: np.random.Generator, people: list[User], exhibits: list[Exhibit]) -> None:
    Tag.objects.bulk_create([Tag(name=name) for name in TAGS], ignore_conflicts=True)
    tags = list(Tag.objects.filter(name__in=TAGS).order_by("name"))
    taggings = [
        Tagging(exhibit=exhibit, tag=tags[row], person=people[rng.integers(len(people))])
        for exhibit in exhibits
        if rng.random() < 0.2
        for row in rng.choice(len(tags), size=rng.integers(1, 4), replace=False)
    ]
    Tagging.objects.bulk_create(taggings, batch_size=CHUNK)


@contextmanager
def without_indexes() -> Iterator[None]:
    """Drop the indexes over entries and build them again at the end: for very many rows that is far quicker."""
    indexes = list(Entry._meta.indexes)
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(Entry, index)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.add_index(Entry, index)


def let_the_planner_know() -> None:
    """Let the database look at what it holds now, so that it chooses its indexes well."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _key_of(run: Run) -> Any:
    """Return the run's key as the database takes it, prepared once for all its rows."""
    return Run._meta.pk.get_db_prep_value(run.pk, connection)


def _insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows by the thousand; what is JSON comes as text."""
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table, places = connection.ops.quote_name(model._meta.db_table), ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - names of our own models
    prepared = (tuple(map(_prepared, fields, row)) for row in rows)
    with connection.cursor() as cursor:
        while chunk := list(islice(prepared, CHUNK)):
            cursor.executemany(statement, chunk)


def _prepared(field: Any, value: Any) -> Any:
    return value if isinstance(value, int | float | str) else field.get_db_prep_save(value, connection)
