"""Sessions over the sudden death of the web process: what was acknowledged is there, and everybody goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from benchmarks.participants import Crowd, Person
from tests.browser.conftest import PROJECT
from tests.browser.steps import Site

pytestmark = pytest.mark.browser
PEOPLE, TRIALS = 50, 12


def studied(site: Site, *words: str) -> Any:
    environment = {**os.environ, "FOOLING_HOME": str(site.home)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.asked_study", *words],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_loses_no_answer_when_the_web_process_is_killed(site: Site) -> None:
    study = studied(site, "open", str(TRIALS))
    port = int(site.url.rpartition(":")[2])
    crowd = Crowd([Person(port, study["address"], seed, thinking=0.4) for seed in range(PEOPLE)])
    crowd.come(within=1.0, looks=False)
    while crowd.n_acknowledged < PEOPLE * TRIALS / 3 or not all(
        person.acknowledged for person in crowd.people
    ):
        assert not crowd.errors
        time.sleep(0.05)
    os.kill(site.web_process(), signal.SIGKILL)  # the supervisor starts it again
    acknowledged = {person.key: set(person.acknowledged) for person in crowd.people}
    crowd.wait()

    held = studied(site, "count", study["study"])
    assert not crowd.errors
    assert sum(person.n_tries for person in crowd.people) > 0  # the site was away
    assert len(held) == PEOPLE
    for person in crowd.people:
        stored = held[person.key]["stored"]
        assert acknowledged[person.key] <= set(stored)
        assert stored == person.acknowledged == list(range(TRIALS))
        assert held[person.key]["is_complete"]
        assert person.is_done
