"""Sockets of live run pages: an event comes in, the fragments of what changed go out."""

from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from fooling_web.runs.events import group_of
from fooling_web.runs.models import Run
from fooling_web.runs.watching import render_changes

NOT_FOUND = 4404  # close code; the socket is accepted first, or browsers would try again for ever


class RunConsumer(AsyncWebsocketConsumer):
    """One browser that watches one run."""

    async def connect(self) -> None:
        """Join the run's group and bring the page up to date from the generation that it knows."""
        await self.accept()
        self.run_id = self.scope["url_route"]["kwargs"]["run_id"]
        self.since = _since(self.scope["query_string"])
        await self.channel_layer.group_add(group_of(self.run_id), self.channel_name)
        await self.run_changed({})

    async def disconnect(self, code: int) -> None:
        """Leave the run's group."""
        await self.channel_layer.group_discard(group_of(self.run_id), self.channel_name)

    async def run_changed(self, event: dict[str, Any]) -> None:
        """Send what changed since the last time, or close if the run is not to be seen (any more)."""
        changes = await self._changes()
        if changes is None:
            await self.close(NOT_FOUND, "There is no such run, or it is not yours to see.")
            return
        await self.send(text_data=changes)

    @database_sync_to_async
    def _changes(self) -> str | None:
        user = self.scope["user"]
        run = Run.objects.visible_to(user).filter(pk=self.run_id).first()
        if run is None:
            return None
        changes = render_changes(run, self.since, controlled=run.is_controlled_by(user))
        self.since = -1 if run.generation is None else run.generation
        return changes


def _since(query_string: bytes) -> int:
    """Read `?since=`; anything that is no number means "from the beginning"."""
    try:
        return int(parse_qs(query_string.decode())["since"][0])
    except (KeyError, ValueError):
        return -1
