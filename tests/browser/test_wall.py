"""The wall of a thousand classes: few requests, small updates, found by name, and told in numbers too."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import Site

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_SCRIPT = 0.016  # seconds of computing for an update of 100 changes
VISIT = Callable[..., Page]


def imagine(site: Site, *arguments: str) -> subprocess.Popen[str]:
    """Store a run of a thousand classes in the site, as a program beside it does."""
    environment = {**os.environ, "FOOLING_HOME": str(site.home), "OMP_NUM_THREADS": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "tests.imagined", "1000", *arguments]
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)


def address_from(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


@pytest.fixture(scope="module")
def finished(site: Site) -> str:
    """The address of a run that has ended after 40 generations."""
    program = imagine(site, "40")
    address = address_from(program)
    assert program.wait(60) == 0
    return address


@pytest.fixture(scope="module")
def live(site: Site) -> Iterator[str]:
    """The address of a run in which 100 classes change hands each second."""
    program = imagine(site, "40", "--live")
    yield address_from(program)
    program.terminate()
    program.wait(30)


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


def count_updates(page: Page) -> None:
    page.evaluate("window.updates = 0; htmx.onLoad(part => { updates += part.id === 'cells' }); 0")


def test_brings_a_thousand_pictures_in_three_requests(visit: VISIT, finished: str) -> None:
    page = visit("/about/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "webp" in request.url else None)
    page.goto(finished)
    expect(page.locator("#wall .cell")).to_have_count(1000)
    for name in ("goldfish", "vending machine", "toilet tissue"):
        page.locator(".cell", has_text=name).first.scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")

    assert len(asked) == len(set(asked)) <= 3
    assert all("/atlas/40/" in address for address in asked)


def test_finds_lizards_and_keeps_the_question_in_the_address(visit: VISIT, finished: str) -> None:
    page = visit(finished)
    page.keyboard.press("/")
    page.keyboard.type("lizard")
    expect(page.locator("#wall-count")).to_contain_text(re.compile(r"1\d of 1,000 classes, median"))
    expect(page.locator("#champion-39")).to_be_visible()  # an iguana
    page.get_by_label("Order").select_option("surest")
    shown = page.locator("#wall .cell .confidence").all_text_contents()
    assert shown == sorted(shown, key=lambda text: float(text.strip("> %\u202f\xa0")), reverse=True)

    page.reload()

    expect(page.get_by_label("Find a class")).to_have_value("lizard")
    expect(page.get_by_label("Order")).to_have_value("surest")
    assert page.locator("#wall .cell .confidence").all_text_contents() == shown


def test_groups_by_kind_under_headings_that_fold(visit: VISIT, finished: str) -> None:
    page = visit(finished + "#/grouped=1")
    lizards = page.locator(".branch", has=page.get_by_role("heading", name="Lizards", exact=True))
    expect(lizards.locator("summary")).to_contain_text(re.compile(r"11 classes, median \d+\.\d\d %"))
    lizards.locator("summary").click()
    expect(lizards.locator(".cell").first).to_be_hidden()
    page.get_by_label("Find a class").fill("reptile")
    expect(lizards.locator(".cell").first).to_be_hidden()  # still folded


def test_shows_only_the_sure_when_asked(visit: VISIT, finished: str) -> None:
    page = visit(finished)
    page.get_by_label("above 99").check()
    texts = page.locator("#wall .cell .confidence").all_text_contents()
    assert 0 < len(texts) < 1000
    assert all(text.startswith(("99.", "> 99.")) for text in texts)


def test_says_that_no_class_is_called_so_and_leads_back(visit: VISIT, finished: str) -> None:
    page = visit(finished)
    page.get_by_label("Find a class").fill("unicorn")
    expect(page.locator("#wall")).to_have_text("No class is called “unicorn”. Show all classes")
    page.get_by_role("link", name="Show all classes").click()
    expect(page.locator("#wall .cell")).to_have_count(1000)
    expect(page.get_by_label("Find a class")).to_be_focused()
    expect(page.get_by_label("Find a class")).to_have_value("")


def test_is_walked_by_arrows(visit: VISIT, finished: str) -> None:
    page = visit(finished)
    page.get_by_label("Find a class").press("Enter")
    expect(page.locator("#champion-0")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    columns = page.evaluate("getComputedStyle(document.querySelector('#wall')).getPropertyValue('--columns')")
    expect(page.locator(f"#champion-{1 + int(columns)}")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#champion-999")).to_be_focused()
    assert page.locator("#wall .cell[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("toilet tissue")


def test_reads_the_heat_map_to_pointer_and_keyboard(visit: VISIT, finished: str) -> None:
    page = visit(finished)
    page.get_by_role("link", name="Heat map").click()
    expect(page.locator("#map-numbers tbody tr")).to_have_count(7)
    expect(page.locator("#map-ticks span")).to_have_text(["0", "5", "10", "15", "20", "25", "30", "35", "40"])
    told = page.locator("#map-told")
    page.locator("#map").hover(position={"x": 100, "y": 200})
    expect(told).to_have_text(re.compile(r"^.+ \(.+\), generation (19|20|21): at least \d+\.\d\s%$"))
    before = told.inner_text()
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    expect(told).not_to_have_text(before)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    assert download.value.suggested_filename == "heat-map.png"
    page.keyboard.press("Tab")
    page.reload()
    expect(page.locator("#map")).to_be_visible()
    page.locator("#map").click(position={"x": 100, "y": 200})
    expect(page).to_have_url(re.compile(r"/classes/\d+/$"))


def test_colours_rise_evenly_from_dark_to_light(visit: VISIT, finished: str) -> None:
    page = visit(finished)
    lightness = page.evaluate(
        """async () => {
            const { colourAt } = await import("/static/js/heatmap.js");
            return Array.from({length: 101}, (_, step) => {
                const [r, g, b] = colourAt(step / 100);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            });
        }"""
    )
    assert all(low <= high for low, high in itertools.pairwise(lightness))
    assert lightness[-1] > 200 > 40 > lightness[0]


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}, {"width": 1280, "height": 900}])
@pytest.mark.parametrize("view", ["", "#/view=map", "#/view=chart", "#/grouped=1", "classes/", "classes/39/"])
def test_never_scrolls_sideways(visit: VISIT, finished: str, viewport: dict[str, int], view: str) -> None:
    page = visit(finished + view, viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_shows_the_first_classes_without_javascript(visit: VISIT, finished: str) -> None:
    page = visit(finished, java_script_enabled=False)
    expect(page.locator(".cell img:visible")).to_have_count(60)
    expect(page.locator("#wall-tools")).to_be_hidden()
    page.get_by_role("link", name="All 1,000 classes, page by page").click()
    page.get_by_label("Find a class").fill("iguana")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("iguana")


def test_takes_a_hundred_changes_a_second_in_its_stride(visit: VISIT, live: str) -> None:
    page = visit(live)
    expect(page.locator("#wall .cell")).to_have_count(1000)
    count_updates(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # computing, whoever else is at work

    def scripting() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "ScriptDuration")

    page.wait_for_function("() => updates >= 1")
    before = scripting(), page.evaluate("updates")
    page.wait_for_function(f"() => updates >= {before[1] + 5}")
    updates = page.evaluate("updates") - before[1]
    assert (scripting() - before[0]) / updates < LONGEST_SCRIPT


def test_fetches_only_what_changed_and_can_be_seen(visit: VISIT, live: str) -> None:
    page = visit(live)
    count_updates(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "webp" in request.url else None)
    cells = page.locator("#wall .cell .confidence")
    before = cells.all_text_contents()
    page.wait_for_function("() => updates >= 5")
    changed = [new != old for new, old in zip(cells.all_text_contents(), before, strict=True)]

    assert sum(changed[500:]) > 50  # texts change wherever they are
    assert 0 < len(asked) < sum(changed) / 2


def test_catches_up_after_its_socket_was_away(visit: VISIT, live: str) -> None:
    page = visit("/about/")
    page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close(code=1013))
    page.goto(live)
    page.wait_for_load_state("load")
    before = page.locator("#champion-500 .confidence").inner_text()
    expect(page.locator("#champion-500 .confidence")).not_to_have_text(before, timeout=60_000)
    expect(page.locator("#connection-lost")).to_be_visible()
