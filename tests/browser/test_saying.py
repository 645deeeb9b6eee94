"""Keeping and saying in a browser: stars by mouse and keyboard, collections, tags, comments; no page is reloaded."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import Site, launch, wait_for_status
from tests.browser.test_accessibility import AXE, PHONE, complaints_of

pytestmark = pytest.mark.browser


def hang_an_image(page: Page) -> str:
    """Launch a small run and return the address of one of its champions."""
    launch(page, preset="own", generations="3", population="20", seed="5")
    wait_for_status(page, "finished")
    run = re.search(r"[0-9a-f-]{36}", page.url)
    page.goto(f"{page.url}classes/7/")
    number = re.search(r"/(\d+)/genome/", page.locator("a[href$='/genome/']").get_attribute("href") or "")
    assert run
    assert number
    return f"/images/{run[0]}/{number[1]}/"


def open_image(page: Page, address: str) -> None:
    """Open an image's page and wait until what people say of it has come."""
    page.goto(address)
    page.locator("#said").scroll_into_view_if_needed()
    page.locator("#said-stars").wait_for()


def test_a_person_rates_keeps_tags_and_comments_without_leaving_the_page(new_person) -> None:
    page = new_person("ada")
    address = hang_an_image(page)
    open_image(page, address)
    page.evaluate("window.wasNeverReloaded = true")

    page.locator("label.star").nth(4).click()
    expect(page.locator("#said-stars .mean")).to_contain_text("5.0 of 5, from 1 rating")
    expect(page.locator("#rating-5")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#rating-3")).to_be_checked()
    page.wait_for_timeout(400)
    expect(page.locator("#said-stars .mean")).to_contain_text(
        "5.0 of 5, from 1 rating"
    )  # arrows give nothing
    page.keyboard.press("Enter")
    expect(page.locator("#said-stars .mean")).to_contain_text("3.0 of 5, from 1 rating")
    expect(page.locator("#rating-3")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#said-stars .mean")).to_contain_text("4.0 of 5, from 1 rating")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Rate", exact=True).click()
    expect(page.locator("#said-stars .mean")).to_contain_text("3.0 of 5, from 1 rating")

    page.get_by_role("button", name="Favourite").click()
    expect(page.locator("#favourite")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Add to a collection").click()
    page.locator("#collect-title").fill("Stripes")
    page.locator("#collect-title").press("Enter")
    expect(page.locator("#said-kept").get_by_role("link", name="Stripes")).to_be_visible()

    page.locator("#tags-tags").fill("a_b")
    page.locator("#tags-tags").press("Enter")
    expect(page.locator("#said-tags")).to_contain_text("“a_b” is no tag")
    expect(page.locator("#tags-tags")).to_be_focused()
    page.locator("#tags-tags").fill("Black and White, полосы")
    page.locator("#tags-tags").press("Enter")
    expect(page.locator(".tag")).to_have_text([re.compile("black and white"), re.compile("полосы")])

    page.locator("#comment-text").fill("<b>Two</b>\nlines")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".comment-text")).to_have_text("<b>Two</b>\nlines", use_inner_text=True)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator(".comment").get_by_role("button", name="Delete").click()
    expect(page.locator(".comment")).to_have_count(0)
    assert page.evaluate("window.wasNeverReloaded")

    page.goto("/favourites/")
    expect(page.locator(".hung-image")).to_have_count(1)
    page.locator("summary", has_text="ada").click()
    page.get_by_role("link", name="Collections").click()
    page.get_by_role("link", name="Stripes").click()
    expect(page.locator(".hung-image")).to_have_count(1)


def test_a_visitor_who_presses_a_star_is_led_to_sign_in_and_back(
    new_person, browser: Browser, site: Site
) -> None:
    owner = new_person("ada")
    address = hang_an_image(owner)
    visitor = browser.new_context(base_url=site.url).new_page()
    open_image(visitor, address)

    visitor.locator("label.star").nth(2).click()
    expect(visitor).to_have_url(re.compile("/accounts/login/"))
    visitor.locator("[name=login]").fill(owner.locator("summary").first.inner_text())
    visitor.locator("[name=password]").fill("quiet violet harbour 71")
    visitor.locator("[name=password]").press("Enter")

    expect(visitor).to_have_url(re.compile(f"{address}$"))
    visitor.context.close()


def test_stars_and_comments_are_given_without_scripts(new_person, browser: Browser, site: Site) -> None:
    owner = new_person("ada")
    address = hang_an_image(owner)
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, storage_state=owner.context.storage_state()
    )
    page = context.new_page()
    page.goto(address)
    page.get_by_role("link", name="What people say of it").click()

    page.locator("#rating-2").check(force=True)
    page.get_by_role("button", name="Rate", exact=True).click()
    expect(page.locator("#said-stars .mean")).to_contain_text("2.0 of 5")
    page.locator("#comment-text").fill("Plainly.")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".comment-text")).to_have_text("Plainly.")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it for good").click()

    expect(page).to_have_url(re.compile(f"{address}$"))
    expect(page.locator(".message")).to_have_text("Your comment was deleted.")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shuts_nobody_out_of_what_people_keep_and_say(new_person, scheme: str) -> None:
    page = new_person("ada", viewport=PHONE, color_scheme=scheme)
    page.add_init_script(path=AXE)
    address = hang_an_image(page)
    open_image(page, address)
    page.get_by_role("button", name="Favourite").click()
    page.get_by_text("Add to a collection").click()
    page.locator("#collect-title").fill("A title as long as people like to give " * 2)
    page.locator("#collect-title").press("Enter")
    collection = page.locator("#said-kept a").get_attribute("href")
    page.locator("#tags-tags").fill("x" * 40)
    page.locator("#tags-tags").press("Enter")
    expect(page.locator(".tag")).to_have_count(1)
    person = f"/people/{page.locator('summary').first.inner_text()}/"
    pages = [f"{address}said/", f"{address}report/", person, f"{person}collections/", "/favourites/"]

    for seen in [*pages, collection, "/collections/new/"]:
        assert complaints_of(page, seen) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], seen
