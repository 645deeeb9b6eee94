"""The family tree: what belongs to a family, who sees what of it, and how it answers bad addresses."""

import json
import time
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.imagined_family import imagine_family
from fooling_web.breeding.family import EVOLVED, SECRET, family_document, largest_families
from fooling_web.breeding.models import Publication
from fooling_web.galleries.models import Exhibit
from fooling_web.runs.models import Individual, Run
from fooling_web.users.models import User

pytestmark = pytest.mark.django_db
TREE = "/breed/tree/"


def pictures(count, author=None):
    """Store published pictures that nobody branched yet."""
    some = imagine_family(count, people=3)
    for one in some:
        branched(one, None)
        if author:
            Publication.objects.filter(pk=one.pk).update(author=author)
    return some


def branched(child, parent):
    Publication.objects.filter(individual=child).update(branched_from=parent)


def line_of(count, author=None):
    """Store pictures, each branched from the one before."""
    some = pictures(count, author)
    for child, parent in zip(some[1:], some, strict=False):
        branched(child, parent)
    return some


def set_visibility(individual, visibility, owner=None):
    Run.objects.filter(pk=individual.run_id).update(
        visibility=visibility, owner=owner or individual.run.owner
    )


def address(individual):
    return f"{individual.run_id}/{individual.number}"


def asked(individual, client=None, **further):
    return (client or Client()).get(TREE, {"centre": address(individual), **further})


def data_of(individual, client=None):
    answer = (client or Client()).get(f"{TREE}data/", {"centre": address(individual)})
    assert answer.status_code == 200
    return answer.json()


def test_puts_parents_before_their_children_and_the_root_first():
    family = imagine_family(60)

    told = data_of(family[40])

    assert len(told["parent"]) == 60
    assert told["parent"][0] == -1
    assert all(parent < place for place, parent in enumerate(told["parent"]))
    named = list(zip(told["run"], told["number"], strict=True))
    parents = dict(Publication.objects.values_list("individual", "branched_from"))
    places = {named.index((one.run_id.hex, one.number)): one.pk for one in family}
    for place, parent in enumerate(told["parent"]):
        assert parents[places[place]] == (places[parent] if parent >= 0 else None)
    assert places[told["centre"]] == family[40].pk


def test_tells_what_a_picture_is_called_who_bred_it_and_what_the_classifier_says(alice):
    root, child = line_of(2, alice)
    Exhibit.objects.filter(individual=child).update(title="The moon", stars=4.25)
    Individual.objects.filter(pk=child.pk).update(top=[[985, 0.75], [3, 0.1]])

    told = data_of(root)

    place = told["parent"].index(0)
    assert told["title"][place] == "The moon"
    assert told["authors"][told["author"][place]] == "alice"
    assert told["labels"][told["label"][place]] == ["EfficientNet-Lite0", "daisy"]
    assert told["confidence"][place] == 0.75
    assert told["stars"][place] == 4.2
    assert told["hash"][place] == child.genome_hash[:12]


def test_begins_with_the_champion_that_somebody_bred_on_from(finished_run):
    champion = finished_run.champions.get(class_index=3).individual
    (child,) = pictures(1)
    branched(child, champion)

    told = data_of(child)

    assert told["kind"] == [EVOLVED, 1]
    assert told["run"][0] == finished_run.pk.hex
    assert told["author"][0] == -1


def test_shows_a_lonely_picture_as_a_family_of_one():
    (alone,) = pictures(1)

    assert data_of(alone)["parent"] == [-1]
    assert b"Nobody has branched from it yet" in asked(alone).content


@pytest.mark.parametrize("visibility", ["private", "unlisted"])
def test_keeps_the_place_of_a_picture_that_is_not_public_and_says_nothing_of_it(visibility):
    eldest, secret, youngest = line_of(3)
    set_visibility(secret, visibility)
    Exhibit.objects.filter(individual=secret).update(title="Do not tell")

    told = data_of(youngest)
    page = asked(youngest).content.decode()

    assert told["parent"] == [-1, 0, 1]
    assert told["kind"][1] == SECRET
    assert told["run"][1] == told["title"][1] == told["hash"][1] == ""
    for words in ("Do not tell", str(secret.run_id), secret.run_id.hex, secret.genome_hash[:12]):
        assert words not in json.dumps(told)
        assert words not in page
    assert "A picture that is not public" in page
    assert address(eldest) in page


def test_leaves_out_what_is_not_public_where_nothing_visible_descends_from_it():
    eldest, _, secret, unlisted = line_of(4)
    set_visibility(secret, "private")
    set_visibility(unlisted, "unlisted")

    assert data_of(eldest)["parent"] == [-1, 0]


def test_leaves_out_what_a_moderator_hid():
    eldest, hidden = line_of(2)
    Exhibit.objects.filter(individual=hidden).update(hidden=True)

    assert data_of(eldest)["parent"] == [-1]
    assert address(hidden) not in asked(eldest).content.decode()


def test_shows_people_their_own_private_pictures_and_administrators_all(alice, bob, administrator, as_person):
    eldest, hers = line_of(2)
    set_visibility(hers, "private", alice)

    assert data_of(eldest, as_person(alice))["kind"] == [1, 1]
    assert data_of(eldest, as_person(administrator))["kind"] == [1, 1]
    assert data_of(eldest, as_person(bob))["kind"] == [1]


