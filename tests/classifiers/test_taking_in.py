"""The page on which administrators take a classifier in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.classifiers.models import Import, Trial
from fooling_web.classifiers.tasks import take_in
from models_zoo import registry
from models_zoo.errors import UnknownClassifier
from tests.models_zoo.own import DIGITS_FILE

pytestmark = pytest.mark.django_db
PAGE = "/classifiers/import/"
TEXTS = {
    "name": "my-digits",
    "title": "My digits",
    "architecture": "mnist-mlp",
    "input_size": "28",
    "channel_order": "grey",
    "scale": "1",
    "mean": "0",
    "std": "1",
    "resize": "squash:28",
    "interpolation": "bilinear",
    "labels": "mnist",
}


@pytest.fixture
def administrators(as_person: Callable[[Any], Client], administrator: Any) -> Client:
    return as_person(administrator)


def weights(content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("w.safetensors", DIGITS_FILE.read_bytes() if content is None else content)


def sent(client: Client, **changes: Any) -> Import:
    answer = client.post(PAGE, {**TEXTS, "weights": weights(), **changes})
    assert answer.status_code == 302, answer.content.decode()
    return Import.objects.get()


def refused(client: Client, **changes: Any) -> str:
    answer = client.post(PAGE, {**TEXTS, "weights": weights(), **changes})
    assert answer.status_code == 422
    assert not Import.objects.exists()
    return answer.content.decode()


def test_takes_a_classifier_in_and_tries_it(administrators: Client, digit: Callable[..., Any]) -> None:
    wanted = sent(administrators, pictures=[digit()])
    waiting = administrators.get(wanted.get_absolute_url()).content.decode()

    take_in(str(wanted.pk))

    done = administrators.get(wanted.get_absolute_url()).content.decode()
    assert "being looked at and tried" in waiting
    assert "My digits was taken in" in done
    assert "seven.png" in done
    assert registry.find("my-digits").title == "My digits"
    assert Trial.objects.get().answers[0][0][0] == 7


def test_keeps_nothing_of_the_file(administrators: Client) -> None:
    wanted = sent(administrators)
    path = wanted.weights.name
    assert default_storage.exists(path)

    take_in(str(wanted.pk))

    assert not default_storage.exists(path)


def test_sweeps_out_a_file_that_no_worker_came_to(administrators: Client) -> None:
    forgotten = sent(administrators)
    Import.objects.update(created_at=timezone.now() - timedelta(hours=2))

    administrators.post(PAGE, {**TEXTS, "name": "another", "weights": weights()})

    forgotten.refresh_from_db()
    assert not forgotten.weights
    assert "did not come to it" in forgotten.error


def test_takes_labels_from_a_file(administrators: Client) -> None:
    lines = SimpleUploadedFile("l.txt", "\n".join(f"digit {n}" for n in range(10)).encode())

    take_in(str(sent(administrators, labels="file", labels_file=lines).pk))

    assert registry.find("my-digits").labels[3] == "digit 3"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is a picture"),
        (b"PK\x03\x04" + bytes(100), "is a pickle"),
        (b"no weights at all", "is no whole safetensors file"),
    ],
)
def test_says_why_weights_were_refused(administrators: Client, content: bytes, complaint: str) -> None:
    wanted = sent(administrators, weights=weights(content))

    take_in(str(wanted.pk))

    text = administrators.get(wanted.get_absolute_url()).content.decode()
    assert complaint in text
    assert not default_storage.exists(wanted.weights.name)
    with pytest.raises(UnknownClassifier):
        registry.find("my-digits")


def test_answers_no_trial_of_a_classifier_that_was_refused(
    administrators: Client, digit: Callable[..., Any]
) -> None:
    take_in(str(sent(administrators, weights=weights(b"nothing at all"), pictures=[digit()]).pk))

    trial = Trial.objects.get()
    assert (trial.pixels, trial.answers, trial.is_waiting) == (None, [], False)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "Mine!"}, "Name &#x27;Mine!&#x27;; give small letters"),
        ({"name": "mnist-lenet"}, "is the project&#x27;s own"),
        ({"name": "import"}, "is the project&#x27;s own"),
        ({"mean": "1,2,3"}, "3 numbers given as mean; grey takes 1"),
        ({"input_size": "many"}, "give whole pixels"),
        ({"labels": "file"}, "Give a file with one label a line"),
        ({"architecture": ""}, "This field is required"),
        ({"pictures": [SimpleUploadedFile("a.png", b"words")]}, "cannot be read as a picture"),
    ],
)
def test_refuses_bad_words_at_once(administrators: Client, changes: dict[str, Any], complaint: str) -> None:
    assert complaint in refused(administrators, **changes)


def test_refuses_files_above_the_sites_limit(administrators: Client, settings: Any) -> None:
    settings.CLASSIFIER_UPLOAD_MEGABYTES = 1

    text = refused(administrators)

    assert "is larger than 1 MB, the most this site takes; manage.py import_classifier takes any size" in text


def test_is_for_administrators_alone(
    administrators: Client, client: Client, as_person: Callable[[Any], Client], bob: Any
) -> None:
    wanted = sent(administrators)

    for address in (PAGE, wanted.get_absolute_url()):
        assert as_person(bob).get(address).status_code == 403
        assert client.get(address)["Location"].startswith(reverse("account_login"))


def test_says_when_the_form_is_shown_what_belongs_into_it(administrators: Client) -> None:
    text = administrators.get(PAGE).content.decode()

    assert "A pickle (.pt, .pth) is refused" in text
    assert 'accept="image/*"' in text
    assert "multiple" in text
