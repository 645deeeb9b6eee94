"""What a person asks for while breeding, and what is said of what cannot be had."""

import pytest

from fooling_web.breeding.models import BreedingSession, Litter
from tests.breeding.bred import begun, first_of, step, stepped

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "Pick at least one picture first"),
        ({"picked": [15]}, "“15” is no picture of this litter, which has 15"),
        ({"picked": ["0", "-1"]}, "“-1” is no picture of this litter"),
        ({"picked": ["one"]}, "“one” is no picture of this litter"),
        ({"picked": [0], "change": "1.5"}, "Change: Ensure this value is less than or equal to 1"),
        ({"picked": [0], "change": "nan"}, "Change: Enter a number"),
        ({"picked": [0], "focus": "nose"}, "Focus: Select a valid choice"),
        (
            {"picked": [0], "litter_size": "9"},
            "Litter size: Ensure this value is greater than or equal to 10",
        ),
        ({"picked": [0], "litter_size": "31"}, "Litter size: Ensure this value is less than or equal to 30"),
        ({"picked": [0], "token": "x"}, "Token: Enter a valid UUID"),
    ],
)
def test_refuses_what_cannot_be_had_and_leaves_the_session_as_it_was(client, fields, complaint):
    session = begun(client)
    before = BreedingSession.objects.values().get()

    answer = step(client, first_of(session), "evolve", **fields)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert answer["HX-Retarget"] == "#complaint"
    assert BreedingSession.objects.values().get() == before
    assert Litter.objects.count() == 1


def test_says_the_same_on_the_whole_page_without_scripts_and_keeps_what_was_picked(client):
    first = first_of(begun(client))

    answer = client.post(first.get_absolute_url() + "evolve/", {"picked": ["3", "99"]})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "“99” is no picture of this litter" in page
    assert 'id="pick-3" checked' in page


def test_keeps_the_settings_with_the_session(client):
    first = first_of(begun(client))

    second = stepped(client, first, "evolve", picked=[0, 0], change="0.75", focus="colour", litter_size="12")

    session = BreedingSession.objects.get()
    assert (session.change, session.focus, session.litter_size) == (0.75, "colour", 12)
    assert (second.change, second.focus, len(second), second.picked) == (0.75, "colour", 12, [0])


def test_keeps_settings_without_a_step(client):
    session = begun(client)

    answer = client.post(session.get_absolute_url() + "settings/", {"change": "0.9"})

    assert answer.status_code == 302
    assert BreedingSession.objects.get().change == 0.9
    assert Litter.objects.count() == 1


def test_refuses_settings_that_there_are_not(client):
    session = begun(client)

    answer = client.post(
        session.get_absolute_url() + "settings/", {"focus": "nose"}, headers={"HX-Request": "true"}
    )

    assert answer.status_code == 422
    assert BreedingSession.objects.get().focus == "whole"
