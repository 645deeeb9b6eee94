"""The archive in any generation, compared with a slow twin that replays every takeover."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings

from fooling_web.runs.history import (
    curve_of,
    differing,
    document_of,
    generation_wanted,
    holdings_at,
    milestones_of,
    moment_of,
    nearest,
)
from fooling_web.runs.models import Run
from tests.factories import launched
from tests.imagined import imagined

pytestmark = pytest.mark.django_db
GENERATIONS = 30


@pytest.fixture(autouse=True)
def _home(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def run() -> Run:
    """A run of 60 classes that change hands ever more seldom."""
    return imagined(classes=60, generations=GENERATIONS).run


def replayed(run: Run, generation: int) -> dict[int, tuple[int, float, int]]:
    """Return who held each class: takeovers one after another, as they happened."""
    held = {}
    for takeover in run.takeovers.select_related("individual").order_by("generation", "pk"):
        if takeover.generation <= generation:
            number = takeover.individual.number
            held[takeover.class_index] = (number, takeover.confidence, takeover.generation)
    return held


class TestArchive:
    @pytest.mark.parametrize("seed", range(6))
    def test_stands_as_its_takeovers_tell(self, run: Run, seed: int) -> None:
        generation = int(np.random.default_rng(seed).integers(GENERATIONS + 1))

        held = {
            each.class_index: (each.number, each.confidence, each.since)
            for each in holdings_at(run, generation)
        }

        assert held == replayed(run, generation)

    def test_begins_with_the_first_generation(self, run: Run) -> None:
        assert {each.since for each in holdings_at(run, 0)} == {0}

    def test_ends_with_the_champions(self, run: Run) -> None:
        champions = run.champions.values_list("class_index", "individual_id")

        assert [(each.class_index, each.individual) for each in holdings_at(run, GENERATIONS)] == list(
            champions
        )

    def test_leaves_out_classes_that_nobody_held_yet(self, run: Run) -> None:
        run.takeovers.filter(class_index=7, generation=0).update(generation=GENERATIONS + 5)

        held = {each.class_index for each in holdings_at(run, 0)}

        assert held == set(range(60)) - {7}

    def test_knows_which_genomes_were_not_kept(self, run: Run) -> None:
        holder = run.champions.get(class_index=3).individual
        run.individuals.filter(pk=holder.pk).update(genome=b"")

        lost = [each.class_index for each in holdings_at(run, GENERATIONS) if not each.is_kept]

        assert lost == [3]

    def test_is_that_of_its_run_alone(self, run: Run) -> None:
        imagined(classes=60, generations=2, seed=2)

        assert {each.class_index: each.number for each in holdings_at(run, 2)} == {
            index: number for index, (number, _, _) in replayed(run, 2).items()
        }

    def test_is_asked_for_as_often_early_as_late(self, run: Run, django_assert_num_queries: Any) -> None:
        for generation in (0, GENERATIONS):
            with django_assert_num_queries(2):
                moment_of(run, generation)


class TestMoment:
    def test_names_those_that_changed_hands_in_it(self, run: Run) -> None:
        generation = run.takeovers.order_by("-generation").values_list("generation", flat=True)[0]

        changed = [each.class_index for each in moment_of(run, generation).changed]

        taken = run.takeovers.filter(generation=generation).order_by("class_index")
        assert changed == list(taken.values_list("class_index", flat=True))

    def test_tells_the_figures_of_its_generation(self, run: Run) -> None:
        statistic = run.statistics.get(generation=4)

        moment = moment_of(run, 4)

        assert moment.statistic == statistic
        assert moment.figures["evaluations"] == f"{statistic.evaluations:,}"

    def test_has_no_figures_where_none_were_kept(self, run: Run) -> None:
        run.statistics.all().delete()

        assert moment_of(run, 4).figures == {}

    def test_is_told_in_columns_of_the_same_length(self, run: Run) -> None:
        told = document_of(moment_of(run, 9))

        assert (
            len(told["classes"])
            == len(told["numbers"])
            == len(told["since"])
            == len(told["confidences"])
            == 60
        )
        assert len(told["hashes"]) == 60 * 12

    def test_differs_from_another_in_what_was_taken_in_between(self, run: Run) -> None:
        changed = differing(holdings_at(run, 5), holdings_at(run, 9))

        between = run.takeovers.filter(generation__gt=5, generation__lte=9)
        assert {each.class_index for each in changed} == set(between.values_list("class_index", flat=True))


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("40", 40),
        ("41", 40),
        ("-3", 0),
        ("9" * 5000, 40),
        ("+5", 5),
        ("", 7),
        (None, 7),
        ("first", 7),
        ("1.5", 7),
        ("٣", 7),
        ("²", 7),
        ("<script>", 7),
    ],
)
def test_reads_whatever_a_person_types(text: str | None, generation: int) -> None:
    assert generation_wanted(text, 40, otherwise=7) == generation


class TestCurve:
    def test_runs_from_the_first_generation_to_the_last(self, run: Run) -> None:
        curve = curve_of(run, GENERATIONS)

        assert (curve[0][0], curve[-1][0]) == (0, GENERATIONS)
        assert [median for _, median in curve] == list(run.statistics.values_list("median", flat=True))

    def test_is_thinned_where_it_is_long(self) -> None:
        run = imagined(classes=2, generations=1000).run

        curve = curve_of(run, 1000)

        assert len(curve) < 300
        assert curve[-1][0] == 1000


class TestMilestones:
    def test_lie_some_takeovers_apart(self, run: Run) -> None:
        milestones = milestones_of(run, 20)

        takeovers = [
            run.takeovers.filter(generation__gt=before, generation__lt=after).count()
            for before, after in itertools.pairwise(milestones)
        ]
        assert milestones[0] == 0
        assert all(count < 20 for count in takeovers)

    def test_are_none_of_a_run_that_has_not_begun(self) -> None:
        assert milestones_of(launched(), 20) == []

    @pytest.mark.parametrize(
        ("generation", "around"), [(0, [0, 4]), (3, [0, 4]), (4, [4, 9]), (8, [4, 9]), (9, [9]), (50, [9])]
    )
    def test_are_found_on_both_sides(self, generation: int, around: list[int]) -> None:
        assert nearest([0, 4, 9], generation) == around

    def test_may_be_none(self) -> None:
        assert nearest([], 3) == []
