"""Letting evolution try: generation upon generation towards the target, in slices, and a litter at the end."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from fooling_web.breeding import attempts
from fooling_web.breeding.litters import stand_at
from fooling_web.breeding.models import Attempt, BreedingSession, Litter
from fooling_web.breeding.tasks import advance_attempt, ring_for_forsaken_attempts
from fooling_web.home import valkey_socket
from models_zoo.registry import CLASSIFIERS, load
from tests.breeding.bred import step, stepped
from tests.breeding.looked import LENET, carried_out, digits, tried

pytestmark = pytest.mark.django_db


def begun_from(client: Client, **fields: Any) -> Attempt:
    """Let evolution try for a 3 with litters of ten."""
    litter = digits(client, target=3, litter_size=10)
    answer = tried(client, litter, **fields)
    assert answer.status_code == 200
    return Attempt.objects.select_related("session", "litter").get()


def fresh(attempt: Attempt) -> Attempt:
    return Attempt.objects.select_related("session", "litter", "result").get(pk=attempt.pk)


def unhurried(attempt: Attempt) -> Attempt:
    """Return an attempt that was not touched for a minute."""
    Attempt.objects.filter(pk=attempt.pk).update(touched_at=timezone.now() - timedelta(minutes=1))
    return fresh(attempt)


def test_comes_nearer_to_the_target_and_becomes_a_litter(client):
    attempt = begun_from(client, picked=[2, 5])

    done = fresh(carried_out(attempt))

    assert done.status == Attempt.Status.FINISHED
    assert (done.generation, len(done.confidences)) == (20, 21)
    assert done.confidences == sorted(done.confidences)
    assert done.confidences[-1] > done.confidences[0]
    litter = done.result
    assert litter is not None
    assert (litter.deed, litter.picked, len(litter)) == (Litter.Deed.ATTEMPT, [2, 5], 10)
    assert litter.parent == litter.before == attempt.litter
    assert all(parents and set(parents) <= {2, 5} for parents in litter.parents)
    assert BreedingSession.objects.get().place == litter


def test_keeps_what_the_network_is_surest_of(client):
    done = fresh(carried_out(begun_from(client)))

    from fooling_web.breeding.litters import pictures_of

    assert done.result is not None
    confidences = load(LENET)(pictures_of(done.result, 28))[:, 3]
    assert confidences[0] == pytest.approx(done.confidences[-1], abs=1e-6)
    assert list(confidences) == sorted(confidences, reverse=True)


def test_begins_with_all_where_nothing_is_picked(client):
    attempt = begun_from(client)
    attempts.advance(attempt, seconds=0)

    founders = {place for places in fresh(attempt).founders for place in places}

    assert attempt.picked == []
    assert len(founders) > 1


def test_goes_on_slice_by_slice_and_rings_for_the_next(client, queue):
    attempt = begun_from(client, picked=[0])
    queue.flushdb()

    assert attempts.advance(attempt, seconds=0)

    assert fresh(attempt).generation == 1
    assert fresh(attempt).status == Attempt.Status.RUNNING
    advance_attempt(attempt.pk)
    assert queue.llen("interactive") == (0 if fresh(attempt).status == Attempt.Status.FINISHED else 1)


def test_leaves_whoever_went_on_where_they_are(client):
    attempt = begun_from(client, picked=[0])
    elsewhere = stepped(client, attempt.litter, "evolve", picked=[1])

    done = fresh(carried_out(attempt))

    assert done.result is not None
    assert done.result.number == 2
    session = BreedingSession.objects.get()
    assert (session.place, session.n_litters) == (elsewhere, 3)
    page = client.get(session.get_absolute_url()).content.decode()
    assert f'href="{done.result.get_absolute_url()}"' in page
    assert "Litter 2</a>" in page


def test_goes_back_to_where_it_began_without_losing_its_litter(client):
    attempt = begun_from(client, picked=[0])
    elsewhere = stepped(client, attempt.litter, "evolve", picked=[1])
    stand_at(attempt.session, attempt.litter)

    done = fresh(carried_out(attempt))

    assert BreedingSession.objects.get().place == done.result
    assert elsewhere.before == done.result.before == attempt.litter


def test_keeps_what_it_came_to_when_it_is_stopped(client):
    attempt = begun_from(client, picked=[0])
    attempts.advance(attempt, seconds=0)

    page = client.post(
        f"/breed/{attempt.session_id}/attempts/{attempt.pk}/stop/", headers={"HX-Request": "true"}
    )

    done = fresh(attempt)
    assert (done.status, done.generation) == (Attempt.Status.STOPPED, 1)
    assert done.result is not None
    assert "in 1 generation." in page.content.decode()
    advance_attempt(attempt.pk)  # a bell that was on its way
    assert fresh(attempt).generation == 1


def test_drops_the_slice_during_which_it_was_stopped(client):
    attempt = begun_from(client, picked=[0])
    attempts.advance(attempt, seconds=0)
    hands = fresh(attempt)
    assert attempts._claim(hands)

    attempts.stop(fresh(attempt))

    assert attempts._go_on(hands, until=0) is False
    assert fresh(attempt).generation == 1
    assert Litter.objects.count() == 2


def test_stops_before_its_first_generation_without_a_litter(client):
    attempt = begun_from(client, picked=[0])

    attempts.stop(attempt)

    assert fresh(attempt).result is None
    assert Litter.objects.count() == 1
    assert (
        "stopped before its first generation"
        in client.get(attempt.litter.get_absolute_url()).content.decode()
    )


def test_is_carried_on_by_one_of_two_workers(client):
    attempt = begun_from(client, picked=[0])
    first, second = fresh(attempt), fresh(attempt)

    assert attempts._claim(first)
    assert not attempts.advance(second)


def test_is_rung_for_again_where_its_worker_died(client, queue):
    attempt = begun_from(client, picked=[0])
    attempts.advance(attempt, seconds=0)
    queue.flushdb()

    ring_for_forsaken_attempts()
    assert queue.llen("interactive") == 0
    unhurried(attempt)
    ring_for_forsaken_attempts()
    assert queue.llen("interactive") == 1
    assert carried_out(fresh(attempt)).status == Attempt.Status.FINISHED


def test_makes_one_litter_where_a_worker_dies_before_it_says_so(client):
    attempt = begun_from(client, picked=[0])
    carried_out(attempt)
    Attempt.objects.update(status=Attempt.Status.RUNNING, result=None)

    done = fresh(carried_out(fresh(attempt)))

    assert Litter.objects.count() == 2
    assert done.result is not None


def test_is_given_up_after_an_hour(client):
    attempt = begun_from(client, picked=[0])
    Attempt.objects.update(created_at=timezone.now() - timedelta(hours=2))

    advance_attempt(attempt.pk)

    assert fresh(attempt).status == Attempt.Status.FAILED
    assert "given up after an hour" in client.get(attempt.litter.get_absolute_url()).content.decode()


def test_tries_once_at_a_time(client):
    attempt = begun_from(client, picked=[0])

    page = tried(client, attempt.litter, picked=[1]).content.decode()

    assert "Evolution tries already in this session" in page
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize(
    ("settings", "fields", "complaint"),
    [
        ({}, {}, "Evolution needs a target"),
        ({"target": 10}, {}, "LeNet knows 10 classes, and the target is none of them"),
        ({"target": 3, "classifiers": []}, {}, "No network looks on"),
        ({"target": 3, "classifiers": ["gone"]}, {}, "No network looks on"),
        ({"target": 3}, {"picked": [15]}, "is no picture of this litter"),
        ({"target": 3}, {"picked": ["x"]}, "is no picture of this litter"),
    ],
)
def test_says_why_it_cannot_try(client, settings, fields, complaint):
    litter = digits(client, **settings)

    page = tried(client, litter, **fields).content.decode()

    assert complaint in page
    assert Attempt.objects.count() == 0


def test_says_where_the_weights_are_gone(client, monkeypatch, tmp_path):
    entry = CLASSIFIERS[LENET]
    monkeypatch.setitem(CLASSIFIERS, LENET, type(entry)(**{**vars_of(entry), "folder": tmp_path}))
    litter = digits(client, target=3)

    page = tried(client, litter).content.decode()

    assert "mnist-lenet" in page
    assert 'role="alert"' in page
    assert (
        "LeNet cannot look on: its weights are not on this site."
        in client.get(litter.get_absolute_url()).content.decode()
    )


def vars_of(entry: Any) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__dataclass_fields__}


def test_bounds_the_attempts_from_an_address(client, monkeypatch):
    monkeypatch.setattr("fooling_web.breeding.looking_views.ATTEMPTS_A_MINUTE", 0)

    page = tried(client, digits(client, target=3)).content.decode()

    assert "attempts within a minute" in page
    assert Attempt.objects.count() == 0


def test_shows_how_it_goes(client):
    attempt = begun_from(client, picked=[0])
    attempts.advance(attempt, seconds=0)

    page = client.get(
        f"/breed/{attempt.session_id}/attempt/", headers={"HX-Request": "true"}
    ).content.decode()
    picture = client.get(f"/breed/{attempt.session_id}/attempts/{attempt.pk}/best-1.webp")

    assert "generation 1 of 20" in page
    assert "<polyline" in page
    assert "attempt-stop" in page
    assert picture["Content-Type"] == "image/webp"
    assert picture.content[8:12] == b"WEBP"


def test_shows_no_picture_before_there_is_one(client):
    attempt = begun_from(client, picked=[0])

    assert client.get(f"/breed/{attempt.session_id}/attempts/{attempt.pk}/best-0.webp").status_code == 404


def test_lets_its_litter_be_bred_on_and_rolled_again(client):
    done = fresh(carried_out(begun_from(client)))

    assert done.result is not None
    assert len(stepped(client, done.result, "evolve", picked=[0])) == 10
    assert step(client, done.result, "reroll").status_code == 200


@pytest.fixture
def queue() -> Any:
    """Return the broker's own database, emptied."""
    with redis.Redis(unix_socket_path=str(valkey_socket()), db=0) as broker:
        broker.flushdb()
        yield broker
