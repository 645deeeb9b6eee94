"""Looking around: the gallery, its filters, the pages of classes, the way on from image to image, saved views."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fooling_web.galleries.hanging import hang_all
from fooling_web.galleries.models import Entry, Exhibit, ImageClass, SavedView
from fooling_web.galleries.searching import page_of
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from tests.imagined import imagined

pytestmark = pytest.mark.django_db

GALLERY = "/gallery/"
CLASSES = "/gallery/classes/"
N_CLASSES = 60
AS_PERSON = Callable[[Any], Client]


@pytest.fixture
def hung(alice: Any) -> Run:
    """A public run of Alice's with 60 champions, which hang."""
    run = imagined(N_CLASSES, 1, name="Sixty", owner=alice).run
    hang_all()
    return run


def text_of(response: Any) -> str:
    return str(response.content.decode())


def images_in(page: str) -> list[str]:
    return re.findall(r'<li class="hung" id="(at-\d+)"', page)


def htmx(client: Client, address: str, trigger: str) -> Any:
    return client.get(address, headers={"hx-request": "true", "hx-trigger": trigger})


def test_shows_the_surest_images_first_and_says_how_many_there_are(client: Client, hung: Run) -> None:
    page = text_of(client.get(GALLERY))
    shown = page_of(Wanted()).entries
    assert "60 images" in page
    assert images_in(page) == [f"at-{position}" for position in range(48)]
    assert page.index(shown[0].get_absolute_url().replace("&", "&amp;")) < page.index(
        shown[1].get_absolute_url().replace("&", "&amp;")
    )
    assert 'loading="lazy"' in page
    assert 'width="128" height="128"' in page


def test_shows_no_image_of_a_private_run_nor_a_hidden_one(client: Client, hung: Run) -> None:
    first = page_of(Wanted()).entries[0]
    Exhibit.objects.create(individual=first.individual, hidden=True)
    assert f"/{first.number}/?" not in text_of(client.get(GALLERY))
    Run.objects.filter(pk=hung.pk).update(visibility=Run.Visibility.PRIVATE)
    assert "Launch a run" in text_of(client.get(GALLERY))


def test_says_what_is_chosen_and_how_to_take_it_away(client: Client, hung: Run) -> None:
    entry = page_of(Wanted()).entries[0]
    page = text_of(client.get(GALLERY, {"image_class": entry.image_class.slug, "encoding": "cppn"}))
    assert "1 image" in page
    assert re.search(rf'<a class="chip"[^>]*href="/gallery/\?image_class={entry.image_class.slug}"', page)
    assert re.search(r'<a class="chip"[^>]*href="/gallery/\?encoding=cppn"', page)
    assert 'href="/gallery/">Remove all' in page


def test_counts_what_each_filter_would_leave(client: Client, hung: Run) -> None:
    page = text_of(client.get(GALLERY))
    fish = Entry.objects.filter(branch="fish").count()
    assert fish
    assert re.search(
        rf'href="/gallery/\?branch=fish"><span class="option-title">Fish</span> '
        rf'<span class="option-count">{fish}<',
        page,
    )


def test_draws_a_bar_for_every_band_of_confidence(client: Client, hung: Run) -> None:
    page = text_of(client.get(GALLERY))
    bars = [
        int(height) for height in re.findall(r'<rect class="bar" y="\d+" width="10" height="(\d+)"', page)
    ]
    assert len(bars) == 14
    assert max(bars) == 100
    counts = [Entry.objects.filter(band=band).count() for band in range(14)]
    assert bars == [math.ceil(100 * math.sqrt(count / max(counts))) for count in counts]
    links = re.findall(r"<li><(a|span)[^>]* title=", page)
    assert links == ["a" if count else "span" for count in counts]
    assert "span" in links
    assert 'title="99.9\N{NO-BREAK SPACE}% to 99.99\N{NO-BREAK SPACE}%: ' in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("image_class=unicorn", "“unicorn” is no class here"),
        ("band=99", "“99” is no confidence band here"),
        ("page=-3", "“-3” is no page here"),
        ("run=abc", "“abc” is no public run here"),
        ("run=7b94f3d2-5aca-421f-951f-14c5f30aedce", "is no public run here"),
        ("sort=loudest", "“loudest” is no order here"),
        ("classifier=<script>", "“&lt;script&gt;” is no classifier here"),
        ("person=nobody", "“nobody” is no person here"),
        ("text=%25", "Nothing can be found by “%”"),
        ("text=\N{TROPICAL FISH}", "Nothing can be found by “\N{TROPICAL FISH}”"),
        ("text=_", "Nothing can be found by “_”"),
        ("tag=nope", "“nope” is no tag here"),
        ("sort=random&seed=x", "“x” numbers no order at random, and was left out"),
        ("recognised=yes", "Nobody was asked yet about any image here"),
        ("recognised=no&encoding=cppn", "Nobody was asked yet about any image that fits the other filters"),
        ("page=" + "9" * 30, "There are not so many pages here"),
    ],
)
def test_says_which_part_of_an_address_it_left_out(client: Client, hung: Run, query: str, said: str) -> None:
    response = client.get(f"{GALLERY}?{query}")
    assert response.status_code == 200
    assert said in text_of(response)


