"""The entrance of breeding, the shelves of what people published, and the part of other pages that tells of it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fooling_web.breeding.models import Publication
from fooling_web.breeding.publishing import recount_branches
from fooling_web.breeding.shelves import ORDERS, ordered, shelves
from fooling_web.galleries import keeping
from fooling_web.galleries.models import Exhibit
from tests.breeding.bred import begun
from tests.breeding.offered import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(alice, bob):
    """Three public pictures: an old one with four stars, a younger one with two, a branch of the first."""
    made = {}
    for place, title in enumerate(("Old", "Young", "Branch")):
        publication = published(alice)
        keeping.name(publication.individual, title)
        at = timezone.now() - timedelta(days=(60, 2, 1)[place])
        Publication.objects.filter(pk=publication.pk).update(published_at=at)
        made[title] = publication
    keeping.rate(made["Old"].individual, bob, 4)
    keeping.rate(made["Young"].individual, bob, 2)
    Publication.objects.filter(pk=made["Branch"].pk).update(branched_from=made["Old"].individual)
    recount_branches(made["Old"].individual.pk)
    return made


def titles(order, **options):
    return [one.title for one in ordered(Publication.objects.public(), order, **options)]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("best-new", ["Young", "Branch"]),
        ("rated", ["Old", "Young"]),
        ("branched", ["Old"]),
        ("newest", ["Branch", "Young", "Old"]),
    ],
)
def test_orders(three, order, expected):
    assert titles(order) == expected


def test_shuffles_by_a_number(three):
    shuffled = {tuple(titles("random", seed=seed)) for seed in range(1, 40)}

    assert len(shuffled) > 1  # most often all six; the keys decide
    assert titles("random", seed=7) == titles("random", seed=7)


def test_leaves_out_what_is_hidden_or_not_public(three, bob):
    Exhibit.objects.filter(title="Old").update(hidden=True)
    published(bob, visibility="private")
    published(bob, visibility="unlisted")

    assert titles("newest") == ["Branch", "Young"]
    assert all(one.title != "Old" for shelf in shelves() for one in shelf.publications)


def test_shows_shelves_ways_to_begin_and_what_one_began(three, as_person, alice):
    client = as_person(alice)
    session = begun(client)

    page = client.get(reverse("breeding:home")).content.decode()

    for words in (*ORDERS.values(), "Begin in colour", "Begin in grey", session.get_absolute_url(), "Old"):
        assert words in page
    for order in ORDERS:
        assert f"{reverse('breeding:pictures')}?order={order}" in page


def test_invites_where_nothing_was_published_yet(client):
    page = client.get(reverse("breeding:home")).content.decode()

    assert "Nobody has published a picture yet" in page
    assert "Go on with yours" not in page


def test_asks_the_database_as_often_for_many_as_for_few(three, client, alice, django_assert_max_num_queries):
    for _ in range(9):
        published(alice)

    with django_assert_max_num_queries(8):
        client.get(reverse("breeding:home"))
    for order in ORDERS:
        with django_assert_max_num_queries(4):
            client.get(reverse("breeding:pictures"), {"order": order, "seed": 3})


def test_gives_an_order_at_random_a_number(client):
    answer = client.get(reverse("breeding:pictures"), {"order": "random", "breeder": "ghost"})

    assert answer.status_code == 302
    assert "order=random&seed=" in answer["Location"]
    assert answer["Location"].endswith("&breeder=ghost")


def test_shows_one_breeders_pictures(three, client, as_person, alice, bob):
    keeping.name(published(bob).individual, "Of Bob")
    keeping.name(published(bob, visibility="private").individual, "Secret of Bob")
    address = f"{reverse('breeding:pictures')}?breeder=Bob"

    page = client.get(address).content.decode()
    assert "Of Bob" in page
    assert "Young" not in page
    assert "Secret of Bob" not in page
    assert "Secret of Bob" in as_person(bob).get(address).content.decode()


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("order=best", "“best” is no order here"),
        ("breeder=ghost", "Nobody here is called “ghost”"),
        ("breeder=%00x", "Nobody here is called “x”"),
        ("page=99999999999999999999", "1 picture"),
        ("order=random&seed=9&page=-1", "1 picture"),
    ],
)
def test_says_what_it_left_out_of_an_address(client, alice, query, note):
    published(alice)

    answer = client.get(f"{reverse('breeding:pictures')}?{query}")

    assert answer.status_code == 200
    assert note in answer.content.decode()


def test_hangs_on_the_page_of_its_breeder(three, client, as_person, alice):
    keeping.name(published(alice, visibility="private").individual, "For me")
    address = reverse("galleries:person", args=["alice"])

    page = client.get(address).content.decode()

    assert "Bred by hand" in page
    assert "Young" in page
    assert "For me" not in page
    assert "For me" in as_person(alice).get(address).content.decode()
    assert "has no public run" in page  # bred pictures are none
