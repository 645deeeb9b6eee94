"""Trials are laid down so that what is compared differs in what is asked about alone."""

from collections import Counter
from typing import Any

import pytest

from fooling_web.studies import sixteen
from fooling_web.studies.design import Task
from fooling_web.studies.models import Study, StudyImage
from fooling_web.studies.trials import Planned, lay_down, plan_trials
from tests.studies.asked import LABELS, asked

pytestmark = pytest.mark.django_db


def planned(
    study: Study, number: int = 1, seed: int | None = None, framing: str = "machine"
) -> list[Planned]:
    images = list(study.images.all())
    return plan_trials(
        study.plan, images, seed=number if seed is None else seed, number=number, framing=framing
    )


def main(trials: list[Planned]) -> list[Planned]:
    return [trial for trial in trials if trial.role == "main"]


def labels_of(study: Study) -> dict[int, str]:
    return dict(study.images.values_list("number", "label"))


def test_come_again_with_the_same_seed(alice: Any) -> None:
    study = asked(alice)

    assert planned(study) == planned(study)
    assert planned(study) != planned(study, seed=99)


def test_show_every_image_once(alice: Any) -> None:
    study = asked(alice, count=12)

    shown = Counter(trial.image_number for trial in main(planned(study)))

    assert shown == dict.fromkeys(study.images.filter(role="main").values_list("number", flat=True), 1)


def test_begin_with_practice(alice: Any) -> None:
    roles = [trial.role for trial in planned(asked(alice, count=6, practice=2))]

    assert roles[:2] == ["practice", "practice"]
    assert "practice" not in roles[2:]


@pytest.mark.parametrize(("count", "share"), [(8, 0.05), (48, 0.05), (20, 0.2)])
def test_have_their_share_of_catch_trials(alice: Any, count: int, share: float) -> None:
    study = asked(alice, count=count, catch=10, catch_share=share)

    roles = Counter(trial.role for trial in planned(study) if trial.role != "practice")

    assert roles["catch"] / roles.total() >= share
    assert (roles["catch"] - 1) / (roles.total() - 1) < share  # and no more than that


