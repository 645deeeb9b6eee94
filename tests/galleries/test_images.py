"""The page of one image: who may see it, what it says, its picture at every size, and what travels elsewhere."""

import html
import io
import re
import threading
import uuid
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from fooling_web.galleries import images
from fooling_web.galleries.models import Exhibit, image_url
from fooling_web.runs.models import Individual, Run
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db


def address_of(individual: Individual, part: str = "") -> str:
    return image_url(individual.run_id, individual.number) + part


def champion_of(run: Run, class_index: int = 3) -> Individual:
    return run.champions.get(class_index=class_index).individual


@pytest.fixture
def individual(finished_run: Run) -> Individual:
    return champion_of(finished_run)


def test_shows_an_image_to_everybody(client: Client, individual: Individual) -> None:
    page = client.get(address_of(individual), {"class": 3}).content.decode()

    assert "<h1>LeNet says 3</h1>" in page or "<h1>LeNet on 3</h1>" in page
    assert individual.genome_hash[:16] in page
    assert page.count("<meter") == 5


@pytest.mark.parametrize("part", ["", "embed/", "card.png", "provenance.json", "children/", "picture-64.png"])
def test_hides_images_of_private_runs(
    client: Client, as_person: Any, alice: Any, bob: Any, individual: Individual, part: str
) -> None:
    Run.objects.update(visibility=Run.Visibility.PRIVATE)

    answers = [browser.get(address_of(individual, part)) for browser in (client, as_person(bob))]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert as_person(alice).get(address_of(individual, part)).status_code == 200


@pytest.mark.parametrize("number", ["999999", str(2**63), "9" * 40])
def test_has_a_page_for_numbers_that_are_no_image(client: Client, finished_run: Run, number: str) -> None:
    answer = client.get(f"/images/{finished_run.pk}/{number}/")

    assert answer.status_code == 404
    assert "Nothing hangs here" in answer.content.decode()


def test_has_a_page_for_images_of_a_deleted_run(client: Client, individual: Individual) -> None:
    address = address_of(individual)
    Run.objects.all().delete()

    assert client.get(address).status_code == 404
    assert client.get(f"/images/{uuid.uuid4()}/0/").status_code == 404


@pytest.mark.parametrize("wanted", ["", "-1", "1001", "9" * 60, "starfish", "<script>", "\0", "٣"])
def test_falls_back_on_the_surest_class_where_another_makes_no_sense(
    client: Client, individual: Individual, wanted: str
) -> None:
    usual = client.get(address_of(individual)).context["told"].light

    assert client.get(address_of(individual), {"class": wanted}).context["told"].light == usual


def test_tells_an_image_by_a_class_that_it_held_before(client: Client, finished_run: Run) -> None:
    lost = finished_run.takeovers.exclude(individual__championships__isnull=False).first()
    assert lost is not None

    told = client.get(address_of(lost.individual), {"class": lost.class_index}).context["told"]

    assert (told.light.class_index, told.light.confidence) == (lost.class_index, lost.confidence)
    assert not told.holds
    assert lost.class_index in [light.class_index for light in told.held]


def test_never_executes_what_people_wrote(client: Client, individual: Individual) -> None:
    title = "<script>alert(1)</script>\"'"
    Exhibit.objects.create(individual=individual, title=title)
    Run.objects.update(name="<b>bold</b>")

    for part in ("", "embed/", "children/"):
        page = client.get(address_of(individual, part)).content.decode()

        assert "<script>alert" not in page
        assert "<b>bold" not in page
    assert (
        html.unescape(re.search(r"<h1>(.*?)</h1>", client.get(address_of(individual)).content.decode())[1])
        == title
    )


def test_takes_the_title_away_that_a_moderator_hid(client: Client, individual: Individual) -> None:
    Exhibit.objects.create(individual=individual, title="Something vile", hidden=True)

    assert "vile" not in client.get(address_of(individual)).content.decode()


