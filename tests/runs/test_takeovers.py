"""Takeovers between classes: sources against a slow twin that plays them one by one, the diagram, and the pages."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.db.models import Count
from django.test import Client
from django.urls import reverse

from fooling_web.runs.models import Individual, Run
from fooling_web.runs.takeover_diagram import LARGE, SMALL, diagram_of
from fooling_web.runs.takeovers import (
    NO_CLASS,
    NO_PARENT,
    NOBODY,
    ROW,
    Group,
    Rows,
    are_switches,
    bands_of,
    between,
    givers_of,
    groups_of,
    line_of,
    matrix_of,
    sources_of,
    standings_of,
    takeovers_of,
    totals_of,
)
from tests.factories import executed, launched
from tests.imagined import imagined

As = Callable[[Any], Client]
PAIR = [Group("a", "First", (0,)), Group("b", "Second", (1, 2))]


@pytest.fixture(autouse=True)
def _home(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def history(*lines: tuple[int, int, float, int, int]) -> Rows:
    """Return takeovers from generation, class, confidence, number and parent, with what follows from them."""
    rows = np.zeros(len(lines), ROW)
    for name, column in zip(
        ("generation", "class_index", "confidence", "number", "parent"), zip(*lines, strict=True), strict=True
    ):
        rows[name] = column
    rows["source"] = sources_of(rows)
    return rows


def by_hand() -> Rows:
    """Return a history of three classes.

    No. 1 takes classes 0 and 1, No. 2 class 2. No. 10, a child of No. 1, takes class 2: a goal switch, from class
    1 of which No. 1 was surer. No. 11, a child of No. 1 too, takes class 1: its own. Then No. 1 holds class 0 alone,
    and No. 20, its child, takes class 1 from class 0: a goal switch. No. 30 has a parent that never held any.
    """
    return history(
        (0, 0, 0.1, 1, NOBODY),
        (0, 1, 0.3, 1, NOBODY),
        (0, 2, 0.2, 2, NOBODY),
        (1, 1, 0.4, 11, 1),
        (1, 2, 0.5, 10, 1),
        (2, 1, 0.6, 20, 1),
        (3, 0, 0.7, 30, 3),
    )


def played(rows: Rows) -> list[int]:
    """Return the sources as somebody would note them down who watches the run."""
    held: dict[int, int] = {}
    sources = []
    for generation in sorted(set(rows["generation"].tolist())):
        own = np.flatnonzero(rows["generation"] == generation).tolist()
        sources += [_source(rows, row, held) for row in own]
        held |= {int(rows["class_index"][row]): row for row in own}
    return sources


def _source(rows: Rows, row: int, held: dict[int, int]) -> int:
    if rows["parent"][row] == NOBODY:
        return NO_PARENT
    parents = {index: one for index, one in held.items() if rows["number"][one] == rows["parent"][row]}
    if int(rows["class_index"][row]) in parents:
        return parents[int(rows["class_index"][row])]
    ranked = sorted(parents, key=lambda index: (-rows["confidence"][parents[index]], index))
    return parents[ranked[0]] if ranked else NO_CLASS


def at_random(seed: int, classes: int = 12, generations: int = 40) -> Rows:
    """Return a history in which images take several classes and some parents held none."""
    rng, lines = np.random.default_rng(seed), []
    holders = dict.fromkeys(range(classes), NOBODY)
    for generation in range(generations):
        parents = [NOBODY] * 3 if generation == 0 else rng.choice([*holders.values(), 999], 3).tolist()
        taken = rng.choice(classes, classes if generation == 0 else 4, replace=False).tolist()
        for class_index in sorted(taken):
            child = int(rng.integers(3))
            number = 10 * generation + child
            lines.append((generation, class_index, float(rng.integers(1, 4)), number, parents[child]))
            holders[class_index] = number
    return history(*lines)


class TestSources:
    def test_follow_from_what_the_parent_held(self) -> None:
        rows = by_hand()

        assert rows["source"].tolist() == [NO_PARENT] * 3 + [1, 1, 0, NO_CLASS]
        assert givers_of(rows).tolist() == [NO_PARENT] * 3 + [1, 1, 0, NO_CLASS]
        assert are_switches(rows).tolist() == [False, False, False, False, True, True, False]

    @pytest.mark.parametrize("seed", range(6))
    def test_agree_with_the_slow_twin(self, seed: int) -> None:
        rows = at_random(seed)

        assert rows["source"].tolist() == played(rows)

    def test_of_nothing_are_none(self) -> None:
        assert sources_of(np.zeros(0, ROW)).tolist() == []


class TestCounts:
    def test_part_takeovers_by_where_their_winners_came_from(self) -> None:
        totals = totals_of(by_hand(), givers_of(by_hand()))

        assert (totals.takeovers, totals.parentless, totals.own, totals.switches, totals.unheld) == (
            7,
            3,
            1,
            2,
            1,
        )
        assert totals.share == pytest.approx(2 / 3)

    def test_come_to_the_same_over_all_bands(self) -> None:
        rows = at_random(1)
        bands = bands_of(rows, givers_of(rows))

        assert [(band.first, band.last) for band in bands] == [
            (1, 1),
            (2, 3),
            (4, 7),
            (8, 15),
            (16, 31),
            (32, 39),
        ]
        assert sum(band.totals.takeovers for band in bands) == len(rows) - 12
        assert sum(band.totals.switches for band in bands) == are_switches(rows).sum()

    def test_name_who_gave_and_who_took(self) -> None:
        """Goal switches went from class 1 to class 2 and from class 0 to class 1."""
        standings = standings_of(by_hand(), givers_of(by_hand()))

        assert [(one.class_index, one.gave, one.took) for one in standings] == [
            (0, 1, 0),
            (1, 1, 1),
            (2, 0, 1),
        ]

    def test_fill_the_diagram(self) -> None:
        """From 1 to 2 lies within the second group; from 0 to 1 goes across; 1 to 1 is no goal switch."""
        rows, givers = by_hand(), givers_of(by_hand())

        assert matrix_of(rows, givers, PAIR, only_switches=True).tolist() == [[0, 1], [0, 1]]
        assert matrix_of(rows, givers, PAIR, only_switches=False).tolist() == [[0, 1], [0, 2]]

    def test_are_found_again_behind_each_square(self) -> None:
        rows = at_random(2)
        givers = givers_of(rows)
        for only_switches in (True, False):
            matrix = matrix_of(rows, givers, PAIR, only_switches=only_switches)
            found = [
                [len(between(rows, givers, giver, taker, only_switches=only_switches)) for taker in PAIR[:1]]
                for giver in PAIR[:1]
            ]
            assert found == matrix[:1, :1].tolist()

    def test_put_the_latest_first(self) -> None:
        rows, givers = by_hand(), givers_of(by_hand())

        assert between(rows, givers, None, None, only_switches=True).tolist() == [5, 4]
        assert between(rows, givers, PAIR[0], None, only_switches=True).tolist() == [5]


class TestDiagram:
    def test_leaves_out_what_never_was_and_escapes_names(self) -> None:
        groups = [Group("a", "<b>One</b>", (0,)), Group('"b"', "Two", (1,))]
        diagram = diagram_of(np.array([[0, 3], [0, 0]]), groups, query="count=all&")

        assert diagram.lines[1].squares == ""
        assert 'href="?count=all&amp;from=a&amp;to=&quot;b&quot;#taken"' in diagram.lines[0].squares
        assert ">3</text>" in diagram.lines[0].squares
        assert (diagram.lines[0].gave, diagram.lines[1].took) == (3, 3)
        assert diagram.lines[1].best_giver == groups[0]

    def test_leaves_what_stayed_within_a_group_out_of_its_scale(self) -> None:
        """The 900 that stayed are faint; of the others 4 are the most, and 1 has the root of a fourth of that."""
        diagram = diagram_of(np.array([[900, 4], [1, 0]]), PAIR)

        [stayed, most] = re.findall('fill-opacity="(.+?)"', diagram.lines[0].squares)
        assert (stayed, most) == ("0.25", "1.00")
        assert 'fill-opacity="0.56"' in diagram.lines[1].squares
        assert diagram.lines[0].squares.count('class="within"') == 1

    def test_makes_room_for_numbers_where_groups_are_few(self) -> None:
        many = [Group(f"class-{index}", "<b>", (index,)) for index in range(30)]

        assert diagram_of(np.zeros((2, 2), np.int64), PAIR).side == LARGE
        assert diagram_of(np.zeros((30, 30), np.int64), many).side == SMALL
        assert "<b>" not in diagram_of(np.ones((30, 30), np.int64), many).lines[0].squares

    @pytest.mark.django_db
    def test_has_a_line_for_each_class_branch_or_range(self, run: Run) -> None:
        assert [group.title for group in groups_of(run, 0)] == [str(digit) for digit in range(10)]
        run = Run(classifier="efficientnet-lite0")
        assert len(groups_of(run, 0)) == 33
        gone = Run(classifier="gone")
        assert len(groups_of(gone, 200)) == 30
        assert sorted(index for group in groups_of(gone, 200) for index in group.class_indices) == list(
            range(200)
        )


@pytest.mark.django_db
class TestARealRun:
    @pytest.mark.parametrize(
        ("encoding", "fidelity"), [("cppn", "paper"), ("direct", "paper"), ("direct", "released-code")]
    )
    def test_agrees_with_the_slow_twin(self, encoding: str, fidelity: str) -> None:
        run = executed(launched(encoding=encoding, fidelity=fidelity, generations=20))
        rows = takeovers_of(run, 20)

        assert len(rows) == run.takeovers.count()
        assert rows["source"].tolist() == played(rows)
        assert not (givers_of(rows) == NO_CLASS).any()

    def test_ousts_the_parent_exactly_where_no_goal_was_switched(self, finished_run: Run) -> None:
        rows = takeovers_of(finished_run, 5)
        own = givers_of(rows) == rows["class_index"]

        assert own.any()
        assert (own == ((rows["parent"] == rows["ousted"]) & (rows["parent"] != NOBODY))).all()

    def test_follows_every_champion_to_the_first_population(self, finished_run: Run) -> None:
        rows = takeovers_of(finished_run, 5)
        parents = dict(finished_run.individuals.values_list("number", "parents"))
        for champion in finished_run.champions.select_related("individual"):
            numbers = rows["number"][line_of(rows, champion.class_index)].tolist()
            assert numbers[0] == champion.individual.number
            assert [parents[number][0] for number in numbers[:-1]] == numbers[1:]
            assert parents[numbers[-1]] == []

    def test_is_read_once(self, finished_run: Run, django_assert_num_queries: Any) -> None:
        first = takeovers_of(finished_run, 5)
        with django_assert_num_queries(0):
            assert takeovers_of(finished_run, 5).tolist() == first.tolist()


@pytest.fixture
def thousand(alice: Any) -> Run:
    """A run of a thousand classes whose winners descend from champions drawn by lot."""
    run = imagined(1000, 8, owner=alice).run
    rng = np.random.default_rng(1)
    held: dict[int, int] = {}
    changed = []
    for takeover in run.takeovers.select_related("individual").order_by("generation", "class_index"):
        if takeover.generation:
            takeover.individual.parents = [held[int(rng.integers(1000))]]
            changed.append(takeover.individual)
        held[takeover.class_index] = takeover.individual.number
    Individual.objects.bulk_update(changed, ["parents"], batch_size=500)
    return run


@pytest.mark.django_db
class TestPages:
    def address(self, run: Run, name: str = "takeovers", *further: Any) -> str:
        return reverse(f"runs:{name}", args=[run.pk, *further])

    def test_shows_who_took_from_whom_and_each_takeover(self, client: Client, finished_run: Run) -> None:
        rows = takeovers_of(finished_run, 5)
        [row, *_] = np.flatnonzero(givers_of(rows) >= 0)
        giver, taker = givers_of(rows)[row], rows["class_index"][row]

        page = client.get(
            self.address(finished_run), {"count": "all", "from": f"class-{giver}", "to": f"class-{taker}"}
        )

        shown = [(one.winner.individual.number, one.winner.class_index) for one in page.context["taken"]]
        assert (rows["number"][row], taker) in shown
        assert f"from=class-{giver}&amp;to=class-{taker}#taken" in page.content.decode()

    def test_shows_a_thousand_classes_by_branches(self, client: Client, thousand: Run) -> None:
        page = client.get(self.address(thousand), {"from": "dogs"})

        assert len(page.context["diagram"].lines) == 33
        assert page.context["totals"].switches > 500
        assert {one.parent.class_index for one in page.context["taken"]} <= set(range(151, 269))
        assert len(page.content) < 300_000

    def test_tells_where_a_class_has_its_genes_from(self, client: Client, thousand: Run) -> None:
        rows = takeovers_of(thousand, 8)
        class_index = max(range(1000), key=lambda index: len(line_of(rows, index)))

        context = client.get(self.address(thousand, "genes", class_index)).context

        assert context["ancestors"] == len(line_of(rows, class_index)) - 1 > 1
        assert sum(share.ancestors for share in context["by_group"]) == context["ancestors"]
        assert sum(share.ancestors for share in context["by_class"]) == context["ancestors"]
        assert sum(stretch.ancestors for stretch in context["stretches"]) == context["ancestors"] + 1
        assert context["begins"] == "random"

    def test_links_the_page_of_a_class_and_of_the_run(self, client: Client, finished_run: Run) -> None:
        champion = client.get(reverse("runs:champion", args=[finished_run.pk, 3])).content.decode()

        assert self.address(finished_run, "genes", 3) in champion
        assert self.address(finished_run) in client.get(finished_run.get_absolute_url()).content.decode()

    def test_sends_every_takeover_as_a_file(self, client: Client, finished_run: Run) -> None:
        answer = client.get(self.address(finished_run, "takeovers_csv"))
        lines = list(csv.DictReader(answer.getvalue().decode().splitlines()))

        assert len(lines) == finished_run.takeovers.count()
        assert {line["kind"] for line in lines} <= {"no parent", "own class", "goal switch"}
        own = [line for line in lines if line["kind"] == "own class"]
        assert all(line["parent"] == line["ousted_individual"] for line in own)
        assert all(line["label"] == line["source_label"] for line in own)

    @pytest.mark.parametrize(
        "query",
        [
            "from=nonsense",
            "to=class-99999999999999999",
            "from=class-777777777",
            "from=%00&page=-9",
            "count=<b>",
            "line=<b>",
            "to=" + "long" * 500,
        ],
    )
    def test_tells_quietly_of_nonsense(self, client: Client, finished_run: Run, query: str) -> None:
        page = client.get(f"{self.address(finished_run)}?{query}")

        assert page.status_code == 200
        assert len(page.context["complaints"]) == 1
        assert page.content.decode().count('<p class="message"') == 1
        assert "<b>" not in page.content.decode().split("<main")[1].split("taken-list")[0]

    @pytest.mark.parametrize("class_index", [10, 2**63, 10**40])
    def test_knows_no_other_classes(self, client: Client, finished_run: Run, class_index: int) -> None:
        assert client.get(self.address(finished_run, "genes", class_index)).status_code == 404

    def test_says_so_before_anything_was_taken(self, client: Client, run: Run) -> None:
        assert "No class has changed hands yet" in client.get(self.address(run)).content.decode()
        assert "No image holds this class yet" in client.get(self.address(run, "genes", 3)).content.decode()

    def test_says_so_where_images_have_no_parents(self, client: Client, finished_run: Run) -> None:
        finished_run.individuals.update(parents=[])

        assert "Nothing passed from class to class" in client.get(self.address(finished_run)).content.decode()

    def test_offers_no_squares_where_no_goal_was_switched(self, client: Client, finished_run: Run) -> None:
        finished_run.individuals.update(parents=[])
        of_one = finished_run.takeovers.annotate(won=Count("individual__takeovers")).filter(won=1)
        child = of_one.exclude(taken_from=None).latest("generation")
        finished_run.individuals.filter(pk=child.individual_id).update(parents=[child.taken_from])

        page = client.get(self.address(finished_run)).content.decode()

        assert "There was no goal switch" in page
        assert "Choose a square" not in page

    def test_says_that_images_of_an_ascent_have_no_parents(self, client: Client, finished_run: Run) -> None:
        finished_run.individuals.update(parents=[])
        Run.objects.update(encoding="gradient")

        page = client.get(self.address(finished_run, "genes", 3)).content.decode()

        assert "An image that climbs a gradient has no parent" in page
        assert 'class="stretches"' not in page

    def test_shows_a_run_whose_classifier_is_gone(self, client: Client, finished_run: Run) -> None:
        Run.objects.update(classifier="gone")

        assert client.get(self.address(finished_run)).status_code == 200
        assert client.get(self.address(finished_run, "genes", 3)).status_code == 200

    @pytest.mark.parametrize("name", ["takeovers", "takeovers_csv", "genes"])
    def test_hides_a_private_run_from_all_but_its_owner(
        self, client: Client, as_person: As, alice: Any, bob: Any, name: str
    ) -> None:
        run = executed(launched(owner=alice, visibility="private"))
        wanted = self.address(run, name, *([3] if name == "genes" else []))

        answers = [browser.get(wanted).status_code for browser in (client, as_person(bob), as_person(alice))]

        assert answers == [404, 404, 200]

    def test_asks_as_often_for_many_classes_as_for_few(
        self, client: Client, finished_run: Run, thousand: Run, django_assert_num_queries: Any
    ) -> None:
        for run in (finished_run, thousand):
            client.get(self.address(run))
            giver = givers_of(takeovers_of(run, run.generation or 0)).max()
            with django_assert_num_queries(2):  # run, individuals
                client.get(self.address(run), {"count": "all", "from": f"class-{giver}"})
            with django_assert_num_queries(2):
                client.get(self.address(run, "genes", 1))
