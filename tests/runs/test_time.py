"""The pages of time: any generation, two side by side, their pictures, and who may see them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from PIL import Image

from fooling_web.runs.history import holdings_at
from fooling_web.runs.models import Run
from fooling_web.runs.tiles import shelf
from tests.factories import launched
from tests.imagined import imagined

pytestmark = pytest.mark.django_db
LAST = 12


@pytest.fixture(autouse=True)
def _home(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    shelf.clear()


@pytest.fixture
def run(alice: Any) -> Run:
    """A run of Alice's with many classes."""
    return imagined(classes=100, generations=LAST, owner=alice).run


def address(run: Run, query: str = "") -> str:
    return reverse("runs:time", args=[run.pk]) + query


def sheet(run: Run, generation: int, side: int = 32, query: str = "") -> str:
    return reverse("runs:tiles", args=[run.pk, generation, side]) + query


def told(client: Client, run: Run, generation: int) -> dict[str, Any]:
    document: dict[str, Any] = client.get(reverse("runs:moment", args=[run.pk, generation])).json()
    return document


def story(page: str) -> dict[str, Any]:
    text = page[page.index('id="time-story"') :]
    document: dict[str, Any] = json.loads(text[text.index(">") + 1 : text.index("</script>")])
    return document


class TestPage:
    def test_shows_the_last_generation_first(self, client: Client, run: Run) -> None:
        page = client.get(address(run)).content.decode()

        assert f'value="{LAST}"' in page
        assert [moment["generation"] for moment in story(page)["moments"]] == [LAST]
        assert sheet(run, LAST) in page

    def test_keeps_the_generation_in_the_address(self, client: Client, run: Run) -> None:
        page = client.get(address(run, "?generation=4")).content.decode()

        assert sheet(run, 4) in page
        assert f"{run.statistics.get(generation=4).evaluations:,}" in page

    @pytest.mark.parametrize(
        ("wanted", "shown"),
        [
            ("-5", 0),
            ("99999", LAST),
            ("9" * 5000, LAST),
            ("latest", LAST),
            ("1.5", LAST),
            ("%00", LAST),
            ("", LAST),
        ],
    )
    def test_takes_nonsense_for_the_nearest_end(
        self, client: Client, run: Run, wanted: str, shown: int
    ) -> None:
        answer = client.get(address(run, f"?generation={wanted}&with={wanted}"))

        assert answer.status_code == 200
        assert story(answer.content.decode())["moments"][0]["generation"] == shown
        assert bool(answer.context["complaints"]) == (wanted not in ("", "%00"))

    def test_compares_no_generation_with_itself(self, client: Client, run: Run) -> None:
        page = client.get(address(run, "?generation=4&with=4")).content.decode()

        assert page.count('class="time-wall"') == 1
        assert "Generation 4 would be compared with itself" in page

    def test_says_of_the_first_generation_that_nothing_was_held_before(
        self, client: Client, run: Run
    ) -> None:
        page = client.get(address(run, "?generation=0")).content.decode()

        assert "held for the first time" in page
        assert "changed hands" not in page

    def test_lays_two_generations_side_by_side(self, client: Client, run: Run) -> None:
        page = client.get(address(run, "?generation=2&with=9")).content.decode()

        assert page.count('class="time-wall"') == 2
        between = run.takeovers.filter(generation__gt=2, generation__lte=9)
        n_differing = between.values("class_index").distinct().count()
        assert page.count(f"{n_differing} classes held by others") == 2

    def test_marks_what_changed_hands_in_a_run_of_few_classes(
        self, client: Client, finished_run: Run
    ) -> None:
        generation = finished_run.takeovers.order_by("-generation").values_list("generation", flat=True)[0]

        page = client.get(address(finished_run, f"?generation={generation}")).content.decode()

        assert page.count("is-marked") == finished_run.takeovers.filter(generation=generation).count()
        assert page.count("<figure") == 10

    def test_says_so_where_there_is_no_generation(self, client: Client, alice: Any) -> None:
        answer = client.get(address(launched(owner=alice)))

        assert answer.status_code == 200
        assert "There is no generation yet." in answer.content.decode()

    def test_says_so_where_pictures_were_not_kept(self, client: Client, run: Run) -> None:
        run.individuals.filter(takeovers__class_index__lt=3).update(genome=b"")

        assert "3 pictures shown grey" in client.get(address(run)).content.decode()

    def test_shows_a_run_whose_classifier_is_gone(self, client: Client, run: Run, finished_run: Run) -> None:
        Run.objects.update(classifier="oracle")

        for each in (run, finished_run):
            assert client.get(address(each, "?generation=1&with=2")).status_code == 200
            assert client.get(reverse("runs:moment", args=[each.pk, 1])).status_code == 200

    def test_is_found_from_the_run(self, client: Client, run: Run) -> None:
        assert address(run) in client.get(run.get_absolute_url()).content.decode()

    def test_asks_the_database_as_often_for_ten_classes_as_for_a_hundred(
        self, client: Client, run: Run, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(6):  # run, two moments of two, curve
            client.get(address(run, "?generation=2&with=9"))
        run.champions.filter(class_index__gte=10).delete()

        with django_assert_num_queries(6):
            client.get(address(run, "?generation=2&with=9"))

    def test_writes_names_as_text(self, client: Client, run: Run) -> None:
        Run.objects.update(name="<script>alert(1)</script>")

        assert "<script>alert" not in client.get(address(run)).content.decode()


class TestMoment:
    def test_tells_who_held_what(self, client: Client, run: Run) -> None:
        document = told(client, run, 5)

        held = holdings_at(run, 5)
        assert document["classes"] == [each.class_index for each in held]
        assert document["numbers"] == [each.number for each in held]
        assert document["confidences"] == pytest.approx([each.confidence for each in held])

    def test_asks_a_worker_for_key_frames_once(
        self, client: Client, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []
        monkeypatch.setattr("fooling_web.runs.time_views.ask_for_key_frames", asked.append)

        for generation in (1, 2, 3):
            told(client, run, generation)

        assert asked == [run]


class TestSheet:
    def test_holds_all_classes(self, client: Client, run: Run) -> None:
        answer = client.get(sheet(run, 3))

        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (32 * 32, 4 * 32)

    def test_holds_what_changed_since_a_generation_that_is_known(self, client: Client, run: Run) -> None:
        before, after = told(client, run, 3), told(client, run, 5)
        changed = sum(old != new for old, new in zip(before["numbers"], after["numbers"], strict=True))

        answer = client.get(sheet(run, 5, query="?known=3"))

        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (32 * min(32, changed), 32 * -(-changed // 32))

    def test_is_nothing_where_nothing_changed(self, client: Client, run: Run) -> None:
        answer = client.get(sheet(run, 5, query="?known=5"))

        assert (answer.status_code, answer.content) == (204, b"")

    @pytest.mark.parametrize("known", ["-1", "words", "9" * 99])
    def test_takes_any_word_for_what_is_known(self, client: Client, run: Run, known: str) -> None:
        assert client.get(sheet(run, 5, query=f"?known={known}")).status_code in (200, 204)

    @pytest.mark.parametrize("side", [0, 31, 128, 10**30])
    def test_comes_in_no_other_size(self, client: Client, run: Run, side: int) -> None:
        assert client.get(sheet(run, 5, side)).status_code == 404

    def test_of_few_classes_is_shown_pixel_by_pixel(self, client: Client, finished_run: Run) -> None:
        answer = client.get(sheet(finished_run, 5, 28))

        with Image.open(io.BytesIO(answer.content)) as picture:
            assert (picture.format, picture.size) == ("PNG", (280, 28))


@pytest.mark.parametrize("generation", [LAST + 1, 2**63, 10**40])
def test_answers_calmly_for_a_generation_to_come(client: Client, run: Run, generation: int) -> None:
    for wanted in (sheet(run, generation), reverse("runs:moment", args=[run.pk, generation])):
        assert client.get(wanted).status_code == 404


def test_is_for_those_who_may_see_the_run(
    client: Client, as_person: Any, alice: Any, bob: Any, run: Run
) -> None:
    addresses = [address(run), sheet(run, 2), reverse("runs:moment", args=[run.pk, 2])]
    assert [client.get(each).status_code for each in addresses] == [200] * 3

    Run.objects.update(visibility="private")

    for browser, status in ((client, 404), (as_person(bob), 404), (as_person(alice), 200)):
        assert [browser.get(each).status_code for each in addresses] == [status] * 3


def test_may_be_kept_by_browsers_alone_and_for_ever(client: Client, run: Run) -> None:
    for each in (sheet(run, 2), sheet(run, 2, query="?known=2"), reverse("runs:moment", args=[run.pk, 2])):
        kept = client.get(each)["Cache-Control"]
        assert "immutable" in kept
        assert "private" in kept
