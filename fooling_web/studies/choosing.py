"""Choose a study's images from the galleries, a run, a collection or one's favourites.

First a pool of candidates is gathered, in piles where the choice shall be balanced. Then images are drawn from the
piles by turns, no image twice and, where that is asked for, no label twice. Practice images come by themselves: from
what the pool has left, as many as the design wants.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from evolution.errors import EvolutionError
from evolution.parameters import ENCODINGS
from fooling_web.galleries.keeping import shown
from fooling_web.galleries.models import BANDS, Collected, Collection, Entry, Favourite
from fooling_web.galleries.ordering import stretch_of
from fooling_web.galleries.sifting import Sieve
from fooling_web.galleries.wanted import LARGEST_SEED, Wanted
from fooling_web.runs.models import Champion, Individual, Run
from fooling_web.runs.pictures import picture_of_size
from fooling_web.runs.plain_pictures import classes_told
from fooling_web.studies.design import Design
from fooling_web.studies.freezing import changing
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.pictures import keep
from fooling_web.studies.sixteen import LABELS as CATEGORY_LABELS
from fooling_web.studies.sixteen import SIXTEEN, category_of
from models_zoo.wordnet import CLASSES, IMAGENET_LABELS

MOST_AT_ONCE = 200
MOST_IMAGES = 1000  # of a study
POOL = 3000  # candidates that are looked at; more would not make a draw fairer
LARGEST_SIDE = 512  # pixels
SPREADS = {
    "random": "at random",
    "surest": "the surest first",
    "confidence": "balanced over confidence",
    "encoding": "balanced over encodings",
}
ONLY_WHAT_IT_SAID = (
    " Participants are asked what the machine said, so only images of which it says their own label come."
)
Role = StudyImage.Role


class Refused(Exception):
    """What cannot be had; the message says why, and what would help."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person asks for: how many images, from where, and how they are spread."""

    count: int
    wanted: Wanted = field(default_factory=Wanted)
    collection: Collection | None = None
    favourites: bool = False
    spread: str = "random"
    each_label_once: bool = True
    labels: int = 0  # from how many labels; 0: it does not matter
    dataset: str = ""
    role: str = Role.MAIN


@dataclass(frozen=True)
class Candidate:
    """An image that may be chosen, in the light of a class."""

    individual: int
    dataset: str
    class_index: int
    label: str
    branch: str
    confidence: float
    encoding: str
    classifier: str
    band: int = 0


@dataclass
class Added:
    """What was added to a study, and what is to be said of it."""

    numbers: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __add__(self, other: "Added") -> "Added":
        return Added(self.numbers + other.numbers, self.notes + other.notes)


def add_evolved(study: Study, person: Any, asked: Asked, rng: random.Random) -> Added:
    """Choose images and add them to a study, with practice images; raises Refused, and Frozen where it is."""
    if not 1 <= asked.count <= MOST_AT_ONCE:
        raise Refused(f"{asked.count} images cannot be added at once; ask for 1 to {MOST_AT_ONCE}.")
    there = study.images.values_list("individual", "sha256")
    taken, known = {individual for individual, _ in there if individual}, {sha256 for _, sha256 in there}
    piles = _piles(asked, person, rng, taken)
    draws = _draws(piles, asked, rng, _labels_there(study, asked.wanted.encoding))
    drawn = _images_of(study.plan, draws, asked.count, asked.role, known)
    only = ONLY_WHAT_IT_SAID if study.plan.asks_what_it_said else ""
    if not drawn:
        raise Refused(
            f"No image fits these filters that this study has not already. Widen them, or launch a run.{only}"
        )
    practice = _practice(study, piles, {one.individual_id for one in drawn}, asked, rng, known)
    added = add(study, [*drawn, *practice])
    if len(drawn) < asked.count:
        once = ", each label once" if asked.each_label_once else ""
        added.notes.append(f"{len(drawn)} of {asked.count} images: no more fit these filters{once}.{only}")
    return added


