"""Joining a class: a code from the wall, a nickname if one likes, and a seat.

A browser has one seat in a class: who comes again by the same code is led back to it. Whoever comes after the time
is up, or after the class was closed, is told so.
"""

import re
import unicodedata
import uuid
from typing import Any

from fooling_web.studies import events, taking_part
from fooling_web.studies.classrooms import found_by, takes_students
from fooling_web.studies.models import Classroom, Participant

LONGEST_NICKNAME = 24
MOST_STUDENTS = 300


class Refused(Exception):
    """A seat that cannot be had; the message says why, and what would help."""


def open_to(code: str) -> Classroom:
    """Return the class with a code, if it takes students; raises Refused."""
    classroom = found_by(code)
    if classroom is None:
        raise Refused(
            f"No class has the code “{code.strip()[:20]}”. Look at the wall again: letters and digits."
        )
    if not takes_students(classroom):
        raise Refused("This class is over, and takes nobody any more. Ask your teacher for a new code.")
    return classroom


def cleaned(nickname: str) -> str:
    """Return a nickname in one line, without what cannot be read; raises Refused where it is too long."""
    legible = "".join(one if unicodedata.category(one)[0] != "C" else " " for one in nickname)
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFC", legible)).strip()
    if len(plain) > LONGEST_NICKNAME:
        raise Refused(f"“{plain[:LONGEST_NICKNAME]}…” is too long; take at most {LONGEST_NICKNAME} letters.")
    return plain


def join(
    classroom: Classroom, nickname: str, browser: dict[str, Any] | None = None
) -> tuple[Participant, str]:
    """Give a student a seat; return it with the secret of their browser. Raises Refused."""
    name = cleaned(nickname)
    if name and classroom.participants.filter(nickname__iexact=name).exists():
        raise Refused(f"Somebody in this class is called “{name}” already. Take another name.")
    if classroom.participants.count() >= MOST_STUDENTS:
        raise Refused(f"This class is full: it has {MOST_STUDENTS} seats. Ask your teacher to open another.")
    try:
        return taking_part.begin(
            classroom.study, entry="class", classroom=classroom, nickname=name, browser=browser
        )
    except taking_part.Refused as refusal:
        raise Refused(str(refusal)) from refusal


def seat_in(classroom: Classroom, key: str) -> Participant | None:
    """Return the seat that a browser remembers in a class, if it is one."""
    try:
        found = uuid.UUID(key)
    except ValueError:
        return None
    return classroom.participants.filter(pk=found).first()


def hide_name(participant: Participant) -> None:
    """Take a student's nickname off the wall, for good."""
    Participant.objects.filter(pk=participant.pk).update(nickname="")
    events.announce(participant.study_id)
