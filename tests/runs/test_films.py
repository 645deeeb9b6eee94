"""Films: asked for on a page, made by the worker in slices, downloaded, bounded, and made again."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from fooling_web.runs import films
from fooling_web.runs.films import (
    MOST_FRAMES,
    STRIP,
    again,
    frames_of,
    layout_for,
    make,
    make_safely,
    order,
    tidy_up,
)
from fooling_web.runs.models import Film, Run
from fooling_web.runs.tasks import make_film
from fooling_web.runs.tiles import shelf
from fooling_web.runs.webp import chunks_of, joined
from tests.factories import launched
from tests.imagined import imagined

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _storage(settings: LazySettings, tmp_path: Path) -> None:
    """Keep files in a folder of the test's own."""
    settings.HOME = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "files"}},
    }
    shelf.clear()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[Film]:
    """Collect the films that the worker is asked for."""
    asked: list[Film] = []
    monkeypatch.setattr("fooling_web.runs.time_views.ask_for_film", asked.append)
    return asked


def ordered(run: Run, classes: list[int] | None = None, seconds: int = 10) -> Film:
    return order(run, "somebody", classes or [], seconds)


def finished(film: Film) -> Film:
    while make(film):
        pass
    return film


def ask(client: Client, run: Run, **choices: str) -> Any:
    return client.post(reverse("runs:order_film", args=[run.pk]), {"seconds": "10", **choices})


def pictures(content: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(content)) as film:
        assert film.format == "WEBP"
        found = []
        for place in range(film.n_frames):
            film.seek(place)
            found.append(np.asarray(film.convert("RGB"), float))
    return found


def content_of(film: Film) -> bytes:
    with film.file.open() as file:
        content: bytes = file.read()
    return content


