"""A study as tests need it: pictures of its own, labels, foils, ready to be taken part in."""

from typing import Any

import numpy as np
from django.utils import timezone
from PIL import Image

from fooling_web.studies.design import Design, Timing
from fooling_web.studies.models import Participant, Study, StudyImage
from fooling_web.studies.pictures import keep
from fooling_web.studies.taking_part import Answer, begin, store

LABELS = (
    *("starfish", "school bus", "baseball", "gorilla", "remote control", "peacock", "king penguin", "bagel"),
    *("electric guitar", "freight car", "cheetah", "African grey"),
)


def picture(number: int, side: int = 28) -> Any:
    """Keep a picture that no other number has."""
    levels = np.random.default_rng(number).integers(0, 256, (side, side), dtype=np.uint8)
    return keep(Image.fromarray(levels, mode="L"))


def add_image(study: Study, number: int, role: str = "main", **values: Any) -> StudyImage:
    """Store an image of a study: evolved ones are asked about, natural ones catch whoever does not look."""
    kept = picture(number)
    is_natural = values.pop("is_natural", role != "main")
    place = number % len(LABELS)
    usual: dict[str, Any] = {
        "picture": kept.name,
        "sha256": kept.sha256,
        "side": kept.side,
        "is_natural": is_natural,
        "class_index": place,
        "label": LABELS[place],
        "confidence": 0.95,
        "second_index": (place + 1) % len(LABELS),
        "second_label": LABELS[(place + 1) % len(LABELS)],
        "machine_index": place,
        "machine_label": LABELS[place],
        "machine_confidence": 0.95,
        "dataset": "imagenet",
        "encoding": "" if is_natural else ("cppn", "direct")[number % 2],
        "branch": "fish",
    }
    return StudyImage.objects.create(study=study, number=number, role=role, **{**usual, **values})


def asked(
    owner: Any, count: int = 8, catch: int = 1, practice: int = 1, *, is_open: bool = True, **choices: Any
) -> Study:
    """Store a study of so many images; open, and so frozen, unless it shall be a draft."""
    timing = Timing(**choices.pop("timing", {}))
    usual = {"n_practice": practice, "timing": timing, "consent": "I agree."}
    design = Design(**{**usual, **choices})
    study = Study.objects.create(
        owner=owner, title="What is it?", design=design.to_json(), entries="link,account,class,prolific,mturk"
    )
    roles = ["main"] * count + ["catch"] * catch + ["practice"] * practice
    for number, role in enumerate(roles, 1):
        add_image(study, number, role)
    if is_open:
        study.frozen_at, study.status, study.design_sha256 = timezone.now(), Study.Status.OPEN, "0" * 64
        study.save()
    return study


def right(participant: Participant, number: int, **values: Any) -> Answer:
    """Return the right answer to a trial, or the first where none is."""
    key = participant.trials.get(number=number).key
    return Answer(**{"number": number, "answer": key or 0, "rt_ms": 600.0, "by": "key", **values})


def taken(study: Study, n_answered: int | None = None, **choices: Any) -> Participant:
    """Store a participant who answered so many trials, all rightly; all trials unless told otherwise."""
    participant, _ = begin(study, **{"entry": "simulated", **choices})
    count = participant.n_trials if n_answered is None else n_answered
    if count:
        store(participant, [right(participant, number) for number in range(count)])
    participant.refresh_from_db()
    return participant
