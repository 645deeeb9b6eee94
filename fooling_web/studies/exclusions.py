"""Whose data are left out, and why: by the rules that a design fixes before the data come in, and by no other.

The rules are those of common practice in online studies; each has its threshold in `design.Exclusions` and can be
switched off there. Practice trials never count, neither for nor against anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling_web.studies.answers import NONE, Answers, Bools, Floats, Ints
from fooling_web.studies.design import Exclusions
from fooling_web.studies.models import Trial

INCOMPLETE, CATCH, FAST, ONE_KEY = "incomplete", "catch", "fast", "one key"
RULES = {
    INCOMPLETE: "did not come to the end",
    CATCH: "missed too many catch trials",
    FAST: "answered too fast",
    ONE_KEY: "pressed one and the same key",
}


def said(rules: Exclusions) -> dict[str, str]:
    """Return the rules that are in force, in words with their thresholds."""
    words = {}
    if rules.incomplete:
        words[INCOMPLETE] = "did not come to the end"
    if rules.catch_below is not None:
        words[CATCH] = f"under {rules.catch_below:.0%} of the catch trials right"
    if rules.median_below_ms is not None:
        words[FAST] = f"a median reaction time under {rules.median_below_ms:.0f} ms"
    if rules.one_key_over is not None:
        words[ONE_KEY] = f"one and the same place in over {rules.one_key_over:.0%} of the answers"
    return words


def excluded(answers: Answers, rules: Exclusions) -> dict[int, list[str]]:
    """Return the participants who are left out, by number, each with every rule that says so."""
    counted = answers.only(answers.role != Trial.Role.PRACTICE)
    hit: dict[str, Bools] = {}
    if rules.incomplete:
        hit[INCOMPLETE] = ~answers.people.is_complete
    if rules.catch_below is not None:
        hit[CATCH] = _catch_share(counted) < rules.catch_below
    if rules.median_below_ms is not None:
        hit[FAST] = _median_rt(counted) < rules.median_below_ms
    if rules.one_key_over is not None:
        hit[ONE_KEY] = _commonest_share(counted) > rules.one_key_over
    reasons: dict[int, list[str]] = {}
    for name, people in hit.items():
        for number in answers.people.number[people]:
            reasons.setdefault(int(number), []).append(name)
    return dict(sorted(reasons.items()))


def kept(answers: Answers, rules: Exclusions) -> Answers:
    """Return the answers of those whom no rule leaves out."""
    return answers.without(excluded(answers, rules))


@dataclass(frozen=True)
class Left:
    """How many were left out, by rule; who broke two rules stands under both."""

    begun: int
    kept: int
    excluded: int
    by_rule: dict[str, int]


def count(answers: Answers, reasons: Mapping[int, list[str]], rules: Exclusions) -> Left:
    """Count whom the rules left out; a rule that hit nobody counts 0, one that is off is not there."""
    begun = len(answers.people.number)
    by_rule = {name: sum(name in why for why in reasons.values()) for name in said(rules)}
    return Left(begun=begun, kept=begun - len(reasons), excluded=len(reasons), by_rule=by_rule)


def _catch_share(counted: Answers) -> Floats:
    """Return the share of catch trials that were right; nan where there were none, which no rule hits."""
    catch = counted.of_role(Trial.Role.CATCH)
    catch = catch.only(catch.has_key)
    n_people = len(counted.people.number)
    total = np.bincount(catch.person_at, minlength=n_people)
    right = np.bincount(catch.person_at, weights=catch.is_right, minlength=n_people)
    return ratio(right, total)


def _median_rt(counted: Answers) -> Floats:
    """Return the median reaction time of each participant; nan where nothing was answered."""
    timed = counted.only(~np.isnan(counted.rt_ms))
    return median_by(timed.person_at, timed.rt_ms, len(counted.people.number))


def median_by(group: Ints, values: Floats, n_groups: int) -> Floats:
    """Return the median of the values of each group; nan for a group without any."""
    by_group = values[np.lexsort((values, group))]
    sizes = np.bincount(group, minlength=n_groups)
    starts = np.cumsum(sizes) - sizes
    medians = np.full(n_groups, np.nan)
    some = sizes > 0
    lower, upper = starts + (sizes - 1) // 2, starts + sizes // 2
    medians[some] = (by_group[lower[some]] + by_group[upper[some]]) / 2
    return medians


def _commonest_share(counted: Answers) -> Floats:
    """Return the share of answers at the place where a participant answered most; nan without answers."""
    given = counted.only(counted.answer != NONE)
    n_people = len(counted.people.number)
    n_places = int(given.answer.max(initial=0)) + 1
    cells = np.bincount(given.person_at * n_places + given.answer, minlength=n_people * n_places)
    counts = cells.reshape(n_people, n_places)
    return ratio(counts.max(axis=1), counts.sum(axis=1))


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Return part / whole; nan where there is no whole."""
    shares: Floats = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