def test_never_breaks(client: Client, hung: Run) -> None:
    names = Wanted.__dataclass_fields__
    nonsense = [
        *(f"{GALLERY}?{name}=%00%FF{'9' * 50}" for name in names),
        *(f"{GALLERY}?{name}={10**30}" for name in names),
        f"{GALLERY}?text={'a ' * 2000}",
        f"{GALLERY}?{'tag=x&' * 500}",
        f"{GALLERY}neighbours/?at=-1",
        f"{GALLERY}neighbours/?at={10**30}",
        f"{GALLERY}neighbours/?at=x&band=x",
        f"{CLASSES}?page={10**30}&q=%00",
        f"{CLASSES}?branch=dogs&page=-1",
        f"{CLASSES}?dataset=%27%22&branch=x",
    ]

    assert {client.get(address).status_code for address in nonsense} == {200}


def test_offers_a_way_out_of_an_empty_view(client: Client, hung: Run) -> None:
    page = text_of(client.get(GALLERY, {"encoding": "direct", "branch": "fish"}))
    fish = Entry.objects.filter(branch="fish").count()
    assert "No image is like that" in page
    assert re.search(rf'href="/gallery/\?branch=fish" rel="nofollow">{fish} without encoding', page)
    assert re.search(r'href="/gallery/\?encoding=direct" rel="nofollow">0 without kind of class', page)


def test_offers_to_skip_to_the_images(client: Client, hung: Run) -> None:
    for address in (GALLERY, ImageClass.objects.get(slug="goldfish").get_absolute_url()):
        page = text_of(client.get(address))
        assert '<a class="skip" href="#wall">Skip to the images</a>' in page
        assert re.search(r'<ol [^>]*id="wall" tabindex="-1"', page)


@pytest.mark.parametrize(
    ("written", "slug"), [("Great White Shark", "great-white-shark"), ("GOLDFISH", "goldfish")]
)
def test_takes_a_class_by_its_label(client: Client, hung: Run, written: str, slug: str) -> None:
    answer = client.get(GALLERY, {"image_class": written, "encoding": "cppn"})
    assert answer["Location"] == f"{GALLERY}?image_class={slug}&encoding=cppn"
    page = text_of(client.get(answer["Location"]))
    assert f'name="image_class" form="gallery-tools" value="{slug}"' in page
    assert '<input type="hidden" name="image_class"' not in page


def test_suggests_classes_while_one_is_written(client: Client, hung: Run) -> None:
    options = text_of(client.get(f"{GALLERY}class-options/", {"image_class": "gold"}))
    assert '<option value="goldfish">goldfish</option>' in options
    for nothing in ("", "unicorn", "%", "\0"):
        assert "<option" not in text_of(client.get(f"{GALLERY}class-options/", {"image_class": nothing}))


def test_answers_an_address_of_too_many_parts_with_a_short_page(client: Client, settings: Any) -> None:
    for debug in (False, True):
        settings.DEBUG = debug
        answer = client.get(GALLERY + "?" + "&".join(f"a{number}=1" for number in range(3000)))
        assert answer.status_code == 400
        assert "more parts than the site reads: 1000 at most" in text_of(answer)
        assert len(answer.content) < 8_000


def test_sends_scripts_the_next_images_alone(client: Client, hung: Run) -> None:
    page = text_of(htmx(client, f"{GALLERY}?page=2", "later"))
    assert "<html" not in page
    assert images_in(page) == [f"at-{position}" for position in range(48, 60)]
    assert 'id="earlier"' not in page
    earlier = text_of(htmx(client, GALLERY, "earlier"))
    assert len(images_in(earlier)) == 48
    assert 'id="later"' not in earlier


def test_keeps_a_page_and_a_part_of_one_apart_in_caches(client: Client, hung: Run) -> None:
    vary = client.get(GALLERY)["Vary"]
    assert "HX-Request" in vary
    assert "HX-Trigger" in vary


