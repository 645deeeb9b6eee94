"""Studies that people took part in, written straight into the database: as many answers as a test wants, at once."""

import io
import random
import uuid
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from fooling_web.studies.design import Design, Exclusions
from fooling_web.studies.models import Participant, Response, Study, StudyImage, Trial
from fooling_web.studies.pictures import name_of

LABELS = ("starfish", "baseball", "tabby", "lemon", "piano", "kite")
NOW = timezone.now()


def pictured() -> str:
    """Keep one small picture; return its hash."""
    sha256 = "ab" * 32
    if not default_storage.exists(name_of(sha256)):
        file = io.BytesIO()
        Image.new("RGB", (32, 32), "teal").save(file, format="PNG")
        default_storage.save(name_of(sha256), ContentFile(file.getvalue()))
    return sha256


def planned(owner: Any, n_images: int = 4, *, individuals: Any = (), **design: Any) -> Study:
    """A study with images, of which the first show these individuals."""
    rules = Exclusions(one_key_over=None)  # with few trials, all keys may well be the same
    plan = Design(**{"exclusions": rules, "consent": "I agree.", **design})
    study = Study.objects.create(owner=owner, title="What is it?", design=plan.to_json())
    sha256, known = pictured(), dict(enumerate(individuals))
    StudyImage.objects.bulk_create(
        StudyImage(
            study=study,
            number=at + 1,
            individual=known.get(at),
            picture=name_of(sha256),
            sha256=sha256,
            side=32,
            class_index=at % len(LABELS),
            label=LABELS[at % len(LABELS)],
            confidence=0.99,
            machine_index=at % len(LABELS),
            machine_label=LABELS[at % len(LABELS)],
            machine_confidence=0.99,
            dataset="imagenet",
            encoding="cppn" if at % 2 else "direct",
        )
        for at in range(n_images)
    )
    return study


def surveyed(
    study: Study,
    n_people: int = 10,
    *,
    accuracy: float = 0.75,
    phase: str = "main",
    seed: int = 0,
    n_trials: int | None = None,
    **values: Any,
) -> list[Participant]:
    """Let people answer every image of a study, or so many of them, with this share of right answers."""
    rng = random.Random(seed)
    first = study.participants.count() + 1
    images = list(study.images.all())
    usual = {"phase": phase, "entry": "link", "framing": "machine", "seed": 1, "token_hash": "x" * 64}
    people = [
        Participant(
            **{**usual, **values},
            id=uuid.uuid4(),
            study=study,
            number=first + at,
            consented_at=NOW - timedelta(minutes=n_people - at),
            completed_at=NOW,
            n_trials=n_trials or len(images),
            n_answered=n_trials or len(images),
        )
        for at in range(n_people)
    ]
    Participant.objects.bulk_create(people, batch_size=1000)
    trials = [
        _trial(person, place, image, rng)
        for person in people
        for place, image in enumerate(rng.sample(images, n_trials or len(images)))
    ]
    Trial.objects.bulk_create(trials, batch_size=2000)
    Response.objects.bulk_create((_response(trial, accuracy, rng) for trial in trials), batch_size=2000)
    return people


def _trial(person: Participant, place: int, image: StudyImage, rng: random.Random) -> Trial:
    foil = rng.choice([label for label in LABELS if label != image.label])
    key = rng.randrange(2)
    options = [foil, image.label] if key else [image.label, foil]
    return Trial(
        participant=person,
        number=place,
        role=Trial.Role.MAIN,
        image=image,
        condition=image.encoding,
        options=options,
        key=key,
    )


def _response(trial: Trial, accuracy: float, rng: random.Random) -> Response:
    is_right = rng.random() < accuracy
    assert trial.key is not None
    answer = trial.key if is_right else 1 - trial.key
    return Response(trial=trial, answer=answer, is_right=is_right, rt_ms=rng.gauss(900, 150), by="key")
