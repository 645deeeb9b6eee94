"""What an archive file comes to, in the numbers that the paper reports (sections 3.2 and 3.3, Figures 6 and 7)."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evolution.archive_file import ArchiveFile
from evolution.archive_lines import Statistics
from evolution.statistics import classes_that_count, summarise
from models_zoo.wordnet import CATS_AND_DOGS_CLASSES, branches

LEVELS = (0.5, 0.9, 0.99, 0.9999)
AT = (10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000)  # evaluations
NAMED = 3  # branches at either end


def report_on(path: Path) -> dict[str, Any]:
    """Return a run in numbers; raises ArchiveFileError where the file is damaged."""
    with ArchiveFile(path) as archive:
        archive.check()
        confidences = np.zeros(archive.run.n_classes, np.float32)
        for class_index, takeover in archive.champions.items():
            confidences[class_index] = takeover.confidence
        counted = classes_that_count(archive.run.parameters, len(confidences))
        dataset = archive.run.classifier["dataset"] if len(counted) == len(confidences) else ""
        confidences = confidences[counted]
        return {
            "file": path.name,
            "name": archive.run.name,
            "classifier": archive.run.classifier["name"],
            "encoding": archive.run.parameters.encoding,
            "crops": archive.run.parameters.crops,
            "seed": archive.run.seed,
            "generation": archive.generation,
            "evaluations": archive.evaluations,
            "classes": len(confidences),
            **asdict(summarise(confidences)),
            "classes_at": {str(level): int((confidences >= level).sum()) for level in LEVELS},
            "at_evaluations": _on_the_way(list(archive.statistics())),
            "groups": _groups(confidences, dataset),
            "archive_sha256": archive.archive_sha256,
        }


def in_words(report: dict[str, Any]) -> str:
    """Return the same for people, a line a fact."""
    reached = ", ".join(
        f"{count} at {_percent(float(level))}" for level, count in report["classes_at"].items()
    )
    lines = [
        f"{report['name']} ({report['file']})",
        f"generation {report['generation']:,}, {report['evaluations']:,} evaluations",
        f"median {_percent(report['median'], 4)}, mean {_percent(report['mean'], 4)}; "
        f"of {report['classes']:,} classes {reached} or more",
    ]
    lines += [f"{count:>9,} evaluations: {_line(at)}" for count, at in report["at_evaluations"].items()]
    lines += [f"{name}: {_group(numbers)}" for name, numbers in report["groups"].items()]
    return "\n".join(lines)


def _on_the_way(statistics: list[Statistics]) -> dict[int, dict[str, float]]:
    """Return the archive's numbers at round counts of evaluations, from the last generation not beyond each."""
    counts = np.array([line.evaluations for line in statistics])
    passed = {at: int(np.searchsorted(counts, at, side="right")) - 1 for at in AT if counts[-1] >= at}
    return {
        at: {
            "generation": statistics[row].generation,
            "median": statistics[row].median,
            "share_99": statistics[row].share_99,
            "share_9999": statistics[row].share_9999,
        }
        for at, row in passed.items()
    }


def _groups(confidences: npt.NDArray[np.float32], dataset: str) -> dict[str, dict[str, float]]:
    """Return medians of cats and dogs, of all others, and of the branches at either end."""
    if dataset != "imagenet":
        return {}
    cats_and_dogs = np.isin(np.arange(len(confidences)), CATS_AND_DOGS_CLASSES)
    by_branch = {branch.title: confidences[list(branch.class_indices)] for branch in branches()}
    ranked = sorted(by_branch, key=lambda title: float(np.median(by_branch[title])))
    groups = {
        "cats and dogs (151-286)": confidences[cats_and_dogs],
        "all others": confidences[~cats_and_dogs],
    }
    groups |= {f"among the hardest: {title}": by_branch[title] for title in ranked[:NAMED]}
    groups |= {f"among the easiest: {title}": by_branch[title] for title in ranked[: -NAMED - 1 : -1]}
    return {
        name: {
            "classes": len(members),
            "median": float(np.median(members)),
            "share_99": float((members >= LEVELS[2]).mean()),
        }
        for name, members in groups.items()
    }


def _line(at: dict[str, float]) -> str:
    shares = f"{_percent(at['share_99'], 1)} of classes at 99 %, {_percent(at['share_9999'], 1)} at 99.99 %"
    return f"median {_percent(at['median'])}, {shares}"


def _group(numbers: dict[str, float]) -> str:
    share = f"{_percent(numbers['share_99'], 1)} of {numbers['classes']} classes at 99 %"
    return f"median {_percent(numbers['median'])}, {share}"


def _percent(share: float, decimals: int = 2) -> str:
    """Write a share in percent, cut and never rounded up: what stands there was reached."""
    scale = 10**decimals
    return f"{math.floor(share * 100 * scale + 1e-9) / scale:.{decimals}f} %"
