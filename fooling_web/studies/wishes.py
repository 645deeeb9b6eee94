"""What an address asks the results for: a phase, and the order and page of their tables."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

IMAGE_SORTS = {
    "number": "number",
    "label": "label",
    "right": "share right",
    "raters": "raters",
    "confidence": "confidence",
    "index": "fooling index",
}
PEOPLE_SORTS = {"number": "number", "right": "share right", "time": "reaction time"}
SCALES = {"even": "Even", "nines": "By nines"}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What of the results is wanted, and how; a sort that begins with "-" descends."""

    phase: str = ""
    images: str = "number"
    images_page: int = 1
    people: str = "number"
    people_page: int = 1
    scale: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Wish":
        """Read an address's query; what makes no sense there is left out."""
        return cls(
            phase=query.get("phase", "") if query.get("phase") in ("main", "pilot") else "",
            images=_sort(query.get("images", ""), IMAGE_SORTS),
            images_page=_page(query.get("images_page", "")),
            people=_sort(query.get("people", ""), PEOPLE_SORTS),
            people_page=_page(query.get("people_page", "")),
            scale=query.get("scale", "") if query.get("scale") in SCALES else "",
        )

    @property
    def given(self) -> dict[str, str | int]:
        """What differs from the usual."""
        usual = asdict(Wish())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}

    def query(self, **changes: Any) -> str:
        """Return the address's query with changes."""
        return urlencode(replace(self, **changes).given)

    def sorted_by(self, table: str, column: str) -> str:
        """Return the query that sorts a table by a column; by the one that it is sorted by, the other way round."""
        now = getattr(self, table)
        changes: dict[str, Any] = {table: f"-{column}" if now == column else column, f"{table}_page": 1}
        return self.query(**changes)


def _sort(text: str, known: Mapping[str, str]) -> str:
    return text if text.removeprefix("-") in known else "number"


def _page(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
