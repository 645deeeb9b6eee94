"""The networks look on: who does, what they say, the target and the goals."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import redis
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from evolution.parameters import CppnParameters
from fooling_web.breeding.litters import pictures_of
from fooling_web.breeding.looking import Looking, reach
from fooling_web.breeding.models import BreedingSession, Opinion
from fooling_web.breeding.opinions import answer, ask, pictures_for, same_class
from fooling_web.breeding.tasks import give_opinion
from fooling_web.celery import app
from fooling_web.home import valkey_socket
from models_zoo.registry import find, load
from tests.breeding.bred import begun, first_of, step, stepped
from tests.breeding.looked import LENET, MLP, asked, chosen, digits, looked

pytestmark = pytest.mark.django_db


def opinion_of(litter: Any, classifier: str = LENET) -> Opinion:
    return Opinion.objects.get(litter=litter, classifier=classifier)


def settings_of(litter: Any) -> BreedingSession:
    return BreedingSession.objects.get(pk=litter.session_id)


def test_lets_the_usual_classifier_look_on_at_first(client):
    assert begun(client).classifiers == ["efficientnet-lite0"]
    assert digits(client).session.classifiers == [LENET]


def test_says_of_each_picture_what_the_classifier_says(client):
    litter = digits(client)

    page = looked(client, litter).content.decode()

    confidences = load(LENET)(pictures_of(litter, 28))
    kept = opinion_of(litter)
    assert kept.status == Opinion.Status.ANSWERED
    assert [top[0][0] for top in kept.tops] == confidences.argmax(axis=1).tolist()
    assert [top[0][1] for top in kept.tops] == pytest.approx(confidences.max(axis=1), abs=1e-6)
    assert all(len(top) == 5 for top in kept.tops)
    assert kept.weights_sha256 == load(LENET).weights_sha256
    assert page.count('hx-swap-oob="innerHTML"') == 15
    assert page.count('class="guess"') == 15
    assert "data-waiting" not in page


def test_develops_pictures_at_the_side_of_each_classifier(client):
    litter = first_of(begun(client))

    images = pictures_for(find("efficientnet-lite2"), litter.session.settings, litter.documents[:2])

    assert images.shape == (2, 3, 297, 297)


def test_resizes_pictures_whose_network_counts_pixels(client):
    litter = first_of(begun(client))
    settings = litter.session.settings
    pixels = settings.replaced(cppn=CppnParameters(coordinates="pixel-indices"), height=64, width=64)
    documents = [{**litter.documents[0], "coordinates": "pixel-indices"}]

    images = pictures_for(find("efficientnet-lite0"), pixels, documents)

    assert images.shape == (1, 3, 256, 256)
    assert np.allclose(images * 255, np.rint(images * 255), atol=1e-3)


def test_asks_each_classifier_once_however_often_a_page_asks(client, queue):
    litter = digits(client, classifiers=[LENET, MLP])

    pages = [asked(client, litter).content.decode() for _ in range(3)]

    assert Opinion.objects.filter(litter=litter).count() == 2
    assert queue.llen("interactive") == 2
    assert all('data-waiting="2"' in page for page in pages)


def test_asks_anew_what_got_lost_or_failed(client):
    litter = digits(client)
    asked(client, litter)
    assert ask(settings_of(litter), litter) == []

    Opinion.objects.update(asked_at=timezone.now() - timedelta(seconds=31))
    assert len(ask(settings_of(litter), litter)) == 1
    assert ask(settings_of(litter), litter) == []

    Opinion.objects.update(status=Opinion.Status.FAILED, error="It was too dark.")
    assert len(ask(settings_of(litter), litter)) == 1
    assert opinion_of(litter).error == ""
    assert Opinion.objects.count() == 1


def test_answers_for_the_newest_litter_first(client):
    litter = digits(client)
    asked(client, litter)
    newer = stepped(client, litter, "evolve", picked=[0])
    asked(client, newer)

    give_opinion(str(litter.session_id), LENET)

    assert opinion_of(newer).status == Opinion.Status.ANSWERED
    assert opinion_of(litter).status == Opinion.Status.WAITING
    give_opinion(str(litter.session_id), LENET)
    assert opinion_of(litter).status == Opinion.Status.ANSWERED
    give_opinion(str(litter.session_id), LENET)  # a bell too many


def test_shows_kept_opinions_with_the_litter_and_asks_for_none(client, queue):
    litter = digits(client)
    looked(client, litter)
    stepped(client, litter, "evolve", picked=[0])
    queue.flushdb()

    page = step(client, litter, "go").content.decode()

    assert page.count('class="guess"') == 15
    assert queue.llen("interactive") == 0


def test_takes_no_step_to_the_worker(client, queue):
    litter = digits(client)
    queue.flushdb()

    stepped(client, litter, "evolve", picked=[0])

    assert queue.keys("*") == []
    assert Opinion.objects.count() == 0


def test_says_why_a_classifier_could_not_look(client):
    litter = digits(client)
    asked(client, litter)
    Opinion.objects.update(classifier="gone")
    BreedingSession.objects.update(classifiers=["gone", LENET])

    answer(Opinion.objects.select_related("litter__session").get())

    kept = opinion_of(litter, "gone")
    assert kept.status == Opinion.Status.FAILED
    assert kept.error.startswith("Unknown classifier 'gone'; choose one of")
    assert (
        "gone" not in client.get(litter.get_absolute_url()).content.decode()
    )  # it does not look on any more


def test_tells_where_the_broker_is_away(client, monkeypatch):
    litter = digits(client)
    monkeypatch.setattr(app.amqp, "send_task_message", unreachable)

    page = asked(client, litter).content.decode()

    assert "The worker cannot be reached at the moment. Try again later." in page
    assert opinion_of(litter).status == Opinion.Status.FAILED


def unreachable(*arguments: Any, **options: Any) -> None:
    raise OperationalError("connection refused")


def test_keeps_who_looks_on_and_for_what(client):
    litter = digits(client)

    answer = chosen(client, litter, classifiers=[MLP, LENET, MLP], target=" 7 ", goal="fool", sorts="on")

    assert answer.status_code == 200
    session = settings_of(litter)
    assert session.classifiers == [MLP, LENET]
    assert (session.target, session.goal, session.sorts) == (7, "fool", True)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"classifiers": ["", "", ""]}, "Choose one to three networks"),
        ({"classifiers": ["efficientnet-lite0"]}, "cannot look on here"),
        ({"classifiers": ["<nobody>"]}, "&lt;nobody&gt;” cannot look on here"),
        ({"target": "strawberry"}, "“strawberry” is no class of LeNet"),
        ({"goal": "win"}, "win is not one of the available choices"),
    ],
)
def test_refuses_who_cannot_look_on_and_what_they_do_not_know(client, fields, complaint):
    litter = digits(client, target=3, goal="agree")

    answer = chosen(client, litter, **fields)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    session = settings_of(litter)
    assert (session.classifiers, session.target, session.goal) == ([LENET], 3, "agree")


def test_finds_a_class_by_the_beginning_of_its_name(client):
    litter = first_of(begun(client))

    chosen(client, litter, classifiers=["efficientnet-lite0"], target="strawb")

    entry = find("efficientnet-lite0")
    assert entry.labels[settings_of(litter).target or 0] == "strawberry"


def test_finds_the_same_class_by_name_for_another_classifier():
    lite0, lenet = find("efficientnet-lite0"), find(LENET)

    assert same_class(lite0, find("efficientnet-lite2"), 949) == 949
    assert same_class(lenet, lite0, 3) is None
    assert same_class(lenet, lenet, None) is None


def test_asks_again_where_a_kept_opinion_lacks_the_target(client):
    litter = digits(client)
    looked(client, litter)
    assert opinion_of(litter).confidences == []

    chosen(client, litter, target="4")
    page = looked(client, litter).content.decode()

    kept = opinion_of(litter)
    assert kept.target == 4
    assert kept.confidences == pytest.approx(load(LENET)(pictures_of(litter, 28))[:, 4], abs=1e-6)
    assert kept.best == max(kept.confidences)
    assert page.count('role="meter"') == 15
    assert page.count("is-best") == 1
    assert "Best so far for 4" in page
    assert ask(settings_of(litter), litter) == []


def test_keeps_no_answer_to_a_question_that_was_changed_meanwhile(client):
    litter = digits(client, target=1)
    asked(client, litter)
    stale = Opinion.objects.select_related("litter__session").get()
    chosen(client, litter, target="2")
    asked(client, litter)

    answer(stale)

    kept = opinion_of(litter)
    assert (kept.status, kept.target, kept.confidences) == (Opinion.Status.WAITING, 2, [])


def test_remembers_the_best_of_the_whole_session(client):
    litter = digits(client, target=1)
    looked(client, litter)
    newer = stepped(client, litter, "evolve", picked=[0])
    looked(client, newer)

    record = Looking(settings_of(litter), newer).record

    both = {0: opinion_of(litter), 1: opinion_of(newer)}
    number = max(both, key=lambda one: both[one].best or 0)
    assert record is not None
    assert (record.number, record.confidence) == (number, both[number].best)
    assert both[number].confidences[record.place] == record.confidence


@pytest.mark.parametrize(
    ("goal", "confidence", "top", "seen", "told"),
    [
        ("fool", 0.995, 3, None, "Do you see 3 in it?"),
        ("fool", 0.995, 3, "no", "you fooled LeNet"),
        ("fool", 0.995, 3, "yes", "which is the other goal"),
        ("agree", 0.6, 3, None, "Do you see 3 in it?"),
        ("agree", 0.6, 3, "yes", "you and LeNet agree"),
        ("agree", 0.6, 3, "no", "you and the network disagree"),
        ("agree", 0.995, 3, "no", "you fooled LeNet"),
    ],
)
def test_asks_the_person_and_takes_their_word(client, goal, confidence, top, seen, told):
    litter = imagined(client, goal, confidence, top)

    if seen:
        client.post(f"{litter.get_absolute_url()}5/seen/", {"seen": seen})

    page = client.get(litter.get_absolute_url()).content.decode()
    assert told in page
    if seen:
        assert f'5/publish/?seen={seen}"' in page
        assert opinion_of(litter).seen == [[5, 3, seen == "yes"]]


@pytest.mark.parametrize(
    ("goal", "confidence", "top"), [("fool", 0.98, 3), ("agree", 0.49, 3), ("agree", 0.5, 8), ("", 1, 3)]
)
def test_asks_nothing_before_the_network_does_its_part(client, goal, confidence, top):
    litter = imagined(client, goal, confidence, top)

    assert "Do you see" not in client.get(litter.get_absolute_url()).content.decode()


def imagined(client: Client, goal: str, confidence: float, top: int) -> Any:
    """Return a litter in whose sixth picture LeNet sees a 3 with a confidence."""
    litter = digits(client, target=3, goal=goal)
    confidences = [0.001] * 5 + [confidence] + [0.001] * 9
    Opinion.objects.create(
        litter=litter,
        classifier=LENET,
        status=Opinion.Status.ANSWERED,
        tops=[[[top, 1.0]]] * 15,
        target=3,
        confidences=confidences,
        best=confidence,
    )
    return litter


def test_fills_the_meter_by_the_odds():
    # 50 % is the middle; odds of 1 to 99 are two decades of four below it
    assert [reach(one) for one in (0, 0.0001, 0.0099, 0.5, 0.9901, 0.9999, 1)] == [0, 0, 25, 50, 75, 100, 100]


def test_bounds_how_often_an_address_may_ask(client, monkeypatch):
    monkeypatch.setattr("fooling_web.breeding.looking_views.OPINIONS_A_MINUTE", 0)
    litter = digits(client)

    page = asked(client, litter).content.decode()

    assert "networks were asked very often" in page
    assert Opinion.objects.count() == 0


def test_sends_the_names_of_classes_and_of_no_strange_classifier(client):
    assert client.get(reverse("breeding:labels", args=[LENET])).content.count(b"<option") == 10
    assert client.get(reverse("breeding:labels", args=["gone"])).status_code == 404


def test_shuts_everybody_else_out(client, bob, as_person):
    litter = digits(client)
    stranger, address = as_person(bob), litter.get_absolute_url()

    answers = [
        asked(stranger, litter),
        stranger.get(f"{address}opinions/"),
        chosen(stranger, litter),
        stranger.post(f"{address}0/seen/", {"seen": "yes"}),
        stranger.post(f"{address}attempt/"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert Opinion.objects.count() == 0


def test_works_without_scripts(client):
    litter = digits(client)

    assert client.post(f"{litter.get_absolute_url()}opinions/").status_code == 302
    assert client.post(f"/breed/{litter.session_id}/networks/", {"classifiers": [MLP]}).status_code == 302
    assert settings_of(litter).classifiers == [MLP]
    page = client.post(
        f"/breed/{litter.session_id}/networks/", {"classifiers": [""]}, follow=True
    ).content.decode()
    assert "Choose one to three networks" in page


@pytest.fixture
def queue() -> Any:
    """Return the broker's own database, emptied."""
    with redis.Redis(unix_socket_path=str(valkey_socket()), db=0) as broker:
        broker.flushdb()
        yield broker
