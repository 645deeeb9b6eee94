"""Pictures of studies, sent before Django's own machinery begins its work.

A session loads some fifty of them before its first trial, and whole classes begin at once: then the web process would
send pictures while others wait for their answers to be stored. A picture asks for no session, no account and no
database; whoever knows its hash may have it (`pictures.py`). So it is read and sent here, in a quarter of the time.
Whatever is not found is left to Django's pages.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.files.storage import default_storage

from fooling_web.studies.pictures import name_of

PICTURE = re.compile(r"/studies/pictures/([0-9a-f]{64})\.png")
HEADERS = (
    (b"content-type", b"image/png"),
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"x-content-type-options", b"nosniff"),
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def pictures_first(pages: Application) -> Application:
    """Return an application that sends pictures itself and passes all else on."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        found = PICTURE.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        content = await asyncio.to_thread(_content, found[1]) if found else None
        if content is None:
            await pages(scope, receive, send)
            return
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": content})

    return application


def _content(sha256: str) -> bytes | None:
    try:
        with default_storage.open(name_of(sha256)) as file:
            return bytes(file.read())
    except OSError:
        return None
