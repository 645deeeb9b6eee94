"""A session in a browser: by keyboard, by touch, without connection, over a reload, and its reaction times."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PROJECT
from tests.browser.steps import Site
from tests.browser.test_accessibility import AXE, GRAVE

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Presses a key so many ms after the picture of a trial was shown, or a little later where the page was busy, and
# notes by the page's clock when it did.
SCRIPTED = """
(delays) => {
  window.pressed = {};
  const watch = new MutationObserver(() => {
    const stage = document.querySelector("[data-shown]");
    const number = stage && Number(stage.dataset.shown);
    if (number === null || number in window.pressed || !(number in delays)) return;
    window.pressed[number] = null;
    const began = performance.now();
    const press = () => {
      if (performance.now() < began + delays[number]) return setTimeout(press, 0);
      const event = new KeyboardEvent("keydown", { key: "1", bubbles: true });
      window.pressed[number] = { at: event.timeStamp, began };
      sessionStorage.setItem("pressed", JSON.stringify(window.pressed)); // which the next page can read
      document.body.dispatchEvent(event);
    };
    setTimeout(press, Math.max(0, delays[number] - 30));
  });
  watch.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-shown"] });
}
"""


@pytest.fixture(scope="module")
def beside(site: Site) -> Iterator[Callable[..., Any]]:
    """A process beside the site's that stores studies in it and tells what they hold."""
    command = [sys.executable, "-m", "tests.studies.ask"]
    environment = {**os.environ, "FOOLING_HOME": str(site.home)}
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=PROJECT, env=environment, **pipes) as program:

        def answer(**wanted: Any) -> Any:
            program.stdin.write(json.dumps(wanted) + "\n")
            program.stdin.flush()
            return json.loads(program.stdout.readline())

        yield answer
        program.stdin.close()


@pytest.fixture
def ask(beside: Callable[..., Any]) -> Callable[..., Any]:
    """Return a way to have a study opened."""
    return lambda **choices: beside(ask=choices)


