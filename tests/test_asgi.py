"""The door of the web process: what stands before Django's pages."""

import asyncio
from typing import Any

import pytest
from django.db import connection

from fooling_web import asgi
from fooling_web.studies.models import StudyImage
from fooling_web.studies.sending import pictures_first
from tests.studies.asked import asked


def asked_for(path: str, method: str = "GET") -> list[Any]:
    """Return what is sent for an address; what is left to Django's pages is one word."""
    sent: list[Any] = []

    async def pages(scope: Any, receive: Any, send: Any) -> None:
        sent.append("pages")

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(pictures_first(pages)({"path": path, "method": method}, None, send))  # type: ignore[arg-type]
    return sent


@pytest.mark.django_db
def test_sends_the_pictures_of_studies_itself(alice: Any) -> None:
    image = asked(alice).images.latest("number")
    path = f"/studies/pictures/{image.sha256}.png"
    start, body = asked_for(path)

    assert body["body"] == StudyImage.objects.get(pk=image.pk).picture.read()
    assert (b"cache-control", b"public, max-age=31536000, immutable") in start["headers"]
    assert asked_for(path, "POST") == ["pages"]


@pytest.mark.parametrize("path", ["/", f"/studies/pictures/{'0' * 64}.png", "/studies/pictures/../x.png"])
def test_leaves_all_else_to_the_pages(path: str) -> None:
    assert asked_for(path) == ["pages"]


@pytest.mark.django_db
def test_keeps_the_log_of_sqlite_open() -> None:
    connection.ensure_connection()
    asgi.held.clear()
    asgi.keep_open(connection)

    assert len(asgi.held) == (connection.vendor == "sqlite")
