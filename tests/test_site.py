"""Pages that belong to no app, and what every page has."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fooling_web.runs.models import Run
from tests.factories import executed, launched
from tests.imagined import imagined

pytestmark = pytest.mark.django_db

HOME = reverse("home")


def test_welcomes_people_to_a_site_without_runs(client: Client) -> None:
    answer = client.get(HOME)

    assert answer.status_code == 200
    assert "Nothing hangs here yet" in answer.content.decode()


def test_hangs_the_best_finished_run(client: Client, alice: Any) -> None:
    runs = [executed(launched(owner=alice, seed=seed)) for seed in (1, 2, 3)]
    best = max(runs, key=lambda run: run.median_confidence)

    answer = client.get(HOME)

    assert answer.context["featured"] == best
    assert answer.content.decode().count("evolved image, LeNet says") == 10 + 3 * 10


def test_hangs_the_longest_run_against_a_thousand_classes_as_a_mosaic(client: Client) -> None:
    imagined(classes=1000, generations=1)
    longest = imagined(classes=1000, generations=3).run

    answer = client.get(HOME)

    (mosaic,) = answer.context["mosaics"]
    rows = [rows for _, _, rows in mosaic.atlases]
    assert mosaic.run == longest
    assert rows == [20, 20, 10]  # of twenty pictures each
    assert all(client.get(address).status_code == 200 for address, _, _ in mosaic.atlases)


@pytest.mark.parametrize("visibility", ["private", "unlisted"])
def test_hangs_nothing_that_is_hidden(client: Client, finished_run: Run, visibility: str) -> None:
    Run.objects.update(visibility=visibility, median_confidence=1)

    answer = client.get(HOME)

    assert answer.context["featured"] is None
    assert finished_run.name not in answer.content.decode()


def test_does_not_hang_a_run_under_way(client: Client, finished_run: Run) -> None:
    Run.objects.update(status="running")

    assert client.get(HOME).context["featured"] is None


def test_explains_itself(client: Client) -> None:
    assert client.get(reverse("about")).status_code == 200


def test_says_when_there_is_no_such_page(client: Client) -> None:
    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert "Foolbreeder" in answer.content.decode()


def test_says_when_a_page_of_the_site_breaks(client: Client, settings: Any) -> None:
    client.raise_request_exception = False
    settings.ROOT_URLCONF = "tests.broken_urls"

    answer = client.get("/")

    assert answer.status_code == 500
    assert "Traceback" not in answer.content.decode()


def test_refuses_a_form_without_the_pages_own_token(alice: Any) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post(reverse("account_login"), {"login": "alice", "password": "seven stripes"})

    assert answer.status_code == 403
    assert "Foolbreeder" in answer.content.decode()


@pytest.mark.parametrize("address", ["/", "/about/", "/runs/", "/nowhere/", "/accounts/login/"])
def test_forbids_scripts_and_frames_of_other_sites(client: Client, address: str) -> None:
    answer = client.get(address)

    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("address", ["/", "/about/", "/runs/", "/accounts/login/"])
def test_writes_no_script_or_style_into_its_pages(client: Client, finished_run: Run, address: str) -> None:
    page = client.get(address).content.decode()

    assert "<style" not in page
    assert ' style="' not in page
    assert " onclick=" not in page
    assert "<script>" not in page


def test_refuses_a_host_that_is_not_its_own(client: Client) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_keeps_the_administration_for_administrators(client: Client, bob: Any, administrator: Any) -> None:
    client.force_login(bob)
    assert client.get("/admin/").status_code == 302

    client.force_login(administrator)
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("part", ["", "time/", "takeovers/", "classes/7/"])
def test_answers_those_who_ask_for_the_head_alone(client: Client, finished_run: Run, part: str) -> None:
    answer = client.head(finished_run.get_absolute_url() + part)

    assert (answer.status_code, answer.content) == (200, b"")
