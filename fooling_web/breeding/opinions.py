"""What networks say of litters: pages ask, the interactive worker answers, and the answer stays with its litter.

There is one opinion of each classifier on each litter, so to ask twice is to ask once; one that got lost, failed or
does not know of today's target is asked for anew in the same row. A worker answers for a session's newest litter
first: whoever steps quickly does not wait for the litters in between.
"""

import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.utils import timezone
from PIL import Image

from evolution.errors import EvolutionError
from evolution.parameters import Parameters
from fooling_web.breeding.events import announce_opinions
from fooling_web.breeding.litters import Images, pictures_from
from fooling_web.breeding.models import MOST_CLASSIFIERS, BreedingSession, Litter, Opinion
from fooling_web.classifiers.wording import sentence
from models_zoo.errors import UnknownClassifier, ZooError
from models_zoo.registry import ClassifierEntry, all_entries, find, load

logger = logging.getLogger(__name__)

USUAL = {1: "mnist-lenet", 3: "efficientnet-lite0"}  # who looks on at first, by the values of a pixel
LOST = timedelta(seconds=30)  # after which an opinion that waits is asked for again
SHOWN = 5  # classes of each opinion
DIGITS = 9  # decimals of a confidence that are kept
ERROR = "An error in the program kept the network from looking; the worker’s log tells more."
Status = Opinion.Status


@dataclass(frozen=True)
class Answer:
    """What a classifier says of pictures: confidences (B, n_classes), and with which weights."""

    confidences: npt.NDArray[np.float32]
    weights_sha256: str


def usual_classifiers(parameters: Parameters) -> list[str]:
    """Return who looks on in a new session."""
    return [USUAL[parameters.channels]]


def candidates(session: BreedingSession) -> list[ClassifierEntry]:
    """Return the classifiers that could look on, those without weights too."""
    return [entry for entry in all_entries() if entry.channels == session.parameters["channels"]]


def is_here(entry: ClassifierEntry) -> bool:
    """Whether a classifier's weights are on this site, damaged or not."""
    return entry.weights_path.exists()


def looking_on(session: BreedingSession) -> list[ClassifierEntry]:
    """Return the classifiers that look on in a session; one that was removed since does not."""
    found = []
    for name in session.classifiers[:MOST_CLASSIFIERS]:
        with suppress(UnknownClassifier):
            found.append(find(name))
    return found


def same_class(own: ClassifierEntry, other: ClassifierEntry, class_index: int | None) -> int | None:
    """Return the class of another classifier that is this class of one's own; None where it knows none such."""
    if class_index is None or class_index >= own.n_classes:
        return None
    if own.labels == other.labels:
        return class_index
    label = own.labels[class_index]
    return other.labels.index(label) if label in other.labels else None


def target_of(session: BreedingSession, entry: ClassifierEntry) -> int | None:
    """Return a session's target as a class of one of its classifiers."""
    lookers = looking_on(session)
    return same_class(lookers[0], entry, session.target) if lookers else None


def ask(session: BreedingSession, litter: Litter) -> list[Opinion]:
    """Note that everybody who looks on is to say what they see; return the opinions that are to be asked for now."""
    wanted = [(entry, target_of(session, entry)) for entry in looking_on(session)]
    return [one for entry, target in wanted if (one := _asked(litter, entry.name, target))]


def open_ones(session: BreedingSession, litter: Litter) -> int:
    """Return how many opinions would be asked for."""
    known = {one.classifier: one for one in litter.opinions.all()}
    lookers = looking_on(session)
    return sum(_is_open(known.get(entry.name), target_of(session, entry)) for entry in lookers)


def fail(opinion: Opinion, reason: str) -> None:
    """Keep why a classifier cannot say anything."""
    waiting = Opinion.objects.filter(pk=opinion.pk, status=Status.WAITING)
    waiting.update(status=Status.FAILED, error=sentence(reason), answered_at=timezone.now())


def keep_seen(litter: Litter, classifier: str, place: int, target: int | None, seen: bool) -> None:
    """Keep whether a person sees the target in a picture; nothing that they said before is lost."""
    with transaction.atomic():
        opinion = Opinion.objects.select_for_update().get_or_create(litter=litter, classifier=classifier)[0]
        opinion.seen = [*opinion.seen, [place, target, seen]]
        opinion.save(update_fields=["seen"])


