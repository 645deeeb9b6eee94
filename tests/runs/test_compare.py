"""Runs side by side: what an address asks for, curves and numbers, the classes that they share, and the choice."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from fooling_web.runs.comparing import (
    MOST_OF_SWEEP,
    aligned,
    by_difference,
    confidences_of,
    curves_of,
    figures_of,
    found_for,
    lines_of,
    shared_by,
    wanted_in,
)
from fooling_web.runs.models import Champion, GenerationStat, Run, Sweep
from tests.factories import executed, launched
from tests.runs.test_sweeps import swept, with_champions

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
COMPARE = reverse("runs:compare")
LITE = "efficientnet-lite0"


def asking_for(*chosen: Run | Sweep, **further: str) -> str:
    words = [f"{'sweep' if isinstance(one, Sweep) else 'run'}={one.pk}" for one in chosen]
    return "&".join([*words, *(f"{name}={value}" for name, value in further.items())])


def address(*chosen: Run | Sweep, **further: str) -> str:
    return f"{COMPARE}?{asking_for(*chosen, **further)}"


def sides_for(user: Any, *chosen: Run | Sweep) -> Any:
    return found_for(wanted_in(QueryDict(asking_for(*chosen))), user).sides


def begun(classes: list[int], confidence: float = 0.5, **choices: Any) -> Run:
    """Store a run with champions of some classes, and a line of statistics in generation 3."""
    run = launched(**choices)
    with_champions(run, classes)
    Champion.objects.filter(run=run).update(confidence=confidence)
    run.refresh_from_db()
    return run


class TestAsking:
    def test_keeps_the_order_asked_for_and_each_once(self, alice: Any) -> None:
        runs = [begun([1], owner=alice, name=name) for name in "xyz"]

        sides = sides_for(alice, runs[2], runs[0], runs[2])

        assert [(side.letter, side.name) for side in sides] == [("A", "z"), ("B", "x")]

    def test_counts_what_cannot_be_seen(self, alice: Any, bob: Any) -> None:
        hidden, seen = begun([1], owner=alice, visibility="private"), begun([1], owner=alice)
        query = f"run=x&run=&run={hidden.pk}&run={seen.pk}&sweep={uuid.uuid4()}&sweep=%00"

        found = found_for(wanted_in(QueryDict(query)), bob)

        assert [side.run for side in found.sides] == [seen]
        assert found.unseen == 5

    def test_parts_a_sweep_that_is_alone_into_its_runs(self, alice: Any) -> None:
        sweep = swept(3, owner=alice)

        sides = sides_for(alice, sweep)

        assert [side.run.seed for side in sides] == [1, 2, 3]
        assert not any(side.sweep for side in sides)

    def test_takes_the_runs_of_a_sweep_together_beside_others(self, alice: Any) -> None:
        sweep, run = swept(MOST_OF_SWEEP + 2, owner=alice), begun([1], owner=alice)

        [first, second] = sides_for(alice, run, sweep)

        assert (first.sweep, second.sweep) == (None, sweep)
        assert (len(second.runs), second.left_out) == (MOST_OF_SWEEP, 2)

    def test_lets_eight_stand_side_by_side(self, client: Client, alice: Any) -> None:
        runs = [begun([1], owner=alice) for _ in range(9)]

        page = client.get(address(*runs))

        assert len(page.context["sides"]) == 8
        assert "At most eight" in page.content.decode()


class TestNumbers:
    def test_draws_a_run_as_a_line_and_a_sweep_in_its_band(self, alice: Any) -> None:
        """The sweep's runs have medians of .5 and .7 in generation 3: .6 between them."""
        sweep, run = swept(2, owner=alice), begun([1], owner=alice)
        for one, value in zip(sweep.runs.order_by("seed"), (0.5, 0.7), strict=True):
            with_champions(one, [1])
            GenerationStat.objects.filter(run=one).update(median=value)
        sides = sides_for(alice, run, sweep)

        [line, band] = curves_of(sides, lines_of(sides))

        assert line == {"letter": "A", "generation": [3], "evaluations": [80], "median": [0.5]}
        assert (band["median"], band["low"], band["high"]) == ([0.6], [0.5], [0.7])

    def test_keeps_a_long_curve_light_and_its_end_exact(self, alice: Any) -> None:
        long, short = begun([1], owner=alice), executed(launched(owner=alice))
        GenerationStat.objects.filter(run=long).delete()
        GenerationStat.objects.bulk_create(
            GenerationStat(
                run=long,
                generation=generation,
                **dict.fromkeys(("median", "mean", "max", "share_99", "share_9999", "seconds"), 0.5),
                takeovers=0,
                evaluations=generation,
            )
            for generation in range(3001)
        )
        Run.objects.filter(pk=long.pk).update(generation=3000)
        sides = sides_for(alice, long, short)

        [first, second] = curves_of(sides, lines_of(sides))

        assert 300 <= len(first["generation"]) < 400
        assert first["generation"][-1] == 3000
        assert second["generation"] == [0, 1, 2, 3, 4, 5]

    def test_tells_cats_and_dogs_from_all_others(self, alice: Any) -> None:
        """Half of the 136 cats and dogs and a few others are held: medians .4 and 0."""
        run = begun([*range(151, 270), 1, 2], 0.4, classifier=LITE, owner=alice)
        sides = sides_for(alice, run)

        [figures] = figures_of(sides, lines_of(sides), confidences_of(sides))

        assert figures.cats_and_dogs is not None
        assert figures.other_classes is not None
        assert (figures.cats_and_dogs.median, figures.other_classes.median) == (0.4, 0)

    def test_counts_of_an_ascent_the_climbed_classes_alone(self, client: Client, alice: Any) -> None:
        run = begun([5], 0.9, classifier=LITE, owner=alice)
        climbing = {**run.parameters, "gradient": {**run.parameters["gradient"], "class_indices": [5]}}
        Run.objects.filter(pk=run.pk).update(encoding="gradient", parameters=climbing)
        sides = sides_for(alice, run)

        [figures] = figures_of(sides, lines_of(sides), confidences_of(sides))

        assert figures.cats_and_dogs is None
        assert figures.other_classes is not None
        assert figures.other_classes.median == 0.9

    def test_sets_beside_an_ascent_the_climbed_classes_alone(self, client: Client, alice: Any) -> None:
        every, few = begun([1, 5], 0.9, owner=alice), begun([5], 0.8, owner=alice, seed=2)
        climbing = {**few.parameters, "gradient": {**few.parameters["gradient"], "class_indices": [5]}}
        Run.objects.filter(pk=few.pk).update(encoding="gradient", parameters=climbing)

        page = client.get(address(every, few, sort="difference"))

        assert [one.label for one, _ in page.context["classes"]] == ["5"]
        assert "1 class of the same name, those alone that every gradient ascent climbs" in " ".join(
            page.content.decode().split()
        )

    def test_writes_every_number_for_people(self, client: Client, alice: Any) -> None:
        sweep, run = swept(2, owner=alice), begun([1], owner=alice)
        for one in sweep.runs.all():
            with_champions(one, [1])

        page = client.get(address(run, sweep)).content.decode()

        assert "Spread(" not in page
        assert page.count("<td>80</td>") == 2

    def test_says_nothing_of_a_run_that_has_not_begun(self, client: Client, alice: Any) -> None:
        page = client.get(address(launched(owner=alice), launched(owner=alice)))

        assert page.status_code == 200
        assert [one.median for one, _ in page.context["figures"]] == [None, None]


