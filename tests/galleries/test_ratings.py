"""Stars: one to five from each person, and a mean that is always that of the rows."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Exhibit, Rating
from fooling_web.runs.models import Run
from tests.galleries.kept import HUGE, address, closed, exhibit, image

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
HTMX = {"HX-Request": "true"}


def test_counts_stars_and_their_mean(as_person: As, run: Run, bob: Any, charlie: Any) -> None:
    rated = image(run)
    as_person(bob).post(address("rating", rated), {"stars": "5"})
    as_person(charlie).post(address("rating", rated), {"stars": "2"})

    assert (exhibit(rated).stars, exhibit(rated).n_ratings) == (3.5, 2)


def test_takes_new_stars_in_place_of_old_ones(as_person: As, run: Run, bob: Any) -> None:
    rated = image(run)
    for stars in ("5", "1", "1"):
        as_person(bob).post(address("rating", rated), {"stars": stars})

    assert (exhibit(rated).stars, exhibit(rated).n_ratings) == (1.0, 1)


def test_gives_stars_back(as_person: As, run: Run, bob: Any) -> None:
    rated = image(run)
    keeping.rate(rated, bob, 4)

    as_person(bob).post(address("rating", rated), {"withdraw": "1", "stars": "4"})

    assert (exhibit(rated).stars, exhibit(rated).n_ratings) == (0.0, 0)


@pytest.mark.parametrize("stars", ["0", "6", "x", "", "-1", "4.5", "9" * 40, "<b>", "\0"])
def test_refuses_what_is_no_number_of_stars(as_person: As, run: Run, bob: Any, stars: str) -> None:
    rated = image(run)

    answers = [
        as_person(bob).post(address("rating", rated), {"stars": stars}, headers=headers)
        for headers in ({}, HTMX)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("Give one to five stars" in answer.content.decode() for answer in answers)
    assert not Rating.objects.exists()


def test_leads_a_visitor_to_sign_in_and_back(client: Client, run: Run) -> None:
    rated = image(run)

    plainly = client.post(address("rating", rated), {"stars": "5"})
    quietly = client.post(
        address("rating", rated),
        {"stars": "5"},
        headers={**HTMX, "HX-Current-URL": f"http://testserver{address('image', rated)}?class=3"},
    )

    assert plainly["Location"] == f"{reverse('account_login')}?next={address('image', rated)}"
    assert quietly["HX-Redirect"].endswith(f"next={address('image', rated)}%3Fclass%3D3")
    assert not Exhibit.objects.exists()


def test_answers_a_press_with_the_stars_alone(as_person: As, run: Run, bob: Any) -> None:
    rated = image(run)

    answer = as_person(bob).post(address("rating", rated), {"stars": "4"}, headers=HTMX)

    assert "<html" not in answer.content.decode()
    assert "<strong>4.0</strong> of 5, from 1 rating<" in answer.content.decode()


def test_lets_nobody_rate_what_they_may_not_see(as_person: As, client: Client, run: Run, bob: Any) -> None:
    rated = image(closed(run))

    answers = [browser.post(address("rating", rated), {"stars": "5"}) for browser in (as_person(bob), client)]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_changes_nothing_by_looking(as_person: As, run: Run, bob: Any) -> None:
    rated = image(run)

    assert as_person(bob).get(address("rating", rated)).status_code == 405
    assert as_person(bob).get(address("said", rated)).status_code == 200
    assert not Exhibit.objects.exists()


def test_knows_no_image_of_a_number_too_large(as_person: As, run: Run, bob: Any) -> None:
    for name in ("rating", "favourite", "tags", "comments", "collect", "title"):
        wanted = reverse(f"galleries:{name}", args=[run.pk, HUGE])
        assert as_person(bob).post(wanted).status_code == 404
    assert as_person(bob).get(reverse("galleries:said", args=[run.pk, HUGE])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_loses_nobodys_stars_when_many_press_at_once(run: Run, django_user_model: Any) -> None:
    rated = image(run)
    people = [django_user_model.objects.create_user(f"person{number}") for number in range(8)]
    failures = []

    def press(person: Any, stars: int) -> None:
        try:
            keeping.rate(rated, person, 1)
            keeping.rate(rated, person, stars)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=press, args=(person, 1 + place % 5)) for place, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    given = list(Rating.objects.values_list("stars", flat=True))
    assert not failures
    assert exhibit(rated).n_ratings == len(given) == 8
    assert exhibit(rated).stars == sum(given) / 8


def test_counts_anew_when_somebody_leaves(
    run: Run, bob: Any, charlie: Any, django_capture_on_commit_callbacks: Any
) -> None:
    rated = image(run)
    keeping.rate(rated, bob, 1)
    keeping.rate(rated, charlie, 5)
    keeping.favour(rated, bob, wanted=True)
    keeping.say(rated, bob, "Mine.")

    with django_capture_on_commit_callbacks(execute=True):
        bob.delete()

    left = exhibit(rated)
    assert (left.stars, left.n_ratings, left.n_favourites, left.n_comments) == (5.0, 1, 0, 0)