def test_has_links_from_page_to_page(client: Client, hung: Run) -> None:
    page = text_of(client.get(f"{GALLERY}?encoding=cppn&page=2"))
    assert 'rel="prev" href="/gallery/?encoding=cppn"' in page
    assert "Page <span" in page
    assert images_in(page)[0] == "at-48"


def test_asks_the_database_as_often_for_many_images_as_for_few(client: Client, hung: Run) -> None:
    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(address)
        return len(asked)

    slug = page_of(Wanted()).entries[0].image_class.slug
    addresses = [GALLERY, f"{GALLERY}?branch=fish", CLASSES, f"{CLASSES}?branch=fish&dataset=imagenet"]
    addresses += [f"{CLASSES}{slug}/", f"{GALLERY}neighbours/?at=1"]
    few = [queries(address) for address in addresses]
    for seed in (2, 3):
        imagined(2 * N_CLASSES, 1, seed=seed, name=f"More {seed}")
    hang_all()

    assert [queries(address) for address in addresses] == few
    assert max(few) < 40


def test_gives_each_order_at_random_a_number(client: Client, hung: Run) -> None:
    response = client.get(f"{GALLERY}?sort=random")
    assert re.fullmatch(r"/gallery/\?sort=random&seed=\d+", response["Location"])
    assert "Shuffle again" in text_of(client.get(response["Location"]))


def test_leaves_empty_fields_out_of_the_address(client: Client, hung: Run) -> None:
    assert client.get(f"{GALLERY}?text=&sort=newest&encoding=cppn")["Location"] == (
        "/gallery/?encoding=cppn&sort=newest"
    )


def test_tells_search_engines_which_page_counts(client: Client, hung: Run) -> None:
    plain, narrowed = text_of(client.get(GALLERY)), text_of(client.get(f"{GALLERY}?encoding=cppn"))
    canonical = '<link rel="canonical" href="http://testserver/gallery/">'
    assert canonical in plain
    assert canonical in narrowed
    assert "noindex" not in plain
    assert "noindex" in narrowed


def test_shows_markup_in_names_as_text(client: Client, hung: Run) -> None:
    Run.objects.filter(pk=hung.pk).update(name="<script>alert(1)</script>")
    page = text_of(client.get(GALLERY, {"run": hung.pk, "text": '"><img src=x>'}))
    assert "<script>alert" not in page
    assert "<img src=x>" not in page


def test_leads_from_a_run_to_its_own_wall(client: Client, hung: Run) -> None:
    page = text_of(client.get(GALLERY, {"run": hung.pk}))
    assert f'<a href="{hung.get_absolute_url()}">The run’s own wall</a>' in page


def test_shows_a_class_over_all_runs(client: Client, hung: Run) -> None:
    imagined(3, 1, seed=2, name="Three")
    hang_all()
    goldfish = ImageClass.objects.get(class_index=1, dataset="imagenet")
    page = text_of(client.get(goldfish.get_absolute_url()))
    assert "<h1>Goldfish</h1>" in page
    assert "2 images" in page
    assert re.search(r">animal</a>.*>fish</a>.*goldfish", page, re.DOTALL)
    assert "EfficientNet-Lite0</a></th><td>CPPN, MAP-Elites</td>" in page
    assert 'rel="prev" href="/gallery/classes/tench/"' in page
    assert 'rel="next" href="/gallery/classes/great-white-shark/"' in page
    assert (
        "image_class=goldfish" not in page.split('id="filters"')[1].split("views-kept")[0]
    )  # the path says it


def test_says_what_the_paper_says_of_a_class(client: Client, hung: Run) -> None:
    agama = ImageClass.objects.get(label="agama")
    assert "62.11 %" in text_of(client.get(agama.get_absolute_url()))


def test_has_no_page_for_a_class_that_is_unknown(client: Client, hung: Run) -> None:
    assert client.get(f"{CLASSES}unicorn/").status_code == 404


def test_lists_branches_with_a_few_images_each(client: Client, hung: Run) -> None:
    page = text_of(client.get(CLASSES))
    assert "ImageNet: animals" in page
    assert 'href="?dataset=imagenet&amp;branch=fish"' in page


def test_shows_each_class_of_a_branch_with_its_surest_image(client: Client, hung: Run) -> None:
    page = text_of(client.get(CLASSES, {"dataset": "imagenet", "branch": "fish"}))
    goldfish = Entry.objects.get(image_class__slug="goldfish")
    assert "<h1>Fish</h1>" in page
    assert f"/individuals/{goldfish.number}/{goldfish.short_hash}-128.webp" in page
    assert 'href="/gallery/classes/goldfish/"' in page


