"""Looking closely at an image: what others say, crop by crop, when it is changed, when parts are hidden."""

import html
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from evolution.encoding import encoding_for
from fooling_web.galleries import charts, tasks
from fooling_web.galleries.examining import (
    ask_for,
    class_known_to,
    examine,
    opinion_subject,
    seen_by,
    side_for,
)
from fooling_web.galleries.models import PATIENCE, Examination, image_url
from fooling_web.runs.models import Individual, Run
from models_zoo.perturbing import series_for
from models_zoo.registry import ClassifierEntry, all_entries, find, load
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PARTS = ("opinions", "crops", "robustness", "saliency")
ASKED = ("robustness", "saliency")  # of a digit there are no crops
Deed = Examination.Deed


def address_of(individual: Individual, part: str, query: str = "") -> str:
    return f"{image_url(individual.run_id, individual.number)}{part}/{query}"


def examined(individual: Individual, deed: str, subject: str) -> Examination:
    """An examination that the worker made."""
    examination = ask_for(individual, deed, subject)
    tasks.examine(examination.pk)
    examination.refresh_from_db()
    return examination


def imagenet_image(owner: Any, *, crops: int = 1) -> Individual:
    """A network in colour, grown without anybody judging it; what the real classifier says of it is known."""
    run = launched("efficientnet-lite0", owner=owner)
    Run.objects.filter(pk=run.pk).update(parameters={**run.parameters, "crops": crops})
    run.refresh_from_db()
    encoding, rng = encoding_for(run.settings), np.random.default_rng(3)
    population = encoding.random(1, rng)
    for generation in range(20):
        population, _ = encoding.vary(population, generation, rng)
    confidences = load("efficientnet-lite0").with_views(crops=crops)(encoding.develop(population))[0]
    genome, genome_hash = encoding.written(population, 0)
    best = np.argsort(-confidences)[:5]
    return Individual.objects.create(
        run=run,
        number=7,
        generation=2,
        genome=genome,
        genome_hash=genome_hash,
        top=[[int(index), float(confidences[index])] for index in best],
    )


def lacking_image(owner: Any) -> tuple[Individual, ClassifierEntry]:
    """An image of a run whose classifier's weights are not here."""
    lacking = next(entry for entry in all_entries() if not entry.weights_path.exists())
    image = imagenet_image(owner)
    Run.objects.filter(pk=image.run_id).update(classifier=lacking.name)
    return image, lacking


@pytest.fixture
def individual(finished_run: Run) -> Individual:
    return finished_run.champions.get(class_index=3).individual


@pytest.fixture
def confidence(individual: Individual) -> float:
    """What the run's classifier gave the image for class 3 when it was evolved."""
    return individual.championships.get(class_index=3).confidence


@pytest.fixture
def queue(settings: Any) -> Iterator[Any]:
    """What waits for the interactive worker, which is not there."""
    socket = str(settings.CELERY_BROKER_URL).removeprefix("redis+socket://").partition("?")[0]
    with redis.Redis.from_url(f"unix://{socket}?db=0") as broker:
        broker.flushdb()
        yield broker


def waiting_in(queue: Any) -> int:
    return int(queue.llen("interactive"))


