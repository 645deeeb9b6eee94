"""What a study fixes before anybody is asked: the task, the labels, the timing, who is left out, and the words.

A design is a plain frozen value. It is stored as JSON, is hashed when its study is frozen, and says itself whether
it makes sense. Which images are shown belongs to the study (`models.StudyImage`), not to the design.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

LONGEST_TEXT = 10_000
MOST_OPTIONS = 60
SHORTEST_WINDOW_MS = 200
LONGEST_STEP_MS = 60_000  # of a fixation, an exposure, a mask or a window


class DesignError(ValueError):
    """A design that cannot be carried out; the message says why, and what would help."""


class Task:
    """What a participant is asked to do with an image."""

    CHOOSE_LABEL = "choose-label"
    PICK_IMAGE = "pick-image"
    NAME_THEN_CHOOSE = "name-then-choose"
    RECOGNISABLE = "recognisable"
    RIGHT_OR_WRONG = "right-or-wrong"


LABELLED = (Task.CHOOSE_LABEL, Task.NAME_THEN_CHOOSE, Task.PICK_IMAGE)
TASKS = {
    Task.CHOOSE_LABEL: "choose a label for the image",
    Task.NAME_THEN_CHOOSE: "name the image freely, then choose a label",
    Task.PICK_IMAGE: "given a label, pick one of several images",
    Task.RECOGNISABLE: "say whether the image is recognisable, and how sure one is",
    Task.RIGHT_OR_WRONG: "say whether the machine is right or wrong about the image",
}
FRAMINGS = {
    "machine": "“What did the machine say?”",
    "you": "“What does it look like to you?”",
    "between": "each participant gets one of the two, by turns",
}
FOILS = {
    "random": "at random from the study's other labels",
    "second": "what the machine finds second most likely",
    "branch": "from the same WordNet group",
}
FEEDBACKS = {"none": "never", "practice": "in practice alone", "all": "after every answer"}
COMPARISONS = {
    "none": "nothing",
    "framing": "the two framings, between participants",
    "encoding": "encodings",
    "dataset": "data sets",
    "encoding-and-dataset": "encodings and data sets, two by two",
    "natural": "natural against evolved images",
}
SCREENS = {"no": "as it is", "offered": "offered", "asked": "asked for before the first trial"}


@dataclass(frozen=True, kw_only=True)
class Exclusions:
    """Whose data are left out, by rules that stand before the data come in; None: not by this rule."""

    incomplete: bool = True
    catch_below: float | None = 0.8  # share of catch trials that were right
    median_below_ms: float | None = 300.0  # of the reaction times
    one_key_over: float | None = 0.9  # share of answers at one and the same place


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long what is on the screen, in milliseconds; 0: until the answer, or not at all."""

    fixation_ms: int = 0
    exposure_ms: int = 0
    mask_ms: int = 0
    window_ms: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether an answer can come too late."""
        return self.window_ms > 0

    @property
    def longest_ms(self) -> int:
        """From the first frame of the image to the end of the window, which follows image and mask; 0: no end."""
        return self.exposure_ms + self.mask_ms + self.window_ms if self.is_limited else 0


@dataclass(frozen=True, kw_only=True)
class Design:
    """A study on paper."""

    preset: str = ""
    task: str = Task.CHOOSE_LABEL
    framing: str = "machine"
    comparison: str = "none"
    n_options: int = 2  # labels, or images where one is picked
    foil: str = "random"
    images_per_participant: int = 0  # 0: all
    raters_per_image: int = 30
    catch_share: float = 0.05  # of the trials that count
    repeat_share: float = 0.05
    n_practice: int = 3
    feedback: str = "practice"
    asks_confidence: bool = False
    screen: str = "no"
    timing: Timing = field(default_factory=Timing)
    exclusions: Exclusions = field(default_factory=Exclusions)
    question: str = ""  # empty: the usual words for the task and the framing
    consent: str = ""
    instructions: str = ""
    debriefing: str = ""
    analysis_plan: str = ""

    @property
    def asks_what_it_said(self) -> bool:
        """Whether participants are asked, some of them at least, which label a machine gave."""
        return self.framing != "you" and self.task in LABELLED

    def to_json(self) -> dict[str, Any]:
        """Return the design as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the design of plain values; raises DesignError for names and types that no design has."""
        known = dict(values)
        try:
            timing = Timing(**known.pop("timing", {}))
            exclusions = Exclusions(**known.pop("exclusions", {}))
            design = cls(timing=timing, exclusions=exclusions, **known)
        except TypeError as error:
            raise DesignError(f"this is no design: {error}") from error
        return design

    def canonical(self) -> str:
        """Return the one text that stands for this design, for its hash."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def check(self) -> None:
        """Raise DesignError where the design makes no sense, whatever its images are."""
        for is_sound, complaint in _RULES:
            if not is_sound(self):
                raise DesignError(complaint)
        _check_timing(self.timing)
        _check_exclusions(self.exclusions)
        _check_texts(self)


