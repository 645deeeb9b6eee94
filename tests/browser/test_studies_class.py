"""A class in browsers: a teacher and two students, from the code on the wall to what came out."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import Site, launch, wait_for_status
from tests.browser.test_accessibility import AXE, complaints_of

pytestmark = pytest.mark.browser
SESSION = re.compile(r"/take/session/[0-9a-f-]{36}/$")
SEAT = re.compile(r"/take/session/[0-9a-f-]{36}/class/$")
CLASS = re.compile(r"/classes/[0-9a-f-]{36}/$")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
Student = Callable[..., Page]


@pytest.fixture
def student(browser: Browser, site: Site) -> Iterator[Student]:
    """Return a way to open another student's browser; complaints of its scripts fail."""
    contexts, complaints = [], []

    def sit(**options: object) -> Page:
        contexts.append(browser.new_context(base_url=site.url, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield sit
    for context in contexts:
        context.close()
    assert not complaints


def run_now(page: Page, seconds: str = "120") -> str:
    """Run a class of ten public images; return its code."""
    for _ in range(60):  # until ten images hang
        page.goto("/classes/")
        page.locator("#now-seconds").fill(seconds)
        page.get_by_role("button", name="Run a class now").click()
        if CLASS.search(page.url):
            return page.locator(".class-code").inner_text()
        if page.get_by_text("were found").count() and page.url.endswith("/classes/"):
            launch(page, preset="quick-look")
            wait_for_status(page, "finished")
    raise AssertionError("there are no ten images with different labels")


def join(page: Page, code: str, nickname: str) -> None:
    page.goto("/join/")
    page.get_by_label("Code on the wall").fill(code.lower())
    page.get_by_label("Nickname").fill(nickname)
    page.get_by_role("button", name="Join").click()
    page.wait_for_url(SEAT)
    expect(page.get_by_role("heading", name="You are in")).to_be_visible()


def answer_all(page: Page) -> None:
    """Go through the session by keyboard, until the seat says that it is done."""
    page.wait_for_url(SESSION)
    page.locator("#session").get_by_role("button", name="Go on").click()
    for _ in range(60):
        if SEAT.search(page.url):
            break
        page.keyboard.press("1")
        page.wait_for_timeout(250)
    expect(page.get_by_role("heading", name="Done. Look at the wall.")).to_be_visible()


def test_a_class_goes_from_the_code_to_the_reveal(new_person: Callable[..., Page], student: Student) -> None:
    teacher = new_person("teacher")
    code = run_now(teacher)
    ada, bea = student(**PHONE), student()
    join(ada, code, "Ada")
    join(bea, code, "Bea")
    expect(teacher.locator(".seat-name")).to_have_text(["Ada", "Bea"])  # by itself

    teacher.get_by_role("button", name="Start").click()
    for one in (ada, bea):
        one.wait_for_url(SESSION)  # by itself
    answer_all(ada)
    expect(teacher.locator(".seat.done .seat-name")).to_have_text(["Ada"])
    answer_all(bea)
    expect(teacher.get_by_text("All are done")).to_be_visible()

    teacher.get_by_role("button", name="Reveal").click()
    expect(teacher.get_by_text("of 20 answers by 2 students")).to_be_visible()
    for one in (ada, bea):
        expect(one.get_by_text("of your 10 answers")).to_be_visible()
    teacher.keyboard.press("ArrowRight")
    expect(teacher.get_by_text("Image 1 of 10")).to_be_visible()
    teacher.keyboard.press("ArrowRight")
    expect(teacher.get_by_text("Image 2 of 10")).to_be_visible()
    teacher.keyboard.press("ArrowLeft")
    expect(teacher.get_by_text("Image 1 of 10")).to_be_visible()


def test_a_late_student_begins_at_once_and_a_reload_goes_on(
    new_person: Callable[..., Page], student: Student
) -> None:
    teacher = new_person("teacher")
    code = run_now(teacher)
    teacher.get_by_role("button", name="Start").click()
    late = student(**PHONE)
    late.goto(f"/join/?code={code}")
    late.get_by_role("button", name="Join").click()
    late.wait_for_url(SESSION)
    late.locator("#session").get_by_role("button", name="Go on").click()
    late.locator("#session img").first.wait_for()
    late.wait_for_timeout(300)  # until keys are heard
    with late.expect_response(re.compile(r"/answers/$")):
        late.keyboard.press("1")
    late.reload()
    answer_all(late)
    teacher.reload()
    expect(teacher.get_by_text("All are done")).to_be_visible()


def test_time_runs_out_for_all(new_person: Callable[..., Page], student: Student) -> None:
    teacher = new_person("teacher")
    code = run_now(teacher, seconds="15")
    slow = student(**PHONE)
    join(slow, code, "Slow")
    teacher.get_by_role("button", name="Start").click()
    slow.wait_for_url(SESSION)
    expect(teacher.get_by_text("Time is up: reveal")).to_be_visible(timeout=25_000)
    expect(slow.get_by_role("heading", name="Time is up.")).to_be_visible(timeout=25_000)
    assert slow.evaluate("document.documentElement.scrollWidth") <= 390


def test_no_page_of_it_shuts_anybody_out(new_person: Callable[..., Page]) -> None:
    page = new_person("teacher", **DARK)
    page.add_init_script(path=AXE)
    run_now(page)
    pages = ["/play/", "/join/", "/classes/", page.url]
    page.goto("/play/")
    page.get_by_role("button", name="Begin").click()
    pages.append(page.url)

    assert [complaint for address in pages for complaint in complaints_of(page, address)] == []