def test_tells_at_the_top_that_a_moderator_hid_it_and_sends_nothing_elsewhere(
    client: Client, individual: Individual
) -> None:
    Exhibit.objects.create(individual=individual, title="Something vile", hidden=True)

    page = client.get(address_of(individual)).content.decode()
    embed = client.get(address_of(individual, "embed/"))

    assert "took this image out" in page.split("<h1>")[0]
    assert "card.png" not in page
    assert "iframe" not in page
    assert '<meta name="robots" content="noindex">' in page
    assert client.get(address_of(individual, "card.png")).status_code == 404
    assert embed.status_code == 404
    assert "X-Frame-Options" not in embed
    assert "<img" not in embed.content.decode()


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ({}, None),
        ({"class": "", "at": "5"}, None),
        ({"class": "<b>"}, "“<b>” is no class here, and was left out."),
        ({"class": "10"}, "“10” is no class here, and was left out."),
        ({"at": "-1"}, "“-1” is no place in a gallery, and was left out."),
    ],
)
def test_says_what_of_the_address_was_left_out(
    client: Client, individual: Individual, query: dict[str, str], note: str | None
) -> None:
    answer = client.get(address_of(individual), query)

    assert answer.context["notes"] == ([note] if note else [])
    assert html.escape(note or "") in answer.content.decode()


def test_says_that_it_has_nothing_to_do_with_a_class(client: Client, individual: Individual) -> None:
    known = {index for index, _ in individual.top}
    known |= set(individual.takeovers.values_list("class_index", flat=True))
    strange = next(index for index in range(10) if index not in known)

    notes = client.get(address_of(individual), {"class": strange}).context["notes"]

    assert notes == [f"This image has nothing to do with class “{strange}”, which was left out."]


def test_says_once_at_which_size_the_classifier_sees_it(client: Client, individual: Individual) -> None:
    page = client.get(address_of(individual)).content.decode()

    assert ", as it is drawn here</span>." in page
    assert "here it is drawn at" not in page


def test_says_that_a_picture_was_not_kept(client: Client, individual: Individual) -> None:
    Individual.objects.filter(pk=individual.pk).update(genome=b"")

    page = client.get(address_of(individual)).content.decode()

    assert "was not kept" in page
    assert client.get(address_of(individual, "picture-64.png")).status_code == 404
    assert client.get(address_of(individual, "card.png")).status_code == 404
    assert client.get(address_of(individual, "embed/")).status_code == 200


def test_has_a_page_where_the_genome_is_damaged(client: Client, individual: Individual) -> None:
    Individual.objects.filter(pk=individual.pk).update(genome=b"damaged")

    assert client.get(address_of(individual)).status_code == 200
    assert client.get(address_of(individual, "picture-64.png")).status_code == 404


def test_has_a_page_where_the_classifier_is_gone(client: Client, individual: Individual) -> None:
    Run.objects.update(classifier="gone")

    for part in ("", "embed/", "card.png", "provenance.json", "children/", "picture-64.png"):
        assert client.get(address_of(individual, part)).status_code == 200


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024, 2048])
@pytest.mark.parametrize("ending", ["png", "webp"])
def test_develops_a_network_at_every_size(
    client: Client, individual: Individual, size: int, ending: str
) -> None:
    answer = client.get(address_of(individual, f"picture-{size}.{ending}"))

    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == (ending.upper(), (size, size))
    assert answer["Content-Type"] == f"image/{ending}"