_RULES: tuple[tuple[Callable[[Design], bool], str], ...] = (
    (lambda one: one.task in TASKS, "The task is unknown; choose one of the list."),
    (lambda one: one.framing in FRAMINGS, "The framing is unknown; choose one of the list."),
    (lambda one: one.comparison in COMPARISONS, "The comparison is unknown; choose one of the list."),
    (lambda one: one.foil in FOILS, "The choice of foils is unknown; choose one of the list."),
    (lambda one: one.feedback in FEEDBACKS, "The feedback is unknown; choose one of the list."),
    (lambda one: one.screen in SCREENS, "The screen is unknown; choose one of the list."),
    (
        lambda one: 2 <= one.n_options <= MOST_OPTIONS,
        f"Give from 2 to {MOST_OPTIONS} options: one label leaves nothing to choose.",
    ),
    (
        lambda one: one.foil != "second" or one.n_options == 2,
        "The machine has one second choice: give 2 options.",
    ),
    (
        lambda one: 0 <= one.images_per_participant <= 1000,
        "Give at most 1,000 images per participant; 0: all.",
    ),
    (lambda one: 1 <= one.raters_per_image <= 100_000, "Give from 1 to 100,000 raters per image."),
    (lambda one: 0 <= one.catch_share <= 0.5, "Catch trials can be at most half of the trials."),
    (lambda one: 0 <= one.repeat_share <= 0.5, "Repeated items can be at most half of the trials."),
    (lambda one: 0 <= one.n_practice <= 50, "Give at most 50 practice trials."),
    (
        lambda one: (one.framing == "between") == (one.comparison == "framing"),
        "Framings are compared where each participant gets one of the two: choose both, or neither.",
    ),
)


def _check_timing(timing: Timing) -> None:
    for step in fields(timing):
        value = getattr(timing, step.name)
        if not 0 <= value <= LONGEST_STEP_MS:
            raise DesignError(f"A time of {value} ms is no time; give from 0 to {LONGEST_STEP_MS:,}.")
    if 0 < timing.window_ms < SHORTEST_WINDOW_MS:
        raise DesignError(
            f"Nobody answers within {timing.window_ms} ms; give at least {SHORTEST_WINDOW_MS}, or 0."
        )
    if timing.mask_ms and not timing.exposure_ms:
        raise DesignError("A mask follows an image that goes: give the exposure a time, too.")


def _check_exclusions(rules: Exclusions) -> None:
    for share in (rules.catch_below, rules.one_key_over):
        if share is not None and not 0 <= share <= 1:
            raise DesignError(f"{share} is no share; give a number from 0 to 1.")
    if rules.median_below_ms is not None and not 0 <= rules.median_below_ms <= LONGEST_STEP_MS:
        raise DesignError(
            f"{rules.median_below_ms} ms is no reaction time; give from 0 to {LONGEST_STEP_MS:,}."
        )


def _check_texts(design: Design) -> None:
    for name in ("question", "consent", "instructions", "debriefing", "analysis_plan"):
        if len(getattr(design, name)) > LONGEST_TEXT:
            raise DesignError(f"The {name.replace('_', ' ')} is longer than {LONGEST_TEXT:,} characters.")
