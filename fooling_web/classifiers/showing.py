"""What the pages say of a classifier, from its entry in the registry."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fooling_web.classifiers.comparing import BUDGETS, Fooled, fooled_shares
from models_zoo.cards import Card
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry, all_entries
from models_zoo.torchvision_zoo import OFFERS
from models_zoo.wordnet import CLASSES, branches

NOTHING: list[Fooled | None] = [None] * len(BUDGETS)
DATASETS = {"imagenet": "ImageNet", "mnist": "MNIST", "custom": "Labels of their own"}


@dataclass(frozen=True)
class Row:
    """A classifier in the table of all."""

    entry: ClassifierEntry
    card: Card | None
    weights_here: bool
    megabytes: float | None  # of a download that would bring them
    fooled: list[tuple[int, Fooled | None]]

    @property
    def accuracy(self) -> float | None:
        """The share of test images it gets right, in percent."""
        return accuracy_of(self.card)


@dataclass(frozen=True)
class Class:
    """A class as a page lists it."""

    class_index: int
    label: str
    wnid: str = ""


@dataclass(frozen=True)
class Group:
    """Classes under a heading; a classifier without WordNet ids has a single group without one."""

    title: str
    classes: list[Class]


def tables() -> list[tuple[str, list[Row]]]:
    """Return all classifiers by data set, by name within each."""
    shares = fooled_shares()
    rows = [_row(entry, shares) for entry in all_entries()]
    return [
        (title, chosen)
        for dataset, title in DATASETS.items()
        if (chosen := [row for row in rows if row.entry.dataset == dataset])
    ]


def _row(entry: ClassifierEntry, shares: dict[str, list[Fooled | None]]) -> Row:
    offer = OFFERS.get(entry.name)
    return Row(
        entry=entry,
        card=card_of(entry),
        weights_here=entry.weights_path.exists(),
        megabytes=offer.megabytes if offer else None,
        fooled=list(zip(BUDGETS, shares.get(entry.name, NOTHING), strict=True)),
    )


def card_of(entry: ClassifierEntry) -> Card | None:
    """Return a classifier's card; None where it is damaged."""
    try:
        return entry.card
    except ZooError:
        return None


def accuracy_of(card: Card | None) -> float | None:
    """Return the share of test images that are put into the right class, in percent; None if nobody measured it."""
    if card is None or card["test_error_percent"] is None:
        return None
    return 100 - card["test_error_percent"]


def weights_missing_because(entry: ClassifierEntry) -> str:
    """Return how to get the weights; empty where they are here. Whether they are whole is seen when they are used."""
    if entry.weights_path.exists():
        return ""
    try:
        entry.require_weights()
    except ZooError as error:
        return str(error)
    return ""


def groups_of(entry: ClassifierEntry, wanted: str) -> list[Group]:
    """Return the classes whose label, number or WordNet id holds the wanted words, under their headings."""
    if entry.dataset != "imagenet":
        classes = (Class(index, label) for index, label in enumerate(entry.labels))
        return _not_empty([Group("", _holding(wanted, classes))])
    return _not_empty(
        [
            Group(
                branch.title,
                _holding(
                    wanted if wanted.lower() not in branch.title.lower() else "",
                    (
                        Class(index, CLASSES[index].label, CLASSES[index].wnid)
                        for index in branch.class_indices
                    ),
                ),
            )
            for branch in branches()
        ]
    )


def _holding(wanted: str, classes: Iterable[Class]) -> list[Class]:
    words = wanted.lower().split()
    return [known for known in classes if all(word in _searched(known) for word in words)]


def _searched(known: Class) -> str:
    return f"{known.label.lower()} {known.wnid} {known.class_index}"


def _not_empty(groups: list[Group]) -> list[Group]:
    return [group for group in groups if group.classes]


def facts_of(entry: ClassifierEntry) -> dict[str, Any]:
    """Return what the page of a classifier says of it."""
    card = card_of(entry)
    return {
        "entry": entry,
        "card": card,
        "accuracy": accuracy_of(card),
        "dataset": DATASETS.get(entry.dataset, entry.dataset),
        "missing": weights_missing_because(entry),
    }
