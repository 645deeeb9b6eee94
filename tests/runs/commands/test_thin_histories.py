"""manage.py thin_histories."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fooling_web.galleries.models import Exhibit
from fooling_web.runs.execution import archive_sha256
from fooling_web.runs.models import Individual, Run
from fooling_web.users.models import AuditLine
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db


def thin(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("thin_histories", *options, "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.fixture
def old_run(alice: Any) -> Run:
    """A run of Alice's that ended a year ago: 40 generations of 20."""
    run = executed(launched(owner=alice, generations=40))
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=365))
    return run


def kept(run: Run) -> set[int]:
    return {one.number for one in run.individuals.all() if one.genome}


def champions(run: Run) -> set[int]:
    return set(run.champions.values_list("individual__number", flat=True))


def ancestors(run: Run) -> set[int]:
    """The slow and obvious way: ask for each one's parents, one by one."""
    found, waiting = set(), list(champions(run))
    while waiting:
        for parent in run.individuals.get(number=waiting.pop()).parents:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def test_only_says_what_would_go(old_run: Run) -> None:
    before = kept(old_run)

    told = thin()

    assert told["genomes"] > 0
    assert told["runs"] == [{"run": str(old_run.pk), "genomes": told["genomes"], "bytes": told["bytes"]}]
    assert kept(old_run) == before
    assert not AuditLine.objects.exists()


def test_keeps_champions_with_their_ancestors(old_run: Run) -> None:
    sizes = {one.number: len(one.genome) for one in old_run.individuals.all()}
    archive = archive_sha256(old_run)

    told = thin("--really")

    assert kept(old_run) == champions(old_run) | ancestors(old_run)
    assert told["bytes"] == sum(sizes.values()) - sum(sizes[number] for number in kept(old_run))
    assert archive_sha256(old_run) == archive
    assert old_run.individuals.count() == len(sizes)
    line = AuditLine.objects.get()
    assert (line.deed, line.size, line.by) == ("thin history", told["bytes"], None)


def test_keeps_champions_alone(old_run: Run) -> None:
    archive = archive_sha256(old_run)

    thin("--keep", "champions", "--really")

    assert kept(old_run) == champions(old_run)
    assert archive_sha256(old_run) == archive


def test_finds_nothing_the_second_time(old_run: Run) -> None:
    thin("--really")

    assert thin("--really")["genomes"] == 0


def test_keeps_what_people_spoke_of(old_run: Run) -> None:
    rated = old_run.individuals.exclude(number__in=champions(old_run) | ancestors(old_run)).first()
    assert rated
    Exhibit.objects.create(individual=rated)

    thin("--keep", "champions", "--really")

    assert kept(old_run) == {*champions(old_run), rated.number}


@pytest.mark.parametrize(
    "changes",
    [
        {"finished_at": timezone.now()},
        {"status": "paused"},
        {"kind": "breeding"},
        {"removed_at": timezone.now()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_leaves_alone_what_is_young_unfinished_bred_or_removed(old_run: Run, changes: dict[str, Any]) -> None:
    Run.objects.filter(pk=old_run.pk).update(**changes)

    assert thin("--really")["runs"] == []


def test_measures_the_run_anew(old_run: Run) -> None:
    thin("--really")

    left = sum(len(bytes(one)) for one in Individual.objects.values_list("genome", flat=True))
    assert Run.objects.select_related("storage").get(pk=old_run.pk).storage.genomes == left


def test_leaves_pages_that_say_what_is_not_kept(client: Client, old_run: Run) -> None:
    thin("--keep", "champions", "--really")
    held = old_run.takeovers.exclude(individual__number__in=champions(old_run)).first()
    assert held

    assert client.get(reverse("runs:champion", args=[old_run.pk, held.class_index])).status_code == 200
    assert (
        client.get(reverse("galleries:image", args=[old_run.pk, held.individual.number])).status_code == 200
    )
    assert client.get(reverse("runs:time", args=[old_run.pk])).status_code == 200


def test_says_in_words_what_went(old_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("thin_histories")
    assert "--really does it" in capsys.readouterr().out

    call_command("thin_histories", "--older-than", "400")
    assert "nothing to thin in runs that ended more than 400 days ago" in capsys.readouterr().out


def test_refuses_days_that_are_none() -> None:
    with pytest.raises(CommandError, match="--older-than -1 is out of range"):
        call_command("thin_histories", "--older-than", "-1")