def test_finds_classes_by_name_and_by_kind(client: Client, hung: Run) -> None:
    assert "goldfish" in text_of(client.get(CLASSES, {"q": "gold"}))
    sharks = text_of(client.get(CLASSES, {"q": "shark"}))
    assert "hammerhead" in sharks
    assert "goldfish" not in sharks
    assert "No class here" in text_of(client.get(CLASSES, {"q": "unicorn"}))


def test_says_that_a_group_of_classes_is_unknown(client: Client, hung: Run) -> None:
    assert "No group of classes has this name" in text_of(client.get(CLASSES, {"branch": "unicorns"}))


def test_leads_from_image_to_image_within_a_view(client: Client, hung: Run) -> None:
    before, _, after = page_of(Wanted(branch="fish")).entries[:3]
    way = text_of(client.get(f"{GALLERY}neighbours/?class=1&at=1&branch=fish"))
    fish = Entry.objects.filter(branch="fish").count()
    assert f'rel="prev" href="{before.get_absolute_url()}&amp;at=0&amp;branch=fish"' in way
    assert f'rel="next" href="{after.get_absolute_url()}&amp;at=2&amp;branch=fish"' in way
    assert f'href="/gallery/?branch=fish#at-1">Image 2 of {fish} in Fish</a>' in way


def test_ends_the_way_at_the_last_image(client: Client, hung: Run) -> None:
    way = text_of(client.get(f"{GALLERY}neighbours/?at={N_CLASSES - 1}"))
    assert 'rel="prev"' in way
    assert 'rel="next"' not in way
    assert "page=2#at-59" in way


def test_opens_an_image_from_where_it_hangs(client: Client, hung: Run) -> None:
    page = text_of(client.get(f"{GALLERY}?branch=fish"))
    address = re.findall(r'<li class="hung" id="at-1"[^>]*><a href="([^"]+)"', page)[0]
    assert address.endswith("&amp;at=1&amp;branch=fish")
    assert client.get(address.replace("&amp;", "&")).status_code == 200


def test_saves_a_view_under_a_name(alice: Any, as_person: AS_PERSON, hung: Run) -> None:
    browser = as_person(alice)
    response = browser.post(
        reverse("galleries:save_view"), {"title": "Fishes", "query": "branch=fish&page=7&x=1"}
    )
    assert response["Location"] == "/gallery/?branch=fish"
    assert '<a href="/gallery/?branch=fish">Fishes</a>' in text_of(browser.get(GALLERY))


def test_asks_for_a_name(alice: Any, as_person: AS_PERSON) -> None:
    response = as_person(alice).post(
        reverse("galleries:save_view"), {"title": "", "query": "encoding=cppn"}, follow=True
    )
    assert "Not saved" in text_of(response)
    assert not SavedView.objects.exists()


def test_saves_no_view_of_somebody_without_an_account(client: Client) -> None:
    response = client.post(reverse("galleries:save_view"), {"title": "Mine", "query": ""})
    assert "/accounts/login/" in response["Location"]
    assert not SavedView.objects.exists()


def test_brings_back_to_the_gallery_who_signed_in_on_the_way(alice: Any, as_person: AS_PERSON) -> None:
    assert as_person(alice).get(reverse("galleries:save_view"))["Location"] == GALLERY


def test_deletes_a_view_of_ones_own_only(alice: Any, bob: Any, as_person: AS_PERSON) -> None:
    saved = SavedView.objects.create(owner=alice, title="Mine", query="encoding=cppn")
    address = reverse("galleries:delete_view", args=[saved.pk])
    assert as_person(bob).post(address).status_code == 404
    assert as_person(alice).get(address).status_code == 405
    assert as_person(alice).post(address)["Location"] == saved.get_absolute_url()
    assert not SavedView.objects.exists()


def test_knows_no_view_of_a_number_beyond_the_database(alice: Any, as_person: AS_PERSON) -> None:
    assert as_person(alice).post(reverse("galleries:delete_view", args=[10**30])).status_code == 404


def test_is_the_first_place_to_go_and_counted_at_the_entrance(client: Client) -> None:
    imagined(N_CLASSES, 1)
    hang_all()
    page = text_of(client.get("/"))
    assert re.search(r'aria-label="Site">\s*<a href="/gallery/"', page)
    assert '<a href="/gallery/">All 60 images</a>' in page
