"""Looking closely at an image in a browser: what comes by itself, what a press brings, and what it is to the eye."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import launch, wait_for_status

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60_000  # milliseconds: the worker may load a classifier first


@pytest.fixture
def page_of_an_image(new_person: Callable[..., Page]) -> Page:
    page = new_person("ada")
    launch(page, preset="own", generations="5", population="20", seed="1")
    wait_for_status(page, "finished")
    page.goto(f"{page.url}classes/7/")
    page.get_by_role("link", name="More of this image").click()
    expect(page.locator("#picture")).to_be_visible()
    return page


def part(page: Page, name: str) -> Locator:
    section = page.locator(f"#{name}")
    section.scroll_into_view_if_needed()
    return section


def test_brings_the_opinions_of_others_by_itself(page_of_an_image: Page) -> None:
    opinions = part(page_of_an_image, "opinions")

    expect(opinions.locator(".verdict")).to_have_text(
        re.compile(r"\d of 3 other classifiers (agree|say)"), timeout=PATIENCE
    )
    expect(opinions.locator("progress")).to_have_count(0, timeout=PATIENCE)
    assert opinions.locator(".opinion").count() >= 3


def test_puts_the_image_to_the_test_at_a_press_and_keeps_the_answer(page_of_an_image: Page) -> None:
    page = page_of_an_image
    robustness = part(page, "robustness")

    robustness.get_by_role("button", name="Put it to the test").press("Enter")

    expect(robustness.locator("svg polyline")).to_have_count(6, timeout=PATIENCE)
    robustness.get_by_text("The numbers").first.click()
    expect(robustness.get_by_role("table").first).to_be_visible()
    page.reload()
    expect(part(page, "robustness").locator("svg polyline")).to_have_count(6)


def test_lays_a_map_of_what_matters_over_the_picture(page_of_an_image: Page) -> None:
    saliency = part(page_of_an_image, "saliency")
    saliency.get_by_role("button").click()
    laid = saliency.locator(".saliency-map")
    expect(laid).to_be_visible(timeout=PATIENCE)

    saliency.get_by_role("radio", name="Picture").check()
    expect(laid).to_be_hidden()
    saliency.get_by_role("radio", name="Both").check()
    saliency.get_by_label("Strength of the map").fill("20")
    expect(laid).to_have_css("opacity", "0.2")
    saliency.get_by_role("radio", name="Map").check()
    expect(laid).to_have_css("opacity", "1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shuts_nobody_out(new_person: Callable[..., Page], page_of_an_image: Page, scheme: Any) -> None:
    page = page_of_an_image
    image = page.url.partition("?")[0]
    page.context.add_init_script(path=AXE)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 800})
    for name in ("opinions", "robustness", "saliency"):
        page.goto(f"{image}{name}/?class=7")
        if page.locator(".examine button").count():
            page.locator(".examine button").click()
        page.locator(".verdict").wait_for(timeout=PATIENCE)
        expect(page.locator("progress")).to_have_count(0, timeout=PATIENCE)

        found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")

        grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in grave] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_asks_without_scripts(page_of_an_image: Page) -> None:
    page = page_of_an_image
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    address = f"{page.url.partition('?')[0]}saliency/?class=7"
    drawn = plain.locator(".saliency-map rect")
    ask = plain.get_by_role("button", name="Hide it part by part")
    for _ in range(
        2 * PATIENCE // 1000
    ):  # much is asked from this address, so that it may have to wait a minute
        plain.goto(address)
        if drawn.count():
            break
        if ask.count():
            ask.click()
            plain.wait_for_load_state()
        plain.wait_for_timeout(1000)

    expect(drawn).to_have_count(196)
    context.close()
