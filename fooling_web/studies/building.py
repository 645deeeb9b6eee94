"""Begin, copy, open, close and delete studies, and give a new one the images that its preset wants."""

import random
from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from fooling_web.galleries.models import Hanging
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from fooling_web.studies.arranging import give_role
from fooling_web.studies.choosing import Added, Asked, Refused, add_evolved
from fooling_web.studies.design import Design
from fooling_web.studies.freezing import HASHED, NotReady, complaints_about
from fooling_web.studies.models import Participant, Study, StudyImage
from fooling_web.studies.naturals import (
    IMAGENET,
    MNIST,
    add_digits,
    add_photographs,
    classifiers_for,
    dataset_of,
    has_photographs,
)
from fooling_web.studies.pictures import sweep_up
from fooling_web.studies.presets import PRESETS, USUAL_CONSENT, Preset, Wish
from fooling_web.studies.sixteen import SIXTEEN
from fooling_web.studies.written import add_written, is_better_written
from models_zoo.errors import ZooError
from models_zoo.registry import all_entries

UNTITLED = "Untitled study"
LONGEST_TITLE = 120


def begin(owner: Any, preset: str) -> Study:
    """Store a new draft of a person's, from a preset or, without one, from scratch."""
    chosen = PRESETS.get(preset)
    design = chosen.design if chosen else Design(consent=USUAL_CONSENT)
    return Study.objects.create(
        owner=owner,
        title=chosen.title if chosen else UNTITLED,
        design=design.to_json(),
        entries=chosen.entries if chosen else "link",
    )


def fulfil(study: Study, person: Any, rng: random.Random) -> Added:
    """Add the images that a study's preset wants; what cannot be had is said, and the rest is added all the same."""
    preset = PRESETS.get(study.plan.preset)
    if preset is None:
        raise Refused("This study began from scratch: choose its images yourself.")
    added = Added()
    for wish in sorted(preset.wishes, key=lambda wish: wish.is_natural):  # natural ones follow the evolved
        added += _attempted(study, person, wish, rng)
    if spared := _spare_for_practice(study):
        added.notes.append(f"{spared} of them are for practice, since no others are left for it.")
    lacking = preset.n_catch - study.images.filter(role=StudyImage.Role.CATCH).count()
    if study.plan.catch_share > 0 and lacking > 0:
        try:
            added += add_natural(study, lacking, StudyImage.Role.CATCH, rng)
        except Refused as refusal:
            added.notes.append(f"No catch trials: {refusal}")
    return added


def lacking(study: Study) -> list[Wish]:
    """Return what of its preset's evolved images a study has not."""
    preset = PRESETS.get(study.plan.preset)
    wishes = [wish for wish in preset.wishes if not wish.is_natural] if preset else []
    evolved = study.images.filter(role=StudyImage.Role.MAIN, is_natural=False)
    kinds = Counter(evolved.values_list("encoding", "dataset"))
    return [wish for wish in wishes if sum(kinds[kind] for kind in kinds if wish.fits(*kind)) < wish.count]


def add_natural(study: Study, count: int, role: str, rng: random.Random, kind: str = "") -> Added:
    """Add natural images of the kind that goes with the evolved ones: photographs where there are some, or digits.

    Where people choose among many labels, a digit's would stand out: then catch trials say in words which to choose.
    """
    most = main_dataset(study)
    kind = kind or _usual_kind(study, most, role)
    if kind == "written":
        return add_written(study, count, rng)
    if kind == "digits":
        return add_digits(study, count, role=role, classifier=usual_classifier(study, MNIST), rng=rng)
    dataset = most if most == SIXTEEN else IMAGENET
    images = study.images.filter(role=StudyImage.Role.MAIN, dataset=dataset)
    labels = list(images.values_list("class_index", flat=True))
    classifier = usual_classifier(study, dataset)
    return add_photographs(
        study, count, role=role, classifier=classifier, rng=rng, labels=labels, dataset=dataset
    )


def _usual_kind(study: Study, dataset: str, role: str) -> str:
    if dataset in (IMAGENET, SIXTEEN) and has_photographs():
        return "photographs"
    needs_words = role == StudyImage.Role.CATCH and dataset != MNIST and is_better_written(study.plan)
    return "written" if needs_words else "digits"


def main_dataset(study: Study) -> str:
    """Return the data set to which most of a study's evolved images belong; that of ImageNet where there is none."""
    counts = Counter(study.images.filter(is_natural=False).values_list("dataset", flat=True))
    return max(counts, key=lambda name: counts[name], default=IMAGENET)


def usual_classifier(study: Study, dataset: str) -> str:
    """Return the classifier to ask about natural images: that of most evolved ones, or any that has its weights."""
    used = study.images.filter(dataset=dataset, is_natural=False).exclude(classifier="")
    counts = Counter(used.values_list("classifier", flat=True))
    for entry in sorted(classifiers_for(dataset), key=lambda entry: -counts[entry.name]):
        try:
            entry.require_weights()
        except ZooError:
            continue
        return entry.name
    return ""


