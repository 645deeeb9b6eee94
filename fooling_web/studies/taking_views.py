"""Pages of those who take part: the invitation, the session, the end. Everybody reaches their own session alone."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fooling_web.galleries.limits import MINUTE, is_within
from fooling_web.studies import entering, messages_in, taking_part
from fooling_web.studies.models import Participant, Study
from fooling_web.studies.showing import pictures_of, session_of
from fooling_web.studies.taking_part import Refused

BEGINNINGS_A_MINUTE = 300  # of one address: a school is one
MOST_BYTES = 100_000  # of what a browser sends at once
NOT_YOURS = (
    "This session belongs to another browser, or to one whose cookies are gone. Open the study's link again."
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HttpRequest, code: str) -> HttpResponse:
    """Tell what a study is about and what becomes of the answers; begin on consent."""
    study = get_object_or_404(Study, code=code.upper() if code.isalnum() else "")  # PostgreSQL takes no NUL
    try:
        arrival = entering.arrival_of(request, study)
        if arrival.entry == "account" and not request.user.is_authenticated:
            return _invitation(request, study, arrival)
        if not arrival.is_preview and (earlier := entering.earlier(request, study, arrival)):
            return _go_on(request, earlier, arrival)
        if refusal := taking_part.why_not(study, arrival.entry, study.phase):
            raise refusal
        if request.method != "POST" or arrival.is_preview:
            return _invitation(request, study, arrival)
        if not is_within(request, "taking-part", 1, BEGINNINGS_A_MINUTE):
            return _too_many(request)
        return _begin(request, study, arrival)
    except Refused as refusal:
        taking_part.count_refusal(study.pk, refusal.reason)
        return _no(request, study, refusal)


def _no(request: HttpRequest, study: Study, refusal: Refused) -> HttpResponse:
    return render(request, "studies/refused.html", {"study": study, "refusal": refusal}, status=403)


def _begin(request: HttpRequest, study: Study, arrival: entering.Arrival) -> HttpResponse:
    if request.POST.get("consent") != "yes":
        return _invitation(
            request, study, arrival, complaint="Tick the box to take part; without it nothing begins."
        )
    participant, token = taking_part.begin(
        study,
        entry=arrival.entry,
        user=request.user if arrival.entry == "account" else None,  # type: ignore[arg-type]
        outside=arrival.outside,
    )
    response = redirect(participant)
    entering.remember(response, participant, token)
    entering.remember_place(response, participant)
    return response


def _go_on(request: HttpRequest, earlier: Participant, arrival: entering.Arrival) -> HttpResponse:
    """Lead somebody back to their session; one who comes by the same visit in another browser gets a new secret."""
    response = redirect("studies:done" if earlier.is_complete else "studies:session", earlier.pk)
    if arrival.outside or arrival.entry == "account":
        entering.remember(response, earlier, entering.renew_secret(earlier))
        entering.remember_place(response, earlier)
    return response


def _invitation(
    request: HttpRequest, study: Study, arrival: entering.Arrival, complaint: str = ""
) -> HttpResponse:
    outside = arrival.outside
    names = entering.SERVICES.get(arrival.entry, ())
    context = {
        "study": study,
        "design": study.plan,
        "arrival": arrival,
        "carried": list(zip(names, (outside.person, outside.task, outside.visit), strict=True))
        if outside
        else [],
        "needs_account": arrival.entry == "account" and not request.user.is_authenticated,
        "complaint": complaint,
    }
    response = render(request, "studies/take.html", context, status=400 if complaint else 200)
    patch_vary_headers(response, ["Cookie"])
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Let whoever manages a study go through it as participants do; what they answer counts nowhere."""
    study = get_object_or_404(Study.objects.managed_by(request.user), pk=study_id)
    context = {"study": study, "design": study.plan, "is_own_preview": True}
    if request.method != "POST":
        return render(request, "studies/take.html", context)
    try:
        participant, token = taking_part.begin(study, entry="link", phase=Participant.Phase.PREVIEW)
    except Refused as refusal:
        return _no(request, study, refusal)
    response = redirect(participant)
    entering.remember(response, participant, token)
    return response


@never_cache
@require_safe
def session(request: HttpRequest, participant_id: uuid.UUID) -> HttpResponse:
    """Show the trials that a participant has still before them."""
    participant = _own(request, participant_id)
    if participant.classroom and not _is_asked(participant):
        return redirect("studies:class_seat", participant.pk)
    if participant.is_complete:
        return redirect("studies:done", participant.pk)
    if refusal := taking_part.why_over(participant):
        return _no(request, participant.study, refusal)
    if participant.browser:
        messages_in.note_reload(participant)
    shown = session_of(participant)
    context = {
        "participant": participant,
        "study": participant.study,
        "session": shown,
        "pictures": pictures_of(shown),
    }
    return render(request, "studies/session.html", context)


