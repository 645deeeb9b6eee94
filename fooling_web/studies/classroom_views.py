"""Pages of classes: the teacher's, which go on the wall, and the students', who join by a code."""

import io
import uuid
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fooling_web.galleries.limits import MINUTE, is_within
from fooling_web.studies import classrooms, events, joining
from fooling_web.studies.entering import is_theirs, remember
from fooling_web.studies.models import Classroom, Participant

SEAT = "seat"  # the cookie that leads a browser back to its seat; it opens nothing
SEAT_AGE = 86_400  # seconds
JOINS_A_MINUTE = 200  # of one address: a school is one
WRONG_A_MINUTE = 30  # codes that are none
SHOWN = 60  # classes of a list
NOT_YOURS = "This seat belongs to another browser, or to one whose cookies are gone. Join again by the code."
NOWHERE = uuid.UUID(int=0)


@require_safe
def classes(request: HttpRequest) -> HttpResponse:
    """Explain what a class is, and list one's own."""
    context = {
        "classrooms": classrooms.taught_by(request.user).filter(teacher=request.user.pk)[:SHOWN],
        "studies": classrooms.studies_for(request.user)[:SHOWN] if request.user.is_authenticated else [],
        "seconds": classrooms.USUAL_SECONDS,
    }
    return render(request, "studies/classes.html", context)


@login_required
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Open a class: on a study, or on ten public images at once."""
    name, seconds = request.POST.get("name", "").strip(), _whole(request.POST.get("seconds", ""))
    wanted = request.POST.get("study", "")
    try:
        if not wanted:
            return redirect(classrooms.run_now(request.user, name, seconds))
        study = classrooms.studies_for(request.user).filter(pk=_key(wanted)).first()
        if study is None:
            raise classrooms.Refused("There is no such study of yours that takes classes.")
        return redirect(classrooms.open_class(study, request.user, name, seconds))
    except classrooms.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("studies:classes")


@never_cache
@require_safe
def classroom(request: HttpRequest, classroom_id: uuid.UUID) -> HttpResponse:
    """Show a class to its teacher: who is there, how far they are, and in the end what came out."""
    one = _taught(request, classroom_id)
    return render(request, "studies/classroom.html", _context(request, one))


@never_cache
@require_safe
def part(request: HttpRequest, classroom_id: uuid.UUID) -> HttpResponse:
    """Send what changes on the teacher's page; the whole page again where the class has moved on."""
    one = _taught(request, classroom_id)
    if request.GET.get("status") != one.status:
        return HttpResponse(status=204, headers={"HX-Redirect": one.get_absolute_url()})
    return render(request, "studies/_classroom.html", _context(request, one))


@require_POST
def start(request: HttpRequest, classroom_id: uuid.UUID) -> HttpResponse:
    """Let the class begin."""
    return _moved(request, classroom_id, Classroom.start)


@require_POST
def reveal(request: HttpRequest, classroom_id: uuid.UUID) -> HttpResponse:
    """Show what came out, on the wall and to every student."""
    return _moved(request, classroom_id, Classroom.reveal)


@require_POST
def close(request: HttpRequest, classroom_id: uuid.UUID) -> HttpResponse:
    """End a class."""
    return _moved(request, classroom_id, Classroom.close)


@never_cache
@require_safe
def slide(request: HttpRequest, classroom_id: uuid.UUID, number: int) -> HttpResponse:
    """Show one image with what the class said and what the network says."""
    one = _taught(request, classroom_id)
    if one.revealed_at is None:
        return redirect(one)
    revealed = classrooms.reveal_of(one)
    if not 1 <= number <= len(revealed.slides):
        raise Http404("There is no such image in this class.")
    context = {
        "classroom": one,
        "reveal": revealed,
        "slide": revealed.slides[number - 1],
        "previous_number": number - 1,
        "next_number": number + 1 if number < len(revealed.slides) else None,
    }
    return render(request, "studies/classroom_slide.html", context)


