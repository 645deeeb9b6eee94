"""The paper's experiments by name, each in full and as a quick look, and from a name to the settings of a run.

A preset says which encoding, how many generations of how many images, how many views of an image, how many runs.
What a person chooses instead goes before it. Where the paper names no number, the comment beside ours says so.
This module imports nothing heavy, so that forms and commands may offer exactly what it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from evolution.errors import ParameterError
from evolution.parameters import (
    GRADIENT_SETTINGS,
    PUBLISHED_CLASSES,
    EncodingName,
    Fidelity,
    GradientParameters,
    Parameters,
)

Dataset = Literal["mnist", "imagenet"]

DATASETS: dict[str, str] = {"mnist": "MNIST", "imagenet": "ImageNet", "custom": "classes of its own"}
CHANNELS = {"mnist": 1, "imagenet": 3}
IMAGENET_CLASSES = 1000
ALL_CLASSES, PUBLISHED = "all", "published"  # words for classes to climb
MAX_RUNS = 100  # that one preset or form may launch together

IN_FULL, QUICK_LOOK, AS_RELEASED = "In full", "Quick look", "As the released code"


class Sight(Protocol):
    """How a classifier sees."""

    @property
    def input_size(self) -> int:
        """Pixels on a side, of what the network itself takes."""


class Opponent(Protocol):
    """What must be known of a classifier to set up a run against it."""

    @property
    def name(self) -> str:
        """Its name for commands."""

    @property
    def dataset(self) -> str:
        """What it was trained on."""

    @property
    def channels(self) -> int:
        """1: grey values; 3: colours."""

    @property
    def height(self) -> int:
        """Of a picture, in pixels."""

    @property
    def width(self) -> int:
        """Of a picture, in pixels."""

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""

    @property
    def preprocessing(self) -> Sight:
        """How it sees."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """An experiment in one size. Without a `dataset` it fits every classifier."""

    experiment: str
    size: str = IN_FULL
    shows: str = ""
    dataset: Dataset | None = None
    encoding: EncodingName | None = None  # none: whichever is chosen
    generations: int = 200  # of gradient ascent: steps; 0: as its setting says
    population: int = 200  # at first, and offspring in each generation; gradient ascent has classes x starts
    crops: int = 1
    fidelity: Fidelity = "paper"
    runs: int = 1  # that belong together
    setting: str = "A"  # of gradient ascent
    classes: tuple[int, ...] = ()  # to climb; none: the published ones where they are known, else all
    starts: int = 5  # of each class

    @property
    def title(self) -> str:
        """The preset's name for people."""
        return f"{self.experiment}, {self.size[0].lower()}{self.size[1:]}"

    def fits(self, classifier: Opponent) -> bool:
        """Whether a classifier takes part in this experiment; one of its own classes does by its colours."""
        if self.dataset is None or self.dataset == classifier.dataset:
            return True
        return classifier.dataset == "custom" and CHANNELS[self.dataset] == classifier.channels


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What is chosen instead of a preset's own; None: as the preset says."""

    encoding: str | None = None
    method: str = "map-elites"
    generations: int | None = None
    population: int | None = None
    crops: int | None = None
    precision: str = "float32"
    fidelity: str | None = None
    setting: str | None = None
    classes: tuple[int, ...] | None = None
    starts: int | None = None


OWN_NUMBERS = Preset(experiment="Own numbers", generations=0)


def _quick(preset: Preset, generations: int, population: int, runs: int = 1, **changes: Any) -> Preset:
    """Return an experiment cut down to minutes on two cores."""
    numbers: dict[str, Any] = {"generations": generations, "population": population, "runs": runs, "crops": 1}
    return replace(preset, size=QUICK_LOOK, **numbers, **changes)


_ONE_RUN = Preset(
    experiment="One run on digits",
    size="As the paper",
    shows="Of Figures 4 and 5, with the encoding that you choose.",
    dataset="mnist",
)

