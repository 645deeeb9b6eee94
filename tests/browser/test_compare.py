"""Runs chosen from the list and set side by side, and the diagram of who took classes from whom."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import launch, wait_for_status

pytestmark = pytest.mark.browser


def finished(page: Page, **choices: str) -> str:
    """Launch a small run, wait for its end and return its address."""
    launch(page, preset="own", generations="5", population="20", **choices)
    wait_for_status(page, "finished")
    return page.url


def test_a_person_compares_runs_chosen_from_the_list(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    for seed in ("1", "2"):
        finished(page, seed=seed, name=f"Seed {seed}")

    page.goto("/runs/?mine=1")
    for box in page.locator(".choose input").all():
        box.check()
    page.get_by_role("button", name="Compare chosen").click()

    expect(page.locator(".champions tbody img")).to_have_count(20)
    expect(page.locator("#chart canvas")).to_have_count(1)
    expect(page.locator("[data-letter=A]")).to_contain_text("%")
    page.get_by_label("Evaluations").check()
    expect(page).to_have_url(re.compile("by=evaluations"))
    expect(page.locator("#legend-along")).to_have_text("Evaluations")
    page.reload()
    expect(page.get_by_label("Evaluations")).to_be_checked()
    page.get_by_role("link", name="Leave out Seed 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare runs")


def test_the_diagram_is_read_and_opened_by_keys_alone(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    run = finished(page, seed="3")
    page.goto(f"{run}takeovers/?count=all")
    square = page.locator("#diagram [data-at]").first
    giver, taker = (int(place) for place in (square.get_attribute("data-at") or "").split())

    page.locator("#diagram").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    for key, presses in (("ArrowLeft", 10), ("ArrowUp", 10), ("ArrowDown", giver), ("ArrowRight", taker)):
        for _ in range(presses):
            page.keyboard.press(key)

    expect(page.locator("#told")).to_have_text(f"{giver} → {taker}: {square.get_attribute('data-count')}")
    page.keyboard.press("Enter")
    expect(page.locator(".taken-list li").first).to_be_visible()


def test_both_work_without_a_script(new_person: Callable[..., Page]) -> None:
    page = new_person("ada")
    run = finished(page, seed="4", name="Plain")
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = context.new_page()

    plain.goto(f"{run}takeovers/?count=all")
    plain.locator("#diagram [data-at]").first.click()
    expect(plain.locator(".taken-list li").first).to_be_visible()
    plain.goto(run)
    plain.get_by_role("link", name="Compare with").click()
    expect(plain.get_by_text("Choose what")).to_be_visible()
    context.close()
