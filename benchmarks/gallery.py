"""How long the galleries of a large site take to answer, with SQLite and, where it is installed, PostgreSQL.

An imagined site (`manage.py make_gallery`) is asked for galleries with every filter, many combinations of them, every
order, deep pages, texts, classes: whole requests, with middleware and templates, without the network, in
processor seconds of this process and the database's. 100,000 images
keep `make bench` short; `python -m benchmarks.gallery --champions 1000000` takes a million. With `--home` a site that
was made before is asked.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measurement import Measurement, Target
from benchmarks.postgresql import postgresql_programs, postgresql_server
from bootstrap.environment import PROJECT

CHAMPIONS = 100_000
PROMISED = 150  # milliseconds, for 95 of 100 answers
ORDERS = ("surest", "newest", "best-new", "viewed", "rated", "branched", "random")
FILTERS = (
    "classifier=efficientnet-lite0",
    "classifier=mnist-lenet",
    "encoding=gradient",
    "encoding=direct",
    "method=novelty",
    "branch=dogs",
    "band=13",
    "band=0",
    "recognised=yes",
    "tag=red",
    "person=imagined-1",
    "classifier=efficientnet-lite2&encoding=gradient",
    "classifier=mnist-lenet&method=novelty",  # of which there are none
    "branch=dogs&encoding=direct&band=13",  # of which there are hardly any
    "branch=fish&classifier=efficientnet-lite0&method=novelty&band=5",
    "person=imagined-20&branch=fish",
    "tag=red&branch=dogs",
    "recognised=no&branch=dogs",
    "text=star",
    "text=dogs",
    "text=efficientnet",
    "text=lenet",
    "text=dog+gradient",
    "text=co",
    "text=night+train",
    "text=nothing-is-called-so",
)


def measure_gallery(rounds: int) -> Iterator[Measurement]:
    """Yield how long pages take on an imagined site, in each database that there is."""
    yield from _measured(CHAMPIONS, rounds)


def _measured(champions: int, rounds: int, homes: dict[str, Path] | None = None) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="bench-gallery-") as folder:
        yield from _of_database(
            "SQLite", {}, (homes or {}).get("SQLite", Path(folder, "lite")), champions, rounds
        )
        programs = postgresql_programs()
        if programs is None:
            yield Measurement(f"{champions:,} images, PostgreSQL", [], why_not="no PostgreSQL here")
            return
        with postgresql_server(programs) as url:
            database = {"DATABASE_URL": url}
            yield from _of_database("PostgreSQL", database, Path(folder, "server"), champions, rounds)


def _of_database(
    name: str, database: dict[str, str], home: Path, champions: int, rounds: int
) -> Iterator[Measurement]:
    """Make a site in this database, unless it is there, and yield what its pages take."""
    environment = {**os.environ, **database, "FOOLING_HOME": str(home)}
    if not home.exists():
        _call(
            [str(PROJECT / "manage.py"), "make_gallery", "--champions", str(champions), "--json"], environment
        )
    answer = json.loads(
        _call(["-m", "benchmarks.gallery", "--ask", str(rounds)], environment).splitlines()[-1]
    )
    site = f"{answer['images']:,} images, {name}"
    yield from measurements_of(site, answer["times"])
    yield Measurement(f"{site}: 95 of 100 pages by the clock, ms", _ninety_five(answer["clock"]))


def measurements_of(site: str, times: dict[str, list[float]]) -> Iterator[Measurement]:
    """Yield the median, what 95 of 100 answers stay under, and the slowest page; times are seconds by address."""
    rounds = [[1000 * one for one in taken] for taken in zip(*times.values(), strict=True)]
    yield Measurement(f"{site}: half of all pages, ms", [statistics.median(taken) for taken in rounds])
    yield Measurement(
        f"{site}: 95 of 100 pages, ms", _ninety_five(times), target=Target(PROMISED, at_least=False)
    )
    slowest = max(times, key=lambda address: statistics.median(times[address]))
    yield Measurement(f"{site}: slowest, {slowest}", [1000 * one for one in times[slowest]])


def _ninety_five(times: dict[str, list[float]]) -> list[float]:
    """Return, for each round, the milliseconds that 95 of 100 pages stay under."""
    return [1000 * statistics.quantiles(taken, n=20)[-1] for taken in zip(*times.values(), strict=True)]


def addresses() -> list[str]:
    """Return what is asked for: galleries in every order, deep in them, with every filter, classes, neighbours."""
    from fooling_web.galleries.models import ImageClass
    from fooling_web.runs.models import Run

    run = (
        Run.objects.filter(encoding="cppn").order_by("seed").values_list("pk", "sweep").exclude(sweep=None)[0]
    )
    filters = (*FILTERS, f"run={run[0]}", f"sweep={run[1]}", f"run={run[0]}&branch=dogs")
    classes = list(ImageClass.objects.order_by("pk").values_list("slug", flat=True)[::211])
    return [
        *(f"/gallery/?sort={order}&seed=5" for order in ORDERS),
        *(f"/gallery/?sort={order}&seed=5&page=200" for order in ORDERS),
        *(f"/gallery/?{one}" for one in filters),
        *(
            f"/gallery/?{one}&sort={order}"
            for one in filters[:11]
            for order in ("newest", "viewed", "random&seed=5")
        ),
        *(f"/gallery/?{one}&page={page}" for one in filters[:9] for page in (20, 150)),
        "/gallery/classes/",
        *(f"/gallery/classes/{slug}/" for slug in classes),
        *(f"/gallery/classes/{slug}/?sort=newest&encoding=cppn" for slug in classes),
        *(f"/gallery/neighbours/?at={at}&branch=dogs" for at in (0, 700)),
    ]


def ask(rounds: int) -> dict[str, Any]:
    """Ask the site of this process for every address, round by round; return seconds by address."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "fooling_web.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    from fooling_web.galleries.models import Entry

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # no manifest is needed
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    client, asked, server = Client(headers={"host": "127.0.0.1"}), addresses(), _own_server_process()
    times: dict[str, list[float]] = {address: [] for address in asked}
    clock: dict[str, list[float]] = {address: [] for address in asked}
    for turn in range(rounds + 1):  # the first fills caches that a site at work has filled
        for address in asked:
            begun, begun_by_clock = _seconds_of(server), time.perf_counter()
            status = client.get(address).status_code
            assert status == 200, f"{address} answers {status}"
            if turn:
                clock[address].append(time.perf_counter() - begun_by_clock)
                times[address].append(_seconds_of(server) - begun)
    return {"images": Entry.objects.count(), "times": times, "clock": clock}


def _own_server_process() -> Path | None:
    """Return where the kernel tells of the database server's process that answers us; None with SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return Path("/proc", str(cursor.fetchone()[0]), "schedstat")


def _seconds_of(server: Path | None) -> float:
    """Return the processor's seconds so far, of this process and of the server's that answers it."""
    of_server = int(server.read_text().split()[0]) / 1e9 if server else 0.0
    return time.process_time() + of_server


def _call(arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def main() -> None:
    """Measure as the command line says, or, in a process of its own, ask a site."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument(
        "--champions", type=int, default=CHAMPIONS, help="images of the site (default: 100000)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds over all addresses (default: 3)")
    parser.add_argument("--home", type=Path, help="a site that `make_gallery` made, to be asked with SQLite")
    parser.add_argument("--ask", type=int, metavar="ROUNDS", help="ask the site of FOOLING_HOME; print JSON")
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask(options.ask)))
        return
    from benchmarks.report import print_heading, print_row

    print_heading()
    for measured in _measured(
        options.champions, options.rounds, {"SQLite": options.home} if options.home else None
    ):
        print_row(measured)


if __name__ == "__main__":
    main()
