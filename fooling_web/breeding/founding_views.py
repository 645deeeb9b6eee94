"""Launching a run from bred pictures: the launch form, with the pictures that the run begins with."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from fooling_web.breeding.founding import NothingToFound, founding_of, query_of
from fooling_web.breeding.owning import litter_or_404, session_or_refusal
from fooling_web.runs.views import Request, launch_page


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def found_run(request: Request) -> HttpResponse:
    """Offer the launch form for a run that begins with the pictures that the address names, and launch it."""
    try:
        founding = founding_of(request)
    except NothingToFound as error:
        messages.error(request, str(error))
        return redirect("runs:launch")
    return launch_page(request, founding=founding)


@require_POST
def found_from_litter(request: Request, session_id: uuid.UUID, number: int) -> HttpResponse:
    """Go on to the launch form with the tiles of a litter that are picked, or with all of them."""
    litter = litter_or_404(session_or_refusal(request, session_id), number)
    return redirect(f"{reverse('breeding:found')}?{query_of(litter, request.POST.getlist('picked'))}")
