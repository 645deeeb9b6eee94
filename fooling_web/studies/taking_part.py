"""Taking part: a participant begins, answers one trial after the other, and may withdraw.

Every change is one transaction. The number of a participant's next trial is a count in the database, which moves only
from where whoever stores an answer saw it: what is sent again changes nothing, what is sent too early is refused, and
what was accepted is never lost. What is refused is counted, by reason.
"""

import math
import random
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from fooling_web.studies import events
from fooling_web.studies.design import Design
from fooling_web.studies.models import (
    Classroom,
    OutsideIdentity,
    Participant,
    Refusal,
    Response,
    Study,
    StudyImage,
    Trial,
    digest,
)
from fooling_web.studies.trials import lay_down
from fooling_web.users.models import User

LONGEST_MS = 3_600_000.0  # of a reaction time without a window
SLACK_MS = 2_000.0  # between the browser's clock and ours
WINDOW_SLACK_MS = 250.0  # an answer in the last frame of its window
FINISHING = timedelta(hours=2)  # that sessions have which had begun when their study was closed
CLASS_SLACK = timedelta(seconds=5)  # for an answer given in the last moment of a class
GIVEN_UP = timedelta(hours=2)  # without a sign, until somebody else may have the place
LONGEST_NAME = 200
WAYS = ("key", "mouse", "touch")
MOST = 32_767  # of a small number in the database
TWICE = "You have taken part in this study before, and each person can once. Thank you."


