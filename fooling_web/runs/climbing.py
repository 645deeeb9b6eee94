"""What a run of gradient ascent shows beside its images: which class each was climbed for, and how little it took.

An ascent begins at one even colour, the mean of the training images, and ends so near to it that its images look all
alike. What it changed is seen once the difference is multiplied.
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fooling_web.runs.models import Climb, Individual, Run
from fooling_web.runs.pictures import small_picture

FACTORS = (50, 20, 10, 5, 2, 1)
MIDDLE = 128  # the grey that stands for no difference
SHOWN = 0.99  # of the values must have room between black and white


def climb_of(run: Run, individual: Individual) -> Climb | None:
    """Return which class an image was climbed for, from which start; None where the history does not tell.

    After a step those images are numbered that came past a milestone then, after the last step all of them: start
    after start of class after class.
    """
    place = individual.number - individual.generation * run.settings.offspring
    order = {class_index: place for place, class_index in enumerate(run.climbed_classes)}
    climbs = sorted(
        run.climbs.all(), key=lambda climb: (order.get(climb.class_index, climb.class_index), climb.start)
    )
    if individual.generation < run.generations:
        climbs = [climb for climb in climbs if individual.generation in climb.steps]
    return climbs[place] if 0 <= place < len(climbs) else None


def ascent_of(run: Run, individual: Individual) -> dict[str, Any]:
    """Return what the page of a champion says of its ascent; raises GenomeError where its genome is damaged."""
    return {"climb": climb_of(run, individual), "factor": _factor(_difference(run, individual))}


def difference_png(run: Run, individual: Individual) -> bytes:
    """Return what an ascent changed, multiplied around a middle grey; raises GenomeError."""
    difference = _difference(run, individual)  # (H, W, C)
    levels = np.rint(MIDDLE + _factor(difference) * difference).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels.squeeze()).save(file, format="PNG")
    return file.getvalue()


def _difference(run: Run, individual: Individual) -> npt.NDArray[np.float32]:
    """Return an image less the mean colour that its ascent began from, (H, W, C), in pixel values."""
    settings = run.settings
    picture = np.asarray(small_picture(settings, bytes(individual.genome), settings.width), np.float32)
    mean = np.array(run.classifier_entry.mean_colour, np.float32) * 255  # (C,)
    return picture.reshape(settings.height, settings.width, settings.channels) - mean


def _factor(difference: npt.NDArray[np.float32]) -> int:
    """Return the largest factor that leaves nearly all values between black and white."""
    reach = float(np.quantile(np.abs(difference), SHOWN))
    return next((factor for factor in FACTORS if factor * reach < MIDDLE), FACTORS[-1])
