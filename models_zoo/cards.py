"""What is known of a trained network: on what it was trained, how well it does, and the hash of its weights.

Networks trained here have their card beside the weights file. Those that others trained have it in their entry
of the registry, with the source of what it says. Importable without torch.
"""

import functools
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from models_zoo.errors import WeightsCorrupted, WeightsMissing

WEIGHTS = Path(__file__).resolve().parent / "weights"


class Card(TypedDict):
    """What every card says. `sha256` is the hash of the weights file.

    `test_error_percent` is 100 less the share of test images whose likeliest class is right, None where nobody
    measured it; `source` says who measured, and on what. `licence` is that of the weights.
    """

    classifier: str
    dataset: str
    test_error_percent: float | None
    parameters: int
    sha256: str
    source: NotRequired[str]
    licence: NotRequired[str]


class TrainedCard(Card):
    """The card of a network trained here, as it stands in its JSON file."""

    training_images: int
    test_images: int
    test_mistakes: int
    iterations: int
    settings: dict[str, Any]
    date: str
    versions: dict[str, str]


def read_card(name: str, weights: Path, remedy: str = "") -> Card:
    """Return the card beside this weights file; raises WeightsCorrupted if it is missing or damaged."""
    path = weights.with_suffix(".json")
    try:
        card: Card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise corrupted(name, f"the card {path.name} cannot be read", remedy) from error
    wanted = TrainedCard.__required_keys__
    if not isinstance(card, dict) or not wanted <= set(card) or card["classifier"] != name:
        raise corrupted(name, f"the card {path.name} is damaged", remedy)
    return card


def read_weights(name: str, weights: Path, sha256: str, remedy: str = "") -> bytes:
    """Return a weights file with this hash; raises WeightsMissing or WeightsCorrupted."""
    try:
        content = weights.read_bytes()
    except FileNotFoundError as error:
        raise missing(name, f"the weights file {weights.name} is not here", remedy) from error
    except OSError as error:
        raise corrupted(name, f"the weights file {weights.name} cannot be read", remedy) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise corrupted(name, f"the weights file {weights.name} does not match the hash on its card", remedy)
    return content


def vouch_for(name: str, weights: Path, sha256: str, remedy: str = "") -> None:
    """Make sure that a weights file has this hash, reading it only where it has changed since it was last read."""
    try:
        facts = weights.stat()
    except OSError:
        read_weights(name, weights, sha256, remedy)
        return
    _vouch_for(name, weights, sha256, remedy, facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=64)
def _vouch_for(name: str, weights: Path, sha256: str, remedy: str, changed: int, size: int) -> None:
    read_weights(name, weights, sha256, remedy)


def package_folder(package: str) -> Path:
    """Return the folder of an installed Python package, found without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return Path(package)  # not installed: nothing lies there, and reading says so with the remedy
    return Path(found.submodule_search_locations[0])


def missing(name: str, what: str, remedy: str = "") -> WeightsMissing:
    """Return the error that says that a classifier's weights are not here and how to get them."""
    return WeightsMissing(f"{what}; {remedy or _remedy(name)}")


def corrupted(name: str, what: str, remedy: str = "") -> WeightsCorrupted:
    """Return the error that says what is wrong with a classifier's files and how to mend it."""
    return WeightsCorrupted(f"{what}; {remedy or _remedy(name)}")


def _remedy(name: str) -> str:
    return f"restore it from the repository or train it again with manage.py train_classifier {name}"
