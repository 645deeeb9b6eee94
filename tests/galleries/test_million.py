"""`make_gallery` fills a site that works; `hang_gallery` brings galleries up to date."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from benchmarks.gallery import measurements_of
from fooling_web.galleries.models import Entry, Exhibit, Hanging, Tally
from fooling_web.galleries.searching import Wanted, page_of
from fooling_web.runs.models import Champion, Run


def told(command: str, *arguments: str) -> Any:
    output = StringIO()
    call_command(command, *arguments, "--json", stdout=output)
    return json.loads(output.getvalue().splitlines()[-1])


@pytest.mark.django_db
def test_it_fills_a_site(capsys: Any) -> None:
    report = told("make_gallery", "--champions", "1013")

    assert (report["champions"], report["hanging"], report["runs"]) == (1013, 1013, 3)
    assert Champion.objects.count() == Entry.objects.count() == 1013
    assert sum(Tally.objects.values_list("entries", flat=True)) == page_of(Wanted()).total == 1013
    assert Exhibit.objects.exists()
    assert all(run.statistics.count() == 51 for run in Run.objects.all())
    before = sorted(Entry.objects.values_list("run", "image_class", "individual", "band", "place"))
    rebuilt = told("hang_gallery", "--rebuild")
    assert (rebuilt["runs"], rebuilt["entries"], rebuilt["hanging"]) == (3, 1013, 1013)
    assert sorted(Entry.objects.values_list("run", "image_class", "individual", "band", "place")) == before
    assert told("hang_gallery")["entries"] == 0


@pytest.mark.django_db
def test_it_is_the_same_for_the_same_seed() -> None:
    told("make_gallery", "--champions", "23", "--seed", "4")
    first = sorted(Entry.objects.values_list("run__seed", "image_class__slug", "confidence", "number"))
    Run.objects.all().delete()
    told("make_gallery", "--champions", "23", "--seed", "4")
    assert (
        sorted(Entry.objects.values_list("run__seed", "image_class__slug", "confidence", "number")) == first
    )
    assert Hanging.objects.count() == 3


@pytest.mark.django_db
def test_it_refuses_a_site_that_has_runs_unless_told(run: Run) -> None:
    with pytest.raises(CommandError, match="this site has runs already; choose an empty one by FOOLING_HOME"):
        call_command("make_gallery", "--champions", "10")
    assert told("make_gallery", "--champions", "10", "--add")["runs"] == 2


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["0", "-5", "many", "10000001", "1e6"])
def test_it_refuses_numbers_that_make_no_sense(number: str) -> None:
    with pytest.raises(CommandError, match="champions"):
        call_command("make_gallery", f"--champions={number}")


def test_its_benchmark_tells_what_ninety_five_of_a_hundred_pages_take() -> None:
    times = {f"/{place}": [place / 1000, 2 * place / 1000] for place in range(1, 101)}
    half, most, slowest = measurements_of("a site", times)
    assert list(half.rounds) == [50.5, 101.0]
    assert [round(one) for one in most.rounds] == [96, 192]
    assert most.holds
    assert (slowest.name, list(slowest.rounds)) == ("a site: slowest, /100", [100.0, 200.0])
