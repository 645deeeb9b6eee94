"""What pages of other rooms say of studies, and how numbers of studies are written."""

from typing import Any

from django import template

from fooling_web.runs.models import Individual
from fooling_web.studies import writing
from fooling_web.studies.recognition import studies_of
from fooling_web.studies.wishes import Wish

register = template.Library()
AGREEING = (
    (0.0, "People agree no more than chance would have it."),
    (0.2, "People hardly agree."),
    (0.4, "People agree a little."),
    (0.6, "People agree moderately."),
    (0.8, "People agree well."),
)


@register.inclusion_tag("studies/_asked.html")
def asked_people(individual: Individual) -> dict[str, Any]:
    """Say how many people recognised an image, and in which studies; nothing where nobody was asked."""
    exhibit = getattr(individual, "exhibit", None)
    if exhibit is None or not exhibit.n_asked:
        return {}
    return {"exhibit": exhibit, "studies": studies_of(individual)}


register.filter("percent", writing.percent)
register.filter("number", writing.decimal)
register.filter("points", writing.points)
register.filter("milliseconds", writing.milliseconds)


@register.simple_tag
def sort_query(wish: Wish, table: str, column: str) -> str:
    """Return the query that sorts a table of the results by a column."""
    return wish.sorted_by(table, column)


@register.simple_tag
def page_query(wish: Wish, table: str, page: int) -> str:
    """Return the query of another page of a table of the results."""
    return wish.query(**{f"{table}_page": page})


@register.simple_tag
def sorted_how(wish: Wish, table: str, column: str) -> str:
    """Return how a table is sorted by a column, as aria-sort says it."""
    now = getattr(wish, table)
    return {column: "ascending", f"-{column}": "descending"}.get(now, "none")


@register.filter
def hundred(share: float, shifted: float = 0) -> str:
    """Write a share as a coordinate from 0 to 100."""
    return f"{share * 100 + float(shifted):.2f}"


@register.simple_tag
def scale_query(wish: Wish, scale: str) -> str:
    """Return the query that draws the plane on another scale."""
    return wish.query(scale=scale)


@register.filter
def surer(overconfidence: float) -> str:
    """Say in words how much surer than right somebody is."""
    points = f"{abs(overconfidence) * 100:.1f} points"
    return f"{points} surer than right" if overconfidence >= 0 else f"{points} less sure than right"


@register.filter
def agreeing(kappa: float) -> str:
    """Say a kappa in plain words; the limits are a custom (Landis and Koch 1977), not a law."""
    return next((words for most, words in AGREEING if kappa <= most), "People agree almost fully.")
