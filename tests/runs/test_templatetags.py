"""How pages write numbers."""

from dataclasses import dataclass

import pytest

from fooling_web.runs.models import Individual, Run
from fooling_web.runs.templatetags.runs import (
    answers,
    confidence,
    duration,
    is_fooled,
    least,
    percent,
    titled,
)


@dataclass
class Held:
    confidence: float


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0.00 %"),
        (0.29, "29.00 %"),
        (0.12345, "12.34 %"),
        (0.99989, "99.98 %"),
        (0.99, "99.00 %"),
        (0.9999, "99.99 %"),
    ],
)
def test_writes_a_confidence_with_two_decimals(value: float, written: str) -> None:
    assert confidence(value) == written


@pytest.mark.parametrize("value", [0.99990001, 0.99995, 0.9999999, 1.0])
def test_says_more_than_9999_where_that_was_passed(value: float) -> None:
    assert confidence(value) == "> 99.99 %"


@pytest.mark.parametrize("value", [0.99994, 0.99996, 1.0])
def test_never_rounds_up_to_certainty(value: float) -> None:
    assert percent(value) == "99.99 %"


def test_writes_every_hundredth_of_a_percent_as_it_is() -> None:
    written = [percent(hundredths / 10_000) for hundredths in range(10_000)]

    assert written == [f"{hundredths / 100:.2f} %" for hundredths in range(10_000)]


def test_writes_a_dash_for_what_is_not_known() -> None:
    assert [confidence(None), percent(None), duration(None)] == ["–", "–", "–"]


def test_calls_a_classifier_fooled_only_above_9999() -> None:
    assert [is_fooled(value) for value in (0.9998, 0.9999, 0.99991)] == [False, False, True]


def test_finds_the_least_confidence() -> None:
    assert least([Held(0.9), Held(0.4), Held(1.0)]) == 0.4


def test_finds_no_confidence_among_no_champions() -> None:
    assert least([]) == 0.0


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.3, "less than 1 s"),
        (9.2, "about 9 s"),
        (59.4, "about 59 s"),
        (59.7, "1 min"),
        (180, "3 min"),
        (3599, "1 h 0 min"),
        (7800, "2 h 10 min"),
        (86400, "1 day"),
        (345600, "4 days"),
    ],
)
def test_writes_a_time_as_people_say_it(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_parts_a_choice_into_title_and_note() -> None:
    assert titled("Private: only you") == ("Private", "only you")


def test_leaves_a_choice_without_a_note_whole() -> None:
    assert titled("Own numbers") == ("Own numbers", "")


def test_names_the_classes_that_a_classifier_answered_with() -> None:
    individual = Individual(top=[[7, 0.9], [3, 0.05]])

    named = answers(individual, Run(classifier="mnist-lenet"))

    assert named == [(7, "7", 0.9), (3, "3", 0.05)]
