"""The audit log: who did what, when, and how large it was. Lines are written and read, never changed."""

from typing import Any

from fooling_web.users.models import AuditLine

COMMAND = "a command on the server"
LONGEST = 300


def record(by: Any, deed: str, what: str, size: int | None = None, outcome: str = "done") -> AuditLine:
    """Write a line; `by` is a person, or nobody where a command did it."""
    person = by if by is not None and by.is_authenticated else None
    return AuditLine.objects.create(
        by=person,
        name=person.get_username() if person else COMMAND,
        deed=deed,
        what=what[:LONGEST],
        size=size,
        outcome=outcome[:LONGEST],
    )
