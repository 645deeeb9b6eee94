"""A part of a run as a history of its own: the classes that somebody chose, and all that led to their champions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from evolution.archive_file import CHAMPIONS_ONLY, LINEAGES, History, Selection, archive_sha256
from evolution.archive_lines import Climb, Individual, Statistics, Takeover
from evolution.errors import ArchiveFileError


class Selected:
    """A history of some classes: their takeovers, who held them, and whoever these descend from.

    Statistics stay those of the whole run. In memory are everybody's parents, and who held what. Raises
    ArchiveFileError where no champion is left.
    """

    def __init__(self, history: History, n_classes: int, selection: Selection, holds: str) -> None:
        self._history = history
        holders: dict[int, Takeover] = {}
        takers: dict[int, set[int]] = {}
        for takeover in history.takeovers():
            holders[takeover.class_index] = takeover
            takers.setdefault(takeover.class_index, set()).add(takeover.individual)
        self.classes = {index for index, takeover in holders.items() if _is_chosen(takeover, selection)}
        if not self.classes:
            raise ArchiveFileError(
                f"no champion is among {selection.words}; choose other classes or a lower confidence"
            )
        parents, hashes = _known({takeover.individual for takeover in holders.values()}, history)
        champions = {holders[index].individual for index in self.classes}
        held = set().union(*(takers[index] for index in self.classes))
        kept = {CHAMPIONS_ONLY: set[int](), LINEAGES: champions}.get(holds, held)
        self._numbers = held | ancestors_of(kept, parents)
        whole = {
            index: (hashes.get(takeover.individual, ""), takeover.confidence)
            for index, takeover in holders.items()
        }
        self.selection = replace(selection, whole_archive_sha256=archive_sha256(n_classes, whole))

    def individuals(self, *, with_genomes: bool) -> Iterator[Individual]:
        """Yield those who held one of the classes, and whoever they descend from."""
        everybody = self._history.individuals(with_genomes=with_genomes)
        return (one for one in everybody if one.number in self._numbers)

    def takeovers(self) -> Iterator[Takeover]:
        """Yield the takeovers of the classes."""
        return (one for one in self._history.takeovers() if one.class_index in self.classes)

    def statistics(self) -> Iterable[Statistics]:
        """Return every generation's line, of the whole run."""
        return self._history.statistics()

    def climbs(self) -> Iterator[Climb]:
        """Yield the climbs to the classes."""
        return (one for one in self._history.climbs() if one.class_index in self.classes)


def ancestors_of(numbers: set[int], parents: Mapping[int, tuple[int, ...]]) -> set[int]:
    """Return all from whom individuals descend."""
    found: set[int] = set()
    newest = numbers
    while newest:
        newest = {parent for number in newest for parent in parents.get(number, ())} - found
        found |= newest
    return found


def _is_chosen(takeover: Takeover, selection: Selection) -> bool:
    is_named = not selection.classes or takeover.class_index in selection.classes
    return is_named and takeover.confidence >= selection.at_least


def _known(champions: set[int], history: History) -> tuple[dict[int, tuple[int, ...]], dict[int, str]]:
    """Return everybody's parents, and the hashes of the champions' genomes."""
    parents, hashes = {}, {}
    for one in history.individuals(with_genomes=False):
        parents[one.number] = one.parents
        if one.number in champions:
            hashes[one.number] = one.genome_hash
    return parents, hashes
