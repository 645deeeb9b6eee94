"""Sessions as tests need them."""

from typing import Any

from django.test import Client
from django.urls import reverse

from fooling_web.breeding.models import BreedingSession, Litter

Answer = Any  # a response, with what Django's test client adds to it
QUICK = {"HX-Request": "true"}


def begun(client: Client, **fields: Any) -> BreedingSession:
    """Begin a session as a person does, and return it."""
    answer = client.post(reverse("breeding:begin"), fields)
    assert answer.status_code == 302, answer.content.decode()
    litter = Litter.objects.latest("pk")
    assert answer["Location"] == litter.get_absolute_url()
    return litter.session


def step(client: Client, litter: Litter, deed: str, **fields: Any) -> Answer:
    """Press a button on the page of a litter."""
    address = reverse(f"breeding:{deed}", args=[litter.session_id, litter.number])
    return client.post(address, fields, headers=QUICK)


def stepped(client: Client, litter: Litter, deed: str, **fields: Any) -> Litter:
    """Press a button on the page of a litter, and return where it led."""
    answer = step(client, litter, deed, **fields)
    assert answer.status_code == 200, answer.content.decode()
    number = int(answer["HX-Push-Url"].rstrip("/").rpartition("/")[2])
    return Litter.objects.select_related("session").get(session=litter.session_id, number=number)


def first_of(session: BreedingSession) -> Litter:
    """Return the first litter of a session."""
    return session.litters.get(number=0)


def document(**changes: Any) -> dict[str, Any]:
    """Return a small genome in three colours, or what the changes make of it."""
    return {
        "format": "foolbreeder-cppn",
        "version": 1,
        "inputs": ["x", "y", "d", "bias"],
        "coordinates": "normalised",
        "outputs": 3,
        "colour": "hsv",
        "functions": ["sine", "gaussian", "sigmoid", "sine"],
        "connections": [[0, 4, 1.5], [2, 4, -1.0], [4, 5, 0.5], [1, 6, 2.0], [4, 7, 1.0], [3, 7, 0.2]],
        **changes,
    }
