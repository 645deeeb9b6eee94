"""Who may do what with archives: Alice owns, Bob may see, Charlie may not; nobody at all, and who keeps the site."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from fooling_web.exports import arrivals, jobs
from fooling_web.exports.archive_files import order_archives
from fooling_web.exports.models import ExportJob
from fooling_web.exports.packing import Choices
from fooling_web.runs.models import Run, Sweep

pytestmark = pytest.mark.django_db

PEOPLE = ("alice", "bob", "charlie", "nobody", "ada")
ORDER = {"history": "champions", "pictures": "0"}


@pytest.fixture
def ask(
    alice: Any, bob: Any, charlie: Any, administrator: Any, as_person: Callable[[Any], Client]
) -> Callable[..., list[int]]:
    """Return how the site answers each of the people to the same request."""
    known = zip(("alice", "bob", "charlie", "ada"), (alice, bob, charlie, administrator), strict=True)
    browsers = {"nobody": Client(), **{name: as_person(person) for name, person in known}}

    def asking(address: str, **sent: Any) -> list[int]:
        answers = [
            browsers[name].post(address, sent) if sent else browsers[name].get(address) for name in PEOPLE
        ]
        assert all("/accounts/login/" in one.url for one in answers[3:4] if one.status_code == 302)
        return [one.status_code for one in answers]

    return asking


@pytest.fixture
def made(finished_run: Run, alice: Any) -> ExportJob:
    """An export that Alice ordered and a worker finished."""
    job = order_archives(alice, [finished_run], Choices(plain=True))
    jobs.advance(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(
    ("visibility", "looking"),
    [("public", [200, 403, 403, 302, 200]), ("private", [200, 404, 404, 302, 200])],
)
def test_ask_for_an_export_of_a_run_or_a_sweep(
    finished_run: Run, alice: Any, ask: Any, visibility: str, looking: list[int]
) -> None:
    sweep = Sweep.objects.create(name="One", owner=alice, visibility=visibility)
    Run.objects.update(visibility=visibility, sweep=sweep)

    assert ask(f"{reverse('exports:order')}?run={finished_run.pk}") == looking
    assert ask(f"{reverse('exports:order')}?sweep={sweep.pk}") == looking
    allowed = [302 if status == 200 else status for status in looking]
    assert ask(reverse("exports:order"), run=finished_run.pk, **ORDER) == allowed
    assert sorted(job.by.username for job in ExportJob.objects.all()) == ["ada", "alice"]


def test_see_and_steer_an_export(made: ExportJob, ask: Any) -> None:
    steered = [302, 404, 404, 302, 302]

    assert ask(made.get_absolute_url()) == [200, 404, 404, 302, 200]
    assert ask(reverse("exports:cancel", args=[made.pk]), sure="1") == steered
    assert ask(reverse("exports:again", args=[made.pk]), sure="1") == steered
    made.refresh_from_db()
    assert made.status == ExportJob.Status.FINISHED
    assert ask(reverse("exports:mine")) == [200, 200, 200, 302, 200]


@pytest.mark.parametrize(
    ("visibility", "fetched"),
    [
        ("public", [200, 200, 200, 200, 200]),
        ("unlisted", [200, 404, 404, 404, 200]),
        ("private", [200, 404, 404, 404, 200]),
    ],
)
def test_fetch_the_file(made: ExportJob, ask: Any, visibility: str, fetched: list[int]) -> None:
    Run.objects.update(visibility=visibility)

    assert ask(jobs.link_to(made)) == fetched
    assert ask(f"{jobs.link_to(made)}x") == [404] * 5


def test_send_files_and_see_what_came_of_them(alice: Any, ask: Any) -> None:
    assert ask(reverse("exports:import")) == [200, 200, 200, 302, 200]
    job = arrivals.order(alice, SimpleUploadedFile("run.zip", b"PK"), Run.Visibility.PRIVATE)

    assert ask(job.get_absolute_url()) == [200, 404, 404, 302, 200]
    assert ask(reverse("exports:cancel_arrival", args=[job.pk]), sure="1") == [302, 404, 404, 302, 302]
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_download_a_picture_and_a_genome(finished_run: Run, ask: Any) -> None:
    individual = finished_run.individuals.earliest("number")
    page = f"{finished_run.get_absolute_url()}individuals/{individual.number}/"

    for address in (f"{page}{individual.genome_hash}.png", f"{page}genome/"):
        assert ask(address) == [200] * 5
    Run.objects.update(visibility="private")
    for address in (f"{page}{individual.genome_hash}.png", f"{page}genome/"):
        assert ask(address) == [200, 404, 404, 404, 200]
