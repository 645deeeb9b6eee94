"""Playing in a browser: by keyboard, by touch, and without any script."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import Site, launch, wait_for_status

pytestmark = pytest.mark.browser
GAME = re.compile(r"/play/[0-9a-f-]{36}/$")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def walls(new_person: object, site: Site) -> Site:
    """See that ten images hang in public."""
    page: Page = new_person("player")  # type: ignore[operator]
    page.goto("/play/")
    if page.get_by_role("button", name="Begin").count() == 0:
        launch(page, preset="quick-look")
        wait_for_status(page, "finished")
        for _ in range(60):  # until it hangs
            page.goto("/play/")
            if page.get_by_role("button", name="Begin").count():
                break
            page.wait_for_timeout(500)
    return site


def test_it_is_played_by_keyboard_alone(walls: Site, browser: Browser) -> None:
    page = browser.new_context(base_url=walls.url).new_page()
    page.goto("/play/")
    page.keyboard.press("Enter")
    page.wait_for_url(GAME)
    for number in range(1, 11):
        expect(page.get_by_text(f"Picture {number} of 10")).to_be_visible()
        page.keyboard.press("1")
        page.wait_for_url(re.compile(rf"/{number}/$"))
        expect(page.locator("#play-on")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url(GAME)
    expect(page.locator("h1")).to_have_text(re.compile(r"You saw \d+ of 10 as the network does"))
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    expect(page.locator("#permalink")).to_have_value(page.url)
    page.context.close()


def test_it_is_played_without_scripts_and_goes_on_after_a_reload(walls: Site, browser: Browser) -> None:
    page = browser.new_context(base_url=walls.url, java_script_enabled=False).new_page()
    page.goto("/play/")
    with page.expect_navigation():
        page.get_by_role("button", name="Begin").click()
    for number in range(1, 11):
        page.reload()
        with page.expect_navigation():
            page.locator(".play-options button").nth(number % 4).click()
        with page.expect_navigation():
            page.locator("#play-on").click()
    expect(page.locator(".play-told li")).to_have_count(10)
    page.context.close()


def test_it_fits_a_phone(walls: Site, browser: Browser) -> None:
    page = browser.new_context(base_url=walls.url, **PHONE).new_page()  # type: ignore[arg-type]
    page.goto("/play/")
    page.get_by_role("button", name="Begin").tap()
    page.wait_for_url(GAME)
    last = page.locator(".play-options button").last
    box = last.bounding_box()
    assert box
    assert box["y"] + box["height"] <= 844  # the picture and all four names at once
    assert box["height"] >= 44
    last.tap()
    expect(page.locator("#play-on")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()