class TestFindingOut:
    def test_gives_the_stored_confidence_back_where_nothing_is_changed(
        self, individual: Individual, confidence: float
    ) -> None:
        found = examined(individual, Deed.ROBUSTNESS, "3").result

        unchanged = [
            row[0]
            for series, known in zip(found["series"], series_for(28), strict=True)
            for amount, row in zip(series["amounts"], series["rows"], strict=True)
            if amount == known.neutral
        ]
        assert unchanged == pytest.approx([confidence] * 6, abs=1e-6)
        assert found["whole"][0] == pytest.approx(confidence, abs=1e-6)

    def test_starts_from_the_stored_confidence_where_it_hides_parts(
        self, individual: Individual, confidence: float
    ) -> None:
        found = examined(individual, Deed.SALIENCY, "3").result

        assert found["whole"][0] == pytest.approx(confidence, abs=1e-6)
        assert (found["side"], found["margin"], found["patch"]) == (28, 0, 4)
        assert np.shape(found["drops"]) == (14, 14)
        assert np.max(found["drops"]) <= confidence

    def test_hears_each_other_classifier(self, individual: Individual) -> None:
        other = find("mnist-mlp")

        found = examined(individual, Deed.OPINIONS, opinion_subject(other, 3)).result

        confidences = load("mnist-mlp")(seen_by(other, individual.run, individual).image[None])[0]
        assert found["confidence"] == pytest.approx(float(confidences[3]), abs=1e-6)
        assert [index for index, _ in found["top"]] == np.argsort(-confidences, kind="stable")[:5].tolist()
        assert found["rank"] == 1 + int((confidences > confidences[3]).sum())

    def test_shows_a_digit_to_a_classifier_of_photographs(self, individual: Individual) -> None:
        other = find("efficientnet-lite0")

        found = examined(individual, Deed.OPINIONS, opinion_subject(other, 3)).result

        assert len(found["top"]) == 5
        assert (found["class_index"], found["confidence"], found["rank"]) == (None, None, None)

    def test_gives_ten_crops_whose_mean_is_what_a_run_with_ten_crops_saw(self, alice: Any) -> None:
        image = imagenet_image(alice, crops=10)
        class_index, confidence = image.top[0]

        found = examined(image, Deed.CROPS, str(class_index)).result

        ten = [crop[key][0] for crop in found["crops"] for key in ("as_is", "mirrored")]
        assert found["mean"][0] == pytest.approx(confidence, abs=1e-5)
        assert np.mean(ten) == pytest.approx(confidence, abs=1e-5)
        assert [(crop["top"], crop["left"]) for crop in found["crops"]] == [
            *((0, 0), (0, 32), (32, 0), (32, 32)),
            (16, 16),
        ]

    def test_sees_the_centre_crop_of_a_photograph_s_size(self, alice: Any) -> None:
        image = imagenet_image(alice)
        class_index, confidence = image.top[0]

        crops = examined(image, Deed.CROPS, str(class_index)).result
        saliency = examined(image, Deed.SALIENCY, str(class_index)).result

        assert crops["centre"] == pytest.approx([confidence, class_index, confidence], abs=1e-5)
        assert saliency["whole"][0] == pytest.approx(confidence, abs=1e-5)
        assert (saliency["margin"], saliency["size"], saliency["patch"]) == (16, 224, 32)

    def test_says_what_went_wrong(self, individual: Individual) -> None:
        Run.objects.update(classifier_sha256="0" * 64)

        assert "the weights of mnist-lenet have changed" in examined(individual, Deed.SALIENCY, "3").error

    def test_says_that_a_genome_is_damaged(self, individual: Individual) -> None:
        Individual.objects.filter(pk=individual.pk).update(genome=b"damaged")

        examination = examined(Individual.objects.get(pk=individual.pk), Deed.ROBUSTNESS, "3")

        assert examination.error
        assert "Traceback" not in examination.error

    def test_says_that_the_program_failed_where_it_did(self, individual: Individual) -> None:
        examination = examined(individual, Deed.ROBUSTNESS, "no class at all")

        assert examination.error == "An error in the program stopped this; the worker’s log tells more."


