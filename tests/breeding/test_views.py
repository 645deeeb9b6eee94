"""The page of a session, and whose it is."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.breeding.models import BreedingSession
from tests.breeding.bred import QUICK, begun, first_of, step, stepped

pytestmark = pytest.mark.django_db
POSTED = ("evolve", "reroll", "restart", "recolour", "go")


def test_shows_the_litter_where_the_session_stands(client):
    session = begun(client)
    second = stepped(client, first_of(session), "evolve", picked=[1])

    page = client.get(session.get_absolute_url()).content.decode()

    assert f'data-number="{second.number}"' in page
    assert page.count('class="tile"') == 15
    assert "Litter 1: 15 pictures, children of one picture of litter 0." in page


def test_shows_an_earlier_litter_without_going_there(client):
    session = begun(client)
    second = stepped(client, first_of(session), "evolve", picked=[1])

    page = client.get(first_of(session).get_absolute_url()).content.decode()

    assert 'data-number="0"' in page
    assert 'class="tile was-picked" id="tile-1"' in page
    assert BreedingSession.objects.get().place == second


def test_answers_htmx_with_what_differs_alone(client):
    session = begun(client)

    answer = step(client, first_of(session), "evolve", picked=[1])

    page = answer.content.decode()
    assert "<html" not in page
    assert 'id="step"' in page
    assert answer["HX-Push-Url"] == f"{session.get_absolute_url()}1/"


def test_gives_a_whole_page_to_a_browser_that_goes_back_in_its_history(client):
    address = first_of(begun(client)).get_absolute_url()

    page = client.get(address, headers={**QUICK, "HX-History-Restore-Request": "true"}).content.decode()

    assert "<html" in page


def test_works_without_scripts(client):
    first = first_of(begun(client))

    answer = client.post(first.get_absolute_url() + "evolve/", {"picked": [1]}, follow=True)

    assert answer.redirect_chain == [(f"{first.session.get_absolute_url()}1/", 302)]
    assert 'data-number="1"' in answer.content.decode()


def test_picks_what_the_address_asks_for(client):
    page = client.get(begun(client).get_absolute_url() + "?picked=4&picked=x&picked=99").content.decode()

    assert page.count(" checked>") == 2  # the tile and the switch of the keys
    assert 'id="pick-4" checked' in page


def test_shuts_everybody_else_out(client, alice, bob, as_person):
    of_alice = begun(as_person(alice))
    of_a_browser = begun(client)

    for stranger in (as_person(bob), Client()):
        for session in (of_alice, of_a_browser):
            address = session.get_absolute_url()
            answers = [stranger.get(address), stranger.get(f"{address}0/")]
            answers += [
                stranger.get(f"{address}0/0/picture-64.webp"),
                stranger.get(f"{address}0/0/genome.json"),
            ]
            answers += [stranger.post(f"{address}0/{deed}/", {"picked": [1]}) for deed in POSTED]
            answers += [stranger.post(f"{address}settings/", {"change": "1"})]
            assert {answer.status_code for answer in answers} == {403}
            assert "This breeding session belongs to somebody else" in answers[0].content.decode()
    assert set(BreedingSession.objects.values_list("n_litters", "change")) == {(1, 0.3)}


def test_takes_steps_by_post_alone(client):
    first = first_of(begun(client))

    for deed in POSTED:
        assert client.get(f"{first.get_absolute_url()}{deed}/").status_code == 405


def test_knows_no_session_and_no_litter_that_there_is_not(client):
    session = begun(client)

    for address in (
        f"/breed/{uuid.uuid4()}/",
        *(f"{session.get_absolute_url()}{n}/" for n in (1, 2**31, 10**30)),
    ):
        assert client.get(address).status_code == 404


def test_lists_what_a_browser_bred_and_nobody_elses(client, alice, as_person):
    session = begun(client)
    begun(as_person(alice))

    page = client.get(reverse("breeding:sessions")).content.decode()

    assert page.count("session-card") == 2  # the list and its one card
    assert session.get_absolute_url() in page


def test_gives_a_browsers_sessions_to_whoever_signs_in_there(client, alice):
    session = begun(client)
    client.post(reverse("account_login"), {"login": "alice", "password": "seven stripes"})
    elsewhere = Client()
    elsewhere.force_login(alice)

    session.refresh_from_db()
    assert (session.owner, session.visitor) == (alice, "")
    assert elsewhere.get(session.get_absolute_url()).status_code == 200
    assert session.get_absolute_url() in elsewhere.get(reverse("breeding:sessions")).content.decode()
    client.post(reverse("account_logout"))
    assert client.get(session.get_absolute_url()).status_code == 403


def test_asks_the_same_few_questions_however_long_the_session(client, django_assert_max_num_queries):
    session = begun(client)
    litter = first_of(session)
    for _ in range(5):
        litter = stepped(client, litter, "evolve", picked=[0])

    with django_assert_max_num_queries(12):
        client.get(session.get_absolute_url())


def test_bounds_how_quickly_an_address_may_step(client, monkeypatch):
    monkeypatch.setattr("fooling_web.breeding.views.STEPS_A_MINUTE", 1)
    first = first_of(begun(client))

    assert [step(client, first, "reroll").status_code for _ in range(2)] == [200, 429]
