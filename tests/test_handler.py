"""The handler of requests: all middleware and the page in one thread, which is not the event loop's."""

import asyncio
import io
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import path

from fooling_web.handler import PIECE, PagesHandler


class Noting:
    """Middleware that notes in which threads it is called."""

    threads: ClassVar[list[int]] = []

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.threads.append(threading.get_ident())
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *page: Any) -> None:
        self.threads.append(threading.get_ident())


class Large(io.RawIOBase):
    """A file of four pieces, of which the first is read at once, and the others when the first has been sent."""

    n_read = 0
    first_is_sent = threading.Event()

    def read(self, size: int = -1) -> bytes:
        assert not self.n_read or self.first_is_sent.wait(20)
        content = bytes(min(size, 4 * PIECE - self.n_read))
        self.n_read += len(content)
        return content


large = Large()
urlpatterns = [path("large/", lambda _: FileResponse(large))]


async def asked(address: str) -> Any:
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": address, "query_string": b""}
    headers = [(b"host", b"localhost")]
    browser: Any = ApplicationCommunicator(PagesHandler(), {**scope, "headers": headers})  # type: ignore[no-untyped-call]
    await browser.send_input({"type": "http.request", "body": b""})
    return browser


async def answered(address: str) -> tuple[int, bytes]:
    browser = await asked(address)
    start, body = await browser.receive_output(20), await browser.receive_output(20)
    return start["status"], body["body"]


@pytest.mark.django_db(transaction=True)
def test_answers_in_one_thread(settings: Any) -> None:
    noting = f"{__name__}.Noting"
    settings.MIDDLEWARE = [noting, *settings.MIDDLEWARE, noting]
    Noting.threads.clear()

    status, body = asyncio.run(answered("/accounts/login/"))

    assert status == 200
    assert b"csrfmiddlewaretoken" in body
    assert len(Noting.threads) == 4
    assert len(set(Noting.threads)) == 1
    assert threading.get_ident() not in Noting.threads


@pytest.mark.django_db(transaction=True)
def test_answers_for_what_is_not_there() -> None:
    assert asyncio.run(answered("/nowhere/"))[0] == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls(__name__)
def test_sends_a_file_piece_by_piece(settings: Any) -> None:
    settings.MIDDLEWARE = []

    async def received() -> list[int]:
        browser = await asked("/large/")
        await browser.receive_output(20)
        lengths, goes_on = [], True
        while goes_on:
            sent = await browser.receive_output(10)
            lengths.append(len(sent.get("body", b"")))
            goes_on = sent.get("more_body", False)
            large.first_is_sent.set()
        await browser.wait(20)
        return lengths

    assert sum(asyncio.run(received())) == 4 * PIECE
    assert large.closed
