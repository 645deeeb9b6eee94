"""What docs/classifiers.md says about the classifiers."""

from pathlib import Path

import pytest

from models_zoo.registry import CLASSIFIERS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "classifiers.md"


def rows(heading):
    _, _, section = DOCUMENT.read_text().partition(f"## {heading}\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("heading", "dataset"), [("For digits", "mnist"), ("For photographs", "imagenet")])
def test_names_every_classifier(heading, dataset):
    known = [name for name, entry in CLASSIFIERS.items() if entry.dataset == dataset]

    assert [row[0].strip("`") for row in rows(heading)] == known


def test_gives_the_numbers_of_the_cards():
    for name, _, parameters, mistakes, error, seed, epochs in rows("For digits"):
        card = CLASSIFIERS[name.strip("`")].card
        assert parameters == f"{card['parameters']:,}"
        assert mistakes == str(card["test_mistakes"])
        assert error == f"{card['test_error_percent']:.2f} %"
        assert (seed, epochs) == (str(card["settings"]["seed"]), str(card["settings"]["epochs"]))


def test_gives_the_numbers_of_published_cards():
    for name, _, parameters, error, image, seen in rows("For photographs"):
        entry = CLASSIFIERS[name.strip("`")]
        size = entry.preprocessing.input_size
        assert parameters == f"{entry.card['parameters']:,}"
        assert error == f"{entry.card['test_error_percent']:.2f} %"
        assert image == f"{entry.height} x {entry.width}"
        assert seen == f"the centre, {size} x {size}"
