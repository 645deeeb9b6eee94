"""The card that lies beside every weights file: what it was trained on, how, and how well it does.

Importable without torch.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, TypedDict

from models_zoo.errors import WeightsCorrupted

WEIGHTS = Path(__file__).resolve().parent / "weights"


class Card(TypedDict):
    """A card as it stands in its JSON file. `sha256` is the hash of the weights file."""

    classifier: str
    dataset: str
    training_images: int
    test_images: int
    test_mistakes: int
    test_error_percent: float
    parameters: int
    iterations: int
    settings: dict[str, Any]
    date: str
    sha256: str
    versions: dict[str, str]


def read_card(name: str, weights: Path) -> Card:
    """Return the card beside this weights file; raises WeightsCorrupted if it is missing or damaged."""
    path = weights.with_suffix(".json")
    try:
        card: Card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise corrupted(name, f"the card {path.name} cannot be read") from error
    if not isinstance(card, dict) or set(card) != set(Card.__annotations__) or card["classifier"] != name:
        raise corrupted(name, f"the card {path.name} is damaged")
    return card


def read_weights(name: str, weights: Path) -> tuple[bytes, Card]:
    """Return a weights file that its card vouches for, and the card; raises WeightsCorrupted.

    The hash is compared before anything is parsed: what the card does not vouch for is not read.
    """
    card = read_card(name, weights)
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise corrupted(name, f"the weights file {weights.name} cannot be read") from error
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise corrupted(name, f"the weights file {weights.name} does not match the hash on its card")
    return content, card


def corrupted(name: str, what: str) -> WeightsCorrupted:
    """Return the error that says what is wrong with a classifier's files and how to mend it."""
    remedy = f"restore it from the repository or train it again with manage.py train_classifier {name}"
    return WeightsCorrupted(f"{what}; {remedy}")
