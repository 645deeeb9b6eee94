"""The ways to search, all driven alike: whoever executes a run asks for its method and advances that.

Between two generations a search holds all that its method knows. What MAP-Elites knows lies in the archive and the
random generator; a method that knows more has searches of its own kind, and turns what they add into bytes and back.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from evolution import map_elites, novelty, single_class
from evolution.encoding import Encoding
from evolution.map_elites import Generation, Search
from evolution.novelty import NoveltySearch
from evolution.parameters import Parameters


class Judge(Protocol):
    """A classifier as a search sees it."""

    @property
    def device(self) -> str:
        """Where it computes, in torch's words."""

    @property
    def mean_colour(self) -> tuple[float, ...]:
        """The mean of its data set's images for each channel, 0 to 1."""

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the confidences, (B, n_classes), of images, (B, C, H, W) in [0, 1]."""

    def differentiate(self, images: Any, class_indices: Any) -> tuple[Any, Any]:
        """Return confidences, (B, n_classes), and of each image's one class the gradient, (B, C, H, W)."""


class Method(Protocol):
    """One way to search."""

    def begun(self, search: Search) -> Search:
        """Return a search that has seen nothing yet, with what this method adds to it."""

    def resumed(self, search: Search, state: bytes) -> Search:
        """Return a restored search with what `state_of` said of it; raises CheckpointError where that is damaged."""

    def state_of(self, search: Search) -> bytes:
        """Return what champions, random state and generation do not tell of a search; empty: nothing."""

    def advance(self, search: Search) -> Generation:
        """Advance a search in place by one generation."""


class MapElites:
    """The paper's method, and what differs from it in a generation only. All they know lies in the archive."""

    def __init__(self, encoding: Encoding, judge: Judge, parameters: Parameters) -> None:
        self.encoding, self.judge, self.parameters = encoding, judge, parameters

    def begun(self, search: Search) -> Search:
        """Return the search as it is."""
        return search

    def resumed(self, search: Search, state: bytes) -> Search:
        """Return the search as it is."""
        return search

    def state_of(self, search: Search) -> bytes:
        """Return nothing."""
        return b""

    def advance(self, search: Search) -> Generation:
        """Breed, develop, evaluate and keep one generation."""
        return map_elites.advance(self.encoding, self.judge, self.parameters, search)


class SingleClass(MapElites):
    """The baseline in which each class is climbed by itself."""

    def advance(self, search: Search) -> Generation:
        """Breed, develop, evaluate and keep one generation."""
        return single_class.advance(self.encoding, self.judge, self.parameters, search)


class Novelty:
    """The baseline that looks for what is new; it knows a population and a memory besides the archive."""

    def __init__(self, encoding: Encoding, judge: Judge, parameters: Parameters) -> None:
        self.encoding, self.judge, self.parameters = encoding, judge, parameters

    def begun(self, search: Search) -> NoveltySearch:
        """Return the search with an empty population."""
        return NoveltySearch(search.archive, search.rng, search.generation, search.guests, search.founders)

    def resumed(self, search: Search, state: bytes) -> NoveltySearch:
        """Return the search with its population and memory."""
        return NoveltySearch.resumed(search, state, self.encoding)

    def state_of(self, search: Search) -> bytes:
        """Return the population and the memory."""
        assert isinstance(search, NoveltySearch)
        return search.state_to_bytes(self.encoding)

    def advance(self, search: Search) -> Generation:
        """Breed, develop, evaluate, record and select one generation."""
        assert isinstance(search, NoveltySearch)
        return novelty.advance(self.encoding, self.judge, self.parameters, search)


def method_for(encoding: Encoding, judge: Judge, parameters: Parameters) -> Method:
    """Return the way to search that these parameters ask for. To add one, name it here and in `METHODS`."""
    if parameters.encoding == "gradient":
        from evolution.gradient_ascent import GradientAscent  # brings in torch: only where it is used

        return GradientAscent(encoding, judge, parameters)
    if parameters.method == "single-class":
        return SingleClass(encoding, judge, parameters)
    if parameters.method == "novelty":
        return Novelty(encoding, judge, parameters)
    return MapElites(encoding, judge, parameters)


def generations(method: Method, parameters: Parameters, search: Search) -> Iterator[Generation]:
    """Yield one generation after another until the last one wanted; the search is advanced in place."""
    while search.own_generation <= parameters.generations:
        yield method.advance(search)
