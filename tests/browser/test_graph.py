"""The network of an image in a browser: drawn, moved by keyboard, one weight swept while the classifier answers."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import launch, told, wait_for_status
from tests.browser.test_accessibility import AXE, GRAVE

pytestmark = pytest.mark.browser

PHONE, DESKTOP = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
PATIENCE = 60_000  # milliseconds until the worker has answered


def image_of_a_run(page: Page) -> str:
    """Evolve a few images and return the address of one of them."""
    launch(page, preset="own", generations="3", population="20")
    wait_for_status(page, "finished")
    page.goto(f"{page.url}classes/7/")
    address = page.locator("a[href*='/images/']").first.get_attribute("href")
    assert address
    return address.split("?")[0]


def complaints(page: Page) -> list[str]:
    """Return where the console's errors will be gathered; what the policy of the page forbids is one of them."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(told(message)) if message.type == "error" else None)
    return heard


def drawn(page: Page) -> None:
    page.locator(".graph-tools:not([hidden])").wait_for(timeout=PATIENCE)


def test_sweeps_a_weight_by_keyboard_alone(new_person: Callable[..., Page]) -> None:
    page = new_person("ada", viewport=PHONE)
    address = f"{image_of_a_run(page)}graph/"
    heard = complaints(page)  # of the graph's page alone
    page.goto(address)
    drawn(page)

    page.locator("a[data-edge]").first.focus()
    page.keyboard.press("Enter")
    slider = page.locator("#weight-value")
    expect(slider).to_be_focused()
    expect(page.locator("#weight-said")).to_contain_text("%", timeout=PATIENCE)
    picture = page.locator(".weight-picture")
    page.keyboard.press("Home")
    begun = picture.get_attribute("viewBox")
    page.keyboard.press("ArrowRight")
    assert picture.get_attribute("viewBox") != begun
    expect(page).to_have_url(re.compile(r"edge=\d+-\d+&value=-"))
    address, weight = page.url, page.locator("#weight output").inner_text()

    page.get_by_role("button", name=re.compile("Back to")).press("Enter")
    expect(page).not_to_have_url(re.compile("value="))
    page.goto(address)
    drawn(page)
    expect(page.locator("#weight output")).to_have_text(weight)
    expect(page.locator("#weight-said")).to_contain_text("%", timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert heard == []


def test_draws_the_network_on_the_page_of_the_image_once_it_is_in_sight(
    new_person: Callable[..., Page],
) -> None:
    page = new_person("ada", viewport=DESKTOP)
    image = image_of_a_run(page)
    heard, fetched = complaints(page), []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(image)
    page.locator("h1").wait_for()
    assert not [url for url in fetched if "cytoscape" in url]

    page.locator("section#graph").scroll_into_view_if_needed()
    drawn(page)

    assert [url for url in fetched if "cytoscape" in url]
    page.locator("#graph-drawing").focus()
    page.keyboard.press("ArrowRight")  # moves the graph, and does not leave the page
    page.keyboard.press("+")
    assert image in page.url
    assert heard == []


def test_shuts_nobody_out(new_person: Callable[..., Page]) -> None:
    page = new_person("ada", viewport=PHONE)
    page.add_init_script(path=AXE)
    page.goto(f"{image_of_a_run(page)}graph/")
    drawn(page)
    page.locator("a[data-edge]").first.click()
    expect(page.locator("#weight-said")).to_contain_text("%", timeout=PATIENCE)

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        grave = [broken for broken in found["violations"] if broken["impact"] in GRAVE]
        assert [(broken["id"], broken["nodes"][0]["html"][:200]) for broken in grave] == [], scheme


def test_tells_the_network_without_scripts(new_person: Callable[..., Page]) -> None:
    page = new_person("ada", viewport=DESKTOP)
    image = image_of_a_run(page)
    assert page.context.browser
    plain = page.context.browser.new_context(
        base_url=page.url.split("/images")[0].split("/runs")[0], java_script_enabled=False
    ).new_page()

    plain.goto(f"{image}graph/")
    plain.locator("a[data-edge]").first.click()

    expect(plain.locator(".weight-strip li")).not_to_have_count(0)
    plain.get_by_role("button", name=re.compile("Ask LeNet")).click()
    expect(plain.locator("#weight")).to_contain_text(re.compile("is looking at|says"))
    plain.context.close()
