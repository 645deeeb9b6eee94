"""Sockets of live run pages: an event comes in, the fragments of what changed go out."""

from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from fooling_web.runs.events import group_of, group_of_user
from fooling_web.runs.models import Run
from fooling_web.runs.watching import generation_from, render_changes

RESTART = 1012  # close code upon which a browser connects again
NOT_FOUND = 4404  # close code; the socket is accepted first, or browsers would try again for ever


class RunConsumer(AsyncWebsocketConsumer):
    """One browser that watches one run."""

    async def connect(self) -> None:
        """Join the run's group and bring the page up to date from the generation that it knows."""
        await self.accept()
        self.run_id = self.scope["url_route"]["kwargs"]["run_id"]
        self.since = _since(self.scope["query_string"].decode(errors="replace"))
        self.groups = [group_of(self.run_id), group_of_user(self.scope["user"].pk)]
        for group in self.groups:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.run_changed({})

    async def run_changed(self, event: dict[str, Any]) -> None:
        """Send what changed since the last time, or close if the run is not to be seen (any more)."""
        changes = await self._changes()
        if changes is None:
            await self._part(NOT_FOUND, "There is no such run, or it is not yours to see.")
            return
        await self.send(text_data=changes)

    async def user_left(self, event: dict[str, Any]) -> None:
        """Close after a log-out; the browser connects again as whoever it then is."""
        await self._part(RESTART)

    async def _part(self, code: int, reason: str | None = None) -> None:
        """Close, and hear no more: to send anything to a closed socket would be an error."""
        while self.groups:
            await self.channel_layer.group_discard(self.groups.pop(), self.channel_name)
        await self.close(code, reason)

    @database_sync_to_async
    def _changes(self) -> str | None:
        user = self.scope["user"]
        run = Run.objects.visible_to(user).filter(pk=self.run_id).first()
        if run is None:
            return None
        changes = render_changes(run, self.since, controlled=run.is_controlled_by(user))
        self.since = -1 if run.generation is None else run.generation
        return changes


class NowhereConsumer(AsyncWebsocketConsumer):
    """A browser at an address where nothing is."""

    async def connect(self) -> None:
        """Accept and close, so that it does not try again."""
        await self.accept()
        await self.close(NOT_FOUND, "There is nothing at this address.")


def _since(query: str) -> int:
    return generation_from(parse_qs(query).get("since", [""])[0])