def test_goes_from_the_form_through_the_worker_to_a_file(
    client: Client, finished_run: Run, orders: list[Film], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = ask(client, finished_run)
    [film] = orders
    assert answer["Location"] == film.get_absolute_url()
    assert "hx-get" in client.get(film.get_absolute_url()).content.decode()

    make_film.run(str(film.pk))

    page = client.get(film.get_absolute_url()).content.decode()
    assert "hx-get" not in page
    file = client.get(reverse("runs:film_file", args=[film.pk]) + "?keep=1")
    assert file["Content-Type"] == "image/webp"
    assert "attachment" in file["Content-Disposition"]
    shown = pictures(b"".join(file.streaming_content))  # type: ignore[attr-defined]
    assert len(shown) == len(set(finished_run.takeovers.values_list("generation", flat=True)) | {5})


def test_shows_the_archive_of_each_generation(finished_run: Run) -> None:
    film = finished(ordered(finished_run))

    first = pictures(content_of(film))[0]

    layout = layout_for(finished_run, 10)
    assert first.shape == (layout.size[1], layout.size[0], 3)
    takeover = finished_run.takeovers.select_related("individual").get(generation=0, class_index=7)
    with Image.open(io.BytesIO(bytes(_png(finished_run, takeover.individual)))) as picture:
        expected = picture.convert("RGB").resize((layout.shown, layout.shown), Image.Resampling.NEAREST)
    row, column = divmod(7, layout.columns)
    place = first[row * layout.shown :, column * layout.shown :][: layout.shown, : layout.shown]
    assert np.abs(place - np.asarray(expected, float)).mean() < 12
    assert first[-STRIP:].max() > 200  # words


def _png(run: Run, individual: Any) -> bytes:
    from fooling_web.runs.pictures import png_of

    return png_of(run, individual)


def test_is_the_same_in_slices_as_in_one_go(finished_run: Run) -> None:
    whole = finished(ordered(finished_run))
    kept = pictures(content_of(whole))
    again(whole, "somebody")

    slices = 1
    while make(whole, seconds=0):
        slices += 1

    assert slices == whole.n_frames + 1  # the last joins them
    sliced = pictures(content_of(whole))
    assert len(sliced) == len(kept)
    assert max(np.abs(one - other).mean() for one, other in zip(sliced, kept, strict=True)) < 12
    assert default_storage.listdir("films")[1] == [f"{whole.pk}.webp"]


def test_lasts_as_long_as_it_says(finished_run: Run) -> None:
    film = finished(ordered(finished_run))

    with Image.open(io.BytesIO(content_of(film))) as picture:
        total = 0
        for place in range(picture.n_frames):
            picture.seek(place)
            picture.load()
            total += picture.info["duration"]
        assert picture.info["loop"] == 0
    assert total == film.n_frames * 1000  # so few frames that each stands for a second


class TestFrames:
    def test_are_those_in_which_a_class_changed_hands(self, finished_run: Run) -> None:
        takeovers = finished_run.takeovers.filter(class_index=3).values_list("generation", flat=True)

        assert frames_of(finished_run, [3], 10) == sorted({*takeovers, 5})

    def test_are_bounded_and_evenly_chosen(self) -> None:
        run = imagined(classes=200, generations=700).run

        frames = frames_of(run, [], 1000)

        assert len(frames) <= MOST_FRAMES
        assert (frames[0], frames[-1]) == (0, 700)
        assert max(np.diff(frames)) <= 3

    @pytest.mark.parametrize("n_pictures", [1, 2, 7, 10, 40, 100, 1000, 9605])
    def test_are_never_large(self, n_pictures: int) -> None:
        for classifier in ("mnist-lenet", "efficientnet-lite0"):
            layout = layout_for(launched(classifier), n_pictures)
            width, height = layout.size
            assert layout.columns * layout.rows >= n_pictures
            assert width <= 2000
            assert height <= 2000


class TestAsking:
    @pytest.mark.parametrize("classes", ["unicorn", "99", "-1", "3-", "<b>", "9" * 300])
    def test_for_classes_that_are_not_there_is_refused(
        self, client: Client, finished_run: Run, orders: list[Film], classes: str
    ) -> None:
        answer = ask(client, finished_run, classes=classes)

        assert answer.status_code == 422
        assert "errorlist" in answer.content.decode()
        assert "<b>" not in answer.content.decode()
        assert not Film.objects.exists()

    @pytest.mark.parametrize("seconds", ["", "11", "-1", "9" * 99, "ten"])
    def test_for_another_length_is_refused(self, client: Client, finished_run: Run, seconds: str) -> None:
        assert ask(client, finished_run, seconds=seconds).status_code == 422

    def test_names_classes_by_name_and_number(
        self, client: Client, finished_run: Run, orders: list[Film]
    ) -> None:
        ask(client, finished_run, classes="5-7, 2")

        assert Film.objects.get().what == [2, 5, 6, 7]

    def test_is_one_at_a_time_for_each_who_asks(
        self, client: Client, as_person: Any, bob: Any, finished_run: Run, orders: list[Film]
    ) -> None:
        first = ask(client, finished_run, classes="1")["Location"]

        assert ask(client, finished_run, classes="2")["Location"] == first
        assert ask(as_person(bob), finished_run, classes="2")["Location"] != first
        assert Film.objects.count() == 2

    def test_finds_a_film_that_is_there(self, client: Client, finished_run: Run, orders: list[Film]) -> None:
        film = finished(ordered(finished_run))

        assert ask(client, finished_run)["Location"] == film.get_absolute_url()
        assert Film.objects.count() == 1

    def test_does_not_wait_for_one_that_was_forgotten(
        self, client: Client, finished_run: Run, orders: list[Film]
    ) -> None:
        first = ask(client, finished_run, classes="1")["Location"]
        Film.objects.update(touched_at=timezone.now() - 2 * Film.PATIENCE)

        assert ask(client, finished_run, classes="2")["Location"] != first
        assert "Nothing came of it" in client.get(first).content.decode()

    def test_comes_to_nothing_before_the_first_generation(self, client: Client, alice: Any) -> None:
        run = launched(owner=alice)

        assert ask(client, run).status_code == 422

    def test_for_classes_that_nobody_held_is_refused(self, client: Client, finished_run: Run) -> None:
        finished_run.champions.filter(class_index=4).delete()

        answer = ask(client, finished_run, classes="4")

        assert answer.status_code == 422
        assert "No image has held any of these classes" in answer.content.decode()

    def test_is_by_post_alone(self, client: Client, finished_run: Run) -> None:
        assert client.get(reverse("runs:order_film", args=[finished_run.pk])).status_code == 405

    def test_is_for_those_who_may_see_the_run(
        self, client: Client, as_person: Any, alice: Any, bob: Any, finished_run: Run
    ) -> None:
        film = finished(ordered(finished_run))
        addresses = [film.get_absolute_url(), reverse("runs:film_file", args=[film.pk])]
        Run.objects.update(visibility="private")

        for browser, status in ((client, 404), (as_person(bob), 404), (as_person(alice), 200)):
            assert [browser.get(each).status_code for each in addresses] == [status] * 2
        assert ask(client, finished_run).status_code == 404
        assert client.post(reverse("runs:film_again", args=[film.pk])).status_code == 404


class TestKeeping:
    def test_removes_the_oldest_files_and_makes_them_again(
        self, client: Client, finished_run: Run, orders: list[Film], django_capture_on_commit_callbacks: Any
    ) -> None:
        old, new = (finished(ordered(finished_run, [index])) for index in (1, 2))

        tidy_up(files=1)

        old.refresh_from_db()
        assert (old.status, bool(old.file)) == (Film.Status.REMOVED, False)
        assert default_storage.listdir("films")[1] == [f"{new.pk}.webp"]
        assert client.get(reverse("runs:film_file", args=[old.pk])).status_code == 404
        with django_capture_on_commit_callbacks(execute=True):
            client.post(reverse("runs:film_again", args=[old.pk]))
        assert orders == [old]
        old.refresh_from_db()
        assert finished(old).status == Film.Status.FINISHED

    def test_is_bounded_in_bytes_too(self, finished_run: Run) -> None:
        first, second = (finished(ordered(finished_run, [index])) for index in (1, 2))

        tidy_up(most=second.size + 1)

        first.refresh_from_db()
        assert first.status == Film.Status.REMOVED

    def test_forgets_the_files_of_runs_that_were_deleted(self, finished_run: Run) -> None:
        finished(ordered(finished_run))
        finished_run.delete()

        tidy_up()

        assert default_storage.listdir("films")[1] == []

    def test_says_so_where_the_file_is_gone(self, client: Client, finished_run: Run) -> None:
        film = finished(ordered(finished_run))
        default_storage.delete(film.file.name)

        assert client.get(reverse("runs:film_file", args=[film.pk])).status_code == 404
        assert "can be made again" in client.get(film.get_absolute_url()).content.decode()


class TestFailing:
    def test_is_told_on_the_page(
        self, client: Client, finished_run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        film = ordered(finished_run)
        monkeypatch.setattr(films, "tiles_of", lambda *_: {})

        assert not make_safely(film)

        assert "could not be made" in client.get(film.get_absolute_url()).content.decode()

    def test_leaves_nothing_where_the_run_was_deleted_meanwhile(self, finished_run: Run) -> None:
        film = Film.objects.select_related("run").get(pk=ordered(finished_run).pk)
        assert make(film, seconds=0)
        Run.objects.all().delete()

        assert not make_safely(film)

        assert default_storage.listdir("films")[1] == []

    def test_shows_grey_where_genomes_were_not_kept(self, finished_run: Run) -> None:
        finished_run.individuals.update(genome=b"")

        shown = pictures(content_of(finished(ordered(finished_run, [4]))))

        assert np.abs(shown[0][:-STRIP, :200] - 128).mean() < 4


class TestJoining:
    def written(self, *greys: int) -> bytes:
        file, frames = io.BytesIO(), [Image.new("RGB", (16, 8), (grey,) * 3) for grey in greys]
        frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=70)
        return file.getvalue()

    def test_takes_moving_and_still_parts(self) -> None:
        film = joined([self.written(0, 120), self.written(250)], [140, 70], 16, 8)

        assert [round(picture.mean(), -1) for picture in pictures(film)] == [0, 120, 250]

    def test_writes_lengths_that_add_up(self) -> None:
        film = joined([self.written(10)], [70], 16, 8)

        assert len(film) == 8 + int.from_bytes(film[4:8], "little")
        assert [name for name, _ in chunks_of(film)] == [b"VP8X", b"ANIM", b"ANMF"]
