"""Taking part: every answer once, in its order, by whoever was asked, and nothing else."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from fooling_web.studies.models import Classroom, OutsideIdentity, Participant, Response, Study, Trial, digest
from fooling_web.studies.taking_part import Answer, Outside, Refused, begin, places_left, store, withdraw
from tests.studies.asked import asked, right, taken

pytestmark = pytest.mark.django_db


def times(study: Study) -> dict[str, int]:
    return dict(study.refusals.values_list("reason", "times"))


def while_ago(participant: Participant, seconds: float = 3600) -> Participant:
    """Let time pass, in which answers can have been given."""
    moment = timezone.now() - timedelta(seconds=seconds)
    Participant.objects.filter(pk=participant.pk).update(seen_at=moment, consented_at=moment)
    return participant


@pytest.fixture
def study(alice: Any) -> Study:
    return asked(alice)


@pytest.fixture
def participant(study: Study) -> Participant:
    return while_ago(begin(study, entry="link")[0])


def test_begins_with_all_trials_laid_down(study: Study) -> None:
    participant, token = begin(study, entry="link", browser={"width": 390})

    assert participant.trials.count() == participant.n_trials == 11  # 8, 1 repeated, 1 catch, 1 practice
    assert participant.token_hash == digest(token) != token
    assert participant.phase == "main"


def test_belongs_to_the_pilot_before_the_study_is_frozen(alice: Any) -> None:
    study = asked(alice, is_open=False)
    with pytest.raises(Refused, match="not open yet"):
        begin(study, entry="link")
    study.status = Study.Status.OPEN
    study.save()

    assert begin(study, entry="link")[0].phase == "pilot"


def test_gets_the_framings_by_turns(alice: Any) -> None:
    study = asked(alice, framing="between", comparison="framing")

    assert [begin(study, entry="link")[0].framing for _ in range(4)] == ["machine", "you", "machine", "you"]


def test_keeps_who_somebody_is_elsewhere_apart(study: Study) -> None:
    participant, _ = begin(study, entry="prolific", outside=Outside("prolific", "5f0c", "st", "77ab"))

    assert OutsideIdentity.objects.get(participant=participant).person == "5f0c"


def test_begins_once_for_each_person_elsewhere(study: Study, bob: Any) -> None:
    begin(study, entry="prolific", outside=Outside("prolific", "5f0c", "st", "77ab"))
    begin(study, entry="mturk", outside=Outside("mturk", "5f0c"))
    begin(study, entry="account", user=bob)
    for again in (
        {"entry": "prolific", "outside": Outside("prolific", "5f0c", "st", "88cd")},
        {"entry": "account", "user": bob},
    ):
        with pytest.raises(Refused, match="each person can once"):
            begin(study, **again)

    assert study.participants.count() == 3


def test_goes_on_to_the_end(study: Study, participant: Participant) -> None:
    for number in range(participant.n_trials):
        while_ago(participant)
        stored = store(participant, [right(participant, number)])
        assert (stored.next_number, stored.is_complete) == (number + 1, number == participant.n_trials - 1)
    participant.refresh_from_db()

    assert participant.is_complete
    assert (
        Response.objects.filter(trial__participant=participant, is_right=True).count() == participant.n_trials
    )


def test_takes_many_answers_at_once(participant: Participant) -> None:
    stored = store(participant, [right(participant, number) for number in (2, 0, 1)])

    assert stored.next_number == 3


def test_takes_an_answer_once_however_often_it_is_sent(participant: Participant) -> None:
    first = right(participant, 0)
    store(participant, [first])
    again = store(participant, [first, Answer(number=0, answer=1 - (first.answer or 0), rt_ms=1.0)])

    assert again.next_number == 1
    assert Response.objects.get().answer == first.answer


def test_takes_an_answer_once_that_comes_twice_in_one_message(participant: Participant) -> None:
    first = right(participant, 0)

    assert store(participant, [first, first, right(participant, 1)]).next_number == 2


def test_takes_an_answer_once_from_two_windows(participant: Participant) -> None:
    one, other = (Participant.objects.get(pk=participant.pk) for _ in range(2))
    first, second = right(participant, 0), right(participant, 1)
    store(one, [first, second])

    assert store(other, [first, second]).next_number == 2
    with pytest.raises(Refused, match="Trial 2 was answered already"):
        store(other, [first, right(participant, 1, rt_ms=888.0), right(participant, 2)])
    assert store(other, [right(participant, 2)]).next_number == 3
    assert Response.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_takes_each_answer_once_from_many_at_the_same_time(alice: Any) -> None:
    participant = while_ago(begin(asked(alice), entry="link")[0])
    answers = [right(participant, number) for number in range(4)]
    together = threading.Barrier(6)

    def send(_: int) -> int:
        together.wait()
        try:
            return [store(Participant.objects.get(pk=participant.pk), [one]) for one in answers][
                -1
            ].next_number
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        reached = list(pool.map(send, range(6)))

    assert reached == [4] * 6
    assert Response.objects.count() == 4


def test_refuses_a_trial_that_was_not_shown(study: Study, participant: Participant) -> None:
    with pytest.raises(Refused, match="Trial 3 was not shown yet; the next is 1"):
        store(participant, [right(participant, 2)])
    with pytest.raises(Refused, match="There is no trial 100; yours are 11"):
        store(participant, [Answer(number=99, answer=0, rt_ms=500)])

    assert not Response.objects.exists()
    assert times(study) == {"not shown": 1, "no such trial": 1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"answer": 2}, "There is no option 3; the trial has 2"),
        ({"answer": -1}, "There is no option 0"),
        ({"answer": None}, "An answer is missing, and there is no time limit"),
        ({"rt_ms": -1.0}, "is no reaction time"),
        ({"rt_ms": math.nan}, "nan ms is no reaction time"),
        ({"rt_ms": math.inf}, "inf ms is no reaction time"),
        ({"rt_ms": None}, "Nothing is no reaction time"),
        ({"rt_ms": 3_600_001.0}, "is no reaction time"),
        ({"sureness": 101}, "101 is no number from 0 to 100"),
        ({"name": "x" * 201}, "at most 200 characters"),
    ],
)
def test_refuses_what_nobody_can_answer(
    study: Study, participant: Participant, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        store(participant, [right(participant, 0, **values)])

    assert not Response.objects.exists()
    assert sum(times(study).values()) == 1


def test_refuses_a_time_longer_than_has_passed(study: Study) -> None:
    participant = while_ago(begin(study, entry="link")[0], 10)
    store(participant, [right(participant, 0, rt_ms=4_000.0)])

    with pytest.raises(Refused, match="longer than this session has lasted") as caught:
        store(participant, [right(participant, 1, rt_ms=9_000.0), right(participant, 2, rt_ms=9_000.0)])

    assert caught.value.stored is not None
    assert caught.value.stored.next_number == 2  # the first of the two can be true


def test_keeps_what_came_before_a_bad_answer(participant: Participant) -> None:
    with pytest.raises(Refused) as caught:
        store(participant, [right(participant, 0), right(participant, 1, answer=9), right(participant, 2)])

    assert caught.value.stored is not None
    assert caught.value.stored.next_number == 1
    assert Response.objects.count() == 1


def test_takes_a_missing_answer_where_time_is_limited(alice: Any) -> None:
    study = asked(alice, timing={"exposure_ms": 200, "window_ms": 1500})
    participant = while_ago(begin(study, entry="link")[0])
    store(participant, [right(participant, 0, answer=None, rt_ms=None)])

    assert Response.objects.get().is_right is False
    with pytest.raises(
        Refused, match="is no reaction time; it is from 0 to 1,950"
    ):  # 200, 1500 and the slack
        store(participant, [right(participant, 1, rt_ms=1_960.0)])


def test_counts_no_time_for_an_answer_that_is_missing(alice: Any) -> None:
    study = asked(alice, timing={"exposure_ms": 200, "window_ms": 1500})
    participant = while_ago(begin(study, entry="link")[0], 0)
    late = [
        right(participant, number, answer=None, rt_ms=rt_ms) for number, rt_ms in enumerate((math.nan, -1e9))
    ]

    with pytest.raises(Refused, match="longer than this session has lasted") as caught:
        store(participant, [*late, *(right(participant, number, rt_ms=1_500.0) for number in (2, 3))])

    assert caught.value.stored is not None
    assert caught.value.stored.next_number == 3


def test_asks_how_sure_one_is_where_the_design_does(alice: Any) -> None:
    participant = while_ago(begin(asked(alice, asks_confidence=True), entry="link")[0])
    with pytest.raises(Refused, match="How sure you are is missing"):
        store(participant, [right(participant, 0)])
    store(participant, [right(participant, 0, sureness=0)])

    assert Response.objects.get().sureness == 0


@pytest.mark.parametrize(("feedback", "told"), [("none", 0), ("practice", 1), ("all", 2)])
def test_tells_what_was_right_only_where_the_design_does(alice: Any, feedback: str, told: int) -> None:
    participant = while_ago(begin(asked(alice, feedback=feedback), entry="link")[0])

    stored = store(participant, [right(participant, 0), right(participant, 1)])

    assert len(stored.told) == told
    assert all(one.is_right for one in stored.told)


def test_stores_an_answer_in_few_queries(
    participant: Participant, django_assert_max_num_queries: Any
) -> None:
    answer = right(participant, 0)
    participant = Participant.objects.select_related("study", "classroom").get(pk=participant.pk)
    with django_assert_max_num_queries(5):  # with the savepoint of a test's transaction
        store(participant, [answer])


def test_lets_sessions_finish_that_had_begun_when_the_study_closed(
    study: Study, participant: Participant
) -> None:
    Study.objects.filter(pk=study.pk).update(status="closed", closed_at=timezone.now())
    participant.study.refresh_from_db()

    assert store(participant, [right(participant, 0)]).next_number == 1
    with pytest.raises(Refused, match="This study is closed"):
        begin(study, entry="link")


def test_takes_nothing_long_after_closing(study: Study, participant: Participant) -> None:
    Study.objects.filter(pk=study.pk).update(status="closed", closed_at=timezone.now() - timedelta(hours=3))
    participant.study.refresh_from_db()

    with pytest.raises(Refused, match="Your answers up to here were kept"):
        store(participant, [right(participant, 0)])
    assert times(study) == {"closed": 1}


def test_begins_by_the_ways_in_alone(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(entries="account")
    with pytest.raises(Refused, match="does not take people who come this way"):
        begin(study, entry="link")
    Study.objects.filter(pk=study.pk).update(status="draft", entries="link")
    with pytest.raises(Refused, match="not open yet"):
        begin(study, entry="link")


def test_begins_no_more_than_are_needed(alice: Any) -> None:
    study = asked(alice, count=6, images_per_participant=3, raters_per_image=1)
    assert places_left(study) == 2
    first, _ = begin(study, entry="link")
    begin(study, entry="link")
    with pytest.raises(Refused, match="as many participants as it needs"):
        begin(study, entry="link")

    while_ago(first, 3 * 3600)
    assert places_left(study) == 1  # whoever left makes room


def test_obeys_the_class(study: Study, alice: Any) -> None:
    classroom = Classroom.objects.create(study=study, teacher=alice, join_code="ABC234")
    participant = while_ago(begin(study, entry="class", classroom=classroom)[0])
    with pytest.raises(Refused, match="takes no answers now"):
        store(participant, [right(participant, 0)])
    classroom.start()
    assert store(participant, [right(participant, 0)]).next_number == 1
    Classroom.objects.filter(pk=classroom.pk).update(started_at=timezone.now() - timedelta(seconds=130))
    classroom.refresh_from_db()

    with pytest.raises(Refused, match="Time is up"):
        store(Participant.objects.get(pk=participant.pk), [right(participant, 1)])


def test_leaves_nothing_of_who_withdraws(study: Study) -> None:
    participant = taken(study, 3)
    OutsideIdentity.objects.create(participant=participant, study=study, service="prolific", person="5f0c")
    other = taken(study, 2)

    withdraw(participant)
    withdraw(participant)
    study.refresh_from_db()

    assert study.n_withdrawn == 1
    assert list(study.participants.all()) == [other]
    assert not OutsideIdentity.objects.exists()
    assert {trial.participant_id for trial in Trial.objects.all()} == {other.pk}
    with pytest.raises(Refused, match="its data are deleted"):
        store(participant, [right(other, 3)])
