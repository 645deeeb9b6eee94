"""A person's way through: sign up, launch, and watch the network be fooled."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import RUN_PAGE, launch, wait_for_status

pytestmark = pytest.mark.browser


def confidences(page: Page) -> list[str]:
    return page.locator(".wall .champion .confidence").all_inner_texts()


def test_a_person_sees_the_champions_change_until_lenet_is_sure(new_person) -> None:
    page = new_person("ada")
    launch(page, preset="own", generations="300", population="200", seed="1")
    expect(page).to_have_url(RUN_PAGE)
    page.evaluate("window.wasNeverReloaded = true")
    expect(page.locator(".wall .champion img")).to_have_count(10, timeout=30_000)
    first = page.locator(".wall .champion img").evaluate_all("images => images.map(image => image.src)")

    wait_for_status(page, "finished", 90)

    last = page.locator(".wall .champion img").evaluate_all("images => images.map(image => image.src)")
    assert sum(a != b for a, b in zip(first, last, strict=True)) >= 5
    assert confidences(page) == ["> 99.99 %"] * 10
    assert page.evaluate("window.wasNeverReloaded")
    assert page.locator(".wall .champion img").evaluate_all(
        "images => images.every(image => image.complete && image.naturalWidth === 28)"
    )
    expect(page.locator("#champion-7 img")).to_have_attribute(
        "alt", re.compile(r"evolved image, LeNet says 7 with 99\.99\s%")
    )
    expect(page.locator("[data-series=generation]")).to_have_text("300")
    expect(page.locator("#ticker li")).to_have_count(20)


def test_a_wrong_number_is_shown_beside_its_field_and_nothing_is_launched(new_person) -> None:
    page = new_person("ada")
    launch(page, preset="own", generations="0", population="200")
    expect(page).to_have_url(re.compile("/runs/launch/$"))
    expect(page.locator(".field", has=page.locator("[name=generations]"))).to_contain_text(
        "greater than or equal to 1"
    )
    page.goto("/runs/?mine=1")
    expect(page.locator("main")).not_to_contain_text("LeNet, CPPN")


def test_the_estimate_follows_the_form(new_person) -> None:
    page = new_person("ada")
    page.goto("/runs/launch/")
    expect(page.locator("#estimate")).to_contain_text("40,200")
    page.locator("input[name=preset][value=quick-look]").check()
    expect(page.locator("#estimate")).to_contain_text("5,100")


def test_a_clone_starts_from_the_settings_of_its_run(new_person) -> None:
    page = new_person("ada")
    launch(page, preset="own", generations="3", population="20", seed="77", encoding="direct", name="Snow")
    wait_for_status(page, "finished")
    page.get_by_role("link", name="Clone").click()
    expect(page.locator("[name=seed]")).to_have_value("77")
    expect(page.locator("[name=generations]")).to_have_value("3")
    expect(page.locator("input[name=encoding][value=direct]")).to_be_checked()


def test_estimate_and_button_stay_in_sight_on_a_telephone(new_person) -> None:
    page = new_person("ada", viewport={"width": 390, "height": 800})
    page.goto("/runs/launch/")
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_in_viewport(ratio=1)
    expect(page.locator(".estimate-time")).to_be_in_viewport(ratio=1)
    page.get_by_label("Name").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_in_viewport(ratio=1)
