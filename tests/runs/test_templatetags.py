"""How pages write numbers."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from fooling_web.runs.models import Individual, Run
from fooling_web.runs.templatetags.runs import (
    answers,
    duration,
    is_fooled,
    is_letting_go,
    least,
    sentence_case,
    titled,
)


@dataclass
class Held:
    confidence: float


@pytest.mark.parametrize(
    ("name", "written"),
    [("percent", "99.99 %"), ("confidence", "> 99.99 %"), ("finely", "99.9998 %")],
)
def test_offers_every_way_to_write_a_confidence(name: str, written: str) -> None:
    page = Template("{% load runs %}{% autoescape off %}{{ value|" + name + " }}{% endautoescape %}")

    assert page.render(Context({"value": 0.9999987})) == written


def test_writes_a_dash_for_a_time_that_is_not_known() -> None:
    assert duration(None) == "–"


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


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("\n    Change Password\n", "Change password"),
        ("Re-send Verification", "Re-send verification"),
        ("Username", "Username"),
        ("About a CPPN", "About a CPPN"),
    ],
)
def test_writes_a_title_like_a_sentence(title: str, written: str) -> None:
    assert sentence_case(title) == written


def test_knows_a_worker_that_still_has_the_run_in_hand() -> None:
    soon = timezone.now() + timedelta(seconds=9)

    assert is_letting_go(Run(lease_holder="worker", lease_until=soon))


def test_expects_nothing_more_of_a_worker_that_let_go_or_died() -> None:
    past = timezone.now() - timedelta(seconds=1)

    assert not is_letting_go(Run())
    assert not is_letting_go(Run(lease_holder="worker", lease_until=past))


def test_parts_a_choice_into_title_and_note() -> None:
    assert titled("Private: only you") == ("Private", "only you")


def test_leaves_a_choice_without_a_note_whole() -> None:
    assert titled("Own numbers") == ("Own numbers", "")


def test_names_the_classes_that_a_classifier_answered_with() -> None:
    individual = Individual(top=[[7, 0.9], [3, 0.05]])

    named = answers(individual, Run(classifier="mnist-lenet"))

    assert named == [(7, "7", 0.9), (3, "3", 0.05)]
