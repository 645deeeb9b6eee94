"""Breeding in a browser: by keyboard and by touch, back and forward, in two tabs, and on another device."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.steps import Site
from tests.browser.test_accessibility import AXE, DESKTOP, PHONE, complaints_of

pytestmark = pytest.mark.browser

HEAR = (
    """document.addEventListener("litter:shown", event => (window.heard ??= []).push(event.detail.number))"""
)


def begin(page: Page, button: str = "Begin in colour") -> str:
    """Begin with nothing; return the address of the session."""
    page.goto("/breed/begin/")
    page.get_by_role("button", name=button).click()
    expect(page.locator("#tiles .tile")).to_have_count(15)
    page.wait_for_load_state("load")  # with its scripts
    return re.sub(r"\d+/$", "", page.url)


def expect_litter(page: Page, number: int) -> None:
    """The page shows a litter: its pictures, its address, and all that steps from it."""
    expect(page.locator(f"#tiles[data-number='{number}']")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/{number}/$"))
    expect(page.locator("#step")).to_have_attribute("action", re.compile(rf"/{number}/evolve/$"))


def wait_for_pictures(page: Page) -> None:
    page.locator(".cut img").last.evaluate("image => image.decode()")


def test_a_person_breeds_with_the_keyboard_alone(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    page.add_init_script(HEAR)
    begin(page)
    page.evaluate("window.wasNeverReloaded = true")
    wait_for_pictures(page)

    page.keyboard.press("Space")
    expect(page.locator("#complaint")).to_contain_text("Pick at least one picture first")
    page.keyboard.press("3")
    page.keyboard.press("q")
    expect(page.locator("#pick-2")).to_be_checked()
    expect(page.locator("#pick-10")).to_be_checked()
    page.keyboard.press("q")
    expect(page.locator("#pick-10")).not_to_be_checked()
    page.keyboard.press("Space")
    expect_litter(page, 1)
    expect(page.locator("#told")).to_contain_text("children of one picture of litter 0")
    expect(page.locator("#complaint")).to_be_hidden()
    wait_for_pictures(page)

    expect(page.locator("#pick-10")).to_be_focused()  # where the last key was
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#pick-6")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect_litter(page, 2)
    page.keyboard.press("x")
    expect_litter(page, 3)
    expect(page.locator("#told")).to_contain_text("rolled again")
    page.keyboard.press("u")
    expect_litter(page, 2)
    page.keyboard.press("u")
    expect_litter(page, 1)
    expect(page.locator("#tile-6")).to_have_class(re.compile("was-picked"))
    page.keyboard.press("Shift+U")
    expect_litter(page, 2)
    page.keyboard.press("m")
    expect_litter(page, 4)
    expect(page.locator("#recolour")).to_have_attribute("aria-pressed", "false")
    page.locator("#restart").click()
    expect_litter(page, 5)
    expect(page.locator(".way-step")).to_have_count(5)  # 0, 1, 2, 4, 5; and 3 as another way on from 2
    page.locator(".way-branches a", has_text="3").click()
    expect_litter(page, 3)
    page.go_back()
    expect(page.locator("#tiles[data-number='5']")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    assert page.evaluate("window.heard") == [0, 1, 2, 3, 2, 1, 2, 4, 5, 3, 5]
    assert page.evaluate("window.wasNeverReloaded")


def test_settings_stay_and_pictures_can_be_looked_at_alone(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    session = begin(page, "Begin as small as digits")

    page.locator("#litter-size").select_option("30")
    with page.expect_response(re.compile("/settings/$")) as kept:
        page.locator("#change").fill("0.8")
    assert kept.value.status == 204
    page.locator("#tile-0 .cut").dblclick()
    expect(page.locator("#large-picture")).to_have_js_property("naturalWidth", 512)
    expect(page.locator("#large-ways")).to_contain_text("Download genome")
    page.keyboard.press("Escape")
    expect(page.locator("#pick-0")).not_to_be_checked()  # picked, and let go
    page.locator("#tile-1 .cut").click()
    page.locator("#evolve").dblclick()
    expect_litter(page, 1)
    expect(page.locator("#tiles .tile")).to_have_count(30)
    page.keyboard.press("c")
    expect(page.locator("#pick-29")).to_be_checked()

    page.goto(session)
    expect_number = page.locator("#tiles[data-number='1']")  # a double press made one litter
    expect(expect_number).to_be_visible()
    expect(page.locator("#change")).to_have_value("0.8")
    expect(page.locator("#litter-size")).to_have_value("30")


def test_two_tabs_go_two_ways_and_lose_nothing(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    session = begin(page)
    other = page.context.new_page()
    other.goto(session)

    page.keyboard.press("1")
    page.keyboard.press("Space")
    expect_litter(page, 1)
    other.keyboard.press("2")
    other.keyboard.press("Space")
    expect_litter(other, 2)

    expect(other.locator("#note")).to_contain_text("had gone on to litter 1. Both ways are kept.")
    other.locator("#note a").click()
    expect(other.locator("#tiles[data-number='1']")).to_be_visible()


def test_what_was_bred_without_an_account_goes_on_elsewhere_after_signing_up(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(base_url=site.url, viewport=PHONE, has_touch=True, is_mobile=True)
    elsewhere = browser.new_context(base_url=site.url)
    page = context.new_page()
    session = begin(page)
    page.locator("#tile-3 .cut").tap()
    page.locator("#evolve").tap()
    expect_litter(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    name = f"wren{abs(hash(session)) % 10**8}"
    page.locator(".breed-head").get_by_role("link", name="Sign up").tap()
    page.get_by_label("Username").fill(name)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.locator("[name=password2]").press("Enter")
    expect(page.locator("#tiles[data-number='1']")).to_be_visible()

    there = elsewhere.new_page()
    there.goto("/accounts/login/?next=/breed/sessions/")
    there.get_by_label("Username").fill(name)
    there.locator("[name=password]").fill(PASSWORD)
    there.locator("[name=password]").press("Enter")
    there.locator(".session-card").click()
    expect(there.locator("#tiles[data-number='1']")).to_be_visible()
    there.wait_for_load_state("load")
    there.keyboard.press("1")
    there.keyboard.press("Space")
    expect_litter(there, 2)
    context.close()
    elsewhere.close()


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_breeding_shuts_nobody_out(
    new_person: Callable[..., Page], scheme: str, viewport: dict[str, int]
) -> None:
    page = new_person("ada", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)
    session = begin(page)
    page.locator("#tile-3 .cut").click()
    page.locator("#evolve").click()
    expect_litter(page, 1)
    addresses = [session, f"{session}0/", "/breed/begin/", "/breed/import/", "/breed/sessions/"]

    assert [complaint for address in addresses for complaint in complaints_of(page, address)] == []
