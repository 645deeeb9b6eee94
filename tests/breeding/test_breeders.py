"""Who breeds: by pictures, by stars of others, by branches of others."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fooling_web.breeding.breeders import top_breeders
from fooling_web.breeding.models import Publication
from fooling_web.galleries import keeping
from fooling_web.galleries.models import Exhibit, Rating
from tests.breeding.offered import published

pytestmark = pytest.mark.django_db


def branched(publication, author, **options):
    """Publish a picture that was branched from another."""
    branch = published(author, **options)
    Publication.objects.filter(pk=branch.pk).update(branched_from=publication.individual)
    return branch


def ranks(measure, period="all"):
    return [(one.rank, str(one.person), one.numbers) for one in top_breeders(measure, period)]


def test_counts_pictures(alice, bob):
    for author in (alice, bob, bob):
        published(author)
    published(alice, visibility="private")
    published(alice, visibility="unlisted")

    names = [(rank, name, numbers["Pictures"]) for rank, name, numbers in ranks("pictures")]
    assert names == [(1, "bob", 2), (2, "alice", 1)]


def test_counts_stars_of_others_alone(alice, bob, charlie):
    first, second = published(alice), published(bob)
    keeping.rate(first.individual, alice, 5)
    keeping.rate(first.individual, bob, 3)
    keeping.rate(second.individual, charlie, 4)

    assert [(name, numbers["Stars"]) for _, name, numbers in ranks("stars")] == [("bob", 4), ("alice", 3)]


def test_counts_branches_of_others_alone(alice, bob):
    first = published(alice)
    branched(first, alice)
    branched(first, bob)
    branched(first, bob, visibility="private")

    assert [(name, numbers["Branches"]) for _, name, numbers in ranks("branches")] == [("alice", 1)]


def test_lets_equals_share_a_rank(alice, bob, charlie):
    for author in (alice, bob, charlie, charlie):
        published(author)

    assert [(rank, name) for rank, name, _ in ranks("pictures")] == [(1, "charlie"), (2, "alice"), (2, "bob")]


def test_looks_at_the_last_thirty_days(alice, bob, charlie):
    old = published(alice)
    keeping.rate(old.individual, charlie, 5)
    branched(old, bob)
    before = timezone.now() - timedelta(days=40)
    Publication.objects.filter(pk=old.pk).update(published_at=before)
    Rating.objects.update(rated_at=before)

    assert [name for _, name, _ in ranks("pictures", "month")] == ["bob"]
    assert ranks("stars", "month") == []
    assert [name for _, name, _ in ranks("branches", "month")] == ["alice"]


def test_leaves_out_who_left_and_what_is_hidden(alice, bob, charlie):
    hidden = published(alice)
    keeping.rate(hidden.individual, charlie, 5)
    branched(hidden, charlie)
    Exhibit.objects.update(hidden=True)
    published(bob)
    bob.is_active = False
    bob.save()

    assert [name for _, name, _ in ranks("pictures")] == ["charlie"]
    assert ranks("stars") == []
    assert ranks("branches") == []


def test_shows_them_with_their_pictures(client, alice, bob, django_assert_max_num_queries):
    for author in (alice, alice, alice, bob, bob):
        publication = published(author)
        keeping.rate(publication.individual, bob, 3)

    with django_assert_max_num_queries(8):
        page = client.get(reverse("breeding:breeders"), {"by": "stars", "period": "month"}).content.decode()

    assert page.count('class="breeder"') == 1
    assert page.count('<img class="evolved') == 3
    assert "9" in page


@pytest.mark.parametrize("query", ["", "by=beauty&period=ever", "by=stars", "by=branches&period=month"])
def test_says_where_nobody_breeds(client, query):
    answer = client.get(f"{reverse('breeding:breeders')}?{query}")

    assert answer.status_code == 200
    assert "Nobody" in answer.content.decode()
