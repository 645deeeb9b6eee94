"""Live pages: they lose nothing when they are reloaded, cut off, or closed to a stranger."""

import os
import re
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import RUN_PAGE, Site, launch, status_of, wait_for_status

pytestmark = pytest.mark.browser

LONG = {"preset": "own", "generations": "4000", "population": "200"}
PATIENCE = 60  # seconds, until each of two runs has had its turn


def generation_on(page: Page) -> int:
    text = page.locator("#progress .generation").inner_text()
    found = re.search(r"generation ([\d,]+) of", text)
    return int(found.group(1).replace(",", "")) if found else -1


def test_a_page_that_lost_its_site_for_a_while_catches_up(new_person, site: Site) -> None:
    page = new_person("ada")
    launch(page, **{**LONG, "generations": "600"}, seed="4")
    page.locator("#progress[data-status=running]").wait_for(timeout=30_000)
    page.evaluate("window.wasNeverReloaded = true")
    os.kill(site.web_process(), signal.SIGKILL)  # the supervisor starts it again
    expect(page.locator("#connection")).to_be_visible(timeout=10_000)
    wait_for_status(page, "finished", 90)
    assert page.evaluate("window.wasNeverReloaded")
    expect(page.locator("[data-series=generation]")).to_have_text("600")
    shown = page.locator(".wall .champion img").evaluate_all("images => images.map(image => image.src)")
    page.reload()
    assert shown == page.locator(".wall .champion img").evaluate_all(
        "images => images.map(image => image.src)"
    )


def test_pause_resume_and_cancel_act_within_two_seconds(new_person) -> None:
    page = new_person("ada")
    launch(page, **LONG, seed="5")
    wait_for_status(page, "running")
    page.get_by_role("button", name="Pause").click()
    wait_for_status(page, "paused", 2)
    expect(page.locator("#progress .caption")).to_have_text(
        "Everything found so far is kept."
    )  # once its worker let go
    stopped = generation_on(page)
    page.wait_for_timeout(2500)
    assert generation_on(page) == stopped
    page.get_by_role("button", name="Resume").click()
    wait_for_status(page, "running", 10)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    wait_for_status(page, "cancelled", 2)
    page.wait_for_timeout(1500)
    stopped = generation_on(page)
    page.wait_for_timeout(2500)
    assert generation_on(page) == stopped > 0


def test_the_focus_stays_with_the_controls(new_person) -> None:
    page = new_person("ada")
    page.on("dialog", lambda dialog: dialog.accept())
    launch(page, **LONG, seed="8")
    wait_for_status(page, "running", 30)
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_status(page, "cancelled", 5)
    expect(page.get_by_role("link", name="Clone with changed settings")).to_be_focused()


@pytest.mark.parametrize("connected", [True, False], ids=["by-socket", "by-asking"])
def test_a_watcher_is_told_when_a_run_becomes_private(new_person, connected: bool) -> None:
    alice, bob = new_person("alice"), new_person("bob")
    alice.on("dialog", lambda dialog: dialog.accept())
    launch(alice, **LONG, seed="90917")
    expect(alice).to_have_url(RUN_PAGE)
    address = alice.url
    if not connected:
        bob.route_web_socket(re.compile("/ws/"), lambda socket: socket.close(code=1013))
    bob.goto(address)
    wait_for_status(bob, "running", 30)
    alice.get_by_role("link", name="Edit").click()
    alice.locator("[name=visibility][value=private]").check()
    alice.get_by_role("button", name="Save").click()
    expect(alice.locator(".message.success")).to_have_text("Saved.")
    expect(bob.locator("#connection")).to_have_text(
        re.compile("can no longer be seen here: it was deleted, made private, or you signed out")
    )
    expect(bob.locator("#connection-lost")).to_be_hidden()
    bob.locator("#connection").get_by_role("link", name="See the runs").click()
    expect(bob.locator("main")).not_to_contain_text("seed 90917")
    wait_for_status(alice, "running")
    expect(alice.locator("#connection")).to_be_hidden()
    alice.get_by_role("button", name="Cancel").click()
    wait_for_status(alice, "cancelled", 5)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_what_is_new_is_framed_and_said_so(new_person, motion: str) -> None:
    page = new_person("ada", reduced_motion=motion)
    page.on("dialog", lambda dialog: dialog.accept())
    launch(page, **LONG, seed="10")
    expect(page).to_have_url(RUN_PAGE)
    page.wait_for_function(
        """() => [...document.querySelectorAll(".champion.is-new")].some(champion =>
            getComputedStyle(champion.querySelector(".new")).visibility === "visible"
            && getComputedStyle(champion.querySelector(".evolved")).boxShadow !== "none")"""
    )
    page.get_by_role("button", name="Cancel").click()
    wait_for_status(page, "cancelled", 5)
    for word in page.locator(".champion .new").all():
        expect(word).to_be_hidden()


def test_two_runs_at_once_both_advance(new_person) -> None:
    first = new_person("ada")
    launch(first, **LONG, seed="6")
    expect(first).to_have_url(RUN_PAGE)
    second = first.context.new_page()
    launch(second, **LONG, seed="7")
    for page in (first, second):
        wait_for_status(page, "running", 30)
    before = generation_on(first), generation_on(second)
    for _ in range(PATIENCE):
        first.wait_for_timeout(1000)
        now = generation_on(first), generation_on(second)
        if now[0] > before[0] and now[1] > before[1]:
            break
    assert now[0] > before[0]
    assert now[1] > before[1]
    for page in (first, second):
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Cancel").click()
        wait_for_status(page, "cancelled", 5)


def test_a_private_run_is_invisible_to_a_stranger_on_the_socket_too(
    new_person, browser: Browser, site: Site
) -> None:
    page = new_person("ada")
    launch(page, preset="own", generations="3", population="20", visibility="private", name="Secret")
    wait_for_status(page, "finished")
    address = page.url
    stranger = new_person("charlie")
    assert stranger.goto(address).status == 404
    socket = "ws" + site.url.removeprefix("http") + "/ws" + address.removeprefix(site.url)
    outcome = stranger.evaluate(
        """address => new Promise(resolve => {
            const heard = [], socket = new WebSocket(address);
            socket.onmessage = event => heard.push(event.data);
            socket.onclose = event => resolve({code: event.code, heard});
        })""",
        socket,
    )
    assert outcome == {"code": 4404, "heard": []}
    stranger.goto("/runs/")
    expect(stranger.locator("main")).not_to_contain_text("Secret")


def test_a_run_page_tells_its_story_without_javascript(new_person, browser: Browser, site: Site) -> None:
    page = new_person("ada")
    launch(page, preset="own", generations="3", population="20", name="Plain")
    wait_for_status(page, "finished")
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(page.url)
    expect(plain.locator(".wall .champion img")).to_have_count(10)
    assert status_of(plain) == "finished"
    plain.context.close()
