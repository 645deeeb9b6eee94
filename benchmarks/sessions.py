"""Two hundred people who take part in a study at once: whether every answer is kept, once, and how soon.

A whole site in a home of its own answers over HTTP, on SQLite and, where its programs are, on PostgreSQL. All come
within a minute; each loads the pictures, thinks before every answer as people do, and sends one in twenty a
second time. Then fifty others are at work when the web process is killed; the supervisor starts it again, and they go
on as browsers do. In the end the database is asked what it holds.

Seconds are the clock's, from sending an answer until the site says that it is stored. The simulated people run on the
same machine as the site, and take their share of it.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.live import served_site
from benchmarks.measurement import Measurement, Target
from benchmarks.participants import Crowd, Person
from benchmarks.postgresql import postgresql_programs, postgresql_server
from bootstrap.environment import PROJECT

PEOPLE, TRIALS = 200, 40
THINKING = 2.0  # seconds that half of the answers take at most
WITHIN = 60.0  # seconds, in which all come; each session lasts longer
KILLED_PEOPLE, KILLED_TRIALS, KILLED_THINKING = 50, 20, 0.5
KILLED_AFTER = 6.0  # seconds after the first came: about the middle
PROMISED = 150  # milliseconds, for 95 of 100 answers
PATIENCE = 180.0  # seconds, until the site has nothing else to do
DATABASES = ("SQLite", "PostgreSQL")


def measure_sessions(rounds: int) -> Iterator[Measurement]:
    """Yield how long answers took to be stored, and how many were lost or stored twice; always of one round."""
    del rounds  # one has 8,000 answers
    for database in DATABASES:
        if database == "PostgreSQL" and postgresql_programs() is None:
            yield Measurement(f"sessions, {database}", [], why_not="no PostgreSQL here")
            continue
        command = [sys.executable, "-m", "benchmarks.sessions", database]
        done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
        yield from _measurements(database, json.loads(done.stdout.splitlines()[-1]))


def _measurements(database: str, told: dict[str, Any]) -> Iterator[Measurement]:
    at_once, killed = told["at once"], told["killed"]
    name = f"{PEOPLE} sessions at once, {database}"
    milliseconds = [seconds * 1000 for seconds in at_once["seconds"]]
    yield Measurement(
        f"{name}: storing an answer, 95 of 100, ms", [_share(milliseconds, 95)], target=_below(PROMISED)
    )
    yield Measurement(f"{name}: storing an answer, half of them, ms", [_share(milliseconds, 50)])
    yield Measurement(f"{name}: storing an answer, 99 of 100, ms", [_share(milliseconds, 99)])
    beginnings = [seconds * 1000 for seconds in at_once["beginnings"]]
    yield Measurement(f"{name}: from consent to the first page, 95 of 100, ms", [_share(beginnings, 95)])
    yield Measurement(f"{name}: answers a second", [at_once["stored"] / at_once["duration"]])
    if at_once["busy"]:
        share = 100 * at_once["busy"] / at_once["duration"]
        yield Measurement(f"{name}: of one processor, the web process took, %", [share])
    yield _none(f"{name}: answers lost or doubled of {at_once['acknowledged']:,}", at_once["lost"])
    yield _none(f"{name}: sessions not finished", at_once["unfinished"])
    name = f"{KILLED_PEOPLE} sessions over a killed web process, {database}"
    yield _none(f"{name}: answers lost or doubled of {killed['acknowledged']:,}", killed["lost"])
    yield _none(f"{name}: sessions not finished", killed["unfinished"])
    yield Measurement(f"{name}: tries in vain meanwhile", [killed["tries"]])


def _share(milliseconds: list[float], percent: int) -> float:
    return statistics.quantiles(milliseconds, n=100)[percent - 1]


def _below(bound: float) -> Target:
    return Target(bound, at_least=False)


def _none(name: str, number: int) -> Measurement:
    return Measurement(name, [number], target=_below(1))


def answer(database: str) -> dict[str, Any]:
    """Serve a site on a database, let people take part, and return what came of it."""
    home = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    os.environ.update(FOOLING_HOME=str(home), DJANGO_SETTINGS_MODULE="fooling_web.settings")
    os.environ.pop("DATABASE_URL", None)
    try:
        with ExitStack() as stack:
            if database == "PostgreSQL":
                programs = postgresql_programs()
                assert programs
                os.environ["DATABASE_URL"] = stack.enter_context(postgresql_server(programs))
            url = stack.enter_context(served_site(home))
            return _measured(home, int(url.rpartition(":")[2]))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _measured(home: Path, port: int) -> dict[str, Any]:
    import django

    django.setup()
    _wait_for_rest()
    at_once = _take_part(home, port, PEOPLE, TRIALS, THINKING, WITHIN)
    killed = _take_part(home, port, KILLED_PEOPLE, KILLED_TRIALS, KILLED_THINKING, 2.0, kills=True)
    return {"at once": at_once, "killed": killed}


def _wait_for_rest() -> None:
    """Wait until the run that a new site shows has ended."""
    from fooling_web.runs.models import Run

    at_work = Run.objects.filter(status__in=(Run.Status.PENDING, Run.Status.QUEUED, Run.Status.RUNNING))
    patient_until = time.monotonic() + PATIENCE
    while at_work.exists() and time.monotonic() < patient_until:
        time.sleep(0.5)


def _take_part(
    home: Path, port: int, n_people: int, n_trials: int, thinking: float, within: float, kills: bool = False
) -> dict[str, Any]:
    """Let people take part in a new study; kill the web process meanwhile, if so wished."""
    from benchmarks.asked_study import counted, opened

    study = opened(n_trials)
    crowd = Crowd([Person(port, study["address"], seed, thinking) for seed in range(n_people)])
    web = web_process(home)
    began, busy = time.perf_counter(), processor_seconds(web)
    crowd.come(within)
    if kills:
        time.sleep(KILLED_AFTER)
        os.kill(web, signal.SIGKILL)
    crowd.wait()
    duration, busy = time.perf_counter() - began, processor_seconds(web_process(home)) - busy
    for error in crowd.errors[:5]:
        print(error, file=sys.stderr)
    return {"duration": duration, "busy": busy, **_held_against(counted(study["study"]), crowd, n_trials)}


def _held_against(held: dict[str, Any], crowd: Crowd, n_trials: int) -> dict[str, Any]:
    """Compare what the database holds with what people were told."""
    stored = {key: set(one["stored"]) for key, one in held.items()}
    lost = sum(
        len(set(person.acknowledged) - stored.get(person.key, set())) for person in crowd.people if person.key
    )
    doubled = sum(len(one["stored"]) - len(set(one["stored"])) for one in held.values())
    complete = [one for one in held.values() if one["is_complete"] and len(one["stored"]) == n_trials]
    return {
        "seconds": crowd.seconds,
        "beginnings": [person.beginning for person in crowd.people if person.key],
        "acknowledged": crowd.n_acknowledged,
        "stored": sum(map(len, stored.values())),
        "lost": lost + doubled,
        "unfinished": len(crowd.people) - len(complete),
        "tries": sum(person.n_tries for person in crowd.people),
    }


def web_process(home: Path) -> int:
    """Return the number of the process that answers a home's pages."""
    control = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(home / "supervisord.conf")]
    told = subprocess.run([*control, "pid", "site:web"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return int(told.stdout)


def processor_seconds(process: int) -> float:
    """Return how long a process has computed so far; 0 where no file tells it, as Linux's does."""
    told = Path(f"/proc/{process}/stat")
    if not told.exists():
        return 0.0
    after_its_name = told.read_text().rpartition(")")[2].split()
    return sum(map(int, after_its_name[11:13])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(json.dumps(answer(sys.argv[1])))
