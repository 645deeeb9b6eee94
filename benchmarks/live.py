"""What a person sees of a run, on a whole site in a home of its own, in seconds of the clock.

A browser signs up and launches the paper's MNIST run; measured are the time from pressing Launch until the page
says "finished", the delay from a takeover in the worker to its picture on the screen, and the worker's memory.

A takeover's moment is the run's start plus the computing time up to its generation. Time between two slices is not
in that sum, so takeovers seem a little earlier than they were and delays a little longer.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.measurement import Measurement, Target
from bootstrap.environment import PROJECT

MOST_ROUNDS = 3
PASSWORD = "quiet violet harbour 71"  # noqa: S105 - of an account that lives for a minute
CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

Round = tuple[str, list[Any], float]  # a run, what its page showed when, seconds from Launch to finished

WATCH = """() => {
    window.seen = [];
    const note = figure => {
        const image = figure.querySelector("img");
        const generation = Number(figure.querySelector(".generation").textContent.replace(/\\D/g, ""));
        const shown = () => requestAnimationFrame(() => window.seen.push(
            [Number(figure.id.split("-")[1]), generation, Date.now() / 1000]));
        image.complete ? shown() : image.addEventListener("load", shown);
    };
    const noteAll = changes => changes.flatMap(change => [...change.addedNodes])
        .filter(node => node.matches?.(".champion")).forEach(note);
    new MutationObserver(noteAll).observe(document.querySelector(".wall"), {childList: true});
}"""


def measure_live(rounds: int) -> Iterator[Measurement]:
    """Yield how long a person waits, and the worker's memory."""
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    os.environ.update(FOOLING_HOME=str(home), DJANGO_SETTINGS_MODULE="fooling_web.settings")
    try:
        with served_site(home) as url:
            watched = [*_watch_runs(url, min(rounds, MOST_ROUNDS))]
            memory = _peak_memory(home)
        yield from _measurements(watched, memory)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _measurements(rounds: list[Round], memory: float) -> Iterator[Measurement]:
    launches = [seconds for _, _, seconds in rounds]
    delays = [delay for run_id, seen, _ in rounds for delay in _delays(run_id, seen)]
    yield Measurement("Launch pressed to finished on the page, s", launches, "{:.1f}", _below(15))
    yield Measurement("takeover in the worker to picture on screen, s", delays, "{:.2f}", _below(1.2))
    if memory:
        yield Measurement("peak memory of the worker's largest process, MB", [memory], target=_below(700))


def _below(bound: float) -> Target:
    return Target(bound, at_least=False)


@contextmanager
def served_site(home: Path) -> Iterator[str]:
    """Serve a site for as long as it is measured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (home / "start.log").open("w")
    command = [sys.executable, "-m", "bootstrap", "run"]
    environment = {**os.environ, "PORT": str(port)}
    site = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)  # noqa: S603 - ours
    try:
        while "Ctrl-C" not in (home / "start.log").read_text():
            if site.poll() is not None:
                sys.exit((home / "start.log").read_text())
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        site.send_signal(signal.SIGINT)
        site.wait()


def _watch_runs(url: str, rounds: int) -> Iterator[Round]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        page = browser.new_page(base_url=url)
        _sign_up(page)
        _wait_for_warm_worker(page)
        for seed in range(1, rounds + 1):
            yield _watch_run(page, seed)
        browser.close()


def _sign_up(page: Page) -> None:
    page.goto("/accounts/signup/")
    page.locator("[name=username]").fill("bench")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.locator("[name=password2]").press("Enter")
    page.wait_for_url(re.compile("/$"))


def _wait_for_warm_worker(page: Page) -> None:
    """The demonstration run has ended."""
    page.goto("/runs/")
    page.get_by_role("link", name="Demonstration").first.click()
    page.locator("#progress[data-status=finished]").wait_for(timeout=300_000)


def _watch_run(page: Page, seed: int) -> Round:
    page.goto("/runs/launch/")
    page.locator("[name=seed]").fill(str(seed))
    start = time.monotonic()
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url(re.compile("/runs/[0-9a-f-]{36}/$"))
    page.evaluate(WATCH)
    page.locator("#progress[data-status=finished]").wait_for(timeout=300_000)
    seconds = time.monotonic() - start
    page.wait_for_timeout(1000)
    return page.url.rstrip("/").rpartition("/")[2], page.evaluate("window.seen"), seconds


def _delays(run_id: str, seen: list[Any]) -> list[float]:
    """Return the seconds from each takeover that was shown to its picture."""
    import django

    django.setup()
    from fooling_web.runs.models import Run

    run = Run.objects.get(pk=run_id)
    assert run.started_at is not None
    computed = dict(run.statistics.values_list("generation", "seconds"))
    start = run.started_at.timestamp()
    return [moment - start - computed[generation] for _, generation, moment in seen]


def _peak_memory(home: Path) -> float:
    """Return the most memory, in MB, that any process of the runs' worker has had (Linux)."""
    peaks = [0.0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            words = (status.parent / "cmdline").read_bytes().split(b"\0")
            environment = (status.parent / "environ").read_bytes()
            if b"runs@%h" in words and str(home).encode() in environment:
                peaks.append(int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1024)
        except (OSError, IndexError):
            continue  # it ended meanwhile
    return max(peaks)
