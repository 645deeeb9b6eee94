"""Take a gallery away: few images at once, many as a file that a worker makes. The address is the gallery's own."""

import threading
from urllib.parse import parse_qsl

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from fooling_web.exports.gallery_files import (
    AT_ONCE,
    FORMS,
    MOST,
    NOTHING_LEFT,
    SECONDS,
    Order,
    TooSlow,
    ordered,
    taken_at_once,
)
from fooling_web.exports.jobs import Refused
from fooling_web.exports.tasks import ask_to_export
from fooling_web.galleries.describing import in_words
from fooling_web.galleries.forms import GalleryForm
from fooling_web.galleries.limits import MINUTE, is_within

NUMBERS = (AT_ONCE, 200, 1000)  # of images, to choose from
IMAGES_A_MINUTE = 600  # drawn at once for one address
LONGEST_TITLE = 150
TYPES = {"pdf": "application/pdf", "png": "image/png", "zip": "application/zip"}

_drawing = threading.BoundedSemaphore(1)  # others are offered a job


@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HttpRequest) -> HttpResponse:
    """Send what hangs in a view as a file, or offer to make it; of what is sent, let a worker make it."""
    gallery = GalleryForm(request.GET)
    form, most = request.GET.get("take", ""), _number(request.GET.get("most", ""))
    wanted = _order(request, gallery, form if form in FORMS else "png", most)
    if request.method == "POST":
        return _ordered(request, gallery, wanted, most)
    if form not in FORMS or len(wanted.keys) > AT_ONCE:
        return _offered(request, gallery, wanted, most)
    if not is_within(request, "take", len(wanted.keys), IMAGES_A_MINUTE):
        return _too_many(request)
    return _at_once(request, gallery, wanted, most)


def _at_once(request: HttpRequest, gallery: GalleryForm, wanted: Order, most: int) -> HttpResponse:
    """Send a file; where it takes too long, or another one is being made, offer to let a worker do it."""
    if not _drawing.acquire(blocking=False):
        return _offered(request, gallery, wanted, most, "Another file is being made just now.")
    try:
        content = taken_at_once(wanted, SECONDS)
    except TooSlow:
        return _offered(request, gallery, wanted, most, "This takes longer than a page should be waited for.")
    except Refused as refusal:
        return _offered(request, gallery, wanted, most, str(refusal))
    finally:
        _drawing.release()
    name = f"{slugify(f'gallery {wanted.title}')[:80].strip('-')}.{wanted.form}"
    return HttpResponse(
        content,
        content_type=TYPES[wanted.form],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _ordered(request: HttpRequest, gallery: GalleryForm, wanted: Order, most: int) -> HttpResponse:
    """Let a worker make the file, for somebody who is signed in."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not wanted.keys:
        return _offered(request, gallery, wanted, most, NOTHING_LEFT)
    try:
        job = ordered(request.user, wanted)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(request.get_full_path())
    transaction.on_commit(lambda: ask_to_export(job))
    return redirect(job)


def _offered(
    request: HttpRequest, gallery: GalleryForm, wanted: Order, most: int, reason: str = ""
) -> HttpResponse:
    """Show what can be taken of a view, and as what."""
    is_chosen = request.GET.get("take") in FORMS
    context = {
        "wanted": wanted,
        "most": most,
        "reason": reason,
        "n_images": len(wanted.keys),
        "is_job": is_chosen and bool(wanted.keys) and (bool(reason) or len(wanted.keys) > AT_ONCE),
        "is_cut": len(wanted.keys) == MOST[wanted.form] < min(most, wanted.total),
        "fields": parse_qsl(gallery.wanted.query()),
        "forms": FORMS,
        "numbers": NUMBERS,
        "limits": MOST,
        "at_once": AT_ONCE,
        "ignored": gallery.ignored,
    }
    return render(request, "exports/take.html", context)


def _order(request: HttpRequest, gallery: GalleryForm, form: str, most: int) -> Order:
    view = reverse("galleries:gallery")
    query = gallery.wanted.query()
    return Order.of(
        gallery.wanted,
        form,
        most,
        title=in_words(gallery)[:LONGEST_TITLE],
        address=request.build_absolute_uri(f"{view}?{query}" if query else view),
        site=request.build_absolute_uri("/"),
    )


def _number(text: str) -> int:
    """Return how many images are wanted at most; what is no number that is offered is the smallest."""
    return next((number for number in NUMBERS if str(number) == text), AT_ONCE)


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(MINUTE)
    return response
