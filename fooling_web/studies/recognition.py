"""The way back to the gallery: how many people recognised an image, and how far it fools the classifier alone.

Of each study's main phase the people who were not excluded are counted, once a state of its data, and kept as an
`Analysis`. An image may have been shown in several studies; there each counts by its raters. What the gallery sorts
and filters by lies on the image's exhibit and is written anew whenever one of the studies behind it changes, and
taken away with the data that it came from.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from fooling_web.galleries.models import Exhibit
from fooling_web.runs.models import Individual
from fooling_web.studies import exclusions
from fooling_web.studies.answers import answers_of
from fooling_web.studies.design import Task
from fooling_web.studies.models import Analysis, Participant, Study, StudyImage
from fooling_web.studies.plane import plane_of

METHOD = "recognition"
LEAST_RATERS = 10  # below, a share says little about an image, and the gallery is not told
MAIN = Participant.Phase.MAIN
CHUNK = 500  # individuals that are written at once


@dataclass(frozen=True)
class Seen:
    """What one study says of one individual."""

    n_raters: int
    recognition: float  # share right, above chance
    confidence: float  # of the classifier, in the label that people were asked for


@dataclass(frozen=True)
class Asked:
    """What all studies together say of one individual."""

    n_raters: int
    recognition: float
    fooling_index: float


def recount(study: Study) -> bool:
    """Count a study's main phase anew if it changed, and tell the gallery; whether there was anything to tell."""
    state = _state_of(study)
    before = study.analyses.filter(method=METHOD).first()
    if (before.result.get("state") if before else "") == state:
        return False
    seen = _seen_in(study) if state else {}
    with transaction.atomic():
        study.analyses.filter(method=METHOD).delete()
        if state:
            _keep(study, state, seen)
    known = {int(pk) for pk in before.result["images"]} if before else set()
    tell_gallery(known | seen.keys())
    return True


def tell_gallery(individuals: Collection[int]) -> None:
    """Write down for these individuals what studies say of them now; of whom none speaks any more, nothing."""
    ordered = sorted(individuals)
    for start in range(0, len(ordered), CHUNK):
        _tell(ordered[start : start + CHUNK])


def changed_studies() -> Iterator[Study]:
    """Studies whose main phase changed since it was counted."""
    counted = Q(participants__phase=MAIN) | Q(analyses__method=METHOD)
    for study in Study.objects.filter(counted).distinct():
        before = study.analyses.filter(method=METHOD).first()
        if (before.result.get("state") if before else "") != _state_of(study):
            yield study


def forget_the_gone() -> int:
    """Take from the gallery what came from studies that were deleted; return of how many images."""
    spoken_of: set[int] = set()
    for result in _counted().values_list("result", flat=True):
        spoken_of.update(int(pk) for pk in result["images"])
    told = set(Exhibit.objects.filter(n_asked__gt=0).values_list("individual", flat=True))
    tell_gallery(told - spoken_of)
    return len(told - spoken_of)


def studies_of(individual: Individual) -> list[Study]:
    """Return the studies with published results that showed an image, the newest first; not unlisted ones."""
    showing = StudyImage.objects.filter(individual=individual, role=StudyImage.Role.MAIN).values("study")
    counted = _counted().values("study")
    return list(Study.objects.filter(pk__in=showing, results="public").filter(pk__in=counted))


def _state_of(study: Study) -> str:
    """Return a word for the data of the main phase; none where there are none."""
    sums = study.participants.of_phase(MAIN).aggregate(
        begun=Count("pk"), completed=Count("completed_at"), answered=Sum("n_answered")
    )
    if not sums["answered"]:
        return ""
    return f"{sums['begun']}-{sums['completed']}-{sums['answered']}-{study.n_withdrawn}"


def _keep(study: Study, state: str, seen: dict[int, Seen]) -> None:
    now: datetime = timezone.now()
    images = {str(pk): [one.n_raters, one.recognition, one.confidence] for pk, one in seen.items()}
    Analysis.objects.create(
        study=study,
        phase=MAIN,
        method=METHOD,
        n_responses=sum(one.n_raters for one in seen.values()),
        status=Analysis.Status.DONE,
        result={"state": state, "images": images},
        finished_at=now,
    )


def _seen_in(study: Study) -> dict[int, Seen]:
    """Return what people who were not excluded saw in each individual; of natural images there are none."""
    if study.plan.task == Task.RIGHT_OR_WRONG:
        return {}  # who judges the classifier has not said what they see
    answers = exclusions.kept(answers_of(study, MAIN), study.plan.exclusions)
    shown = dict(study.images.exclude(individual=None).values_list("number", "individual"))
    return {
        shown[point.number]: Seen(point.seen.n, point.recognised, point.confidence)
        for point in plane_of(answers)
        if point.number in shown and point.confidence is not None
    }


def _counted() -> QuerySet[Analysis]:
    return Analysis.objects.filter(method=METHOD, phase=MAIN, status=Analysis.Status.DONE)


def _tell(individuals: list[int]) -> None:
    """Write a chunk; exhibits are made for images that nobody had looked at."""
    asked = _asked(individuals)
    there = Individual.objects.filter(pk__in=asked.keys(), exhibit=None).values_list("pk", flat=True)
    Exhibit.objects.bulk_create([Exhibit(individual_id=pk) for pk in there], ignore_conflicts=True)
    exhibits = list(Exhibit.objects.filter(individual__in=individuals))
    for exhibit in exhibits:
        _write(exhibit, asked.get(exhibit.individual_id))
    Exhibit.objects.bulk_update(exhibits, ["recognition", "n_asked", "fooling_index"])


def _write(exhibit: Exhibit, asked: Asked | None) -> None:
    exhibit.recognition = asked.recognition if asked else None
    exhibit.fooling_index = asked.fooling_index if asked else None
    exhibit.n_asked = asked.n_raters if asked else 0


def _asked(individuals: Iterable[int]) -> dict[int, Asked]:
    """Return what all studies together say of individuals that enough people were asked about."""
    wanted = {str(pk) for pk in individuals}
    rows: dict[int, list[Seen]] = {}
    showing = StudyImage.objects.filter(individual__in=[int(pk) for pk in wanted]).values("study")
    for result in _counted().filter(study__in=showing).values_list("result", flat=True):
        for pk in wanted & result["images"].keys():
            rows.setdefault(int(pk), []).append(Seen(*result["images"][pk]))
    together = {pk: _together(seen) for pk, seen in rows.items()}
    return {pk: asked for pk, asked in together.items() if asked.n_raters >= LEAST_RATERS}


def _together(seen: list[Seen]) -> Asked:
    """Put studies together, each by its raters."""
    n_raters = sum(one.n_raters for one in seen)
    recognition = sum(one.recognition * one.n_raters for one in seen) / n_raters
    confidence = sum(one.confidence * one.n_raters for one in seen) / n_raters
    return Asked(n_raters, recognition, confidence * (1 - recognition))
