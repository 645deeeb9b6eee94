"""A litter as the networks see it: what each says of each picture, the target and the goal.

All of it is read from kept opinions, so that the page, the socket and whoever asks again are told the same.
"""

from dataclasses import dataclass
from functools import cached_property
from math import log10
from typing import Any

from fooling_web.breeding import opinions
from fooling_web.breeding.models import FOOLED, SURELY, Attempt, BreedingSession, Goal, Litter, Opinion
from models_zoo.registry import ClassifierEntry

DECADES = 4  # of the odds, that the meter shows to either side of 50 %
Status = Opinion.Status


@dataclass(frozen=True)
class Guess:
    """What one classifier takes a picture for."""

    entry: ClassifierEntry
    label: str
    confidence: float


@dataclass(frozen=True)
class Heard:
    """What is known of one picture; `confidence` is the first classifier's in the target."""

    place: int
    guesses: list[Guess]
    confidence: float | None
    is_best: bool

    @property
    def number(self) -> int:
        """What people call it."""
        return self.place + 1

    @property
    def reach(self) -> int:
        """How far its meter is filled, in hundredths: by the odds, 50 % in the middle."""
        return reach(self.confidence or 0)


@dataclass(frozen=True)
class Record:
    """The picture of a session of which the first classifier was ever surest."""

    confidence: float
    number: int  # of the litter
    place: int
    url: str

    @property
    def tile_number(self) -> int:
        """What people call it."""
        return self.place + 1


