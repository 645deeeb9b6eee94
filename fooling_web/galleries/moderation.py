"""What moderators do: every member of the staff is one. Each deed settles the reports of it, and is kept in a log."""

from collections.abc import Sequence

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from fooling_web.galleries.keeping import recount
from fooling_web.galleries.models import Comment, Exhibit, Report
from fooling_web.users.auditing import record
from fooling_web.users.models import User

DEEDS = {  # in the audit log, by how they stand in the administration's own
    "Hid the comment": "hide comment",
    "Hid the image": "hide image",
    "Showed the comment again": "show comment",
    "Showed the image again": "show image",
}


def hide_comment(comment: Comment, moderator: User) -> None:
    """Remove a comment from everybody's eyes but the staff's."""
    _set_hidden(comment, True)
    settle(Report.objects.filter(comment=comment), moderator, "Hid the comment")
    _log(moderator, comment, "Hid the comment")


def show_comment(comment: Comment, moderator: User) -> None:
    """Bring a comment back."""
    _set_hidden(comment, False)
    _log(moderator, comment, "Showed the comment again")


def hide_image(exhibit: Exhibit, moderator: User) -> None:
    """Take an image out of the galleries, and what people said of it."""
    Exhibit.objects.filter(pk=exhibit.pk).update(hidden=True)
    settle(Report.objects.filter(exhibit=exhibit, comment=None), moderator, "Hid the image")
    _log(moderator, exhibit, "Hid the image")


def show_image(exhibit: Exhibit, moderator: User) -> None:
    """Hang an image again."""
    Exhibit.objects.filter(pk=exhibit.pk).update(hidden=False)
    _log(moderator, exhibit, "Showed the image again")


def settle(reports: QuerySet[Report], moderator: User, verdict: str) -> int:
    """Close those of some reports that are open; return how many."""
    with transaction.atomic():
        wanted = Report.objects.filter(pk__in=reports.order_by().values("pk"), settled_at=None)
        closed = list(wanted.select_for_update())
        Report.objects.filter(pk__in=[report.pk for report in closed]).update(settled_at=timezone.now())
        _log_all(moderator, closed, verdict)
    return len(closed)


def _set_hidden(comment: Comment, hidden: bool) -> None:
    with transaction.atomic():
        Exhibit.objects.select_for_update().get(pk=comment.exhibit_id)
        Comment.objects.filter(pk=comment.pk).update(hidden=hidden)
        recount([comment.exhibit_id])


def _log(moderator: User, thing: Model, verdict: str) -> None:
    _log_all(moderator, [thing], verdict)


def _log_all(moderator: User, things: Sequence[Model], verdict: str) -> None:
    """Write a line for each thing into the administration's log."""
    if things:
        LogEntry.objects.log_actions(moderator.pk, things, CHANGE, change_message=verdict)
    for thing in things:
        deed = "settle report" if isinstance(thing, Report) else DEEDS[verdict]
        record(moderator, deed, f"{thing._meta.verbose_name} {thing.pk}: {thing}", outcome=verdict)
