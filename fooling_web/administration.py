"""The administrators' desk: everything that is kept, arranged by the work that there is to do."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path, reverse

WORK = {  # title: models, by app and name; what stands nowhere comes at the end
    "Runs": ("runs.run", "runs.champion"),
    "People": ("users.user", "auth.group", "account.emailaddress"),
    "Moderation": (
        *("galleries.report", "galleries.comment", "galleries.exhibit", "galleries.collection"),
        *("galleries.tag", "breeding.publication"),
    ),
    "Studies": ("studies.study", "studies.classroom", "studies.refusal"),
    "Classifiers": ("classifiers.import", "classifiers.fetch"),
    "Files": ("exports.exportjob", "exports.importjob"),
    "Log": ("users.auditline",),
}
NAMES = {  # where the rows' own name says too little
    "classifiers.fetch": "Weights that were fetched",
    "classifiers.import": "Classifiers that were sent",
    "exports.exportjob": "Exports",
    "exports.importjob": "Imports",
    "galleries.exhibit": "Images",
    "users.auditline": "Audit log",
}
OTHERS = "Others"
LATELY = 10  # lines of the log


class Desk(AdminSite):
    """The administration, with pages for what is no row of a table."""

    site_title = "Foolbreeder"
    site_header = "Foolbreeder: administration"
    index_title = "Administration"
    enable_nav_sidebar = False  # the lists need the room, and the index is arranged

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the usual addresses after those of our own pages."""
        own = [
            path("workers/", self.admin_view(self.workers), name="workers"),
            path("storage/", self.admin_view(self.storage), name="storage"),
        ]
        return [*own, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        """Show what wants an administrator now, everything that is kept, and what was done lately."""
        from fooling_web.users.models import AuditLine

        own = {"now": _now(), "lately": AuditLine.objects.all()[:LATELY]}
        return super().index(request, {**own, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return what this person may see, by the work that it belongs to."""
        apps = self._build_app_dict(request, app_label)
        if app_label:
            return super().get_app_list(request, app_label)
        found = {
            name: {**model, "name": NAMES.get(name, model["name"])}
            for label, app in apps.items()
            for model in app["models"]
            if (name := f"{label}.{model['object_name'].lower()}")
        }
        named = {name for names in WORK.values() for name in names}
        rest = tuple(sorted(name for name in found if name not in named))
        groups = [
            _group(title, [found[name] for name in names if name in found], self._further(request, title))
            for title, names in {**WORK, OTHERS: rest}.items()
        ]
        return [group for group in groups if group["models"]]

    def workers(self, request: HttpRequest) -> HttpResponse:
        """Show the workers and what they do now."""
        from fooling_web.workers import at_work

        context = {**self.each_context(request), "title": "Workers and what they do now", **at_work()}
        return render(request, "admin/workers.html", context)

    def storage(self, request: HttpRequest) -> HttpResponse:
        """Show what takes the room."""
        from fooling_web.runs.storage import overview

        context = {**self.each_context(request), "title": "Storage", **overview()}
        return render(request, "admin/storage.html", context)

    def _further(self, request: HttpRequest, title: str) -> list[dict[str, Any]]:
        """Return pages that are no lists of rows."""
        runs = reverse("admin:runs_run_changelist")
        pages = {
            "Runs": [
                _page("Workers and what they do now", "admin:workers"),
                _page("Storage", "admin:storage"),
                _link("Removed runs", f"{runs}?removed=yes"),
            ],
            "Classifiers": [
                _page("All classifiers", "classifiers:list"),
                _page("Take a classifier in", "classifiers:import"),
            ],
        }
        return pages.get(title, []) if self.has_permission(request) else []


def _now() -> list[dict[str, str]]:
    """Return what waits for somebody, each with where to go."""
    from fooling_web.galleries.models import Report
    from fooling_web.runs.models import Run

    runs = reverse("admin:runs_run_changelist")
    waiting = [
        (
            Report.objects.filter(settled_at=None).count(),
            "open report",
            reverse("admin:galleries_report_changelist"),
        ),
        (Run.objects.active().count(), "active run", reverse("admin:workers")),
        (Run.objects.filter(status=Run.Status.FAILED).count(), "failed run", f"{runs}?status__exact=failed"),
    ]
    return [
        {"words": f"{number:,} {thing}{'' if number == 1 else 's'}", "address": address}
        for number, thing, address in waiting
    ]


def _group(title: str, models: list[dict[str, Any]], further: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a part of the desk in the form of an app of Django's own list."""
    return {
        "name": title,
        "app_label": title.lower(),
        "app_url": f"{reverse('admin:index')}#{title.lower()}",
        "has_module_perms": True,
        "models": [*models, *further],
    }


def _page(name: str, route: str) -> dict[str, Any]:
    return _link(name, reverse(route))


def _link(name: str, address: str) -> dict[str, Any]:
    return {
        "name": name,
        "object_name": name.replace(" ", ""),
        "perms": {"view": True},
        "admin_url": address,
        "add_url": None,
        "view_only": True,
    }
