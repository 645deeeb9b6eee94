"""How galleries write addresses: of an image as it hangs in a view, of its pictures, and of other views."""

from typing import Protocol

from django import template
from django.urls import reverse

from fooling_web.galleries.models import Entry
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.templatetags.runs import LARGEST_PIXELATED

register = template.Library()

SMALL, LARGE = 128, 512  # pixels a side: in a gallery, and on the whole screen


class Addressing(Protocol):
    """Where views of a gallery have their addresses."""

    def address(self, query: str) -> str:
        """Return the address of a view."""


@register.inclusion_tag("galleries/_picture.html")
def small_picture(entry: Entry, size: int = SMALL, loading: str = "lazy") -> dict[str, object]:
    """Show the image of an entry, `size` pixels a side."""
    return {
        "entry": entry,
        "address": picture_address(entry, size),
        "size": size,
        "loading": loading,
        "is_fine": is_fine(entry),
    }


@register.simple_tag
def hung_address(entry: Entry, position: int, wanted: Wanted) -> str:
    """Return the address of an image that remembers where, in which view, it was found."""
    view = wanted.query()
    return f"{entry.get_absolute_url()}&at={position}" + (f"&{view}" if view else "")


@register.filter
def at(query: str, room: Addressing) -> str:
    """Return the address of a view in a room."""
    return room.address(query)


@register.simple_tag
def page_address(room: Addressing, wanted: Wanted, number: int) -> str:
    """Return the address of a page of a view."""
    return room.address(wanted.query(page=number))


@register.simple_tag
def sorted_address(room: Addressing, wanted: Wanted, sort: str) -> str:
    """Return the address of a view in another order; each at random is another one."""
    return room.address(wanted.query(sort=sort, seed=0))


@register.filter
def large_address(entry: Entry) -> str:
    """Return the address of the picture for the whole screen."""
    if not is_fine(entry):
        return picture_address(entry, SMALL)
    address = reverse("galleries:picture", args=[entry.run_id, entry.number, LARGE, "webp"])
    return f"{address}?genome={entry.short_hash}"


@register.filter
def is_fine(entry: Entry) -> bool:
    """Whether the picture has so many pixels that it is shown smoothly."""
    return bool(entry.run.parameters["width"] > LARGEST_PIXELATED)


def picture_address(entry: Entry, size: int) -> str:
    """Return the address of a picture that browsers may keep for ever."""
    return reverse("runs:small_image", args=[entry.run_id, entry.number, entry.short_hash, size])
