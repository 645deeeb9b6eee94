"""What people say of an image, on its page and on one of its own: stars, favourites, tags, comments, reports.

The parts of the page are fragments that are served alone after each change. Without JavaScript the same addresses
lead back to the page that holds them all. A visitor who presses anything is led to sign in, and back.
"""

import functools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from fooling_web.galleries import keeping, moderation
from fooling_web.galleries.models import Collected, Comment, Exhibit, Favourite, Rating, Tagging, image_url
from fooling_web.galleries.saying_forms import (
    STARS,
    CollectForm,
    CommentForm,
    FavouriteForm,
    ReportForm,
    StarsForm,
    TagsForm,
    TitleForm,
    tag_name,
)
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.views import Request
from fooling_web.users.models import User

LARGEST_NUMBER = 2**62  # in an address: no database holds much larger ones
COMMENTS_PER_PAGE = 20
REPORTED = "You have reported this already."

View = Callable[..., HttpResponse]


def image_of(request: Request, run_id: uuid.UUID, number: int) -> Individual:
    """Return an image that this person may see, without its genome."""
    if number > LARGEST_NUMBER:
        raise Http404("There is no such image.")
    visible = Run.objects.visible_to(request.user).select_related("owner").defer("random_state")
    run = get_object_or_404(visible, pk=run_id)
    light = run.individuals.defer("genome").annotate(genome_bytes=Length("genome"))
    return get_object_or_404(light, number=number)


def _open_image(request: Request, run_id: uuid.UUID, number: int) -> Individual:
    """Return an image of which this person may say something, or hear what others say."""
    image = image_of(request, run_id, number)
    if not request.user.is_staff and Exhibit.objects.filter(individual=image, hidden=True).exists():
        raise Http404("A moderator took this image out of the galleries.")
    return image


def _change(view: View) -> View:
    """Let people who are signed in change what they may see; others sign in first."""

    @functools.wraps(view)
    @require_POST
    def changing(request: Request, run_id: uuid.UUID, number: int, **further: Any) -> HttpResponse:
        image = _open_image(request, run_id, number)
        if not request.user.is_authenticated:
            return _led_to_sign_in(request, image_url(run_id, number))
        return view(request, image, request.user, **further)

    return changing


def _led_to_sign_in(request: Request, address: str) -> HttpResponse:
    here = request.htmx.current_url_abs_path if request.htmx else None
    answer = redirect_to_login(here or address)
    return HttpResponseClientRedirect(answer.url) if request.htmx else answer


