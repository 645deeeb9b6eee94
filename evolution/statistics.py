"""An archive in numbers, as the paper reports them: over the classes, vacant ones counting as zero.

Of gradient ascent only the classes that are climbed count: the others are held by images not meant for them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evolution.parameters import Parameters

SURE, VERY_SURE = 0.99, 0.9999  # the paper's two thresholds


@dataclass(frozen=True)
class ArchiveStatistics:
    """The champions' confidences, 0 to 1, and the share of classes at the paper's thresholds."""

    median: float
    mean: float
    max: float
    share_99: float
    share_9999: float


def summarise(confidences: npt.NDArray[np.float32]) -> ArchiveStatistics:
    """Return the statistics of champions' confidences, (n_classes,)."""
    exact = confidences.astype(np.float64)
    return ArchiveStatistics(
        median=float(np.median(exact)),
        mean=float(exact.mean()),
        max=float(exact.max()),
        share_99=float((exact >= SURE).mean()),
        share_9999=float((exact >= VERY_SURE).mean()),
    )


def classes_that_count(parameters: Parameters, n_classes: int) -> npt.NDArray[np.int64]:
    """Return the class indices over which a run's statistics are taken, ascending."""
    climbed = parameters.gradient.class_indices if parameters.encoding == "gradient" else ()
    return np.array(sorted(climbed) or range(n_classes), np.int64)