def test_spread_catch_trials_over_the_session(alice: Any) -> None:
    study = asked(alice, count=30, catch=6, practice=0, catch_share=0.15, repeat_share=0)
    for number in range(1, 20):
        trials = planned(study, number)
        places = [place for place, trial in enumerate(trials) if trial.role == "catch"]
        thirds = Counter(3 * place // len(trials) for place in places)
        assert set(thirds) == {0, 1, 2}


def test_repeat_early_images_late(alice: Any) -> None:
    study = asked(alice, count=24, repeat_share=0.2, practice=0, catch=0, catch_share=0)
    for number in range(1, 10):
        trials = planned(study, number)
        again = [trial.image_number for trial in trials if trial.role == "repeat"]
        assert len(again) == len(set(again)) == 5  # 0.2 x 24 = 4.8
        for image in again:
            first, second = (place for place, trial in enumerate(trials) if trial.image_number == image)
            assert first < len(trials) / 3
            assert second - first >= 8


def test_put_the_right_option_everywhere_equally_often(alice: Any) -> None:
    study = asked(alice, count=12, n_options=4, practice=0, catch=0, catch_share=0, repeat_share=0)

    assert Counter(trial.key for trial in planned(study)) == {0: 3, 1: 3, 2: 3, 3: 3}


def test_give_every_image_every_place_once(alice: Any) -> None:
    study = asked(alice, count=6, practice=0, catch=0, catch_share=0, repeat_share=0)

    places = Counter(
        (place, trial.image_number)
        for number in range(1, 7)
        for place, trial in enumerate(planned(study, number))
    )

    assert set(places.values()) == {1}
    assert len(places) == 36


def test_give_every_image_equally_many_raters(alice: Any) -> None:
    study = asked(alice, count=10, images_per_participant=4)

    shown = Counter(trial.image_number for number in range(1, 6) for trial in main(planned(study, number)))

    assert set(shown.values()) == {2}  # 5 participants x 4 images / 10 images


def test_give_every_image_every_place_though_each_sees_half(alice: Any) -> None:
    study = asked(
        alice, count=8, images_per_participant=4, practice=0, catch=0, catch_share=0, repeat_share=0
    )

    places = Counter(
        (place, trial.image_number)
        for number in range(1, 9)
        for place, trial in enumerate(planned(study, number))
    )

    assert set(places.values()) == {1}
    assert len(places) == 32


def test_show_both_framings_the_same_images_at_the_same_places(alice: Any) -> None:
    study = asked(
        alice, count=8, images_per_participant=4, repeat_share=0, framing="between", comparison="framing"
    )
    for number in range(1, 9, 2):
        machine, you = (
            [trial.image_number for trial in main(planned(study, one))] for one in (number, number + 1)
        )
        assert machine == you


def test_give_every_participant_both_kinds(alice: Any) -> None:
    study = asked(alice, count=12, images_per_participant=4, comparison="encoding")
    for number in range(1, 7):
        assert Counter(trial.condition for trial in main(planned(study, number))) == {"cppn": 2, "direct": 2}


def test_offer_the_right_label_beside_another_one(alice: Any) -> None:
    study = asked(alice, n_options=3)
    labels = labels_of(study)
    for trial in planned(study):
        assert trial.key is not None
        assert trial.options[trial.key] == labels[trial.image_number]
        assert len(set(trial.options)) == 3
        assert set(trial.options) <= set(LABELS)


def test_offer_the_machines_second_choice(alice: Any) -> None:
    study = asked(alice, foil="second")
    second = dict(study.images.values_list("number", "second_label"))
    for trial in planned(study):
        assert set(trial.options) == {labels_of(study)[trial.image_number], second[trial.image_number]}


def test_offer_labels_of_the_same_group(alice: Any) -> None:
    study = asked(alice, foil="branch", count=5, catch=0, catch_share=0, practice=0)
    fish = {"tench", "goldfish", "great white shark", "tiger shark", "hammerhead", "electric ray", "stingray"}
    StudyImage._base_manager.filter(study=study).update(label="tench", branch="fish")

    foils = {
        option for number in range(1, 40) for trial in planned(study, number) for option in trial.options
    }

    assert foils & fish
    assert not foils & set(LABELS)


def test_offer_all_labels_where_there_are_as_many_options(alice: Any) -> None:
    study = asked(alice, count=12, n_options=12)
    for trial in planned(study):
        assert sorted(trial.options) == sorted(LABELS)


def test_offer_sixteen_categories_always_at_the_same_places(alice: Any) -> None:
    study = asked(alice, count=5, n_options=16)
    shown = StudyImage._base_manager.filter(study=study, role="main")
    shown.update(dataset=sixteen.SIXTEEN, label="oven", class_index=14)

    for number in (1, 2):
        for trial in main(planned(study, number)):
            assert (trial.options, trial.key) == (list(sixteen.LABELS), 14)
    catch = next(trial for trial in planned(study) if trial.role == "catch")
    assert catch.options[:16] == list(sixteen.LABELS)
    assert catch.key == 16


def test_offer_images_with_other_labels_anew_each_time(alice: Any) -> None:
    study = asked(alice, task=Task.PICK_IMAGE, n_options=4, count=12)
    labels, offered = labels_of(study), []
    for trial in main(planned(study)):
        assert trial.key is not None
        assert trial.options[trial.key] == trial.image_number
        assert [labels[number] for number in trial.options].count(labels[trial.image_number]) == 1
        offered.append(frozenset(trial.options) - {trial.image_number})
    assert len(set(offered)) > 6


def test_have_no_right_answer_about_what_means_nothing(alice: Any) -> None:
    study = asked(alice, task=Task.RECOGNISABLE)
    for trial in planned(study):
        assert trial.key == (None if trial.role in ("main", "repeat") else 0)


def test_ask_whether_the_machine_is_right_where_that_is_known(alice: Any) -> None:
    study = asked(alice, task=Task.RIGHT_OR_WRONG, count=4, is_open=False)
    study.images.filter(number=1).update(is_natural=True, machine_index=99)
    study.images.filter(number=2).update(is_natural=True)
    keys = {trial.image_number: trial.key for trial in main(planned(study))}

    assert keys == {1: 1, 2: 0, 3: None, 4: None}


@pytest.mark.parametrize(
    ("comparison", "conditions"),
    [
        ("none", {""}),
        ("framing", {"you"}),
        ("encoding", {"cppn", "direct"}),
        ("dataset", {"imagenet"}),
        ("encoding-and-dataset", {"cppn/imagenet", "direct/imagenet"}),
        ("natural", {"evolved"}),
    ],
)
def test_say_of_which_condition_they_are(alice: Any, comparison: str, conditions: set[str]) -> None:
    framing = "between" if comparison == "framing" else "machine"
    study = asked(alice, comparison=comparison, framing=framing)

    assert {trial.condition for trial in main(planned(study, framing="you"))} == conditions


def test_are_stored_in_two_queries(alice: Any, django_assert_num_queries: Any) -> None:
    from tests.studies.asked import begin

    participant, _ = begin(asked(alice, count=48), entry="simulated")
    participant.trials.all().delete()
    with django_assert_num_queries(2):
        lay_down(participant)
