"""A game for visitors: ten public images, and of each a guess at what the network sees in it.

The images are drawn by a seed, from all confidences, encodings and classifiers that hang in the galleries, and each
comes with the network's label among three others of the same network. Every answer is stored as it is given, at most
once; whose game it is, a secret in the player's browser says. A game that is over can be shown to anybody.
"""

import random
import secrets
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from fooling_web.galleries.models import Entry, Exhibit
from fooling_web.runs.models import Individual, Run
from fooling_web.studies.models import Game, digest

N_ROUNDS = 10
N_OPTIONS = 4
CHANCE = N_ROUNDS / N_OPTIONS
POOL = 400  # entries that are looked at for one game
FEW_LABELS = 20  # up to here a label may be asked for twice: the last of ten digits would be no question
SURELY = 0.5  # no other class can be as likely
LONGEST_LABEL = 40  # characters of a foil: one that is much longer is read first, or not at all
KEPT = timedelta(days=7)  # that a game waits for its player
LARGEST_SEED = 2**31


class Refused(Exception):
    """An answer that cannot be taken; the message says why."""


class Candidate(NamedTuple):
    """An entry of the galleries that may be asked about."""

    individual_id: int
    class_index: int
    confidence: float
    approach_id: int
    band: int


@dataclass(frozen=True, kw_only=True)
class Round:
    """An image, four labels, and what the network said; it tells its story though the run be gone."""

    run: str
    number: int  # of the individual, in its run
    class_index: int
    label: str
    options: list[str]
    key: int  # the place of the network's label among the options
    confidence: float
    classifier: str  # its title
    encoding: str
    method: str  # in words
    generation: int
    dataset: str
    n_labels: int  # that the network knows

    @property
    def individual_key(self) -> tuple[str, int]:
        """What the image is called in the database."""
        return self.run, self.number


@dataclass(frozen=True)
class Standing:
    """How others did."""

    counts: list[int]  # of games, by how many were right
    n_right: int

    @property
    def n_games(self) -> int:
        """How many other games there are."""
        return sum(self.counts)

    @property
    def n_below(self) -> int:
        """How many of them scored less."""
        return sum(self.counts[: self.n_right])

    @property
    def mean(self) -> float:
        """How many were right in the mean of the others."""
        return sum(right * games for right, games in enumerate(self.counts)) / self.n_games

    @property
    def columns(self) -> list[tuple[int, int, int, bool]]:
        """Of each score: how many games, their height in percent of the most frequent, and whether it is this one."""
        most = max(self.counts)
        return [
            (right, games, round(100 * games / most), right == self.n_right)
            for right, games in enumerate(self.counts)
        ]


def begin(user: Any, token: str, seed: int | None = None) -> Game | None:
    """Lay out a game for whoever has this secret; None where there are too few images. Old unfinished ones go."""
    seed = secrets.randbelow(LARGEST_SEED) if seed is None else seed
    rounds = draw(seed)
    if len(rounds) < N_ROUNDS:
        return None
    Game.objects.filter(finished_at=None, began_at__lt=timezone.now() - KEPT).delete()
    return Game.objects.create(
        token_hash=digest(token),
        player=user if user.is_authenticated else None,
        seed=seed,
        rounds=[asdict(one) for one in rounds],
    )


def draw(seed: int) -> list[Round]:
    """Return up to ten rounds: the same for the same seed, as long as the galleries stay as they are."""
    rng = random.Random(seed)  # noqa: S311 - a game guards nothing
    pool = _pool(rng)
    individuals = _individuals(one.individual_id for one in pool)
    rounds: list[Round] = []
    seen: set[int] = set()
    asked: Counter[str] = Counter()
    for candidate in _spread(pool, rng):
        individual = individuals.get(candidate.individual_id)
        if individual is None or individual.pk in seen or not _is_said(individual, candidate):
            continue
        labels = individual.run.classifier_entry.labels
        label = labels[candidate.class_index]
        if asked[label] >= (2 if len(labels) <= FEW_LABELS else 1):
            continue
        seen.add(individual.pk)
        asked[label] += 1
        rounds.append(_round(individual, candidate, labels, rng))
        if len(rounds) == N_ROUNDS:
            break
    rng.shuffle(rounds)
    return rounds


def rounds_of(game: Game) -> list[Round]:
    """Return the rounds of a game as values."""
    return [Round(**one) for one in game.rounds]


def answer(game: Game, number: int, choice: int) -> Game:
    """Store the answer to a round, counted from 1; the same again changes nothing. Raises Refused."""
    with transaction.atomic():
        game = Game.objects.select_for_update().get(pk=game.pk)
        next_number = len(game.answers) + 1
        if 1 <= number < next_number and game.answers[number - 1] == choice:
            return game
        if 1 <= number < next_number:
            raise Refused(f"You have answered picture {number} before; your first answer stands.")
        if number != next_number or number > N_ROUNDS:
            raise Refused(f"Picture {number} is not the next one; this is.")
        if not 0 <= choice < N_OPTIONS:
            raise Refused(f"There is no answer {choice + 1}; choose one of the {N_OPTIONS}.")
        game.answers = [*game.answers, choice]
        game.n_right += int(choice == game.rounds[number - 1]["key"])
        if len(game.answers) == N_ROUNDS:
            game.finished_at = timezone.now()
        game.save(update_fields=["answers", "n_right", "finished_at"])
    return game


