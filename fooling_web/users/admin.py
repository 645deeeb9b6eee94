"""Accounts with what they may use, and the audit log, in the administration."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from fooling_web.users.auditing import record
from fooling_web.users.models import AuditLine, User

MEGABYTE = 10**6


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """People, what they may use and what they do."""

    list_display = [
        "username",
        "email",
        "is_staff",
        "is_active",
        "active",
        "generations",
        "taken",
        "last_login",
    ]
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        (
            "Quotas",
            {
                "fields": [*User.QUOTAS, "active", "taken"],
                "description": "Empty: as the site allows everybody. A new quota counts from the next launch.",
            },
        ),
    )
    readonly_fields = ["active", "taken"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return people with what they use, in one query."""
        runs: Any = User._meta.get_field("runs").related_model  # whose app this one does not know
        own = runs._base_manager.filter(owner=OuterRef("pk"), removed_at=None).order_by().values("owner")
        active = own.filter(status__in=(*runs.ACTIVE, runs.Status.PENDING))
        counted = active.annotate(n=Count("pk", filter=Q(sweep=None)) + Count("sweep", distinct=True))
        measured = own.annotate(bytes=Sum(F("storage__genomes") + F("storage__history")))
        films = own.annotate(bytes=Sum("films__size"))
        people: QuerySet[User] = super().get_queryset(request)
        return people.annotate(
            n_active=Subquery(counted.values("n"), output_field=IntegerField()),
            measured=Subquery(measured.values("bytes"), output_field=IntegerField()),
            film_bytes=Subquery(films.values("bytes"), output_field=IntegerField()),
        )

    @admin.display(description="Active runs")
    def active(self, person: User) -> str:
        """Return how many runs are at work or queued, of how many that may be."""
        return f"{getattr(person, 'n_active', 0) or 0} of {person.runs_at_a_time}"

    @admin.display(description="Generations of a run")
    def generations(self, person: User) -> str:
        """Return how many generations a run may have."""
        return "any" if person.most_generations is None else f"{person.most_generations:,}"

    @admin.display(description="Storage", ordering="measured")
    def taken(self, person: User) -> str:
        """Return how much room the runs take, of how much that they may."""
        taken = (getattr(person, "measured", 0) or 0) + (getattr(person, "film_bytes", 0) or 0)
        if person.most_storage is None:
            return filesizeformat(taken)
        return f"{taken / MEGABYTE:,.1f} of {person.most_storage:,} MB"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save, and note what became of the quotas and of who may do what."""
        super().save_model(request, obj, form, change)
        changed = [name for name in (*User.QUOTAS, "is_staff", "is_superuser") if name in form.changed_data]
        if change and changed:
            said = ", ".join(f"{_title(name)} {_value(getattr(obj, name))}" for name in changed)
            is_quota = any(name in User.QUOTAS for name in changed)
            record(request.user, "change quota" if is_quota else "change rights", f"{obj}: {said}")

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete an account with its runs, and note it."""
        record(request.user, "delete account", obj.get_username())
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete accounts with their runs, and note each."""
        for person in queryset:
            record(request.user, "delete account", person.get_username())
        super().delete_queryset(request, queryset)


@admin.register(AuditLine)
class AuditAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """The audit log: to read alone."""

    list_display = ["at", "name", "deed", "what", "how_large", "outcome"]
    list_filter = ["deed", ("at", admin.DateFieldListFilter)]
    search_fields = ["name", "what", "outcome"]
    list_per_page = 100
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Lines are written by what is done."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was done was done."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody has a line forgotten."""
        return False

    @admin.display(description="Size", ordering="size")
    def how_large(self, line: AuditLine) -> str:
        """Return how large what left, came in or went was."""
        return "" if line.size is None else filesizeformat(line.size)


def _title(name: str) -> str:
    return str(getattr(User._meta.get_field(name), "verbose_name", name))


def _value(value: Any) -> str:
    return "none" if value is None else str(value)
