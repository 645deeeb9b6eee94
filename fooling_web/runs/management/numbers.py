"""Numbers of a command line, read after the parser, which would explain all its options before the one mistake."""

from typing import Any

from django.core.management.base import CommandError

LONGEST = 19  # digits; whatever has more is out of every range


def whole(name: str, given: Any, example: int) -> int | None:
    """Return a whole number, or None where none was given; raises CommandError."""
    if given is None:
        return None
    text = str(given)
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST):
        raise CommandError(f"{name} {_shortened(text)!r} must be a whole number, such as {example}")
    return int(text)


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * LONGEST else f"{text[:LONGEST]}…"
