"""Sockets of live run pages, against the real channel layer and the whole stack in front of them."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import LazySettings
from django.conf import settings as project_settings
from django.test import Client

from fooling_web.asgi import application
from fooling_web.runs.consumers import NOT_FOUND, RESTART
from fooling_web.runs.events import announce
from fooling_web.runs.models import Run
from tests.factories import execute_once, executed, launched
from tests.imagined import go_on, imagined

pytestmark = pytest.mark.django_db(transaction=True)

OWN_PAGE = "http://127.0.0.1:8000"
PATIENCE = 10  # seconds for an answer


class Socket(ApplicationCommunicator):
    """A browser's socket to a run, through everything that stands before the consumer."""

    def __init__(
        self,
        run_id: Any,
        query: str = "",
        person: Any = None,
        origin: str | None = OWN_PAGE,
        path: str = "/ws/runs/{}/",
    ) -> None:
        headers = [(b"host", b"127.0.0.1:8000")]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if person is not None:
            headers.append((b"cookie", cookie_of(person)))
        address = {"path": path.format(run_id), "query_string": query.encode()}
        super().__init__(
            application, {"type": "websocket", "headers": headers, "subprotocols": [], **address}
        )

    async def knock(self) -> dict[str, Any]:
        """Ask to be let in; return the answer."""
        await self.send_input({"type": "websocket.connect"})
        answer: dict[str, Any] = await self.receive_output(timeout=PATIENCE)
        return answer

    async def hears(self) -> str:
        message = await self.receive_output(timeout=PATIENCE)
        assert message["type"] == "websocket.send", message
        text: str = message["text"]
        return text

    async def farewell(self) -> int:
        """Return the code with which the site closes, having sent nothing before."""
        message = await self.receive_output(timeout=PATIENCE)
        assert message["type"] == "websocket.close", message
        code: int = message["code"]
        return code

    async def leave(self, code: int = 1001) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(timeout=PATIENCE)


def cookie_of(person: Any) -> bytes:
    client = Client()
    client.force_login(person)
    name = project_settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}".encode()


async def opened(*arguments: Any, **options: Any) -> Socket:
    socket = await sync_to_async(Socket)(*arguments, **options)
    answer = await socket.knock()
    assert answer["type"] == "websocket.accept"
    return socket


def cells(fragments: str) -> set[int]:
    """Return the classes whose champions are among the fragments."""
    return {int(index) for index in re.findall(r'id="champion-(\d+)"', fragments)}


@sync_to_async
def change(run: Run, **changes: Any) -> None:
    """Alter a run and announce it."""
    Run.objects.filter(pk=run.pk).update(**changes)
    announce(run)


@sync_to_async
def newer(run: Run, generation: int) -> set[int]:
    return set(run.champions.filter(generation__gt=generation).values_list("class_index", flat=True))


@pytest.fixture
def private_run(alice: Any) -> Run:
    return launched(owner=alice, visibility="private")


async def test_lets_an_owner_watch_a_private_run(private_run: Run, alice: Any) -> None:
    socket = await opened(private_run.pk, person=alice)

    fragments = await socket.hears()

    assert 'data-status="queued"' in fragments
    assert "control-pause" in fragments
    await socket.leave()


@pytest.mark.parametrize("stranger", ["nobody", "bob"])
async def test_closes_on_those_who_may_not_see_a_private_run(
    private_run: Run, bob: Any, stranger: str
) -> None:
    socket = await opened(private_run.pk, person=bob if stranger == "bob" else None)

    assert await socket.farewell() == NOT_FOUND
    await change(private_run, max_confidence=0.5)
    assert await socket.receive_nothing(timeout=0.3)


async def test_closes_alike_on_those_who_ask_for_a_run_that_does_not_exist(alice: Any) -> None:
    socket = await opened(uuid4(), person=alice)

    assert await socket.farewell() == NOT_FOUND


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/runs/{}x/", "/nowhere"])
async def test_closes_on_addresses_where_nothing_is(path: str) -> None:
    socket = await opened(uuid4(), path=path)

    assert await socket.farewell() == NOT_FOUND


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_lets_everybody_watch_an_open_run_and_nobody_steer_it(alice: Any, visibility: str) -> None:
    run = await sync_to_async(launched)(owner=alice, visibility=visibility)
    socket = await opened(run.pk)

    fragments = await socket.hears()

    assert 'data-status="queued"' in fragments
    assert "control-pause" not in fragments
    await socket.leave()


