"""Classifiers that did not come with the project: downloaded through torchvision, or brought along by a user.

Each lies in a folder of its own, `FOOLING_HOME/classifiers/NAME/`: `classifier.json`, its card, and
`weights.safetensors`. A card may be there without weights: the classifier is then known by name, labels and
preprocessing, and cannot compute. The folder is looked at anew each time, so what one process takes in every
other one sees at once. Importable without torch.
"""

import functools
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from models_zoo.cards import Card
from models_zoo.errors import BadPreprocessing, ImportRefused
from models_zoo.preprocessing import Preprocessing
from models_zoo.registry import DIGITS, ClassifierEntry
from models_zoo.torchvision_zoo import LICENCE, OFFERS, Offer
from models_zoo.wordnet import IMAGENET_LABELS

logger = logging.getLogger(__name__)

CARD, WEIGHTS = "classifier.json", "weights.safetensors"
VERSION = 1
PROJECT = Path(__file__).resolve().parent.parent
RESERVED = (
    "fetches",
    "import",
    "imports",
    "trials",
)  # addresses of the site's own beside those of classifiers
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_NAME, LONGEST_TITLE, LONGEST_LABEL = 48, 60, 200
MOST_CLASSES = 100_000
LABELS = {"imagenet": IMAGENET_LABELS, "mnist": DIGITS}
BUILDER = "models_zoo.architectures:build"

