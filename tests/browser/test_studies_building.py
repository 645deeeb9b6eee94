"""Building a study in a browser: from a preset to a frozen design with the site's own images."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from fooling_web.home import PROJECT
from tests.browser.test_accessibility import AXE, DESKTOP, PHONE, complaints_of

pytestmark = pytest.mark.browser
STUDY = re.compile(r"/studies/[0-9a-f-]{36}/$")
WORKER = 120_000  # milliseconds
ARCHIVE = PROJECT / "fooling_web" / "exports" / "gallery" / "efficientnet-lite0-cppn.zip"


def bring_archive(page: Page) -> None:
    """Take in the archive of a thousand patterns that comes with the project, and wait until it hangs."""
    page.goto("/import/")
    page.get_by_label("File", exact=True).set_input_files(ARCHIVE)
    page.locator("[name=visibility][value=public]").check()
    page.get_by_role("button", name="Import").click()
    page.locator("#arrival").get_by_role("link").first.wait_for(timeout=WORKER)
    for _ in range(60):
        page.goto("/gallery/?classifier=efficientnet-lite0&encoding=cppn")
        if page.locator(".hung").count() > 20:
            return
        page.wait_for_timeout(1000)
    raise AssertionError("the archive does not hang")


def begun(page: Page, preset: str) -> None:
    """Begin a study from a preset."""
    page.goto("/studies/")
    page.get_by_role("button", name=f"Begin {preset},").click()
    page.wait_for_url(STUDY)


def test_builds_and_freezes_a_study_of_48_images(new_person: Callable[..., Page]) -> None:
    page = new_person("researcher")
    bring_archive(page)
    begun(page, "P1")
    expect(page.get_by_text("This study has no images yet.")).to_be_visible()
    hub = page.url

    page.get_by_role("link", name="Choose images").click()
    page.get_by_role("button", name="Add these images").click()
    expect(page.get_by_role("heading", name="Asked about 48")).to_be_visible(timeout=WORKER)
    expect(page.get_by_text("Nothing is missing.")).to_be_visible(timeout=WORKER)  # by itself
    page.get_by_role("checkbox", name="Choose image 1,").check()
    page.get_by_role("button", name="Remove chosen").click()
    expect(page.get_by_role("heading", name="Asked about 47")).to_be_visible()
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.get_by_role("heading", name="Asked about 48")).to_be_visible()

    page.goto(hub + "design/")
    page.get_by_label("Options in each trial").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What is wrong stands beside each field")).to_be_visible()
    page.get_by_label("Options in each trial").fill("2")
    page.get_by_label("Title").fill("Do people know?")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Do people know?")

    page.get_by_role("link", name="Freeze", exact=True).click()
    page.get_by_role("button", name="Freeze design and images").click()
    expect(page.get_by_text("Its hash begins with")).to_be_visible()
    page.goto(hub + "images/")
    expect(page.get_by_text("these images can change no more")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.goto(hub + "freeze/")
    expect(page.get_by_text("design and images give this hash now")).to_be_visible()

    page.get_by_role("link", name="Invite people").click()
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("Whoever has the link can take part.")).to_be_visible()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_shuts_nobody_out(new_person: Callable[..., Page], scheme: str, viewport: dict[str, int]) -> None:
    page = new_person("builder", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)
    bring_archive(page)
    begun(page, "P10")
    hub = page.url
    page.goto(hub + "images/")
    page.get_by_role("button", name="Add these images").click()
    expect(page.get_by_role("heading", name="Asked about 10")).to_be_visible(timeout=WORKER)

    addresses = ["/studies/", hub, *(hub + name for name in ("images/", "design/", "freeze/", "invite/"))]
    assert [complaint for address in addresses for complaint in complaints_of(page, address)] == []
