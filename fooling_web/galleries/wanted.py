"""What a person wants to see of the galleries: filters, an order and a page, as an address carries them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from evolution.parameters import METHODS as SEARCHES
from fooling_web.galleries.models import BANDS

SORTS: dict[str, str] = {
    "surest": "Surest first",
    "newest": "Newest first",
    "best-new": "Surest of the last seven days",
    "viewed": "Most viewed",
    "rated": "Highest rated",
    "branched": "Most branched",
    "fooling": "Highest fooling index",
    "random": "At random",
}
ASCENT = "gradient-ascent"  # of runs that climb a gradient: they search by none of the methods of evolution
BRED = "bred"  # of pictures that people evolved and published
PICTURES = "pictures"  # that came in as they are
METHODS: dict[str, str] = {
    **SEARCHES,
    ASCENT: "Gradient ascent",
    BRED: "Bred by hand",
    PICTURES: "Pictures from elsewhere",
}
RECOGNISED: dict[str, str] = {
    "yes": "Recognised by people",
    "no": "Not recognised by people",
    "fools": "Fooling index of at least 0.9",
}
LONGEST_TEXT = 100
DEEPEST = 10_000  # images of a view that can be paged through: who looks for others narrows the view
LARGEST_SEED = 2**31 - 1
WORDS = ("text", "image_class", "branch", "classifier", "encoding", "method", "tag", "person")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A view of the galleries: what is wanted, in which order, and which page of it."""

    text: str = ""
    image_class: str = ""
    branch: str = ""
    classifier: str = ""
    encoding: str = ""
    method: str = ""
    band: int | None = None
    run: uuid.UUID | None = None
    sweep: uuid.UUID | None = None
    recognised: str = ""
    tag: str = ""
    person: str = ""
    sort: str = "surest"
    seed: int = 0
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Wanted":
        """Read an address's query (request.GET); what makes no sense there is left out."""
        texts = {
            name: query.get(name, "").replace("\0", "").strip()[:LONGEST_TEXT]
            for name in (field.name for field in fields(cls))
        }
        return cls(
            **{name: texts[name] for name in WORDS},
            band=_whole(texts["band"], len(BANDS) - 1),
            run=_uuid(texts["run"]),
            sweep=_uuid(texts["sweep"]),
            recognised=texts["recognised"] if texts["recognised"] in RECOGNISED else "",
            sort=texts["sort"] if texts["sort"] in SORTS else "surest",
            seed=_whole(texts["seed"], LARGEST_SEED) or 0,
            page=max(_whole(texts["page"], 10**9) or 1, 1),
        )

    def query(self, **changes: Any) -> str:
        """Return the address's query with changes, without what is as usual; the page only if it is given."""
        changed = replace(self, **{"page": 1, **changes})
        given = {field.name: getattr(changed, field.name) for field in fields(self)}
        usual = {field.name: field.default for field in fields(self)}
        return urlencode({name: value for name, value in given.items() if value != usual[name]})

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return bool(replace(self, sort="surest", seed=0, page=1) != Wanted())


def _whole(text: str, most: int) -> int | None:
    """Read a whole number; None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        return None
    return int(text) if int(text) <= most else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
