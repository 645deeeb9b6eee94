"""Messages that a session's browser sends: read strictly, since anybody can write one."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import F

from fooling_web.studies.models import Participant, SessionEvent
from fooling_web.studies.taking_part import Answer

MOST_ANSWERS = 300  # at once
MOST_EVENTS = 50  # at once
MOST_EVENTS_KEPT = 1000  # of a session
KINDS = ("blur", "focus", "hidden", "visible", "resize", "full screen", "window", "offline", "online")
BROWSER = {
    "width": 20_000,
    "height": 20_000,
    "pixel_ratio": 20,
    "frame_ms": 1000,
    "touch": 1,
}  # and their limits
WHOLE, NUMBER, TEXT = "a whole number", "a number", "a text"
KIND_OF = {
    "number": WHOLE,
    "answer": WHOLE,
    "sureness": WHOLE,
    "n_blurs": WHOLE,
    "width": WHOLE,
    "height": WHOLE,
    "rt_ms": NUMBER,
    "shown_ms": NUMBER,
    "name": TEXT,
    "by": TEXT,
}
MAY_BE_NOTHING = ("answer", "sureness", "rt_ms", "shown_ms")
NEEDED = ("number", "answer", "rt_ms")
LARGEST = 2**31  # no number of a session comes near it, and databases end there
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # by one database or another: NUL, and half a character


class Unreadable(ValueError):
    """A message that no session's page sends."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a session."""

    kind: str
    trial_number: int | None
    detail: str


@dataclass(frozen=True)
class Message:
    """Answers, what happened meanwhile, and what the browser is."""

    answers: list[Answer]
    events: list[Event]
    browser: dict[str, float]


def read(body: bytes) -> Message:
    """Return the message that was sent; raises Unreadable."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is no JSON") from error
    _require(isinstance(sent, dict), "it is no object")
    answers, events = sent.get("answers", []), sent.get("events", [])
    _require(
        isinstance(answers, list) and len(answers) <= MOST_ANSWERS, "its answers are no list, or too many"
    )
    _require(isinstance(events, list), "its events are no list")
    return Message(
        [_answer(one) for one in answers],
        [_event(one) for one in events[:MOST_EVENTS]],
        _browser(sent.get("browser") or {}),
    )


def _answer(sent: Any) -> Answer:
    _require(isinstance(sent, dict), "an answer is no object")
    for name in NEEDED:
        _require(name in sent, f"an answer has no {name}")
    known = {field.name for field in fields(Answer)}
    for name, value in sent.items():
        _require(name in known, "an answer has something that none has")
        _require(
            _is(KIND_OF[name], value) or (value is None and name in MAY_BE_NOTHING),
            f"{name} is not {KIND_OF[name]}",
        )
    return Answer(**sent)


def _is(kind: str, value: Any) -> bool:
    if kind == TEXT:
        return isinstance(value, str) and not UNSTORABLE.search(value)
    if isinstance(value, bool) or not isinstance(value, int if kind == WHOLE else int | float):
        return False
    return abs(value) < LARGEST or (isinstance(value, float) and not math.isfinite(value))


def _event(sent: Any) -> Event:
    _require(isinstance(sent, dict) and sent.get("kind") in KINDS, "an event is none that pages tell of")
    trial, detail = sent.get("trial"), sent.get("detail", "")
    _require(trial is None or (_is(WHOLE, trial) and trial >= 0), "an event's trial is no number")
    _require(_is(TEXT, detail), "an event's detail is no text")
    return Event(sent["kind"], trial, detail[:100])


def _browser(sent: Any) -> dict[str, float]:
    """Return what is known of browsers; anything else is not kept."""
    _require(isinstance(sent, Mapping), "its browser is no object")
    told = {name: sent[name] for name in BROWSER if name in sent and _is(NUMBER, sent[name])}
    return {name: round(float(value), 2) for name, value in told.items() if 0 <= value <= BROWSER[name]}


def _require(claim: bool, complaint: str) -> None:
    if not claim:
        raise Unreadable(complaint)


def keep_notes(participant: Participant, message: Message) -> None:
    """Store what happened to a session, and once what its browser is."""
    if message.browser and not participant.browser:
        Participant.objects.filter(pk=participant.pk).update(browser=message.browser)
    if message.events:
        room = max(0, MOST_EVENTS_KEPT - participant.events.count())
        SessionEvent.objects.bulk_create(
            SessionEvent(
                participant=participant, trial_number=event.trial_number, kind=event.kind, detail=event.detail
            )
            for event in message.events[:room]
        )


def note_reload(participant: Participant) -> None:
    """Store that a session's page was loaded again."""
    Participant.objects.filter(pk=participant.pk).update(n_reloads=F("n_reloads") + 1)
    SessionEvent.objects.create(participant=participant, kind="reload", trial_number=participant.n_answered)
