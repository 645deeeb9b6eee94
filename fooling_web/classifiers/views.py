"""Pages of classifiers: all of them, one of them with a trial, taking in one's own, fetching and removing."""

import uuid
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fooling_web.classifiers.comparing import BUDGETS
from fooling_web.classifiers.forms import OWN, ImportForm, TrialForm
from fooling_web.classifiers.models import FORGOTTEN, Fetch, Import, Trial
from fooling_web.classifiers.removing import is_removable, remove_classifier, runs_against
from fooling_web.classifiers.showing import facts_of, groups_of, tables
from fooling_web.classifiers.tasks import ask, ask_for, ask_in
from fooling_web.classifiers.wording import sentence
from fooling_web.runs.models import Run
from fooling_web.runs.watching import with_cells
from fooling_web.users.auditing import record
from fooling_web.users.models import User
from models_zoo.errors import ImportRefused, UnknownClassifier
from models_zoo.preprocessing import CHANNELS
from models_zoo.registry import ClassifierEntry, find
from models_zoo.torchvision_zoo import OFFERS

SHOWN_RUNS = 6


@require_safe
def classifier_list(request: HttpRequest) -> HttpResponse:
    """List every classifier with how easily it was fooled here."""
    return render(request, "classifiers/list.html", {"tables": tables(), "budgets": BUDGETS})


@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """Show all that is known of a classifier; a POST sends pictures to try it on."""
    entry = _entry(name)
    if request.method == "POST":
        return _try_out(request, entry)
    return render(request, "classifiers/detail.html", _page_of(request, entry, TrialForm(entry=entry)))


@require_safe
@login_required
def trial(request: HttpRequest, trial_id: uuid.UUID) -> HttpResponse:
    """Show what a classifier said of pictures, or that it still looks."""
    shown = Trial.objects.filter(created_at__gt=timezone.now() - FORGOTTEN)
    asked = get_object_or_404(shown, pk=trial_id, owner=cast(User, request.user))
    template = "classifiers/_answers.html" if _wants_fragment(request) else "classifiers/trial.html"
    return render(request, template, {"trial": asked, "entry": _entry(asked.classifier)})


@login_required
def take_in(request: HttpRequest) -> HttpResponse:
    """Let an administrator send a classifier."""
    owner = _administrator(request)
    form = ImportForm(
        request.POST or None, request.FILES or None, owner=owner, initial=_typed_before(request)
    )
    if request.method == "POST" and form.is_valid():
        wanted = form.save()
        transaction.on_commit(lambda: ask_in(wanted))
        return redirect(wanted)
    return render(request, "classifiers/import.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@login_required
def importing(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Tell how taking a classifier in goes."""
    _administrator(request)
    wanted = get_object_or_404(Import.objects.select_related("trial"), pk=import_id)
    template = "classifiers/_importing.html" if _wants_fragment(request) else "classifiers/importing.html"
    context: dict[str, Any] = {"wanted": wanted}
    if not wanted.is_waiting and not wanted.error:
        context |= {"trial": wanted.trial, "entry": _entry(wanted.classifier)}
    return render(request, template, context)


@require_POST
@login_required
def fetch(request: HttpRequest, name: str) -> HttpResponse:
    """Let an administrator have weights fetched; while somebody's fetch goes on, that one is shown."""
    owner = _administrator(request)
    if name not in OFFERS:
        raise Http404(f"There are no weights to fetch for {name}.")
    wanted = Fetch.objects.going_on().filter(classifier=name).first()
    if not wanted:
        wanted = Fetch.objects.create(owner=owner, classifier=name)
        ask_for(wanted)
    return redirect(wanted)


@require_safe
@login_required
def fetching(request: HttpRequest, fetch_id: uuid.UUID) -> HttpResponse:
    """Tell how fetching goes."""
    _administrator(request)
    wanted = get_object_or_404(Fetch, pk=fetch_id)
    template = "classifiers/_fetching.html" if _wants_fragment(request) else "classifiers/fetching.html"
    return render(request, template, {"wanted": wanted, "entry": _entry(wanted.classifier)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """Ask an administrator whether a classifier is to be removed, and remove it."""
    _administrator(request)
    entry = _entry(name)
    if not is_removable(entry):
        raise Http404(f"The classifier {name} cannot be removed.")
    complaint = ""
    if request.method == "POST":
        try:
            remove_classifier(entry)
        except ImportRefused as error:
            complaint = sentence(str(error))
        else:
            record(request.user, "remove classifier", entry.name)
            return redirect(_after_removal(request))
    context = {
        "entry": entry,
        "runs": runs_against(entry).count(),
        "complaint": complaint,
        "again": request.GET.urlencode(),
    }
    return render(request, "classifiers/remove.html", context, status=409 if complaint else 200)


def _after_removal(request: HttpRequest) -> str:
    """Return the list, or the import page where the classifier is to be described better."""
    if "again" not in request.GET:
        return reverse("classifiers:list")
    return f"{reverse('classifiers:import')}?{request.GET.urlencode()}"


def _typed_before(request: HttpRequest) -> dict[str, Any]:
    """Return what was typed for the import that is tried again, perhaps with another channel order."""
    try:
        before = Import.objects.get(pk=uuid.UUID(request.GET.get("again", "")))
    except (ValueError, Import.DoesNotExist):
        return {}
    typed = dict(before.texts)
    if isinstance(typed["labels"], list):
        typed["labels"] = OWN
    order = request.GET.get("channel_order")
    return {**typed, "channel_order": order} if order in CHANNELS else typed


def _try_out(request: HttpRequest, entry: ClassifierEntry) -> HttpResponse:
    """Store the pictures and ring; the answer shows them small, since nothing keeps them."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    form = TrialForm(request.POST, request.FILES, entry=entry, owner=request.user)
    context = _page_of(request, entry, form)
    if context["missing"]:
        form.add_error(None, context["missing"])
    if not form.is_valid():
        return render(request, "classifiers/detail.html", context, status=422)
    asked = form.save()
    ask(asked)
    asked.refresh_from_db()
    context["trial"] = asked
    return render(request, "classifiers/detail.html", context)


def _page_of(request: HttpRequest, entry: ClassifierEntry, form: TrialForm) -> dict[str, Any]:
    wanted = request.GET.get("q", "")[:100]
    runs = with_cells(Run.objects.public().searches().filter(classifier=entry.name))
    return {
        **facts_of(entry),
        "offer": OFFERS.get(entry.name),
        "is_removable": is_removable(entry),
        "form": form,
        "wanted": wanted,
        "groups": groups_of(entry, wanted),
        "runs": runs[:SHOWN_RUNS],
    }


def _entry(name: str) -> ClassifierEntry:
    try:
        return find(name)
    except UnknownClassifier as error:
        raise Http404(f"There is no classifier {name}.") from error


def _administrator(request: HttpRequest) -> User:
    user = cast(User, request.user)
    if not user.is_staff:
        raise PermissionDenied("Only administrators may take classifiers in.")
    return user


def _wants_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
