"""What a site feels of an export: memory of the process that packs, and whether pages are answered as quickly.

A whole site in a home of its own holds an imagined run of 1,000 classes (`packing`). Three of its pages are asked
over HTTP, in turn, while nothing else is done and while its worker has the run packed with everything, pictures of
256 x 256 and all. Both are done in each round, so that a machine whose speed wanders changes both. Seconds are the
clock's; whoever asks runs on the same machine. Idle is a process of the site with its drawing kernels loaded, as
workers are; what the packing process holds above one that has found nothing to do is told as well.
"""

import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.live import served_site
from benchmarks.measurement import Measurement, Target
from benchmarks.packing import MEGABYTES
from bootstrap.environment import PROJECT

MOST_ROUNDS = 3
ASKED_BEFORE = 6.0  # seconds
PAUSE = 0.01  # seconds between two pages, as the site is not meant to be under load
AS_QUICKLY = 1.25  # times: what people do not notice, and what clocks wander anyway
PATIENCE = 600.0  # seconds
PACKER = [sys.executable, "manage.py", "work_on_files", "out"]
LOADING = "from fooling_web.runs.pictures import warm_up; warm_up()"
KERNELS = [sys.executable, "manage.py", "shell", "--no-imports", "--command", LOADING]


def measure_exporting(rounds: int) -> Iterator[Measurement]:
    """Yield memory, pace and the answers' times during an export beside those before."""
    command = [sys.executable, "-m", "benchmarks.exporting", str(min(rounds, MOST_ROUNDS))]
    done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    told: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])

    def each(name: str) -> list[float]:
        return [one[name] for one in told]

    yield Measurement(
        "export on a site: packing process, MB above idle", each("megabytes"), target=_below(MEGABYTES)
    )
    yield Measurement(
        "export on a site: the same above a process that found nothing to do, MB", each("above bare")
    )
    yield Measurement(
        "export on a site: pictures a minute by the clock, start of the process and all",
        each("pictures a minute"),
    )
    yield Measurement("pages before an export: half of them, ms", each("before"), "{:.1f}")
    yield Measurement("pages during an export: half of them, ms", each("during"), "{:.1f}")
    yield Measurement("pages before an export: 95 of 100, ms", each("before, most"), "{:.1f}")
    yield Measurement("pages during an export: 95 of 100, ms", each("during, most"), "{:.1f}")
    yield Measurement(
        "pages during an export, beside before: half of them, times",
        each("times"),
        "{:.2f}",
        _below(AS_QUICKLY),
    )


def _below(bound: float) -> Target:
    return Target(bound, at_least=False)


def answer(rounds: int) -> list[dict[str, float]]:
    """Serve a site, have it export, and return what was seen in each round."""
    home = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    os.environ.pop("DATABASE_URL", None)
    os.environ.update(
        FOOLING_HOME=str(home),
        FOOLING_GALLERY=str(home / "none"),
        DJANGO_SETTINGS_MODULE="fooling_web.settings",
    )
    try:
        with served_site(home) as url:
            command = [sys.executable, "-m", "benchmarks.packing", "imagine", "cppn"]
            done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
            import django

            django.setup()
            _wait_for_rest()
            number = json.loads(done.stdout.splitlines()[-1])
            return [_round(url, number) for _ in range(rounds)]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_for_rest() -> None:
    """Wait until the run that a new site shows has ended."""
    from fooling_web.runs.models import Run

    _wait(lambda: not Run.objects.filter(status__in=Run.ACTIVE).exists(), 0.5)


def _wait(is_so: Callable[[], bool], every: float) -> None:
    patient_until = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > patient_until:
            sys.exit("the site is not done, so nothing was measured")
        time.sleep(every)


def _round(url: str, number: str) -> dict[str, float]:
    from fooling_web.exports.archive_files import order_archives
    from fooling_web.exports.models import ExportJob
    from fooling_web.exports.packing import Choices
    from fooling_web.exports.tasks import ask_to_export
    from fooling_web.runs.models import Run
    from fooling_web.users.models import User

    idle, bare = _most(KERNELS), _most(PACKER)
    pages = ("/runs/", "/gallery/", f"/runs/{number}/")
    _asked(url, pages, lambda seconds: seconds < 1)  # so that caches are as full before as during
    before = _asked(url, pages, lambda seconds: seconds < ASKED_BEFORE)
    run = Run.objects.get(pk=number)
    owner, _ = User.objects.get_or_create(username="bench", defaults={"is_superuser": True, "is_staff": True})
    began = time.monotonic()
    job = order_archives(owner, [run], Choices(pictures=256))
    ask_to_export(job)
    packer = _Packer()

    def goes_on(seconds: float) -> bool:
        packer.look()
        job.refresh_from_db(fields=["status", "error"])
        return job.is_unfinished and seconds < PATIENCE

    during = _asked(url, pages, goes_on)
    seconds = time.monotonic() - began
    if job.status != ExportJob.Status.FINISHED:
        sys.exit(f"the export ended as {job.status}: {job.error}")
    _wait(packer.is_gone, 0.1)
    return {
        "above bare": packer.peak - bare,
        "megabytes": packer.peak - idle,
        "pictures a minute": run.champions.count() / seconds * 60,
        "before": statistics.median(before),
        "during": statistics.median(during),
        "before, most": statistics.quantiles(before, n=20)[-1],
        "during, most": statistics.quantiles(during, n=20)[-1],
        "times": statistics.median(during) / statistics.median(before),
    }


def _asked(url: str, pages: tuple[str, ...], goes_on: Callable[[float], bool]) -> list[float]:
    """Ask pages in turn, and return the milliseconds of each answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    began, found = time.monotonic(), list[float]()
    while goes_on(time.monotonic() - began):
        for page in pages:
            asked_at = time.perf_counter()
            connection.request("GET", page)
            response = connection.getresponse()
            response.read()
            found.append((time.perf_counter() - asked_at) * 1000)
            if response.status != 200:
                sys.exit(f"{page} answered {response.status}")
            time.sleep(PAUSE)
    connection.close()
    return found


def _most(command: list[str]) -> float:
    """Return the most megabytes that a process holds."""
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return used.ru_maxrss / 1024


class _Packer:
    """The site's process that packs, as far as it was seen."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._status: Path | None = None

    def look(self) -> None:
        """Look how much it held at most until now."""
        if self._status is None:
            self._status = next(_packers(), None)
        with suppress(OSError, AttributeError, TypeError):
            peak = re.findall(r"VmHWM:\s+(\d+)", self._status.read_text())  # type: ignore[union-attr]
            self.peak = max(self.peak, *(int(kilobytes) / 1024 for kilobytes in peak))

    def is_gone(self) -> bool:
        """Whether it has ended."""
        self.look()
        return next(_packers(), None) is None


def _packers() -> Iterator[Path]:
    """Yield the status of each process that packs for this site."""
    home = os.environ["FOOLING_HOME"].encode()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            words = (status.parent / "cmdline").read_bytes().split(b"\0")
            environment: Any = (status.parent / "environ").read_bytes()
            if b"work_on_files" in words and b"out" in words and home in environment:
                yield status


if __name__ == "__main__":
    print(json.dumps(answer(int(sys.argv[1]))))