def standing_of(game: Game) -> Standing:
    """Count what others scored who came to the end."""
    others = Game.objects.filter(finished_at__isnull=False).exclude(pk=game.pk).order_by()
    found = dict(others.values_list("n_right").annotate(games=Count("pk")))
    return Standing([found.get(right, 0) for right in range(N_ROUNDS + 1)], game.n_right)


def shown_of(rounds: Sequence[Round]) -> dict[tuple[str, int], Individual]:
    """Return the individuals of some rounds that may still be shown to everybody, without their genomes."""
    wanted = Q(pk=None)
    for one in rounds:
        wanted |= Q(run=one.run, number=one.number)
    found = _public().filter(wanted).defer("genome")
    return {(str(individual.run_id), individual.number): individual for individual in found}


def individual_of(one: Round) -> Individual | None:
    """Return the image of a round with its genome; None where it may be shown no more."""
    return _public().filter(run=uuid.UUID(one.run), number=one.number).first()


def n_playable() -> int:
    """Return how many images hang in the galleries, counted up to what a game takes."""
    hung = Entry.objects.order_by().values("individual").distinct()[:N_ROUNDS]
    return len(hung)


def samples(count: int) -> list[Entry]:
    """Return a few images at random, for the entrance."""
    hidden = Exhibit.objects.filter(hidden=True).values("individual")
    entries = Entry.objects.order_by("place", "pk").exclude(individual__in=hidden)
    near = entries.filter(place__gte=secrets.randbelow(LARGEST_SEED)).select_related("run", "image_class")
    return list(near.defer("run__random_state", "run__founders")[:count])


def _public() -> QuerySet[Individual]:
    hidden = Exhibit.objects.filter(hidden=True).values("individual")
    runs = Run.objects.public().values("pk")
    shown = Individual.objects.filter(run__in=runs).exclude(pk__in=hidden)
    return shown.select_related("run").defer("run__random_state", "run__founders")


def _pool(rng: random.Random) -> list[Candidate]:
    """Return entries that lie beside each other in the galleries' order at random, from a place on."""
    start = rng.randrange(LARGEST_SEED)
    columns = ("individual_id", "image_class__class_index", "confidence", "approach_id", "band")
    entries = Entry.objects.order_by("place", "pk").values_list(*columns)
    rows = list(entries.filter(place__gte=start)[:POOL])
    if len(rows) < POOL:
        rows += list(entries.filter(place__lt=start)[: POOL - len(rows)])
    return [Candidate(*row) for row in rows]


def _individuals(keys: Iterable[int]) -> dict[int, Individual]:
    found: dict[int, Individual] = _public().filter(pk__in=set(keys)).defer("genome").in_bulk()
    return {key: one for key, one in found.items() if one.run.known_classifier}


def _spread(pool: Sequence[Candidate], rng: random.Random) -> Iterator[Candidate]:
    """Yield candidates by turns from each kind: one approach, one band of confidence."""
    kinds: dict[tuple[int, int], list[Candidate]] = defaultdict(list)
    for one in pool:
        kinds[one.approach_id, one.band].append(one)
    groups = list(kinds.values())
    rng.shuffle(groups)
    for group in groups:
        rng.shuffle(group)
    return (one for one in chain.from_iterable(zip_longest(*groups)) if one is not None)


def _is_said(individual: Individual, candidate: Candidate) -> bool:
    """Whether the network names this class first, and knows enough others for foils."""
    if individual.run.n_classes < N_OPTIONS:
        return False
    if individual.top:
        return bool(individual.top[0][0] == candidate.class_index)
    return candidate.confidence > SURELY


def _round(individual: Individual, candidate: Candidate, labels: Sequence[str], rng: random.Random) -> Round:
    label = labels[candidate.class_index]
    options = [label, *_foils(individual, label, labels, rng)]
    rng.shuffle(options)
    run = individual.run
    return Round(
        run=str(run.pk),
        number=individual.number,
        class_index=candidate.class_index,
        label=label,
        options=options,
        key=options.index(label),
        confidence=candidate.confidence,
        classifier=run.classifier_title,
        encoding=run.encoding,
        method=run.encoding_title,
        generation=individual.generation,
        dataset=run.classifier_entry.dataset,
        n_labels=len(labels),
    )


def _foils(individual: Individual, label: str, labels: Sequence[str], rng: random.Random) -> list[str]:
    """Return other labels, short ones that the network does not find likely, as long as there are any."""
    likely = {labels[index] for index, _ in individual.top}
    others = sorted(set(labels) - {label})
    best = [one for one in others if one not in likely and len(one) <= LONGEST_LABEL]
    chosen = rng.sample(best, min(N_OPTIONS - 1, len(best)))
    rest = [one for one in others if one not in chosen]
    return chosen + rng.sample(rest, N_OPTIONS - 1 - len(chosen))
