"""The moderators' desk: what people reported, the latest first, and what was hidden."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from fooling_web.galleries import moderation
from fooling_web.galleries.keeping import Hung, recount
from fooling_web.galleries.models import Collection, Comment, Exhibit, Report, Tag, image_url
from fooling_web.runs.watching import SHORT_HASH

ON_IMAGE = "exhibit__individual__run"
NEVER_READ = ("exhibit__individual__genome", "exhibit__individual__run__random_state")
SIDE = 64  # pixels of a picture in a list
SHOWN = 200  # characters of a comment in a list


class StateFilter(admin.SimpleListFilter):
    """Reports that wait for a moderator, unless others are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [("settled", "Settled"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Offer the open ones first, in place of all."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Open"}
        yield from others

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the queue."""
        if self.value() == "all":
            return queryset
        return queryset.filter(settled_at__isnull=self.value() != "settled")


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Things that people made on the site's pages, and nobody makes here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added here."""
        return False

    def tell(self, request: HttpRequest, number: int, thing: str, done: str) -> None:
        """Say what came of an action."""
        if not number:
            self.message_user(request, f"There is no {thing} to be {done} among these.", messages.WARNING)
            return
        self.message_user(request, f"{number} {thing}{'' if number == 1 else 's'} {done}.", messages.SUCCESS)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """The queue of reports."""

    list_display = ["said", "picture", "image", "reason", "reporter", "reported_at", "settled_at"]
    list_filter = [StateFilter]
    search_fields = ["reason", "reporter__username", "comment__text", "comment__author__username"]
    fields = ["said", "picture", "image", "reason", "reporter", "reported_at", "settled_at"]
    readonly_fields = ["said", "picture", "image", "reason", "reporter", "reported_at", "settled_at"]
    actions = ["hide_the_comment", "hide_the_image", "dismiss"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        """Return reports with what they are about, in one query."""
        reports = super().get_queryset(request).select_related(ON_IMAGE, "comment__author", "reporter")
        counted: QuerySet[Report] = reports.annotate(genome_bytes=Length("exhibit__individual__genome"))
        return counted.defer(*NEVER_READ)

    @admin.display(description="Picture")
    def picture(self, report: Report) -> str:
        """Show what it is about, or on what it was said."""
        return _picture_of(report.exhibit, report.genome_bytes)  # type: ignore[attr-defined]  # counted above

    @admin.display(description="What is reported")
    def said(self, report: Report) -> str:
        """Return the words of a comment and whose they are, or the title of an image."""
        if report.comment is None:
            return f"Image “{report.exhibit.title}”" if report.exhibit.title else "Image"
        return f"{report.comment.author}: {Truncator(report.comment.text).chars(SHOWN)}"

    @admin.display(description="Where")
    def image(self, report: Report) -> str:
        """Link to the image."""
        return _link_to(report.exhibit)

    @admin.action(description="Hide the comment")
    def hide_the_comment(self, request: Any, queryset: QuerySet[Report]) -> None:
        """Hide the comments that were reported; reports of images stay open."""
        comments = {report.comment for report in queryset if report.comment}
        for comment in comments:
            moderation.hide_comment(comment, request.user)
        self.tell(request, len(comments), "comment", "hidden")

    @admin.action(description="Hide the image")
    def hide_the_image(self, request: Any, queryset: QuerySet[Report]) -> None:
        """Hide the images on which something was reported."""
        exhibits = {report.exhibit for report in queryset}
        for exhibit in exhibits:
            moderation.hide_image(exhibit, request.user)
        moderation.settle(queryset, request.user, "Hid the image")
        self.tell(request, len(exhibits), "image", "hidden")

    @admin.action(description="Dismiss: nothing is wrong with it")
    def dismiss(self, request: Any, queryset: QuerySet[Report]) -> None:
        """Close reports and leave everything as it is."""
        self.tell(request, moderation.settle(queryset, request.user, "Dismissed"), "report", "dismissed")


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    """Every comment."""

    list_display = ["words", "author", "image", "said_at", "hidden"]
    list_filter = ["hidden"]
    search_fields = ["text", "author__username"]
    fields = ["text", "author", "image", "said_at", "hidden"]
    readonly_fields = ["text", "author", "image", "said_at", "hidden"]
    actions = ["hide", "show"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comment]:
        """Return comments with their images, in one query."""
        return super().get_queryset(request).select_related(ON_IMAGE, "author").defer(*NEVER_READ)

    @admin.display(description="Comment")
    def words(self, comment: Comment) -> str:
        """Return the beginning of what was said."""
        return Truncator(comment.text).chars(SHOWN)

    @admin.display(description="Where")
    def image(self, comment: Comment) -> str:
        """Link to the image."""
        return _link_to(comment.exhibit)

    @admin.action(description="Hide")
    def hide(self, request: Any, queryset: QuerySet[Comment]) -> None:
        """Remove comments from everybody's eyes but the staff's."""
        comments = list(queryset)
        for comment in comments:
            moderation.hide_comment(comment, request.user)
        self.tell(request, len(comments), "comment", "hidden")

    @admin.action(description="Show again")
    def show(self, request: Any, queryset: QuerySet[Comment]) -> None:
        """Bring comments back."""
        comments = list(queryset)
        for comment in comments:
            moderation.show_comment(comment, request.user)
        self.tell(request, len(comments), "comment", "shown again")

    def delete_model(self, request: HttpRequest, obj: Comment) -> None:
        """Delete a comment, and count its image's anew."""
        obj.delete()
        recount([obj.exhibit_id])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """Delete comments, and count their images' anew."""
        exhibits = list(queryset.order_by().values_list("exhibit_id", flat=True).distinct())
        queryset.delete()
        recount(exhibits)


@admin.register(Exhibit)
class ExhibitAdmin(ReadOnlyAdmin):
    """Images that people looked at, kept or spoke of."""

    list_display = ["called", "picture", "image", "views", "stars", "n_ratings", "n_comments", "hidden"]
    list_filter = ["hidden"]
    search_fields = ["title", "individual__run__name", "individual__run__owner__username"]
    fields = [
        "title",
        "picture",
        "image",
        "views",
        "stars",
        "n_ratings",
        "n_favourites",
        "n_comments",
        "hidden",
    ]
    readonly_fields = [
        "picture",
        "image",
        "views",
        "stars",
        "n_ratings",
        "n_favourites",
        "n_comments",
        "hidden",
    ]
    actions = ["hide", "show"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exhibit]:
        """Return exhibits with their images, in one query."""
        light = super().get_queryset(request).select_related("individual__run")
        counted: QuerySet[Exhibit] = light.annotate(genome_bytes=Length("individual__genome"))
        return counted.defer("individual__genome", "individual__run__random_state")

    @admin.display(description="Image", ordering="title")
    def called(self, exhibit: Exhibit) -> str:
        """Return its title, and what the classifier says first."""
        said = f"{exhibit.individual.run.classifier_title}: {Hung(exhibit).label}"
        return f"{exhibit.title} ({said})" if exhibit.title else said

    @admin.display(description="Picture")
    def picture(self, exhibit: Exhibit) -> str:
        """Show it."""
        return _picture_of(exhibit, exhibit.genome_bytes)  # type: ignore[attr-defined]  # counted above

    @admin.display(description="Where")
    def image(self, exhibit: Exhibit) -> str:
        """Link to the image."""
        return _link_to(exhibit)

    @admin.action(description="Hide")
    def hide(self, request: Any, queryset: QuerySet[Exhibit]) -> None:
        """Take images out of the galleries."""
        exhibits = list(queryset)
        for exhibit in exhibits:
            moderation.hide_image(exhibit, request.user)
        self.tell(request, len(exhibits), "image", "hidden")

    @admin.action(description="Show again")
    def show(self, request: Any, queryset: QuerySet[Exhibit]) -> None:
        """Hang images again."""
        exhibits = list(queryset)
        for exhibit in exhibits:
            moderation.show_image(exhibit, request.user)
        self.tell(request, len(exhibits), "image", "shown again")

    def save_model(self, request: HttpRequest, obj: Exhibit, form: Any, change: bool) -> None:
        """Save only what was changed: people rate it meanwhile."""
        obj.save(update_fields=form.changed_data)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An exhibit goes with its run."""
        return False


@admin.register(Collection)
class CollectionAdmin(ReadOnlyAdmin):
    """Collections: to read, to close, to delete."""

    list_display = ["title", "owner", "visibility", "created_at"]
    list_filter = ["visibility"]
    list_select_related = ["owner"]
    search_fields = ["title", "description", "owner__username"]
    fields = ["title", "description", "visibility", "owner", "created_at"]
    readonly_fields = ["owner", "created_at"]


@admin.register(Tag)
class TagAdmin(ReadOnlyAdmin):
    """Tags: to take one away from every image."""

    list_display = ["name"]
    search_fields = ["name"]
    readonly_fields = ["name"]


def _link_to(exhibit: Exhibit) -> str:
    """Return a link to an image, named as people find it."""
    image = exhibit.individual
    return format_html(
        '<a href="{}">No. {} of {}</a>', image_url(image.run_id, image.number), image.number, image.run.name
    )


def _picture_of(exhibit: Exhibit, genome_bytes: int) -> str:
    """Return a small picture that leads to the image, or a word where it was not kept."""
    image = exhibit.individual
    if not genome_bytes:
        return "not kept"
    address = reverse("runs:image", args=[image.run_id, image.number, image.genome_hash])
    if image.run.settings.width > SIDE:
        named = [image.run_id, image.number, image.genome_hash[:SHORT_HASH], SIDE]
        address = reverse("runs:small_image", args=named)
    return format_html(
        '<a href="{}"><img src="{}" width="{}" height="{}" loading="lazy" alt="No. {}"></a>',
        image_url(image.run_id, image.number),
        address,
        SIDE,
        SIDE,
        image.number,
    )
