"""Removes a classifier that was brought along or fetched. What runs and archives say of it stays."""

from fooling_web.runs.models import Run, RunQuerySet
from models_zoo.errors import ImportRefused
from models_zoo.imported import classifiers_folder, remove
from models_zoo.registry import ClassifierEntry

UNFINISHED = (*Run.ACTIVE, Run.Status.PENDING, Run.Status.PAUSED)


def runs_against(entry: ClassifierEntry) -> RunQuerySet:
    """Return the runs that name this classifier."""
    return Run.objects.filter(classifier=entry.name)


def is_removable(entry: ClassifierEntry) -> bool:
    """Whether it is one of the site's own, and there is more of it than the card that runs need."""
    folder = classifiers_folder() / entry.name
    if entry.folder != folder or not folder.is_dir():
        return False
    return entry.weights_path.exists() or not runs_against(entry).exists()


def remove_classifier(entry: ClassifierEntry) -> None:
    """Remove it, but for its card where a run names it; raises ImportRefused while a run still wants it."""
    runs = runs_against(entry)
    wanting = runs.filter(status__in=UNFINISHED).order_by("pk").first()
    if wanting:
        raise ImportRefused(
            f"the run {wanting.name} ({wanting.get_status_display().lower()}) still wants {entry.name!r}; "
            "cancel it or let it finish first"
        )
    remove(entry.name, keep_card=runs.exists())