class TestAskingOnce:
    def test_does_not_find_out_again_what_is_known(self, individual: Individual, queue: Any) -> None:
        first = examined(individual, Deed.ROBUSTNESS, "3")
        queue.flushdb()

        again = examined(individual, Deed.ROBUSTNESS, "3")

        assert (again.pk, again.done_at) == (first.pk, first.done_at)
        assert waiting_in(queue) == 0

    def test_rings_once_where_many_ask_at_once(
        self, individual: Individual, queue: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            asked = {ask_for(individual, Deed.SALIENCY, "3").pk for _ in range(5)}

        assert len(asked) == 1
        assert waiting_in(queue) == 1

    def test_takes_up_again_what_failed(
        self, individual: Individual, queue: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        failed = ask_for(individual, Deed.SALIENCY, "3")
        failed.fail("no")

        with django_capture_on_commit_callbacks(execute=True):
            again = [ask_for(individual, Deed.SALIENCY, "3") for _ in range(2)]

        assert [one.is_waiting for one in again] == [True, True]
        assert waiting_in(queue) == 1

    def test_takes_up_again_what_was_lost(
        self, individual: Individual, queue: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        lost = ask_for(individual, Deed.SALIENCY, "3")
        Examination.objects.filter(pk=lost.pk).update(asked_at=timezone.now() - 2 * PATIENCE)

        with django_capture_on_commit_callbacks(execute=True):
            again = [ask_for(individual, Deed.SALIENCY, "3") for _ in range(2)]

        assert not any(one.is_overdue for one in again)
        assert waiting_in(queue) == 1

    def test_lets_one_of_two_take_it_up(self, individual: Individual) -> None:
        failed = ask_for(individual, Deed.SALIENCY, "3")
        failed.fail("no")
        mine, theirs = Examination.objects.get(), Examination.objects.get()

        assert (mine.take_up_again(), theirs.take_up_again()) == (True, False)

    def test_asks_anew_where_a_classifier_has_other_weights(self) -> None:
        entry = find("mnist-mlp")

        assert entry.card["sha256"][:8] in opinion_subject(entry, 3)
        assert opinion_subject(entry, 3) != opinion_subject(entry, 4)
        assert all(len(opinion_subject(one, 999)) <= 100 for one in all_entries())


class TestPages:
    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_starts_nothing_for_who_merely_looks(
        self, client: Client, individual: Individual, part: str, headers: dict[str, str]
    ) -> None:
        answer = client.get(address_of(individual, part), headers=headers)

        assert answer.status_code == 200
        assert not Examination.objects.exists()
        assert answer["Vary"].count("HX-Request") == 1

    @pytest.mark.parametrize("part", PARTS)
    def test_is_a_part_of_the_image_s_page_and_a_page_of_its_own(
        self, client: Client, individual: Individual, part: str
    ) -> None:
        whole = client.get(address_of(individual, part, "?class=3")).content.decode()
        fragment = client.get(address_of(individual, part, "?class=3"), headers=HTMX).content.decode()
        image = client.get(image_url(individual.run_id, individual.number)).content.decode()

        assert "<html" in whole
        assert "<html" not in fragment
        assert f'hx-get="{address_of(individual, part)}?class=' in image

    @pytest.mark.parametrize("part", PARTS)
    def test_hides_images_of_private_runs(
        self, client: Client, as_person: Any, alice: Any, bob: Any, individual: Individual, part: str
    ) -> None:
        Run.objects.update(visibility=Run.Visibility.PRIVATE)
        address = address_of(individual, part)

        for browser in (client, as_person(bob)):
            assert [browser.get(address).status_code, browser.post(address).status_code] == [404, 404]
        assert as_person(alice).get(address).status_code == 200
        assert not Examination.objects.exists()

    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("query", ["?class=-1", "?class=99999", "?class=<b>", "?class=" + "9" * 60])
    def test_answers_nonsense(self, client: Client, individual: Individual, part: str, query: str) -> None:
        assert client.get(address_of(individual, part, query)).status_code == 200
        assert client.post(address_of(individual, part, query)).status_code == 302

    @pytest.mark.parametrize("part", PARTS)
    def test_asks_nothing_without_a_token(self, individual: Individual, part: str) -> None:
        assert Client(enforce_csrf_checks=True).post(address_of(individual, part)).status_code == 403
        assert not Examination.objects.exists()

    @pytest.mark.parametrize("part", ASKED)
    def test_asks_at_a_press_and_waits(
        self, client: Client, individual: Individual, queue: Any, part: str
    ) -> None:
        address = address_of(individual, part, "?class=3")

        led = client.post(address)
        page = client.get(address, headers=HTMX).content.decode()

        assert (led.status_code, led["Location"]) == (302, address)
        assert [(one.deed, one.subject) for one in Examination.objects.all()] == [(part, "3")]
        assert 'hx-trigger="load delay:1s"' in page
        assert "is looking" in page
        assert "<button" not in page

    @pytest.mark.parametrize(("part", "itself"), [("opinions", True), ("robustness", False)])
    def test_asks_by_itself_only_where_that_is_quick_and_seen(
        self, client: Client, individual: Individual, part: str, itself: bool
    ) -> None:
        seen = client.get(address_of(individual, part), headers=HTMX).content.decode()
        alone = client.get(address_of(individual, part)).content.decode()

        assert ('hx-trigger="load, submit"' in seen) is itself
        assert 'hx-trigger="load' not in alone

    def test_looks_less_often_the_longer_it_waits(self, client: Client, individual: Individual) -> None:
        examination = ask_for(individual, Deed.SALIENCY, "3")
        for seconds, pause in ((0, 1), (20, 3), (90, 10)):
            since = timezone.now() - timedelta(seconds=seconds)
            Examination.objects.filter(pk=examination.pk).update(asked_at=since)

            page = client.get(address_of(individual, "saliency", "?class=3"), headers=HTMX).content.decode()

            assert f"load delay:{pause}s" in page

    def test_stops_waiting_and_lets_one_ask_again(self, client: Client, individual: Individual) -> None:
        examination = ask_for(individual, Deed.SALIENCY, "3")
        Examination.objects.filter(pk=examination.pk).update(asked_at=timezone.now() - 2 * PATIENCE)

        page = client.get(address_of(individual, "saliency", "?class=3"), headers=HTMX).content.decode()

        assert "No answer came within five minutes" in page
        assert "Ask again" in page
        assert "load delay" not in page

    def test_tells_an_error_and_lets_one_ask_again(self, client: Client, individual: Individual) -> None:
        ask_for(individual, Deed.SALIENCY, "3").fail("weights missing; <b>fetch</b> them")
        address = address_of(individual, "saliency", "?class=3")

        page = client.get(address).content.decode()
        client.post(address)

        assert "Weights missing; &lt;b&gt;fetch&lt;/b&gt; them." in page
        assert "Ask again" in page
        assert Examination.objects.get().is_waiting

    def test_shows_how_the_image_stands_changes(self, client: Client, individual: Individual) -> None:
        examined(individual, Deed.ROBUSTNESS, "3")

        page = client.get(address_of(individual, "robustness", "?class=3")).content.decode()

        assert page.count("<polyline") == 6
        assert page.count("<table") == 6
        assert "12.9 % of white" in page
        assert "When it was evolved" not in page

    def test_shows_what_matters(self, client: Client, individual: Individual) -> None:
        examined(individual, Deed.SALIENCY, "3")

        page = client.get(address_of(individual, "saliency", "?class=3")).content.decode()

        assert page.count('fill="#') == 196 + charts.LEGEND_STEPS
        assert "4 × 4 pixels" in page

    @pytest.mark.parametrize(("rise", "told"), [(0.177, "+17.7"), (0.1, "−16.7")])
    def test_tells_the_largest_change_of_either_sign(
        self, client: Client, individual: Individual, rise: float, told: str
    ) -> None:
        found = examined(individual, Deed.SALIENCY, "3")
        found.answer({**(found.result or {}), "drops": [[-rise, 0.167] + [0.0] * 12] + [[0.0] * 14] * 13})

        page = client.get(address_of(individual, "saliency", "?class=3")).content.decode()

        assert f"hiding one patch changes that by {told}\xa0points at most." in page
        assert f"changes the confidence most, by {told}\xa0points" in page

    @pytest.mark.parametrize(("off", "is_kept"), [(9e-6, True), (2e-5, False)])
    @pytest.mark.parametrize(("deed", "part"), [(Deed.SALIENCY, "saliency"), (Deed.ROBUSTNESS, "robustness")])
    def test_shows_the_confidence_that_was_kept_where_it_differs_by_batches_alone(
        self, client: Client, individual: Individual, deed: str, part: str, off: float, is_kept: bool
    ) -> None:
        individual.championships.filter(class_index=3).update(confidence=0.438429)
        found = examined(individual, deed, "3")
        found.answer({**(found.result or {}), "whole": [0.438429 - off, 3, 0.438429 - off]})

        answer = client.get(address_of(individual, part, "?class=3"))

        assert (answer.context["whole"]["confidence"] == 0.438429) is is_kept
        assert ("43.8429" in answer.content.decode()) is is_kept

    def test_shows_crops(self, client: Client, alice: Any) -> None:
        image = imagenet_image(alice)
        examined(image, Deed.CROPS, str(image.top[0][0]))

        page = client.get(address_of(image, "crops")).content.decode()

        assert page.count('class="crop"') == 5
        assert page.count("Mirrored") == 5
        assert "sees 224 × 224 of the 256 × 256 pixels" in page

    def test_says_that_a_digit_has_one_view(self, client: Client, individual: Individual) -> None:
        page = client.get(address_of(individual, "crops")).content.decode()
        client.post(address_of(individual, "crops"))

        assert "LeNet has one view of a picture" in page
        assert not Examination.objects.exists()

    def test_counts_who_agrees(self, client: Client, individual: Individual) -> None:
        client.post(address_of(individual, "opinions", "?class=3"))
        examinations = list(Examination.objects.all())
        for examination in examinations:
            examine(examination)

        page = client.get(address_of(individual, "opinions", "?class=3")).context

        assert len(examinations) == len(page["opinions"]) >= 5
        knowing = [one for one in page["opinions"] if one.entry.dataset == "mnist"]
        assert page["n_judging"] == len(knowing)
        assert page["n_agreeing"] == sum(one.result["top"][0][0] == 3 for one in knowing)
        assert "mnist-lenet" not in [one.entry.name for one in page["opinions"]]

    def test_says_how_a_picture_was_made_for_another(self, client: Client, individual: Individual) -> None:
        examined(individual, Deed.OPINIONS, opinion_subject(find("efficientnet-lite0"), 3))

        page = client.get(address_of(individual, "opinions", "?class=3")).content.decode()

        assert "drawn anew with 224 × 224 pixels, its grey given as red, green and blue" in page
        assert "Knows no class 3" in page.split("<details")[1]

    def test_asks_nothing_of_people_and_says_so(self, client: Client, individual: Individual) -> None:
        examined(individual, Deed.OPINIONS, opinion_subject(find("mnist-mlp"), 3))

        page = client.get(address_of(individual, "opinions", "?class=3")).content.decode()

        assert "Classifiers were asked here, not people." in page
        assert '<h3><a href="/classifiers/mnist-mlp/">' in page.split("<details")[0]

    def test_limits_what_an_address_may_ask(
        self, client: Client, individual: Individual, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(django_settings, "EXAMINATION_SECONDS_A_MINUTE", 5)
        client.post(address_of(individual, "robustness"))

        refused = client.post(address_of(individual, "saliency"))
        in_place = client.post(address_of(individual, "saliency"), headers=HTMX)

        assert refused.status_code == 429
        assert "Much was asked from your address" in in_place.content.decode()
        assert Examination.objects.filter(deed=Deed.SALIENCY).count() == 0
        assert (
            client.post(address_of(individual, "robustness")).status_code == 302
        )  # which costs nothing more

    def test_says_that_the_picture_was_not_kept(self, client: Client, individual: Individual) -> None:
        Individual.objects.filter(pk=individual.pk).update(genome=b"")

        for part in PARTS:
            page = client.get(address_of(individual, part)).content.decode()
            client.post(address_of(individual, part))

            assert "This picture was not kept" in page
        assert not Examination.objects.exists()

    def test_says_that_the_classifier_is_gone(self, client: Client, individual: Individual) -> None:
        Run.objects.update(classifier="gone")

        for part in ("crops", "robustness", "saliency"):
            assert "is no longer here" in client.get(address_of(individual, part)).content.decode()
        assert client.get(address_of(individual, "opinions")).status_code == 200

    def test_tells_everybody_that_weights_are_missing_and_the_staff_how_to_get_them(
        self, client: Client, as_person: Any, administrator: Any, alice: Any
    ) -> None:
        image, lacking = lacking_image(alice)
        address = address_of(image, "saliency")

        page, desk = client.get(address).content.decode(), as_person(administrator).get(address)
        client.post(address)

        assert f"{lacking.title} is not on this site, so it cannot be asked." in html.unescape(page)
        assert "<button" not in page.split('class="part"')[1]
        assert "safetensors" not in page
        assert lacking.remedy in html.unescape(desk.content.decode())
        assert not Examination.objects.exists()

    def test_tells_missing_weights_once_on_the_page_of_the_image(self, client: Client, alice: Any) -> None:
        image, _ = lacking_image(alice)

        page = client.get(image_url(image.run_id, image.number)).content.decode()

        assert page.count("so it cannot be asked; its answers from the run are above") == 1
        assert [f'id="{part}"' in page for part in PARTS] == [True, False, False, False]

    @pytest.mark.parametrize(("drops", "shown"), [(0.0, 0), (0.2, 1)])
    def test_lays_no_map_over_the_picture_where_it_would_show_nothing(
        self, client: Client, individual: Individual, drops: float, shown: int
    ) -> None:
        found = examined(individual, Deed.SALIENCY, "3")
        found.answer({**(found.result or {}), "drops": [[drops] * 14] * 14})

        page = client.get(address_of(individual, "saliency", "?class=3")).content.decode()

        assert page.count('class="saliency-map"') == page.count("<fieldset") == shown
        assert page.count("saliency-under") == 1

    @pytest.mark.parametrize("part", PARTS)
    def test_asks_the_database_as_often_for_much_as_for_nothing(
        self, client: Client, individual: Individual, part: str, django_assert_num_queries: Any
    ) -> None:
        address = address_of(individual, part, "?class=3")
        for known in (False, True):
            if known:
                client.post(address)
                for examination in Examination.objects.all():
                    examine(examination)

            # Run, individual, what it holds, what it held; and what is known, unless there is nothing to know.
            with django_assert_num_queries(4 if part == "crops" else 5):
                client.get(address, headers=HTMX)


class TestMeaning:
    def test_finds_a_class_by_its_number_among_the_same_labels(self, run: Run) -> None:
        assert class_known_to(find("mnist-mlp"), run, 3) == 3
        assert class_known_to(find("efficientnet-lite0"), run, 3) is None
        assert class_known_to(find("mnist-mlp"), run, None) is None

    def test_shows_all_of_a_picture_to_others_where_the_run_s_classifier_saw_all(self, alice: Any) -> None:
        digits, photographs = launched(owner=alice), launched("efficientnet-lite0", owner=alice)

        assert side_for(find("efficientnet-lite0"), digits) == 224
        assert side_for(find("efficientnet-lite2"), photographs) == 297
        assert side_for(find("mnist-mlp"), photographs) == 28

    def test_takes_pixels_as_they_are(self, alice: Any) -> None:
        image = executed(launched(owner=alice, encoding="direct")).champions.get(class_index=3).individual
        seen = seen_by(find("mnist-lenet"), image.run, image)

        assert float(load("mnist-lenet")(seen.image[None])[0, 3]) == pytest.approx(
            image.championships.get(class_index=3).confidence, abs=1e-6
        )

    def test_colours_a_fall_and_a_rise_apart(self) -> None:
        assert charts.colour_of(1) == "#ad3f06"
        assert charts.colour_of(-1) == "#2654b2"
        assert charts.colour_of(0) == "#f6f5f0"

    @pytest.mark.parametrize(
        ("drop", "written"),
        [
            (0.5, "−50.0\xa0points"),
            (-0.034, "+3.4\xa0points"),
            (0.0, "0.0\xa0points"),
            (1e-9, "0.0\xa0points"),
        ],
    )
    def test_writes_a_drop_as_a_change(self, drop: float, written: str) -> None:
        assert charts.change_of(drop) == written

    def test_covers_what_is_seen_with_cells(self) -> None:
        result = {"margin": 16, "size": 224, "patch": 32, "starts": [0, 96, 192], "drops": np.eye(3).tolist()}

        cells = charts.cells_of(result)

        assert sum(cell.width * cell.height for cell in cells) == 224**2
        assert (cells[0].x, cells[-1].x + cells[-1].width) == (16, 240)
        assert [cell.colour for cell in cells[:2]] == [charts.colour_of(1), charts.colour_of(0)]
