"""Pages of a run with a thousand classes: light, the same for all who may see them, and never broken by a gap."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from PIL import Image

from fooling_web.runs.models import Run
from fooling_web.runs.watching import PLAIN, changes_of, lines_of
from models_zoo.wordnet import IMAGENET_LABELS, group
from tests.factories import launched
from tests.imagined import Imagined, imagined

pytestmark = pytest.mark.django_db

HEAVIEST_PAGE = 300_000  # bytes, before the first picture


@pytest.fixture(autouse=True)
def _home(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def history(alice: Any) -> Imagined:
    """A finished run of Alice's with 1,000 classes, of which 50 change hands in generations 1, 2 and 3."""
    history = imagined(generations=0, owner=alice, name="Thousand")
    for generation in (1, 2, 3):
        history.imagine(range(generation * 50, generation * 50 + 50))
    history.keep("finished")
    return history


@pytest.fixture
def run(history: Imagined) -> Run:
    return history.run


def address(name: str, run: Run, *arguments: Any) -> str:
    return reverse(f"runs:{name}", args=[run.pk, *arguments])


def page_of(client: Client, wanted: str) -> str:
    answer = client.get(wanted)
    assert answer.status_code == 200
    return answer.content.decode()


def lines_in(page: str) -> list[list[str]]:
    """Return class, number, hash, confidence and generation of each champion that a page carries."""
    [lines] = re.findall(r'data-lines="([^"]*)"', page)
    return [line.split(":") for line in lines.split()]


def pictures(run: Run) -> dict[str, str]:
    champion = run.champions.select_related("individual").get(class_index=60)
    number, genome_hash = champion.individual.number, champion.individual.genome_hash
    return {
        "image": address("image", run, number, genome_hash),
        "small_image": address("small_image", run, number, genome_hash[:12], 128),
        "atlas": address("atlas", run, 3, 0),
        "heatmap": address("heatmap", run, 3),
        "classes": address("classes", run),
    }


