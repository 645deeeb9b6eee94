"""What browser tests do again and again."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page

RUN_PAGE = re.compile(r"/runs/[0-9a-f-]{36}/$")


@dataclass(frozen=True)
class Site:
    """A running site."""

    url: str
    home: Path

    def web_process(self) -> int:
        """Return the number of the process that serves pages."""
        control = [sys.executable, "-m", "supervisor.supervisorctl", "-c", self.home / "supervisord.conf"]
        answer = subprocess.run([*control, "pid", "site:web"], capture_output=True, text=True, check=True)
        return int(answer.stdout)


def told(message: ConsoleMessage) -> str:
    """Return what a browser's console says, with the address that it is about."""
    return f"{message.text} {message.location['url']}"


def launch(page: Page, **choices: str) -> None:
    """Fill the launch form: radio groups by value, other fields by text; and press Launch."""
    page.goto("/runs/launch/")
    for name, value in choices.items():
        radio = page.locator(f"input[type=radio][name={name}][value='{value}']")
        if radio.count():
            radio.check()
        else:
            page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Launch", exact=True).click()


def status_of(page: Page) -> str:
    """Return the run's status as its page shows it."""
    return page.locator("#progress").get_attribute("data-status") or ""


def wait_for_status(page: Page, status: str, seconds: float = 60) -> None:
    """Wait until the page, by itself, shows a status, and has loaded with its scripts."""
    page.locator(f"#progress[data-status={status}]").wait_for(timeout=seconds * 1000)
    page.wait_for_load_state("load")
