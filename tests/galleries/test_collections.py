"""Collections: who may see them and what hangs in them, and how their owner arranges them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.galleries import keeping
from fooling_web.galleries.models import Collected, Collection, Exhibit
from fooling_web.runs.models import Individual, Run
from tests.galleries.kept import HUGE, address, closed, image

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
NEW = reverse("galleries:collection_new")
EVERYBODYS = reverse("galleries:all_collections")
CHOICES = {"title": "Stripes", "description": "", "visibility": "public"}


@pytest.fixture
def stripes(bob: Any) -> Collection:
    return Collection.objects.create(owner=bob, title="Stripes")


def page(name: str, collection: Collection) -> str:
    return reverse(f"galleries:{name}", args=[collection.pk])


def shown(client: Client, collection: Collection) -> list[int]:
    answer = client.get(collection.get_absolute_url())
    return [hung.individual.number for hung in answer.context["images"]]


def hang(collection: Collection, *images: Individual) -> None:
    for individual in images:
        keeping.collect(individual, collection)


def arrange(client: Client, collection: Collection, number: int, do: str) -> Any:
    item = collection.items.get(exhibit__individual__number=number)
    return client.post(reverse("galleries:collected", args=[collection.pk, item.pk]), {"do": do})


class TestAdding:
    def test_hangs_an_image_in_a_collection(
        self, as_person: As, run: Run, bob: Any, stripes: Collection
    ) -> None:
        for _ in range(2):  # as by a double click
            as_person(bob).post(address("collect", image_once(run)), {"collection": stripes.pk})

        assert shown(as_person(bob), stripes) == [0]

    def test_begins_a_collection_with_an_image(self, as_person: As, run: Run, bob: Any) -> None:
        for _ in range(2):
            as_person(bob).post(address("collect", image_once(run)), {"title": " Round   things "})

        assert Collection.objects.get().title == "Round things"
        assert Collected.objects.count() == 1

    @pytest.mark.parametrize("choice", ["", "x", "0", "99999", str(HUGE), "<script>", "\0"])
    def test_refuses_what_is_no_collection(self, as_person: As, run: Run, bob: Any, choice: str) -> None:
        answer = as_person(bob).post(address("collect", image(run)), {"collection": choice})

        assert answer.status_code == 422
        assert not Collected.objects.exists()

    def test_refuses_the_collection_of_somebody_else(
        self, as_person: As, run: Run, charlie: Any, stripes: Collection
    ) -> None:
        answer = as_person(charlie).post(address("collect", image(run)), {"collection": stripes.pk})

        assert answer.status_code == 422
        assert not Collected.objects.exists()

    def test_refuses_an_image_that_one_may_not_see(
        self, as_person: As, run: Run, bob: Any, stripes: Collection
    ) -> None:
        answer = as_person(bob).post(address("collect", image(closed(run))), {"collection": stripes.pk})

        assert answer.status_code == 404

    def test_refuses_more_than_a_collection_holds(
        self, as_person: As, run: Run, bob: Any, stripes: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeping, "MOST_COLLECTED", 1)
        hang(stripes, image(run, 0))

        answer = as_person(bob).post(address("collect", image(run, 1)), {"collection": stripes.pk})

        assert (answer.status_code, "is full" in answer.content.decode()) == (422, True)


class TestSeeing:
    @pytest.mark.parametrize(
        ("visibility", "statuses"),
        [("public", [200, 200, 200]), ("unlisted", [200, 200, 200]), ("private", [404, 404, 200])],
    )
    def test_opens_to_those_who_may(
        self, client: Client, as_person: As, bob: Any, charlie: Any, visibility: str, statuses: list[int]
    ) -> None:
        held = Collection.objects.create(owner=bob, title="Stripes", visibility=visibility)

        browsers = (client, as_person(charlie), as_person(bob))

        assert [browser.get(held.get_absolute_url()).status_code for browser in browsers] == statuses

    @pytest.mark.parametrize(("visibility", "listed"), [("public", 1), ("unlisted", 0), ("private", 0)])
    def test_is_listed_to_others_only_while_it_is_public(
        self, client: Client, as_person: As, bob: Any, visibility: str, listed: int
    ) -> None:
        Collection.objects.create(owner=bob, title="Stripes", visibility=visibility)
        wanted = reverse("galleries:collections", args=["bob"])

        assert len(client.get(wanted).context["page"]) == listed
        assert len(as_person(bob).get(wanted).context["page"]) == 1

    def test_leaves_out_what_a_viewer_may_not_see(
        self, client: Client, as_person: As, run: Run, alice: Any, bob: Any, stripes: Collection
    ) -> None:
        hang(stripes, image(run))

        closed(run)

        assert [shown(browser, stripes) for browser in (client, as_person(bob), as_person(alice))] == [
            [],
            [],
            [0],
        ]

    def test_gives_no_unlisted_address_away(
        self, client: Client, as_person: As, run: Run, bob: Any, stripes: Collection
    ) -> None:
        hang(stripes, image(closed(run, "unlisted")))

        assert shown(as_person(bob), stripes) == [0]
        assert shown(client, stripes) == []
        assert str(run.pk) not in client.get(reverse("galleries:collections", args=["bob"])).content.decode()

    def test_shows_markup_as_text(self, client: Client, bob: Any) -> None:
        held = Collection.objects.create(owner=bob, title="<b>x", description="<script>alert(1)</script>")

        page = client.get(held.get_absolute_url()).content.decode()

        assert "<b>x" not in page
        assert "<script>alert" not in page

    def test_knows_no_collection_of_a_number_too_large(self, as_person: As, bob: Any) -> None:
        for name in ("collection", "collection_edit", "collection_delete"):
            assert as_person(bob).get(reverse(f"galleries:{name}", args=[HUGE])).status_code == 404

    def test_asks_the_database_no_more_for_more_collections_and_images(
        self, as_person: As, client: Client, run: Run, bob: Any, django_assert_num_queries: Any
    ) -> None:
        exhibits = [Exhibit.objects.create(individual=image(run, number)) for number in range(60)]
        for number in range(30):
            held = Collection.objects.create(owner=bob, title=f"No. {number}")
            Collected.objects.bulk_create(Collected(collection=held, exhibit=kept) for kept in exhibits)

        with django_assert_num_queries(5):  # person; how many, which; their items, their images
            listed = client.get(reverse("galleries:collections", args=["bob"])).context["page"]
        with django_assert_num_queries(5):  # collection; how many, which, their images; how many at all
            assert len(shown(client, held)) == 48

        assert [len(collection.strip) for collection in listed] == [5] * 24
        assert {collection.n_shown for collection in listed} == {60}


class TestEverybodys:
    def test_lists_what_is_public_and_holds_something(
        self, as_person: As, client: Client, run: Run, bob: Any, charlie: Any, stripes: Collection
    ) -> None:
        hang(stripes, image(run))
        hang(Collection.objects.create(owner=bob, title="Mine", visibility="private"), image_once(run))
        hang(Collection.objects.create(owner=bob, title="Ours", visibility="unlisted"), image_once(run))
        Collection.objects.create(owner=charlie, title="Empty")

        for browser in (client, as_person(bob), as_person(charlie)):
            answer = browser.get(EVERYBODYS)
            assert [one.title for one in answer.context["page"]] == ["Stripes"]
            assert "by bob · 1 image" in answer.content.decode()

    def test_forgets_what_was_closed_or_hidden_since_and_who_was_locked_out(
        self, client: Client, run: Run, bob: Any, stripes: Collection
    ) -> None:
        def listed() -> int:
            return len(client.get(EVERYBODYS).context["page"])

        hang(stripes, image(run))
        Exhibit.objects.update(hidden=True)
        assert listed() == 0
        Exhibit.objects.update(hidden=False)
        assert listed() == 1
        closed(run, "unlisted")
        assert listed() == 0
        closed(run, "public")
        bob.is_active = False
        bob.save()
        assert listed() == 0

    def test_asks_the_database_no_more_for_more_collections(
        self, client: Client, run: Run, bob: Any, django_assert_num_queries: Any
    ) -> None:
        kept = Exhibit.objects.create(individual=image(run))
        for number in range(30):
            Collected.objects.create(
                collection=Collection.objects.create(owner=bob, title=f"No. {number}"), exhibit=kept
            )

        with django_assert_num_queries(4):  # how many, which; their items, their images
            assert len(client.get(EVERYBODYS).context["page"]) == 24

    def test_is_found_from_the_gallery_and_from_people(
        self, client: Client, bob: Any, stripes: Collection
    ) -> None:
        for wanted in (
            reverse("galleries:gallery"),
            reverse("galleries:person", args=["bob"]),
            reverse("galleries:collections", args=["bob"]),
        ):
            assert f'href="{EVERYBODYS}"' in client.get(wanted).content.decode()


class TestArranging:
    def test_moves_images_and_takes_them_out(
        self, as_person: As, run: Run, bob: Any, stripes: Collection
    ) -> None:
        hang(stripes, *(image(run, number) for number in range(3)))
        browser, orders = as_person(bob), []

        for number, do in [(2, "earlier"), (0, "later"), (2, "earlier"), (1, "later"), (0, "remove")]:
            assert arrange(browser, stripes, number, do).status_code == 302
            orders.append(shown(browser, stripes))

        assert orders == [[0, 2, 1], [2, 0, 1], [2, 0, 1], [2, 0, 1], [2, 1]]

    def test_moves_past_what_is_not_shown(
        self, as_person: As, run: Run, bob: Any, stripes: Collection
    ) -> None:
        images = [image(run, number) for number in range(3)]
        hang(stripes, *images)
        Exhibit.objects.filter(individual=images[1]).update(hidden=True)

        arrange(as_person(bob), stripes, 2, "earlier")

        assert shown(as_person(bob), stripes) == [2, 0]

    @pytest.mark.parametrize("do", ["", "up", "<b>"])
    def test_knows_no_other_deed(
        self, as_person: As, run: Run, bob: Any, stripes: Collection, do: str
    ) -> None:
        hang(stripes, image(run))

        assert arrange(as_person(bob), stripes, 0, do).status_code == 404

    def test_lets_nobody_else_change_it(
        self, as_person: As, run: Run, charlie: Any, administrator: Any, stripes: Collection
    ) -> None:
        hang(stripes, image(run))

        for person in (charlie, administrator):
            browser = as_person(person)
            assert arrange(browser, stripes, 0, "remove").status_code == 404
            assert browser.post(page("collection_edit", stripes), CHOICES).status_code == 404
            assert browser.post(page("collection_delete", stripes)).status_code == 404


class TestEditing:
    def test_begins_an_empty_one(self, as_person: As, bob: Any) -> None:
        answer = as_person(bob).post(NEW, {**CHOICES, "description": "Bars,\r\n\r\n\r\n\r\nno grids."})

        held = Collection.objects.get()
        assert answer["Location"] == held.get_absolute_url()
        assert held.description == "Bars,\n\nno grids."

    @pytest.mark.parametrize(
        "wrong",
        [
            {"title": ""},
            {"title": "\u200b"},
            {"title": "x" * 101},
            {"description": "x" * 2001},
            {"visibility": "everybody"},
            {"title": "\0"},
        ],
    )
    def test_shows_what_is_wrong(self, as_person: As, bob: Any, wrong: dict[str, str]) -> None:
        assert as_person(bob).post(NEW, {**CHOICES, **wrong}).status_code == 422
        assert not Collection.objects.exists()

    def test_refuses_more_than_a_person_may_have(
        self, as_person: As, bob: Any, stripes: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeping, "MOST_COLLECTIONS", 1)

        assert as_person(bob).post(NEW, {**CHOICES, "title": "Second"}).status_code == 422

    def test_closes_one(self, as_person: As, client: Client, bob: Any, stripes: Collection) -> None:
        as_person(bob).post(page("collection_edit", stripes), {**CHOICES, "visibility": "private"})

        assert client.get(stripes.get_absolute_url()).status_code == 404

    def test_asks_before_it_deletes_one(self, as_person: As, bob: Any, stripes: Collection) -> None:
        as_person(bob).get(page("collection_delete", stripes))
        assert Collection.objects.exists()

        as_person(bob).post(page("collection_delete", stripes))
        assert not Collection.objects.exists()

    def test_leads_a_visitor_to_sign_in(self, client: Client, stripes: Collection) -> None:
        for wanted in (NEW, page("collection_edit", stripes), page("collection_delete", stripes)):
            assert client.get(wanted)["Location"].startswith(reverse("account_login"))


def image_once(run: Run) -> Individual:
    return run.individuals.first() or image(run)
