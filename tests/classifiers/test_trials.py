"""Asking a classifier about pictures of one's own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from fooling_web.classifiers.models import Trial
from fooling_web.classifiers.tasks import answer
from fooling_web.home import valkey_socket

pytestmark = pytest.mark.django_db
PAGE = "/classifiers/mnist-lenet/"


@pytest.fixture
def alices(as_person: Callable[[Any], Client], alice: Any) -> Client:
    return as_person(alice)


@pytest.fixture
def asked(alices: Client, digit: Callable[..., Any]) -> Trial:
    """A trial of Alice's that waits for the worker."""
    assert alices.post(PAGE, {"pictures": [digit(), digit("again.jpg", "JPEG")]}).status_code == 200
    return Trial.objects.get()


def refused(client: Client, *pictures: Any) -> str:
    sent = client.post(PAGE, {"pictures": list(pictures)})
    assert sent.status_code == 422
    assert not Trial.objects.exists()
    return sent.content.decode()


class TestAsking:
    def test_shows_the_pictures_and_waits(self, alices: Client, digit: Callable[..., Any]) -> None:
        text = alices.post(PAGE, {"pictures": [digit()]}).content.decode()

        assert 'src="data:image/png;base64,' in text
        assert "LeNet is looking at 1 picture …" in text
        assert f'hx-get="{Trial.objects.get().get_absolute_url()}"' in text

    def test_leaves_the_work_to_the_interactive_worker(
        self, settings: Any, alices: Client, digit: Callable[..., Any]
    ) -> None:
        with redis.Redis.from_url(f"unix://{settings_socket(settings)}?db=0") as queue:
            queue.flushdb()
            alices.post(PAGE, {"pictures": [digit()]})

            assert queue.llen("interactive") == 1

    def test_asks_people_to_sign_in(self, client: Client, digit: Callable[..., Any]) -> None:
        sent = client.post(PAGE, {"pictures": [digit()]})

        assert (sent.status_code, sent["Location"]) == (302, f"/accounts/login/?next={PAGE}")

    def test_refuses_what_is_no_picture(self, alices: Client) -> None:
        assert "The file notes.png cannot be read as a picture" in refused(
            alices, SimpleUploadedFile("notes.png", b"words")
        )

    def test_refuses_half_a_picture(self, alices: Client, digit: Callable[..., Any]) -> None:
        half = SimpleUploadedFile("half.png", digit().read()[:600])

        assert "The file half.png cannot be read as a picture" in refused(alices, half)

    def test_refuses_none_and_too_many(self, alices: Client, digit: Callable[..., Any]) -> None:
        assert "This field is required" in refused(alices)
        assert "13 pictures given; 12 at once are the most" in refused(alices, *[digit() for _ in range(13)])

    def test_refuses_pictures_that_would_fill_the_memory(self, alices: Client, tmp_path: Any) -> None:
        for name, size in (("huge.png", (8000, 6000)), ("strip.png", (4000, 10))):
            Image.new("1", size).save(tmp_path / name)
        huge = SimpleUploadedFile("huge.png", (tmp_path / "huge.png").read_bytes())
        strip = SimpleUploadedFile("strip.png", (tmp_path / "strip.png").read_bytes())

        assert "has 48,000,000 pixels" in refused(alices, huge)
        assert "is a strip of 4000 x 10 pixels" in refused(alices, strip)

    def test_refuses_large_files(self, alices: Client) -> None:
        assert "is larger than 10 MB" in refused(alices, SimpleUploadedFile("large.png", b"x" * 10_000_001))

    def test_lets_nobody_fill_the_queue(self, alices: Client, digit: Callable[..., Any]) -> None:
        for _ in range(3):
            alices.post(PAGE, {"pictures": [digit()]})

        sent = alices.post(PAGE, {"pictures": [digit()]})

        assert sent.status_code == 422
        assert "still waiting for their answers" in sent.content.decode()

    def test_refuses_while_there_are_no_weights(self, alices: Client, digit: Callable[..., Any]) -> None:
        sent = alices.post("/classifiers/alexnet/", {"pictures": [digit()]})

        assert sent.status_code == 422
        assert not Trial.objects.exists()