# Sizes of the released code for ImageNet: 400 networks, or 200 images of pixels, at first and in each generation.
_NETWORKS: dict[str, Any] = {
    "dataset": "imagenet",
    "encoding": "cppn",
    "generations": 5000,
    "population": 400,
    "crops": 10,
}
_FIGURE_4 = Preset(
    experiment="Figure 4: digits out of noise",
    shows="Irregular images that a reader of digits is sure of; rows are independent runs.",
    dataset="mnist",
    encoding="direct",
    runs=5,
)
_FIGURE_5 = Preset(
    experiment="Figure 5: digits out of patterns",
    shows="Regular images that a reader of digits is sure of; rows are independent runs.",
    dataset="mnist",
    encoding="cppn",
    runs=5,
)
_FIGURE_6 = Preset(
    experiment="Figure 6: a thousand classes, pixels",
    shows="How slowly single pixels find the classes of ImageNet.",
    dataset="imagenet",
    encoding="direct",
    generations=20_000,  # the paper; 5,010 in the released code
    crops=10,
)
_FIGURE_7 = Preset(
    experiment="Figure 7: a thousand classes, patterns",
    shows="How networks that draw find nearly all the classes of ImageNet, cats and dogs last.",
    **_NETWORKS,
)
_FIGURE_8 = Preset(
    experiment="Figure 8: the variety of five runs",
    shows="Five runs, from whose champions the paper chose 40 images.",
    runs=5,
    **_NETWORKS,
)
_FIGURE_9 = Preset(
    experiment="Figure 9: families of classes in two runs",
    shows="Related classes get alike images within a run, and other ones in another run.",
    runs=2,
    **_NETWORKS,
)
_FIGURE_10 = Preset(
    experiment="Figure 10: repeated copies",
    shows="The evolution whose images repeat a motif; removing copies comes afterwards.",
    **_NETWORKS,
)
_FIGURE_11 = Preset(
    experiment="Figure 11: before retraining on digits",
    shows="The evolution against the first network; retraining with its images comes afterwards.",
    dataset="mnist",
    encoding="cppn",
    runs=30,  # the runs that the paper's medians are over; its first batch of images came from more
)
_FIGURE_12 = Preset(
    experiment="Figure 12: before retraining on ImageNet",
    shows="The evolution against the first network; retraining with its images comes afterwards.",
    runs=5,  # 2,000 images come from a run and some 9,000 were used; that it was five runs is our reading
    **_NETWORKS,
)
_FIGURE_13 = Preset(
    experiment="Figure 13: gradient ascent",
    shows="Images that follow the gradient of one class, 20 classes from five starts.",
    dataset="imagenet",
    encoding="gradient",
    generations=0,
    classes=PUBLISHED_CLASSES,
)

# To add one, put its numbers here with their source; forms and commands offer it at once.
PRESETS: dict[str, Preset] = {
    "paper": _ONE_RUN,
    "quick-look": _quick(_ONE_RUN, 50, 100),
    "released-code": replace(_ONE_RUN, size=AS_RELEASED, fidelity="released-code", generations=1000),
    "fig4": _FIGURE_4,
    "fig4-quick": _quick(_FIGURE_4, 100, 100, runs=3),
    "fig5": _FIGURE_5,
    "fig5-quick": _quick(_FIGURE_5, 100, 100, runs=3),
    "fig6": _FIGURE_6,
    "fig6-released-code": replace(_FIGURE_6, size=AS_RELEASED, fidelity="released-code", generations=5010),
    "fig6-quick": _quick(_FIGURE_6, 100, 100),
    "fig7": _FIGURE_7,
    "fig7-quick": _quick(_FIGURE_7, 100, 100),
    "fig8": _FIGURE_8,
    "fig8-quick": _quick(_FIGURE_8, 60, 100, runs=3),
    "fig9": _FIGURE_9,
    "fig9-quick": _quick(_FIGURE_9, 100, 100, runs=2),
    "fig10": _FIGURE_10,
    "fig10-quick": _quick(_FIGURE_10, 100, 100),
    "fig11": _FIGURE_11,
    "fig11-quick": _quick(_FIGURE_11, 50, 100, runs=3),
    "fig12": _FIGURE_12,
    "fig12-quick": _quick(_FIGURE_12, 100, 100, runs=2),
    "fig13": _FIGURE_13,
    "fig13-quick": _quick(_FIGURE_13, 250, 200, classes=PUBLISHED_CLASSES[:5], starts=2),
}


def usual_classifier(preset: str) -> str:
    """Return whom a preset is run against where nobody is named: one that comes with the project."""
    known = PRESETS.get(preset)
    return "efficientnet-lite0" if known and known.dataset == "imagenet" else "mnist-lenet"


def presets_for(classifier: Opponent) -> Iterator[str]:
    """Yield the names of the presets that a classifier fits."""
    return (name for name, preset in PRESETS.items() if preset.fits(classifier))


def preset_of(name: str, classifier: Opponent) -> Preset:
    """Return a preset that fits a classifier, the empty name's for own numbers; raises ParameterError."""
    if not name:
        return OWN_NUMBERS
    if name not in PRESETS:
        raise ParameterError(f"preset {name!r} is unknown; choose one of {', '.join(PRESETS)}")
    preset = PRESETS[name]
    if not preset.fits(classifier):
        known = DATASETS.get(classifier.dataset, classifier.dataset)
        raise ParameterError(
            f"preset {name!r} is for classifiers of {DATASETS[preset.dataset or '']} and {classifier.name} knows "
            f"{known}; choose one of {', '.join(presets_for(classifier))}"
        )
    return preset


