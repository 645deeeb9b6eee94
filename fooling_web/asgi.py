"""The door of the web process: pages over HTTP, live runs over WebSockets."""

import os
import threading

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
pages = get_asgi_application()

from fooling_web.breeding import stepping  # noqa: E402
from fooling_web.runs import pictures  # noqa: E402
from fooling_web.urls import websocket_urlpatterns  # noqa: E402 - the applications must be loaded first


def warm_up() -> None:
    """Load the kernels that draw and breed."""
    pictures.warm_up()
    stepping.warm_up()


threading.Thread(target=warm_up, daemon=True).start()  # so that the first picture asked for is quick

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