def test_offers_the_native_size_of_photographs_as_webp_too(client: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(parameters={**run.parameters, "width": 256, "height": 256})
    Individual.objects.create(run=run, number=1, generation=0, genome=b"x", genome_hash="a" * 64)

    page = client.get(f"/images/{run.pk}/1/").content.decode()

    assert 'download="image-1-256.webp"' in page
    assert f'class="size" href="/runs/{run.pk}/' in page  # what it saw is the PNG


@pytest.mark.parametrize("part", ["picture-0.png", "picture-63.png", "picture-4096.webp", "picture-64.gif"])
def test_draws_no_other_sizes_and_kinds(client: Client, individual: Individual, part: str) -> None:
    assert client.get(address_of(individual, part)).status_code == 404


def test_lets_browsers_keep_a_picture_whose_address_names_its_genome(
    client: Client, individual: Individual
) -> None:
    address = address_of(individual, "picture-64.webp")

    kept = client.get(address, {"genome": individual.genome_hash[:12]})

    assert "immutable" in kept["Cache-Control"]
    assert "immutable" not in client.get(address)["Cache-Control"]
    assert client.get(address, {"genome": "0" * 12}).status_code == 404


def test_limits_large_pictures_for_each_address(client: Client, individual: Individual) -> None:
    large, other = address_of(individual, "picture-1024.webp"), {"REMOTE_ADDR": "2001:db8:1:2::9"}
    images.UNITS_A_MINUTE, most = 2, images.UNITS_A_MINUTE
    try:
        answers = [client.get(large).status_code for _ in range(3)]
        refused, elsewhere = client.get(large), client.get(large, **other)
    finally:
        images.UNITS_A_MINUTE = most

    assert answers == [200, 200, 429]
    assert "Wait a minute" in refused.content.decode()
    assert refused["Retry-After"] == "60"
    assert elsewhere.status_code == 200
    assert client.get(address_of(individual, "picture-512.webp")).status_code == 200


def test_draws_few_large_pictures_at_once(
    client: Client, individual: Individual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "PATIENCE", 0.01)
    monkeypatch.setattr(images, "_drawing", threading.BoundedSemaphore(1))

    with images._drawing:
        busy = client.get(address_of(individual, "picture-512.webp"))
        small = client.get(address_of(individual, "picture-256.webp"))

    assert (busy.status_code, small.status_code) == (503, 200)
    assert client.get(address_of(individual, "picture-512.webp")).status_code == 200


def test_may_be_framed_by_its_embed_page_alone(client: Client, individual: Individual) -> None:
    embed, page = client.get(address_of(individual, "embed/")), client.get(address_of(individual))

    assert "X-Frame-Options" not in embed
    assert "frame-ancestors *" in embed["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert "<iframe" in html.unescape(page.content.decode())


def test_sends_a_card_of_the_size_that_others_expect(client: Client, individual: Individual) -> None:
    Exhibit.objects.create(individual=individual, title="W" * 100)

    answer = client.get(address_of(individual, "card.png"), {"class": 3})

    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (1200, 630)
    page = client.get(address_of(individual), {"class": 3}).content.decode()
    assert f'content="http://testserver{address_of(individual, "card.png")}?class=3"' in page


def test_counts_who_looked_once_a_session(client: Client, individual: Individual) -> None:
    address = address_of(individual, "seen/")

    assert client.get(address).status_code == 405
    assert [client.post(address).status_code for _ in range(3)] == [204, 204, 204]
    Client().post(address)

    assert Exhibit.objects.get(individual=individual).views == 2


def test_counts_nothing_without_a_token(individual: Individual) -> None:
    assert Client(enforce_csrf_checks=True).post(address_of(individual, "seen/")).status_code == 403
    assert not Exhibit.objects.exists()


def test_fetches_its_neighbours_where_it_hangs_in_a_gallery(client: Client, individual: Individual) -> None:
    hung = client.get(address_of(individual), {"class": 3, "at": "5", "encoding": "cppn"})
    alone = client.get(address_of(individual), {"class": 3, "at": "nonsense"})

    assert hung.context["gallery_query"] == "class=3&at=5&encoding=cppn"
    assert alone.context["gallery_query"] == ""


def test_asks_the_database_as_often_for_a_long_line(
    client: Client, alice: Any, individual: Individual, django_assert_num_queries: Any
) -> None:
    long = executed(launched(owner=alice, generations=40, seed=2))
    youngest = long.individuals.order_by("-number").first()
    first = individual.run.individuals.filter(generation=1).first()
    assert youngest is not None
    assert first is not None

    for one in (first, youngest):
        with django_assert_num_queries(
            7
        ):  # run, individual, what it holds, what it held, parent, its classes, line
            assert client.get(address_of(one)).context["line"].length >= 2


def test_links_to_it_from_the_page_of_a_champion(client: Client, finished_run: Run) -> None:
    page = client.get(f"/runs/{finished_run.pk}/classes/3/").content.decode()

    assert f'href="{address_of(champion_of(finished_run))}?class=3"' in page


@pytest.mark.parametrize("encoding", ["direct"])
def test_repeats_the_pixels_of_a_picture_without_a_network(client: Client, alice: Any, encoding: str) -> None:
    individual = champion_of(executed(launched(owner=alice, encoding=encoding)))

    answer = client.get(address_of(individual, "picture-512.png"))

    with Image.open(io.BytesIO(answer.content)) as picture:
        assert len(picture.crop((0, 0, 18, 18)).getcolors()) == 1  # 512 / 28 is a little more than 18
    assert "repeat each pixel" in client.get(address_of(individual)).content.decode()
