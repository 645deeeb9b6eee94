"""Runs in the administration: to look at, and to remove."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from fooling_web.runs.events import announce
from fooling_web.runs.models import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """What an administrator sees of a run; it is steered on its own page."""

    list_display = [
        "name",
        "owner",
        "status",
        "classifier",
        "encoding",
        "generation",
        "median_confidence",
        "created_at",
    ]
    list_filter = ["status", "classifier", "encoding", "visibility"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username", "id"]
    fields = [
        "name",
        "owner",
        "visibility",
        "status",
        "error",
        "seed",
        "parameters",
        "lease_holder",
        "lease_until",
    ]
    readonly_fields = ["status", "error", "seed", "parameters", "lease_holder", "lease_until"]

    def save_model(self, request: HttpRequest, obj: Run, form: Any, change: bool) -> None:
        """Save only what was changed, since a worker may be writing the rest, and tell all who watch."""
        obj.save(update_fields=form.changed_data)
        announce(obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs are launched on the launch page."""
        return False