@pytest.mark.parametrize("since", [-1, 0, 2, 4])
async def test_catches_up_from_what_a_page_knows(finished_run: Run, since: int) -> None:
    socket = await opened(finished_run.pk, f"since={since}")

    fragments = await socket.hears()

    assert cells(fragments) == await newer(finished_run, since)
    assert 'data-generation="5"' in fragments
    await socket.leave()


@pytest.mark.parametrize("query", ["", "since=", "since=x", "since=-9", "since=%FF", "other=1"])
async def test_tells_everything_to_a_page_that_knows_nothing(finished_run: Run, query: str) -> None:
    socket = await opened(finished_run.pk, query)

    assert cells(await socket.hears()) >= await newer(finished_run, -1)
    await socket.leave()


async def test_brings_only_what_is_new_when_a_run_changes(
    run: Run, settings: LazySettings, every_generation_kept: None
) -> None:
    socket = await opened(run.pk)
    assert cells(await socket.hears()) == set()

    for generation in range(4):
        await sync_to_async(execute_once)(run, seconds=0)
        fragments = [await socket.hears() for _ in range(3)]  # claimed, kept, given back

        told = [index for part in fragments for index in cells(part)]
        assert sorted(told) == sorted(await newer(run, generation - 1))
        assert f'data-generation="{generation}"' in fragments[-1]
    await socket.leave()


async def test_ends_with_everything_told_when_the_run_ends(run: Run) -> None:
    socket = await opened(run.pk)
    await socket.hears()

    await sync_to_async(executed)(run)

    told = set()
    while 'data-status="finished"' not in (fragments := await socket.hears()):
        told |= cells(fragments)
    assert told | cells(fragments) == set(range(10))
    await socket.leave()


async def test_hears_nothing_of_other_runs(run: Run, private_run: Run) -> None:
    socket = await opened(run.pk)
    await socket.hears()

    await change(private_run, max_confidence=0.5)

    assert await socket.receive_nothing(timeout=0.3)
    await socket.leave()


async def test_closes_on_strangers_when_a_run_becomes_private(run: Run, alice: Any, bob: Any) -> None:
    sockets = [await opened(run.pk, person=person) for person in (None, bob, alice)]
    for socket in sockets:
        await socket.hears()

    await change(run, visibility="private")

    assert [await socket.farewell() for socket in sockets[:2]] == [NOT_FOUND] * 2
    assert "data-status" in await sockets[2].hears()
    await sockets[2].leave()


async def test_closes_when_a_run_is_deleted(run: Run) -> None:
    socket = await opened(run.pk)
    await socket.hears()

    await sync_to_async(lambda: (Run.objects.all().delete(), announce(run)))()

    assert await socket.farewell() == NOT_FOUND


async def test_closes_a_persons_sockets_when_she_signs_out(run: Run, alice: Any, bob: Any) -> None:
    hers, his = await opened(run.pk, person=alice), await opened(run.pk, person=bob)
    await hers.hears()
    await his.hears()

    def sign_out() -> None:
        client = Client()
        client.force_login(alice)
        client.logout()

    await sync_to_async(sign_out)()

    assert await hers.farewell() == RESTART
    assert await his.receive_nothing(timeout=0.3)
    await his.leave()


@pytest.mark.parametrize("origin", ["http://example.org", "http://127.0.0.1.example.org", "null", None])
async def test_refuses_pages_of_other_sites(run: Run, alice: Any, origin: str | None) -> None:
    socket = await sync_to_async(Socket)(run.pk, person=alice, origin=origin)

    answer = await socket.knock()

    assert answer["type"] == "websocket.close"


async def test_bears_what_a_browser_says_and_its_sudden_end(run: Run) -> None:
    socket = await opened(run.pk)
    await socket.hears()

    await socket.send_input({"type": "websocket.receive", "text": "<script>"})
    await change(run, max_confidence=0.5)

    assert "data-status" in await socket.hears()
    await socket.leave(code=1006)
    await change(run, max_confidence=0.6)
    await asyncio.sleep(0.1)


async def test_brings_numbers_and_no_figures_where_classes_are_many() -> None:
    history = await sync_to_async(imagined)(classes=60, generations=2, status="running")
    socket = await opened(history.run.pk, "since=2")
    await socket.hears()

    await sync_to_async(go_on)(history, changes=7)

    fragments = await socket.hears()
    [lines] = re.findall(r'id="cells" hidden data-lines="([^"]*)" data-generation="3"', fragments)
    told = {int(line.split(":")[0]) for line in lines.split()}
    assert told == await newer(history.run, 2)
    assert len(told) == 7
    assert cells(fragments) == set()
    await socket.leave()
