"""Sockets of breeding: whoever shows a session of their own hears of it, and nobody else."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as project_settings
from django.test import Client

from fooling_web.breeding.attempts import advance
from fooling_web.breeding.models import Attempt, BreedingSession
from fooling_web.runs.consumers import NOT_FOUND, RESTART
from tests.breeding.looked import digits, looked, tried
from tests.runs.test_consumers import Socket

pytestmark = pytest.mark.django_db(transaction=True)


async def opened(client: Client, session_id: Any) -> Socket:
    """Open a socket with a browser's cookies."""
    cookie = client.cookies.get(project_settings.SESSION_COOKIE_NAME)
    socket = await sync_to_async(Socket)(session_id, path="/ws/breed/{}/")
    if cookie:
        value = f"{project_settings.SESSION_COOKIE_NAME}={cookie.value}".encode()
        socket.scope["headers"].append((b"cookie", value))
    return socket


async def let_in(client: Client, session_id: Any) -> Socket:
    socket = await opened(client, session_id)
    assert (await socket.knock())["type"] == "websocket.accept"
    assert await socket.receive_nothing(timeout=0.2)
    return socket


async def turned_away(client: Client, session_id: Any) -> bool:
    socket = await opened(client, session_id)
    assert (await socket.knock())["type"] == "websocket.accept"
    return await socket.farewell() == NOT_FOUND


async def test_brings_what_a_network_said() -> None:
    client = Client()
    litter = await sync_to_async(digits)(client)
    socket = await let_in(client, litter.session_id)

    await sync_to_async(looked)(client, litter)

    news = await socket.hears()
    assert 'id="opinions-14" data-litter="0"' in news
    assert news.count('class="guess"') == 15
    await socket.leave()


async def test_brings_how_an_attempt_goes() -> None:
    client = Client()
    litter = await sync_to_async(digits)(client, target=3)
    await sync_to_async(tried)(client, litter, picked=[0])
    socket = await let_in(client, litter.session_id)

    def advance_it() -> None:
        advance(Attempt.objects.select_related("session", "litter").get(), seconds=0)

    await sync_to_async(advance_it)()

    assert "generation 1 of 20" in await socket.hears()
    await socket.leave()


async def test_lets_a_person_hear_of_their_own_session_alone(alice: Any, bob: Any, as_person: Any) -> None:
    hers = await sync_to_async(as_person)(alice)
    litter = await sync_to_async(digits)(hers)

    for stranger in (await sync_to_async(as_person)(bob), Client()):
        assert await turned_away(stranger, litter.session_id)
    socket = await let_in(hers, litter.session_id)
    await socket.leave()


async def test_lets_no_other_browser_hear_of_a_session_without_account() -> None:
    client = Client()
    litter = await sync_to_async(digits)(client)
    other = Client()
    await sync_to_async(digits)(other)

    assert await turned_away(other, litter.session_id)
    assert await turned_away(Client(), litter.session_id)


async def test_closes_on_sessions_that_there_are_not() -> None:
    assert await turned_away(Client(), uuid4())


async def test_closes_where_a_session_became_somebody_elses(alice: Any) -> None:
    client = Client()
    litter = await sync_to_async(digits)(client)
    socket = await let_in(client, litter.session_id)

    def hand_over() -> None:
        BreedingSession.objects.update(owner=alice, visitor="")
        looked(as_owner(alice), litter)

    await sync_to_async(hand_over)()

    assert await socket.farewell() == NOT_FOUND


async def test_closes_when_its_owner_signs_out(alice: Any, as_person: Any) -> None:
    client = await sync_to_async(as_person)(alice)
    litter = await sync_to_async(digits)(client)
    socket = await let_in(client, litter.session_id)

    await sync_to_async(client.logout)()

    assert await socket.farewell() == RESTART


def as_owner(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client
