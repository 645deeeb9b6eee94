"""The classes of everything public: by data set and branch, each with its surest image, and who is fooled how far.

However many images hang, a page asks for one by index for each class on it, and a constant number of times.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, Max, OuterRef, QuerySet, Subquery, Value, When

from evolution.parameters import ENCODINGS
from fooling_web.galleries.describing import classifier_title
from fooling_web.galleries.models import Entry, ImageClass
from fooling_web.galleries.wanted import METHODS, Wanted
from fooling_web.runs.models import Run
from models_zoo.wordnet import CLASSES, TITLES
from models_zoo.wordnet import path_of as wordnet_path

PER_PAGE = 120  # classes: more than any branch has
OF_A_SECTION = 4  # images that stand for a branch
SUGGESTED = 12  # classes, to who writes a name
APPROACHES = 40  # lines, on a class's page, of who is fooled how far
DATASETS = {"imagenet": "ImageNet", "mnist": "MNIST digits", "custom": "Other classes"}


@dataclass
class Shown:
    """A class with the surest image that hangs of it, and how many hang."""

    image_class: ImageClass
    best: Entry
    count: int


@dataclass
class Section:
    """Classes that belong together: a branch of WordNet, or a data set that has none."""

    dataset: str
    branch: str
    n_classes: int = 0
    keys: list[int] = field(default_factory=list)  # of the classes
    examples: list[Entry] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The section's name for people."""
        return TITLES[self.branch][0] if self.branch in TITLES else self.dataset_title

    @property
    def area(self) -> str:
        """What the section belongs to: a part of a data set."""
        if self.branch in TITLES:
            return f"{self.dataset_title}: {TITLES[self.branch][1].lower()}"
        return "Other data sets" if self.dataset != "imagenet" else self.dataset_title

    @property
    def dataset_title(self) -> str:
        """The data set's name for people."""
        return DATASETS.get(self.dataset, self.dataset)

    @property
    def query(self) -> str:
        """The query of the section's address."""
        given = {"dataset": self.dataset, "branch": self.branch}
        return urlencode({name: value for name, value in given.items() if value})


@dataclass(frozen=True)
class Fooled:
    """How sure a classifier became of a class at most, with one encoding and method."""

    classifier: str
    how: str  # encoding and method
    best: Entry
    count: int
    query: str


def sections_of_classes() -> list[Section]:
    """Return all sections in the order in which people see them."""
    sections: dict[tuple[str, str], Section] = {}
    for key, dataset, branch in ImageClass.objects.values_list("pk", "dataset", "branch"):
        section = sections.setdefault((dataset, branch), Section(dataset, branch))
        section.n_classes += 1
        section.keys.append(key)
    return sorted(sections.values(), key=_place)


def exemplified(sections: list[Section]) -> list[Section]:
    """Give each section the surest images of a few of its classes, and leave out those in which nothing hangs."""
    chosen = {key: section for section in sections for key in _spread(section.keys)}
    for key, entry in sorted(_best_of(list(chosen)).items()):
        chosen[key].examples.append(entry)
    return [section for section in sections if section.examples]


def found_classes(text: str, section: Section | None, page: str) -> Page[Any]:
    """Return a page of the classes of a section, or of all, whose name or kind holds every word of a text."""
    classes = ImageClass.objects.filter(pk__in=section.keys) if section else ImageClass.objects.all()
    for word in text.lower().split():
        classes = classes.filter(label__icontains=word) | classes.filter(
            dataset="imagenet", class_index__in=_of_kind(word)
        )
    found: Page[Any] = Paginator(classes.order_by("dataset", "class_index", "label"), PER_PAGE).get_page(page)
    found.object_list = shown(found.object_list)
    return found


def shown(classes: Iterable[ImageClass]) -> list[Shown]:
    """Return classes with their surest image and how many there are; those of which nothing hangs are left out."""
    known = list(classes)
    best = _best_of([image_class.pk for image_class in known])
    counts = dict(
        Entry.objects.filter(image_class__in=known)
        .order_by()
        .values_list("image_class")
        .annotate(n=Count("pk"))
    )
    return [Shown(one, best[one.pk], counts.get(one.pk, 0)) for one in known if one.pk in best]


