"""The way between breeding and archives in a browser: offering a bred picture, and launching a run from it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import Site, launch, wait_for_status

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parent.parent.parent
AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
PUBLISH = """
from tests.breeding.offered import champion_document, published
from fooling_web.runs.models import Run
run = Run.objects.get(pk="{run}")
print(published(run.owner, champion_document(run, {class_index})).individual.run_id)
"""


def published_from(site: Site, run: str, class_index: int) -> str:
    """Store a published picture of the run's owner, the network of a champion; return the address of its page."""
    run_id = run.rstrip("/").rpartition("/")[2]
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", PUBLISH.format(run=run_id, class_index=class_index)],
        cwd=PROJECT,
        env={**os.environ, "FOOLING_HOME": str(site.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return f"/images/{told.stdout.split()[-1]}/0/"


def searched(page: Page, **choices: str) -> str:
    """Launch a run of own numbers, wait for its end and return its address."""
    launch(page, preset="own", **choices)
    wait_for_status(page, "finished")
    return page.url


def grave_complaints(page: Page) -> list[Any]:
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [broken["id"] for broken in found["violations"] if broken["impact"] in ("serious", "critical")]


def test_a_bred_picture_takes_a_class_of_an_archive_that_was_opened(
    new_person: Callable[..., Page], site: Site
) -> None:
    page = new_person("bea")
    page.add_init_script(path=AXE)
    practised = searched(page, generations="30", population="100", seed="9")
    short = searched(page, generations="1", population="10", seed="1", name="Short and open")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Open its archive to bred pictures").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Open to bred pictures")).to_be_visible()

    page.goto(published_from(site, practised, 3))
    archives = page.locator("#offering")
    archives.scroll_into_view_if_needed()
    page.get_by_label("Offer it to the archive of").select_option(short.rstrip("/").rpartition("/")[2])
    page.get_by_role("button", name="Offer", exact=True).click()

    expect(archives).to_contain_text("Took", timeout=30_000)
    assert not grave_complaints(page)
    page.goto(short)
    expect(page.locator("#champion-3 .bred-by")).to_contain_text(re.compile("bred by bea"))
    expect(page.locator("#progress")).to_contain_text("generation 2 of 2")


def test_a_bred_picture_begins_a_run(new_person: Callable[..., Page], site: Site) -> None:
    page = new_person("bea")
    page.add_init_script(path=AXE)
    run = searched(page, generations="3", population="20", seed="9")
    page.goto(published_from(site, run, 3))
    page.locator("#offering").scroll_into_view_if_needed()

    page.get_by_role("link", name="Launch a run that begins with this picture").click()

    expect(page.get_by_role("heading", name="1 bred picture to begin with")).to_be_visible()
    assert page.locator(".founders img").evaluate("async image => (await image.decode(), image.naturalWidth)")
    assert not grave_complaints(page)
    for name, value in {"preset": "own", "generations": "3", "population": "20"}.items():
        radio = page.locator(f"input[type=radio][name={name}][value='{value}']")
        if radio.count():
            radio.check()
        else:
            page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Launch", exact=True).click()
    wait_for_status(page, "finished")
    expect(page.get_by_text("Begun with 1 bred picture.")).to_be_visible()