def answer_newest(session_id: uuid.UUID, classifier: str) -> None:
    """Let a classifier look at the newest litter of a session that waits for it."""
    waiting = Opinion.objects.filter(
        litter__session=session_id, classifier=classifier, status=Status.WAITING
    ).select_related("litter__session")
    if opinion := waiting.order_by("-asked_at", "-pk").first():
        answer(opinion)
        announce_opinions(opinion.litter)


def answer(opinion: Opinion) -> None:
    """Let a classifier look at a litter, and keep what it says; where it cannot, why."""
    litter = opinion.litter
    try:
        told = judged(opinion.classifier, litter.session.settings, litter.documents)
    except (EvolutionError, ZooError) as error:
        fail(opinion, str(error))
    except Exception:
        logger.exception("the opinion %s stopped", opinion)
        fail(opinion, ERROR)
    else:
        _keep(opinion, told)


def judged(classifier: str, settings: Parameters, documents: list[dict[str, Any]]) -> Answer:
    """Develop genomes as a classifier takes pictures, and ask it; loads torch. Raises GenomeError and ZooError."""
    network = load(classifier)
    images = pictures_for(find(classifier), settings, documents)
    return Answer(network(images), network.weights_sha256)


def pictures_for(entry: ClassifierEntry, settings: Parameters, documents: list[dict[str, Any]]) -> Images:
    """Return pictures (B, C, side, side) of the side that a classifier takes.

    Networks draw at any size; those whose coordinates count pixels draw at their own, and the picture is resized.
    """
    if settings.cppn.coordinates == "normalised" or settings.width == entry.width:
        return pictures_from(settings, documents, entry.width)
    drawn = pictures_from(settings, documents, settings.width)
    return np.stack([_resized(image, entry.width) for image in drawn])


def _resized(image: Images, side: int) -> Images:
    """Return an image (C, side, side) whose values are still those of a file."""
    levels = np.rint(image * 255).astype(np.uint8)
    planes = [Image.fromarray(plane).resize((side, side), Image.Resampling.BILINEAR) for plane in levels]
    return np.stack([np.asarray(plane, np.float32) for plane in planes]) / np.float32(255)


def warm_up(channels: int) -> None:
    """Load who looks on at first, and ask once: the first question takes longest."""
    entry = find(USUAL[channels])
    try:
        load(entry.name)(np.zeros((1, channels, entry.height, entry.width), np.float32))
    except ZooError as error:
        logger.warning("classifier %s cannot look on: %s", entry.name, error)


def _asked(litter: Litter, classifier: str, target: int | None) -> Opinion | None:
    """Return the opinion if it is to be asked for now; of two pages that ask at once, one does."""
    opinion, is_new = Opinion.objects.get_or_create(
        litter=litter, classifier=classifier, defaults={"target": target}
    )
    if is_new:
        return opinion
    if not _is_open(opinion, target):
        return None
    as_it_was = Opinion.objects.filter(pk=opinion.pk, asked_at=opinion.asked_at)
    changes: dict[str, Any] = {"status": Status.WAITING, "error": "", "asked_at": timezone.now()}
    if target != opinion.target:
        changes |= {"target": target, "confidences": [], "best": None}
    return opinion if as_it_was.update(**changes) else None


def _is_open(opinion: Opinion | None, target: int | None) -> bool:
    """Whether an opinion is to be asked for: there is none, it got lost or failed, or its target is another."""
    if opinion is None or opinion.status == Status.FAILED:
        return True
    if target is not None and opinion.target != target:
        return True
    return opinion.status == Status.WAITING and opinion.asked_at < timezone.now() - LOST


def _keep(opinion: Opinion, told: Answer) -> None:
    """Keep an answer, unless another target has been asked about meanwhile."""
    best = np.argsort(-told.confidences, axis=1, kind="stable")[:, :SHOWN]  # (B, SHOWN)
    tops = [
        [[int(index), _kept(row[index])] for index in indices]
        for row, indices in zip(told.confidences, best, strict=True)
    ]
    target = opinion.target
    in_target = [] if target is None else [_kept(row[target]) for row in told.confidences]
    waiting = Opinion.objects.filter(pk=opinion.pk, status=Status.WAITING, target=target)
    waiting.update(
        status=Status.ANSWERED,
        weights_sha256=told.weights_sha256,
        tops=tops,
        confidences=in_target,
        best=max(in_target, default=None),
        error="",
        answered_at=timezone.now(),
    )


def _kept(confidence: Any) -> float:
    return round(float(confidence), DIGITS)