class TestAlignment:
    def test_sets_classes_of_one_name_under_each_other(self, alice: Any) -> None:
        """Whatever their order; the second crane answers to the second."""
        sides = sides_for(alice, begun([1]), begun([2], seed=2))
        for side, labels in zip(
            sides, (("crane", "heron", "crane"), ("owl", "crane", "crane", "heron")), strict=True
        ):
            vars(side)["labels"] = labels

        shared = shared_by(sides)

        assert [(one.label, one.class_indices) for one in shared] == [
            ("crane", (0, 1)),
            ("heron", (1, 3)),
            ("crane", (2, 2)),
        ]

    def test_puts_first_where_two_differ_most(self, client: Client, alice: Any) -> None:
        """Only one run holds class 7: that differs by .9, the others by 0."""
        runs = [begun([1, 7], 0.9, owner=alice), begun([1], 0.9, owner=alice, seed=2)]
        sides = sides_for(alice, *runs)

        differences = {
            one.label: value for one, value in by_difference(shared_by(sides), sides, confidences_of(sides))
        }
        page = client.get(address(*runs, sort="difference"))

        assert (differences["7"], differences["1"]) == (0.9, 0)
        assert page.context["classes"][0][0].label == "7"

    def test_hangs_every_runs_champion_under_its_class(self, alice: Any) -> None:
        sides = sides_for(alice, begun([1, 2], owner=alice), begun([2], owner=alice, seed=2))
        shared = [one for one in shared_by(sides) if one.label in ("1", "2")]

        rows = aligned(sides, shared)

        assert [[champion is not None for champion in row.champions] for _, row in rows] == [
            [True, True],
            [False, True],
        ]

    def test_finds_classes_by_name_and_group(self, client: Client, alice: Any) -> None:
        runs = [begun([43], classifier=LITE, owner=alice, seed=seed) for seed in (1, 2)]

        by_name = client.get(address(*runs, q="japanese+spaniel")).context["classes"]
        by_group = client.get(address(*runs, group="lizards")).context["classes"]

        assert [one.class_indices for one, _ in by_name] == [(152, 152)]
        assert 43 in [one.class_indices[0] for one, _ in by_group]

    def test_compares_what_tells_different_things_apart_by_its_curves(
        self, client: Client, alice: Any
    ) -> None:
        page = client.get(address(begun([1], owner=alice), begun([1], classifier=LITE, owner=alice)))

        assert page.status_code == 200
        assert "share no class" in page.content.decode()

    def test_shows_runs_whose_classifier_is_gone(self, client: Client, alice: Any) -> None:
        runs = [begun([1], owner=alice), begun([1], owner=alice, seed=2)]
        Run.objects.update(classifier="gone")

        assert client.get(address(*runs)).status_code == 200


