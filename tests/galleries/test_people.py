"""A person's page, and what an image is called by whoever found it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Collection, Exhibit, Rating
from fooling_web.runs.models import Run
from tests.factories import launched
from tests.galleries.kept import address, closed, exhibit, image

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
HTMX = {"HX-Request": "true"}


def page(client: Client, name: str = "alice") -> Any:
    return client.get(reverse("galleries:person", args=[name]))


class TestPage:
    def test_shows_public_things_to_everybody(self, client: Client, run: Run, alice: Any, bob: Any) -> None:
        rated = image(run)
        keeping.rate(rated, bob, 5)
        keeping.give_tags(rated, alice, ["stripes"])
        keeping.say(rated, alice, "Mine.")
        keeping.rate(rated, alice, 4)
        Collection.objects.create(owner=alice, title="Stripes")

        shown = page(client).context

        assert [run.name for run in shown["runs"]] == [run.name]
        assert [hung.individual for hung in shown["best"]] == [rated]
        assert [hung.row.stars for hung in shown["liked"]] == [4]
        assert [collection.title for collection in shown["collections"]] == ["Stripes"]
        assert shown["numbers"] == {"ratings": 1, "comments": 1, "tags": 1}

    @pytest.mark.parametrize("visibility", ["private", "unlisted"])
    def test_shows_what_is_not_public_to_its_owner_alone(
        self, client: Client, as_person: As, run: Run, alice: Any, bob: Any, visibility: str
    ) -> None:
        rated = image(closed(run, visibility))
        keeping.rate(rated, alice, 4)
        keeping.say(rated, alice, "Mine.")
        keeping.give_tags(rated, alice, ["stripes"])
        Collection.objects.create(owner=alice, title="Stripes", visibility=visibility)

        for browser in (client, as_person(bob)):
            shown = page(browser).context
            assert [len(shown[name]) for name in ("runs", "best", "liked", "collections")] == [0, 0, 0, 0]
            assert shown["numbers"] == {"ratings": 0, "comments": 0, "tags": 0}
        own = page(as_person(alice))
        assert [len(own.context[name]) for name in ("runs", "collections")] == [1, 1]
        assert own.content.decode().count(visibility) > 2

    def test_forgets_what_was_closed_or_hidden_since(self, client: Client, run: Run, alice: Any) -> None:
        for number in range(2):
            keeping.rate(image(run, number), alice, 4)
        Exhibit.objects.filter(individual__number=1).update(hidden=True)
        assert [len(page(client).context[name]) for name in ("best", "liked")] == [1, 1]

        closed(run)

        assert [len(page(client).context[name]) for name in ("best", "liked")] == [0, 0]

    @pytest.mark.parametrize("name", ["nobody", "ALICE", "<b>", "alice\0", "x" * 500, "%", "é" * 50])
    def test_knows_nobody_of_another_name(self, client: Client, alice: Any, name: str) -> None:
        assert page(client, name).status_code == 404

    def test_shows_nobody_who_was_locked_out(self, client: Client, alice: Any) -> None:
        alice.is_active = False
        alice.save()

        assert page(client).status_code == 404

    @pytest.mark.parametrize("number", ["-1", "x", "99999999999999999999"])
    def test_shows_a_page_whatever_is_asked_for(self, client: Client, run: Run, number: str) -> None:
        assert client.get(reverse("galleries:person", args=["alice"]), {"page": number}).status_code == 200

    def test_asks_the_database_no_more_for_more(
        self, client: Client, run: Run, alice: Any, bob: Any, django_assert_max_num_queries: Any
    ) -> None:
        others = [run, *(launched(owner=alice) for _ in range(3))]
        exhibits = [
            Exhibit.objects.create(individual=image(found, number), stars=4, n_ratings=1)
            for found in others
            for number in range(5)
        ]
        Rating.objects.bulk_create(Rating(exhibit=rated, person=alice, stars=4) for rated in exhibits)
        for number in range(8):
            held = Collection.objects.create(owner=alice, title=f"No. {number}")
            keeping.collect(exhibits[number].individual, held)

        # person; what they bred; runs three times, best and liked twice, collections and numbers three times each
        with django_assert_max_num_queries(15):
            shown = page(client).context
        assert [len(shown[name]) for name in ("runs", "best", "liked", "collections")] == [4, 12, 12, 6]


class TestTitle:
    def test_is_given_by_the_runs_owner(self, as_person: As, run: Run, alice: Any) -> None:
        named = image(run)

        answer = as_person(alice).post(address("title", named), {"title": "  <b>Star</b>   fish\u202e "})

        assert answer["Location"] == address("image", named)
        assert exhibit(named).title == "<b>Star</b> fish"
        assert "<b>Star" not in as_person(alice).get(address("said", named)).content.decode()

    def test_is_given_by_nobody_else(self, as_person: As, client: Client, run: Run, bob: Any) -> None:
        named = image(run)

        assert as_person(bob).post(address("title", named), {"title": "Mine"}).status_code == 404
        assert client.post(address("title", named), {"title": "Mine"}).status_code == 302
        assert "said-title" not in as_person(bob).get(address("said", named)).content.decode()
        assert not Exhibit.objects.exists()

    def test_is_taken_away(self, as_person: As, run: Run, alice: Any) -> None:
        named = image(run)
        keeping.name(named, "Starfish")

        answer = as_person(alice).post(address("title", named), {"title": ""}, headers=HTMX)

        assert answer["HX-Refresh"] == "true"
        assert exhibit(named).title == ""

    @pytest.mark.parametrize("title", ["x" * 101, "nul\0nul"])
    def test_is_short(self, as_person: As, run: Run, alice: Any, title: str) -> None:
        answer = as_person(alice).post(address("title", image(run)), {"title": title})

        assert answer.status_code == 422
        assert not Exhibit.objects.filter(title__gt="").exists()


class TestSaidPage:
    def test_is_a_page_and_a_part_of_one(self, client: Client, run: Run) -> None:
        said = image(run)

        whole = client.get(address("said", said))
        part = client.get(address("said", said), headers=HTMX)

        assert "<html" in whole.content.decode()
        assert "<html" not in part.content.decode()
        assert "HX-Request" in whole["Vary"]

    def test_offers_ways_in_to_visitors(self, client: Client, run: Run) -> None:
        said = image(run)

        page = client.get(address("said", said)).content.decode()

        assert f"{reverse('account_login')}?next=" in page
        assert address("rating", said) in page
        assert address("comments", said) not in page
