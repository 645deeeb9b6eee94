"""The button with which administrators fetch weights."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import torch
from django.test import Client
from django.utils import timezone

from fooling_web.classifiers.models import Fetch
from fooling_web.classifiers.tasks import fetch
from models_zoo import registry
from models_zoo.downloading import downloads_folder
from tests.models_zoo.own import colour_weights
from tests.models_zoo.test_downloading import NAME, offered

pytestmark = pytest.mark.django_db
PAGE = f"/classifiers/{NAME}/"


@pytest.fixture
def administrators(as_person: Callable[[Any], Client], administrator: Any) -> Client:
    return as_person(administrator)


@pytest.fixture
def laid_down(monkeypatch: Any) -> None:
    """Put the file where it is taken from instead of being fetched."""
    file = io.BytesIO()
    torch.save(colour_weights(1000), file)
    downloads_folder().mkdir(parents=True)
    (downloads_folder() / offered(file.getvalue(), monkeypatch)).write_bytes(file.getvalue())


def asked(client: Client) -> Fetch:
    answer = client.post(f"{PAGE}fetch/")
    assert answer.status_code == 302
    wanted = Fetch.objects.get()
    assert answer["Location"] == wanted.get_absolute_url()
    return wanted


def fragment(client: Client, wanted: Fetch) -> str:
    answer = client.get(wanted.get_absolute_url(), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_fetches_weights(administrators: Client, laid_down: None) -> None:
    button = f'action="{PAGE}fetch/"'
    assert button in administrators.get(PAGE).content.decode()
    wanted = asked(administrators)
    assert 'hx-trigger="every 1s"' in fragment(administrators, wanted)

    fetch(str(wanted.pk))

    assert "The weights of SqueezeNet 1.1 are here" in fragment(administrators, wanted)
    assert "hx-trigger" not in fragment(administrators, wanted)
    assert button not in administrators.get(PAGE).content.decode()
    registry.find(NAME).require_weights()


def test_shows_how_many_bytes_are_here(administrators: Client) -> None:
    wanted = asked(administrators)

    wanted.move(1_000_000, 4_729_000)

    text = fragment(administrators, wanted)
    assert "1,000,000 of 4,729,000 bytes are here" in text
    assert '<progress max="4729000" value="1000000">' in text


def test_says_why_it_failed(administrators: Client, monkeypatch: Any) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    wanted = asked(administrators)

    fetch(str(wanted.pk))

    text = fragment(administrators, wanted)
    assert ">squeezenet1_1-b8a52dc0.pth could not be fetched (https://" in text
    assert str(downloads_folder()) in text
    assert "Try again" in text


def test_shows_the_fetch_that_goes_on_to_who_asks_again(administrators: Client) -> None:
    first = asked(administrators)

    assert asked(administrators) == first


def test_begins_anew_after_one_that_nothing_was_heard_of(administrators: Client) -> None:
    first = asked(administrators)
    Fetch.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert "Nothing was heard of it for five minutes" in fragment(administrators, first)

    administrators.post(f"{PAGE}fetch/")

    assert Fetch.objects.count() == 2


def test_is_fetched_by_one_worker_at_a_time(administrators: Client) -> None:
    wanted = asked(administrators)

    assert [wanted.claim(), wanted.claim()] == [True, False]
    Fetch.objects.update(moved_at=timezone.now() - timedelta(minutes=2))  # the worker died
    assert wanted.claim()
    wanted.end()
    assert not wanted.claim()


def test_offers_it_for_what_can_be_fetched_alone(administrators: Client) -> None:
    assert administrators.post("/classifiers/mnist-lenet/fetch/").status_code == 404
    assert administrators.get(f"{PAGE}fetch/").status_code == 405


def test_is_for_administrators_alone(
    administrators: Client, client: Client, as_person: Callable[[Any], Client], bob: Any
) -> None:
    wanted = asked(administrators)
    bobs = as_person(bob)

    assert "fetch/" not in bobs.get(PAGE).content.decode()
    assert bobs.post(f"{PAGE}fetch/").status_code == 403
    assert bobs.get(wanted.get_absolute_url()).status_code == 403
    assert client.post(f"{PAGE}fetch/").status_code == 302
    assert Fetch.objects.count() == 1
