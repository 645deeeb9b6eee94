"""The settings and `manage.py` where the surroundings are not as wished, each in a process of its own."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from django.urls import reverse

from fooling_web.home import made_private
from fooling_web.users.models import User
from tests.services import PROJECT, new_home

SIGN_IN = """
from django.test import Client
from fooling_web.users.models import User
User.objects.create_user("alice", password="seven stripes")
fields = {"login": "alice", "password": "seven stripes"}
answer = Client(headers={"host": "localhost"}).post("/accounts/login/", fields)
print(answer.status_code, answer["Location"])
"""


def manage(*words: str, python: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    """Call manage.py in a home of its own, with which no Valkey runs."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, *python, "manage.py", *words],
        cwd=PROJECT,
        env={**inherited, "FOOLING_HOME": str(new_home()), **environment},
        capture_output=True,
        text=True,
    )


def setting(expression: str, **environment: str) -> str:
    """Return what a setting comes to in these surroundings."""
    told = manage(
        "shell", "-v", "0", "-c", f"from django.conf import settings; print({expression})", **environment
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def mode_of(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"FOOLING_HOME": "/proc/1"}, "/proc/1 cannot hold the site"),
        ({"FOOLING_HOME": "/etc/hosts/home"}, "/etc/hosts/home cannot hold the site"),
        ({"DATABASE_URL": "garbage"}, "DATABASE_URL=garbage names no database"),
        ({"DATABASE_URL": "postgres://u:p@127.0.0.1:1/runs"}, "the database cannot be used"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL=LOUD is unknown"),
        ({"TRUSTED_PROXIES": "all"}, "TRUSTED_PROXIES=all is no whole number"),
        ({"ACTIVE_RUNS_PER_USER": "-1"}, "ACTIVE_RUNS_PER_USER=-1 is no whole number"),
        ({"RUN_SLICE_SECONDS": "nan"}, "RUN_SLICE_SECONDS=nan is no time in seconds"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, dict) else "",
)
def test_refuses_in_one_line_surroundings_that_it_cannot_use(
    environment: dict[str, str], complaint: str
) -> None:
    refused = manage("migrate", **environment)

    assert refused.returncode != 0
    assert complaint in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_keeps_a_databases_password_to_itself() -> None:
    assert "secret" not in manage("migrate", DATABASE_URL="postgres://u:secret@host:port/runs").stderr


def test_says_how_to_make_the_tables_that_are_missing() -> None:
    refused = manage("create_administrator")

    assert refused.returncode != 0
    assert "`manage.py migrate` makes its tables" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_shows_everything_to_whoever_asks_for_it() -> None:
    assert "Traceback" in manage("migrate", "--traceback", DATABASE_URL="garbage").stderr


def test_says_how_to_install_what_is_missing() -> None:
    refused = manage("migrate", python=("-S",))  # Python without any installed package

    assert refused.returncode != 0
    assert "run `make setup`" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_signs_people_in_while_valkey_is_away() -> None:
    home = str(new_home())
    manage("migrate", FOOLING_HOME=home)

    told = manage("shell", "-v", "0", "-c", SIGN_IN, FOOLING_HOME=home)

    assert told.stdout.split() == ["302", "/"], told.stderr


def test_counts_tries_together_where_web_processes_share_a_redis() -> None:
    told = setting("settings.CACHES['default']['LOCATION']", REDIS_URL="redis://example.org:6379/")

    assert told == "redis://example.org:6379/3"


def test_logs_no_line_for_every_task() -> None:
    levels = {name: logger["level"] for name, logger in settings.LOGGING["loggers"].items()}

    assert levels["celery.worker.strategy"] == levels["celery.app.trace"] == "WARNING"


def sign_up(client: Client, number: int, **headers: str) -> int:
    password = "seven stripes and a spiral"
    fields = {"username": f"pupil{number}", "password1": password, "password2": password}
    status = client.post(reverse("account_signup"), fields, headers=headers).status_code
    client.logout()
    return status


@pytest.mark.django_db
def test_lets_a_class_sign_up_at_once(client: Client) -> None:
    statuses = {sign_up(client, number) for number in range(40)}

    assert statuses == {302}
    assert User.objects.count() == 40


@pytest.mark.django_db
def test_tells_people_behind_a_proxy_apart(client: Client, settings: LazySettings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/m/ip"}

    first, again = (sign_up(client, number, x_forwarded_for="198.51.100.1") for number in (1, 2))
    other = sign_up(client, 3, x_forwarded_for="198.51.100.2")

    assert (first, again, other) == (302, 429, 302)


def test_makes_a_home_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"

    manage("check", FOOLING_HOME=str(home))

    assert mode_of(home) == 0o700


def test_tightens_a_home_that_others_may_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    made_private(tmp_path)

    assert mode_of(tmp_path) == 0o700


def test_leaves_a_folder_alone_that_everybody_uses(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    made_private(tmp_path)

    assert mode_of(tmp_path) == 0o1777
