"""The page of results: who may read it, what it says, and what it costs."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fooling_web.studies.analysing import asked_for, carry_out
from fooling_web.studies.design import TASKS, Design
from fooling_web.studies.models import Analysis, Participant, Study
from fooling_web.studies.piloting import simulate_some
from fooling_web.studies.tasks import analyse
from tests.studies.surveyed import planned, surveyed

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(alice: Any) -> Study:
    return Study.objects.create(owner=alice, title="What is it?", design=Design().to_json())


def joined(study: Study, **values: Any) -> Participant:
    number = study.participants.count() + 1
    usual = {"phase": "pilot", "entry": "link", "framing": "machine", "seed": 1, "token_hash": "x" * 64}
    return Participant.objects.create(
        study=study, number=number, consented_at=timezone.now(), **{**usual, **values}
    )


def test_are_read_by_owner_and_staff_alone(
    study: Study, alice: Any, charlie: Any, administrator: Any, as_person: Any
) -> None:
    for person, status in ((alice, 200), (administrator, 200), (charlie, 404)):
        assert as_person(person).get(f"/studies/{study.pk}/results/").status_code == status
    assert Client().get(f"/studies/{study.pk}/results/").status_code == 404
    assert Client().get(f"/studies/{uuid4()}/results/").status_code == 404


def test_count_who_took_part(study: Study, alice: Any, as_person: Any) -> None:
    joined(study)
    joined(study, entry="prolific", completed_at=timezone.now())

    page = as_person(alice).get(f"/studies/{study.pk}/results/").content.decode()

    assert '<dd data-number="begun">2</dd>' in page
    assert '<dd data-number="completed">1</dd>' in page
    assert "Pilot phase." in page


def test_show_the_main_phase_once_there_is_one_and_never_mix(
    study: Study, alice: Any, as_person: Any
) -> None:
    joined(study)
    joined(study)
    joined(study, phase="main")
    joined(study, phase="preview")
    browser = as_person(alice)

    main = browser.get(f"/studies/{study.pk}/results/").content.decode()
    pilot = browser.get(f"/studies/{study.pk}/results/?phase=pilot").content.decode()

    assert '<dd data-number="begun">1</dd>' in main
    assert "Main phase." in main
    assert '<dd data-number="begun">2</dd>' in pilot
    assert "Pilot phase." in pilot


def test_are_published_and_taken_back(study: Study, alice: Any, charlie: Any, as_person: Any) -> None:
    owner, address = as_person(alice), f"/studies/{study.pk}/results/"

    owner.post(f"{address}publish/", {"results": "public"})
    assert Client().get(address).status_code == 200
    assert b"Who may read this" not in Client().get(address).content
    owner.post(f"{address}publish/", {"results": "private"})

    assert Client().get(address).status_code == 404
    assert as_person(charlie).post(f"{address}publish/", {"results": "public"}).status_code == 404
    assert owner.post(f"{address}publish/", {"results": "everybody"}).status_code == 404


def test_say_accuracy_by_condition_image_class_and_person(alice: Any, as_person: Any) -> None:
    study = planned(alice, 6, comparison="encoding", preset="P1")
    surveyed(study, 12, accuracy=1.0)

    page = as_person(alice).get(f"/studies/{study.pk}/results/").content.decode()

    assert '<dd data-number="accuracy">100.0\N{NO-BREAK SPACE}%</dd>' in page
    assert '<dd data-number="kappa">1.00</dd>' in page
    for section in ("exclusions", "accuracy", "plane", "images", "classes", "people", "effect", "published"):
        assert f'id="results-{section}"' in page
    assert page.count('class="thumb"') == 6
    assert "Zhou and Firestone" in page


def test_name_who_is_left_out_by_number(alice: Any, as_person: Any) -> None:
    study = planned(alice, 4)
    people = surveyed(study, 5)
    Participant.objects.filter(pk=people[2].pk).update(completed_at=None)

    page = as_person(alice).get(f"/studies/{study.pk}/results/").content.decode()

    assert '<strong data-number="kept">4</strong>' in page
    assert "<td>1</td><td" in page.replace('<td class="words">3</td>', "<td>")
    assert "did not come to the end" in page


def test_cost_no_more_queries_for_more_people(alice: Any, as_person: Any) -> None:
    few, many = planned(alice, 6, comparison="encoding"), planned(alice, 6, comparison="encoding")
    surveyed(few, 3)
    surveyed(many, 60)
    browser = as_person(alice)
    browser.get(f"/studies/{few.pk}/results/?people=right")

    counts = []
    for study in (few, many):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"/studies/{study.pk}/results/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 22


def test_are_sorted_as_the_address_says(alice: Any, as_person: Any) -> None:
    study = planned(alice, 6)
    surveyed(study, 4)
    browser = as_person(alice)

    page = browser.get(
        f"/studies/{study.pk}/results/?images=-label&scale=even&images_page=x"
    ).content.decode()
    odd = browser.get(f"/studies/{study.pk}/results/?images=colour&people_page=99&phase=no")

    labels = re.findall(r'<td class="words">([a-z]+)</td><td><strong>', page)
    assert labels == sorted(labels, reverse=True)
    assert 'aria-sort="descending"' in page
    assert odd.status_code == 200


def test_send_nothing_where_nothing_came_in(alice: Any, as_person: Any) -> None:
    study = planned(alice, 4)
    surveyed(study, 2)
    browser, address = as_person(alice), f"/studies/{study.pk}/results/part/"
    headers = {"HX-Request": "true"}

    first = browser.get(address, headers=headers)
    state = re.search(r'name="state" value="([^"]+)"', first.content.decode())
    assert state
    again = browser.get(address, {"state": state[1]}, headers=headers)
    surveyed(study, 1)
    later = browser.get(address, {"state": state[1]}, headers=headers)

    assert first.content.count(b'hx-swap-oob="true"') > 5
    assert again.status_code == 204
    assert later.status_code == 200
    assert browser.get(address).status_code == 302


def test_have_the_effect_computed_by_a_worker(alice: Any, charlie: Any, as_person: Any) -> None:
    study = planned(alice, 6, comparison="encoding")
    surveyed(study, 8)
    browser, address = as_person(alice), f"/studies/{study.pk}/results/"

    assert as_person(charlie).post(f"{address}analyse/").status_code == 404
    asked_for(study, "main")
    waiting = browser.get(address).content.decode()
    analyse(Analysis.objects.get().pk)
    done = browser.get(address).content.decode()
    surveyed(study, 1)
    later = browser.get(address).content.decode()

    assert "A worker is computing it from 48 answers" in waiting
    assert "cppn − direct" in done
    assert "Compute again" not in done
    assert "6 answers came since." in later
    assert "Compute again" in later


def test_say_why_there_is_no_effect(alice: Any, as_person: Any) -> None:
    study = planned(alice, 1, comparison="encoding")
    surveyed(study, 4)

    carry_out(asked_for(study, "main"))
    page = as_person(alice).get(f"/studies/{study.pk}/results/").content.decode()

    assert "Only one condition has answers" in page
    assert asked_for(study, "main").status == Analysis.Status.WAITING


@pytest.mark.parametrize("task", TASKS)
def test_are_shown_for_every_task(alice: Any, as_person: Any, task: str) -> None:
    study = planned(alice, 6, task=task, catch_share=0, n_practice=0, asks_confidence=True)
    study.images.filter(number__lte=2).update(is_natural=True, encoding="")
    simulate_some(study, 4, 0.9, seed=3)

    page = as_person(alice).get(f"/studies/{study.pk}/results/").content.decode()

    assert '<dd data-number="begun">4</dd>' in page
    assert ("in their own words" in page) == (task == "name-then-choose")
