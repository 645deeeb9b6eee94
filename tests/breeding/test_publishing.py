"""Publishing a bred picture: its run, its page, what may be said of it, and who may see it."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.breeding import judging, publishing
from fooling_web.breeding.models import Attempt, BreedingSession, Goal, Litter, Opinion, Publication
from fooling_web.breeding.publishing import Said, line_of
from fooling_web.galleries.hanging import hang_all
from fooling_web.galleries.models import Entry, Exhibit
from fooling_web.runs.models import Individual, Run
from tests.breeding.bred import begun, first_of, stepped

pytestmark = pytest.mark.django_db
DIGITS = {"picture": "digits"}
TOP = [[3, 0.75], [5, 0.2], [1, 0.03], [0, 0.01], [2, 0.01]]


def bred(client, steps=2, **fields):
    """Breed for some steps, one parent each, and return the last litter."""
    litter = first_of(begun(client, **{**DIGITS, **fields}))
    for _ in range(steps):
        litter = stepped(client, litter, "evolve", picked=[1])
    return litter


def address_of(litter, place=0):
    return reverse("breeding:publish", args=[litter.session_id, litter.number, place])


def published(client, litter=None, place=0, **said):
    """Publish a tile as a person does, and return the publication."""
    litter = litter or bred(client)
    answer = client.post(address_of(litter, place), {"title": "Low tide", "visibility": "public", **said})
    assert answer.status_code == 302, answer.content.decode()
    return Publication.objects.latest("published_at")


def page_of(client, publication):
    return client.get(publication.get_absolute_url()).content.decode()


def answered(litter, classifier="mnist-lenet", top=TOP, seen=()):
    return Opinion.objects.create(
        litter=litter,
        classifier=classifier,
        weights_sha256="5" * 64,
        tops=[top for _ in range(len(litter))],
        seen=list(seen),
        status=Opinion.Status.ANSWERED,
    )


def test_makes_a_run_of_the_picture_and_its_ancestors(as_person, alice):
    publication = published(as_person(alice), tags="Waves, calm", description="Found at night.")

    run = publication.run
    assert (run.kind, run.owner, run.status, run.name) == ("breeding", alice, "finished", "Low tide")
    line = list(run.individuals.order_by("number").values_list("number", "generation", "parents"))
    assert line == [(0, 0, []), (1, 1, [0]), (2, 2, [1])]
    assert publication.individual.number == 2
    assert publication.description == "Found at night."
    assert set(publishing.tags_of(publication)) == {"waves", "calm"}


def test_keeps_both_parents_of_a_cross():
    client = Client()
    litter = first_of(begun(client, **DIGITS))
    for _ in range(20):
        litter_of_two = stepped(client, litter, "evolve", picked=[1, 4])
        crossed = [place for place, parents in enumerate(litter_of_two.parents) if len(parents) == 2]
        if crossed:
            break

    line = line_of(litter_of_two, crossed[0])

    assert [(one.place, one.parents, one.generation) for one in line[:2]] == [(4, [], 0), (1, [], 0)]
    assert (line[2].parents, line[2].generation) == ([0, 1], 1)


def test_keeps_so_many_ancestors_and_no_more(client, monkeypatch):
    monkeypatch.setattr(publishing, "MOST_ANCESTORS", 2)

    line = line_of(bred(client, steps=4), 0)

    assert [one.generation for one in line] == [0, 1, 2]


def test_writes_the_genome_that_was_shown(as_person, alice):
    client = as_person(alice)
    litter = bred(client)

    publication = published(client, litter, place=3)

    assert publication.individual.genome_hash == litter.hashes[3]


@pytest.mark.parametrize("picture", ["colour", "grey"])
def test_keeps_ancestors_whose_colour_was_switched_on_the_way(client, as_person, alice, picture):
    client = as_person(alice)
    litter = stepped(client, first_of(begun(client, picture=picture)), "recolour")
    litter = stepped(client, litter, "evolve", picked=[2])

    publication = published(client, litter)

    assert publication.run.parameters["colour"] == ("hsv-grey" if picture == "colour" else "hsv")
    assert publication.individual.genome_hash == litter.hashes[0]
    for individual in publication.run.individuals.all():
        address = reverse("galleries:picture", args=[publication.run.pk, individual.number, 64, "webp"])
        assert client.get(address).status_code == 200


def test_leads_a_visitor_to_sign_up_and_back(client):
    address = address_of(bred(client))

    answer = client.post(address, {"title": "Low tide"})

    assert answer["Location"] == f"{reverse('account_signup')}?next={address}"
    new = {"username": "dora", "password1": "quiet violet 71", "password2": "quiet violet 71"}
    back = client.post(answer["Location"], new)
    assert back["Location"] == address
    assert published(client, BreedingSession.objects.get().place).author.get_username() == "dora"


def test_publishes_a_tile_once(as_person, alice):
    client = as_person(alice)
    publication = published(client)
    litter = publication.litter

    asked = client.get(address_of(litter)).content.decode()
    sent = client.post(address_of(litter), {"title": "Again", "visibility": "public"})

    assert Publication.objects.count() == 1
    for page in (asked, sent.content.decode()):
        assert "This picture was published before" in page
        assert publication.get_absolute_url() in page


def test_two_that_publish_one_tile_at_once_make_one(as_person, alice):
    client = as_person(alice)
    litter = published(client).litter

    with pytest.raises(publishing.AlreadyPublished, match="as “Low tide”"):
        publishing.publish(litter.session, litter, 0, Said("Again"))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"title": "  "}, "Give it a title"),
        ({"title": "x" * 101}, "at most 100 characters"),
        ({"tags": "a_b"}, "“a_b” is no tag"),
        ({"tags": ",".join(f"t{n}" for n in range(21))}, "These are 21 tags"),
        ({"description": "x" * 2001}, "at most 2000 characters"),
        ({"visibility": "secret"}, "secret is not one of the available choices"),
    ],
)
def test_says_beside_the_field_what_is_wrong(as_person, alice, fields, complaint):
    client = as_person(alice)
    litter = bred(client, steps=0)

    answer = client.post(address_of(litter), {"title": "Low tide", "visibility": "public", **fields})

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert not Run.objects.exists()


def test_publishes_nothing_of_somebody_else(as_person, alice, bob):
    litter = bred(as_person(alice), steps=0)

    assert as_person(bob).post(address_of(litter), {"title": "Mine"}).status_code == 403
    assert as_person(alice).get(address_of(litter, place=40)).status_code == 404


def test_waits_for_the_classifier_and_then_holds_its_class(as_person, alice):
    client = as_person(alice)
    publication = published(client)
    assert "LeNet is looking at it" in page_of(client, publication)

    judging.judge(publication)

    publication = Publication.objects.get()
    champion = publication.run.champions.get()
    assert champion.individual == publication.individual
    assert champion.class_index == publication.individual.top[0][0]
    assert publication.run.statistics.get().max == pytest.approx(champion.confidence)
    assert hang_all().entries == 1
    assert Entry.objects.get().approach.method == "bred"
    assert champion.label in page_of(client, publication)


def test_judges_once(as_person, alice):
    publication = published(as_person(alice))

    for _ in range(2):
        judging.judge(Publication.objects.get())
        publishing.crown(publication.run, TOP, "5" * 64)

    assert publication.run.champions.count() == publication.run.takeovers.count() == 1


def test_takes_an_opinion_that_is_known_already(as_person, alice):
    client = as_person(alice)
    litter = bred(client)
    answered(litter)
    answered(litter.parent)

    publication = published(client, litter)

    assert publication.is_judged
    assert publication.run.champions.get().class_index == 3
    tops = publication.run.individuals.order_by("number").values_list("top", flat=True)
    assert list(tops) == [[], TOP, TOP]


def test_asks_again_for_a_verdict_that_never_came(as_person, alice):
    publication = published(as_person(alice))
    assert not judging.unjudged()  # the bell has just rung

    Run.objects.update(rung_at=None)
    assert list(judging.unjudged()) == [publication]

    Run.objects.update(classifier="nobody-knows")
    judging.judge(judging.unjudged()[0])
    assert not judging.unjudged()
    assert "nobody-knows" in Run.objects.get().error


def test_says_whether_the_goal_is_reached(as_person, alice):
    client = as_person(alice)
    litter = bred(client)
    BreedingSession.objects.update(classifiers=["mnist-lenet"], target=3, goal=Goal.FOOL)
    asked = client.get(address_of(litter)).content.decode()
    assert "Do you see 3 in it?" not in asked  # nobody bred towards it
    Litter.objects.update(target=3)
    asked = client.get(address_of(litter)).content.decode()
    assert "Do you see 3 in it?" in asked
    answered(litter, top=[[3, 0.995], *TOP[1:]], seen=[[0, 3, True], [0, 3, False], [1, 3, True]])
    assert re.search(r'value="no"[^>]*checked', client.get(address_of(litter)).content.decode())

    publication = published(client, litter, seen="no")

    assert (publication.goal, publication.target, publication.seen) == ("fool", 3, False)
    assert "Goal reached" in page_of(client, publication)
    for goal, seen, is_reached in (("fool", True, False), ("agree", True, True), ("agree", None, False)):
        Publication.objects.update(goal=goal, seen=seen)
        assert ("Goal reached" in page_of(client, publication)) is is_reached


def test_branches_from_a_published_picture(as_person, alice, bob):
    first = published(as_person(alice))
    client = as_person(bob)
    session = begun(client, run=first.run.pk, number=first.individual.number)

    second = published(client, session.place, title="High tide")

    assert second.branched_from == first.individual
    assert Exhibit.objects.get(individual=first.individual).n_branches == 1
    assert 'Branched from <a href="' + first.get_absolute_url() in page_of(client, second)
    branches = reverse("breeding:branches", args=[first.run.pk, first.individual.number])
    assert branches in page_of(client, first)
    assert "High tide" in client.get(branches).content.decode()


def test_branches_from_an_earlier_picture_of_the_same_session(as_person, alice):
    client = as_person(alice)
    first = published(client)
    later = stepped(client, first.litter, "evolve", picked=[0])

    second = published(client, later, title="Later")

    assert second.branched_from == first.individual


def test_leads_from_the_run_to_the_picture(as_person, alice):
    client = as_person(alice)
    publication = published(client)
    run, number = publication.run, publication.individual.number

    assert client.get(run.get_absolute_url())["Location"] == publication.get_absolute_url()
    for route, there in (("edit", "publication_edit"), ("delete", "unpublish")):
        answer = client.get(reverse(f"runs:{route}", args=[run.pk]))
        assert answer["Location"] == reverse(f"breeding:{there}", args=[run.pk, number])
    for lists in (reverse("runs:list"), reverse("home"), reverse("runs:compare")):
        assert "Low tide" not in Client().get(lists).content.decode()


def test_lets_its_breeder_say_something_else(as_person, alice, bob):
    client = as_person(alice)
    publication = published(client, tags="waves")
    address = reverse("breeding:publication_edit", args=[publication.run.pk, publication.individual.number])
    assert 'value="waves"' in client.get(address).content.decode()
    assert as_person(bob).get(address).status_code == 404

    fields = {"title": "Ebb", "description": "New words.", "tags": "calm", "visibility": "unlisted"}
    client.post(address, fields)

    publication = Publication.objects.get()
    assert (publication.title, publication.description) == ("Ebb", "New words.")
    assert publication.run.visibility == "unlisted"
    assert list(publishing.tags_of(publication)) == ["calm"]


def test_deletes_a_picture_and_hangs_its_branches_higher(
    as_person, alice, bob, django_capture_on_commit_callbacks
):
    client = as_person(alice)
    first = published(client)
    middle = published(client, begun(client, run=first.run.pk, number=2).place, title="Middle")
    last = published(
        as_person(bob),
        begun(as_person(bob), run=middle.run.pk, number=middle.individual.number).place,
        title="Last",
    )
    address = reverse("breeding:unpublish", args=[middle.run.pk, middle.individual.number])
    assert as_person(bob).post(address).status_code == 404
    assert "1 picture," in client.get(address).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        client.post(address)

    last = Publication.objects.get(pk=last.pk)
    assert last.branched_from == first.individual
    assert Exhibit.objects.get(individual=first.individual).n_branches == 1
    assert not Individual.objects.filter(pk=middle.pk).exists()


def test_shows_a_private_picture_to_its_breeder_alone(client, as_person, alice, bob):
    publication = published(as_person(alice), visibility="private")
    address = publication.get_absolute_url()
    branch = {"run": publication.run.pk, "number": publication.individual.number}

    assert "private" in page_of(as_person(alice), publication)
    for stranger in (client, as_person(bob)):
        for path in (
            address,
            f"{address}said/",
            reverse("breeding:branches", args=branch.values()),
            reverse("breeding:verdict", args=branch.values()),
        ):
            assert stranger.get(path).status_code == 404, path
        assert stranger.post(reverse("breeding:begin"), branch).status_code == 404
    assert as_person(alice).post(reverse("breeding:begin"), branch).status_code == 302


def test_does_not_name_a_private_picture_from_which_one_descends(client, as_person, alice):
    own = as_person(alice)
    secret = published(own, title="Secret garden", visibility="private")
    branch = published(own, begun(own, run=secret.run.pk, number=2).place, title="Open")

    page = page_of(client, branch)

    assert "Secret garden" not in page
    assert "Branched from a picture that is not public" in page


def test_says_nothing_of_a_picture_that_a_moderator_hid(client, as_person, alice, administrator):
    publication = published(as_person(alice), description="Rude words.")
    Exhibit.objects.update(hidden=True)

    assert "Rude words" not in page_of(client, publication)
    assert "Low tide" not in page_of(client, publication)
    assert "Rude words" in page_of(as_person(administrator), publication)


def test_lets_people_rate_and_discuss_it(client, as_person, alice, bob):
    publication = published(as_person(alice))
    address = publication.get_absolute_url()

    as_person(bob).post(f"{address}rating/", {"stars": "4"})
    as_person(bob).post(f"{address}comments/", {"text": "I see the sea."})

    assert Exhibit.objects.get().stars == 4
    assert "I see the sea." in client.get(f"{address}said/").content.decode()
    assert as_person(bob).get(f"{address}report/").status_code == 200


def test_tells_every_ancestor_where_it_led(as_person, alice):
    client = as_person(alice)
    publication = published(client)

    page = client.get(reverse("galleries:image", args=[publication.run.pk, 0])).content.decode()

    assert "A step on the way to" in page
    assert "the breeding began with it" in page


def test_writes_provenance_that_claims_no_command(as_person, alice):
    client = as_person(alice)
    publication = published(client)

    told = client.get(f"{publication.get_absolute_url()}provenance.json").json()

    assert told["image"]["command"] is None
    assert told["run"]["kind"] == "breeding"


def test_counts_branches_anew_when_a_breeder_leaves(
    as_person, alice, bob, django_capture_on_commit_callbacks
):
    first = published(as_person(alice))
    client = as_person(bob)
    published(client, begun(client, run=first.run.pk, number=2).place, title="High tide")

    with django_capture_on_commit_callbacks(execute=True):
        bob.delete()

    assert Publication.objects.get() == first
    assert Exhibit.objects.get().n_branches == 0


def test_a_new_litter_knows_the_target_of_its_session(as_person, alice):
    client = as_person(alice)
    litter = bred(client)
    BreedingSession.objects.update(target=3)

    after = stepped(client, litter, "evolve", picked=[0])

    assert (litter.target, after.target) == (None, 3)


def test_tells_for_how_long_evolution_tried_by_itself(as_person, alice):
    client = as_person(alice)
    litter = bred(client)
    Attempt.objects.create(
        session=litter.session,
        litter=litter,
        classifier="mnist-lenet",
        class_index=3,
        generation=20,
        result=litter,
    )

    publication = published(client, litter)

    assert publication.computed == 20
    assert "evolution tried by itself for 20 generations" in page_of(client, publication)
