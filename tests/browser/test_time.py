"""The time of a run in a browser: the slider moves pictures and numbers, the film plays, two generations compare."""

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
VISIT = Callable[..., Page]
LAST = 60


@pytest.fixture(scope="module")
def time(site: Site) -> str:
    """The address of the time of a run of a thousand classes."""
    environment = {**os.environ, "FOOLING_HOME": str(site.home), "OMP_NUM_THREADS": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "tests.imagined", "1000", str(LAST)]
    program = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    return f"{program.stdout.strip()}time/"


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
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def figure(page: Page, name: str, wall: int = 0) -> str:
    return page.locator(f"#time-wall-{wall} [data-figure={name}]").inner_text()


def pixels(page: Page, wall: int = 0) -> str:
    return str(page.evaluate(f"document.querySelector('#time-wall-{wall} canvas').toDataURL()"))


def shows(page: Page, generation: int, wall: int = 0) -> None:
    expect(page.locator(f"#time-wall-{wall} [data-figure=generation]")).to_have_text(f"{generation:,}")


def test_moves_pictures_and_numbers_under_the_slider(visit: VISIT, time: str) -> None:
    page = visit(time)
    shows(page, LAST)
    before, evaluations = pixels(page), figure(page, "evaluations")
    slider = page.get_by_label("Generation, by slider")
    box = slider.bounding_box()
    assert box

    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=10)
    page.mouse.up()

    shows(page, LAST // 2)
    assert pixels(page) != before
    assert figure(page, "evaluations") != evaluations
    expect(page).to_have_url(re.compile(rf"generation={LAST // 2}$"))
    page.reload()
    shows(page, LAST // 2)


def test_obeys_keys_and_typed_numbers(visit: VISIT, time: str) -> None:
    page = visit(f"{time}?generation=20")
    slider = page.get_by_label("Generation, by slider")
    for key, generation in (
        ("ArrowRight", 21),
        ("ArrowLeft", 20),
        ("PageUp", 26),
        ("PageDown", 20),
        ("Home", 0),
    ):
        slider.press(key)
        shows(page, generation)
    page.get_by_label("Generation", exact=True).fill("33")
    shows(page, 33)
    page.get_by_label("Generation", exact=True).fill("9999")
    shows(page, LAST)


def test_shows_the_same_by_steps_as_at_once(visit: VISIT, time: str) -> None:
    page = visit(f"{time}?generation=0")
    number = page.get_by_label("Generation", exact=True)
    for generation in (2, 40, 11, 12, 30):
        number.fill(str(generation))
        shows(page, generation)
    page.wait_for_load_state("networkidle")

    fresh = visit(f"{time}?generation=30")

    shows(fresh, 30)
    drawn = [_grey_levels(each) for each in (page, fresh)]
    off = sum(abs(one - other) for one, other in zip(*drawn, strict=True)) / len(drawn[0])
    assert off < 12


def _grey_levels(page: Page) -> list[int]:
    """Return how bright each tile of the wall is."""
    levels: list[int] = page.evaluate(
        """() => {
            const small = new OffscreenCanvas(32, 32).getContext("2d");
            small.drawImage(document.querySelector("#time-wall-0 canvas"), 0, 0, 32, 32);
            return [...small.getImageData(0, 0, 32, 32).data].filter((_, place) => place % 4 === 1);
        }"""
    )
    return levels


def test_plays_to_the_end(visit: VISIT, time: str) -> None:
    page = visit(f"{time}?generation=0")
    page.get_by_label("The whole in").select_option("10")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#time-wall-0 [data-figure=generation]")).not_to_have_text("0")
    page.get_by_role("button", name="Pause").click()
    paused = int(figure(page, "generation"))
    assert 0 < paused < LAST
    page.get_by_role("button", name="Play").click()

    expect(page.locator("#time-wall-0 [data-figure=generation]")).to_have_text(str(LAST), timeout=30_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_reads_the_wall_to_pointer_and_keyboard(visit: VISIT, time: str) -> None:
    page = visit(f"{time}?generation=10")
    wall = page.locator("#time-wall-0 [data-wall]")
    told = page.locator("#time-wall-0 [data-told]")
    wall.hover(position={"x": 3, "y": 3})
    expect(told).to_have_text(re.compile(r"^tench: .+ %, since generation \d+, No\. [\d,]+$"))
    wall.focus()
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("End")
    expect(told).to_contain_text("toilet tissue")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/images/|/classes/999/"))


def test_compares_two_generations(visit: VISIT, time: str) -> None:
    page = visit(f"{time}?generation=5")
    page.get_by_label("Compare with").fill("50")
    page.get_by_label("Compare with").press("Enter")
    shows(page, 5)
    shows(page, 50, wall=1)
    differing = figure(page, "changed")
    assert differing == figure(page, "changed", wall=1)
    medians = [figure(page, "median", wall) for wall in (0, 1)]
    assert medians[0] != medians[1]

    page.get_by_label("Generation, by slider").press("End")

    shows(page, LAST)
    expect(page.locator("#time-wall-0 [data-figure=changed]")).not_to_have_text(differing)
    expect(page).to_have_url(re.compile(rf"generation={LAST}&with=50$"))


def test_fetches_of_a_neighbour_only_what_changed(visit: VISIT, time: str) -> None:
    page = visit(f"{time}?generation=40")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if ".jpg" in request.url else None)
    for key, generation in itertools.zip_longest(["ArrowRight"] * 2 + ["ArrowLeft"] * 2, (41, 42, 41, 40)):
        page.get_by_label("Generation, by slider").press(key)
        shows(page, generation)

    assert [address[address.rindex("time/") :] for address in asked] == [
        "time/41/32.jpg?known=40",
        "time/42/32.jpg?known=41",
    ]


def test_works_without_javascript_as_a_form(visit: VISIT, time: str) -> None:
    page = visit(time, java_script_enabled=False)
    page.get_by_label("Generation", exact=True).fill("7")
    page.get_by_role("button", name="Show").click()

    shows(page, 7)
    expect(page.locator("#time-wall-0 img")).to_have_js_property("naturalWidth", 1024)


def test_fits_a_phone(visit: VISIT, time: str) -> None:
    page = visit(f"{time}?generation=5&with=9", viewport={"width": 390, "height": 844})

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_makes_a_film(visit: VISIT, time: str) -> None:
    page = visit(time)
    page.get_by_label("Classes").fill("starfish")
    page.get_by_role("button", name="Make the film").click()

    link = page.get_by_role("link", name="Download the film")
    link.wait_for(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes()[8:12] == b"WEBP"
    expect(page.locator(".film-picture")).to_have_js_property("naturalWidth", 256)
