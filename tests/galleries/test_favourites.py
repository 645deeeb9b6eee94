"""Favourites: images that a person wants to find again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Exhibit, Favourite
from fooling_web.runs.models import Run
from tests.galleries.kept import address, closed, exhibit, image

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
FAVOURITES = reverse("galleries:favourites")


def shown(client: Client) -> list[int]:
    return [hung.individual.number for hung in client.get(FAVOURITES).context["images"]]


def test_keeps_an_image_and_lets_it_go(as_person: As, run: Run, bob: Any) -> None:
    kept, browser = image(run), as_person(bob)

    counts = []
    for keep in ("1", "1", "0", "0"):  # each twice, as by a double click
        browser.post(address("favourite", kept), {"keep": keep})
        counts.append(exhibit(kept).n_favourites)

    assert counts == [1, 1, 0, 0]


@pytest.mark.parametrize("sent", [{"keep": "x"}, {"keep": ""}, {}])
def test_refuses_what_says_neither(as_person: As, run: Run, bob: Any, sent: dict[str, str]) -> None:
    kept = image(run)

    answers = [
        as_person(bob).post(address("favourite", kept), sent, headers=headers)
        for headers in ({}, {"HX-Request": "true"})
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("Say 1 to keep the image, or 0 to let it go." in answer.content.decode() for answer in answers)
    assert not Favourite.objects.exists()


def test_shows_what_one_keeps_the_latest_first(as_person: As, run: Run, bob: Any) -> None:
    for number in (5, 6):
        keeping.favour(image(run, number), bob, wanted=True)

    assert shown(as_person(bob)) == [6, 5]


def test_shows_them_to_nobody_else(client: Client, as_person: As, run: Run, bob: Any, charlie: Any) -> None:
    keeping.favour(image(run), bob, wanted=True)

    assert shown(as_person(charlie)) == []
    assert client.get(FAVOURITES).status_code == 302


def test_leaves_out_what_was_closed_since(as_person: As, run: Run, alice: Any, bob: Any) -> None:
    kept = image(run)
    for person in (alice, bob):
        keeping.favour(kept, person, wanted=True)

    closed(run)

    assert shown(as_person(bob)) == []
    assert shown(as_person(alice)) == [0]
    assert as_person(bob).post(address("favourite", kept), {"keep": "0"}).status_code == 404


def test_keeps_an_unlisted_image_for_who_had_its_address(as_person: As, run: Run, bob: Any) -> None:
    keeping.favour(image(closed(run, "unlisted")), bob, wanted=True)

    assert shown(as_person(bob)) == [0]


def test_leaves_out_what_a_moderator_hid(as_person: As, run: Run, bob: Any) -> None:
    keeping.favour(image(run), bob, wanted=True)
    Exhibit.objects.update(hidden=True)

    assert shown(as_person(bob)) == []


@pytest.mark.parametrize("page", ["-1", "x", "99999999999999999999", "2"])
def test_shows_a_page_whatever_is_asked_for(as_person: As, run: Run, bob: Any, page: str) -> None:
    keeping.favour(image(run), bob, wanted=True)

    assert as_person(bob).get(FAVOURITES, {"page": page}).status_code == 200


def test_asks_the_database_no_more_for_more_images(
    as_person: As, run: Run, bob: Any, django_assert_num_queries: Any
) -> None:
    browser, exhibits = as_person(bob), [Exhibit.objects.create(individual=image(run, n)) for n in range(60)]
    Favourite.objects.bulk_create(Favourite(exhibit=kept, person=bob) for kept in exhibits)

    with django_assert_num_queries(5):  # session, person; how many, which, their images
        assert len(browser.get(FAVOURITES).context["images"]) == 48