def named_like(text: str) -> list[ImageClass]:
    """Return classes of which something hangs and whose label holds a text; those that begin with it first."""
    begins = Case(When(label__istartswith=text, then=Value(0)), default=Value(1))
    found = ImageClass.objects.filter(
        Exists(_public().filter(image_class=OuterRef("pk"))), label__icontains=text
    )
    return list(found.order_by(begins, "label", "dataset", "class_index")[:SUGGESTED])


def fooled_how_far(image_class: ImageClass) -> list[Fooled]:
    """Return the surest image of a class for each classifier, encoding and method, the surest first."""
    names = ("approach__classifier", "approach__encoding", "approach__method")
    rows = (
        _public()
        .filter(image_class=image_class)
        .order_by()
        .values_list("approach", *names)
        .annotate(best=Max("confidence"), n=Count("pk"))
        .order_by("-best", "approach")[:APPROACHES]
    )
    surest = _surest(image_class, [(row[0], row[4]) for row in rows])
    return [
        Fooled(
            classifier_title(classifier),
            _how(encoding, method),
            surest[approach],
            count,
            Wanted(classifier=classifier, encoding=encoding, method=method).query(),
        )
        for approach, classifier, encoding, method, _, count in rows
        if approach in surest
    ]


def neighbours_of(image_class: ImageClass) -> dict[str, ImageClass | None]:
    """Return the classes before and after one in its data set."""
    others = ImageClass.objects.filter(dataset=image_class.dataset)
    index = image_class.class_index
    return {
        "previous": others.filter(class_index__lt=index).order_by("-class_index").first(),
        "next": others.filter(class_index__gt=index).order_by("class_index").first(),
    }


def path_to(image_class: ImageClass) -> tuple[str, ...]:
    """Return what a class is a kind of, from the most general word down to the class itself."""
    if image_class.dataset != "imagenet" or image_class.class_index >= len(CLASSES):
        return ()
    if CLASSES[image_class.class_index].label != image_class.label:
        return ()
    return wordnet_path(image_class.class_index)


def _public() -> QuerySet[Entry]:
    public = Entry.objects.filter(run__visibility=Run.Visibility.PUBLIC)
    return public.exclude(individual__exhibit__hidden=True)


def _best_of(classes: list[int]) -> dict[int, Entry]:
    """Return the surest image of each class; one look into the index for each."""
    surest = _public().filter(image_class=OuterRef("pk")).order_by("-confidence").values("pk")[:1]
    found = ImageClass.objects.filter(pk__in=classes).annotate(surest=Subquery(surest))
    keys = [key for key in found.order_by().values_list("surest", flat=True) if key is not None]
    return {entry.image_class_id: entry for entry in _light(Entry.objects.filter(pk__in=keys))}


def _surest(image_class: ImageClass, rows: list[tuple[int, float]]) -> dict[int, Entry]:
    """Return, by approach, the images of a class that have the highest confidences."""
    best = dict(rows)
    found = _light(_public().filter(image_class=image_class, confidence__in=set(best.values())))
    return {entry.approach_id: entry for entry in found if best.get(entry.approach_id) == entry.confidence}


def _how(encoding: str, method: str) -> str:
    """Return an encoding and a method for people; an ascent does not evolve."""
    title = ENCODINGS.get(encoding, encoding)
    return title if encoding == "gradient" else f"{title}, {METHODS.get(method, method)}"


def _light(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    return entries.select_related("run", "image_class").defer("run__random_state", "run__origin")


def _spread(keys: list[int]) -> list[int]:
    step = max(1, len(keys) // OF_A_SECTION)
    return keys[::step][:OF_A_SECTION]


def _place(section: Section) -> tuple[int, str, int]:
    """Order data sets: ImageNet's branches as people see them, the digits, then what was taken in."""
    datasets = {"imagenet": 0, "mnist": 1}
    branches = {name: place for place, name in enumerate(TITLES)}
    return (datasets.get(section.dataset, 2), section.dataset, branches.get(section.branch, -1))


@functools.lru_cache(maxsize=200)
def _of_kind(word: str) -> tuple[int, ...]:
    """Return the classes of ImageNet that are of a kind whose name holds a word."""
    return tuple(known.class_index for known in CLASSES if any(word in kind.lower() for kind in known.path))
