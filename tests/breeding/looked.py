"""Litters that networks look at, as tests need them: digits, of which LeNet is quick to say something."""

from typing import Any

from django.test import Client

from fooling_web.breeding.models import BreedingSession, Litter
from fooling_web.breeding.tasks import advance_attempt, give_opinion
from tests.breeding.bred import QUICK, Answer, begun, first_of

LENET, MLP = "mnist-lenet", "mnist-mlp"


def digits(client: Client, **settings: Any) -> Litter:
    """Begin a session of pictures as small as digits; return its first litter."""
    session = begun(client, picture="digits")
    BreedingSession.objects.filter(pk=session.pk).update(**settings)
    return Litter.objects.select_related("session").get(pk=first_of(session).pk)


def asked(client: Client, litter: Litter) -> Answer:
    """Ask as a page does."""
    return client.post(f"{litter.get_absolute_url()}opinions/", headers=QUICK)


def looked(client: Client, litter: Litter) -> Answer:
    """Ask, let the worker answer, and ask how it went."""
    asked(client, litter)
    session = BreedingSession.objects.get(pk=litter.session_id)
    for name in session.classifiers:
        give_opinion(str(session.pk), name)
    return client.get(f"{litter.get_absolute_url()}opinions/", headers=QUICK)


def chosen(client: Client, litter: Litter, **fields: Any) -> Answer:
    """Choose who looks on and for what."""
    fields = {"classifiers": [LENET, "", ""], "target": "", "goal": "", **fields}
    return client.post(f"/breed/{litter.session_id}/networks/", fields, headers=QUICK)


def tried(client: Client, litter: Litter, **fields: Any) -> Answer:
    """Press the button that lets evolution try."""
    return client.post(f"{litter.get_absolute_url()}attempt/", fields, headers=QUICK)


def carried_out(attempt: Any) -> Any:
    """Let the worker go on with an attempt to its end; return it as it then is."""
    while attempt.status in attempt.UNFINISHED:
        before = attempt.touched_at
        advance_attempt(attempt.pk)
        attempt.refresh_from_db()
        assert attempt.touched_at != before, "it does not come on"
    return attempt
