"""The heat map of a run: for every class and generation, how sure the classifier was of the class's champion.

It is read from the takeovers in one query, thinned to some hundred rows, and sent as bytes.
"""

import numpy as np
import numpy.typing as npt

from fooling_web.runs.cabinet import kept
from fooling_web.runs.models import Run

MOST_ROWS = 500  # generations, evenly chosen
STEPS = 200  # a level is a confidence cut to half a per cent; level 0: no champion yet
Takeovers = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]


def heatmap_of(run: Run, generation: int) -> bytes:
    """Return the map up to a generation, which must be one that the run has kept.

    First the number of rows and of classes, then the generation of each row, all as little-endian uint32; then
    a uint8 level for each class of each row.
    """
    return kept(f"{run.pk}-{generation}-heatmap", lambda: _packed(run, generation))


def levels_of(takeovers: Takeovers, rows: npt.NDArray[np.int64], n_classes: int) -> npt.NDArray[np.uint8]:
    """Return the level of each class at each row's generation, (rows, n_classes).

    takeovers are generations, class indices and confidences in the order of generations; rows are ascending.
    """
    generations, classes, confidences = takeovers
    levels = np.zeros((len(rows), n_classes), np.uint8)
    levels[np.searchsorted(rows, generations), classes] = 1 + np.floor(np.round(confidences * STEPS, 6))
    latest = np.where(levels > 0, np.arange(len(rows))[:, np.newaxis], 0)  # the row of each last takeover
    np.maximum.accumulate(latest, axis=0, out=latest)
    return np.take_along_axis(levels, latest, axis=0)


def _packed(run: Run, generation: int) -> bytes:
    rows = np.unique(np.linspace(0, generation, MOST_ROWS).round().astype(np.int64))
    takeovers = _takeovers(run, generation)
    n_classes = max(run.n_classes, int(takeovers[1].max(initial=-1)) + 1)
    levels = levels_of(takeovers, rows, n_classes)
    head = np.concatenate([levels.shape, rows]).astype("<u4")
    return head.tobytes() + levels.tobytes()


def _takeovers(run: Run, generation: int) -> Takeovers:
    lines = run.takeovers.filter(generation__lte=generation).order_by("generation")
    columns = list(zip(*lines.values_list("generation", "class_index", "confidence"), strict=True))
    generations, classes, confidences = columns or ((), (), ())
    return np.array(generations, np.int64), np.array(classes, np.int64), np.array(confidences, np.float64)
