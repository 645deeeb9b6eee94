"""What networks said of a picture, on its tile."""

from typing import Any

from django import template

from fooling_web.breeding.looking import Looking, reach
from fooling_web.breeding.models import Attempt

register = template.Library()

WIDTH, HEIGHT = 120, 28  # of the line that an attempt draws


@register.inclusion_tag("breeding/_heard.html")
def heard(looking: Looking, place: int) -> dict[str, Any]:
    """Show what is known of one picture."""
    return {"heard": looking.tiles[place], "looking": looking, "is_plural": len(looking.entries) > 1}


@register.filter
def line_of(attempt: Attempt) -> str:
    """Return the points of a line that shows the best of each generation, as high as a meter reaches."""
    step = WIDTH / Attempt.GENERATIONS
    return " ".join(
        f"{row * step:.1f},{HEIGHT - 1 - reach(value) / 100 * (HEIGHT - 2):.1f}"
        for row, value in enumerate(attempt.confidences)
    )
