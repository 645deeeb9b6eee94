"""The settings of a run: frozen dataclasses whose defaults are the paper's numbers.

Where the paper and its released code differ, `fidelity` chooses between the two and `for_fidelity` sets each
number accordingly. This module imports nothing heavy, so that forms and commands may offer exactly what it accepts.
"""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from evolution.errors import ParameterError

EncodingName = Literal["cppn", "direct"]
Fidelity = Literal["paper", "released-code"]
Coordinates = Literal["normalised", "pixel-indices"]
FunctionName = Literal["sine", "sigmoid", "gaussian", "linear"]

ENCODINGS: dict[str, str] = {"cppn": "CPPN", "direct": "Direct"}
FIDELITIES: dict[str, str] = {"paper": "As the paper says", "released-code": "As the released code does"}
FUNCTIONS: tuple[FunctionName, ...] = get_args(FunctionName)

MAX_GENERATIONS = 100_000
MAX_POPULATION = 10_000
MAX_SEED = 2**63 - 1
MAX_SIDE = 1024  # pixels
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
    functions: tuple[FunctionName, ...] = FUNCTIONS  # without "sine" images become more recognisable

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


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Everything that, with a seed and a classifier, determines a run."""

    encoding: EncodingName = "cppn"
    fidelity: Fidelity = "paper"
    generations: int = 200  # after the first population; Figs 4 and 5 are read at 200
    first_population: int = 200  # MNIST sizes of the released code
    offspring: int = 200
    channels: int = 1  # 1: grey values
    height: int = 28  # pixels
    width: int = 28
    direct: DirectParameters = field(default_factory=DirectParameters)
    cppn: CppnParameters = field(default_factory=CppnParameters)

    def __post_init__(self) -> None:
        _require_choice("encoding", self.encoding, ENCODINGS)
        _require_choice("fidelity", self.fidelity, FIDELITIES)
        _require_whole(self, 1, MAX_GENERATIONS, "generations")
        _require_whole(self, 2, MAX_POPULATION, "first_population", "offspring")
        _require_whole(self, 1, MAX_SIDE, "height", "width")
        _require_whole(self, 1, 1, "channels")
        if self.offspring % 2:
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
            cppn = dict(document["cppn"])
            nested = {
                "direct": DirectParameters(**document["direct"]),
                "cppn": CppnParameters(**{**cppn, "functions": tuple(cppn["functions"])}),
            }
            return cls(**{**document, **nested})
        except (KeyError, TypeError, ValueError) as error:
            raise ParameterError(f"these are not the parameters of a run: {error!r}") from error

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        document = asdict(self)
        document["cppn"]["functions"] = list(self.cppn.functions)
        return document

    @property
    def evaluations(self) -> int:
        """How many images the whole run shows to the classifier."""
        return self.first_population + self.generations * self.offspring

    def replaced(self, **changes: Any) -> "Parameters":
        """Return a copy with some settings changed."""
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named size of a run."""

    title: str
    generations: int
    population: int


# To add one, put its numbers here with their source; forms and commands offer it at once.
PRESETS: dict[str, Preset] = {
    "paper": Preset(title="The paper's figures 4 and 5", generations=200, population=200),
    "quick-look": Preset(title="Quick look", generations=50, population=100),
    "released-code": Preset(title="The released code's full length", generations=1000, population=200),
}


def _released_code() -> dict[str, Any]:
    return {
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