class TestPage:
    def test_is_light(self, client: Client, run: Run) -> None:
        assert len(client.get(address("detail", run)).content) < HEAVIEST_PAGE

    def test_carries_every_champion(self, client: Client, run: Run) -> None:
        lines = lines_in(page_of(client, address("detail", run)))

        champions = run.champions.select_related("individual").order_by("class_index")
        assert [
            (int(index), int(number), hash_, float(confidence), int(generation))
            for index, number, hash_, confidence, generation in lines
        ] == [
            (
                champion.class_index,
                champion.individual.number,
                champion.individual.genome_hash[:12],
                pytest.approx(champion.confidence, abs=1e-9),
                champion.generation,
            )
            for champion in champions
        ]

    def test_carries_names_and_branches(self, client: Client, run: Run) -> None:
        page = page_of(client, address("detail", run))

        [text] = re.findall(r'<script id="classes" type="application/json">(.*?)</script>', page, re.DOTALL)
        classes = json.loads(text)
        assert classes["labels"] == list(IMAGENET_LABELS)
        assert "Lizards" in [branch["title"] for branch in classes["branches"]]

    def test_asks_the_database_as_often_for_ten_champions_as_for_a_thousand(
        self, client: Client, run: Run, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(5):  # run, the first champions, all champions, takeovers, statistics
            client.get(address("detail", run))
        run.champions.filter(class_index__gte=10).delete()

        with django_assert_num_queries(5):
            client.get(address("detail", run))

    def test_shows_the_first_classes_without_javascript(self, client: Client, run: Run) -> None:
        page = page_of(client, address("detail", run))

        plain = page[page.index("<noscript>") : page.index("</noscript>")]
        assert plain.count('class="cell"') == PLAIN
        assert address("classes", run) in plain

    def test_works_before_there_is_a_champion(self, client: Client, alice: Any) -> None:
        run = launched("efficientnet-lite0", owner=alice)

        page = page_of(client, address("detail", run))

        assert lines_in(page) == []
        assert 'data-milestone="-1"' in page

    def test_shows_a_run_whose_classifier_is_gone(self, client: Client, run: Run) -> None:
        Run.objects.update(classifier="imagenet-oracle")

        assert len(lines_in(page_of(client, address("detail", run)))) == 1000
        assert client.get(address("atlas", run, 3, 0)).status_code == 200
        assert client.get(address("heatmap", run, 3)).status_code == 200

    def test_leaves_runs_of_few_classes_as_they_are(self, client: Client, finished_run: Run) -> None:
        page = page_of(client, address("detail", finished_run))

        assert page.count('<figure class="champion') == 10
        assert 'id="cells"' not in page


class TestNews:
    @pytest.mark.parametrize(("since", "classes"), [(-1, 1000), (0, 150), (2, 50), (3, 0), (99, 0)])
    def test_carries_what_came_later(self, run: Run, since: int, classes: int) -> None:
        assert len(lines_of(run, since).split()) == classes

    def test_is_small(self, client: Client, run: Run) -> None:
        news = page_of(client, f"{address('advance', run)}?since=2")

        assert {int(line[0]) for line in lines_in(news)} == set(range(150, 200))
        assert "<figure" not in news
        assert len(news) < 15_000

    def test_says_nothing_of_champions_where_none_changed(self, client: Client, run: Run) -> None:
        assert 'id="cells"' not in page_of(client, f"{address('advance', run)}?since=3")

    def test_tells_a_page_and_its_changes_the_same(self, client: Client, run: Run) -> None:
        page = lines_in(page_of(client, address("detail", run)))

        assert [":".join(line) for line in page] == changes_of(run, -1)["champion_lines"].split()


class TestPictures:
    @pytest.mark.parametrize("name", ["image", "small_image", "atlas", "heatmap", "classes"])
    def test_are_for_those_who_may_see_the_run(
        self, client: Client, as_person: Any, alice: Any, bob: Any, run: Run, name: str
    ) -> None:
        wanted = pictures(run)[name]
        assert client.get(wanted).status_code == 200

        Run.objects.update(visibility="private")

        answers = [browser.get(wanted).status_code for browser in (client, as_person(bob), as_person(alice))]
        assert answers == [404, 404, 200]

    @pytest.mark.parametrize("name", ["image", "small_image", "atlas", "heatmap"])
    def test_may_be_kept_by_browsers_alone_and_for_ever(self, client: Client, run: Run, name: str) -> None:
        kept = client.get(pictures(run)[name])["Cache-Control"]

        assert "immutable" in kept
        assert "private" in kept

    @pytest.mark.parametrize("size", [64, 128, 256])
    def test_come_in_few_sizes(self, client: Client, run: Run, size: int) -> None:
        answer = client.get(pictures(run)["small_image"].replace("-128.webp", f"-{size}.webp"))

        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (size, size)

    @pytest.mark.parametrize("size", [0, 1, 63, 100, 512, 10**9])
    def test_come_in_no_other_size(self, client: Client, run: Run, size: int) -> None:
        wanted = pictures(run)["small_image"].replace("-128.webp", f"-{size}.webp")

        assert client.get(wanted).status_code == 404

    def test_have_an_address_that_names_their_content(self, client: Client, run: Run) -> None:
        champion = run.champions.select_related("individual").first()
        assert champion is not None
        for short_hash in ("0" * 12, champion.individual.genome_hash[:11]):
            wanted = address("small_image", run, champion.individual.number, short_hash, 64)
            assert client.get(wanted).status_code == 404

    @pytest.mark.parametrize(
        "wanted", ["atlas/4/0.webp", "atlas/3/3.webp", f"atlas/3/{10**30}.webp", f"atlas/{10**30}/0.webp"]
    )
    def test_are_not_there_for_what_is_not(self, client: Client, run: Run, wanted: str) -> None:
        assert client.get(address("detail", run) + wanted).status_code == 404

    def test_ask_for_no_map_of_the_future(self, client: Client, run: Run) -> None:
        assert client.get(address("heatmap", run, 4)).status_code == 404

    def test_pack_the_map_tightly(self, client: Client, run: Run) -> None:
        answer = client.get(pictures(run)["heatmap"], headers={"Accept-Encoding": "gzip"})

        assert answer["Content-Encoding"] == "gzip"


class TestClasses:
    def test_are_listed_page_by_page(self, client: Client, run: Run) -> None:
        pages = [page_of(client, f"{address('classes', run)}?page={number}") for number in (1, 17)]

        assert [page.count('class="cell"') for page in pages] == [60, 40]

    def test_are_found_by_what_they_are_kinds_of(self, client: Client, run: Run) -> None:
        page = page_of(client, f"{address('classes', run)}?q=lizard")

        shown = {int(index) for index in re.findall(r'class="cell" href="[^"]*/classes/(\d+)/"', page)}
        assert shown >= set(group("lizards"))
        assert len(shown) < 20

    def test_lead_straight_to_the_only_one_found(self, client: Client, run: Run) -> None:
        answer = client.get(address("classes", run), {"q": "tench"})

        assert (answer.status_code, answer["Location"]) == (302, address("champion", run, 0))

    @pytest.mark.parametrize("wanted", ["unicorn", "<script>alert(1)</script>", "x" * 5000])
    def test_are_not_found_where_there_are_none(self, client: Client, run: Run, wanted: str) -> None:
        answer = client.get(address("classes", run), {"q": wanted})

        assert answer.status_code == 200
        assert "knows no class of this name" in answer.content.decode()
        assert "<script>alert" not in answer.content.decode()


class TestChampion:
    def test_is_shown_in_full_with_its_neighbours(self, client: Client, run: Run) -> None:
        page = page_of(client, address("champion", run, 1))

        assert 'width="256" height="256"' in page
        assert "256 × 256 pixels" in page
        assert re.findall(r'rel="(?:prev|next)" href="[^"]*/classes/(\d+)/"', page) == ["0", "2"]
        assert "tench" in page

    def test_shows_a_quiet_place_for_what_was_not_kept(self, client: Client, run: Run) -> None:
        holder = run.champions.get(class_index=60).individual_id
        run.individuals.exclude(pk=holder).update(genome=b"")

        page = page_of(client, address("champion", run, 60))

        film = page[page.index("film-strip") :]
        assert film.count("<img") == 1
        assert film.count("evolved image that was not kept") == 1

    @pytest.mark.parametrize("name", ["image", "small_image"])
    def test_answers_calmly_for_what_was_not_kept(self, client: Client, run: Run, name: str) -> None:
        wanted = pictures(run)[name]
        run.individuals.update(genome=b"")

        assert client.get(wanted).status_code == 404


class TestCards:
    def test_show_the_ten_best(self, client: Client, run: Run) -> None:
        page = page_of(client, reverse("runs:list"))

        best = run.champions.select_related("individual").order_by("-confidence", "class_index")[:10]
        for champion in best:
            assert f"/individuals/{champion.individual.number}/" in page
        assert page.count('class="evolved fine"') == 10

    def test_ask_as_often_for_ten_runs_as_for_one(
        self, client: Client, run: Run, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(3) as before:
            client.get(reverse("runs:list"))
        imagined(generations=1)

        with django_assert_num_queries(len(before)):
            client.get(reverse("runs:list"))
