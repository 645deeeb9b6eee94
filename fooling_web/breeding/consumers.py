"""Sockets of breeding: an event comes in, what networks said or how an attempt goes goes out."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.template.loader import render_to_string

from fooling_web.breeding.events import group_of
from fooling_web.breeding.looking import Looking
from fooling_web.breeding.models import BreedingSession
from fooling_web.breeding.owning import is_owned, visitor_in
from fooling_web.runs.consumers import NOT_FOUND, RESTART
from fooling_web.runs.events import group_of_user


class BreedingConsumer(AsyncWebsocketConsumer):
    """One browser that shows a session of its own."""

    async def connect(self) -> None:
        """Join the session's group, if the session belongs to whoever asks."""
        await self.accept()
        self.session_id = self.scope["url_route"]["kwargs"]["session_id"]
        self.groups = []
        if not await self._owns():
            await self._part(NOT_FOUND, "There is no such session, or it is not yours.")
            return
        self.groups = [group_of(self.session_id), group_of_user(self.scope["user"].pk)]
        for group in self.groups:
            await self.channel_layer.group_add(group, self.channel_name)

    async def litter_heard(self, event: dict[str, Any]) -> None:
        """Send what networks say of a litter; a page that shows another one lets it pass."""
        await self._tell("breeding/_opinions.html", event["number"])

    async def attempt_changed(self, event: dict[str, Any]) -> None:
        """Send how the session's attempt goes."""
        await self._tell("breeding/_attempt.html", None)

    async def user_left(self, event: dict[str, Any]) -> None:
        """Close after a log-out; the browser connects again as whoever it then is."""
        await self._part(RESTART)

    async def _tell(self, template: str, number: int | None) -> None:
        """Send a fragment, or close where the session is not this browser's any more."""
        fragment = await self._rendered(template, number)
        if fragment is None:
            await self._part(NOT_FOUND, "There is no such session, or it is not yours.")
            return
        await self.send(text_data=fragment)

    async def _part(self, code: int, reason: str | None = None) -> None:
        """Close, and hear no more: to send anything to a closed socket would be an error."""
        while self.groups:
            await self.channel_layer.group_discard(self.groups.pop(), self.channel_name)
        await self.close(code, reason)

    @database_sync_to_async
    def _owns(self) -> bool:
        return self._session() is not None

    @database_sync_to_async
    def _rendered(self, template: str, number: int | None) -> str | None:
        """Render what is known of one litter, or of the one where the session stands."""
        session = self._session()
        if session is None:
            return None
        litter = session.place if number is None else session.litters.filter(number=number).first()
        if litter is None:
            return ""
        context = {"looking": Looking(session, litter), "session": session, "litter": litter, "is_part": True}
        return render_to_string(template, context)

    def _session(self) -> BreedingSession | None:
        """Return the session, if it belongs to whoever is here."""
        found = BreedingSession.objects.select_related("place").filter(pk=self.session_id).first()
        owns = found and is_owned(found, self.scope["user"], visitor_in(self.scope["session"]))
        return found if owns else None