@dataclass(frozen=True)
class Looking:
    """A litter, and all that networks said of it."""

    session: BreedingSession
    litter: Litter

    @cached_property
    def entries(self) -> list[ClassifierEntry]:
        """Who looks on, the first of them first."""
        return opinions.looking_on(self.session)

    @property
    def first(self) -> ClassifierEntry | None:
        """Whose classes the target is among."""
        return self.entries[0] if self.entries else None

    @cached_property
    def known(self) -> dict[str, Opinion]:
        """What was said or asked, by classifier."""
        return {one.classifier: one for one in self.litter.opinions.all()}

    @property
    def has_said(self) -> bool:
        """Whether anything can be shown."""
        return any(entry.name in self.known and self.known[entry.name].tops for entry in self.entries)

    @cached_property
    def tiles(self) -> list[Heard]:
        """What is known of each picture."""
        return [self._heard(place) for place in range(len(self.litter))]

    @cached_property
    def waiting(self) -> list[ClassifierEntry]:
        """Who is looking at the moment."""
        return [
            entry
            for entry in self.entries
            if entry.name in self.known and self.known[entry.name].status == Status.WAITING
        ]

    @property
    def failed(self) -> list[tuple[ClassifierEntry, str]]:
        """Who could not look, and why."""
        found = [(entry, self.known.get(entry.name)) for entry in self.entries]
        return [(entry, one.error) for entry, one in found if one and one.status == Status.FAILED]

    @property
    def is_open(self) -> bool:
        """Whether there is somebody to be asked."""
        return opinions.open_ones(self.session, self.litter) > 0

    @property
    def target(self) -> str:
        """The target in words; empty where there is none."""
        first, index = self.first, self.session.target
        return first.labels[index] if first and index is not None and index < first.n_classes else ""

    @cached_property
    def confidences(self) -> list[float]:
        """The first classifier's confidences in the target; none before it answered."""
        one = self.known.get(self.first.name) if self.first and self.target else None
        return one.confidences if one and one.target == self.session.target else []

    @cached_property
    def best(self) -> int | None:
        """The place of which the first classifier is surest."""
        given = self.confidences
        return max(range(len(given)), key=given.__getitem__) if given else None

    @cached_property
    def record(self) -> Record | None:
        """The picture of the whole session of which it was surest."""
        if not self.first or not self.target:
            return None
        said = Opinion.objects.filter(litter__session=self.session, classifier=self.first.name)
        aimed = said.filter(target=self.session.target, best__isnull=False)
        one = aimed.select_related("litter").defer("litter__genomes").order_by("-best", "pk").first()
        if one is None or one.best is None:
            return None
        place = one.confidences.index(one.best)
        return Record(one.best, one.litter.number, place, one.litter.get_absolute_url())

    @property
    def goal(self) -> str:
        """What is played for; nothing without a target."""
        return self.session.goal if self.target else Goal.NONE

    @property
    def is_reached(self) -> bool:
        """Whether the network does its part of the goal in the best picture: then its breeder is asked theirs."""
        if self.best is None:
            return False
        confidence = self.confidences[self.best]
        if self.goal == Goal.FOOL:
            return confidence >= FOOLED
        return self.goal == Goal.AGREE and confidence >= SURELY and self._tops_with(self.best)

    @property
    def is_fooled(self) -> bool:
        """Whether the network is as sure as the first goal asks."""
        return self.best is not None and self.confidences[self.best] >= FOOLED

    @property
    def best_confidence(self) -> float:
        """The confidence in the best picture."""
        return self.confidences[self.best] if self.best is not None else 0.0

    @property
    def best_number(self) -> int:
        """What people call the best picture."""
        return (self.best or 0) + 1

    @cached_property
    def seen(self) -> bool | None:
        """Whether its breeder said that they see the target in the best picture; None where they did not say."""
        one = self.known.get(self.first.name) if self.first else None
        said = [
            seen
            for place, target, seen in (one.seen if one else [])
            if (place, target) == (self.best, self.session.target)
        ]
        return said[-1] if said else None

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt of the session."""
        related = self.session.attempts.select_related("litter", "result")
        burdens = ("genomes", "held", "founders", "litter__genomes", "result__genomes")
        return related.defer(*burdens).first()

    @property
    def choices(self) -> list[dict[str, Any]]:
        """Who may look on; of those that cannot, the page says so."""
        return [
            {"entry": entry, "is_here": opinions.is_here(entry)}
            for entry in opinions.candidates(self.session)
        ]

    @property
    def absent(self) -> list[ClassifierEntry]:
        """Who cannot look on, because its weights are not here."""
        return [choice["entry"] for choice in self.choices if not choice["is_here"]]

    @property
    def seats(self) -> list[dict[str, Any]]:
        """The places of those that look on, with who sits there."""
        names = [entry.name for entry in self.entries]
        titles = ("First", "Second", "Third")
        return [
            {"number": number, "title": title, "name": names[number] if number < len(names) else ""}
            for number, title in enumerate(titles)
        ]

    @property
    def goals(self) -> list[tuple[str, str]]:
        """What can be played for."""
        return [(str(value), str(label)) for value, label in Goal.choices]

    def _heard(self, place: int) -> Heard:
        given = self.confidences
        confidence = given[place] if place < len(given) else None
        guesses = [guess for entry in self.entries if (guess := self._guess(entry, place))]
        return Heard(place, guesses, confidence, place == self.best and bool(confidence))

    def _guess(self, entry: ClassifierEntry, place: int) -> Guess | None:
        one = self.known.get(entry.name)
        if one is None or place >= len(one.tops):
            return None
        index, confidence = one.tops[place][0]
        return Guess(entry, entry.labels[index], confidence) if index < entry.n_classes else None

    def _tops_with(self, place: int) -> bool:
        """Whether the target is what the first classifier takes a picture for."""
        assert self.first
        return bool(self.known[self.first.name].tops[place][0][0] == self.session.target)


def reach(confidence: float) -> int:
    """Return how far a meter is filled, in hundredths: tenfold odds are an eighth of it, 50 % is the middle."""
    least = 10.0**-DECADES
    bounded = min(max(confidence, least), 1 - least)
    odds = log10(bounded / (1 - bounded))
    return round(50 * (1 + min(max(odds / DECADES, -1.0), 1.0)))
