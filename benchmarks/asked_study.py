"""A study whose sessions can be measured: pictures of noise, two labels each, stored in a home as the site does.

`python -m benchmarks.asked_study open TRIALS` stores one whose sessions have so many trials and says where it stands;
`python -m benchmarks.asked_study count STUDY` tells what came in.
"""

import json
import os
import sys
from typing import Any

import numpy as np

N_PRACTICE, SIDE, N_LABELS, RATERS = 2, 256, 24, 100_000


def opened(n_trials: int) -> dict[str, Any]:
    """Store an open study of sessions with so many trials; return its key and the address of its link."""
    from django.utils import timezone

    from fooling_web.studies.design import Design
    from fooling_web.studies.models import Study

    n_images, n_catch = _numbers(n_trials)
    design = Design(n_practice=N_PRACTICE, feedback="none", raters_per_image=RATERS)
    study = Study.objects.create(title="Measured", design=design.to_json(), entries="link")
    roles = ["main"] * n_images + ["catch"] * n_catch + ["practice"] * N_PRACTICE
    for number, role in enumerate(roles, 1):
        _add_image(study, number, role)
    study.frozen_at, study.status, study.design_sha256 = timezone.now(), Study.Status.OPEN, "0" * 64
    study.save()
    return {"study": str(study.pk), "address": study.take_url}


def _numbers(n_trials: int) -> tuple[int, int]:
    """Return how many images and catch trials make so many trials, with practice and repeats."""
    from fooling_web.studies.design import Design
    from fooling_web.studies.freezing import n_catch_trials

    design = Design()
    for n_images in range(1, n_trials):
        n_repeats = -(-n_images * 5 // 100)  # a twentieth, rounded up, as the design has it
        n_catch = n_catch_trials(design, n_images)
        if N_PRACTICE + n_images + n_repeats + n_catch == n_trials:
            return n_images, n_catch
    raise ValueError(f"no number of images makes {n_trials} trials; try one more or less")


def _add_image(study: Any, number: int, role: str) -> None:
    from PIL import Image

    from fooling_web.studies.models import StudyImage
    from fooling_web.studies.pictures import keep

    levels = np.random.default_rng(number).integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    picture = Image.fromarray(levels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    kept = keep(picture)
    label = number % N_LABELS
    StudyImage.objects.create(
        study=study,
        number=number,
        role=role,
        is_natural=role != "main",
        picture=kept.name,
        sha256=kept.sha256,
        side=kept.side,
        class_index=label,
        label=f"label {label}",
        dataset="imagenet",
        encoding="cppn" if role == "main" else "",
    )


def counted(study_id: str) -> dict[str, Any]:
    """Return what a study holds: of each participant the trials and the numbers of the stored ones."""
    from fooling_web.studies.models import Participant

    people = Participant.objects.filter(study_id=study_id).prefetch_related("trials__response")
    return {
        str(person.pk): {
            "trials": person.n_trials,
            "is_complete": person.is_complete,
            "stored": [trial.number for trial in person.trials.all() if hasattr(trial, "response")],
        }
        for person in people
    }


def main() -> None:
    """Obey the command line, in the home that the environment names."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
    django.setup()
    word, value = sys.argv[1:]
    print(json.dumps(opened(int(value)) if word == "open" else counted(value)))


if __name__ == "__main__":
    main()
