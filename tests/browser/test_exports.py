"""Archives out and in, in a browser: ordered by one person, fetched, and taken in by another."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import launch, wait_for_status
from tests.browser.test_accessibility import AXE, DESKTOP, PHONE, complaints_of

pytestmark = pytest.mark.browser

SMALL = {"preset": "own", "generations": "3", "population": "20"}


def test_carries_a_run_from_one_person_to_another(new_person: Callable[..., Page], tmp_path: Path) -> None:
    page = new_person("exporter")
    launch(page, **SMALL, name="A run that travels")
    wait_for_status(page, "finished")
    number = page.url.rstrip("/").rpartition("/")[2]
    page.locator("#control-export").click()
    page.get_by_label("Pictures of the champions").select_option("64")
    page.get_by_role("button", name="Export").click()
    download = page.get_by_role("link", name="Download")
    download.wait_for(timeout=60_000)  # by itself
    with page.expect_download() as fetched:
        download.click()
    path = tmp_path / fetched.value.suggested_filename
    fetched.value.save_as(path)
    assert path.name == "a-run-that-travels.zip"
    page.goto("/exports/")
    expect(page.get_by_role("link", name="A run that travels")).to_be_visible()

    other = new_person("importer")
    other.goto("/import/")
    other.get_by_label("File", exact=True).set_input_files(path)
    other.get_by_role("button", name="Import").click()
    other.locator("#arrival").get_by_role("link", name="A run that travels").click(timeout=60_000)

    expect(other.get_by_role("heading", level=1)).to_have_text("A run that travels")
    expect(other.locator(".run-head .caption").first).to_contain_text("imported")
    assert number not in other.url
    expect(other.locator(".wall img").first).to_be_visible()


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_shuts_nobody_out(
    new_person: Callable[..., Page], scheme: str, viewport: dict[str, int], tmp_path: Path
) -> None:
    page = new_person("carrier", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)
    launch(page, **SMALL)
    wait_for_status(page, "finished")
    page.locator("#control-export").click()
    asked = page.url
    page.get_by_role("button", name="Export").click()
    page.get_by_role("link", name="Download").wait_for(timeout=60_000)
    made = page.url
    (tmp_path / "no-archive.zip").write_bytes(b"PK\x03\x04 and no more")
    page.goto("/import/")
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "no-archive.zip")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("Nothing was kept of the file").wait_for(timeout=60_000)
    refused = page.url

    addresses = [asked, made, "/exports/", "/import/", refused]
    assert [complaint for address in addresses for complaint in complaints_of(page, address)] == []
