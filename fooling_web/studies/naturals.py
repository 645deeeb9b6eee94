"""Natural images with a true label: uploaded, digits of MNIST, or photographs that lie among the site's data sets.

They serve as catch trials, as controls that are asked about like all others, or for practice. A classifier is asked
about them by a worker (`asking`), unless a person wants none to be.
"""

import csv
import functools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from fooling_web.classifiers.uploads import Upload
from fooling_web.home import data_dir
from fooling_web.studies.choosing import Added, Refused, add
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.pictures import MOST_BYTES, keep, read, squared
from fooling_web.studies.sixteen import LABELS as CATEGORY_LABELS
from fooling_web.studies.sixteen import SIXTEEN, category_of
from models_zoo.datasets import FILES, LabelledImages, load_mnist, load_mnist_sample
from models_zoo.errors import BadImages, DatasetMissing
from models_zoo.known_classes import class_of_name
from models_zoo.registry import ClassifierEntry, all_entries
from models_zoo.wordnet import CLASSES, IMAGENET_LABELS

IMAGENET, MNIST = "imagenet", "mnist"
SAMPLE, LABELS_FILE = "imagenet_sample", "labels.csv"  # of photographs, a folder among the data sets
MOST_FILES = 50  # of one upload
NO_DIGITS = (
    "The digits of MNIST are not here. Put its four files into the folder mnist/ of the site’s data sets, or upload "
    "pictures."
)
NO_PHOTOGRAPHS = (
    "This site has no photographs. Put a folder imagenet_sample/ with a labels.csv among its data sets, or upload "
    "pictures."
)
NO_MORE_PHOTOGRAPHS = "This study has all of the site’s photographs that fit. Upload pictures to add others."


@dataclass(frozen=True)
class Natural:
    """A picture and the class that it shows."""

    picture: Callable[[], Image.Image]
    class_index: int
    source: str


def add_uploads(
    study: Study, files: Sequence[Upload], *, dataset: str, label: str, role: str, classifier: str
) -> Added:
    """Add uploaded pictures of one class, or of those that their names tell; raises Refused if one is no picture."""
    if not 1 <= len(files) <= MOST_FILES:
        raise Refused(f"{len(files)} files came; choose from 1 to {MOST_FILES} at once.")
    labels = labels_of(dataset)
    shown = class_named(label, dataset) if label else None
    found = [_uploaded(file, dataset, labels, shown) for file in files]
    return _add(study, found, dataset, role, classifier)


def class_named(label: str, dataset: str) -> int:
    """Return the class of a data set that a label names; raises Refused where none is called so."""
    labels = labels_of(dataset)
    written = label.strip().casefold()
    exact = next((index for index, known in enumerate(labels) if known.casefold() == written), None)
    found = exact if exact is not None else class_of_name(label, labels)
    if found is None:
        raise Refused(f"“{label[:60]}” is no label of {dataset}; choose one that is offered while you write.")
    return found


def add_digits(study: Study, count: int, *, role: str, classifier: str, rng: random.Random) -> Added:
    """Add digits of MNIST, one like the other as often; raises Refused where they are not here."""
    digits = _digits()
    if digits is None:
        raise Refused(NO_DIGITS)
    there = _sources(study)
    order = [
        index for index in rng.sample(range(len(digits)), len(digits)) if _source_of_digit(index) not in there
    ]
    chosen = _by_turns([(index, int(digits.labels[index])) for index in order], count)
    found = [
        Natural(functools.partial(Image.fromarray, digits.images[index]), digit, _source_of_digit(index))
        for index, digit in chosen
    ]
    return _add(study, found, MNIST, role, classifier)


def add_photographs(
    study: Study,
    count: int,
    *,
    role: str,
    classifier: str,
    rng: random.Random,
    labels: Sequence[int] = (),
    dataset: str = IMAGENET,
) -> Added:
    """Add photographs of the site's, of wanted classes before others; raises Refused where there are none.

    The data set may be that of the sixteen categories: then only photographs of these come, each labelled with its.
    """
    there = _sources(study)
    listed = [one for one in _photographs(_sample_folder()) if _source_of_photograph(one[0]) not in there]
    if dataset == SIXTEEN:
        in_categories = [(path, category_of(class_index)) for path, class_index in listed]
        listed = [(path, category) for path, category in in_categories if category is not None]
    if not listed:
        raise Refused(NO_MORE_PHOTOGRAPHS if has_photographs() else NO_PHOTOGRAPHS)
    order = rng.sample(listed, len(listed))
    order.sort(key=lambda one: one[1] not in set(labels))
    chosen = [order[place] for place, _ in _by_turns([(n, one[1]) for n, one in enumerate(order)], count)]
    found = [
        Natural(functools.partial(_opened, path), class_index, _source_of_photograph(path))
        for path, class_index in chosen
    ]
    return _add(study, found, dataset, role, classifier)


