"""What docs/classifiers.md says about the classifiers."""

from pathlib import Path

from models_zoo.registry import CLASSIFIERS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "classifiers.md"


def rows():
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_names_every_classifier():
    assert [row[0].strip("`") for row in rows()] == list(CLASSIFIERS)


def test_gives_the_numbers_of_the_cards():
    for name, _, parameters, mistakes, error, seed, epochs in rows():
        card = CLASSIFIERS[name.strip("`")].card
        assert parameters == f"{card['parameters']:,}"
        assert mistakes == str(card["test_mistakes"])
        assert error == f"{card['test_error_percent']:.2f} %"
        assert (seed, epochs) == (str(card["settings"]["seed"]), str(card["settings"]["epochs"]))
