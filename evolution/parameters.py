"""The settings of a run: frozen dataclasses whose defaults are the paper's numbers.

Where the paper and its released code differ, `fidelity` chooses between the two and `for_fidelity` sets each
number accordingly. This module imports nothing heavy, so that forms and commands may offer exactly what it accepts.
"""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from evolution.errors import ParameterError

EncodingName = Literal["cppn", "direct", "gradient"]
Method = Literal["map-elites", "single-class", "novelty"]
Colour = Literal[  # grey: brightness alone is read
    "hsv", "hls", "rgb", "hsv-grey", "hls-grey", "picbreeder", "picbreeder-grey"
]
Precision = Literal["float32", "half"]
Fidelity = Literal["paper", "released-code"]
Coordinates = Literal["normalised", "pixel-indices"]
FunctionName = Literal["sine", "sigmoid", "gaussian", "linear", "identity", "cosine", "signed-gaussian"]

ENCODINGS: dict[str, str] = {"cppn": "CPPN", "direct": "Direct", "gradient": "Gradient ascent"}
METHODS: dict[str, str] = {
    "map-elites": "MAP-Elites",
    "single-class": "Single-class evolution",
    "novelty": "Novelty search",
}
CROPS = (1, 10)
FIDELITIES: dict[str, str] = {"paper": "As the paper says", "released-code": "As the released code does"}
FUNCTIONS: tuple[FunctionName, ...] = get_args(FunctionName)  # a genome's nodes may have any of them
PAPER_FUNCTIONS: tuple[FunctionName, ...] = ("sine", "sigmoid", "gaussian", "linear")
PICBREEDER_FUNCTIONS: tuple[FunctionName, ...] = ("sine", "cosine", "sigmoid", "signed-gaussian", "identity")

MAX_GENERATIONS = 100_000
MAX_POPULATION = 10_000
MAX_CLASSES = 100_000
MAX_STARTS = 1000
MAX_SEED = 2**63 - 1
MAX_SIDE = 1024  # pixels
MAX_CLIMBING = 2**28  # values of all images of a gradient ascent, which are held and kept whole: 1 GiB
SMALL_PICTURE = 10_000  # numbers: below it genomes of pixels are small enough to keep the whole history
MAX_WEIGHT = 1000  # beyond it the rendering kernel's sine could meet arguments that it cannot reduce


@dataclass(frozen=True, kw_only=True)
class DirectParameters:
    """Variation of genomes that are pixels (paper, section 2.3; supplement; released code for crossover)."""

    mutation_rate: float = 0.1  # of each value, in the first generations
    rate_half_life: int = (
        1000  # generations after which the rate has halved; 0: it never does (released code)
    )
    mutation_eta: float = 15.0  # Deb 2001, p. 124: the larger, the smaller the steps
    crossover_rate: float = 0.0  # of a pair of parents; 0.5 in the released code
    crossover_eta: float = 10.0  # simulated binary crossover, released code

    def __post_init__(self) -> None:
        _require_share(self, "mutation_rate", "crossover_rate")
        _require_range(self, 0, 10**9, "rate_half_life")
        _require_range(self, 0, 1000, "mutation_eta", "crossover_eta")


@dataclass(frozen=True, kw_only=True)
class CppnParameters:
    """Variation and reading of genomes that are networks (paper, section 2.3; supplement, table of settings)."""

    weight_bound: float = 10.0  # weights lie within [-10, 10]
    add_connection: float = 0.5
    delete_connection: float = 0.3
    split_connection: float = 0.5
    delete_node: float = 0.2
    weight_rate: float = 0.1  # of each weight, by polynomial mutation
    weight_eta: float = 15.0
    function_rate: float = 0.1  # of each node, to redraw its function
    crossover: bool = False  # released code: a child begins as a whole copy of one of two parents
    coordinates: Coordinates = "normalised"  # "pixel-indices" in the released code
    functions: tuple[FunctionName, ...] = PAPER_FUNCTIONS  # without "sine" images become more recognisable

    def __post_init__(self) -> None:
        _require_share(
            self,
            "add_connection",
            "delete_connection",
            "split_connection",
            "delete_node",
            "weight_rate",
            "function_rate",
        )
        _require_range(self, 0, 1000, "weight_eta")
        _require_range(self, 1e-6, MAX_WEIGHT, "weight_bound")
        _require_choice("coordinates", self.coordinates, get_args(Coordinates))
        if not self.functions or not set(self.functions) <= set(FUNCTIONS):
            raise ParameterError(f"functions {self.functions!r} must be some of {', '.join(FUNCTIONS)}")