def has_digits() -> bool:
    """Whether digits can be had without fetching anything."""
    return _digits() is not None


def has_photographs() -> bool:
    """Whether the site has photographs."""
    return bool(_photographs(_sample_folder()))


def datasets() -> list[str]:
    """Return the data sets whose labels some classifier here knows."""
    known = {dataset_of(entry) for entry in all_entries()}
    return sorted(known | ({SIXTEEN} if IMAGENET in known else set()))


def dataset_of(entry: ClassifierEntry) -> str:
    """Return the data set of a classifier as the galleries name it."""
    return IMAGENET if entry.labels == IMAGENET_LABELS else entry.dataset


def labels_of(dataset: str) -> tuple[str, ...]:
    """Return the labels of a data set; raises Refused where no classifier here knows it."""
    if dataset == SIXTEEN:
        return CATEGORY_LABELS
    found = next((entry.labels for entry in all_entries() if dataset_of(entry) == dataset), None)
    if found is None:
        raise Refused(
            f"No classifier here knows the labels of “{dataset[:40]}”; choose a data set that is offered."
        )
    return found


def classifiers_for(dataset: str) -> list[ClassifierEntry]:
    """Return the classifiers that can be asked about images of a data set."""
    learned = IMAGENET if dataset == SIXTEEN else dataset
    return [entry for entry in all_entries() if dataset_of(entry) == learned]


def _add(study: Study, found: Sequence[Natural], dataset: str, role: str, classifier: str) -> Added:
    labels = labels_of(dataset)
    chosen = classifier if any(one.name == classifier for one in classifiers_for(dataset)) else ""
    return add(study, list(_images_of(found, dataset, labels, role, chosen)))


def _images_of(
    found: Sequence[Natural], dataset: str, labels: tuple[str, ...], role: str, classifier: str
) -> Iterator[StudyImage]:
    for natural in found:
        kept = keep(natural.picture())
        yield StudyImage(
            role=role,
            is_natural=True,
            source=natural.source[:200],
            picture=kept.name,
            sha256=kept.sha256,
            side=kept.side,
            class_index=natural.class_index,
            label=labels[natural.class_index][:200],
            classifier=classifier,
            dataset=dataset,
            branch=CLASSES[natural.class_index].branch if dataset == IMAGENET else "",
        )


def _sources(study: Study) -> set[str]:
    """Return where the natural images of a study came from, so that none is drawn again."""
    return set(study.images.filter(is_natural=True).values_list("source", flat=True))


def _source_of_digit(index: int) -> str:
    return f"MNIST, test digit {index}"


def _source_of_photograph(path: Path) -> str:
    return f"photograph {path.name}"[:200]


def _uploaded(file: Upload, dataset: str, labels: tuple[str, ...], shown: int | None) -> Natural:
    name = str(file.name)[:80]
    class_index = class_of_name(name, labels) if shown is None else shown
    if class_index is None:
        raise Refused(f"Nothing was added: the name {name} tells no class of {dataset}; choose the label.")
    try:
        picture = read(file.read(MOST_BYTES + 1), name, dataset)
    except BadImages as error:
        raise Refused(f"Nothing was added: {error}") from error
    return Natural(lambda: picture, class_index, f"upload {name}")


def _by_turns(candidates: Sequence[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """Return so many of (place, class), each class once before any twice, in their order."""
    turns: dict[int, int] = {}
    ranked = []
    for position, (place, class_index) in enumerate(candidates):
        turn = turns.get(class_index, 0)
        turns[class_index] = turn + 1
        ranked.append((turn, position, place, class_index))
    return [(place, class_index) for _, _, place, class_index in sorted(ranked)[:count]]


@functools.cache
def _digits() -> LabelledImages | None:
    """Return digits that no classifier here learned from; a page does not wait for a download."""
    folder = data_dir()
    try:
        if all((folder / "mnist" / name).exists() for name in FILES["test"]):
            return load_mnist("test", folder)
        return load_mnist_sample("test")
    except DatasetMissing:
        return None


def _sample_folder() -> Path:
    return data_dir() / SAMPLE


@functools.cache
def _photographs(folder: Path) -> list[tuple[Path, int]]:
    """Return the photographs that a folder lists, with their classes; lines that make no sense are left out."""
    try:
        with (folder / LABELS_FILE).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for row in rows:
        class_index, path = row.get("class_index") or "", folder / "images" / (row.get("file") or "")
        if class_index.isdecimal() and int(class_index) < len(IMAGENET_LABELS) and path.is_file():
            found.append((path, int(class_index)))
    return found


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return squared(picture, IMAGENET)
    except (OSError, UnidentifiedImageError) as error:
        raise Refused(f"The photograph {path.name} of this site cannot be read.") from error
