"""A classifier's card on its way to another site, inside an archive file: all that is known of it but its weights.

A site that lacks the classifier keeps the card: its runs can then be looked at, and continued once somebody brings
the weights. Importable without torch.
"""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models_zoo.errors import ImportRefused, UnknownClassifier, ZooError
from models_zoo.registry import ClassifierEntry, find


def card_document(entry: ClassifierEntry) -> dict[str, Any]:
    """Return what a file tells of a classifier; raises WeightsCorrupted where its card is damaged."""
    card = entry.card
    return {
        "name": entry.name,
        "title": entry.title,
        "summary": entry.summary,
        "dataset": entry.dataset,
        "labels": list(entry.labels),
        "architecture": getattr(entry, "architecture", "") or entry.name,
        "preprocessing": asdict(entry.preprocessing),
        "weights_sha256": card["sha256"],
        "test_error_percent": card["test_error_percent"],
        "parameters": card["parameters"],
        "source": card.get("source", ""),
        "licence": card.get("licence", ""),
    }


def known_or_registered(document: dict[str, Any]) -> ClassifierEntry:
    """Return the classifier of a file's card, kept without weights where this site lacks it; raises ZooError."""
    try:
        entry = find(document["name"])
    except UnknownClassifier:
        return _register(document)
    if list(entry.labels) != document["labels"]:
        raise ImportRefused(
            f"the classifier {entry.name!r} of this site tells other classes apart than that of the file; "
            "rename this site's first"
        )
    return entry


def _register(document: dict[str, Any]) -> ClassifierEntry:
    from models_zoo.imported import LABELS, Description, StoredCard
    from models_zoo.preprocessing import Preprocessing

    labels = tuple(document["labels"])
    try:
        numbers = dict(document["preprocessing"])
        card = StoredCard(
            description=Description(
                name=document["name"],
                title=document["title"],
                summary=str(document.get("summary", "")),
                architecture=str(document.get("architecture", "")),
                preprocessing=Preprocessing(
                    **{**numbers, "mean": tuple(numbers["mean"]), "std": tuple(numbers["std"])}
                ),
                labels=next((name for name, known in LABELS.items() if known == labels), labels),
                licence=str(document.get("licence", "")),
                source=str(document.get("source", "")),
            ),
            sha256=document["weights_sha256"],
            parameters=int(document.get("parameters") or 0),
            test_error_percent=document.get("test_error_percent"),
        )
    except ZooError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ImportRefused(f"the card of {document['name']!r} in the file is damaged: {error!r}") from error
    _store(document["name"], card.to_json())
    return find(document["name"])


def _store(name: str, text: str) -> None:
    """Write a card, so that nobody ever sees half of it."""
    from models_zoo.imported import CARD, classifiers_folder

    folder = classifiers_folder() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=folder, prefix=".part-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(part, 0o644)
        os.replace(Path(part), folder / CARD)
    except OSError as error:
        raise ImportRefused(
            f"{folder} cannot be written to ({error.strerror}); make room or mend it"
        ) from error
