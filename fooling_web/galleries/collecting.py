"""Pages of collections: images that a person put together, in an order of their own."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fooling_web.galleries.keeping import (
    Refused,
    hang_strips,
    hung,
    make_collection,
    rearrange,
    shown,
    with_numbers,
)
from fooling_web.galleries.models import Collected, Collection
from fooling_web.galleries.people import person_named
from fooling_web.galleries.saying import LARGEST_NUMBER
from fooling_web.galleries.saying_forms import CollectionForm
from fooling_web.runs.models import Run
from fooling_web.runs.views import Request
from fooling_web.users.models import User

IMAGES_PER_PAGE = 48
COLLECTIONS_PER_PAGE = 24
STEPS = {"earlier": -1, "later": 1}


@require_safe
def collections(request: Request, username: str) -> HttpResponse:
    """List a person's collections: to others the public ones."""
    owner = person_named(username)
    listed = Collection.objects.listed_for(request.user).filter(owner=owner)
    counted = with_numbers(listed, request.user, owner)
    page = Paginator(counted, COLLECTIONS_PER_PAGE).get_page(request.GET.get("page"))
    hang_strips(list(page), request.user, owner)
    context = {"person": owner, "is_own": owner == request.user, "page": page}
    return render(request, "galleries/collections.html", context)


@require_safe
def all_collections(request: Request) -> HttpResponse:
    """List everybody's public collections in which something hangs, the latest first."""
    public = Collection.objects.filter(visibility=Run.Visibility.PUBLIC, owner__is_active=True)
    items = shown(Collected.objects.filter(collection=OuterRef("pk")), AnonymousUser(), None)
    counted = with_numbers(public.filter(Exists(items.order_by())), AnonymousUser(), None)
    page = Paginator(counted, COLLECTIONS_PER_PAGE).get_page(request.GET.get("page"))
    hang_strips(list(page), AnonymousUser(), None)
    return render(request, "galleries/all_collections.html", {"page": page})


@require_safe
def collection(request: Request, pk: int) -> HttpResponse:
    """Show a collection in its owner's order, and to its owner how to change it."""
    seen = _visible_collection(request, pk)
    items = _items(request, seen)
    page = Paginator(items, IMAGES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "collection": seen,
        "page": page,
        "images": hung(page),
        "is_own": seen.owner_id == request.user.pk,
        "n_unseen": Collected.objects.filter(collection=seen).count() - page.paginator.count,
    }
    return render(request, "galleries/collection.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_collection(request: Request) -> HttpResponse:
    """Ask for a title and store an empty collection."""
    form = CollectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(make_collection(cast(User, request.user), **form.cleaned_data))
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return _form(request, form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_collection(request: Request, pk: int) -> HttpResponse:
    """Let its owner rename a collection, describe it, and open or close it to others."""
    own = _own_collection(request, pk)
    form = CollectionForm(request.POST or None, instance=own)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect(own)
    own.refresh_from_db()  # a form that fails has written on it
    return _form(request, form, own)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_collection(request: Request, pk: int) -> HttpResponse:
    """Ask, then remove a collection; its images hang where they hung."""
    own = _own_collection(request, pk)
    if request.method != "POST":
        return render(request, "galleries/collection_delete.html", {"collection": own})
    own.delete()
    messages.success(request, f"“{own.title}” was deleted.")
    return redirect("galleries:collections", cast(User, request.user).get_username())


@require_POST
@login_required
def collected(request: Request, pk: int, item: int) -> HttpResponse:
    """Move an image in one's collection, or take it out."""
    own = _own_collection(request, pk)
    if item > LARGEST_NUMBER:
        raise Http404("There is no such image in this collection.")
    held = get_object_or_404(Collected, collection=own, pk=item)
    wanted = request.POST.get("do", "")
    if wanted in STEPS:
        rearrange(held, STEPS[wanted], among=_items(request, own))
    elif wanted == "remove":
        held.delete()
    else:
        raise Http404("An image moves earlier or later, or is removed.")
    page = request.POST.get("page", "")
    return redirect(own.get_absolute_url() + (f"?page={page}" if page.isdecimal() else ""))


def _form(request: Request, form: CollectionForm, own: Collection | None = None) -> HttpResponse:
    context = {"form": form, "collection": own}
    return render(request, "galleries/collection_edit.html", context, status=422 if form.errors else 200)


def _items(request: Request, held: Collection) -> QuerySet[Any]:
    """Return what this person may see of a collection, in its order."""
    return shown(Collected.objects.filter(collection=held), request.user, held.owner)


def _visible_collection(request: Request, pk: int) -> Collection:
    if pk > LARGEST_NUMBER:
        raise Http404("There is no such collection.")
    visible = Collection.objects.visible_to(request.user).select_related("owner")
    return get_object_or_404(visible, pk=pk)


def _own_collection(request: Request, pk: int) -> Collection:
    seen = _visible_collection(request, pk)
    if seen.owner_id != request.user.pk:
        raise Http404("Only its owner may do this with a collection.")
    return seen