# The classes of the published pictures, as indices of ILSVRC 2012 (supplement).
PUBLISHED_CLASSES = (
    *(200, 207, 215, 279, 366, 367, 390, 414, 445, 500),
    *(509, 580, 643, 657, 704, 713, 782, 805, 826, 906),
)


@dataclass(frozen=True, kw_only=True)
class GradientParameters:
    """How an image follows the gradient of one class's confidence (paper, section 3.9; released code).

    Numbers are on the scale of pixels from 0 to 255 around the data set's mean; the defaults are setting A.
    """

    class_indices: tuple[int, ...] = ()  # that are climbed; none: every class of the classifier
    starts: int = 5  # images for each class, each from noise of its own
    noise: float = 1.0  # standard deviation of the noise around the mean image
    decay: float = 0.0  # share that an image loses towards the mean after each step
    early_rate: float = 0.02  # of the step, while the classifier is not sure
    late_rate: float = 0.1  # of the step, in proportion to the confidence still missing
    max_rate: float = 1e7
    blur_radius: float = 0.0  # pixels, standard deviation; 0: no blur
    blur_every: int = 1  # steps
    small_norm_share: float = 0.0  # of pixels, those nearest to the mean, that are set to it
    small_benefit_share: float = 0.0  # of pixels, those that help the class least, that are set to the mean

    def __post_init__(self) -> None:
        if len(set(self.class_indices)) < len(self.class_indices):
            raise ParameterError("a class to climb is named twice")
        for class_index in self.class_indices:
            if type(class_index) is not int or not 0 <= class_index < MAX_CLASSES:
                raise ParameterError(f"class {class_index!r} to climb is not a class index")
        _require_whole(self, 1, MAX_STARTS, "starts")
        _require_whole(self, 1, 10**6, "blur_every")
        _require_range(self, 0, 255, "noise")
        _require_range(self, 0, 100, "blur_radius")
        _require_range(self, 0, 1e12, "early_rate", "late_rate", "max_rate")
        _require_share(self, "decay", "small_norm_share", "small_benefit_share")