def copy(study: Study, owner: Any) -> Study:
    """Store a draft with the same design and images, and none of the data."""
    with transaction.atomic():
        twin = Study.objects.create(
            owner=owner,
            title=f"Copy of {study.title}"[:LONGEST_TITLE],
            design=study.design,
            entries=study.entries,
            retention_days=study.retention_days,
        )
        names = (*HASHED, "individual_id", "picture")
        images = [{name: getattr(image, name) for name in names} for image in study.images.all()]
        StudyImage.objects.bulk_create(StudyImage(study=twin, **values) for values in images)
    return twin


def open_up(study: Study) -> bool:
    """Let people take part; whether that changed anything. Raises NotReady where something is missing."""
    if complaints := complaints_about(study):
        raise NotReady(str(complaints[0]))
    if not study.ways_in:
        raise NotReady("No way in is chosen. Choose one below.")
    closed = Study.objects.filter(pk=study.pk).exclude(status=Study.Status.OPEN)
    return _moved(study, closed.update(status=Study.Status.OPEN, closed_at=None, changed_at=timezone.now()))


def close(study: Study) -> bool:
    """Let nobody take part any more; whether that changed anything."""
    now, opened = timezone.now(), Study.objects.filter(pk=study.pk, status=Study.Status.OPEN)
    return _moved(study, opened.update(status=Study.Status.CLOSED, closed_at=now, changed_at=now))


def delete(study: Study) -> None:
    """Delete a study that holds nobody's answers but a pilot's; raises Refused where it does, or is open."""
    if not can_be_deleted(study):
        raise Refused(
            f"“{study.title}” is open or holds answers. First close it, and delete its data on the page of its files."
        )
    hashes = set(study.images.values_list("sha256", flat=True))
    study.delete()
    transaction.on_commit(lambda: sweep_up(hashes))


def can_be_deleted(study: Study) -> bool:
    """Whether nothing is lost that was answered in earnest."""
    is_used = study.participants.of_phase(Participant.Phase.MAIN).exists()
    return study.status != Study.Status.OPEN and not is_used


def restructured(before: Design, after: Design) -> bool:
    """Whether two designs ask people for different things, so that answers to the one are none to the other."""
    words = ("consent", "instructions", "debriefing", "analysis_plan", "raters_per_image", "exclusions")
    one, other = before.to_json(), after.to_json()
    return any(one[name] != other[name] for name in one if name not in words)


def _attempted(study: Study, person: Any, wish: Wish, rng: random.Random) -> Added:
    """Add what a wish asks for, without what the study has of it already."""
    try:
        lacking = wish.count - _there(study, wish)
        if lacking <= 0:
            return Added()
        if wish.is_natural:
            return add_natural(study, lacking, StudyImage.Role.MAIN, rng)
        return add_evolved(study, person, _asked(wish, lacking), rng)
    except Refused as refusal:
        return Added(notes=[f"{wish.said}: {refusal}"])


def _spare_for_practice(study: Study) -> int:
    """Use the last images for practice where there are no others, unless a trial or a comparison needs them."""
    roles = Counter(study.images.values_list("role", flat=True))
    lacking = study.plan.n_practice - roles[StudyImage.Role.PRACTICE]
    spare = roles[StudyImage.Role.MAIN] - study.plan.n_options
    if study.plan.comparison != "none" or not 0 < lacking <= spare:
        return 0
    main = study.images.filter(role=StudyImage.Role.MAIN).order_by("-number")
    give_role(study, list(main.values_list("number", flat=True)[:lacking]), StudyImage.Role.PRACTICE)
    return lacking


def _there(study: Study, wish: Wish) -> int:
    asked_about = study.images.filter(role=StudyImage.Role.MAIN, is_natural=wish.is_natural)
    kind = {"encoding": wish.encoding, "dataset": wish.dataset}
    return asked_about.filter(**{name: value for name, value in kind.items() if value}).count()


def _asked(wish: Wish, count: int) -> Asked:
    return Asked(
        count=count,
        wanted=Wanted(encoding=wish.encoding, classifier=_fitting_classifier(wish)),
        dataset=wish.dataset,
        each_label_once=wish.each_label_once,
        labels=wish.labels,
        spread=wish.spread,
    )


def _fitting_classifier(wish: Wish) -> str:
    """Return the one classifier against which most such images hang, if they are enough: people judge one machine."""
    hangings = Hanging.objects.filter(run__visibility=Run.Visibility.PUBLIC)
    if wish.encoding:
        hangings = hangings.filter(approach__encoding=wish.encoding)
    sums = hangings.order_by().values_list("approach__classifier").annotate(sum=Sum("entries"))
    learned = IMAGENET if wish.dataset == SIXTEEN else wish.dataset
    counts = {name: n for name, n in sums if n >= wish.count and learned in ("", _dataset(name))}
    return max(counts, key=lambda name: counts[name], default="")


def _dataset(classifier: str) -> str:
    return next((dataset_of(entry) for entry in all_entries() if entry.name == classifier), "")


def _moved(study: Study, n_changed: int) -> bool:
    study.refresh_from_db()
    return bool(n_changed)


def numbered_presets() -> list[tuple[str, Preset]]:
    """Return the presets in the order of their numbers."""
    return sorted(PRESETS.items(), key=lambda one: int(one[0][1:]))
