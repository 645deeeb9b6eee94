"""A whole site for browser tests: `make run` in a home of its own, with real workers, broker and database."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.steps import Site

PROJECT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "quiet violet harbour 71"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",  # two more pages beside each that is opened
)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Serve a site until the tests are over."""
    home = Path(tempfile.mkdtemp(prefix="browser-"))
    port = _free_port()
    environment = {**os.environ, "FOOLING_HOME": str(home), "PORT": str(port), "ACTIVE_RUNS_PER_USER": "3"}
    environment["EXAMINATION_SECONDS_A_MINUTE"] = "10000"  # all of these people share one address
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "bootstrap", "run"]
    log = (home / "start.log").open("w+")
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
    try:
        _wait_until(lambda: "Ctrl-C" in (home / "start.log").read_text() or process.poll() is not None, 180)
        assert process.poll() is None, (home / "start.log").read_text()
        yield Site(f"http://127.0.0.1:{port}", home)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Take the Chromium that set-up chose; an empty choice is Playwright's own."""
    chromium = os.environ.get("CHROMIUM", shutil.which("chromium") or shutil.which("google-chrome"))
    chosen = {"executable_path": chromium} if chromium else {}
    return {**browser_type_launch_args, **chosen, "args": list(QUIET)}


@pytest.fixture
def new_person(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Return a way to have another person sign up in a browser of their own; complaints of their pages fail."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def sign_up(name: str, **options: object) -> Page:
        context = browser.new_context(base_url=site.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        unique = f"{name}{time.monotonic_ns() % 10**9}"
        page.goto("/accounts/signup/")
        page.get_by_label("Username").fill(unique)
        page.locator("[name=password1]").fill(PASSWORD)
        page.locator("[name=password2]").fill(PASSWORD)
        page.locator("[name=password2]").press("Enter")
        page.wait_for_url(site.url + "/")
        return page

    yield sign_up
    for context in contexts:
        context.close()
    assert not complaints


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until(happened: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.1)
