"""A family tree of 10,000 pictures: what the server needs to tell it, and when a person sees it.

The server's part is whole requests by the clock, compression included. The browser's part is a visit to a whole site
in a home of its own, from asking for the page until the tree is on the screen; each visit begins with nothing cached.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import sync_playwright

from benchmarks.imagined_family import imagine_family
from benchmarks.live import CHROMIUM_OPTIONS, served_site
from benchmarks.measurement import Measurement, Target

PICTURES = 10_000
WARMING = 2  # visits that are not counted: the first ones fill caches that a site at work has filled
PROMISED_DATA, PROMISED_PAGE = 300, 1000  # milliseconds


def measure_family_tree(rounds: int) -> Iterator[Measurement]:
    """Yield milliseconds of the server and of the browser."""
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    os.environ.update(FOOLING_HOME=str(home), DJANGO_SETTINGS_MODULE="fooling_web.settings")
    try:
        with served_site(home) as url:
            root = _family()
            yield Measurement(
                f"family of {PICTURES:,}: its data, ms",
                _answered(f"{url}/breed/tree/data/?centre={root}", rounds),
                target=Target(PROMISED_DATA, at_least=False),
            )
            for shape in ("linear", "radial"):
                yield Measurement(
                    f"family of {PICTURES:,}: page opened, {shape}, ms",
                    _opened(f"{url}/breed/tree/?centre={root}&shape={shape}", rounds),
                    target=Target(PROMISED_PAGE, at_least=False),
                )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _family() -> str:
    import django

    django.setup()
    root = imagine_family(PICTURES)[0]
    return f"{root.run_id}/{root.number}"


def _answered(address: str, rounds: int) -> list[float]:
    """Return how long the server takes to send the compressed data."""
    times = []
    for _ in range(rounds + WARMING):
        request = Request(address, headers={"Accept-Encoding": "gzip"})  # noqa: S310 - ours
        begun = time.perf_counter()
        with urlopen(request) as answer:  # noqa: S310
            answer.read()
        times.append(1000 * (time.perf_counter() - begun))
    return times[WARMING:]


def _opened(address: str, rounds: int) -> list[float]:
    """Return how long a browser takes until the tree is on the screen, as the page itself tells it."""
    times = []
    chosen = os.environ.get("CHROMIUM", shutil.which("chromium") or shutil.which("google-chrome"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chosen or None, args=CHROMIUM_OPTIONS)
        for _ in range(rounds + WARMING):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.goto(address)
            page.locator("#tree[data-opened]").wait_for()
            times.append(float(page.locator("#tree").get_attribute("data-opened") or 0))
            page.context.close()
        browser.close()
    return times[WARMING:]
