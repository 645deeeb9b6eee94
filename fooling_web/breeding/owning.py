"""Whose session it is: a person's, or a browser's as long as nobody has signed in there.

A browser without account is known by a secret in its Django session; the database keeps the secret's hash alone.
Who signs in, or signs up, takes over what the browser bred.
"""

import hashlib
import secrets
import uuid
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from fooling_web.breeding.models import BreedingSession, Litter
from fooling_web.users.models import User

SECRET = "breeding"  # noqa: S105 - under which the Django session keeps the secret
LARGEST_NUMBER = 2**31 - 1
NOT_YOURS = (
    "This breeding session belongs to somebody else, or to a browser whose cookies are gone. "
    "You can begin one of your own, or branch from any published picture."
)


def visitor_of(request: HttpRequest, *, made: bool = False) -> str:
    """Return the hash by which a browser without account is known; empty where it is not, unless it is to be made."""
    if made and SECRET not in request.session:
        request.session[SECRET] = secrets.token_urlsafe(32)
    return visitor_in(request.session)


def visitor_in(django_session: Any) -> str:
    """Return the hash by which whoever has this Django session is known; empty where they are not."""
    secret = django_session.get(SECRET, "")
    return hashlib.sha256(secret.encode()).hexdigest() if secret else ""


def is_owned(session: BreedingSession, user: Any, visitor: str) -> bool:
    """Whether a session is this person's, or this browser's where it is nobody's."""
    if session.owner_id is not None:
        return bool(user.is_authenticated and session.owner_id == user.pk)
    return bool(session.visitor) and session.visitor == visitor


def session_or_refusal(request: HttpRequest, session_id: uuid.UUID) -> BreedingSession:
    """Return a session of whoever asks; raises Http404, and PermissionDenied where it is somebody else's."""
    sessions = BreedingSession.objects.select_related("place").defer("place__genomes", "place__hashes")
    session = get_object_or_404(sessions, pk=session_id)
    if not is_owned(session, request.user, visitor_of(request)):
        raise PermissionDenied(NOT_YOURS)
    return session


def litter_or_404(session: BreedingSession, number: int) -> Litter:
    """Return a litter of a session."""
    if number > LARGEST_NUMBER:
        raise Http404("There is no such litter in this session.")
    return get_object_or_404(session.litters, number=number)


@receiver(user_logged_in)
def claim(request: HttpRequest, user: User, **signal: Any) -> None:
    """Give whoever signs in what was bred in this browser before."""
    visitor = visitor_of(request) if hasattr(request, "session") else ""
    if visitor:
        BreedingSession.objects.filter(owner=None, visitor=visitor).update(owner=user, visitor="")