def add_one(study: Study, individual: Individual, class_index: int | None) -> Added:
    """Add one image that was picked on its page, in the light of a class that it holds or held."""
    if study.images.filter(individual=individual).exists():
        raise Refused(f"“{study.title}” has this image already.")
    candidate = _candidate_of(individual, class_index)
    if candidate is None:
        raise Refused("Nothing is known of what the classifier says of this image, so it has no label.")
    return add(study, list(_pictured([candidate], Role.MAIN)))


def add(study: Study, images: Sequence[StudyImage]) -> Added:
    """Add images to a study, numbered on from its last; pictures that it has already stay out."""
    with changing(study) as held:
        known = set(held.images.values_list("sha256", flat=True))
        last = max(held.images.values_list("number", flat=True), default=0)
        fresh = list({image.sha256: image for image in images if image.sha256 not in known}.values())
        if held.images.count() + len(fresh) > MOST_IMAGES:
            raise Refused(f"A study has at most {MOST_IMAGES:,} images. Remove some first.")
        for number, image in enumerate(fresh, last + 1):
            image.study, image.number = held, number
        StudyImage.objects.bulk_create(fresh)
        if fresh:
            forget_trials(held)
    added = Added([image.number for image in fresh])
    if twice := len(images) - len(fresh):
        added.notes.append(
            f"{twice} {'picture is' if twice == 1 else 'pictures are'} in this study already and stayed out."
        )
    return added


def forget_trials(study: Study) -> int:
    """Delete what was answered before the images changed: those trials are about another study."""
    earlier = study.participants.all()
    count = earlier.count()
    if count:
        earlier.delete()
    return count


def draw(
    piles: dict[Any, list[Candidate]],
    asked: Asked,
    rng: random.Random,
    known: Iterable[tuple[str, int]] = (),
) -> list[Candidate]:
    """Draw from piles by turns until there are enough or nothing is left that fits; `known` labels are taken."""
    return list(islice(_draws(piles, asked, rng, known), asked.count))


def _draws(
    piles: dict[Any, list[Candidate]], asked: Asked, rng: random.Random, known: Iterable[tuple[str, int]]
) -> Iterator[Candidate]:
    if asked.labels:
        piles = _piles_of_labels(piles, asked, rng)
    seen: set[int] = set()
    labels = set(known)
    left = [iter(pile) for pile in piles.values()]
    while left:
        for pile in list(left):
            chosen = next((one for one in pile if _fits(one, seen, labels, asked)), None)
            if chosen is None:
                left.remove(pile)
            else:
                seen.add(chosen.individual)
                labels.add((chosen.dataset, chosen.class_index))
                yield chosen


def _labels_there(study: Study, encoding: str) -> set[tuple[str, int]]:
    """Return the labels that evolved images have already; those of an encoding alone where encodings are compared."""
    there = study.images.filter(role=Role.MAIN, is_natural=False)
    if encoding:
        there = there.filter(encoding=encoding)
    return set(there.values_list("dataset", "class_index"))


def _fits(one: Candidate, seen: set[int], labels: set[tuple[str, int]], asked: Asked) -> bool:
    if one.individual in seen:
        return False
    return not asked.each_label_once or bool(asked.labels) or (one.dataset, one.class_index) not in labels