class TestVerdict:
    def asked(self, client: Client, *files: Any) -> Trial:
        assert client.post(PAGE, {"pictures": list(files)}).status_code == 200
        trial = Trial.objects.get()
        answer(str(trial.pk))
        trial.refresh_from_db()
        return trial

    def test_tells_how_many_are_right_by_the_names_of_the_files(
        self, alices: Client, digit: Callable[..., Any]
    ) -> None:
        trial = self.asked(
            alices, digit("digit 7.png"), digit("class_7 b.png"), digit("class_1.png"), digit("7.png")
        )

        text = alices.get(trial.get_absolute_url()).content.decode()
        assert trial.classes == [7, 7, 1, None]
        assert "<strong>2 of 3 right</strong>; what the other" in text
        assert "Wrong: it shows 1<" in text
        assert text.count('<img src="data:image/png;base64,') == 4

    def test_tells_it_by_a_list_sent_along(self, alices: Client, digit: Callable[..., Any]) -> None:
        lines = SimpleUploadedFile("labels.csv", b"file,class_index\nimages/seven.png,7\nother.png,1\n")

        trial = self.asked(alices, digit(), lines)

        assert (trial.names, trial.classes, trial.right, trial.known) == (["seven.png"], [7], 1, 1)

    def test_claims_nothing_where_it_does_not_know(self, alices: Client, digit: Callable[..., Any]) -> None:
        trial = self.asked(alices, digit())

        assert 'class="verdict"' not in alices.get(trial.get_absolute_url()).content.decode()

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            (b"file,class_index\nseven.png,10\n", "labels.csv gives class_index"),
            (b"one,two\n", "has no columns file and class_index"),
            (b"\xff\xfe", "The file labels.csv is no text in UTF-8"),
        ],
    )
    def test_refuses_a_list_that_it_cannot_use(
        self, alices: Client, digit: Callable[..., Any], content: bytes, complaint: str
    ) -> None:
        assert complaint in refused(alices, digit(), SimpleUploadedFile("labels.csv", content))

    def test_refuses_a_list_alone(self, alices: Client) -> None:
        assert "A list alone" in refused(alices, SimpleUploadedFile("labels.csv", b"file,class_index"))

    def test_shows_small_copies_for_an_hour(self, alices: Client, digit: Callable[..., Any]) -> None:
        trial = self.asked(alices, digit())
        Trial.objects.update(created_at=timezone.now() - timedelta(minutes=61))

        assert alices.get(trial.get_absolute_url()).status_code == 404


class TestAnswering:
    def test_names_the_five_likeliest_classes(self, alices: Client, asked: Trial) -> None:
        answer(str(asked.pk))

        text = alices.get(asked.get_absolute_url()).content.decode()
        asked.refresh_from_db()
        assert [answers[0][0] for answers in asked.answers] == [7, 7]
        assert all(len(answers) == 5 for answers in asked.answers)
        assert "seven.png" in text
        assert text.count("<meter") == 10
        assert "hx-trigger" not in text.split('id="answers"')[1].split(">")[0]

    def test_forgets_the_pictures(self, asked: Trial) -> None:
        assert asked.pixels

        answer(str(asked.pk))

        asked.refresh_from_db()
        assert asked.pixels is None

    def test_answers_once(self, asked: Trial) -> None:
        answer(str(asked.pk))
        done_at = Trial.objects.get().done_at

        answer(str(asked.pk))

        assert Trial.objects.get().done_at == done_at

    def test_says_why_it_could_not(self, alices: Client, asked: Trial) -> None:
        Trial.objects.update(classifier="alexnet", pixels=b"\0" * (2 * 3 * 256 * 256))

        answer(str(asked.pk))

        text = alices.get(asked.get_absolute_url()).content.decode()
        assert "manage.py download_classifier alexnet fetches it" in text
        assert Trial.objects.get().pixels is None

    def test_survives_what_nobody_thought_of(self, asked: Trial) -> None:
        Trial.objects.update(pixels=b"too few")

        answer(str(asked.pk))

        assert "worker's log" in Trial.objects.get().error  # noqa: RUF100

    def test_sends_a_fragment_to_a_page_that_waits(self, alices: Client, asked: Trial) -> None:
        fragment = alices.get(asked.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()

        assert fragment.lstrip().startswith('<div class="answers"')
        assert 'hx-trigger="every 1s"' in fragment

    def test_stops_asking_after_a_while(self, alices: Client, asked: Trial) -> None:
        Trial.objects.update(created_at=timezone.now() - timedelta(minutes=6))

        fragment = alices.get(asked.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()

        assert "No answer came within five minutes" in fragment
        assert "hx-get" not in fragment

    def test_shows_answers_to_nobody_else(
        self, asked: Trial, client: Client, as_person: Callable[[Any], Client], bob: Any
    ) -> None:
        assert as_person(bob).get(asked.get_absolute_url()).status_code == 404
        assert client.get(asked.get_absolute_url()).status_code == 302

    def test_sweeps_out_old_trials(self, alices: Client, asked: Trial, digit: Callable[..., Any]) -> None:
        Trial.objects.update(created_at=timezone.now() - timedelta(hours=2))

        alices.post(PAGE, {"pictures": [digit()]})

        assert asked.pk not in Trial.objects.values_list("pk", flat=True)


def settings_socket(settings: Any) -> str:
    """Return the socket that the settings were read with; this test's own home has none."""
    return str(settings.CELERY_BROKER_URL).removeprefix("redis+socket://").partition("?")[0] or str(
        valkey_socket()
    )
