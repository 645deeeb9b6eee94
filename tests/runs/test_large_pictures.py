"""Runs whose genomes are large pictures: only those of champions are kept."""

import pytest
from django.conf import LazySettings
from django.urls import reverse

from fooling_web.runs.execution import archive_sha256
from fooling_web.runs.models import Run
from tests.factories import executed, launched

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_generation_kept")]


@pytest.fixture(autouse=True)
def _call_digits_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten digits change hands sooner than a thousand classes do."""
    monkeypatch.setattr("evolution.parameters.SMALL_PICTURE", 100)


@pytest.fixture
def run() -> Run:
    return executed(launched(encoding="direct"))


def test_keeps_the_genomes_of_champions_and_of_nobody_else(run: Run) -> None:
    champions = set(run.champions.values_list("individual", flat=True))

    kept = {individual.pk for individual in run.individuals.all() if individual.genome}

    assert kept == champions
    assert run.individuals.count() > len(champions)


def test_comes_to_the_same_archive_in_many_flushes_or_one(run: Run, settings: LazySettings) -> None:
    settings.RUN_FLUSH_SECONDS = 1000

    at_once = executed(launched(encoding="direct"))

    assert archive_sha256(at_once) == archive_sha256(run)


def test_has_no_picture_of_the_dethroned_and_says_so(run: Run, client: object) -> None:
    dethroned = run.individuals.exclude(championships__isnull=False).first()
    assert dethroned is not None

    answer = client.get(reverse("runs:image", args=[run.pk, dethroned.number, dethroned.genome_hash]))  # type: ignore[attr-defined]

    assert answer.status_code == 404
