"""Every main page looked over by an accessibility engine, on a desktop by day and on a phone by night."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import launch, wait_for_status

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
PHONE, DESKTOP = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
PAGES = (
    "/",
    "/about/",
    "/accounts/login/",
    "/accounts/signup/",
    "/classifiers/",
    "/classifiers/mnist-lenet/",
    "/gallery/",
    "/gallery/classes/",
    "/gallery/classes/mnist-7/",
    "/runs/",
    "/runs/launch/",
)
OF_A_RUN = ("", "classes/7/", "time/", "takeovers/")


def complaints_of(page: Page, address: str) -> list[str]:
    """Return what the engine finds grave on a page: the rule, and where it was broken first."""
    page.goto(address)
    expect(page.locator(".htmx-request")).to_have_count(0)  # what comes late is there, too
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{address}: {broken['id']} ({broken['help']}): {broken['nodes'][0]['html'][:200]}"
        for broken in found["violations"]
        if broken["impact"] in GRAVE
    ]


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_no_page_shuts_anybody_out(
    new_person: Callable[..., Page], scheme: str, viewport: dict[str, int]
) -> None:
    page = new_person("ada", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)
    launch(page, preset="own", generations="3", population="20")
    wait_for_status(page, "finished")
    run = page.url
    page.goto(f"{run}classes/7/")
    image = page.get_by_role("link", name="More of this image").get_attribute("href")
    assert image
    addresses = [*PAGES, *(run + part for part in OF_A_RUN), image]

    assert [complaint for address in addresses for complaint in complaints_of(page, address)] == []