class TestChoosing:
    def test_offers_what_tells_the_same_classes_apart(self, client: Client, alice: Any) -> None:
        run, other, elsewhere = (
            begun([1], owner=alice, name="Mine"),
            begun([1], owner=alice, name="Like mine"),
            begun([1], classifier=LITE, owner=alice, name="Unlike"),
        )
        hidden = begun([1], owner=alice, visibility="unlisted", name="Hidden")

        page = client.get(address(run))

        assert list(page.context["offered"]) == [other]
        assert "Choose what" in page.content.decode()
        assert not {elsewhere, hidden} & set(page.context["offered"])

    def test_begins_with_nothing_chosen(self, client: Client, alice: Any) -> None:
        sweep = swept(2, owner=alice)
        for run in sweep.runs.all():
            with_champions(run, [1])

        page = client.get(COMPARE)

        assert f'name="sweep" value="{sweep.pk}"' in page.content.decode()
        assert "Choose two runs or more" in page.content.decode()

    def test_finds_runs_by_name(self, client: Client, alice: Any) -> None:
        found = begun([1], owner=alice, name="The quick one")
        begun([1], owner=alice, name="Another")

        assert list(client.get(COMPARE, {"find": "QUICK"}).context["offered"]) == [found]

    def test_is_offered_in_the_list_and_on_a_runs_page(self, client: Client, alice: Any) -> None:
        run = begun([1], owner=alice)

        listed = client.get(reverse("runs:list")).content.decode()

        assert f'form="choosing" name="run" value="{run.pk}"' in listed
        assert f"{COMPARE}?run={run.pk}" in client.get(run.get_absolute_url()).content.decode()
        assert 'name="run"' not in client.get(reverse("home")).content.decode()

    def test_leaves_one_out_and_adds_another_by_addresses(self, client: Client, alice: Any) -> None:
        runs = [begun([1], owner=alice, seed=seed) for seed in range(3)]

        page = client.get(address(*runs))
        [_, (_, without_second), _] = page.context["figures"]

        assert without_second == asking_for(runs[0], runs[2])
        assert client.get(address(*runs, choose="1")).templates[0].name == "runs/compare_choose.html"


class TestPage:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "run=",
            "run=1&run=2",
            "run=%00&sweep=<b>",
            "sweep=" + "9" * 5000,
            "find=%00&choose=1",
            "&".join(["run=x"] * 999),
        ],
    )
    def test_shrugs_at_nonsense(self, client: Client, query: str) -> None:
        assert client.get(f"{COMPARE}?{query}").status_code == 200

    @pytest.mark.parametrize("query", ["page=-1", "page=x", "sort=nonsense", "group=%00", "q=%00", "by=<b>"])
    def test_shrugs_at_nonsense_beside_runs(self, client: Client, alice: Any, query: str) -> None:
        runs = [begun([1], owner=alice, seed=seed) for seed in (1, 2)]

        assert client.get(f"{address(*runs)}&{query}").status_code == 200

    def test_hides_private_runs_from_others(
        self, client: Client, as_person: As, alice: Any, bob: Any
    ) -> None:
        runs = [begun([1], owner=alice, seed=seed, visibility="private") for seed in (1, 2)]
        wanted = address(*runs)

        pages = [browser.get(wanted) for browser in (client, as_person(bob), as_person(alice))]

        assert [len(page.context["sides"]) for page in pages] == [0, 0, 2]
        assert "cannot be seen here" in pages[1].content.decode()

    def test_escapes_what_people_write(self, client: Client, alice: Any) -> None:
        runs = [begun([1], owner=alice, seed=seed, name="<script>alert(1)</script>") for seed in (1, 2)]

        for wanted in (address(*runs), address(runs[0]), COMPARE):
            assert "<script>alert" not in client.get(wanted).content.decode()

    def test_asks_as_often_for_many_as_for_two(
        self, client: Client, alice: Any, django_assert_num_queries: Any
    ) -> None:
        runs = [begun([1, 2], owner=alice, seed=seed) for seed in range(4)]
        sweeps = [swept(3, owner=alice) for _ in range(2)]
        for sweep in sweeps:
            for run in sweep.runs.all():
                with_champions(run, [1, 2])
        few: list[Run | Sweep] = [runs[0], sweeps[0]]
        for chosen in (few, [*runs, *sweeps]):
            with django_assert_num_queries(
                5
            ):  # sweeps, runs, statistics, champions' confidences, champions shown
                client.get(address(*chosen))
