"""What answers HTTP requests: Django's handler, with all middleware and the page in one thread of a few that stay.

Pages here are plain functions, and so is some of the middleware. Django's own handler for ASGI leads a request to and
fro between the event loop and a new thread: for the middleware, for the form token, for the page. On a busy processor
each of these ways is a wait. This one goes there once. Since its threads stay, so do their connections to a database
server, which takes longer to open one than to answer; SQLite's are opened anew, each with its small memory.

A file is read piece by piece while it is sent; Django would hold it whole in memory first.
"""

from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections, connections
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase

THREADS = 16  # pages that are made at the same time
PIECE = 2**18  # bytes of a file that are read at once
KEPT = 60  # seconds for which a connection to a database server is used again
threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pages")


class PagesHandler(ASGIHandler):
    """Django's pages over ASGI, each in a thread from the first middleware to the last."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain of middleware as for plain functions."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request in its thread."""
        response = await sync_to_async(self._answer, thread_sensitive=False, executor=threads)(request)
        if isinstance(response, FileResponse) and not response.is_async:
            response.block_size = PIECE
            response.streaming_content = _in_pieces(response.streaming_content)  # type: ignore[arg-type]
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        close_old_connections()  # Django's signals ask for it as well, but in another thread
        try:
            return self.get_response(request)
        finally:
            close_old_connections()


async def _in_pieces(content: Iterable[bytes]) -> AsyncIterator[bytes]:
    pieces = iter(content)
    following = sync_to_async(lambda: next(pieces, b""), thread_sensitive=False, executor=threads)
    while piece := await following():
        yield piece


def pages_handler() -> PagesHandler:
    """Load the applications and return what answers for them."""
    django.setup(set_prefix=False)
    for database in connections.settings.values():
        if database["ENGINE"] != "django.db.backends.sqlite3":
            database.update(CONN_MAX_AGE=KEPT, CONN_HEALTH_CHECKS=True)
    return PagesHandler()
