"""The door of the web process: pages over HTTP, live runs over WebSockets."""

import os
import sqlite3
import threading
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.db.backends.signals import connection_created

from fooling_web.handler import pages_handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
pages = pages_handler()

from fooling_web.breeding import stepping  # noqa: E402
from fooling_web.runs import pictures  # noqa: E402
from fooling_web.studies.sending import pictures_first  # noqa: E402
from fooling_web.urls import websocket_urlpatterns  # noqa: E402 - the applications must be loaded first


def warm_up() -> None:
    """Load the kernels that draw and breed."""
    pictures.warm_up()
    stepping.warm_up()


def keep_open(connection: Any, **_: Any) -> None:
    """Hold a connection to SQLite for as long as the process lives, from the first that a request makes.

    Each request has one of its own. Whenever the last of them closed, SQLite would write its log back into the
    database and wait for the disk, and so would whoever is answered next.
    """
    connection_created.disconnect(keep_open)
    if connection.vendor == "sqlite":
        held.append(sqlite3.connect(connection.settings_dict["NAME"], check_same_thread=False))
        held[0].execute("SELECT count(*) FROM sqlite_master").fetchall()  # it holds the file once it has read


held: list[sqlite3.Connection] = []
connection_created.connect(keep_open)
threading.Thread(target=warm_up, daemon=True).start()  # so that the first picture asked for is quick

application = ProtocolTypeRouter(
    {
        "http": pictures_first(pages),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
