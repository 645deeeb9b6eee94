"""What one person may use: runs at a time, generations of a run, room for all of them.

Administrators set these for each person; without them the site's own limit on active runs counts, and no other.
Every function returns a sentence that names the limit and the remedy, or an empty one where there is room.
"""

from django.db.models import F, Sum

from fooling_web.runs.models import Film, Run
from fooling_web.users.models import User

MEGABYTE = 10**6
ASK = "or ask an administrator for more"


def complaint_about_active(owner: User) -> str:
    """Say that a person has as many active runs as one may have."""
    most = owner.runs_at_a_time
    if owner.runs.have_room(most):
        return ""
    if owner.most_active_runs == 0:
        return "You may have no active runs. Ask an administrator for more."
    runs = "1 active run" if most == 1 else f"{most} active runs"
    return (
        f"You have {runs}, the most {_who(owner)} may have here; those of a sweep count as one. Wait for one to "
        "finish, or pause or cancel one."
    )


def complaint_about_generations(owner: User, generations: int) -> str:
    """Say that a run would have more generations than this person may give one."""
    most = owner.most_generations
    if most is None or generations <= most:
        return ""
    return (
        f"Such a run has {generations:,} generations, and yours may have {most:,} at most. Choose fewer under own "
        f"numbers, {ASK}."
    )


def complaint_about_storage(owner: User) -> str:
    """Say that a person's runs take all the room that they may."""
    most = owner.most_storage
    if most is None or (taken := storage_of(owner)) < most * MEGABYTE:
        return ""
    return (
        f"Your runs take {taken / MEGABYTE:,.1f} MB, and may take {most:,} MB. Delete runs that you need no more, "
        f"{ASK}."
    )


def storage_of(owner: User) -> int:
    """Return how many bytes a person's runs take, as they were measured last; removed ones do not count."""
    films = Film.objects.filter(run__in=Run.objects.filter(owner=owner).values("pk"))
    measured = owner.runs.aggregate(bytes=Sum(F("storage__genomes") + F("storage__history")))["bytes"]
    return (measured or 0) + (films.aggregate(bytes=Sum("size"))["bytes"] or 0)


def _who(owner: User) -> str:
    return "one person" if owner.most_active_runs is None else "you"
