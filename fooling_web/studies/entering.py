"""How somebody comes to a study: which way in, who they are elsewhere, and the secret that their browser keeps."""

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from fooling_web.studies.models import Participant, Study, digest
from fooling_web.studies.taking_part import TWICE, Outside, Refused

SECRET = "participant"  # noqa: S105 - the name of the cookie that opens a session; only its pages get it
PLACE = "place"  # the cookie that leads a browser back to its session; it opens nothing
COOKIE_AGE = 30 * 86_400  # seconds
IDENTIFIER = re.compile(r"[\w.:-]{1,100}", re.ASCII)
SERVICES = {  # the names under which services send who comes: person, task, visit
    "prolific": ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    "mturk": ("workerId", "hitId", "assignmentId"),
}
PREVIEWING = "ASSIGNMENT_ID_NOT_AVAILABLE"  # Mechanical Turk, while nobody has accepted the task
ELSEWHERE = (
    "You have begun this study in another browser or on another visit. Go on there, where you stopped."
)
TITLES = {"prolific": "Prolific", "mturk": "Mechanical Turk"}


@dataclass(frozen=True)
class Arrival:
    """A way in, and what came with it."""

    entry: str
    outside: Outside | None = None
    is_preview: bool = False  # of the recruiting service: to be read, not to be answered


def arrival_of(request: HttpRequest, study: Study) -> Arrival:
    """Return by which way somebody comes; raises Refused where it is none of the study's."""
    values = request.POST if request.method == "POST" else request.GET
    for service in SERVICES:
        if outside := _outside(service, values):
            if service not in study.ways_in:
                raise Refused("way in", f"This study does not take people from {TITLES[service]}.")
            return Arrival(service, outside, is_preview=outside.visit == PREVIEWING)
    if "link" in study.ways_in:
        return Arrival("link")
    if "account" in study.ways_in:
        return Arrival("account")
    raise Refused("way in", _the_other_way(study))


def _outside(service: str, values: Mapping[str, str]) -> Outside | None:
    """Return who a service says comes; None where it says nothing. Raises Refused for what no service sends."""
    names = SERVICES[service]
    if not any(name in values for name in names):
        return None
    person, task, visit = (values.get(name, "") for name in names)
    if service == "mturk" and visit == PREVIEWING:
        return Outside(service, "", task, visit)
    for name, value in zip(names, (person, task, visit), strict=True):
        if (value or name == names[0]) and not IDENTIFIER.fullmatch(value):
            raise Refused(
                "identifier",
                f"{name} came as “{value[:40]}”, which {TITLES[service]} does not send. Start there again.",
            )
    return Outside(service, person, task, visit)


def _the_other_way(study: Study) -> str:
    ways = [TITLES[way] for way in study.ways_in if way in TITLES]
    if ways:
        return f"This study takes people from {' and '.join(ways)} alone. Start it there."
    if "class" in study.ways_in:
        return "This study is for classes. Join with the code that your teacher shows."
    return "This study takes nobody at the moment."


def earlier(request: HttpRequest, study: Study, arrival: Arrival) -> Participant | None:
    """Return the session that somebody has in a study already; raises Refused where they cannot go on with it."""
    found = _earlier(request, study, arrival)
    if found and found.phase != study.phase:
        raise Refused(
            "tried out",
            "You took part while this study was tried out, and have seen its pictures. Thank you: that was a help.",
        )
    return found


def _earlier(request: HttpRequest, study: Study, arrival: Arrival) -> Participant | None:
    """Look for somebody's session.

    A browser is led back by its cookie, and an account from any browser. Another browser goes on only with the very
    visit that a service sent, which nobody else knows; the same person on another visit has taken part.
    """
    by_cookie = study.participants.filter(pk=_key(request.COOKIES.get(PLACE, ""))).first()
    if arrival.entry == "account":
        return study.participants.filter(entry="account", user=request.user.pk).first()
    outside = arrival.outside
    if outside is None:
        return by_cookie
    known = study.outside_identities.filter(service=outside.service, person=outside.person)
    identity = known.select_related("participant").first()
    if identity is None:
        return None
    if by_cookie == identity.participant or (outside.visit and identity.visit == outside.visit):
        return identity.participant
    raise Refused("twice", TWICE if identity.participant.is_complete else ELSEWHERE)


def renew_secret(participant: Participant) -> str:
    """Give a session a new secret, for a browser that has shown in another way that it is theirs."""
    token = secrets.token_urlsafe(24)
    Participant.objects.filter(pk=participant.pk).update(token_hash=digest(token))
    return token


def is_theirs(request: HttpRequest, participant: Participant) -> bool:
    """Whether a session is this browser's."""
    return secrets.compare_digest(participant.token_hash, digest(request.COOKIES.get(SECRET, "")))


def remember(response: HttpResponse, participant: Participant, token: str) -> None:
    """Let the browser keep the secret of its session, and find back to it."""
    _keep(response, SECRET, token, participant.get_absolute_url())


def remember_place(response: HttpResponse, participant: Participant) -> None:
    """Let the browser find back to its session from the study's link."""
    _keep(response, PLACE, str(participant.pk), participant.study.take_url)


def _keep(response: HttpResponse, name: str, value: str, path: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=COOKIE_AGE,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def is_recruited(participant: Participant) -> bool:
    """Whether somebody came from a recruiter who expects a code: a service, or else the one with an address."""
    study = participant.study
    if participant.entry in SERVICES:
        return True
    return bool(study.completion_url) and not set(study.ways_in) & SERVICES.keys()


def way_out(participant: Participant) -> str:
    """Return where somebody is sent who is done, with the code where the recruiter expects it; or nothing."""
    study = participant.study
    if not study.completion_url or not participant.is_complete or not is_recruited(participant):
        return ""
    parts = urlsplit(study.completion_url)
    query = dict(parse_qsl(parts.query))
    if participant.entry == "prolific":
        query.setdefault("cc", study.completion_code)
    return urlunsplit(parts._replace(query=urlencode(query)))


def _key(text: str) -> uuid.UUID:
    """Return a key from outside; one that nothing has where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
