"""What people recognised goes back to the gallery, and goes away again with the data that it came from."""

from typing import Any

import pytest
from django.test import Client

from fooling_web.galleries.models import Exhibit
from fooling_web.galleries.searching import page_of
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Individual
from fooling_web.studies.models import Analysis, Response, Study
from fooling_web.studies.recognition import LEAST_RATERS, recount, studies_of
from fooling_web.studies.tasks import keep_recognition
from tests.imagined import imagined
from tests.studies.surveyed import planned, surveyed

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(alice: Any) -> list[Individual]:
    """Two images that hang in the gallery."""
    from fooling_web.galleries.hanging import hang_all

    run = imagined(10, owner=alice).run
    hang_all(seconds=60)
    return list(Individual.objects.filter(entries__run=run).distinct().order_by("pk")[:2])


def told(individual: Individual) -> Exhibit | None:
    return Exhibit.objects.filter(individual=individual).first()


def answered(study: Study, *, accuracy: float, n_people: int = 20, phase: str = "main") -> None:
    surveyed(study, n_people, accuracy=accuracy, phase=phase)


def test_tells_what_is_recognised_above_chance(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0)
    right = Response.objects.filter(trial__image__individual=shown[0])
    for response in right.order_by("trial__participant__number")[:10]:
        Response.objects.filter(pk=response.pk).update(answer=1 - response.trial.key, is_right=False)

    assert recount(study)

    half, all_of_them = told(shown[0]), told(shown[1])
    assert half
    assert all_of_them
    assert (half.recognition, half.n_asked, half.fooling_index) == (0.0, 20, pytest.approx(0.99))  # a coin
    assert (all_of_them.recognition, all_of_them.n_asked, all_of_them.fooling_index) == (1.0, 20, 0.0)


def test_counts_the_main_phase_alone(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0, phase="pilot")

    assert not recount(study)

    assert told(shown[0]) is None


def test_says_nothing_after_few_people(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0, n_people=LEAST_RATERS - 1)

    recount(study)

    assert told(shown[0]) is None


def test_leaves_out_whom_the_rules_leave_out(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0, n_people=10)
    surveyed(study, 10, accuracy=0.0, seed=1)
    study.participants.filter(number__gt=10).update(completed_at=None)

    recount(study)

    exhibit = told(shown[0])
    assert exhibit
    assert (exhibit.n_asked, exhibit.recognition) == (10, 1.0)


def test_counts_once_until_something_comes_in(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0)

    assert recount(study)
    assert not recount(study)
    answered(study, accuracy=0.0)
    assert recount(study)

    exhibit = told(shown[0])
    assert exhibit
    assert (exhibit.n_asked, exhibit.recognition) == (40, 0.0)
    assert Analysis.objects.count() == 1


def test_puts_studies_together_by_their_raters(alice: Any, shown: list[Individual]) -> None:
    few, many = planned(alice, individuals=shown), planned(alice, individuals=shown)
    answered(few, accuracy=1.0, n_people=10)
    answered(many, accuracy=0.0, n_people=30)

    keep_recognition()

    exhibit = told(shown[0])
    assert exhibit
    assert (exhibit.n_asked, exhibit.recognition) == (40, 0.25)
    assert exhibit.fooling_index == pytest.approx(0.99 * 0.75)


def test_goes_when_people_withdraw(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0, n_people=12)
    recount(study)

    study.participants.filter(number__lte=5).delete()
    keep_recognition()

    exhibit = told(shown[0])
    assert exhibit
    assert (exhibit.n_asked, exhibit.recognition, exhibit.fooling_index) == (0, None, None)


def test_goes_when_a_study_is_deleted(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0)
    recount(study)
    Exhibit.objects.filter(individual=shown[1]).update(title="Waves")

    Study.objects.filter(pk=study.pk).delete()
    keep_recognition()

    exhibit = told(shown[1])
    assert exhibit
    assert (exhibit.n_asked, exhibit.recognition, exhibit.title) == (0, None, "Waves")


def test_is_found_in_the_gallery(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=0.5)
    recount(study)
    Exhibit.objects.filter(individual=shown[0]).update(fooling_index=0.95)
    Exhibit.objects.filter(individual=shown[1]).update(fooling_index=0.3)

    first = page_of(Wanted(sort="fooling")).entries[0]
    fools = {entry.individual_id for entry in page_of(Wanted(recognised="fools")).entries}

    assert first.individual_id == shown[0].pk
    assert fools == {shown[0].pk}


def test_stands_on_the_page_of_the_image(alice: Any, shown: list[Individual]) -> None:
    study = planned(alice, individuals=shown)
    answered(study, accuracy=1.0)
    recount(study)

    before = Client().get(told_address(shown[0])).content.decode()
    Study.objects.filter(pk=study.pk).update(results="public")
    after = Client().get(told_address(shown[0])).content.decode()

    assert "What people see in it" in before
    assert "20 people" in before
    assert f"/studies/{study.pk}/results/" not in before
    assert f"/studies/{study.pk}/results/" in after
    assert studies_of(shown[0]) == [study]


def told_address(individual: Individual) -> str:
    exhibit = told(individual)
    assert exhibit
    return exhibit.get_absolute_url()
