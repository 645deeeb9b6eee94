"""Results of a study in a browser: live, with the image under the pointer, and smooth with a thousand images."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import Site
from tests.browser.test_accessibility import AXE, DESKTOP, PHONE, complaints_of

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_MOVE = 4.0  # milliseconds of computing for a move of the pointer over a thousand dots


class Survey:
    """A study in the site, and the program beside it that lets more people answer."""

    def __init__(self, site: Site, n_images: int, n_people: int) -> None:
        environment = {**os.environ, "FOOLING_HOME": str(site.home), "OMP_NUM_THREADS": "1"}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        command = [sys.executable, "-m", "tests.studies.survey_a_site", str(n_images), str(n_people)]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.program = subprocess.Popen(command, cwd=PROJECT, env=environment, **pipes)
        self.address = self._line()

    def let_one_more_answer(self) -> None:
        assert self.program.stdin is not None
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        assert self._line() == "one more"

    def end(self) -> None:
        assert self.program.stdin is not None
        self.program.stdin.close()
        self.program.wait(30)

    def _line(self) -> str:
        assert self.program.stdout is not None
        return str(self.program.stdout.readline()).strip()


@pytest.fixture(scope="module")
def survey(site: Site) -> Iterator[Survey]:
    """A study of a dozen images."""
    one = Survey(site, 12, 8)
    yield one
    one.end()


@pytest.fixture(scope="module")
def large(site: Site) -> Iterator[Survey]:
    """A study of a thousand images."""
    one = Survey(site, 1000, 100)
    yield one
    one.end()


def test_shows_answers_as_they_come_in(new_person: Callable[..., Page], survey: Survey) -> None:
    page = new_person("watcher")
    page.goto(survey.address)
    begun = page.locator("[data-number=begun]")
    before = int(begun.inner_text())
    page.locator("#results-histogram summary").click()
    page.wait_for_load_state("networkidle")

    survey.let_one_more_answer()

    expect(begun).to_have_text(str(before + 1), timeout=10_000)  # long before it would ask by itself
    expect(page.locator("#results-histogram table")).to_be_visible()  # as it was left
    page.locator("#people-table th[aria-sort] a").nth(1).click()
    expect(page.locator("#people-table [aria-sort=ascending]")).to_have_text("Right")


def test_shows_the_image_under_pointer_keys_and_finger(
    new_person: Callable[..., Page], survey: Survey
) -> None:
    page = new_person("pointer")
    page.goto(survey.address)
    plane, card = page.locator("#plane"), page.locator("#plane-card")
    dots = page.evaluate("JSON.parse(document.getElementById('plane-dots').textContent)")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    assert box

    def over(dot: dict[str, Any]) -> tuple[float, float]:
        return box["x"] + dot["x"] * box["width"], box["y"] + (1 - dot["y"]) * box["height"]

    page.mouse.move(*over(dots[4]))
    expect(card.locator("[data-of=label]")).to_have_text(dots[4]["label"])
    expect(card.locator("[data-of=confidence]")).to_have_text(dots[4]["confidence"])
    expect(card.locator("img")).to_have_js_property("complete", True)
    survey.let_one_more_answer()  # the card stays where it was
    page.wait_for_timeout(3000)
    expect(card).to_be_visible()

    plane.focus()
    page.keyboard.press("ArrowRight")
    expect(card.locator("[data-of=confidence]")).not_to_have_text(dots[4]["confidence"])


def test_can_be_read_without_scripts(new_person: Callable[..., Page], survey: Survey) -> None:
    page = new_person("reader")
    still = page.context.browser.new_context(  # type: ignore[union-attr]  # a context has one
        java_script_enabled=False, base_url=page.url
    )
    other = still.new_page()
    other.goto(survey.address)

    expect(other.locator("#plane svg path").nth(1)).to_be_visible()
    expect(other.locator("#images-table tbody tr")).to_have_count(12)
    other.get_by_role("link", name="Fooling index").click()
    expect(other.locator("#images-table [aria-sort=ascending]")).to_have_text("Fooling index")
    still.close()


def test_is_smooth_with_a_thousand_images(new_person: Callable[..., Page], large: Survey) -> None:
    page = new_person("mover")
    page.goto(large.address)
    plane = page.locator("#plane")
    plane.scroll_into_view_if_needed()

    took = page.evaluate(
        """() => {
          const plane = document.getElementById("plane"), box = plane.getBoundingClientRect();
          const from = performance.now();
          for (let at = 0; at < 200; at++) {
            const clientX = box.left + box.width * ((at * 37) % 200) / 200;
            const clientY = box.top + box.height * at / 200;
            plane.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
          }
          return (performance.now() - from) / 200;
        }"""
    )

    assert len(page.evaluate("JSON.parse(document.getElementById('plane-dots').textContent)")) > 900
    assert took < LONGEST_MOVE
    assert page.locator("#plane svg path").count() < 10


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_shuts_nobody_out(
    new_person: Callable[..., Page], survey: Survey, scheme: str, viewport: dict[str, int]
) -> None:
    page = new_person("results", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)

    assert complaints_of(page, survey.address) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