@pytest.fixture
def stored(beside: Callable[..., Any]) -> Callable[..., Any]:
    """Return a way to read what a study holds."""
    return lambda study: beside(stored=study["id"])


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Any:
    """Return a way to open a browser without account; whatever its pages complain of fails."""
    contexts: list[BrowserContext] = []
    heard: list[str] = []

    def open_one(**options: Any) -> Page:
        context = browser.new_context(base_url=site.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on(
            "console",
            lambda message: heard.append(message.text) if "Content Security" in message.text else None,
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not heard


def answers_of(page: Page, stored: Any, study: Any, count: int) -> Any:
    """Return the first person's answers once there are so many, as a session goes on while one is sent."""
    for _ in range(100):
        answers = stored(study)[0]["answers"]
        if len(answers) >= count:
            break
        page.wait_for_timeout(100)
    return answers


def begin(page: Page, study: Any) -> None:
    page.goto(study["take"])
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Go on").click()


def wait_for_trial(page: Page, number: int) -> None:
    page.locator(f"[data-shown='{number}']").wait_for()


def test_goes_from_the_link_to_the_end_by_keyboard(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=6), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    page.keyboard.press("2")
    expect(page.get_by_text("counts as right")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Practice is over")).to_be_visible()
    page.keyboard.press("Enter")
    for number in range(1, 9):
        wait_for_trial(page, number)
        page.keyboard.press("1" if number % 2 else "ArrowRight")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    (person,) = stored(study)
    assert person["complete"]
    assert [one["response__answer"] for one in person["answers"]] == [
        1,
        *(0 if n % 2 else 1 for n in range(1, 9)),
    ]
    assert {one["response__by"] for one in person["answers"]} == {"key"}
    assert person["browser"]["frame_ms"] > 1


def test_is_read_by_everybody(visitor: Any, ask: Any) -> None:
    study, page = ask(count=6), visitor(color_scheme="dark")
    page.add_init_script(path=AXE)
    for step in ("take", "instructions", "trial"):
        if step == "take":
            page.goto(study["take"])
        elif step == "instructions":
            page.get_by_label("I have read this").check()
            page.get_by_role("button", name="Begin").click()
            page.get_by_role("button", name="Go on").wait_for()
        else:
            page.get_by_role("button", name="Go on").click()
            wait_for_trial(page, 0)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        assert not [one["id"] for one in found if one["impact"] in GRAVE]


def test_goes_on_after_a_reload_and_by_the_link(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=6, practice=0), visitor()
    begin(page, study)
    for number in range(3):
        wait_for_trial(page, number)
        page.keyboard.press("1")
    wait_for_trial(page, 3)
    page.reload()
    page.get_by_role("button", name="Go on").click()
    wait_for_trial(page, 3)
    page.keyboard.press("1")
    wait_for_trial(page, 4)
    page.goto(study["take"])
    page.get_by_role("button", name="Go on").click()
    for number in range(4, 8):
        wait_for_trial(page, number)
        page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    (person,) = stored(study)
    assert len(person["answers"]) == person["n_trials"] == 8
    assert person["reloads"] == 2


def test_goes_on_in_two_windows_of_one_session(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=6, practice=0), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    other = page.context.new_page()
    other.goto(study["take"])
    other.get_by_role("button", name="Go on").click()
    for number in range(4):
        wait_for_trial(other, number)
        other.keyboard.press("1")
    wait_for_trial(other, 4)
    page.bring_to_front()
    page.keyboard.press("2")  # to the first trial, which the other window has answered
    expect(page.get_by_text("Trial 1 was answered already, and the first answer stands.")).to_be_visible()
    page.get_by_role("button", name="Go on where it stands").click()
    page.get_by_role("button", name="Go on", exact=True).click()
    for number in range(4, 8):
        wait_for_trial(page, number)
        page.keyboard.press("2")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    answers = stored(study)[0]["answers"]
    assert [one["response__answer"] for one in answers] == [0] * 4 + [1] * 4


def test_bridges_a_lost_connection(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=6, practice=0), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    page.context.set_offline(True)
    for number in range(5):
        wait_for_trial(page, number)
        page.keyboard.press("1")
    expect(page.get_by_text("The connection is away")).to_be_visible()
    assert stored(study)[0]["answers"] == []
    page.context.set_offline(False)
    expect(page.get_by_text("The connection is away")).to_be_hidden(timeout=20_000)
    for number in range(5, 8):
        wait_for_trial(page, number)
        page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    assert [one["number"] for one in stored(study)[0]["answers"]] == list(range(8))


def test_keeps_what_was_answered_where_the_pages_token_is_worth_nothing(
    visitor: Any, ask: Any, stored: Any
) -> None:
    study, page = ask(count=6, practice=0), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    page.context.clear_cookies(name="csrftoken")
    page.keyboard.press("1")
    expect(page.get_by_text("Load it again")).to_be_visible()
    assert stored(study)[0]["answers"] == []
    page.get_by_role("button", name="Go on where it stands").click()
    page.get_by_role("button", name="Go on", exact=True).click()
    wait_for_trial(page, 1)

    assert [one["number"] for one in answers_of(page, stored, study, 1)] == [0]


def test_keeps_what_was_answered_without_connection_over_a_reload(
    visitor: Any, ask: Any, stored: Any
) -> None:
    study, page = ask(count=6, practice=0), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    page.context.set_offline(True)
    for number in range(3):
        wait_for_trial(page, number)
        page.keyboard.press("1")
    wait_for_trial(page, 3)
    page.context.set_offline(False)
    page.reload()
    page.get_by_role("button", name="Go on").click()
    wait_for_trial(page, 3)

    assert [one["number"] for one in answers_of(page, stored, study, 3)] == [0, 1, 2]


@pytest.mark.parametrize(
    "kept",
    [
        "no json",
        '{"number": 0}',
        '[{"number": 7, "answer": 0, "rt_ms": 5}]',
        '[{"number": 0, "answer": 99, "rt_ms": 5}]',
    ],
)
def test_keeps_sound_whatever_the_storage_holds(visitor: Any, ask: Any, stored: Any, kept: str) -> None:
    study, page = ask(count=6, practice=0), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    page.evaluate(
        "(kept) => localStorage.setItem('answers ' + location.pathname.split('/').at(-2), kept)", kept
    )
    page.reload()
    if "99" in kept:
        expect(page.get_by_text("There is no option 100")).to_be_visible()
        page.get_by_role("button", name="Go on where it stands").click()
    page.get_by_role("button", name="Go on", exact=True).click()
    wait_for_trial(page, 0)

    assert stored(study)[0]["answers"] == []


def test_records_reaction_times_within_20_ms(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=10, practice=0, catch=1), visitor()
    delays = {number: 180 + 97 * number for number in range(12)}
    page.goto(study["take"])
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Go on").wait_for()
    page.evaluate(SCRIPTED, delays)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible(timeout=60_000)
    pressed = page.evaluate("JSON.parse(sessionStorage.getItem('pressed'))")
    true = {int(number): press["at"] - press["began"] for number, press in pressed.items()}
    assert all(time >= delays[number] for number, time in true.items())

    (person,) = stored(study)
    recorded = {one["number"]: one["response__rt_ms"] for one in person["answers"]}
    assert set(recorded) == set(delays)
    assert not {
        number: (time, true[number]) for number, time in recorded.items() if abs(time - true[number]) > 20
    }


def test_shows_an_image_for_its_time_and_takes_no_answer_after_the_window(
    visitor: Any, ask: Any, stored: Any
) -> None:
    timing = {"fixation_ms": 100, "exposure_ms": 200, "mask_ms": 100, "window_ms": 700}
    study, page = ask(count=6, practice=0, n_options=8, timing=timing), visitor()
    begin(page, study)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible(timeout=30_000)

    (person,) = stored(study)
    assert len(person["answers"]) == 8
    assert {one["response__answer"] for one in person["answers"]} == {None}
    assert all(abs(one["response__shown_ms"] - 200) < 40 for one in person["answers"])


def test_is_done_by_touch_on_a_phone(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=6, practice=0, task="pick-image", n_options=4), visitor(**PHONE)
    page.goto(study["take"])
    page.get_by_label("I have read this").tap()
    page.get_by_role("button", name="Begin").tap()
    page.get_by_role("button", name="Go on").tap()
    for number in range(8):
        wait_for_trial(page, number)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.locator("[data-place='2']").tap()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    (person,) = stored(study)
    assert {one["response__by"] for one in person["answers"]} == {"touch"}
    assert {one["response__width"] for one in person["answers"]} == {390}


def test_begins_once_at_a_double_click(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=6), visitor()
    page.goto(study["take"])
    page.get_by_label("I have read this").check()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    page.get_by_role("button", name="Begin").evaluate(
        "button => { button.click(); setTimeout(() => button.click(), 20) }"
    )
    expect(page.get_by_role("heading", name="What you do")).to_be_visible()

    assert sum(one.startswith("POST") and study["take"] in one for one in sent) == 1
    assert len(stored(study)) == 1


def test_takes_names_and_how_sure_one_is(visitor: Any, ask: Any, stored: Any) -> None:
    study = ask(count=6, practice=0, task="name-then-choose", asks_confidence=True)
    page = visitor()
    begin(page, study)
    for number in range(8):
        expect(page.locator("[data-part=image]")).to_be_visible()
        page.locator("#own-name").fill(f"thing {number}" if number < 7 else " ")
        page.locator("#own-name").press("Enter")
        if number == 7:
            expect(page.get_by_text("Nothing comes to mind?")).to_be_visible()
            page.locator("#own-name").press("Enter")
        wait_for_trial(page, number)
        page.keyboard.press("1")
        page.locator("#sureness").press("End")
        page.locator("#sureness").press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    answers = stored(study)[0]["answers"]
    assert [one["response__name"] for one in answers] == [*(f"thing {number}" for number in range(7)), ""]
    assert {one["response__sureness"] for one in answers} == {100}


def test_finds_one_of_many_labels_by_typing(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=12, practice=0, n_options=12), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    page.keyboard.press("c")

    wait_for_trial(page, 1)
    assert answers_of(page, stored, study, 1)[0]["response__answer"] == 11  # 1 to 9, a, b, c


def test_deletes_everything_at_a_word(visitor: Any, ask: Any, stored: Any) -> None:
    study, page = ask(count=6, practice=0), visitor()
    begin(page, study)
    wait_for_trial(page, 0)
    page.keyboard.press("1")
    wait_for_trial(page, 1)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Withdraw and delete").click()

    expect(page.get_by_role("heading", name="Your answers are deleted")).to_be_visible()
    assert stored(study) == []


def test_is_nobody_elses(visitor: Any, ask: Any) -> None:
    study, page, other = ask(count=6, practice=0), visitor(), visitor()
    begin(page, study)
    wait_for_trial(page, 0)

    answer = other.goto(page.url)
    assert answer is not None
    assert answer.status == 404
