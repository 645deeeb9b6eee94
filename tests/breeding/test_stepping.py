"""Steps of a session: every litter is kept, whatever way a person goes."""

import itertools
import threading
import uuid

import pytest
from django.test import Client

from fooling_web.breeding import stepping
from fooling_web.breeding.models import BreedingSession, Litter
from tests.breeding.bred import begun, first_of, step, stepped

pytestmark = pytest.mark.django_db
Deed = Litter.Deed


def test_evolves_as_many_children_of_the_picked_as_a_litter_has(client):
    first = first_of(begun(client))

    second = stepped(client, first, "evolve", picked=[2, 7])

    assert (len(first), len(second)) == (15, 15)
    assert (second.before, second.parent, second.picked, second.deed) == (first, first, [2, 7], Deed.EVOLVE)
    assert {parent for parents in second.parents for parent in parents} == {2, 7}
    assert not set(first.hashes) & set(second.hashes)
    assert second.session.place == second


def test_makes_one_litter_of_a_form_that_is_sent_twice(client):
    first, token = first_of(begun(client)), uuid.uuid4()

    litters = [stepped(client, first, "evolve", picked=[2], token=token) for _ in range(2)]

    assert litters[0] == litters[1]
    assert Litter.objects.count() == 2


def test_makes_two_litters_where_the_same_form_is_sent_with_other_parents(client):
    first, token = first_of(begun(client)), uuid.uuid4()

    litters = [stepped(client, first, "evolve", picked=[place], token=token) for place in (2, 3)]

    assert [litter.picked for litter in litters] == [[2], [3]]


def test_rolls_again_beside_the_litter_that_it_replaces(client):
    second = stepped(client, first_of(begun(client)), "evolve", picked=[4])

    third = stepped(client, second, "reroll")

    assert (third.before, third.parent, third.picked, third.deed) == (second, second.parent, [4], Deed.REROLL)
    assert not set(second.hashes) & set(third.hashes)
    assert Litter.objects.filter(pk=second.pk).exists()


def test_rolls_again_what_begins_a_session_from_nothing(client):
    first = first_of(begun(client))

    second = stepped(client, first, "reroll")

    assert (second.parent, second.before) == (None, first)
    assert not set(first.hashes) & set(second.hashes)


def test_restarts_beside_all_that_was_bred(client):
    first = first_of(begun(client))
    second = stepped(client, first, "evolve", picked=[4])

    third = stepped(client, second, "restart")

    assert (third.parent, third.before, third.deed) == (None, second, Deed.BEGIN)
    assert third.session.litters.count() == 3


def test_switches_colour_off_and_on_again_and_keeps_the_pictures(client):
    first = first_of(begun(client))

    grey = stepped(client, first, "recolour")
    coloured = stepped(client, grey, "recolour")

    assert (grey.in_colour, coloured.in_colour) == (False, True)
    assert coloured.hashes == first.hashes
    assert grey.hashes != first.hashes


def test_breeds_on_in_grey_from_what_is_grey(client):
    grey = stepped(client, first_of(begun(client)), "recolour")

    child = stepped(client, grey, "evolve", picked=[0])

    assert not child.in_colour
    assert all(document["colour"].endswith("-grey") for document in child.documents)


def test_goes_back_and_forward_without_losing_a_litter(client):
    session = begun(client)
    first = first_of(session)
    second = stepped(client, first, "evolve", picked=[4])

    assert stepped(client, first, "go").session.place == first
    assert stepping.way_around(session, first).forward == second.number
    assert stepped(client, second, "go").session.place == second
    assert stepping.way_around(session, second).back == first.number
    assert session.litters.count() == 2


def test_keeps_both_ways_on_from_a_litter_that_was_gone_on_from_twice(client):
    session = begun(client)
    first = first_of(session)
    second = stepped(client, first, "evolve", picked=[4])
    third = stepped(client, first, "evolve", picked=[5])

    way = stepping.way_around(session, first)

    assert (second.before, third.before) == (first, first)
    assert way.forward == third.number
    assert [number for number, _ in way.steps[0].branches] == [second.number]


def test_shows_some_steps_around_the_place_of_a_long_session(client):
    session = begun(client)
    litter = first_of(session)
    rows = [
        Litter(
            session=session,
            number=number,
            deed=Deed.EVOLVE,
            genomes=litter.genomes,
            hashes=litter.hashes,
            picked=[0],
            token=uuid.uuid4(),
        )
        for number in range(1, 101)
    ]
    made = [litter, *Litter.objects.bulk_create(rows)]
    for before, after in itertools.pairwise(made):
        after.before = after.parent = before
    Litter.objects.bulk_update(made[1:], ["before", "parent"])

    way = stepping.way_around(session, made[50])

    assert (way.n_earlier, way.n_later, len(way.steps)) == (34, 42, 25)
    assert [step.number for step in way.steps if step.is_here] == [50]


def test_says_what_another_tab_did_meanwhile_and_keeps_both(client):
    first = first_of(begun(client))
    other = stepped(client, first, "evolve", picked=[1], stands=0)

    answer = step(client, first, "evolve", picked=[2], stands=0)

    assert f"litter {other.number}</a>. Both ways are kept." in answer.content.decode()
    assert Litter.objects.filter(before=first).count() == 2


def test_says_nothing_of_other_tabs_to_whoever_goes_on_alone(client):
    first = first_of(begun(client))
    second = stepped(client, first, "evolve", picked=[1], stands=0)

    answer = step(client, second, "evolve", picked=[2], stands=second.number)

    assert "Both ways are kept" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_lets_two_tabs_evolve_at_the_same_moment(client):
    session = begun(client)
    first = first_of(session)
    answers = []

    def evolve(place: int) -> None:
        tab = Client()
        tab.cookies = client.cookies
        answers.append(step(tab, first, "evolve", picked=[place]).status_code)

    tabs = [threading.Thread(target=evolve, args=[place]) for place in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert answers == [200] * 4
    assert sorted(session.litters.values_list("number", flat=True)) == [0, 1, 2, 3, 4]
    assert sorted(session.litters.exclude(number=0).values_list("picked", flat=True)) == [[0], [1], [2], [3]]


def test_is_full_at_last_and_says_so(client, monkeypatch):
    monkeypatch.setattr("fooling_web.breeding.litters.MOST_LITTERS", 1)
    first = first_of(begun(client))

    answer = step(client, first, "evolve", picked=[1])

    assert answer.status_code == 422
    assert "This session has 1 litters, which is all that one may have" in answer.content.decode()
    assert BreedingSession.objects.get().n_litters == 1