Origin = Literal["imported", "torchvision"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How a classifier did on labelled pictures; shares from 0 to 1, the median that of its highest confidences."""

    images: int
    top_1: float
    top_5: float
    median_confidence: float


@dataclass(frozen=True, kw_only=True)
class Description:
    """Everything that a person says of a classifier: all of its card but what is measured from the weights.

    `labels` is "imagenet" or "mnist" for their labels, or the labels themselves. Raises ImportRefused.
    """

    name: str
    architecture: str
    preprocessing: Preprocessing
    labels: str | tuple[str, ...]
    title: str = ""
    summary: str = "Brought along by a user of this site."
    licence: str = ""
    source: str = ""
    origin: Origin = "imported"

    def __post_init__(self) -> None:
        """Refuse a name that is no address and labels that nobody could tell apart."""
        if not SLUG.fullmatch(self.name) or len(self.name) > LONGEST_NAME:
            raise ImportRefused(
                f"name {self.name[:LONGEST_NAME]!r}; give small letters, digits and single hyphens between them, "
                f"at most {LONGEST_NAME}, such as my-squeezenet",
                about="name",
            )
        if len(self.title) > LONGEST_TITLE:
            raise ImportRefused(
                f"a title of {len(self.title)} letters; give at most {LONGEST_TITLE}", about="title"
            )
        require_labels(self.label_names)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Return the name of every class."""
        return LABELS[self.labels] if isinstance(self.labels, str) else self.labels

    @property
    def dataset(self) -> str:
        """Return "imagenet", "mnist", or "custom" for labels of one's own."""
        return self.labels if isinstance(self.labels, str) else "custom"


@dataclass(frozen=True, kw_only=True)
class StoredCard:
    """A card as it stands in its JSON file. `sha256` is the weights' hash, `parameters` how many they are."""

    description: Description
    sha256: str
    parameters: int
    test_error_percent: float | None = None
    measured: Measured | None = None
    date: str = ""
    version: int = field(default=VERSION)

    def to_json(self) -> str:
        """Return the card as text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "StoredCard":
        """Read a card; raises ImportRefused where it is damaged."""
        try:
            facts = json.loads(text)
            if facts["version"] != VERSION:
                raise ValueError(f"version {facts['version']!r}")
            return cls(**{**facts, "description": _description(facts), "measured": _measured(facts)})
        except (KeyError, TypeError, ValueError, AttributeError, BadPreprocessing) as error:
            raise ImportRefused(f"the card of a classifier is damaged ({error}); import it again") from error


def classifiers_folder() -> Path:
    """Return the folder of this site's own classifiers, inside `FOOLING_HOME`, by default `var/`."""
    home = Path(os.environ.get("FOOLING_HOME") or PROJECT / "var").expanduser().resolve()
    return home / "classifiers"


def require_labels(labels: tuple[str, ...]) -> None:
    """Raise ImportRefused unless these can be the names of classes."""
    if not 2 <= len(labels) <= MOST_CLASSES:
        labels_given = "1 label" if len(labels) == 1 else f"{len(labels)} labels"
        raise ImportRefused(f"{labels_given}; give from 2 to {MOST_CLASSES:,}, one a line", about="labels")
    for number, label in enumerate(labels):
        if not label.strip() or len(label) > LONGEST_LABEL or not label.isprintable():
            raise ImportRefused(
                f"label {label[:LONGEST_LABEL]!r} of class {number}; give one printable line of at most "
                f"{LONGEST_LABEL} letters for each class",
                about="labels",
            )


def require_free(name: str) -> None:
    """Raise ImportRefused where the name belongs to a classifier that this one must not replace."""
    from models_zoo.registry import CLASSIFIERS

    if name in CLASSIFIERS or name in OFFERS or name in RESERVED:
        raise ImportRefused(f"name {name!r} is the project's own; choose another", about="name")
    if (classifiers_folder() / name / WEIGHTS).exists():
        raise ImportRefused(
            f"name {name!r} is taken; choose another, or remove {classifiers_folder() / name} first",
            about="name",
        )


def require_own_title(description: Description) -> None:
    """Raise ImportRefused where another classifier has the same name for people."""
    from models_zoo.registry import all_entries

    title = _comparable(description.title or description.name)
    for other in all_entries():
        if other.name != description.name and title in (_comparable(other.title), other.name):
            raise ImportRefused(
                f"title {description.title or description.name!r} is that of {other.name!r}; choose another",
                about="title",
            )


def require_same(card: StoredCard, description: Description) -> None:
    """Raise ImportRefused where a classifier that runs here know is described otherwise than on its card."""
    known = card.description
    facts = ("architecture", "preprocessing", "label_names")
    other = [fact for fact in facts if getattr(known, fact) != getattr(description, fact)]
    if other:
        raise ImportRefused(
            f"name {description.name!r} is known here with other {other[0].replace('label_names', 'labels')}; "
            "choose another name, or describe it as on its page",
            about="name",
        )


def remove(name: str, *, keep_card: bool) -> None:
    """Remove a classifier's weights, and its card too unless something still names it; raises ImportRefused."""
    folder = classifiers_folder() / name
    try:
        (folder / WEIGHTS).unlink(missing_ok=True)  # first: a card alone is whole, weights alone are not
        if not keep_card:
            shutil.rmtree(folder)
    except OSError as error:
        raise ImportRefused(f"{folder} cannot be removed ({error.strerror}); mend it by hand") from error


def _comparable(title: str) -> str:
    return " ".join(title.casefold().split())


def entries() -> dict[str, ClassifierEntry]:
    """Return every classifier of this site that did not come with the project, by name."""
    folder = classifiers_folder()
    offered = {name: _offered(name, folder / name) for name in OFFERS}
    return dict(sorted({**offered, **dict(_stored(folder))}.items()))


def stored_card(name: str) -> StoredCard | None:
    """Return the card of a classifier in the folder; None where there is none. Raises ImportRefused."""
    path = classifiers_folder() / name / CARD
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _card(path, changed)


def offer_description(name: str) -> Description:
    """Return what is known of a classifier that torchvision offers."""
    offer = OFFERS[name]
    return Description(
        name=name,
        title=offer.title,
        summary=offer.summary,
        architecture=f"torchvision:{offer.architecture}",
        preprocessing=_preprocessing_of(offer),
        labels="imagenet",
        licence=LICENCE,
        source="published with the weights by torchvision, on the 50,000 validation images of ImageNet",
        origin="torchvision",
    )


def entry_of(card: StoredCard, folder: Path) -> ClassifierEntry:
    """Return the registry's entry of a card in a folder."""
    description, error, source = card.description, card.test_error_percent, card.description.source
    if error is None and card.measured:
        error = round(100 * (1 - card.measured.top_1), 3)
        source = f"measured on {card.measured.images:,} labelled pictures when it was imported here"
    return ClassifierEntry(
        name=description.name,
        title=description.title or description.name,
        summary=description.summary,
        dataset=description.dataset,
        labels=description.label_names,
        preprocessing=description.preprocessing,
        builder=BUILDER,
        architecture=description.architecture,
        weights=WEIGHTS,
        folder=folder,
        published=Card(
            classifier=description.name,
            dataset=description.dataset,
            test_error_percent=error,
            parameters=card.parameters,
            sha256=card.sha256,
            source=source,
            licence=description.licence,
        ),
        remedy=_remedy(description),
    )


def offered_card(name: str, sha256: str = "") -> StoredCard:
    """Return the card of a classifier that torchvision offers; its hash is known once it was fetched."""
    offer = OFFERS[name]
    return StoredCard(
        description=offer_description(name),
        sha256=sha256,
        parameters=offer.parameters,
        test_error_percent=round(100 - offer.top_1, 3),
    )


def _stored(folder: Path) -> Iterator[tuple[str, ClassifierEntry]]:
    """Yield the classifiers in the folder; one whose card is damaged does not hide the rest."""
    try:
        names = sorted(path.name for path in os.scandir(folder) if SLUG.fullmatch(path.name))
    except OSError:
        return
    for name in names:
        try:
            card = stored_card(name)
        except ImportRefused as error:
            logger.warning("%s: %s", folder / name, error)
            continue
        if card and card.description.name == name:
            yield name, entry_of(card, folder / name)


@functools.lru_cache(maxsize=4 * len(OFFERS))
def _offered(name: str, folder: Path) -> ClassifierEntry:
    return entry_of(offered_card(name), folder)


@functools.lru_cache(maxsize=256)
def _card(path: Path, changed: int) -> StoredCard:
    """Read a card; `changed` is its time of change, so that a new card is not taken for the old one."""
    try:
        return StoredCard.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ImportRefused(
            f"the card {path} cannot be read ({error}); import the classifier again"
        ) from error


def _remedy(description: Description) -> str:
    if description.origin == "torchvision":
        return f"manage.py download_classifier {description.name} fetches it"
    return f"manage.py import_classifier {description.name} --weights FILE brings it"


def _preprocessing_of(offer: Offer) -> Preprocessing:
    return Preprocessing(
        input_size=224,
        channel_order="rgb",
        mean=offer.mean,
        std=offer.std,
        resize=f"short:{offer.side}",
        interpolation="bilinear",
    )


def _description(facts: dict[str, Any]) -> Description:
    given = facts["description"]
    labels = given["labels"]
    numbers = given["preprocessing"]
    preprocessing = {**numbers, "mean": tuple(numbers["mean"]), "std": tuple(numbers["std"])}
    return Description(
        **{
            **given,
            "labels": labels if isinstance(labels, str) else tuple(labels),
            "preprocessing": Preprocessing(**preprocessing),
        }
    )


def _measured(facts: dict[str, Any]) -> Measured | None:
    return Measured(**facts["measured"]) if facts["measured"] else None
