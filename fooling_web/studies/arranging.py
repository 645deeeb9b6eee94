"""Change what a study has chosen: remove images, give them another label or purpose, and undo the last such change.

Whoever changes the images of a study that was tried out makes another study of it: the trials of the pilot are
deleted, which the page says beforehand.
"""

from collections.abc import Collection, Sequence
from typing import Any

from fooling_web.studies.choosing import Refused, forget_trials
from fooling_web.studies.freezing import as_values, changing
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.naturals import class_named, labels_of
from models_zoo.wordnet import CLASSES

Change = dict[str, Any]  # plain values, as a session can keep them
FOR_LABEL = (
    "confidence",
    "second_index",
    "second_label",
    "machine_index",
    "machine_label",
    "machine_confidence",
)


def remove(study: Study, numbers: Collection[int]) -> Change:
    """Remove images; return what undoes it."""
    with changing(study) as held:
        images = list(_chosen(held, numbers))
        StudyImage.objects.filter(pk__in=[image.pk for image in images]).delete()
        forget_trials(held)
    return {"removed": [as_values(image) for image in images]}


def relabel(study: Study, numbers: Collection[int], label: str) -> Change:
    """Give images another label of their data set; return what undoes it."""
    with changing(study) as held:
        images = _chosen(held, numbers)
        _require_none_written(images)
        before = [as_values(image) for image in images]
        for image in images:
            class_index = class_named(label, image.dataset)
            image.class_index, image.label = class_index, labels_of(image.dataset)[class_index][:200]
            image.branch = CLASSES[class_index].branch if image.dataset == "imagenet" else ""
            for name in FOR_LABEL:  # they were about the label that it had
                setattr(image, name, "" if name.endswith("_label") else None)
            image.save()
        forget_trials(held)
    return {"changed": before}


def give_role(study: Study, numbers: Collection[int], role: str) -> Change:
    """Use images for something else; return what undoes it. Only natural images have a label that is clear."""
    if role not in StudyImage.Role.values:
        raise Refused(f"“{role[:20]}” is nothing that an image can be used for; choose one of the list.")
    with changing(study) as held:
        images = _chosen(held, numbers)
        evolved = [image.number for image in images if not image.is_natural]
        if role == StudyImage.Role.CATCH and evolved:
            raise Refused(
                f"Image no. {evolved[0]} was evolved, and a catch trial needs a natural image with a clear label."
            )
        if role != StudyImage.Role.CATCH:
            _require_none_written(images)
        before = [as_values(image) for image in images]
        StudyImage.objects.filter(pk__in=[image.pk for image in images]).update(role=role)
        forget_trials(held)
    return {"changed": before}


def _require_none_written(images: Sequence[StudyImage]) -> None:
    if written := next((image.number for image in images if image.is_written), None):
        raise Refused(
            f"Image no. {written} says which label to choose: it is a catch trial of that label, or nothing."
        )


def do_without_answers(study: Study) -> Change:
    """Ask no classifier about the images that still wait for one; return what undoes it."""
    with changing(study) as held:
        waiting = list(held.images.filter(machine_index=None).exclude(classifier=""))
        before = [as_values(image) for image in waiting]
        StudyImage.objects.filter(pk__in=[image.pk for image in waiting]).update(classifier="")
    return {"changed": before}


def ask_another(study: Study, numbers: Collection[int], classifier: str) -> Change:
    """Let a classifier be asked about images anew; return what undoes it."""
    with changing(study) as held:
        images = _chosen(held, numbers)
        before = [as_values(image) for image in images]
        nothing = {name: "" if name.endswith("_label") else None for name in FOR_LABEL}
        StudyImage.objects.filter(pk__in=[image.pk for image in images]).update(
            classifier=classifier, **nothing
        )
    return {"changed": before}


def undo(study: Study, change: Change) -> None:
    """Undo the last change: bring back what was removed, take away what was added, restore what was changed."""
    with changing(study) as held:
        held.images.filter(number__in=change.get("added", ())).delete()
        taken = set(held.images.values_list("number", "sha256"))
        numbers, hashes = {number for number, _ in taken}, {sha256 for _, sha256 in taken}
        back = [
            StudyImage(study=held, **values)
            for values in change.get("removed", ())
            if values["number"] not in numbers and values["sha256"] not in hashes
        ]
        StudyImage.objects.bulk_create(back)
        for values in change.get("changed", ()):
            rest = {name: value for name, value in values.items() if name != "number"}
            held.images.filter(number=values["number"], sha256=values["sha256"]).update(**rest)
        forget_trials(held)


def _chosen(study: Study, numbers: Collection[int]) -> Sequence[StudyImage]:
    """Return the images of these numbers; raises Refused where there is none of them."""
    images = list(study.images.filter(number__in=list(numbers)[:1000]))
    if not images:
        raise Refused("Choose at least one image of this study.")
    return images
