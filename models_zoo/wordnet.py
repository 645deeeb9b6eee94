"""The thousand classes of ImageNet: their labels, their WordNet ids, and the branches that they grow on.

Every class is a noun of WordNet 3.0, and WordNet says of each noun what it is a kind of. From that come a path
("animal > ... > dog > toy dog > Chihuahua"), one of some thirty branches for every class, and the groups that
the paper speaks of. The table is derived once, by `models_zoo/derive_wordnet.py`. Importable without torch.
"""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

from models_zoo.errors import UnknownGroup

TABLE = Path(__file__).with_name("imagenet_classes.csv")
SEPARATOR = " > "


@dataclass(frozen=True)
class ImageNetClass:
    """One line of the table; `path` goes from the most general word down to the class itself."""

    class_index: int
    wnid: str
    label: str
    branch: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Branch:
    """Classes that belong together; every class lies in exactly one branch, every branch in one area."""

    name: str
    title: str
    area: str
    class_indices: tuple[int, ...]


# Name: title and area, in the order in which people see them. `derive_wordnet` says which nouns each one holds.
TITLES: dict[str, tuple[str, str]] = {
    "dogs": ("Dogs", "Animals"),
    "cats": ("Cats, small and big", "Animals"),
    "beasts-of-prey": ("Wolves, bears and other beasts of prey", "Animals"),
    "hoofed-animals": ("Hoofed animals", "Animals"),
    "primates": ("Apes and monkeys", "Animals"),
    "other-mammals": ("Other mammals", "Animals"),
    "water-birds": ("Water birds", "Animals"),
    "other-birds": ("Other birds", "Animals"),
    "lizards": ("Lizards", "Animals"),
    "snakes": ("Snakes", "Animals"),
    "other-reptiles": ("Other reptiles and amphibians", "Animals"),
    "fish": ("Fish", "Animals"),
    "insects": ("Insects", "Animals"),
    "other-invertebrates": ("Spiders, shells and other invertebrates", "Animals"),
    "plants": ("Plants and fungi", "Nature and food"),
    "food": ("Food and drink", "Nature and food"),
    "landscapes": ("Landscapes", "Nature and food"),
    "cars": ("Cars and lorries", "Vehicles"),
    "ships": ("Ships and aircraft", "Vehicles"),
    "other-vehicles": ("Other vehicles", "Vehicles"),
    "buildings": ("Buildings and other structures", "Things"),
    "clothing": ("Clothing", "Things"),
    "containers": ("Containers", "Things"),
    "devices": ("Devices", "Things"),
    "electronics": ("Electronics", "Things"),
    "furniture": ("Furniture", "Things"),
    "household": ("Household and other things", "Things"),
    "instruments": ("Musical instruments", "Things"),
    "kitchen": ("Kitchen", "Things"),
    "measuring": ("Clocks and measuring instruments", "Things"),
    "sport": ("Sport and play", "Things"),
    "tools": ("Tools and machines", "Things"),
    "weapons": ("Weapons", "Things"),
}

# Groups made of branches, and groups by the noun that all their members are kinds of.
GROUPS_OF_BRANCHES: dict[str, tuple[str, ...]] = {
    "birds": ("water-birds", "other-birds"),
    "vehicles": ("cars", "ships", "other-vehicles"),
}
GROUPS_BY_NOUN: dict[str, str] = {"toy-dogs": "toy dog"}
CATS_AND_DOGS = "cats-and-dogs"  # the classes that the paper (section 3.3) found hardest to fool
CATS_AND_DOGS_CLASSES = tuple(range(151, 287))  # dogs, wolves, foxes, house cats, the cougar


def _read_table() -> tuple[ImageNetClass, ...]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return tuple(
            ImageNetClass(
                class_index=int(row["class_index"]),
                wnid=row["wnid"],
                label=row["label"],
                branch=row["branch"],
                path=tuple(row["path"].split(SEPARATOR)),
            )
            for row in csv.DictReader(lines)
        )


CLASSES = _read_table()  # in order of class_index, which is that of the WordNet ids
IMAGENET_LABELS = tuple(known.label for known in CLASSES)
WNIDS = tuple(known.wnid for known in CLASSES)


@functools.cache
def branches() -> tuple[Branch, ...]:
    """Return all branches in the order in which people see them."""
    return tuple(
        Branch(name, title, area, tuple(known.class_index for known in CLASSES if known.branch == name))
        for name, (title, area) in TITLES.items()
    )


@functools.cache
def groups() -> dict[str, tuple[int, ...]]:
    """Return the classes of every branch and of every group that the paper speaks of, by name."""
    by_branch = {branch.name: branch.class_indices for branch in branches()}
    of_branches = {
        name: tuple(sorted(class_index for part in parts for class_index in by_branch[part]))
        for name, parts in GROUPS_OF_BRANCHES.items()
    }
    by_noun = {
        name: tuple(known.class_index for known in CLASSES if noun in known.path)
        for name, noun in GROUPS_BY_NOUN.items()
    }
    return {**by_branch, **of_branches, **by_noun, CATS_AND_DOGS: CATS_AND_DOGS_CLASSES}


def group(name: str) -> tuple[int, ...]:
    """Return the class indices of a branch or group; raises UnknownGroup, which names the known ones."""
    if name not in groups():
        raise UnknownGroup(f"unknown group {name!r}; choose one of: {', '.join(sorted(groups()))}")
    return groups()[name]


def path_of(class_index: int) -> tuple[str, ...]:
    """Return what a class is a kind of, from the most general word down to the class itself."""
    return CLASSES[class_index].path


def branch_of(class_index: int) -> str:
    """Return the name of the branch on which a class grows."""
    return CLASSES[class_index].branch
