"""What hangs in the galleries follows the runs: what is found, made private, deleted."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings

from fooling_web.galleries.hanging import Hung, band_of, hang, hang_all, take_down
from fooling_web.galleries.models import BANDS, Approach, Entry, Exhibit, Hanging, ImageClass, RunTally, Tally
from fooling_web.galleries.searching import Wanted, page_of
from fooling_web.galleries.tasks import hang_galleries
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Run
from tests.factories import execute_once, executed, launched

STEADY = (
    "run",
    "image_class",
    "individual",
    "approach",
    "branch",
    "band",
    "confidence",
    "number",
    "short_hash",
)


def hanging() -> list[tuple[Any, ...]]:
    return sorted(Entry.objects.values_list(*STEADY, "hung_at", "place"))


def counts_are_true() -> bool:
    """Whether what was added up beforehand is what counting finds."""
    entries = list(Entry.objects.values_list("run", "approach", "branch", "band"))
    by_run: dict[Any, int] = {}
    sums: dict[Any, int] = {}
    for run, approach, branch, band in entries:
        by_run[run, branch, band] = by_run.get((run, branch, band), 0) + 1
        sums[approach, branch, band] = sums.get((approach, branch, band), 0) + 1
    told = {row[:3]: row[3] for row in RunTally.objects.values_list("run", "branch", "band", "entries")}
    summed = {row[:3]: row[3] for row in Tally.objects.values_list("approach", "branch", "band", "entries")}
    of_runs = sum(Hanging.objects.values_list("entries", flat=True))
    return told == by_run and {key: n for key, n in summed.items() if n} == sums and of_runs == len(entries)


@pytest.mark.django_db
def test_it_hangs_every_champion_of_a_public_run(finished_run: Run) -> None:
    hang_all()

    entries = {entry.image_class.class_index: entry for entry in Entry.objects.select_related("image_class")}
    champions = {champion.class_index: champion for champion in finished_run.champions.all()}
    assert entries.keys() == champions.keys()
    for class_index, champion in champions.items():
        entry = entries[class_index]
        assert (entry.individual, entry.confidence) == (champion.individual, champion.confidence)
        assert entry.image_class.slug == f"mnist-{class_index}"
        assert BANDS[entry.band] <= entry.confidence < [*BANDS, 2][entry.band + 1]
        assert champion.individual.genome_hash.startswith(entry.short_hash)
    assert str(Approach.objects.get()) == "cppn against mnist-lenet by map-elites"
    assert counts_are_true()


@pytest.mark.django_db
def test_it_hangs_only_the_classes_that_an_ascent_climbed() -> None:
    parameters = parameters_for("mnist-lenet", "gradient", generations=2, classes=(3, 7), starts=1)
    executed(launch("mnist-lenet", "gradient", parameters=parameters, seed=1))

    hang_all()

    assert {entry.image_class.class_index for entry in Entry.objects.select_related("image_class")} == {3, 7}
    assert str(Approach.objects.get()) == "gradient against mnist-lenet by gradient-ascent"


@pytest.mark.django_db
def test_it_renames_the_method_of_ascents_that_hung_before() -> None:
    for encoding in ("cppn", "gradient"):
        Approach.objects.create(classifier="mnist-lenet", encoding=encoding, method="map-elites")

    import_module("fooling_web.galleries.migrations.0003_gradient_ascent").name_ascents(apps, None)

    assert dict(Approach.objects.values_list("encoding", "method")) == {
        "cppn": "map-elites",
        "gradient": "gradient-ascent",
    }


@pytest.mark.django_db
def test_it_follows_a_run_and_ends_where_a_rebuild_does(
    alice: Any, every_generation_kept: None, settings: LazySettings
) -> None:
    run = launched(owner=alice, generations=8)
    while run.is_unfinished:
        assert execute_once(run, seconds=0)
        run.refresh_from_db()
        hang(run)
        assert counts_are_true()
    followed = hanging()
    assert len(followed) == run.champions.count()

    hang_all(anew=True)

    assert hanging() == followed
    assert counts_are_true()


@pytest.mark.django_db
def test_it_does_nothing_where_nothing_changed(finished_run: Run, django_assert_num_queries: Any) -> None:
    hang_galleries()
    with django_assert_num_queries(4):
        assert hang_all() == Hung()


@pytest.mark.django_db
def test_it_mends_what_a_rebuild_finds_wrong(finished_run: Run) -> None:
    hang_all()
    expected = hanging()
    Entry.objects.update(confidence=0.5, band=3)
    Entry.objects.filter(pk=Entry.objects.earliest("pk").pk).delete()
    RunTally.objects.update(entries=77)
    Tally.objects.all().delete()

    hang_all(anew=True)

    assert [row[:9] for row in hanging()] == [row[:9] for row in expected]
    assert counts_are_true()


@pytest.mark.django_db
@pytest.mark.parametrize("visibility", ["private", "unlisted"])
def test_it_takes_down_what_is_public_no_more_and_hangs_it_again(finished_run: Run, visibility: str) -> None:
    other = executed(launched(seed=2))
    hang_all()
    Run.objects.filter(pk=finished_run.pk).update(visibility=visibility)
    assert {entry.run for entry in page_of(Wanted()).entries} == {other}

    assert hang_all().taken_down == finished_run.champions.count()
    assert set(Entry.objects.values_list("run", flat=True)) == {other.pk}
    assert counts_are_true()

    Run.objects.filter(pk=finished_run.pk).update(visibility="public")
    hang_all()
    assert Entry.objects.filter(run=finished_run).count() == finished_run.champions.count()
    assert counts_are_true()


@pytest.mark.django_db
def test_it_counts_again_when_a_run_was_deleted(finished_run: Run) -> None:
    executed(launched(seed=2))
    hang_all()
    finished_run.delete()

    hang_all()

    assert page_of(Wanted()).total == Entry.objects.count() > 0
    assert counts_are_true()


@pytest.mark.django_db
def test_it_counts_nothing_when_the_last_run_was_deleted(finished_run: Run) -> None:
    hang_all()
    finished_run.delete()
    hang_all()
    assert page_of(Wanted()).total == 0
    assert not Tally.objects.exists()


@pytest.mark.django_db
def test_it_leaves_private_runs_and_runs_without_a_generation_alone(run: Run) -> None:
    executed(launched(seed=2, visibility="private"))
    assert hang_all() == Hung()
    assert not Entry.objects.exists()
    assert take_down(run) == 0


@pytest.mark.django_db
def test_it_shows_nothing_that_a_moderator_hid(finished_run: Run) -> None:
    hang_all()
    entry = page_of(Wanted()).entries[0]
    Exhibit.objects.create(individual=entry.individual, hidden=True)

    hits = page_of(Wanted())

    assert entry.individual not in [shown.individual for shown in hits.entries]
    assert hits.total == len(hits.entries)


@pytest.mark.django_db
def test_it_hangs_a_run_whose_classifier_is_gone(finished_run: Run) -> None:
    Run.objects.filter(pk=finished_run.pk).update(classifier="gone")
    hang_all()
    assert ImageClass.objects.get(class_index=7).slug == "custom-class-7"


@pytest.mark.django_db
def test_it_tells_classes_of_one_name_apart(run: Run) -> None:
    ImageClass.objects.create(dataset="custom", class_index=0, label="7", slug="mnist-7")
    executed(run)
    hang_all()
    assert ImageClass.objects.get(dataset="mnist", class_index=7).slug == "mnist-7-7"


def test_it_puts_a_confidence_in_its_band() -> None:
    assert [band_of(confidence) for confidence in (0.0, 0.0999, 0.1, 0.95, 0.9999, 1.0)] == [
        0,
        0,
        1,
        10,
        13,
        13,
    ]
