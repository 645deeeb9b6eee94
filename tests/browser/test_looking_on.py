"""The networks look on, in a browser: opinions that arrive by themselves, the target, and letting evolution try."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import AXE, DESKTOP, PHONE, complaints_of
from tests.browser.test_breeding import begin, expect_litter

pytestmark = pytest.mark.browser

SOON = 30_000  # milliseconds; a worker may have to load its network first
ORDER = "[...document.querySelectorAll('#tiles .tile')].map(tile => Number(tile.dataset.place))"
KEYS = "[...document.querySelectorAll('#tiles .tile-key')].map(key => key.textContent).join('')"


def aim(page: Page, target: str) -> None:
    """Choose a target, and wait until it is known of every picture."""
    expect(page.locator(".guess")).to_have_count(15, timeout=SOON)  # the page's scripts are at work
    page.get_by_label("Target").fill(target)
    page.get_by_label("Target").press("Tab")
    expect(page.locator(".aim")).to_have_count(15, timeout=SOON)


def test_opinions_arrive_by_themselves_and_are_kept(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    begin(page)
    expect(page.locator(".guess")).to_have_count(15, timeout=SOON)
    first = page.locator("#opinions-0").inner_text()

    page.locator("#pick-2").check(force=True)
    page.keyboard.press("Space")
    expect_litter(page, 1)
    expect(page.locator(".guess")).to_have_count(15, timeout=SOON)
    page.locator("#back").click()
    expect_litter(page, 0)

    expect(page.locator("#opinions-0")).to_have_text(re.compile(re.escape(first.split("\n")[0])))
    expect(page.locator("#opinions-0 .guess")).to_have_count(1)


def test_opinions_arrive_where_there_is_no_socket(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close(code=1008))
    begin(page, "Begin as small as digits")

    expect(page.locator(".guess")).to_have_count(15, timeout=SOON)


def test_a_target_is_aimed_at_and_sorts_what_is_seen(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    begin(page, "Begin as small as digits")
    aim(page, "7")
    expect(page.locator(".is-best")).to_have_count(1)
    expect(page.locator(".record")).to_contain_text("Best so far for 7")

    page.get_by_label("Surest first").check()
    expect(page.locator("#tiles .tile").first.locator(".is-best")).to_have_count(1)

    order, keys = page.evaluate(ORDER), page.evaluate(KEYS)
    assert sorted(order) == list(range(15)) != order
    assert keys.startswith("1234567890q")
    page.keyboard.press("Escape")
    page.locator("#tiles .tile [name=picked]").nth(3).focus()
    page.keyboard.press("1")
    expect(page.locator(f"#pick-{order[0]}")).to_be_checked()
    page.get_by_label("Surest first").uncheck()
    expect(page.locator("#tiles .tile").first).to_have_id("tile-0")
    assert page.evaluate(ORDER) == list(range(15))


def test_a_class_that_nobody_knows_is_refused_in_a_sentence(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    begin(page, "Begin as small as digits")

    page.get_by_label("Target").fill("strawberry")
    page.get_by_label("Target").press("Tab")

    expect(page.locator("#looking-on [role=alert]")).to_contain_text("“strawberry” is no class of LeNet")


def test_evolution_tries_and_its_litter_is_shown(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    begin(page, "Begin as small as digits")
    expect(page.locator("#attempt-begin")).to_be_disabled()
    aim(page, "3")

    page.locator("#pick-4").check(force=True)
    page.locator("#attempt-begin").click()

    expect_litter_by_attempt(page)
    expect(page.locator("#told")).to_contain_text("evolved by the computer from litter 0")
    expect(page.locator("#attempt")).to_contain_text("Evolution tried from litter 0")
    expect(page.locator("#attempt")).to_contain_text("in 20 generations")


def expect_litter_by_attempt(page: Page) -> None:
    expect(page.locator("#tiles[data-number='1']")).to_be_visible(timeout=SOON)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_what_networks_say_is_accessible_and_fits(
    new_person: Callable[..., Page], viewport: dict[str, int]
) -> None:
    page = new_person("ada", viewport=viewport)
    page.add_init_script(path=AXE)
    begin(page, "Begin as small as digits")
    aim(page, "3")

    assert complaints_of(page, page.url) == []
    page.locator(".rules summary").click()
    page.locator(".who summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