@require_safe
def qr(request: HttpRequest, classroom_id: uuid.UUID) -> HttpResponse:
    """Send the address to join as a code that telephones read."""
    link = _join_url(request, _taught(request, classroom_id))
    picture = io.BytesIO()
    segno.make(link, micro=False).save(picture, kind="svg", scale=8, border=3, dark="#000", light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@require_POST
def hide_name(request: HttpRequest, classroom_id: uuid.UUID, participant_id: uuid.UUID) -> HttpResponse:
    """Take a nickname off the wall."""
    one = _taught(request, classroom_id)
    joining.hide_name(get_object_or_404(one.participants, pk=participant_id))
    return redirect(one)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Take the code on the wall and a nickname, and give a seat."""
    if request.method != "POST":
        return _join_page(request, code=request.GET.get("code", ""))
    code, nickname = request.POST.get("code", ""), request.POST.get("nickname", "")
    if not is_within(request, "join", 1, JOINS_A_MINUTE) or not is_within(
        request, "guess", 0, WRONG_A_MINUTE
    ):
        return _too_many(request)
    try:
        here = joining.open_to(code)
        if seat := joining.seat_in(here, request.COOKIES.get(SEAT, "")):
            return redirect("studies:class_seat", seat.pk)
        participant, token = joining.join(here, nickname)
    except joining.Refused as refusal:
        is_within(request, "guess", 1, WRONG_A_MINUTE)
        return _join_page(request, code=code, nickname=nickname, complaint=str(refusal), status=400)
    response = redirect("studies:class_seat", participant.pk)
    remember(response, participant, token)
    response.set_cookie(
        SEAT,
        str(participant.pk),
        max_age=SEAT_AGE,
        path=reverse("studies:join"),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@never_cache
@require_safe
def seat(request: HttpRequest, participant_id: uuid.UUID) -> HttpResponse:
    """Show a student that they wait, that they are done, or what came out; or lead on to the images."""
    participant = _seated(request, participant_id)
    if _is_at_work(participant):
        return redirect(participant)
    return render(request, "studies/class_seat.html", _seat_context(participant))


@never_cache
@require_safe
def seat_part(request: HttpRequest, participant_id: uuid.UUID) -> HttpResponse:
    """Send a student's page on once the class has moved on."""
    participant = _seated(request, participant_id)
    if _is_at_work(participant):
        return HttpResponse(status=204, headers={"HX-Redirect": participant.get_absolute_url()})
    if request.GET.get("status") != _state(participant):
        address = reverse("studies:class_seat", args=[participant.pk])
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponse(status=204)


def _taught(request: HttpRequest, classroom_id: uuid.UUID) -> Classroom:
    found: Classroom = get_object_or_404(classrooms.taught_by(request.user), pk=classroom_id)
    return found


def _moved(request: HttpRequest, classroom_id: uuid.UUID, verb: Any) -> HttpResponse:
    """Let a class move on by one verb, tell everybody there, and show where it stands."""
    one = _taught(request, classroom_id)
    if verb(one):
        events.announce(one.pk)
    return redirect(one)


def _context(request: HttpRequest, one: Classroom) -> dict[str, Any]:
    context: dict[str, Any] = {"classroom": one, "seats": classrooms.seats_of(one)}
    context["n_done"] = sum(seat.participant.is_complete for seat in context["seats"])
    context["takes_students"] = classrooms.takes_students(one)
    context["join_url"] = _join_url(request, one)
    context["join_address"] = request.build_absolute_uri(reverse("studies:join")).partition("://")[2]
    if one.revealed_at is not None:
        context["reveal"] = classrooms.reveal_of(one)
    return context


def _join_url(request: HttpRequest, one: Classroom) -> str:
    return request.build_absolute_uri(f"{reverse('studies:join')}?code={one.join_code}")


def _join_page(
    request: HttpRequest, *, code: str, nickname: str = "", complaint: str = "", status: int = 200
) -> HttpResponse:
    seat = Participant.objects.filter(pk=_key(request.COOKIES.get(SEAT, ""))).exclude(classroom=None).first()
    going_on = seat if seat and seat.classroom and seat.classroom.status != Classroom.Status.CLOSED else None
    context = {
        "code": code[:40],
        "nickname": nickname[: joining.LONGEST_NICKNAME],
        "longest": joining.LONGEST_NICKNAME,
        "complaint": complaint,
        "seat": going_on,
    }
    return render(request, "studies/join.html", context, status=status)


def _seated(request: HttpRequest, participant_id: uuid.UUID) -> Participant:
    """Return a student's seat to the browser that has it; to all others there is none."""
    seats = Participant.objects.select_related("classroom", "study").exclude(classroom=None)
    participant: Participant = get_object_or_404(seats, pk=participant_id)
    if not is_theirs(request, participant):
        raise Http404(NOT_YOURS)
    return participant


def _is_at_work(participant: Participant) -> bool:
    return not participant.is_complete and classrooms.is_asked(participant)


def _state(participant: Participant) -> str:
    """Return a word for what a student's page shows."""
    assert participant.classroom
    status = participant.classroom.status
    if status == Classroom.Status.RUNNING:
        return "done" if participant.is_complete else "up"
    return "shown" if participant.classroom.revealed_at else str(status)


def _seat_context(participant: Participant) -> dict[str, Any]:
    state = _state(participant)
    answers = classrooms.answers_of_one(participant) if state == "shown" else []
    return {
        "participant": participant,
        "classroom": participant.classroom,
        "state": state,
        "answers": answers,
        "n_right": sum(bool(one["is_right"]) for one in answers),
        "has_right": any(one["is_right"] is not None for one in answers),
    }


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(MINUTE)
    return response


def _key(text: str) -> uuid.UUID:
    """Return a key from outside; one that nothing has where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return NOWHERE


def _whole(text: str) -> int:
    """Return the seconds that were given; the usual where nothing was, and none that can be where it is no number."""
    if not text:
        return classrooms.USUAL_SECONDS
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1
