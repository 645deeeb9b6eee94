"""The page on which a study is tried out with nobody."""

from typing import Any

import pytest

from fooling_web.studies import piloting, tasks
from fooling_web.studies.freezing import freeze
from fooling_web.studies.models import Participant, Study
from tests.studies.surveyed import planned, surveyed

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(alice: Any) -> Study:
    return planned(alice, 8, catch_share=0, n_practice=0)


def test_is_for_owner_and_staff(
    study: Study, alice: Any, charlie: Any, administrator: Any, as_person: Any
) -> None:
    for person, status in ((alice, 200), (administrator, 200), (charlie, 404)):
        assert as_person(person).get(f"/studies/{study.pk}/pilot/").status_code == status
    assert as_person(charlie).post(f"/studies/{study.pk}/pilot/simulate/").status_code == 404
    assert as_person(charlie).post(f"/studies/{study.pk}/pilot/remove/").status_code == 404


def test_lets_a_few_take_part_at_once(study: Study, alice: Any, as_person: Any) -> None:
    browser = as_person(alice)

    browser.post(f"/studies/{study.pk}/pilot/simulate/", {"number": 3, "accuracy": 100})
    page = browser.get(f"/studies/{study.pk}/results/").content.decode()

    assert study.participants.filter(entry="simulated", phase="pilot").count() == 3
    assert '<dd data-number="begun">3</dd>' in page
    assert "Pilot phase." in page


def test_lets_many_take_part_by_a_worker(
    study: Study, alice: Any, as_person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piloting, "SLICE_SECONDS", 0)

    told = as_person(alice).post(
        f"/studies/{study.pk}/pilot/simulate/", {"number": 25, "accuracy": 80}, follow=True
    )
    tasks.simulate_participants(str(study.pk), 25, 0.8, 1)

    assert "25 simulated participants are taking part" in told.content.decode()
    assert piloting.simulated_in(study) == 1
    assert piloting.simulate_some(study, 24, 0.8, seed=1) == 23


def test_removes_the_simulated_and_nobody_else(study: Study, alice: Any, as_person: Any) -> None:
    surveyed(study, 2, phase="pilot")
    piloting.simulate_some(study, 2, 0.8, seed=1)

    as_person(alice).post(f"/studies/{study.pk}/pilot/remove/")

    assert list(study.participants.values_list("entry", flat=True)) == ["link", "link"]


def test_says_why_nobody_can_be_simulated(study: Study, alice: Any, as_person: Any) -> None:
    browser, address = as_person(alice), f"/studies/{study.pk}/pilot/simulate/"
    empty = planned(alice, 0)

    told = browser.post(f"/studies/{empty.pk}/pilot/simulate/", {"number": 1}, follow=True)
    wrong = browser.post(address, {"number": 0, "accuracy": 180})
    freeze(study)
    frozen = browser.post(address, {"number": 1, "accuracy": 80}, follow=True)

    assert "This study has no images yet." in told.content.decode()
    assert wrong.status_code == 422
    assert "The study is frozen" in frozen.content.decode()
    assert not Participant.objects.exists()
