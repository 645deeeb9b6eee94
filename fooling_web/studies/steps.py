"""The way from a draft to its results, step by step: where a study stands, and what comes next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from fooling_web.studies.design import TASKS
from fooling_web.studies.freezing import Complaint, complaints_about
from fooling_web.studies.models import Participant, Study, StudyImage

DONE, NEXT, LATER = "done", "next", "later"


@dataclass(frozen=True)
class Step:
    """A step, its page, what there is to say of it, and whether it is done."""

    name: str
    title: str
    address: str
    told: str
    state: str = LATER
    complaints: Sequence[Complaint] = ()


@dataclass(frozen=True)
class Way:
    """All steps of a study, and the one that comes next."""

    steps: list[Step]
    complaints: list[Complaint]

    @property
    def following(self) -> Step | None:
        """The step that comes next; None where a study is closed."""
        return next((step for step in self.steps if step.state == NEXT), None)


def way_of(study: Study) -> Way:
    """Return where a study stands."""
    complaints = [] if study.is_frozen else complaints_about(study)
    phases = Counter(study.participants.values_list("phase", flat=True))
    drafted = [step for step in _steps(study, phases) if step.address]
    done = [_is_done(step.name, study, complaints, phases) for step in drafted]
    following = next((place for place, is_done in enumerate(done) if not is_done), None)
    steps = [
        Step(
            step.name,
            step.title,
            step.address,
            step.told,
            DONE if done[place] else NEXT if place == following else LATER,
            [one for one in complaints if one.step == step.name],
        )
        for place, step in enumerate(drafted)
    ]
    return Way(steps, complaints)


def address(name: str, study: Study) -> str:
    """Return the address of a study's page; nothing where this site has no such page."""
    try:
        return reverse(f"studies:{name}", args=[study.pk])
    except NoReverseMatch:
        return ""


def _is_done(name: str, study: Study, complaints: list[Complaint], phases: Counter[str]) -> bool:
    phase = Participant.Phase
    return {
        "images": not any(one.step == "images" for one in complaints),
        "design": not any(one.step == "design" for one in complaints),
        "preview": study.is_frozen or bool(phases[phase.PREVIEW]),
        "pilot": study.is_frozen or bool(phases[phase.PILOT]),
        "freeze": study.is_frozen,
        "invite": study.is_frozen and study.status != Study.Status.DRAFT,
        "results": False,
        "files": False,
    }[name]


def _steps(study: Study, phases: Counter[str]) -> Iterator[Step]:
    phase = Participant.Phase
    yield Step("images", "Images", address("images", study), _images(study))
    yield Step("design", "Design", address("design", study), _design(study))
    yield Step("preview", "Preview", address("preview", study), "Go through it as a participant does.")
    pilot = address("pilot", study) or address("results", study)
    told = _people(phases[phase.PILOT]) or "Let simulated participants try it, or a few people."
    yield Step("pilot", "Pilot", pilot, told)
    yield Step("freeze", "Freeze", address("freeze", study), _frozen(study))
    yield Step("invite", "Invite", address("invite", study), _inviting(study))
    told = _people(phases[phase.MAIN]) or "What came in, live, with intervals."
    yield Step("results", "Results", address("results", study), told)
    yield Step(
        "files", "Files", address("files", study), "Every trial, the images, the design and a codebook."
    )


def _images(study: Study) -> str:
    counts = Counter(study.images.values_list("role", flat=True))
    role = StudyImage.Role
    if not counts:
        return "None yet."
    main = study.images.filter(role=role.MAIN)
    labels = main.values("dataset", "class_index").distinct().count()
    parts = [f"{counts[role.MAIN]} asked about, of {labels} {'label' if labels == 1 else 'labels'}"]
    if counts[role.CATCH]:
        parts.append(f"{counts[role.CATCH]} for catch trials")
    if counts[role.PRACTICE]:
        parts.append(f"{counts[role.PRACTICE]} for practice")
    return f"{', '.join(parts)}."


def _design(study: Study) -> str:
    plan = study.plan
    return f"{TASKS.get(plan.task, plan.task).capitalize()}. {plan.raters_per_image} raters for each image."


def _frozen(study: Study) -> str:
    if study.frozen_at is None:
        return "From then on design and images never change."
    return f"On {study.frozen_at:%-d %B %Y, %H:%M} UTC."


def _inviting(study: Study) -> str:
    ways = ", ".join(Study.ENTRIES[way] for way in study.ways_in)
    if study.status == Study.Status.OPEN:
        return f"Open by {ways}."
    return f"Closed. It was open by {ways}." if study.closed_at else f"By {ways}."


def _people(number: int) -> str:
    return f"{number:,} {'participant' if number == 1 else 'participants'}." if number else ""
