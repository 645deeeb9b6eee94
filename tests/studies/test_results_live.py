"""Sockets of results: whoever may read them hears that something came in, at most once a second, and nobody else."""

import threading
import time
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from fooling_web.runs.consumers import NOT_FOUND, RESTART
from fooling_web.studies import events
from fooling_web.studies.design import Design
from fooling_web.studies.models import Study
from tests.runs.test_consumers import Socket

pytestmark = pytest.mark.django_db(transaction=True)


def study_of(owner: Any) -> Study:
    return Study.objects.create(owner=owner, title="What is it?", design=Design().to_json())


async def opened(study_id: Any, person: Any = None) -> Socket:
    return await sync_to_async(Socket)(study_id, person=person, path="/ws/studies/{}/results/")


async def let_in(study_id: Any, person: Any = None) -> Socket:
    socket = await opened(study_id, person)
    assert (await socket.knock())["type"] == "websocket.accept"
    assert "results-bell" in await socket.hears()  # something may have come in since the page was read
    return socket


async def turned_away(study_id: Any, person: Any = None) -> bool:
    socket = await opened(study_id, person)
    assert (await socket.knock())["type"] == "websocket.accept"
    return await socket.farewell() == NOT_FOUND


async def test_hears_that_something_came_in(alice: Any) -> None:
    study = await sync_to_async(study_of)(alice)
    socket = await let_in(study.pk, alice)

    await sync_to_async(events.announce)(study.pk)

    assert "results-bell" in await socket.hears()
    await socket.leave()


async def test_hears_a_crowd_once_a_second(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study = await sync_to_async(study_of)(alice)
    socket = await let_in(study.pk, alice)
    began = time.monotonic()

    for _ in range(50):
        await sync_to_async(events.announce)(study.pk)

    await socket.hears()
    await socket.hears()
    assert time.monotonic() - began >= events.APART
    assert await socket.receive_nothing(timeout=0.3)
    assert not events._waiting
    await socket.leave()


async def test_turns_strangers_away(alice: Any, charlie: Any) -> None:
    study = await sync_to_async(study_of)(alice)

    assert await turned_away(study.pk, charlie)
    assert await turned_away(study.pk)
    assert await turned_away(uuid4(), alice)


async def test_lets_everybody_hear_of_published_results(alice: Any) -> None:
    study = await sync_to_async(study_of)(alice)
    await Study.objects.filter(pk=study.pk).aupdate(results="public")

    socket = await let_in(study.pk)
    await socket.leave()


async def test_closes_when_results_are_taken_back(alice: Any, charlie: Any) -> None:
    study = await sync_to_async(study_of)(alice)
    await Study.objects.filter(pk=study.pk).aupdate(results="public")
    socket = await let_in(study.pk, charlie)

    await Study.objects.filter(pk=study.pk).aupdate(results="private")
    await sync_to_async(events.announce)(study.pk)

    assert await socket.farewell() == NOT_FOUND


async def test_closes_when_its_reader_signs_out(alice: Any, as_person: Any) -> None:
    study = await sync_to_async(study_of)(alice)
    socket = await let_in(study.pk, alice)

    client = await sync_to_async(as_person)(alice)
    await sync_to_async(client.logout)()

    assert await socket.farewell() == RESTART


def test_rings_once_committed_from_any_number_of_threads() -> None:
    study_id = uuid4()
    threads = [threading.Thread(target=events._ring_soon, args=[str(study_id)]) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert str(study_id) in events._waiting
    time.sleep(events.APART + 0.3)
    assert str(study_id) not in events._waiting
