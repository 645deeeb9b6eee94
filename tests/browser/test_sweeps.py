"""Runs that belong together: launched in one form, watched on one page."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import launch

pytestmark = pytest.mark.browser

SWEEP_PAGE = re.compile(r"/sweeps/[0-9a-f-]{36}/$")


def test_a_person_launches_two_seeds_and_sees_them_side_by_side(new_person) -> None:
    page = new_person("ada")
    launch(page, preset="own", generations="30", population="50", runs="2", seed="5", name="Pair")
    expect(page).to_have_url(SWEEP_PAGE)
    page.evaluate("window.wasNeverReloaded = true")

    expect(page.locator("#sweep-progress[data-status=finished]")).to_be_visible(timeout=60_000)

    expect(page.locator("#sweep-progress tbody tr")).to_have_count(2)
    expect(page.locator("[data-series=generation]")).to_have_text("30")
    expect(page.locator("[data-series=runs]")).to_have_text("2")
    expect(page.get_by_role("link", name="Delete all")).to_be_visible()
    expect(page.locator("#chart canvas")).to_have_count(1)
    assert page.evaluate("window.wasNeverReloaded")
    page.reload()
    expect(page.locator(".champions tbody img")).to_have_count(20)
    page.goto("/runs/?mine=1")
    expect(page.locator(".sweep-card")).to_contain_text("2 of 2 finished")


def test_the_experiments_follow_the_classifier(new_person) -> None:
    page = new_person("ada")
    page.goto("/runs/launch/")
    expect(page.locator("input[name=preset][value=fig7]")).to_be_hidden()

    page.locator("input[name=classifier][value=efficientnet-lite0]").check()

    expect(page.locator("input[name=preset][value=fig7-quick]")).to_be_checked()
    expect(page.locator("input[name=preset][value=paper]")).to_be_hidden()
    expect(page.locator("input[name=encoding][value=cppn]")).to_be_hidden()
    expect(page.locator("#estimate")).to_contain_text("10,100")
    page.locator("input[name=preset][value=fig13-quick]").check()
    expect(page.locator("[name=setting]")).to_be_visible()
    expect(page.locator("#estimate")).to_contain_text("2,510")