@require_safe
def said(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show what people say of an image: as a part of its page, or as a page of its own."""
    return _said(request, image_of(request, run_id, number))


@_change
def rating(request: Request, image: Individual, person: User) -> HttpResponse:
    """Give an image stars, or take one's own back."""
    if "withdraw" in request.POST:
        keeping.withdraw_rating(image, person)
        return _answer(request, image, "stars")
    form = StarsForm(request.POST)
    if form.is_valid():
        keeping.rate(image, person, form.cleaned_data["stars"])
    return _answer(request, image, "stars", stars_form=form)


@_change
def favourite(request: Request, image: Individual, person: User) -> HttpResponse:
    """Keep an image among one's favourites, or no longer."""
    form = FavouriteForm(request.POST)
    if form.is_valid():
        keeping.favour(image, person, wanted=form.cleaned_data["keep"])
    return _answer(request, image, "kept", favourite_form=form)


@_change
def collect(request: Request, image: Individual, person: User) -> HttpResponse:
    """Hang an image in a collection, a new one if need be."""
    form = CollectForm(request.POST, owner=person)
    if form.is_valid():
        with _refusals_beside(form):
            collection = form.cleaned_data["collection"]
            if collection is None:
                collection = keeping.make_collection(person, title=form.cleaned_data["title"])
            keeping.collect(image, collection)
    return _answer(request, image, "kept", collect_form=form)


@_change
def tags(request: Request, image: Individual, person: User) -> HttpResponse:
    """Give an image tags."""
    form = TagsForm(request.POST)
    if form.is_valid():
        with _refusals_beside(form):
            keeping.give_tags(image, person, form.cleaned_data["tags"])
    return _answer(request, image, "tags", tags_form=form)


@_change
def untag(request: Request, image: Individual, person: User, tagging: int) -> HttpResponse:
    """Take a tag away that one gave, or that hangs on one's own image."""
    given = get_object_or_404(_sane(Tagging, tagging), exhibit__individual=image)
    if given.person_id != person.pk and not image.run.is_controlled_by(person):
        raise Http404("Only who gave it and the run's owner may take a tag away.")
    given.delete()
    return _answer(request, image, "tags")


@require_safe
def suggestions(request: Request) -> HttpResponse:
    """Send tags that begin as what is being written."""
    beginning = tag_name(request.GET.get("tags", "").rpartition(",")[2])[:40]
    found = [] if "\0" in beginning else keeping.suggestions(beginning)
    before = request.GET.get("tags", "").rpartition(",")[0][:200]
    options = [f"{before}, {tag}" if before else tag for tag in found]
    return render(request, "galleries/_tag_suggestions.html", {"options": options})


def comments(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show a page of comments, or add one."""
    if request.method == "POST":
        answer: HttpResponse = comment(request, run_id=run_id, number=number)
        return answer
    return _answer(request, _open_image(request, run_id, number), "comments")


@_change
def comment(request: Request, image: Individual, person: User) -> HttpResponse:
    """Add a comment."""
    form = CommentForm(request.POST)
    if form.is_valid():
        with _refusals_beside(form):
            keeping.say(image, person, form.cleaned_data["text"])
    return _answer(request, image, "comments", comment_form=form)


@_change
def title(request: Request, image: Individual, person: User) -> HttpResponse:
    """Let the run's owner name an image."""
    if not image.run.is_controlled_by(person):
        raise Http404("Only the run's owner may name its images.")
    form = TitleForm(request.POST)
    if not form.is_valid():
        return _answer(request, image, "title", title_form=form)
    keeping.name(image, form.cleaned_data["title"])
    return HttpResponseClientRefresh() if request.htmx else redirect(image_url(image.run_id, image.number))


@login_required
def report_image(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Ask what is wrong with an image, its title or its tags, and bring it before the moderators."""
    return _report(request, _open_image(request, run_id, number), None)


@login_required
def report_comment(request: Request, pk: int) -> HttpResponse:
    """Ask what is wrong with a comment, and bring it before the moderators."""
    told = _comment(request, pk)
    if told.hidden:
        raise Http404("A moderator has removed this comment.")
    return _report(request, told.exhibit.individual, told)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_comment(request: Request, pk: int) -> HttpResponse:
    """Ask, then remove a comment of one's own."""
    told = _comment(request, pk)
    if told.author_id != request.user.pk:
        raise Http404("Only who wrote it may delete a comment.")
    image = told.exhibit.individual
    if request.method != "POST":
        return render(request, "galleries/comment_delete.html", {"comment": told, "image": image})
    keeping.delete_comment(told)
    if request.htmx:
        return _answer(request, image, "comments")
    messages.success(request, "Your comment was deleted.")
    return redirect(image_url(image.run_id, image.number))


@require_POST
@login_required
def hide_comment(request: Request, pk: int) -> HttpResponse:
    """Let a moderator remove a comment from everybody's eyes, or bring it back."""
    if not request.user.is_staff:
        raise Http404("Only moderators may remove comments.")
    told = _comment(request, pk)
    if request.POST.get("hidden") == "0":
        moderation.show_comment(told, request.user)
    else:
        moderation.hide_comment(told, request.user)
    return _answer(request, told.exhibit.individual, "comments")


def _report(request: Request, image: Individual, told: Comment | None) -> HttpResponse:
    form, reporter, is_new = ReportForm(request.POST or None), cast(User, request.user), False
    if request.method == "POST" and form.is_valid():
        with _refusals_beside(form):
            is_new = keeping.report(image, reporter, form.cleaned_data["reason"], told)
        if not form.errors:
            messages.success(request, f"{'Thank you.' if is_new else REPORTED} A moderator will look at it.")
            return redirect(image_url(image.run_id, image.number))
    context = {
        "form": form,
        "image": image,
        "comment": told,
        "reported": REPORTED if keeping.has_reported(image, reporter, told) else "",
        "address": image_url(image.run_id, image.number),
    }
    return render(request, "galleries/report.html", context, status=422 if form.errors else 200)


def _comment(request: Request, pk: int) -> Comment:
    """Return a comment on an image that this person may see."""
    light = _sane(Comment, pk).select_related("exhibit__individual__run__owner", "author")
    told: Comment = get_object_or_404(
        light.defer("exhibit__individual__genome", "exhibit__individual__run__random_state"),
        exhibit__individual__run__in=Run.objects.visible_to(request.user).order_by().values("pk"),
    )
    if told.exhibit.hidden and not request.user.is_staff and told.author_id != request.user.pk:
        raise Http404("A moderator took this image out of the galleries.")
    return told


def _sane(model: Any, pk: int) -> Any:
    """Return the rows of this number; none where no database holds such a number."""
    return model.objects.filter(pk=pk) if pk <= LARGEST_NUMBER else model.objects.none()


@contextmanager
def _refusals_beside(form: Form) -> Iterator[None]:
    """Write what is refused beside the form that asked for it."""
    try:
        yield
    except keeping.Refused as refusal:
        form.add_error(None, str(refusal))


def _answer(request: Request, image: Individual, part: str, **forms: Form) -> HttpResponse:
    """Show a part of what is said anew, with what is wrong in its form; to browsers without scripts all of it."""
    wrong = {name: form for name, form in forms.items() if form.errors}
    status = 422 if wrong else 200
    if request.htmx:
        frame = _frame(request, image)
        context = {**frame, **PARTS[part](request, frame["exhibit"]), **wrong}
        return render(request, f"galleries/_{part}.html", context, status=status)
    if wrong:
        return _said(request, image, status=status, **wrong)
    return redirect(f"{reverse('galleries:said', args=[image.run_id, image.number])}#said-{part}")


def _said(request: Request, image: Individual, status: int = 200, **forms: Form) -> HttpResponse:
    context = _frame(request, image)
    if not context["is_removed"]:
        for part in PARTS.values():
            context |= part(request, context["exhibit"])
    template = "galleries/_said.html" if request.htmx else "galleries/said.html"
    answer = render(request, template, {**context, **forms}, status=status)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _frame(request: Request, image: Individual) -> dict[str, Any]:
    """Return what every part needs."""
    exhibit = Exhibit.objects.filter(individual=image).first() or Exhibit(individual=image)
    exhibit.individual = image
    return {
        "image": image,
        "run": image.run,
        "exhibit": exhibit,
        "hung": keeping.Hung(exhibit),
        "address": image_url(image.run_id, image.number),
        "here": (request.htmx and request.htmx.current_url_abs_path) or request.get_full_path(),
        "is_removed": exhibit.hidden and not request.user.is_staff,
        "controlled": image.run.is_controlled_by(request.user),
    }


def _stars(request: Request, exhibit: Exhibit) -> dict[str, Any]:
    mine = _own(Rating, request, exhibit).first()
    return {"choices": STARS, "mine": mine.stars if mine else 0, "stars_form": StarsForm()}


def _kept(request: Request, exhibit: Exhibit) -> dict[str, Any]:
    if not request.user.is_authenticated:
        return {}
    held = Collected.objects.filter(collection__owner=request.user, exhibit__individual=exhibit.individual)
    return {
        "is_favourite": _own(Favourite, request, exhibit).exists(),
        "holding": [item.collection for item in held.select_related("collection")],
        "collect_form": CollectForm(owner=request.user),
    }


def _tags(request: Request, exhibit: Exhibit) -> dict[str, Any]:
    given = Tagging.objects.filter(exhibit__individual=exhibit.individual).select_related("tag")
    taggings = list(given.order_by("tag__name"))
    return {
        "taggings": taggings,
        "has_room": len(taggings) < keeping.MOST_TAGS,
        "tags_form": TagsForm(),
    }


def _comments(request: Request, exhibit: Exhibit) -> dict[str, Any]:
    told = Comment.objects.filter(exhibit__individual=exhibit.individual).select_related("author")
    return {"page": _comment_page(request, told), "comment_form": CommentForm()}


def _comment_page(request: Request, told: QuerySet[Comment]) -> Page[Comment]:
    """Return the page of comments that was asked for: the latest first."""
    return Paginator(told.order_by("-said_at", "-pk"), COMMENTS_PER_PAGE).get_page(request.GET.get("page"))


def _title(request: Request, exhibit: Exhibit) -> dict[str, Any]:
    return {"title_form": TitleForm(initial={"title": exhibit.title})}


def _own(model: Any, request: Request, exhibit: Exhibit) -> Any:
    """Return the rows in which this person keeps or rates an image."""
    if not request.user.is_authenticated:
        return model.objects.none()
    return model.objects.filter(person=request.user, exhibit__individual=exhibit.individual)


PARTS: dict[str, Callable[[Request, Exhibit], dict[str, Any]]] = {
    "comments": _comments,
    "kept": _kept,
    "stars": _stars,
    "tags": _tags,
    "title": _title,
}
