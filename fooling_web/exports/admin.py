"""Files that leave the site and come in, in the administration: how far each is, for whom, how large."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch
from django.utils.html import format_html

from fooling_web.exports.archive_views import MOST_RUNS, asked_for
from fooling_web.exports.models import ExportJob, ImportJob, Job
from fooling_web.runs.admin import RunAdmin
from fooling_web.runs.models import Run

GONE = "The runs that were chosen are removed; restore them first."


class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Jobs: to look at alone; they are cancelled on their own pages."""

    list_filter = ["status", "kind"]
    list_select_related = ["by"]
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are asked for on the pages of runs and galleries."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A worker changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Their files go by themselves."""
        return False

    @admin.display(description="Progress")
    def progress(self, job: Job) -> str:
        """Return how many steps are done, of how many."""
        return f"{job.done:,} of {job.total:,}" if job.total else ""

    @admin.display(description="Size", ordering="size")
    def how_large(self, job: Job) -> str:
        """Return how large the file is."""
        return filesizeformat(job.size) if job.size else ""

    @admin.display(description="Its page")
    def page(self, job: ExportJob | ImportJob) -> str:
        """Link to the job's page."""
        try:
            return format_html('<a href="{}">open</a>', job.get_absolute_url())
        except NoReverseMatch:
            return ""


@admin.action(description="Export the chosen runs", permissions=["view"])
def export_chosen(desk: RunAdmin, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
    """Ask what of the runs goes into the file, on the page where owners are asked, too."""
    found = list(runs.filter(removed_at=None).select_related("sweep")[: MOST_RUNS + 1])
    if found and len(found) <= MOST_RUNS:
        return asked_for(request, found)
    complaint = f"{MOST_RUNS} runs in one file are the most; choose fewer." if found else GONE
    desk.message_user(request, complaint, messages.WARNING)
    return None


# Runs know nothing of exports; so the action is brought to their list from here.
RunAdmin.actions = [*RunAdmin.actions, export_chosen]


@admin.register(ExportJob)
class ExportAdmin(JobAdmin):
    """What leaves."""

    list_display = [
        *("title", "kind", "by", "status", "progress", "how_large", "error", "created_at"),
        *("expires_at", "page"),
    ]
    search_fields = ["title", "by__username", "error"]


@admin.register(ImportJob)
class ImportAdmin(JobAdmin):
    """What comes in."""

    list_display = [
        *("name", "kind", "by", "status", "progress", "how_large", "error", "created_at", "page"),
    ]
    search_fields = ["name", "by__username", "error"]
