"""What every request passes through."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from evolution.errors import EvolutionError
from models_zoo.errors import ZooError

logger = logging.getLogger(__name__)


class DamageMiddleware:
    """Answer with a plain page where something stored is damaged or too much is sent, instead of breaking."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Name what is damaged or too long; everything else is not ours to mend."""
        if isinstance(exception, TooManyFieldsSent):
            logger.warning("%s: more fields than are read", request.path)
            return render(request, "400.html", {"most": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}, status=400)
        if not isinstance(exception, EvolutionError | ZooError):
            return None
        logger.error("%s: %s", request.path, exception)
        return render(request, "damaged.html", {"reason": exception}, status=422)
