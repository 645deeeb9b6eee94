"""The handler of requests: all middleware and the page in one thread, which is not the event loop's."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse

from fooling_web.handler import PagesHandler


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


async def answered(path: str) -> tuple[int, bytes]:
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "query_string": b""}
    headers = [(b"host", b"localhost")]
    browser: Any = ApplicationCommunicator(PagesHandler(), {**scope, "headers": headers})  # type: ignore[no-untyped-call]
    await browser.send_input({"type": "http.request", "body": b""})
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
