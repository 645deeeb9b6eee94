"""Every main page on a desktop and a phone, by day and by night, and by keyboard alone."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.steps import RUN_PAGE, Site, launch, wait_for_status

pytestmark = pytest.mark.browser

PAGES = ["/", "/about/", "/runs/", "/runs/launch/", "/accounts/login/", "/accounts/signup/", "/nowhere/"]
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_page_scrolls_sideways_or_complains(new_person, viewport: dict[str, int]) -> None:
    page = new_person("ada", viewport=viewport)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    launch(
        page,
        preset="own",
        generations="3",
        population="20",
        name="A name as long as people like to give " * 2,
    )
    wait_for_status(page, "finished")
    run = page.url
    for address in [run, f"{run}classes/7/", *PAGES]:
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"{address} is {width} pixels wide"
        assert page.locator("h1").count() == 1, address
        assert page.locator("img:not([alt])").count() == 0, address
    assert [text for text in complaints if "404" not in text] == []  # the page that is nowhere


def test_pages_are_dark_at_night(browser: Browser, site: Site) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        page = browser.new_context(base_url=site.url, color_scheme=scheme).new_page()
        page.goto("/")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[scheme] = sum(int(part) for part in re.findall(r"\d+", colour)[:3])
        page.context.close()
    assert brightness["light"] > 600 > 150 > brightness["dark"]


def test_a_run_is_launched_and_looked_at_by_keyboard_alone(new_person) -> None:
    page = new_person("ada")
    page.goto("/runs/launch/")
    page.locator("input[name=preset][value=paper]").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[name=preset][value=quick-look]")).to_be_checked()
    page.locator("[name=seed]").focus()
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    expect(page).to_have_url(RUN_PAGE)
    wait_for_status(page, "finished")
    page.locator("#champion-3 a").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("LeNet says 3")
    page.wait_for_load_state()  # keys are heard once its script has come
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text("LeNet says 4")
    page.wait_for_load_state()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text("LeNet says 3")


def test_the_chart_is_drawn_by_nines_once_the_median_has_one_until_a_person_chooses(new_person) -> None:
    page = new_person("ada")
    launch(page, preset="own", encoding="direct", generations="3", population="20", seed="1")
    wait_for_status(page, "finished")
    expect(page.get_by_label("Even")).to_be_checked()
    launch(page, preset="own", generations="60", population="40", seed="1")
    wait_for_status(page, "finished")
    expect(page.get_by_label("By nines")).to_be_checked()
    expect(page.locator("#legend")).to_contain_text("(right axis)")
    expect(page.locator("#chart .u-axis")).to_have_count(3)
    page.get_by_label("Even").check()
    launch(page, preset="own", generations="3", population="20", seed="2")
    expect(page).to_have_url(RUN_PAGE)
    expect(page.get_by_label("Even")).to_be_checked()


def test_a_page_that_stays_open_knows_how_old_its_run_becomes(new_person) -> None:
    page = new_person("ada")
    launch(page, preset="own", generations="3", population="20", seed="1")
    wait_for_status(page, "finished")
    page.clock.install()
    page.reload()
    page.clock.fast_forward("05:00")
    expect(page.locator("time.age")).to_have_text(re.compile("[56] minutes ago"))
    page.clock.fast_forward("02:00:00")
    expect(page.locator("time.age")).to_have_text("2 hours ago")


def test_an_administrator_finds_the_runs(site: Site, browser: Browser) -> None:
    """The password is shown once, at the first start."""
    line = re.search(r"Administrator: (\S+) / (\S+)", (site.home / "start.log").read_text())
    assert line
    page = browser.new_context(base_url=site.url).new_page()
    page.goto("/admin/")
    page.locator("[name=username]").fill(line.group(1))
    page.locator("[name=password]").fill(line.group(2))
    page.locator("[type=submit]").click()
    page.goto("/admin/runs/run/?q=Demonstration")  # others may have filled the first page
    expect(page.locator("#result_list")).to_contain_text("Demonstration")
    page.context.close()
