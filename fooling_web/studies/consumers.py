"""Sockets of a study's results: an event comes in, a bell goes out. The page then asks for what changed."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from fooling_web.runs.consumers import NOT_FOUND, RESTART
from fooling_web.runs.events import group_of_user
from fooling_web.studies.events import group_of
from fooling_web.studies.models import Classroom, Participant, Study

CLASS_BELL = '<span id="class-bell" hx-swap-oob="true" hidden></span>'
BELL = '<span id="results-bell" hx-swap-oob="true" hidden></span>'  # finished HTML, as htmx takes it in


class ResultsConsumer(AsyncWebsocketConsumer):
    """One browser that shows the results of a study that it may read."""

    async def connect(self) -> None:
        """Join the study's group, if whoever asks may read its results; what came in before the page asks for."""
        await self.accept()
        self.study_id = self.scope["url_route"]["kwargs"]["study_id"]
        self.groups = []
        if not await self._may_read():
            await self._part(NOT_FOUND, "There are no such results, or they are not yours to see.")
            return
        self.groups = [group_of(self.study_id), group_of_user(self.scope["user"].pk)]
        for group in self.groups:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.send(text_data=BELL)

    async def study_changed(self, event: dict[str, Any]) -> None:
        """Ring, or close where the results are not to be seen any more."""
        if not await self._may_read():
            await self._part(NOT_FOUND, "There are no such results, or they are not yours to see.")
            return
        await self.send(text_data=BELL)

    async def user_left(self, event: dict[str, Any]) -> None:
        """Close after a log-out; the browser connects again as whoever it then is."""
        await self._part(RESTART)

    async def _part(self, code: int, reason: str | None = None) -> None:
        """Close, and hear no more: to send anything to a closed socket would be an error."""
        while self.groups:
            await self.channel_layer.group_discard(self.groups.pop(), self.channel_name)
        await self.close(code, reason)

    @database_sync_to_async
    def _may_read(self) -> bool:
        return Study.objects.readable_by(self.scope["user"]).filter(pk=self.study_id).exists()


class ClassroomConsumer(AsyncWebsocketConsumer):
    """A teacher's page: it hears of every answer, and of the class moving on in another tab."""

    async def connect(self) -> None:
        """Join the groups of the class and of its study, if the class is this person's."""
        await self.accept()
        self.groups = []
        study_id = await self._study_id()
        if study_id is None:
            await self.close(NOT_FOUND, "There is no such class, or it is not yours.")
            return
        classroom_id = self.scope["url_route"]["kwargs"]["classroom_id"]
        self.groups = [group_of(study_id), group_of(classroom_id), group_of_user(self.scope["user"].pk)]
        for group in self.groups:
            await self.channel_layer.group_add(group, self.channel_name)

    async def study_changed(self, event: dict[str, Any]) -> None:
        """Ring."""
        await self.send(text_data=CLASS_BELL)

    async def user_left(self, event: dict[str, Any]) -> None:
        """Close after a log-out, and hear no more."""
        while self.groups:
            await self.channel_layer.group_discard(self.groups.pop(), self.channel_name)
        await self.close(RESTART)

    @database_sync_to_async
    def _study_id(self) -> Any:
        user, key = self.scope["user"], self.scope["url_route"]["kwargs"]["classroom_id"]
        if not user.is_authenticated:
            return None
        own = Classroom.objects.filter(pk=key)
        taught = own if user.is_staff else own.filter(teacher=user)
        return taught.values_list("study", flat=True).first()


class SeatConsumer(AsyncWebsocketConsumer):
    """A student's page: it hears when the class begins and when it sees what came out, and of nothing else."""

    async def connect(self) -> None:
        """Join the class's group. Nothing but a bell goes out, so that the seat's own address is enough."""
        await self.accept()
        self.groups = []
        classroom_id = await self._classroom_id()
        if classroom_id is None:
            await self.close(NOT_FOUND, "There is no such seat.")
            return
        self.groups = [group_of(classroom_id)]
        await self.channel_layer.group_add(self.groups[0], self.channel_name)

    async def study_changed(self, event: dict[str, Any]) -> None:
        """Ring."""
        await self.send(text_data=CLASS_BELL)

    @database_sync_to_async
    def _classroom_id(self) -> Any:
        seats = Participant.objects.filter(pk=self.scope["url_route"]["kwargs"]["participant_id"])
        return seats.values_list("classroom", flat=True).first()