def parameters_of(preset: Preset, classifier: Opponent, choices: Choices) -> Parameters:
    """Return the settings of a run against a classifier; raises ParameterError where they do not go together."""
    if (choices.encoding or preset.encoding or "cppn") == "gradient":
        return _climbing(preset, classifier, choices)
    crops = choices.crops or preset.crops
    if crops > 1 and classifier.preprocessing.input_size == classifier.height:
        raise ParameterError(f"crops {crops} do not apply: {classifier.name} sees a picture whole, give 1")
    population = _chosen(choices.population, preset.population)
    return Parameters.for_fidelity(
        choices.fidelity or preset.fidelity,
        encoding=choices.encoding or preset.encoding or "cppn",
        method=choices.method,
        generations=_chosen(choices.generations, preset.generations or 200),
        first_population=population,
        offspring=population,
        channels=classifier.channels,
        height=classifier.height,
        width=classifier.width,
        crops=crops,
        precision=choices.precision,
    )


def classes_from(text: str, classifier: Opponent) -> tuple[int, ...]:
    """Read classes to climb: "all", "published", or class indices with commas; raises ParameterError."""
    if text == ALL_CLASSES:
        return ()
    if text == PUBLISHED:
        return PUBLISHED_CLASSES
    words = text.split(",")
    if not all(word.strip().isascii() and word.strip().isdecimal() and len(word) < 10 for word in words):
        raise ParameterError(
            f"classes {text[:40]!r} are no class indices; give some like 200,207, or published, or all"
        )
    return tuple(int(word) for word in words)


def gradient_setting(name: str) -> tuple[int, GradientParameters]:
    """Return a published setting of gradient ascent with its number of steps; raises ParameterError."""
    if name not in GRADIENT_SETTINGS:
        raise ParameterError(f"setting {name!r} is unknown; choose one of {', '.join(GRADIENT_SETTINGS)}")
    return GRADIENT_SETTINGS[name]


def classes_in_words(gradient: GradientParameters) -> str:
    """Write the classes to climb as `classes_from` reads them."""
    if gradient.class_indices == PUBLISHED_CLASSES:
        return PUBLISHED
    return ",".join(map(str, gradient.class_indices)) or ALL_CLASSES


def setting_of(gradient: GradientParameters) -> str:
    """Return the published setting that these are, whatever the classes and starts; empty for none."""
    for name, (_, setting) in GRADIENT_SETTINGS.items():
        if replace(gradient, class_indices=setting.class_indices, starts=setting.starts) == setting:
            return name
    return ""


def _climbing(preset: Preset, classifier: Opponent, choices: Choices) -> Parameters:
    """Return the settings of gradient ascent: its images are as large as what the network itself takes."""
    if (choices.crops or 1) > 1:
        raise ParameterError(f"crops {choices.crops} do not apply to gradient ascent, give 1")
    if choices.population is not None:
        raise ParameterError(
            f"population {choices.population} does not apply to gradient ascent, which climbs with classes x starts "
            "images; leave it out"
        )
    steps, setting = gradient_setting(choices.setting or preset.setting)
    classes = _climbed(preset, classifier, choices)
    gradient = replace(setting, class_indices=classes, starts=_chosen(choices.starts, preset.starts))
    images = gradient.starts * (len(classes) or classifier.n_classes)
    return Parameters.for_fidelity(
        choices.fidelity or preset.fidelity,
        encoding="gradient",
        method=choices.method,
        generations=_chosen(choices.generations, preset.generations or steps),
        first_population=images,
        offspring=images,
        channels=classifier.channels,
        height=classifier.preprocessing.input_size,
        width=classifier.preprocessing.input_size,
        precision=choices.precision,
        gradient=gradient,
    ).replaced(colour="rgb")


def _climbed(preset: Preset, classifier: Opponent, choices: Choices) -> tuple[int, ...]:
    published = PUBLISHED_CLASSES if classifier.n_classes == IMAGENET_CLASSES else ()
    classes = preset.classes or published if choices.classes is None else choices.classes
    for class_index in classes:
        if class_index >= classifier.n_classes:
            raise ParameterError(
                f"class {class_index} to climb is unknown: {classifier.name} knows {classifier.n_classes:,} "
                "classes, numbered from 0"
            )
    return classes


def _chosen(number: int | None, otherwise: int) -> int:
    """Return the number that was given, even where it is zero and will be refused."""
    return otherwise if number is None else number
