"""Everything that says where an image comes from, as one JSON document: enough to make it again and to compare.

An archive's hash is computed from the champions as they stand now, as an archive file of the run would tell it.
"""

import functools
import platform
import tomllib
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from django.urls import reverse

from evolution.archive_file import archive_sha256
from fooling_web.home import PROJECT
from fooling_web.runs.models import Individual, Run
from models_zoo.errors import ZooError
from models_zoo.registry import ClassifierEntry

FORMAT, VERSION = "foolbreeder-provenance", 1
NAMED_VERSIONS = ("numba", "numpy", "pillow", "torch")
NOT_RECORDED = "not recorded"
AGREEING = (
    "The last digits of a confidence depend on the processor and on how many pictures are computed at once; "
    "confidences of one picture agree within 3e-6."
)
Absolute = Callable[[str], str]  # from a path to a whole address


def provenance_of(run: Run, individual: Individual, absolute: Absolute) -> dict[str, Any]:
    """Return the document of an image."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "image": _image(run, individual, absolute),
        "run": _run(run, absolute),
        "classifier": _classifier(run, absolute),
        "software": _software(run),
        "note": AGREEING,
    }


def making_of(run: Run, individual: Individual) -> dict[str, Any]:
    """Return how an image is made again: by a run as far as the generation in which it was born, at least one.

    What a person bred by hand, or brought from elsewhere, no command makes again.
    """
    if not run.is_search:
        return {"generations_needed": None, "command": None}
    needed = max(1, individual.generation)
    return {"generations_needed": needed, "command": run.command_until(needed)}


def made_with(run: Run) -> str:
    """Say in words what is known of what computed the run."""
    software = _software(run)
    told = software["computed_with"]
    packages = (
        ", ".join(f"{name} {version}" for name, version in sorted(told.items()))
        if told != NOT_RECORDED
        else told
    )
    return f"Software: {packages}. Code version: {software['code_version']}. Machine: {software['machine']}."


def _image(run: Run, individual: Individual, absolute: Absolute) -> dict[str, Any]:
    place = [run.pk, individual.number]
    return {
        "number": individual.number,
        "generation": individual.generation,
        "parents": individual.parents,
        "genome_sha256": individual.genome_hash,
        "confidences": [_confidence(run, *pair) for pair in individual.top],
        "took": [
            {**_confidence(run, class_index, confidence), "generation": generation}
            for class_index, confidence, generation in individual.takeovers.values_list(
                "class_index", "confidence", "generation"
            )
        ],
        **making_of(run, individual),
        "holds": list(individual.championships.order_by("class_index").values_list("class_index", flat=True)),
        "addresses": {
            "page": absolute(reverse("galleries:image", args=place)),
            "picture": absolute(reverse("runs:image", args=[*place, individual.genome_hash])),
            "genome": absolute(reverse("runs:genome", args=place)),
        },
    }


def _run(run: Run, absolute: Absolute) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "name": run.name,
        "kind": run.kind,
        "owner": run.owner.get_username() if run.owner else None,
        "created": (run.origin or {}).get("created") or run.created_at.isoformat(timespec="seconds"),
        "seed": run.seed,
        "encoding": run.encoding,
        "parameters": run.parameters,
        "command": run.command if run.kind == Run.Kind.SEARCH else None,
        "generation": run.generation,
        "archive_sha256": _archive_sha256(run),
        "address": absolute(run.get_absolute_url()),
    }


def _classifier(run: Run, absolute: Absolute) -> dict[str, Any]:
    known = run.known_classifier
    card = _card(known) if known else {}
    return {
        "name": run.classifier,
        "title": run.classifier_title,
        "dataset": known.dataset if known else None,
        "weights_sha256": run.classifier_sha256,
        "source": card.get("source") or NOT_RECORDED,
        "licence": card.get("licence") or NOT_RECORDED,
        "address": absolute(reverse("classifiers:detail", args=[run.classifier])) if known else None,
    }


def _card(entry: ClassifierEntry) -> dict[str, Any]:
    """Return a classifier's card; nothing where it cannot be read."""
    with suppress(ZooError):
        return dict(entry.card)
    return {}


def _software(run: Run) -> dict[str, Any]:
    """Return what computed the run, as far as that was recorded, and what this site runs on today."""
    versions = (run.origin or {}).get("versions") or {}
    site = {
        **_code_version(),
        "python": platform.python_version(),
        **{name: version(name) for name in NAMED_VERSIONS},
    }
    return {
        "name": "Foolbreeder",
        "computed_with": versions or NOT_RECORDED,
        "code_version": versions.get("foolbreeder", NOT_RECORDED),
        "machine": NOT_RECORDED,  # neither a run nor an archive file tells it
        "site": site,
    }


@functools.cache
def _code_version() -> dict[str, str]:
    """Return the project's version, and its commit where the site runs from a clone."""
    known = {"foolbreeder": tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]}
    with suppress(OSError):
        head = (PROJECT / ".git" / "HEAD").read_text().strip()
        branch = head.removeprefix("ref: ")
        known["commit"] = head if branch == head else (PROJECT / ".git" / branch).read_text().strip()
    return known


def _archive_sha256(run: Run) -> str | None:
    """Return the hash of the run's archive as it stands; None where it is not known how many classes there are."""
    if not run.n_classes or run.generation is None:
        return None
    held = run.champions.values_list("class_index", "individual__genome_hash", "confidence")
    champions = {class_index: (genome_hash, confidence) for class_index, genome_hash, confidence in held}
    return archive_sha256(run.n_classes, champions)


def _confidence(run: Run, class_index: int, confidence: float) -> dict[str, Any]:
    return {"class_index": class_index, "label": run.label_of(class_index), "confidence": confidence}
