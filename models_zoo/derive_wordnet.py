"""Derive `imagenet_classes.csv` from WordNet's nouns: `python -m models_zoo.derive_wordnet FOLDER`.

FOLDER holds WordNet 3.0's `data.noun` (Debian's package wordnet-base puts it into /usr/share/wordnet). The
WordNet ids of the classes come from the table as it is, or from the column `wnid` of another CSV file named with
`--classes`; an id is the letter n and the noun's place in that file. Nothing at run time needs this module.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models_zoo.wordnet import SEPARATOR, TABLE, TITLES

HYPERNYMS = ("@", "@i")  # "is a kind of" and "is an instance of"
TOO_GENERAL = {"entity", "physical entity", "object", "whole", "matter", "abstraction", "causal agent"}
COLUMNS = ("class_index", "wnid", "label", "branch", "path")

# A class grows on the first branch one of whose nouns it is a kind of; the last one takes the rest.
BRANCHES: dict[str, tuple[str, ...]] = {
    "dogs": ("n02084071",),  # dog
    "cats": ("n02120997",),  # feline
    "primates": ("n02469914",),
    "beasts-of-prey": ("n02075296",),  # carnivore
    "hoofed-animals": ("n02370806",),  # ungulate
    "other-mammals": ("n01861778",),
    "water-birds": ("n01844917",),  # aquatic bird
    "other-birds": ("n01503061",),
    "lizards": ("n01674464",),
    "snakes": ("n01726692",),
    "other-reptiles": ("n01661091", "n01627424"),  # reptile, amphibian
    "fish": ("n01473806",),  # aquatic vertebrate
    "insects": ("n02159955",),
    "other-invertebrates": ("n01905661",),
    "food": ("n00021265", "n07555863", "n07705711", "n07881800", "n13134947"),  # food, produce, drink, fruit
    "plants": ("n00017222", "n12992868", "n13086908"),  # plant, fungus, part of a plant
    "landscapes": ("n09287968", "n09225146"),  # geological formation, body of water
    "cars": ("n03791235",),  # motor vehicle
    "ships": ("n03125870",),  # craft
    "other-vehicles": ("n03100490",),  # conveyance
    "instruments": ("n03800933",),  # musical instrument
    "buildings": ("n04341686", "n04105068"),  # structure, roof
    "clothing": ("n03051540", "n03380867", "n03502509", "n03113835", "n02862048"),  # to shoe, hat and armour
    "furniture": ("n03405265",),
    "weapons": ("n04565375",),
    "electronics": ("n03278248", "n03082979", "n06277280"),  # electronic equipment, computer, television
    "measuring": ("n03733925", "n04437953"),  # measuring instrument, timepiece
    "kitchen": ("n03620052", "n03101986", "n04516672", "n04381587", "n04530566"),  # appliances to vessels
    "sport": ("n03414162", "n04285146", "n03964744"),  # game equipment, sports equipment, plaything
    "containers": ("n03094503",),
    "tools": ("n03563967", "n03699975"),  # implement, machine
    "devices": ("n03183080",),
    "household": (),
}


@dataclass(frozen=True)
class Noun:
    """A synonym set: the words for one thing, and the ids of what it is a kind of."""

    words: tuple[str, ...]
    hypernyms: tuple[str, ...]


def read_nouns(path: Path) -> dict[str, Noun]:
    """Return all nouns of WordNet by id."""
    with path.open(encoding="ascii") as lines:
        entries = (line.partition(" | ")[0].split() for line in lines if not line.startswith("  "))
        return {f"n{fields[0]}": _noun(fields) for fields in entries}


def _noun(fields: list[str]) -> Noun:
    """Read offset, file, type, hexadecimal number of words, words, number of pointers, pointers."""
    count = int(fields[3], 16)
    words = tuple(word.replace("_", " ") for word in fields[4 : 4 + 2 * count : 2])
    pointers = fields[5 + 2 * count :]
    quadruples = zip(*(pointers[part::4] for part in range(3)), strict=False)
    return Noun(
        words, tuple(f"n{to}" for symbol, to, kind in quadruples if symbol in HYPERNYMS and kind == "n")
    )


def ancestors(wnid: str, nouns: dict[str, Noun]) -> set[str]:
    """Return everything that a noun is a kind of, itself included."""
    return {wnid}.union(*(ancestors(above, nouns) for above in nouns[wnid].hypernyms))


def path_of(wnid: str, nouns: dict[str, Noun]) -> list[str]:
    """Return the first words from the most general noun down to this one; of several kinds, the first named."""
    above = nouns[wnid].hypernyms
    return [*(path_of(above[0], nouns) if above else []), nouns[wnid].words[0]]


def branch_of(wnid: str, nouns: dict[str, Noun]) -> str:
    """Return the first branch that holds a noun."""
    kinds = ancestors(wnid, nouns)
    return next(name for name, ids in BRANCHES.items() if not ids or kinds.intersection(ids))


def labels(wnids: list[str], nouns: dict[str, Noun]) -> list[str]:
    """Return the first word for each class, and for words that stand for two what they are kinds of."""
    first = [nouns[wnid].words[0] for wnid in wnids]
    often = Counter(word.casefold() for word in first)
    told_apart = [
        f"{word} ({nouns[nouns[wnid].hypernyms[0]].words[0]})" if often[word.casefold()] > 1 else word
        for wnid, word in zip(wnids, first, strict=True)
    ]
    still_alike = Counter(told_apart)
    return [
        f"{nouns[wnid].words[0]} ({nouns[wnid].words[-1]})" if still_alike[label] > 1 else label
        for wnid, label in zip(wnids, told_apart, strict=True)
    ]


def rows(wnids: list[str], nouns: dict[str, Noun]) -> Iterator[tuple[object, ...]]:
    """Yield the lines of the table."""
    for class_index, (wnid, label) in enumerate(zip(wnids, labels(wnids, nouns), strict=True)):
        path = [word for word in path_of(wnid, nouns) if word not in TOO_GENERAL]
        yield class_index, wnid, label, branch_of(wnid, nouns), SEPARATOR.join(path)


def write_table(folder: Path, classes: Path, output: Path) -> int:
    """Write the table and return how many classes it has."""
    assert set(BRANCHES) == set(TITLES), "every branch needs a title"
    with classes.open(encoding="utf-8", newline="") as lines:
        wnids = sorted(row["wnid"] for row in csv.DictReader(lines))  # the classes stand in the ids' order
    nouns = read_nouns(folder / "data.noun")
    with output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(wnids, nouns))
    return len(wnids)


def main(arguments: list[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models_zoo.derive_wordnet", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where WordNet's data.noun lies")
    parser.add_argument("--classes", type=Path, default=TABLE, help="a CSV file with a column wnid")
    parser.add_argument("--output", type=Path, default=TABLE, help="the table to write")
    options = parser.parse_args(arguments)
    try:
        count = write_table(options.folder, options.classes, options.output)
    except (OSError, KeyError) as error:
        parser.error(f"{error}; give the folder of WordNet 3.0 and a CSV file with a column wnid")
    print(f"{count} classes written to {options.output}")


if __name__ == "__main__":
    main(sys.argv[1:])