@csrf_exempt  # since it looks for the token by itself, to refuse in words that the session's page can read
@require_POST
def answers(request: HttpRequest, participant_id: uuid.UUID) -> HttpResponse:
    """Store what a browser sends: answers in the order of their trials, what happened meanwhile, and what it is."""
    participant = _own_or_none(request, participant_id)
    if participant is None:
        return JsonResponse({"reason": "not yours", "message": NOT_YOURS}, status=404)
    try:
        message = _message(request)
    except Refused as refusal:
        taking_part.count_refusal(participant.study_id, refusal.reason)
        return _refused(participant, refusal)
    messages_in.keep_notes(participant, message)
    try:
        stored = taking_part.store(participant, message.answers)
    except Refused as refusal:
        return _refused(participant, refusal)
    return JsonResponse(_as_json(stored))


def _message(request: HttpRequest) -> messages_in.Message:
    """Return what a browser sent from its session's own page; raises Refused."""
    try:
        body = request.body
    except RequestDataTooBig:
        body = b" " * (MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise Refused("size", "That is more than a session can have to say at once.")
    if CsrfViewMiddleware(_nothing).process_view(request, _nothing, (), {}):
        raise Refused("token", "This page is too old to be believed. Load it again: your answers are kept.")
    try:
        return messages_in.read(body)
    except messages_in.Unreadable as error:
        raise Refused("unreadable", f"What was sent cannot be read: {error}.") from error


def _nothing(_: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _refused(participant: Participant, refusal: Refused) -> JsonResponse:
    stored = _as_json(refusal.stored) if refusal.stored else {"next": participant.n_answered}
    return JsonResponse(
        {**stored, "reason": refusal.reason, "message": str(refusal)},
        status=403 if refusal.reason == "token" else 409,
    )


def _as_json(stored: taking_part.Stored) -> dict[str, Any]:
    told = [{"number": one.number, "key": one.key, "right": one.is_right} for one in stored.told]
    return {"next": stored.next_number, "complete": stored.is_complete, "told": told}


@never_cache
@require_safe
def done(request: HttpRequest, participant_id: uuid.UUID) -> HttpResponse:
    """Thank a participant once the last trial is stored; only then is there a code, and a way back."""
    participant = _own(request, participant_id)
    if participant.classroom:
        return redirect("studies:class_seat", participant.pk)
    if not participant.is_complete:
        return redirect(participant)
    design = participant.study.plan
    context = {
        "participant": participant,
        "study": participant.study,
        "design": design,
        "code": participant.study.completion_code if entering.is_recruited(participant) else "",
        "way_out": entering.way_out(participant),
        "score": _score(participant) if design.feedback == "all" else None,
    }
    return render(request, "studies/done.html", context)


@require_POST
def withdraw(request: HttpRequest, participant_id: uuid.UUID) -> HttpResponse:
    """Delete what a participant answered, at their word."""
    participant = _own(request, participant_id)
    taking_part.withdraw(participant)
    response = render(request, "studies/withdrawn.html", {"study": participant.study})
    response.delete_cookie(entering.SECRET, path=participant.get_absolute_url())
    response.delete_cookie(entering.PLACE, path=participant.study.take_url)
    return response


def _own(request: HttpRequest, participant_id: uuid.UUID) -> Participant:
    participant = _own_or_none(request, participant_id)
    if participant is None:
        raise Http404(NOT_YOURS)
    return participant


def _own_or_none(request: HttpRequest, participant_id: uuid.UUID) -> Participant | None:
    """Return a participant to the browser that has their secret; to all others there is none."""
    known = Participant.objects.select_related("study", "classroom")
    participant: Participant | None = known.filter(pk=participant_id).first()
    if participant is None or entering.is_theirs(request, participant):
        return participant
    if request.method == "POST":
        taking_part.count_refusal(participant.study_id, "not yours")
    return None


def _is_asked(participant: Participant) -> bool:
    from fooling_web.studies.classrooms import is_asked

    return not participant.is_complete and is_asked(participant)


def _score(participant: Participant) -> dict[str, int]:
    answered = participant.trials.filter(role="main", key__isnull=False)
    return {"right": answered.filter(response__is_right=True).count(), "all": answered.count()}


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(MINUTE)
    return response
