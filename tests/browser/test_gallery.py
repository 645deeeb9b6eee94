"""The gallery in a browser: more as one scrolls, the way back, arrows, the show of images, and on a phone."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.steps import Site

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
VIEW = "/gallery/?text=imagined"
PER_PAGE = 48
MOST_BYTES = 300_000  # before the first picture shows
VISIT = Callable[..., Page]


@pytest.fixture(scope="module", autouse=True)
def hung(site: Site) -> None:
    """Hang a run of 400 classes in the site."""
    environment = {**os.environ, "FOOLING_HOME": str(site.home), "OMP_NUM_THREADS": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    for program in (["-m", "tests.imagined", "400", "2"], ["manage.py", "hang_gallery"]):
        subprocess.run([sys.executable, *program], cwd=PROJECT, env=environment, check=True, timeout=120)


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[VISIT]:
    """Return a way to open a page; complaints of its scripts fail."""
    contexts, complaints = [], []

    def open_page(address: str, **options: object) -> Page:
        contexts.append(browser.new_context(base_url=site.url, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(address)
        page.wait_for_load_state("load")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def scroll_until(page: Page, number: int) -> None:
    """Scroll on until the first image of this page of the view has come up from below, past the middle."""
    first = page.locator(f"#at-{(number - 1) * PER_PAGE}")
    for _ in range(400):
        if first.count() and (first.bounding_box() or {"y": 900})["y"] < 100:
            return
        page.mouse.wheel(0, 200)
        page.wait_for_timeout(50)
    raise AssertionError(f"page {number} never came")


def height_of(page: Page, image: str) -> float:
    return float(page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", image))


def test_brings_more_as_one_scrolls_and_writes_the_page_down(visit: VISIT) -> None:
    page = visit(VIEW)
    expect(page.locator(".hung").nth(PER_PAGE - 1)).to_be_attached()
    scroll_until(page, 3)
    expect(page).to_have_url(re.compile(r"page=3$"))
    positions = page.locator(".hung").evaluate_all("hung => hung.map(one => Number(one.id.slice(3)))")
    assert positions == list(range(len(positions)))
    assert len(positions) < 400  # what nobody came near was not fetched


def test_comes_back_to_the_same_place(visit: VISIT) -> None:
    page = visit(VIEW)
    scroll_until(page, 3)
    image = f"at-{3 * PER_PAGE - 20}"
    page.locator(f"#{image}").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    label, height = page.locator(f"#{image} .label").inner_text(), height_of(page, image)
    page.locator(f"#{image} a").click()
    page.wait_for_url(re.compile("/images/"))
    page.go_back()

    expect(page.locator(f"#{image} a")).to_be_focused()
    expect(page.locator(f"#{image} .label")).to_have_text(label)
    expect(page.locator(f"#at-{PER_PAGE}")).to_be_attached()  # the page before it came, too
    page.wait_for_timeout(500)
    assert abs(height_of(page, image) - height) < 10
    page.mouse.wheel(0, -20_000)
    page.wait_for_timeout(500)
    page.mouse.wheel(0, -20_000)
    expect(page.locator("#at-0")).to_be_attached()


def test_is_walked_by_arrows_and_leads_from_image_to_image(visit: VISIT) -> None:
    page = visit(VIEW)
    page.locator("#at-0 a").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    columns = page.locator("#wall").evaluate(
        "wall => getComputedStyle(wall).gridTemplateColumns.split(' ').length"
    )
    expect(page.locator(f"#at-{1 + columns} a")).to_be_focused()
    assert page.locator(".hung a[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    place = page.locator(".view-place")
    expect(place).to_contain_text(f"Image {2 + columns} of")
    page.keyboard.press("ArrowRight")
    expect(place).to_contain_text(f"Image {3 + columns} of")
    place.click()
    expect(page.locator(f"#at-{2 + columns}")).to_be_in_viewport()


def test_skips_to_the_images_by_the_keyboard(visit: VISIT) -> None:
    page = visit(VIEW)
    page.get_by_role("link", name="Skip to the images").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#wall")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#at-0 a")).to_be_focused()


def test_suggests_classes_and_narrows_to_the_one_that_is_written(visit: VISIT) -> None:
    page = visit(VIEW)
    field = page.get_by_role("combobox", name="Class")
    field.press_sequentially("great wh")
    expect(page.locator("#class-options option")).to_have_text("great white shark")
    field.fill("Great white shark")
    field.press("Enter")
    expect(page).to_have_url(re.compile("image_class=great-white-shark"))
    expect(page.locator(".chips")).to_contain_text("great white shark")


def test_shows_one_image_after_another(visit: VISIT) -> None:
    page = visit(VIEW)
    page.get_by_role("button", name="Slideshow").click()
    show, place = page.locator("#show"), page.locator("#show-place")
    expect(place).to_contain_text("1 of")
    expect(show).to_contain_text("EfficientNet-Lite0")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(place).to_contain_text("2 of")
    page.keyboard.press("ArrowLeft")
    expect(place).to_contain_text("1 of")
    page.keyboard.press("ArrowRight")
    page.get_by_label("Seconds for each image").select_option("3")
    page.get_by_role("button", name="Play").click()
    expect(place).to_contain_text("3 of")
    page.keyboard.press("Escape")
    expect(show).to_be_hidden()
    expect(page.locator("#at-2 a")).to_be_focused()


def test_fetches_more_for_a_show_that_reaches_the_end(visit: VISIT) -> None:
    page = visit(VIEW)
    page.locator("#at-0 a").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Slideshow").click()
    page.keyboard.press("Space")
    here = int(page.locator("#show-place").inner_text().split(" of ")[0])
    for _ in range(PER_PAGE + 2):
        page.keyboard.press("ArrowRight")
        here += 1
        expect(page.locator("#show-place")).to_contain_text(f"{here} of")


def test_begins_at_rest_for_those_who_want_less_motion(visit: VISIT) -> None:
    page = visit(VIEW, reduced_motion="reduce")
    page.get_by_role("button", name="Slideshow").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_is_light_before_the_first_picture_shows(visit: VISIT) -> None:
    page = visit("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    arrived = _arrivals(session)
    page.goto(VIEW)
    page.wait_for_load_state("load")
    kinds = [kind for kind, _ in arrived]
    first = next(place for place, (kind, _) in enumerate(arrived) if kind == "image/webp")
    assert sum(size for _, size in arrived[: first + 1]) < MOST_BYTES, kinds


def test_moves_nothing_while_pictures_arrive(visit: VISIT) -> None:
    page = visit("about:blank")
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(one => moved += one.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(VIEW)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("moved") < 0.01


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}, {"width": 1280, "height": 900}])
@pytest.mark.parametrize(
    "address", [VIEW, f"{VIEW}#filters", "/gallery/classes/", "/gallery/classes/goldfish/"]
)
def test_never_scrolls_sideways(visit: VISIT, viewport: dict[str, int], address: str) -> None:
    page = visit(address, viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_opens_its_filters_over_the_wall_on_a_phone(visit: VISIT) -> None:
    page = visit(VIEW, viewport={"width": 390, "height": 844})
    filters = page.get_by_role("complementary", name="Filters")
    expect(filters).to_be_hidden()
    page.get_by_role("link", name=re.compile("^Filters")).click()
    expect(filters).to_be_visible()
    page.keyboard.press("Escape")
    expect(filters).to_be_hidden()
    page.get_by_role("link", name=re.compile("^Filters")).click()
    filters.locator("[data-facet=branch] .facet-rest > summary").click()
    filters.get_by_role("link", name=re.compile("^Fish")).click()
    expect(page).to_have_url(re.compile("branch=fish"))
    expect(filters).to_be_hidden()
    page.get_by_role("link", name=re.compile("Kind of class Fish")).click()
    expect(page).not_to_have_url(re.compile("branch=fish"))


def test_narrows_to_a_band_of_the_histogram(visit: VISIT) -> None:
    page = visit(VIEW)
    page.locator(".histogram a").first.click()
    expect(page).to_have_url(re.compile("band=0"))
    expect(page.locator(".chips")).to_contain_text("below 10")


def test_orders_anew_as_soon_as_an_order_is_chosen(visit: VISIT) -> None:
    page = visit(VIEW)
    page.get_by_label("Order").select_option("random")
    expect(page).to_have_url(re.compile(r"sort=random&seed=\d+"))


def test_can_be_read_without_javascript(visit: VISIT) -> None:
    page = visit(VIEW, java_script_enabled=False)
    expect(page.locator(".hung img")).to_have_count(PER_PAGE)
    expect(page.get_by_role("button", name="Slideshow")).to_be_hidden()
    page.get_by_role("link", name="More images").click()
    expect(page.locator(f"#at-{PER_PAGE}")).to_be_visible()
    page.get_by_role("link", name="Previous page").click()
    expect(page.locator("#at-0")).to_be_visible()


def test_saves_a_view(new_person: Callable[..., Page]) -> None:
    page = new_person("viewer")
    page.goto(f"{VIEW}&branch=fish")
    page.get_by_label("Save this view as").fill("Imagined fishes")
    page.get_by_role("button", name="Save").click()
    page.goto("/gallery/")
    page.get_by_role("link", name="Imagined fishes", exact=True).click()
    expect(page.locator(".chips")).to_contain_text("Fish")
    page.get_by_role("button", name="Delete the view Imagined fishes").click()
    expect(page.get_by_role("status")).to_contain_text("was deleted")


def _arrivals(session: CDPSession) -> list[tuple[str, float]]:
    """Return a list that fills with the kind and size of all that arrives."""
    kinds: dict[str, str] = {}
    arrived: list[tuple[str, float]] = []
    session.on(
        "Network.responseReceived",
        lambda told: kinds.update({told["requestId"]: told["response"]["mimeType"]}),
    )
    session.on(
        "Network.loadingFinished",
        lambda told: arrived.append((kinds.get(told["requestId"], ""), told["encodedDataLength"])),
    )
    return arrived
