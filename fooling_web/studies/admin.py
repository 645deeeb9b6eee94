"""Studies in the administration: who asks what, how far it is, what was refused. Answers are read, never changed."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from fooling_web.studies.models import Classroom, Participant, Refusal, Study


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Rows that the administration shows and leaves as they are."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are made on the site's own pages."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Data are deleted on the page of the study's files, where it is said what that means."""
        return False


@admin.register(Study)
class StudyAdmin(ReadOnly):
    """Every study."""

    list_display = [
        "title",
        "owner",
        "status",
        "participants",
        "completed",
        "frozen_at",
        "data_end",
        "created_at",
    ]
    list_filter = ["status", "is_listed", "results"]
    search_fields = ["title", "owner__username", "id", "code"]
    fields = [
        *("title", "owner", "status", "page", "code", "entries", "is_listed", "results", "retention_days"),
        *("created_at", "frozen_at", "design_sha256", "closed_at", "n_withdrawn"),
    ]
    readonly_fields = ["page"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        """Return every study with its owner and numbers, in one query."""
        real = ~Q(participants__phase=Participant.Phase.PREVIEW)
        completed = real & Q(participants__completed_at__isnull=False)
        return Study.objects.select_related("owner").annotate(
            n_people=Count("participants", filter=real), n_completed=Count("participants", filter=completed)
        )

    @admin.display(description="Participants", ordering="n_people")
    def participants(self, study: Any) -> int:
        """Return how many took part."""
        return int(study.n_people)

    @admin.display(description="Completed", ordering="n_completed")
    def completed(self, study: Any) -> int:
        """Return how many came to the end."""
        return int(study.n_completed)

    @admin.display(description="Data kept until")
    def data_end(self, study: Study) -> str:
        """Return until when its data stay."""
        from fooling_web.studies.keeping import ends_at

        end = ends_at(study)
        return f"{end:%d %B %Y}" if end else ""

    @admin.display(description="Pages")
    def page(self, study: Study) -> str:
        """Return the ways to the study's own pages."""
        return format_html(
            '<a href="{}">Study</a> · <a href="{}">Results</a> · <a href="{}">Files</a>',
            study.get_absolute_url(),
            reverse("studies:results", args=[study.pk]),
            reverse("studies:files", args=[study.pk]),
        )


@admin.register(Classroom)
class ClassroomAdmin(ReadOnly):
    """Classes that took part together."""

    list_display = ["__str__", "study", "teacher", "status", "created_at"]
    list_filter = ["status"]
    list_select_related = ["study", "teacher"]


@admin.register(Refusal)
class RefusalAdmin(ReadOnly):
    """What studies refused, counted by reason."""

    list_display = ["study", "reason", "times", "last_at"]
    list_filter = ["reason"]
    list_select_related = ["study"]
