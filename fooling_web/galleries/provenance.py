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

FORMAT, VERSION = "foolbreeder-provenance", 1
NAMED_VERSIONS = ("numba", "numpy", "pillow", "torch")
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
    }


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
        "owner": run.owner.get_username() if run.owner else None,
        "created": (run.origin or {}).get("created") or run.created_at.isoformat(timespec="seconds"),
        "seed": run.seed,
        "encoding": run.encoding,
        "parameters": run.parameters,
        "command": run.command,
        "generation": run.generation,
        "archive_sha256": _archive_sha256(run),
        "address": absolute(run.get_absolute_url()),
    }


def _classifier(run: Run, absolute: Absolute) -> dict[str, Any]:
    known = run.known_classifier
    return {
        "name": run.classifier,
        "title": run.classifier_title,
        "dataset": known.dataset if known else None,
        "weights_sha256": run.classifier_sha256,
        "address": absolute(reverse("classifiers:detail", args=[run.classifier])) if known else None,
    }


def _software(run: Run) -> dict[str, Any]:
    """Return what computed the run, as far as that is known, and what this site runs on today."""
    site = {
        **_code_version(),
        "python": platform.python_version(),
        **{name: version(name) for name in NAMED_VERSIONS},
    }
    return {"name": "Foolbreeder", "computed_with": (run.origin or {}).get("versions"), "site": site}


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
