"""The page of one image in a browser: looking closer, its family, what travels elsewhere."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import launch, wait_for_status

pytestmark = pytest.mark.browser


@pytest.fixture
def page_of_an_image(new_person: Callable[..., Page]) -> Page:
    page = new_person("ada")
    launch(page, preset="own", generations="5", population="20", seed="1")
    wait_for_status(page, "finished")
    page.goto(f"{page.url}classes/7/")
    page.get_by_role("link", name="More of this image").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("LeNet (says|on) 7"))
    page.wait_for_load_state()  # and with it the page's scripts
    return page


@pytest.fixture
def another_site(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """A site of somebody else's: what lies in the test's folder."""
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def width_of(page: Page) -> object:
    return page.locator("#picture").evaluate("async image => (await image.decode(), image.naturalWidth)")


def test_shows_the_picture_as_it_is_seen_and_drawn_finer(page_of_an_image: Page) -> None:
    page = page_of_an_image
    assert width_of(page) == 28

    page.get_by_role("link", name="512", exact=True).click()

    expect(page.locator("#drawn-at")).to_have_text("; here it is drawn at 512 × 512")
    expect(page.locator("a.size[aria-current]")).to_have_text("512")
    assert width_of(page) == 512


def test_leads_through_the_family(page_of_an_image: Page) -> None:
    page = page_of_an_image
    page.locator("#children").scroll_into_view_if_needed()
    expect(page.locator("#children")).to_contain_text(re.compile("held a class|None that ever"))
    here = page.url

    page.locator(".relatives a").first.click()  # a parent: nobody of the last generations comes from nowhere

    expect(page).not_to_have_url(here)
    expect(page.locator(".exhibit-confidence")).to_be_visible()


def test_may_hang_in_a_frame_on_another_page(
    page_of_an_image: Page, another_site: ThreadingHTTPServer, tmp_path: Path
) -> None:
    page = page_of_an_image
    code, permalink = page.locator("#embed-code").input_value(), page.locator("#permalink").input_value()
    elsewhere = page.context.new_page()

    (tmp_path / "index.html").write_text(code + f'<iframe id="whole" src="{permalink}"></iframe>')
    elsewhere.goto(f"http://localhost:{another_site.server_port}/")

    framed = elsewhere.frame_locator("iframe[title]")
    expect(framed.locator("figcaption")).to_contain_text("LeNet")
    assert framed.locator("img").evaluate("async image => (await image.decode(), image.naturalWidth)") == 28
    expect(elsewhere.frame_locator("#whole").locator("h1")).not_to_contain_text("LeNet")


def test_counts_who_looks_for_a_while(page_of_an_image: Page) -> None:
    page = page_of_an_image

    with page.expect_response(re.compile("/seen/$")) as answer:
        page.reload()

    assert answer.value.status == 204
