"""What became of classifiers that were sent or fetched, in the administration. Classifiers themselves are folders."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from fooling_web.classifiers.models import Fetch, Import, Waiting


class WaitingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Work for the interactive worker: to look at alone."""

    list_display = ["classifier", "owner", "created_at", "state"]
    list_select_related = ["owner"]
    search_fields = ["classifier", "owner__username", "error"]
    fields = ["classifier", "owner", "created_at", "state"]
    readonly_fields = ["state"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """It is asked for on the classifiers' own pages."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is as it went."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It tells where a classifier came from."""
        return False

    @admin.display(description="State")
    def state(self, wanted: Waiting) -> str:
        """Return how it went."""
        if wanted.error:
            return wanted.complaint
        if wanted.is_overdue:
            return "silent: no worker has taken it up"
        return "waits for the worker" if wanted.is_waiting else f"done {wanted.done_at:%Y-%m-%d %H:%M}"


@admin.register(Import)
class ImportAdmin(WaitingAdmin):
    """Classifiers that administrators sent."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        """Return imports without their verdicts."""
        found: QuerySet[Import] = super().get_queryset(request).defer("texts", "verdict")
        return found


@admin.register(Fetch)
class FetchAdmin(WaitingAdmin):
    """Weights that were fetched."""
