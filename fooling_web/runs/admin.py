"""Runs and champions in the administration: to look at, to steer, to take away and to bring back."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from fooling_web.runs.events import announce
from fooling_web.runs.models import Champion, Run
from fooling_web.runs.percentages import finely
from fooling_web.runs.removing import give_up, named, remove, restore
from fooling_web.runs.storage import pictures_of, with_bytes
from fooling_web.runs.tasks import ring
from fooling_web.runs.watching import SHORT_HASH
from fooling_web.users.auditing import record

SHOWN = 80  # characters of an error in a list
SIDE = 64  # pixels of a picture in a list

# Why a deed does nothing to a run.
NOT_QUEUED = "only those can be that failed or were cancelled, are not removed, and still have what they need"
NOT_CANCELLED = "only those can be that are not at an end"
NOT_REMOVED = "they are removed already"
NOT_RESTORED = "only those can be that are removed and not yet on their way out for good"
NOT_DELETED = "remove them first"


class RemovedFilter(admin.SimpleListFilter):
    """Runs that were not removed, unless others are asked for."""

    title = "removal"
    parameter_name = "removed"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [("yes", "Removed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Offer those that are there first, in place of all."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "There"}
        yield from others

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        if self.value() == "all":
            return queryset
        return queryset.filter(removed_at__isnull=self.value() != "yes")


class RunList(ChangeList):
    """A page of runs, with what of them lies in the cabinet: looked up once for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page."""
        super().get_results(request)
        runs = list(self.result_list)
        pictures = pictures_of(runs)
        for run in runs:
            run.picture_bytes = pictures.get(run.pk, 0)
        self.result_list = runs


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Every run, removed ones too."""

    list_display = ["name", "owner", "state", "progress", "complaint", "taken", "champions", "created_at"]
    list_filter = [RemovedFilter, "status", "kind", "classifier", "encoding", "visibility"]
    search_fields = ["name", "owner__username", "id"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["requeue", "cancel", "remove", "restore", "delete_for_good"]
    fields = [
        *("name", "owner", "visibility", "state", "progress", "error", "page", "champions", "taken", "seed"),
        *("parameters", "lease_holder", "lease_until", "attempts", "removed_at"),
    ]
    readonly_fields = [
        *("state", "progress", "error", "page", "champions", "taken", "seed", "parameters"),
        *("lease_holder", "lease_until", "attempts", "removed_at"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Return every run with its owner and what it takes, in one query."""
        everything = Run.everything.select_related("owner").without_burdens()
        return with_bytes(everything).order_by("-created_at")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows of pictures."""
        return RunList

    def save_model(self, request: HttpRequest, obj: Run, form: Any, change: bool) -> None:
        """Save only what was changed, since a worker may be writing the rest, and tell all who watch."""
        obj.save(update_fields=form.changed_data)
        announce(obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs are launched on the launch page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Runs are removed first, and deleted for good by an action of their own."""
        return False

    @admin.display(description="Status", ordering="status")
    def state(self, run: Run) -> str:
        """Return where it stands."""
        return f"{run.status_title}, removed" if run.removed_at else run.status_title

    @admin.display(description="Progress", ordering="generation")
    def progress(self, run: Run) -> str:
        """Return how far it has come; pictures from elsewhere went no way here."""
        if run.are_pictures:
            return "–"
        if run.generation is None:
            return f"0 of {run.generations:,}"
        return f"{run.generation:,} of {run.generations:,} ({run.progress:.0%})"

    @admin.display(description="Error")
    def complaint(self, run: Run) -> str:
        """Return the beginning of why it failed."""
        return Truncator(run.error).chars(SHOWN)

    @admin.display(description="Storage", ordering="all_bytes")
    def taken(self, run: Run) -> str:
        """Return what it takes, and of what kinds; what can be drawn again is told besides."""
        kinds = {"films": run.film_bytes}  # type: ignore[attr-defined]  # annotated above
        if measured := getattr(run, "storage", None):
            kinds = {"genomes": measured.genomes, "history": measured.history, **kinds}
        besides = {"drawn pictures besides": getattr(run, "picture_bytes", 0)}
        said = ", ".join(
            f"{filesizeformat(size)} {kind}" for kind, size in {**kinds, **besides}.items() if size
        )
        if not said:
            return "nothing yet" if run.generation is None else "not measured yet"
        return format_html('<span title="{}">{}</span>', said, filesizeformat(sum(kinds.values())))

    @admin.display(description="Champions")
    def champions(self, run: Run) -> str:
        """Link to its champions."""
        address = reverse("admin:runs_champion_changelist")
        return format_html('<a href="{}?run__id__exact={}">champions</a>', address, run.pk)

    @admin.display(description="Its page")
    def page(self, run: Run) -> str:
        """Link to its page, which a removed run has not."""
        if run.removed_at:
            return "none while it is removed"
        return format_html('<a href="{}">{}</a>', run.get_absolute_url(), run.get_absolute_url())

    @admin.action(description="Requeue: go on from what was kept", permissions=["change"])
    def requeue(self, request: Any, queryset: QuerySet[Run]) -> None:
        """Let runs that failed or were cancelled go on."""

        def again(run: Run) -> bool:
            done = not run.removed_at and run.requeue()
            if done and run.status == Run.Status.QUEUED:
                transaction.on_commit(lambda: ring(run))  # those of sweeps wait their turn
            return done

        self._each(request, queryset, again, "requeue run", "queued again", NOT_QUEUED)

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: Any, queryset: QuerySet[Run]) -> None:
        """Stop runs for good, and keep what they found."""

        def stop(run: Run) -> bool:
            return not run.removed_at and run.cancel()

        self._each(request, queryset, stop, "cancel run", "cancelled", NOT_CANCELLED)

    @admin.action(description="Remove: out of sight, can be restored", permissions=["change"])
    def remove(self, request: Any, queryset: QuerySet[Run]) -> None:
        """Take runs out of sight."""
        self._each(request, queryset, partial(remove, by=request.user), "", "removed", NOT_REMOVED)

    @admin.action(description="Restore removed ones", permissions=["change"])
    def restore(self, request: Any, queryset: QuerySet[Run]) -> None:
        """Bring removed runs back."""
        self._each(request, queryset, partial(restore, by=request.user), "", "restored", NOT_RESTORED)

    @admin.action(description="Delete removed ones for good", permissions=["change"])
    def delete_for_good(self, request: Any, queryset: QuerySet[Run]) -> HttpResponse | None:
        """Ask, then let removed runs go for good."""
        if request.POST.get("sure"):
            let_go = partial(give_up, by=request.user)
            self._each(request, queryset, let_go, "", "deleted for good", NOT_DELETED)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Delete for good?",
            "opts": self.model._meta,
            "away": [run for run in queryset if run.removed_at],
            "here": [run for run in queryset if not run.removed_at],
            "checkbox": ACTION_CHECKBOX_NAME,
            "days": settings.REMOVED_RUNS_DAYS,
        }
        return TemplateResponse(request, "admin/runs/delete_for_good.html", context)

    def _each(
        self,
        request: Any,
        runs: QuerySet[Run],
        verb: Callable[[Run], bool],
        deed: str,
        done: str,
        why_not: str,
    ) -> None:
        """Do something to runs one by one, tell all who watch, note it, and say of how many it came true.

        Where it did not, `why_not` says why.
        """
        changed = [run for run in runs if verb(run)]
        for run in changed:
            announce(run)
            if deed:
                record(request.user, deed, named(run))
        number, others = len(changed), len(runs) - len(changed)
        if number:
            self.message_user(request, f"{_runs(number)} {done}.", messages.SUCCESS)
        if others:
            self.message_user(request, f"{_runs(others)} could not be {done}: {why_not}.", messages.WARNING)


@admin.register(Champion)
class ChampionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Who holds which class, with pictures: to look at alone."""

    list_display = ["picture", "held", "sure", "generation", "of"]
    list_display_links = None
    list_filter = ["run__classifier", "run__encoding"]
    search_fields = ["run__name", "run__id", "run__owner__username"]
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Champion]:
        """Return champions with what is shown of them: two queries, however many they are."""
        champions = super().get_queryset(request).select_related("individual").defer("individual__genome")
        runs = Prefetch("run", Run.everything.without_burdens())
        counted: QuerySet[Champion] = champions.annotate(genome_bytes=Length("individual__genome"))
        return counted.prefetch_related(runs)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the champions of one run, too."""
        return lookup == "run__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Champions evolve."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A history is never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A champion goes with its run."""
        return False

    @admin.display(description="Picture")
    def picture(self, champion: Champion) -> str:
        """Show it."""
        image = champion.individual
        if not champion.genome_bytes or champion.run.removed_at:  # type: ignore[attr-defined]  # counted above
            return "not shown"
        address = reverse("runs:image", args=[champion.run_id, image.number, image.genome_hash])
        if champion.run.settings.width > SIDE:
            small = [champion.run_id, image.number, image.genome_hash[:SHORT_HASH], SIDE]
            address = reverse("runs:small_image", args=small)
        return format_html(
            '<a href="{}"><img src="{}" width="{}" height="{}" loading="lazy" alt="Champion of {}"></a>',
            reverse("runs:champion", args=[champion.run_id, champion.class_index]),
            address,
            SIDE,
            SIDE,
            champion.label,
        )

    @admin.display(description="Class")
    def held(self, champion: Champion) -> str:
        """Return the name of its class."""
        number = str(champion.class_index)
        return number if champion.label == number else f"{number} {champion.label}"

    @admin.display(description="Confidence")
    def sure(self, champion: Champion) -> str:
        """Return the confidence as pages write it."""
        return finely(champion.confidence)

    @admin.display(description="Run")
    def of(self, champion: Champion) -> str:
        """Link to the run."""
        address = reverse("admin:runs_run_change", args=[champion.run_id])
        return format_html('<a href="{}">{}</a>', address, champion.run.name)


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