def _piles_of_labels(
    piles: dict[Any, list[Candidate]], asked: Asked, rng: random.Random
) -> dict[Any, list[Candidate]]:
    """Return a pile for each of so many labels, those with most candidates first."""
    by_label: dict[Any, list[Candidate]] = defaultdict(list)
    for one in (one for pile in piles.values() for one in pile):
        by_label[one.dataset, one.class_index].append(one)
    each = -(-asked.count // asked.labels)
    names = sorted(by_label)
    rng.shuffle(names)
    names.sort(key=lambda name: -min(len(by_label[name]), each))
    return {name: by_label[name] for name in names[: asked.labels]}


def _practice(
    study: Study,
    piles: dict[Any, list[Candidate]],
    drawn: set[int | None],
    asked: Asked,
    rng: random.Random,
    known: set[str],
) -> list[StudyImage]:
    """Draw as many practice images as the design wants and the study lacks, from what is left."""
    lacking = study.plan.n_practice - study.images.filter(role=Role.PRACTICE).count()
    if asked.role != Role.MAIN or lacking <= 0:
        return []
    rest = [one for pile in piles.values() for one in pile if one.individual not in drawn]
    rng.shuffle(rest)
    draws = _draws({None: rest}, replace(asked, each_label_once=False, labels=0), rng, ())
    return _images_of(study.plan, draws, lacking, Role.PRACTICE, known)


# Gathering candidates.


def _piles(asked: Asked, person: Any, rng: random.Random, taken: set[int]) -> dict[Any, list[Candidate]]:
    """Return candidates that the study does not have, in piles to draw from by turns."""
    found = _found(asked, person, rng)
    if asked.dataset == SIXTEEN:
        found = list(_in_categories(found))
    candidates = [
        one
        for one in found
        if one.individual not in taken and (not asked.dataset or one.dataset == asked.dataset)
    ]
    if asked.spread == "surest":
        candidates.sort(key=lambda one: -one.confidence)
    else:
        rng.shuffle(candidates)
    piles: dict[Any, list[Candidate]] = defaultdict(list)
    for one in candidates:
        piles[{"confidence": one.band, "encoding": one.encoding}.get(asked.spread)].append(one)
    return dict(sorted(piles.items(), key=lambda pile: str(pile[0])))


def _in_categories(found: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield the candidates of ImageNet's classes that belong to one of the sixteen categories, labelled with it."""
    for one in found:
        category = category_of(one.class_index) if one.dataset == "imagenet" else None
        if category is not None:
            yield replace(one, dataset=SIXTEEN, class_index=category, label=CATEGORY_LABELS[category])


def _found(asked: Asked, person: Any, rng: random.Random) -> list[Candidate]:
    if asked.collection is not None:
        items = shown(Collected.objects.filter(collection=asked.collection), person, asked.collection.owner)
        return _of_exhibits(items, asked.wanted)
    if asked.favourites:
        return _of_exhibits(shown(Favourite.objects.filter(person=person), person, person), asked.wanted)
    hung = Run.objects.public().exclude(kind=Run.Kind.PICTURES)  # of these only the champions hang
    if asked.wanted.run and not hung.filter(pk=asked.wanted.run).exists():
        return _of_run(asked.wanted, person)
    return list(_hung(asked, rng))


def _hung(asked: Asked, rng: random.Random) -> Iterator[Candidate]:
    """Yield what hangs in the galleries, as much of each kind where the choice is balanced."""
    sort = "surest" if asked.spread == "surest" else "random"
    wanted = replace(asked.wanted, sort=sort, seed=rng.randrange(LARGEST_SEED), page=1)
    kinds: list[dict[str, Any]] = [{}]
    if asked.spread == "confidence" and wanted.band is None:
        kinds = [{"band": place} for place in range(len(BANDS))]
    if asked.spread == "encoding" and not wanted.encoding:
        kinds = [{"encoding": name} for name in ENCODINGS]
    for kind in kinds:
        keys = stretch_of(Sieve(replace(wanted, **kind)), 0, POOL // len(kinds)).keys
        yield from _of_entries(keys)


def _of_entries(keys: list[int]) -> Iterator[Candidate]:
    rows = Entry.objects.filter(pk__in=keys, run__visibility=Run.Visibility.PUBLIC)
    names = ("individual", "image_class__dataset", "image_class__class_index", "image_class__label")
    more = ("branch", "confidence", "approach__encoding", "approach__classifier", "band")
    for row in rows.values_list(*names, *more):
        yield Candidate(*row)


def _of_run(wanted: Wanted, person: Any) -> list[Candidate]:
    """Return the champions of a run that hangs nowhere, but that this person may open; plain pictures all."""
    assert wanted.run is not None
    run = Run.objects.visible_to(person).filter(pk=wanted.run).first()
    if run is None:
        raise Refused("There is no such run, or it is not yours to open.")
    if run.are_pictures:
        told = classes_told(run, run.individuals.defer("genome"))
        found = [_candidate(run, pk, *light) for pk, light in told.items()]
    else:
        champions = Champion.objects.filter(run=run).values_list("individual", "class_index", "confidence")
        found = [_candidate(run, *champion) for champion in champions]
    return [one for one in found if _passes(one, wanted)]


def _of_exhibits(rows: Any, wanted: Wanted) -> list[Candidate]:
    kept = rows.order_by().values("exhibit__individual")
    individuals = Individual.objects.filter(pk__in=kept).select_related("run").defer("genome")
    found = (_candidate_of(individual, None) for individual in individuals)
    return [one for one in found if one is not None and _passes(one, wanted)]


def _candidate_of(individual: Individual, class_index: int | None) -> Candidate | None:
    """Return an image in the light of a class, or of the one that it is surest in; None where nothing is known."""
    held = individual.championships.values_list("class_index", "confidence")
    before = individual.takeovers.values_list("class_index", "confidence")
    known = {**dict(individual.top), **dict(before), **dict(held)}
    lights = dict(held) or (dict(before) if individual.run.are_pictures else {}) or known
    chosen = class_index if class_index in known else max(lights, key=lambda one: lights[one], default=None)
    return None if chosen is None else _candidate(individual.run, individual.pk, chosen, known[chosen])


def _candidate(run: Run, individual: int, class_index: int, confidence: float) -> Candidate:
    entry = run.known_classifier
    is_imagenet = entry is not None and entry.labels == IMAGENET_LABELS
    return Candidate(
        individual=individual,
        dataset="imagenet" if is_imagenet else (entry.dataset if entry else "custom"),
        class_index=class_index,
        label=run.label_of(class_index),
        branch=CLASSES[class_index].branch if is_imagenet else "",
        confidence=confidence,
        encoding=run.encoding,
        classifier=run.classifier,
        band=sum(least <= confidence for least in BANDS) - 1,
    )


def _passes(one: Candidate, wanted: Wanted) -> bool:
    """Whether a candidate that was not found by filters passes those that it can be told by."""
    asked = {
        "branch": wanted.branch,
        "classifier": wanted.classifier,
        "encoding": wanted.encoding,
        "band": wanted.band,
    }
    return all(value in ("", None) or getattr(one, name) == value for name, value in asked.items())


# From candidates to images.


def _images_of(
    plan: Design, draws: Iterator[Candidate], count: int, role: str, known: set[str]
) -> list[StudyImage]:
    """Return images of so many candidates, or of fewer if no more are drawn; adds what they show to `known` hashes.

    A picture that is known stays out, since an archive may hang twice; so does one whose genome is damaged or gone,
    and, where people are asked what the machine said, one that it calls something else.
    """
    images: list[StudyImage] = []
    while chosen := list(islice(draws, count - len(images))):
        for image in _pictured(chosen, role):
            if image.sha256 not in known and not (plan.asks_what_it_said and image.machine_is_right is False):
                known.add(image.sha256)
                images.append(image)
    return images


def _pictured(chosen: Sequence[Candidate], role: str) -> Iterator[StudyImage]:
    """Draw the pictures of candidates; those whose genome is damaged or was not kept are left out."""
    found = Individual.objects.select_related("run").defer("run__random_state", "run__founders")
    individuals = found.in_bulk([one.individual for one in chosen])
    for one in chosen:
        individual = individuals[one.individual]
        side = min(individual.run.settings.width, LARGEST_SIDE)
        try:
            picture = picture_of_size(individual.run.settings, bytes(individual.genome), side)
        except EvolutionError:
            continue
        kept = keep(picture)
        yield StudyImage(
            role=role,
            individual=individual,
            source=f"image {individual.number} of {individual.run.name}"[:200],
            picture=kept.name,
            sha256=kept.sha256,
            side=kept.side,
            class_index=one.class_index,
            label=one.label[:200],
            confidence=one.confidence,
            classifier=one.classifier,
            dataset=one.dataset,
            encoding=one.encoding,
            branch=one.branch,
            **({} if one.dataset == SIXTEEN else answers_of(individual.run, one.class_index, individual.top)),
        )


def answers_of(run: Run, class_index: int, top: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return what a classifier says first, and what next after a class, as an image has it."""
    if not top:
        return {}
    first, confidence = int(top[0][0]), float(top[0][1])
    second = next((int(index) for index, _ in top if index != class_index), None)
    return {
        "machine_index": first,
        "machine_label": run.label_of(first)[:200],
        "machine_confidence": confidence,
        "second_index": second,
        "second_label": "" if second is None else run.label_of(second)[:200],
    }