def test_shows_an_unlisted_picture_to_whoever_knows_its_address():
    eldest, unlisted = line_of(2)
    set_visibility(unlisted, "unlisted")

    assert data_of(unlisted)["kind"] == [1, 1]
    assert b"noindex" in asked(unlisted).content
    assert asked(eldest).status_code == 200


def test_does_not_open_a_private_picture_of_somebody_else(alice, bob, as_person):
    (hers,) = pictures(1)
    set_visibility(hers, "private", alice)

    assert asked(hers, as_person(bob)).status_code == 404
    assert asked(hers, as_person(alice)).status_code == 200
    assert as_person(bob).get(f"{TREE}data/", {"centre": address(hers)}).status_code == 404


def test_is_centred_on_the_published_picture_when_asked_for_its_ancestor():
    (published,) = pictures(1)
    ancestor = Individual.objects.create(
        run=published.run, number=99, generation=0, genome=published.genome, genome_hash="0" * 64
    )

    assert data_of(ancestor)["number"] == [published.number]


UNKNOWN = str(uuid.UUID(int=7))
NONSENSE = ("", "nonsense", "1/2", "<script>/1", "x" * 5000, f"{'-' * 36}/1", f"{UNKNOWN}/x")


@pytest.mark.parametrize("centre", [*NONSENSE, f"{UNKNOWN}/0", f"{UNKNOWN}/{10**18}"])
def test_answers_an_unknown_centre_with_a_way_out(client, centre):
    answer = client.get(TREE, {"centre": centre})

    assert answer.status_code == 404
    assert "names no picture" in answer.content.decode() or "There is no picture" in answer.content.decode()
    assert reverse("galleries:gallery") in answer.content.decode()
    assert b"<script>/1" not in answer.content
    data = client.get(f"{TREE}data/", {"centre": centre})
    assert data.status_code == 404
    assert data.json()["error"]


def test_takes_a_shape_that_there_is_none_for_the_usual_one():
    (alone,) = pictures(1)

    assert b'data-shape="radial"' in asked(alone, shape="radial").content
    assert asked(alone, shape="cubic").context["shape"] == "linear"


def test_refuses_to_be_written_to(client):
    assert client.post(TREE).status_code == 405


def test_says_how_a_family_begins_where_there_is_none(client):
    page = client.get(TREE).content.decode()

    assert "Nobody has published a picture yet" in page
    assert "A family begins when" in page


def test_says_that_nobody_has_branched_yet(client):
    pictures(2)

    assert b"Nobody has branched from a published picture yet" in client.get(TREE).content


def test_shows_the_largest_families_first(client):
    small, large = line_of(2), line_of(4)
    for one in large[1:]:
        branched(one, large[0])
    secret = line_of(6)
    for one in secret:
        set_visibility(one, "private")

    page = client.get(TREE).content.decode()

    found = [(family.root.id, family.pictures, family.generations) for family in largest_families()]
    assert found == [(large[0].pk, 4, 2), (small[0].pk, 2, 2)]
    assert page.index(address(large[0])) < page.index(address(small[0]))


def test_gives_a_family_the_face_of_its_eldest_public_picture():
    secret, first, second = line_of(3)
    set_visibility(secret, "private")

    (family,) = largest_families()

    assert family.root.id == first.pk
    assert (family.pictures, second.pk > first.pk) == (2, True)


def test_tells_the_generations_of_people_and_the_way_back(alice):
    line = line_of(30, alice)

    page = asked(line[-1]).content.decode()

    assert "Generation 30 of people" in page
    assert "29 pictures before it" in page
    assert "And 17 before these" in page
    assert address(line[0]) in page


def test_lists_children_and_theirs_and_says_where_there_are_more():
    root, *others = pictures(260)
    for one in others:
        branched(one, root)

    page = asked(root).content.decode()

    assert page.count("data-centre=") == 200
    assert "There are more than are listed here" in page


def test_answers_the_lists_alone_to_a_page_that_has_the_drawing():
    eldest, *_ = line_of(3)

    part = Client(headers={"HX-Request": "true"}).get(TREE, {"centre": address(eldest)})

    assert part.content.decode().strip().startswith("<section")
    assert part.headers["Vary"].count("HX-Request")


def test_ends_where_damage_made_a_circle():
    first, second = line_of(2)
    branched(first, second)

    assert data_of(first)["parent"] == [-1, 0]
    assert asked(second).status_code == 200
    assert largest_families() == []


def test_asks_the_database_as_often_for_a_large_family_as_for_a_small_one(client):
    counts = []
    for count in (3, 300):
        root = imagine_family(count)[0]
        for address_ in (TREE, f"{TREE}data/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(address_, {"centre": address(root)})
            counts.append(len(queries))

    assert counts[:2] == counts[2:]
    assert max(counts) < 12


def test_tells_a_chain_of_five_thousand_pictures_and_is_quick():
    line = imagine_family(5000)
    for child, parent in zip(line[1:], line, strict=False):
        child.publication.branched_from = parent
    Publication.objects.bulk_update([one.publication for one in line], ["branched_from"], batch_size=400)

    begun = time.process_time()
    told = family_document(line[-1], User())
    seconds = time.process_time() - begun

    assert told["parent"] == list(range(-1, 4999))
    assert seconds < 3
    assert b"Generation 5,000 of people" in asked(line[-1]).content