class Refused(Exception):
    """Something that is not taken: a short reason, by which it is counted, and a message for whoever sent it."""

    def __init__(self, reason: str, message: str, stored: "Stored | None" = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.stored = stored  # what was taken before it


@dataclass(frozen=True)
class Outside:
    """Who somebody is where they were recruited."""

    service: str
    person: str
    task: str = ""
    visit: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a browser sends of one trial."""

    number: int
    answer: int | None
    rt_ms: float | None
    sureness: int | None = None
    name: str = ""
    by: str = ""
    shown_ms: float | None = None
    n_blurs: int = 0
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Told:
    """What a participant is told of an answer, where the design gives feedback."""

    number: int
    key: int
    is_right: bool


@dataclass(frozen=True)
class Stored:
    """How far a participant is, and what they may be told."""

    next_number: int
    is_complete: bool
    told: list[Told]


def begin(
    study: Study,
    *,
    entry: str,
    user: User | None = None,
    classroom: Classroom | None = None,
    nickname: str = "",
    outside: Outside | None = None,
    browser: Mapping[str, Any] | None = None,
    seed: int | None = None,
    phase: str | None = None,
) -> tuple[Participant, str]:
    """Store a participant with all their trials; return them with the secret that their browser keeps.

    Raises Refused where the study takes nobody, or has enough.
    """
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        held = Study.objects.select_for_update().get(pk=study.pk)
        phase = phase or held.phase
        if refusal := why_not(held, entry, phase) or _why_not_again(held, entry, user, outside):
            raise refusal
        last = held.participants.aggregate(last=Max("number"))["last"] or 0
        participant = Participant.objects.create(
            study=held,
            number=last + 1,
            phase=phase,
            entry=entry,
            user=user,
            classroom=classroom,
            nickname=nickname,
            framing=_framing(held.plan, last + 1),
            seed=random.SystemRandom().getrandbits(48) if seed is None else seed,
            token_hash=digest(token),
            consented_at=timezone.now(),
            browser=dict(browser or {}),
        )
        participant.n_trials = len(lay_down(participant))
        participant.save(update_fields=["n_trials"])
        if outside:
            OutsideIdentity.objects.create(participant=participant, study=held, **vars(outside))
        transaction.on_commit(lambda: events.announce(held.pk))
    return participant, token


def why_not(study: Study, entry: str, phase: str) -> Refused | None:
    """Return why nobody can begin now by a way in; None: they can."""
    if not study.images.filter(role=StudyImage.Role.MAIN).exists():
        return Refused("no images", "This study has no images yet.")
    if phase == Participant.Phase.PREVIEW or entry == Participant.SIMULATED:
        return None
    if study.status == Study.Status.CLOSED:
        return Refused("closed", "This study is closed. Thank you for your interest.")
    if study.status != Study.Status.OPEN:
        return Refused("not open", "This study is not open yet. Ask whoever sent you here.")
    if entry not in study.ways_in:
        return Refused("way in", "This study does not take people who come this way.")
    if entry != "class" and phase == Participant.Phase.MAIN and not places_left(study):
        return Refused(
            "full", "This study has as many participants as it needs. Thank you for your interest."
        )
    return None


def _why_not_again(study: Study, entry: str, user: User | None, outside: Outside | None) -> Refused | None:
    """Return why somebody who is known cannot begin: they have, perhaps a moment ago in another window."""
    known = (
        study.participants.filter(entry="account", user=user).exists()
        if entry == "account" and user
        else False
    )
    if outside:
        known = study.outside_identities.filter(service=outside.service, person=outside.person).exists()
    return Refused("twice", TWICE) if known else None


def places_left(study: Study) -> int:
    """Return how many more may begin: each image wants so many raters, and who has left makes room."""
    design = study.plan
    n_images = study.images.filter(role=StudyImage.Role.MAIN).count()
    seen = design.images_per_participant or n_images
    wanted = math.ceil(design.raters_per_image * n_images / max(seen, 1))
    main = study.participants.of_phase(Participant.Phase.MAIN)
    at_work = main.filter(completed_at=None, seen_at__gte=timezone.now() - GIVEN_UP)
    return max(0, wanted - main.completed().count() - at_work.count())


def _framing(design: Design, number: int) -> str:
    if design.framing == "between":
        return "machine" if number % 2 else "you"
    return design.framing


def store(participant: Participant, answers: Sequence[Answer]) -> Stored:
    """Take answers in the order of their trials; return how far the participant is then.

    Raises Refused at the first that is not sound; what came before it is stored. What is known of the participant may
    be older than the database: nothing is refused, and nothing stored, by what has changed since.
    """
    once: dict[int, Answer] = {}
    for answer in sorted(answers, key=lambda one: one.number):
        once.setdefault(answer.number, answer)
    held = participant
    while True:
        taken, refusal = _sound(held, list(once.values()))
        if (refusal is None or held is not participant) and _kept(held, taken):
            break
        held = _as_now(participant)
    stored = Stored(held.n_answered, held.is_complete, _told(held, taken, once))
    if refusal:
        count_refusal(held.study_id, refusal.reason)
        raise Refused(refusal.reason, str(refusal), stored)
    return stored


def _as_now(participant: Participant) -> Participant:
    """Return a participant as the database has them; raises Refused where it does not."""
    now = Participant.objects.filter(pk=participant.pk).first()
    if now is None:
        raise Refused("withdrawn", "This session was ended, and its data are deleted.")
    now.study, now.classroom = participant.study, participant.classroom
    return now


def _sound(held: Participant, answers: Sequence[Answer]) -> tuple[list[Response], Refused | None]:
    """Return responses for what can be taken, up to the first that cannot, and why."""
    if refusal := _said_otherwise(held, [one for one in answers if one.number < held.n_answered]):
        return [], refusal
    fresh = [one for one in answers if one.number >= held.n_answered]
    if not fresh:
        return [], None
    if refusal := why_over(held):
        return [], refusal
    wanted = [one.number for one in fresh]
    trials = {trial.number: trial for trial in held.trials.filter(number__in=wanted)}
    taken: list[Response] = []
    design, left = held.study.plan, _milliseconds_since(held.consented_at)
    for expected, answer in enumerate(fresh, held.n_answered):
        trial = trials.get(answer.number)
        refusal = (
            _not_shown(answer, held)
            if trial is None or answer.number != expected
            else _complaint(answer, trial, design)
        )
        if refusal is None and answer.answer is not None:
            left -= answer.rt_ms or 0.0
        if refusal is None and left < -SLACK_MS and held.entry != Participant.SIMULATED:
            refusal = Refused(
                "reaction time", f"{answer.rt_ms:,.0f} ms is longer than this session has lasted."
            )
        if refusal:
            return taken, refusal
        assert trial is not None
        taken.append(_response(trial, answer))
    return taken, None


def _said_otherwise(held: Participant, answers: Sequence[Answer]) -> Refused | None:
    """Return why answers to earlier trials are refused, which are others than those stored; None: the same came."""
    if not answers:
        return None
    stored = Response.objects.filter(
        trial__participant=held, trial__number__in=[one.number for one in answers]
    )
    known = {number: said for number, *said in stored.values_list("trial__number", "answer", "rt_ms")}
    for one in answers:
        if one.number not in known:
            return _not_shown(one, held)
        if known[one.number] != [one.answer, one.rt_ms if one.answer is not None else None]:
            return Refused(
                "answered", f"Trial {one.number + 1} was answered already, and the first answer stands."
            )
    return None


def why_over(held: Participant) -> Refused | None:
    """Return why a session takes no more answers; None: it does."""
    study, classroom, now = held.study, held.classroom, timezone.now()
    if study.closed_at and study.status == Study.Status.CLOSED and now > study.closed_at + FINISHING:
        return Refused("closed", "This study is closed. Your answers up to here were kept.")
    if classroom is None:
        return None
    if classroom.status != Classroom.Status.RUNNING:
        return Refused("class", "The class takes no answers now. Those up to here were kept.")
    if classroom.ends_at and now > classroom.ends_at + CLASS_SLACK:
        return Refused("time", "Time is up. Your answers up to here were kept.")
    return None


def _not_shown(answer: Answer, held: Participant) -> Refused:
    if not 0 <= answer.number < held.n_trials:
        return Refused("no such trial", f"There is no trial {answer.number + 1}; yours are {held.n_trials}.")
    return Refused(
        "not shown", f"Trial {answer.number + 1} was not shown yet; the next is {held.n_answered + 1}."
    )


def _complaint(answer: Answer, trial: Trial, design: Design) -> Refused | None:
    """Return what is unsound in an answer; None: nothing is."""
    timing = design.timing
    if answer.answer is not None and not 0 <= answer.answer < len(trial.options):
        return Refused(
            "option", f"There is no option {answer.answer + 1}; the trial has {len(trial.options)}."
        )
    if answer.answer is None and not timing.is_limited:
        return Refused("option", "An answer is missing, and there is no time limit that could have passed.")
    longest = timing.longest_ms + WINDOW_SLACK_MS if timing.is_limited else LONGEST_MS
    if answer.answer is not None and not _is_within(answer.rt_ms, longest):
        return Refused(
            "reaction time",
            f"{'Nothing' if answer.rt_ms is None else f'{answer.rt_ms} ms'} is no reaction time; "
            f"it is from 0 to {longest:,.0f} ms.",
        )
    if answer.answer is not None and design.asks_confidence and answer.sureness is None:
        return Refused("sureness", "How sure you are is missing; give a number from 0 to 100.")
    if answer.sureness is not None and not 0 <= answer.sureness <= 100:
        return Refused("sureness", f"{answer.sureness} is no number from 0 to 100.")
    if len(answer.name) > LONGEST_NAME:
        return Refused("name", f"A name has at most {LONGEST_NAME} characters.")
    return None


def _is_within(milliseconds: float | None, longest: float) -> bool:
    return milliseconds is not None and math.isfinite(milliseconds) and 0 <= milliseconds <= longest


def _milliseconds_since(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds() * 1000


def _response(trial: Trial, answer: Answer) -> Response:
    has_key = trial.key is not None
    return Response(
        trial=trial,
        answer=answer.answer,
        is_right=answer.answer == trial.key if has_key else None,
        sureness=answer.sureness,
        name=" ".join(answer.name.split()),
        rt_ms=answer.rt_ms if answer.answer is not None else None,
        by=answer.by if answer.by in WAYS else "",
        shown_ms=answer.shown_ms if _is_within(answer.shown_ms, LONGEST_MS) else None,
        n_blurs=_small(answer.n_blurs),
        width=_small(answer.width),
        height=_small(answer.height),
        stored_at=timezone.now(),
    )


def _small(number: int) -> int:
    return max(0, min(number, MOST))


def _kept(held: Participant, responses: list[Response]) -> bool:
    """Store responses, unless somebody else stored some meanwhile; whether they are stored.

    The transaction is as short as can be: with SQLite nobody else writes as long as it lasts.
    """
    if not responses:
        return True
    moment, n_answered = timezone.now(), held.n_answered + len(responses)
    completed_at = moment if n_answered == held.n_trials else None
    unmoved = Participant.objects.filter(pk=held.pk, n_answered=held.n_answered)
    with transaction.atomic():
        if not unmoved.update(n_answered=n_answered, seen_at=moment, completed_at=completed_at):
            return False
        Response.objects.bulk_create(responses)
        transaction.on_commit(lambda: events.announce(held.study_id))
    held.n_answered, held.seen_at, held.completed_at = n_answered, moment, completed_at
    return True


def _told(held: Participant, responses: Sequence[Response], numbers: Collection[int]) -> list[Told]:
    """Return what the participant may be told of these trials, those included that were stored before."""
    design = held.study.plan
    roles = {"none": (), "practice": (Trial.Role.PRACTICE,), "all": tuple(Trial.Role)}[design.feedback]
    fresh = {one.trial.number for one in responses}
    known = [number for number in numbers if number < held.n_answered and number not in fresh]
    if known and roles:
        earlier = Response.objects.filter(trial__participant=held, trial__number__in=known)
        responses = [*earlier.select_related("trial"), *responses]
    return [
        Told(one.trial.number, one.trial.key, bool(one.is_right))
        for one in responses
        if one.trial.role in roles and one.trial.key is not None
    ]


def count_refusal(study_id: Any, reason: str) -> None:
    """Count something that a study refused."""
    changes = {"times": F("times") + 1, "last_at": timezone.now()}
    if not Refusal.objects.filter(study=study_id, reason=reason).update(**changes):
        Refusal.objects.get_or_create(study_id=study_id, reason=reason)
        Refusal.objects.filter(study=study_id, reason=reason).update(**changes)


def withdraw(participant: Participant) -> None:
    """Delete a participant with all they answered and who they are elsewhere; only that somebody went is kept."""
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=participant.study_id)
        deleted, _ = Participant.objects.filter(pk=participant.pk).delete()
        if deleted:
            Study.objects.filter(pk=study.pk).update(n_withdrawn=F("n_withdrawn") + 1)
        transaction.on_commit(lambda: events.announce(study.pk))
