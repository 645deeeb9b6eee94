"""A Chromium for the browser tests: the machine's own, or one installed on the way.

First choice is a browser on PATH. Else, where root may be had without a password, the distribution's package;
else the build that Playwright downloads, which needs system libraries that only root can add.
"""

import os
import shutil

from bootstrap.environment import PYTHON, VENV
from bootstrap.errors import BootstrapError
from bootstrap.shell import run_quietly, say, succeeds

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TRIAL = (
    "import sys; from playwright.sync_api import sync_playwright as start\n"
    "with start() as playwright: playwright.chromium.launch(executable_path=sys.argv[1] or None).close()"
)
REMEDY = (
    "The browser tests need Chromium, and none could be installed: that takes root and a connection.\n"
    "Run as root one of\n"
    "    apt-get install -y chromium\n"
    f"    {PYTHON} -m playwright install-deps chromium\n"
    "(or put another Chromium on PATH), then: make test"
)


def prepare_chromium() -> str:
    """Return the path of a Chromium that starts, or "" for Playwright's own; install one if need be."""
    for attempt in (_on_path, _from_distribution, _from_playwright):
        path = attempt()
        if path is not None and succeeds([str(PYTHON), "-c", TRIAL, path]):
            return path
    raise BootstrapError(REMEDY)


def _on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _from_distribution() -> str | None:
    as_root = _root_prefix()
    if as_root is None or not shutil.which("apt-get"):
        return None
    say("Installing Chromium for the browser tests (apt-get) ...")
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    try:
        run_quietly([*apt, "update"], VENV / "chromium.log", "apt-get update failed")
        install = [*apt, "install", "-y", "--no-install-recommends", "chromium"]
        run_quietly(install, VENV / "chromium.log", "apt-get could not install chromium")
    except BootstrapError as error:
        say(str(error))
    return _on_path()


def _from_playwright() -> str | None:
    if succeeds([str(PYTHON), "-c", TRIAL, ""]):
        return ""
    say("Installing Chromium for the browser tests (Playwright's build) ...")
    with_libraries = ["--with-deps"] if os.geteuid() == 0 and shutil.which("apt-get") else []
    command = [str(PYTHON), "-m", "playwright", "install", *with_libraries, "chromium"]
    try:
        run_quietly(command, VENV / "chromium.log", "Playwright could not install Chromium")
    except BootstrapError as error:
        say(str(error))
        return None
    return ""


def _root_prefix() -> list[str] | None:
    """Return what makes a command run as root: nothing, sudo, or None where neither can."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None
