"""The doorbell of live pages: heard by those who watch, and never in the way."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import LazySettings

from fooling_web.home import valkey_socket
from fooling_web.runs.events import announce, group_of
from fooling_web.runs.models import Run
from tests.factories import execute_once


@pytest.fixture
def valkey() -> Iterator[Any]:
    with redis.Redis(unix_socket_path=str(valkey_socket())) as client:
        yield client


async def test_tells_those_who_watch_the_run_and_nobody_else() -> None:
    run, other = Run(), Run()
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group_of(run.pk), channel)

    await sync_to_async(announce)(other)
    await sync_to_async(announce)(run)

    assert await asyncio.wait_for(layer.receive(channel), 5) == {"type": "run.changed"}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(layer.receive(channel), 0.2)


def test_leaves_no_connection_behind(valkey: Any) -> None:
    announce(Run())
    before = len(valkey.client_list())

    for _ in range(30):
        announce(Run())

    assert len(valkey.client_list()) <= before + 2


def test_shrugs_where_nobody_can_be_told(settings: LazySettings) -> None:
    layer = {**settings.CHANNEL_LAYERS["default"], "CONFIG": {"hosts": ["unix:///nowhere/valkey.sock?db=2"]}}
    settings.CHANNEL_LAYERS = {"default": layer}

    announce(Run())


@pytest.mark.django_db(transaction=True)
async def test_rings_only_for_what_can_already_be_read(run: Run, every_generation_kept: None) -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group_of(run.pk), channel)
    read: list[int | None] = []

    async def listen() -> None:
        while True:
            await layer.receive(channel)
            read.append(await sync_to_async(lambda: Run.objects.get(pk=run.pk).generation)())

    listening = asyncio.create_task(listen())
    await sync_to_async(execute_once, thread_sensitive=False)(run)
    await asyncio.sleep(0.3)
    listening.cancel()

    assert read[-1] == 5
