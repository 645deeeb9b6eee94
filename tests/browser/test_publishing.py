"""Publishing in a browser: from a litter, through signing up, to a page that others branch from."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.steps import Site
from tests.browser.test_accessibility import AXE, DESKTOP, PHONE, complaints_of

pytestmark = pytest.mark.browser

PUBLISHED = re.compile(r"/images/[0-9a-f-]{36}/\d+/$")


def evolve(page: Page, place: int) -> None:
    """Pick a picture and evolve it."""
    before = page.url
    page.locator(f"#pick-{place}").check(force=True)
    page.locator("#evolve").click()
    page.wait_for_url(lambda url: url != before)


def ask_to_publish(page: Page, place: int) -> None:
    """Open a picture's menu and choose to publish it."""
    page.locator(f"#tile-{place}").hover()
    page.locator(f"#tile-{place} .tile-menu summary").click()
    page.locator(f"#tile-{place}").get_by_role("link", name="Publish").click()


def publish(page: Page, title: str) -> None:
    """Fill in what it is called, and publish."""
    page.get_by_label("Title").fill(title)
    page.get_by_label("Tags").fill("tried, in a browser")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(PUBLISHED)


def test_publishes_what_a_visitor_bred_once_they_have_signed_up(
    page: Page, site: Site, new_person: Callable[..., Page]
) -> None:
    page.goto(f"{site.url}/breed/")
    page.get_by_role("button", name="Begin as small as digits").click()
    evolve(page, 1)
    ask_to_publish(page, 3)
    page.get_by_label("Username").fill("visitor-who-breeds")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.locator("[name=password2]").press("Enter")
    publish(page, "Low tide")

    expect(page.get_by_role("heading", level=1)).to_have_text("Low tide")
    expect(page.locator(".exhibit-confidence")).to_contain_text("%", timeout=60_000)  # by itself
    address = page.url

    other = new_person("branching")
    other.goto(address)
    other.get_by_role("button", name="Breed from this").click()
    ask_to_publish(other, 2)
    publish(other, "High tide")
    expect(other.locator(".published")).to_contain_text("Branched from Low tide")

    other.goto("/breed/pictures/?order=newest")
    titles = other.locator(".bred-title").all_inner_texts()
    assert titles.index("High tide") < titles.index("Low tide")
    other.goto("/breed/pictures/?order=branched")
    expect(other.locator(".bred-title").first).to_have_text("Low tide")


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_shuts_nobody_out(new_person: Callable[..., Page], scheme: str, viewport: dict[str, int]) -> None:
    page = new_person("looker", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)
    page.goto("/breed/")
    page.get_by_role("button", name="Begin as small as digits").click()
    ask_to_publish(page, 1)
    asked = page.url
    publish(page, f"Looked at, {scheme}")
    image = page.url
    own = image.replace("/images/", "/breed/published/")
    addresses = [
        asked,
        image,
        f"{own}edit/",
        f"{own}delete/",
        "/breed/",
        "/breed/pictures/",
        "/breed/breeders/",
    ]

    assert [complaint for address in addresses for complaint in complaints_of(page, address)] == []