@dataclass(frozen=True, kw_only=True)
class NoveltyParameters:
    """Novelty search (Lehman and Stanley 2011) as the follow-up paper uses it (Nguyen et al. 2015, GECCO)."""

    neighbours: int = 8  # whose mean distance, L2 between confidences of all classes, is an image's novelty
    remembered: int = 4  # of each generation, the most novel, that the memory keeps for ever

    def __post_init__(self) -> None:
        _require_whole(self, 1, 1000, "neighbours")
        _require_whole(self, 0, 1000, "remembered")


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Everything that, with a seed and a classifier, determines a run."""

    encoding: EncodingName = "cppn"
    fidelity: Fidelity = "paper"
    method: Method = "map-elites"
    generations: int = 200  # after the first population; Figs 4 and 5 are read at 200
    first_population: int = 200  # MNIST sizes of the released code
    offspring: int = 200
    channels: int = 1  # 1: grey values; 3: colours
    height: int = 28  # pixels
    width: int = 28
    colour: Colour = "hsv"  # what a genome's three values of a pixel mean; "hls" in the released code
    crops: int = 1  # views of an image that the classifier's answers are averaged over; 10 in the paper
    precision: Precision = "float32"  # of the classifier's arithmetic
    direct: DirectParameters = field(default_factory=DirectParameters)
    cppn: CppnParameters = field(default_factory=CppnParameters)
    gradient: GradientParameters = field(default_factory=GradientParameters)
    novelty: NoveltyParameters = field(default_factory=NoveltyParameters)

    def __post_init__(self) -> None:
        _require_choice("encoding", self.encoding, ENCODINGS)
        _require_choice("fidelity", self.fidelity, FIDELITIES)
        _require_whole(self, 1, MAX_GENERATIONS, "generations")
        _require_choice("method", self.method, METHODS)
        _require_choice("colour", self.colour, get_args(Colour))
        _require_choice("precision", self.precision, get_args(Precision))
        least = 1 if self.encoding == "gradient" else 2
        _require_whole(self, least, MAX_POPULATION, "first_population", "offspring")
        _require_whole(self, 1, MAX_SIDE, "height", "width")
        if self.channels not in (1, 3) or isinstance(self.channels, bool):
            raise ParameterError(
                f"channels {self.channels!r} is out of range: 1 for grey values, 3 for colours"
            )
        if self.crops not in CROPS or isinstance(self.crops, bool):
            raise ParameterError(f"crops {self.crops!r} is out of range: 1 or 10")
        if self.encoding == "gradient" and self.method != "map-elites":
            raise ParameterError(
                f"encoding 'gradient' climbs by itself: method {self.method!r} does not apply to it"
            )
        values = self.offspring * self.channels * self.height * self.width
        if self.encoding == "gradient" and values > MAX_CLIMBING:
            most = MAX_CLIMBING // (values // self.offspring)
            raise ParameterError(
                f"{self.offspring:,} images to climb are too many to hold at once; "
                f"of this size {most:,} fit: give fewer classes or starts"
            )
        if self.offspring % 2 and self.encoding != "gradient":
            raise ParameterError(
                f"a population of {self.offspring} must be even: offspring are made in pairs"
            )

    @classmethod
    def for_fidelity(cls, fidelity: str, **settings: Any) -> "Parameters":
        """Return parameters with every number as the paper says or as the released code does.

        Raises ParameterError where a setting is unknown or out of range.
        """
        _require_choice("fidelity", fidelity, FIDELITIES)
        variation = _released_code() if fidelity == "released-code" else {}
        try:
            return cls(fidelity=fidelity, **variation, **settings)  # type: ignore[arg-type]
        except TypeError as error:
            raise ParameterError(f"unknown setting among {', '.join(settings)}: {error}") from error

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Parameters":
        """Read what `to_json` wrote; raises ParameterError for anything else."""
        try:
            cppn, gradient = dict(document["cppn"]), dict(document.get("gradient", {}))
            climbed = tuple(gradient.pop("class_indices", ()))
            nested = {
                "direct": DirectParameters(**document["direct"]),
                "cppn": CppnParameters(**{**cppn, "functions": tuple(cppn["functions"])}),
                "gradient": GradientParameters(class_indices=climbed, **gradient),
                "novelty": NoveltyParameters(**document.get("novelty", {})),
            }
            return cls(**{**document, **nested})
        except (KeyError, TypeError, ValueError) as error:
            raise ParameterError(f"these are not the parameters of a run: {error!r}") from error

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        document = asdict(self)
        document["cppn"]["functions"] = list(self.cppn.functions)
        document["gradient"]["class_indices"] = list(self.gradient.class_indices)
        return document

    @property
    def keeps_every_genome(self) -> bool:
        """Whether all that ever held a class are kept: large pictures only as long as they hold one."""
        return self.encoding == "cppn" or self.channels * self.height * self.width <= SMALL_PICTURE

    @property
    def evaluations(self) -> int:
        """How many images the whole run shows to the classifier."""
        return self.first_population + self.generations * self.offspring

    def replaced(self, **changes: Any) -> "Parameters":
        """Return a copy with some settings changed."""
        return replace(self, **changes)


def _released_code() -> dict[str, Any]:
    return {
        "colour": "hls",
        "direct": DirectParameters(rate_half_life=0, crossover_rate=0.5),
        "cppn": CppnParameters(crossover=True, coordinates="pixel-indices"),
    }


def _require_choice(name: str, value: object, choices: Any) -> None:
    if value not in tuple(choices):
        raise ParameterError(f"{name} {value!r} is unknown; choose one of {', '.join(choices)}")


def _require_share(parameters: Any, *names: str) -> None:
    _require_range(parameters, 0, 1, *names)


def _require_whole(parameters: Any, low: int, high: int, *names: str) -> None:
    _require_range(parameters, low, high, *names)
    for name in names:
        if not isinstance(getattr(parameters, name), int):
            raise ParameterError(f"{name} {getattr(parameters, name)!r} must be a whole number")


def _require_range(parameters: Any, low: float, high: float, *names: str) -> None:
    assert set(names) <= {known.name for known in fields(parameters)}
    for name in names:
        value = getattr(parameters, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ParameterError(f"{name} {value!r} must be a number")
        if not low <= value <= high:
            raise ParameterError(f"{name} {value} is out of range: it must lie between {low:,} and {high:,}")


# The published settings with their numbers of steps (supplement, table of gradient ascent).
GRADIENT_SETTINGS: dict[str, tuple[int, GradientParameters]] = {
    "A": (500, GradientParameters()),
    "B": (1500, GradientParameters(decay=0.01, early_rate=0.03, late_rate=0.02)),
    "C": (
        1000,
        GradientParameters(decay=0.001, early_rate=0.03, late_rate=0.05, blur_radius=0.4, blur_every=2),
    ),
    "D": (
        1500,
        GradientParameters(
            decay=0.001,
            early_rate=0.03,
            late_rate=0.05,
            blur_radius=0.3,
            small_norm_share=0.2,
            small_benefit_share=0.2,
        ),
    ),
}
