"""Answers as arrays: it ..."""

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from fooling_web.studies import measures
from fooling_web.studies.answers import NONE, answers_of, names_of
from fooling_web.studies.design import Task
from fooling_web.studies.models import Response, Study, Trial
from fooling_web.studies.taking_part import store
from tests.studies.asked import asked, right, taken
from tests.studies.surveyed import planned, surveyed

pytestmark = pytest.mark.django_db


def test_are_read_as_they_were_stored(alice: Any) -> None:
    study = asked(alice, n_options=4, catch_share=0.2, repeat_share=0.2)
    taken(study)
    taken(study, n_answered=5)

    answers = answers_of(study, "main")

    stored = list(
        Response.objects.order_by("trial__participant__number", "trial__number").select_related(
            "trial__image"
        )
    )
    assert len(answers) == len(stored)
    for at, response in enumerate(stored):
        trial = response.trial
        assert answers.image[at] == trial.image.number
        assert answers.role[at] == trial.role
        assert answers.answer[at] == response.answer
        assert answers.is_right[at] == response.is_right
        assert answers.n_options[at] == len(trial.options)
        assert answers.labels[answers.chosen[at]] == trial.options[response.answer or 0]
        assert answers.rt_ms[at] == response.rt_ms
    assert answers.people.is_complete.tolist() == [True, False]
    assert set(answers.main.role) == {"main"}


def test_are_of_one_phase_and_study(alice: Any) -> None:
    study, other = planned(alice), planned(alice)
    surveyed(study, 3, phase="main")
    surveyed(study, 2, phase="pilot")
    surveyed(other, 4)

    assert answers_of(study, "main").people.number.tolist() == [1, 2, 3]
    assert answers_of(study, "pilot").people.number.tolist() == [4, 5]
    assert len(answers_of(study, "preview")) == 0
    assert measures.overall(answers_of(other, "main")).n == 16


def test_take_few_queries_however_many_they_are(alice: Any, django_assert_num_queries: Any) -> None:
    study = planned(alice)
    surveyed(study, 12)
    with django_assert_num_queries(3) as queries:
        answers_of(study, "main")
    assert isinstance(queries, CaptureQueriesContext)


def test_are_labels_where_images_are_picked(alice: Any) -> None:
    study = asked(alice, task=Task.PICK_IMAGE, n_options=4)
    participant = taken(study, n_answered=0)
    store(participant, [right(participant, number) for number in range(3)])
    (fourth,) = participant.trials.filter(number=3)
    wrong = (fourth.key + 1) % 4
    store(participant, [right(participant, 3, answer=wrong)])

    answers = answers_of(study, "main")

    labels = {image.number: image.label for image in study.images.all()}
    assert answers.is_right.tolist() == [True, True, True, False]
    assert answers.labels[answers.chosen[0]] == labels[int(answers.image[0])]
    assert answers.labels[answers.chosen[3]] == labels[fourth.options[wrong]]


def test_have_no_choice_where_time_ran_out(alice: Any) -> None:
    study = asked(alice, practice=0, timing={"window_ms": 1500})
    participant = taken(study, n_answered=0)
    store(participant, [right(participant, 0, answer=None, rt_ms=None)])

    answers = answers_of(study, "main")

    assert (answers.answer[0], answers.chosen[0], answers.is_right[0]) == (NONE, NONE, False)
    assert measures.reaction_times(answers)[0].n_late == (answers.role[0] == Trial.Role.MAIN)


def test_without_a_right_option_are_neither_right_nor_wrong(alice: Any) -> None:
    study = asked(alice, catch=0, practice=0, task=Task.RECOGNISABLE)
    taken(study)

    answers = answers_of(study, "main")

    assert not answers.has_key.any()
    assert answers.is_yes.all()
    assert measures.overall(answers).n == 0
    assert measures.yes_by_image(answers).rows[0].value == 1


def test_without_some_participants_leave_them_out_of_everything(alice: Any) -> None:
    study = planned(alice)
    surveyed(study, 3)

    answers = answers_of(study, "main").without([2])

    assert answers.people.number.tolist() == [1, 3]
    assert [row.name for row in measures.by_participant(answers).rows] == ["1", "3"]


def test_names_are_people_s_own_words(alice: Any) -> None:
    study: Study = asked(alice, practice=0, catch=0, repeat_share=0, task=Task.NAME_THEN_CHOOSE, n_options=4)
    participant = taken(study, n_answered=0)
    store(participant, [right(participant, 0, name="a  star")])

    assert [(person, name) for person, _, name in names_of(study, "main")] == [(1, "a star")]
