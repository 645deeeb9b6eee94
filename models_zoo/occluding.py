"""What matters in a picture: a patch slides over it, and where it hides what counts, confidence falls.

After the occlusion experiments of Zeiler and Fergus (2014), section 4.2. Importable without torch.
"""

from collections.abc import Callable, Iterator

import numpy as np

POSITIONS = 14  # of the patch along a side
PATCHES_ALONG_A_SIDE = 7  # that a side would hold, did they not overlap: of 224 pixels, a patch has 32
ROWS_AT_ONCE = 2  # of positions: bounds memory


def patch_side(side: int) -> int:
    """Return how many pixels a side the patch has over an image of so many."""
    return max(1, round(side / PATCHES_ALONG_A_SIDE))


def starts(side: int) -> np.ndarray:
    """Return where along a side the patch begins (POSITIONS,): from the one edge to the other, evenly."""
    return np.rint(np.linspace(0, side - patch_side(side), POSITIONS)).astype(int)


def drops(
    classify: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    class_index: int,
    confidence: float,
    colour: np.ndarray,
) -> np.ndarray:
    """Return by how much the confidence in a class falls (POSITIONS, POSITIONS), row by row of positions.

    `classify` takes images (B, C, side, side) and returns confidences (B, n_classes); `confidence` is the one in
    the whole image (C, side, side). A rise is a negative drop. `colour` (C,) is the patch's.
    """
    found = [classify(batch)[:, class_index] for batch in _batches(image, colour)]
    return confidence - np.concatenate(found).reshape(POSITIONS, POSITIONS)


def _batches(image: np.ndarray, colour: np.ndarray) -> Iterator[np.ndarray]:
    """Yield occluded images (B, C, side, side), some rows of positions at a time."""
    places = starts(image.shape[1])
    for first in range(0, POSITIONS, ROWS_AT_ONCE):
        rows = places[first : first + ROWS_AT_ONCE]
        yield np.stack([_occluded(image, top, left, colour) for top in rows for left in places])


def _occluded(image: np.ndarray, top: int, left: int, colour: np.ndarray) -> np.ndarray:
    side = patch_side(image.shape[1])
    occluded = image.copy()
    occluded[:, top : top + side, left : left + side] = colour[:, None, None]
    return occluded
