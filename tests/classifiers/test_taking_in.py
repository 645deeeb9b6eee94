"""The page on which administrators take a classifier in."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from fooling_web.classifiers.models import Import, Trial
from fooling_web.classifiers.tasks import take_in
from models_zoo import registry
from models_zoo.errors import UnknownClassifier
from tests.models_zoo.own import DIGITS_FILE, colour_weights, written

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
        ({"input_size": "100000"}, "Input size 100000; give from 1 to 1024 pixels"),
        ({"title": "LeNet"}, "is that of &#x27;mnist-lenet&#x27;; choose another"),
        ({"architecture": "mnist-mpl"}, "Unknown architecture &#x27;mnist-mpl&#x27;; choose mnist-mlp"),
        ({"architecture": "torchvision:alexnet"}, "torchvision:alexnet takes rgb or bgr"),
        ({"labels": "imagenet"}, "1,000 labels; the weights in w.safetensors tell 10 classes apart"),
        ({"labels": "file"}, "Give a file with one label a line"),
        ({"architecture": ""}, "This field is required"),
        ({"pictures": [SimpleUploadedFile("a.png", b"words")]}, "The file a.png cannot be read as a picture"),
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
    assert 'accept="image/*,.csv"' in text
    assert "multiple" in text


def fields_with_errors(text: str) -> list[str]:
    """Return the names of the fields beside which something is wrong."""
    return re.findall(r'<div class="field wrong">.*?name="(\w+)"', text, re.DOTALL)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"architecture": "mnist-mpl", "name": "mnist-lenet"}, ["name", "architecture"]),
        ({"std": "0"}, ["std"]),
        ({"title": "LeNet"}, ["title"]),
        ({"labels": "imagenet"}, ["labels"]),
        ({"labels": "file", "labels_file": SimpleUploadedFile("l.txt", b"one\ntwo")}, ["labels_file"]),
        ({"labels": "file", "labels_file": SimpleUploadedFile("l.txt", b"\n\n")}, ["labels_file"]),
        ({"pictures": [SimpleUploadedFile("a.png", b"words")]}, ["pictures"]),
    ],
)
def test_says_it_beside_the_field(administrators: Client, changes: dict[str, Any], fields: list[str]) -> None:
    assert fields_with_errors(refused(administrators, **changes)) == fields


def test_lets_the_browser_cut_nothing_and_proposes_every_architecture(administrators: Client) -> None:
    text = administrators.get(PAGE).content.decode()

    assert "maxlength" not in text.split('<form class="import"')[1]
    assert '<option value="torchvision:vit_b_16">' in text
    assert '<option value="mnist-lenet">' in text


def test_keeps_what_was_typed_when_it_is_tried_again(administrators: Client) -> None:
    lines = SimpleUploadedFile("l.txt", "\n".join(f"digit {n}" for n in range(10)).encode())
    wanted = sent(
        administrators, weights=weights(b"nothing at all"), scale="255", labels="file", labels_file=lines
    )
    take_in(str(wanted.pk))
    failed = administrators.get(wanted.get_absolute_url()).content.decode()
    again = f"{PAGE}?again={wanted.pk}"

    text = administrators.get(again).content.decode()

    assert f'href="{again}"' in failed
    assert re.search(r"The file w\w*.safetensors is no whole safetensors file", failed)
    assert 'name="scale" value="255"' in text
    assert '<option value="file" selected>' in text


@pytest.mark.parametrize("again", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_starts_anew_where_nothing_was_typed_before(administrators: Client, again: str) -> None:
    assert 'value="0.485,0.456,0.406"' in administrators.get(f"{PAGE}?again={again}").content.decode()


class TestVerdict:
    """Networks for colours that were described with their channels exchanged, and digits."""

    @pytest.fixture
    def told(self, administrators: Client, tmp_path: Path) -> Callable[..., str]:
        def send(order: str, *names: str) -> str:
            pictures = []
            for name in names:
                Image.new("RGB", (40, 40), name.split("-")[0]).save(tmp_path / f"{name}.png")
                pictures.append(SimpleUploadedFile(f"{name}.png", (tmp_path / f"{name}.png").read_bytes()))
            texts = {
                **{"architecture": "torchvision:squeezenet1_1", "input_size": "32", "channel_order": order},
                **{"labels": "file", "labels_file": SimpleUploadedFile("l.txt", b"red\nlime\nblue\n")},
                **{"resize": "squash:40"},
            }
            wanted = sent(
                administrators, **texts, weights=weights(seeing_colours(tmp_path)), pictures=pictures
            )
            take_in(str(wanted.pk))
            return administrators.get(wanted.get_absolute_url()).content.decode()

        return send

    def test_tells_how_many_are_right(self, told: Callable[..., str]) -> None:
        text = told("rgb", "red", "lime", "blue")

        assert "<strong>3 of 3 right</strong>" in text
        assert "did you mean" not in text
        assert text.count('<img src="data:image/png;base64,') == 3

    def test_proposes_the_other_channel_order(self, told: Callable[..., str], administrators: Client) -> None:
        text = told("bgr", "red", "lime", "blue", "blue-2")

        assert "<strong>1 of 4 right</strong>" in text
        assert "With RGB it would be right on 4 of 4 instead of 1" in text
        assert "--channel-order rgb" in text
        (address,) = re.findall(r'href="(/classifiers/my-digits/remove/[^"]+)"', text)
        removed = administrators.post(address.replace("&amp;", "&"))
        assert removed["Location"].startswith(PAGE)
        assert '<option value="rgb" selected>' in administrators.get(removed["Location"]).content.decode()

    def test_says_when_pictures_are_too_few_to_tell(self, told: Callable[..., str]) -> None:
        assert "so few pictures do not tell which channel order is right" in told("bgr", "red")

    def test_says_that_nothing_is_known(self, told: Callable[..., str]) -> None:
        assert "Whether it is described correctly is not known" in told("rgb")

    def test_tries_it_on_the_sites_own_sample(
        self, administrators: Client, digit: Callable[..., Any], tmp_path: Path, monkeypatch: Any
    ) -> None:
        sample = tmp_path / "data" / "imagenet_sample"
        sample.mkdir(parents=True)
        for name in ("a", "b"):
            Image.new("RGB", (40, 40), "red").save(sample / f"{name}.png")
        (sample / "labels.csv").write_text("file,class_index\na.png,0\nb.png,0\n")
        monkeypatch.setenv("FOOLING_DATA_DIR", str(sample.parent))
        texts = {"architecture": "torchvision:squeezenet1_1", "input_size": "32", "channel_order": "bgr"}

        wanted = sent(
            administrators,
            **{**texts, "labels": "imagenet", "resize": "squash:40"},
            weights=weights(seeing_colours(tmp_path, 1000)),
        )
        take_in(str(wanted.pk))

        text = administrators.get(wanted.get_absolute_url()).content.decode()
        assert "<strong>0 of 2 right</strong> on the site&#x27;s own sample" in text.replace("'", "&#x27;")
        assert "With RGB it would be right on 2 of 2" in text


def seeing_colours(folder: Path, n_classes: int = 3) -> bytes:
    """Return a SqueezeNet whose first three outputs are the red, green and blue that it sees."""
    values = {name: torch.zeros_like(weight) for name, weight in colour_weights(n_classes).items()}
    for channel in range(3):
        values["features.0.weight"][channel, channel, 1, 1] = 1
        for number in (3, 4, 6, 7, 9, 10, 11, 12):
            values[f"features.{number}.squeeze.weight"][channel, channel] = 1
            values[f"features.{number}.expand1x1.weight"][channel, channel] = 1
        values["classifier.1.weight"][channel, channel] = 1
    return written(values, folder / "seeing.safetensors").read_bytes()
