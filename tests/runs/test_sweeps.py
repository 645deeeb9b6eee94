"""Sweeps: how their runs take turns, who may see and steer them, and what their pages say."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from evolution.presets import Choices, parameters_of, preset_of
from fooling_web.runs.launching import launch_sweep
from fooling_web.runs.models import Champion, GenerationStat, Individual, Run, Sweep
from fooling_web.runs.sweeps import progress_of, rows_of, runs_of, spread_of, summarise
from fooling_web.runs.tasks import ring_for_waiting_runs
from models_zoo.registry import find
from tests.factories import execute_once, executed, launched

pytestmark = pytest.mark.django_db

As = Callable[[Any], Client]
LIST = reverse("runs:list")
PAGES = ["detail", "progress", "images"]
VERBS = ["pause", "resume", "cancel", "delete"]


def swept(runs: int = 3, classifier: str = "mnist-lenet", **choices: Any) -> Sweep:
    """Store a sweep whose runs wait their turn: 5 generations of 20, seeds from 1."""
    entry = find(classifier)
    parameters = parameters_of(preset_of("", entry), entry, Choices(generations=5, population=20))
    return launch_sweep(classifier, "cppn", parameters=parameters, runs=runs, **{"seed": 1, **choices})


def finished(sweep: Sweep) -> Sweep:
    for run in sweep.runs.all():
        run.queue()
        executed(run)
    return sweep


def statuses(sweep: Sweep) -> list[str]:
    return list(sweep.runs.order_by("seed").values_list("status", flat=True))


def address(name: str, sweep: Sweep) -> str:
    return reverse(f"sweeps:{name}", args=[sweep.pk])


def with_champions(run: Run, classes: list[int], generation: int = 3) -> None:
    """Give a run champions and a line of statistics without computing them."""
    for class_index in classes:
        individual = Individual.objects.create(
            run=run, number=class_index, generation=generation, genome=b"{}", genome_hash="0" * 64
        )
        Champion.objects.create(
            run=run,
            class_index=class_index,
            individual=individual,
            confidence=0.5,
            generation=generation,
        )
    GenerationStat.objects.create(
        run=run,
        generation=generation,
        **dict.fromkeys(("median", "mean", "max", "share_99", "share_9999", "seconds"), 0.5),
        takeovers=1,
        evaluations=80,
    )
    Run.objects.filter(pk=run.pk).update(generation=generation, median_confidence=0.5)


class TestTakingTurns:
    def test_begins_as_many_runs_as_their_owner_has_room_for(
        self, alice: Any, settings: LazySettings
    ) -> None:
        settings.ACTIVE_RUNS_PER_USER = 3
        launched(owner=alice)
        sweep = swept(4, owner=alice)

        admitted = sweep.admit()

        assert [run.seed for run in admitted] == [1, 2]
        assert statuses(sweep) == ["queued", "queued", "pending", "pending"]

    def test_begins_one_run_at_least(self, alice: Any, settings: LazySettings) -> None:
        settings.ACTIVE_RUNS_PER_USER = 1
        launched(owner=alice)
        sweep = swept(2, owner=alice)

        sweep.admit()
        sweep.admit()

        assert statuses(sweep) == ["queued", "pending"]

    def test_lets_the_next_run_begin_when_one_has_ended(self, alice: Any, settings: LazySettings) -> None:
        settings.ACTIVE_RUNS_PER_USER = 1
        sweep = swept(2, owner=alice)
        [first] = sweep.admit()
        executed(first)

        ring_for_waiting_runs()

        assert statuses(sweep) == ["finished", "queued"]
        assert sweep.runs.get(seed=2).rung_at

    def test_does_not_mind_other_peoples_runs(self, alice: Any, bob: Any, settings: LazySettings) -> None:
        settings.ACTIVE_RUNS_PER_USER = 2
        launched(owner=bob)

        assert len(swept(2, owner=alice).admit()) == 2

    def test_keeps_workers_from_runs_that_wait(self, alice: Any) -> None:
        run = swept(1, owner=alice).runs.get()

        assert not execute_once(run)

    def test_finds_in_each_run_what_it_finds_alone(self, alice: Any) -> None:
        sweep = finished(swept(2, owner=alice))
        alone = executed(launched(seed=2))

        def champions(run: Run) -> list[Any]:
            return list(run.champions.values_list("class_index", "confidence", "individual__genome_hash"))

        assert champions(sweep.runs.get(seed=2)) == champions(alone)


class TestSteering:
    def test_pauses_and_resumes_every_run(self, as_person: As, alice: Any, settings: LazySettings) -> None:
        settings.ACTIVE_RUNS_PER_USER = 2
        sweep = swept(3, owner=alice)
        sweep.admit()

        as_person(alice).post(address("pause", sweep))
        paused = statuses(sweep)
        as_person(alice).post(address("resume", sweep))

        assert paused == ["paused"] * 3
        assert statuses(sweep) == ["queued", "queued", "pending"]

    def test_lets_a_single_run_wait_its_turn_when_it_is_resumed(
        self, as_person: As, alice: Any, settings: LazySettings
    ) -> None:
        settings.ACTIVE_RUNS_PER_USER = 1
        sweep = swept(2, owner=alice)
        [first] = sweep.admit()
        first.pause()
        sweep.admit()

        as_person(alice).post(reverse("runs:resume", args=[first.pk]))

        assert statuses(sweep) == ["pending", "queued"]

    def test_cancels_what_has_not_ended(self, as_person: As, alice: Any) -> None:
        sweep = swept(2, owner=alice)
        [first, _] = sweep.admit()
        executed(first)

        as_person(alice).post(address("cancel", sweep))

        assert statuses(sweep) == ["finished", "cancelled"]
        assert sweep.runs.get(seed=2).finished_at

    def test_resumes_nothing_where_its_owner_has_no_room(
        self, as_person: As, alice: Any, settings: LazySettings
    ) -> None:
        settings.ACTIVE_RUNS_PER_USER = 1
        sweep = swept(2, owner=alice)
        sweep.pause()
        launched(owner=alice)

        answer = as_person(alice).post(address("resume", sweep), follow=True)

        assert "the most one person may have here" in answer.content.decode()
        assert statuses(sweep) == ["paused"] * 2

    def test_deletes_a_sweep_with_its_runs_once_it_has_ended(self, as_person: As, alice: Any) -> None:
        sweep = swept(2, owner=alice)
        browser = as_person(alice)

        browser.post(address("delete", sweep))
        left = Run.objects.count()
        sweep.cancel()
        asked = browser.get(address("delete", sweep)).content.decode()
        browser.post(address("delete", sweep))

        assert left == 2
        assert "two runs" in asked
        assert not Run.objects.exists()
        assert not Sweep.objects.exists()

    def test_hides_and_opens_its_runs_with_itself(self, as_person: As, alice: Any) -> None:
        sweep = swept(2, owner=alice)

        as_person(alice).post(address("edit", sweep), {"name": "Mine", "visibility": "private"})

        sweep.refresh_from_db()
        assert (sweep.name, sweep.visibility) == ("Mine", "private")
        assert {run.visibility for run in sweep.runs.all()} == {"private"}

    def test_says_when_there_is_nothing_to_do(self, as_person: As, alice: Any) -> None:
        sweep = finished(swept(1, owner=alice))

        answer = as_person(alice).post(address("pause", sweep), follow=True)

        assert "Nothing to do" in answer.content.decode()

    @pytest.mark.parametrize("verb", VERBS)
    def test_obeys_an_administrator(self, as_person: As, administrator: Any, alice: Any, verb: str) -> None:
        assert as_person(administrator).post(address(verb, swept(1, owner=alice))).status_code == 302


class TestSeeing:
    @pytest.mark.parametrize("name", PAGES)
    def test_hides_a_private_sweep_from_all_but_its_owner(
        self, client: Client, as_person: As, alice: Any, bob: Any, name: str
    ) -> None:
        sweep = swept(1, owner=alice, visibility="private")

        answers = [
            browser.get(address(name, sweep)).status_code
            for browser in (client, as_person(bob), as_person(alice))
        ]

        assert answers == [404, 404, 200]

    @pytest.mark.parametrize("name", PAGES)
    def test_shows_an_unlisted_sweep_to_whoever_has_the_address(
        self, client: Client, alice: Any, name: str
    ) -> None:
        sweep = swept(1, owner=alice, visibility="unlisted")

        assert client.get(address(name, sweep)).status_code == 200
        assert sweep.name not in client.get(LIST).content.decode()

    @pytest.mark.parametrize("verb", [*VERBS, "edit"])
    def test_does_not_obey_others(
        self, client: Client, as_person: As, alice: Any, charlie: Any, verb: str
    ) -> None:
        sweep = swept(1, owner=alice)

        assert as_person(charlie).post(address(verb, sweep)).status_code == 404
        assert client.post(address(verb, sweep)).status_code == 302  # to sign in
        assert statuses(sweep) == ["pending"]

    def test_offers_controls_to_its_owner_alone(self, client: Client, as_person: As, alice: Any) -> None:
        sweep = swept(1, owner=alice)

        pages = [browser.get(address("detail", sweep)) for browser in (client, as_person(alice))]

        assert ["Pause all" in page.content.decode() for page in pages] == [False, True]

    def test_leaves_out_a_run_that_its_owner_made_private(self, client: Client, alice: Any) -> None:
        sweep = finished(swept(2, owner=alice))
        Run.objects.filter(seed=2).update(visibility="private")

        page = client.get(address("detail", sweep)).content.decode()

        assert "Seed 1" in page
        assert "Seed 2" not in page

    def test_tells_of_a_runs_sweep_only_who_may_see_it(self, client: Client, alice: Any) -> None:
        sweep = swept(1, owner=alice, name="Secret sweep", visibility="private")
        sweep.runs.update(visibility="public", name="A run")

        assert "Secret sweep" not in client.get(sweep.runs.get().get_absolute_url()).content.decode()
        Sweep.objects.update(visibility="public")
        assert "Secret sweep" in client.get(sweep.runs.get().get_absolute_url()).content.decode()

    def test_shows_a_sweep_whose_runs_are_gone(self, client: Client, alice: Any) -> None:
        sweep = swept(1, owner=alice)
        sweep.runs.all().delete()

        assert [client.get(address(name, sweep)).status_code for name in PAGES] == [200] * 3

    def test_escapes_what_people_write(self, client: Client, alice: Any) -> None:
        sweep = swept(1, owner=alice, name="<script>alert(1)</script>")

        for wanted in (address("detail", sweep), LIST, reverse("home")):
            assert "<script>alert" not in client.get(wanted).content.decode()


class TestLaunching:
    def test_stores_a_sweep_shows_it_and_admits_its_first_runs(
        self, as_person: As, alice: Any, settings: LazySettings, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.ACTIVE_RUNS_PER_USER = 2
        from tests.runs.test_forms import CHOICES

        with django_capture_on_commit_callbacks(execute=True):
            answer = as_person(alice).post(reverse("runs:launch"), {**CHOICES, "runs": "3"})

        sweep = Sweep.objects.get()
        assert answer["Location"] == sweep.get_absolute_url()
        assert statuses(sweep) == ["queued", "queued", "pending"]

    def test_estimates_all_runs_together(self, client: Client) -> None:
        from tests.runs.test_forms import CHOICES

        answer = client.get(reverse("runs:estimate"), {**CHOICES, "runs": "3"})

        assert answer.context["estimate"].evaluations == 3 * 8 * 30
        assert "by three runs" in answer.content.decode()


class TestLists:
    def cards(self, client: Client, **query: str) -> list[Run]:
        return list(client.get(LIST, query).context["page"])

    def test_shows_a_sweep_once_among_the_runs(self, client: Client, alice: Any) -> None:
        alone = launched(owner=alice)
        sweep = swept(3, owner=alice)

        assert [run.sweep or run for run in self.cards(client)] == [sweep, alone]
        assert "Sweep ·" in client.get(LIST).content.decode()

    def test_shows_a_sweep_when_one_of_its_runs_has_the_status(self, client: Client, alice: Any) -> None:
        sweep = swept(3, owner=alice)
        sweep.runs.filter(seed=2).update(status="failed")

        [card] = self.cards(client, status="failed")
        assert card.sweep == sweep
        assert len(card.sweep.listed) == 3
        assert self.cards(client, status="finished") == []

    def test_counts_what_is_listed(self, client: Client, alice: Any) -> None:
        sweep = swept(3, owner=alice)
        sweep.runs.filter(seed=2).update(visibility="private")

        [card] = self.cards(client)

        assert card.sweep
        assert len(card.sweep.listed) == 2


class TestQueries:
    """However many runs a sweep has, and however many sweeps there are, a page asks the database as often."""

    @pytest.mark.parametrize(("name", "number"), [("detail", 5), ("progress", 4), ("images", 3)])
    def test_asks_as_often_for_many_runs_as_for_one(
        self, client: Client, alice: Any, django_assert_num_queries: Any, name: str, number: int
    ) -> None:
        for runs in (1, 6):
            sweep = swept(runs, owner=alice)
            for run in sweep.runs.all():
                with_champions(run, [1, 2, 3])

            with django_assert_num_queries(number):  # sweep, runs, latest statistics, chart, champions
                client.get(address(name, sweep))

    def test_asks_as_often_for_many_sweeps_as_for_one(
        self, client: Client, alice: Any, django_assert_num_queries: Any
    ) -> None:
        for _ in range(2):
            for run in swept(2, owner=alice).runs.all():
                with_champions(run, [1, 2])

            with django_assert_num_queries(4):  # count, runs, champions, the sweeps' runs
                client.get(LIST)


class TestNumbers:
    def test_takes_median_and_band_over_the_runs_that_got_so_far(self, alice: Any) -> None:
        """Medians .2, .4, .9 in generation 0: median .4, band .2 to .9; in generation 1 two runs are left."""
        sweep = swept(3, owner=alice)
        medians = {1: [0.2, 0.3], 2: [0.4, 0.7], 3: [0.9]}
        for run in sweep.runs.all():
            Run.objects.filter(pk=run.pk).update(generation=len(medians[run.seed]) - 1)
            GenerationStat.objects.bulk_create(
                GenerationStat(
                    run=run,
                    generation=generation,
                    median=value,
                    **dict.fromkeys(("mean", "max", "share_99", "share_9999", "seconds"), 0),
                    takeovers=0,
                    evaluations=0,
                )
                for generation, value in enumerate(medians[run.seed])
            )

        columns = json.loads(progress_of(runs_of(sweep, alice))["chart_json"])

        assert columns == {
            "generation": [0, 1],
            "median": [0.4, 0.5],
            "low": [0.2, 0.3],
            "high": [0.9, 0.7],
            "runs": [3, 2],
        }

    def test_keeps_a_long_chart_light_and_its_end_exact(self, alice: Any) -> None:
        sweep = swept(2, owner=alice)
        Run.objects.update(generation=4999)
        GenerationStat.objects.bulk_create(
            GenerationStat(
                run=run,
                generation=generation,
                **dict.fromkeys(("median", "mean", "max", "share_99", "share_9999", "seconds"), 0.5),
                takeovers=0,
                evaluations=0,
            )
            for run in sweep.runs.all()
            for generation in range(5000)
        )

        generations = json.loads(progress_of(runs_of(sweep, alice))["chart_json"])["generation"]

        assert 250 < len(generations) < 400
        assert (generations[0], generations[-1]) == (0, 4999)

    def test_comes_to_the_medians_of_its_runs(self, client: Client, alice: Any) -> None:
        sweep = finished(swept(3, owner=alice))

        context = client.get(address("detail", sweep)).context

        medians = sorted(sweep.runs.values_list("median_confidence", flat=True))
        spread = dict(context["confidences"])["Median over the classes"]
        assert (spread.low, spread.median, spread.high) == tuple(medians)
        assert context["summary"].median_confidence.median == medians[1]
        assert context["summary"].evaluations == 3 * 120

    def test_says_nothing_of_no_numbers(self) -> None:
        assert spread_of([]) is None
        assert summarise([]).progress == 0

    @pytest.mark.parametrize(
        ("statuses_", "status"),
        [
            (["finished", "running", "pending"], "running"),
            (["finished", "pending", "queued"], "queued"),
            (["finished", "paused", "pending"], "pending"),
            (["finished", "paused"], "paused"),
            (["failed", "finished"], "finished"),
            (["failed", "cancelled"], "failed"),
            (["cancelled"], "cancelled"),
        ],
    )
    def test_is_as_far_as_the_run_that_has_most_to_do(self, statuses_: list[str], status: str) -> None:
        assert summarise([Run(status=each, generations=5) for each in statuses_]).status == status

    def test_asks_for_news_only_while_a_run_is_at_work(self, client: Client, alice: Any) -> None:
        sweep = swept(1, owner=alice)
        during = client.get(address("detail", sweep)).content.decode()
        sweep.cancel()
        after = client.get(address("detail", sweep)).content.decode()

        assert ("every 3s" in during, "every 3s" in after) == (True, False)


class TestSideBySide:
    def test_hangs_every_runs_champions_under_their_classes(self, client: Client, alice: Any) -> None:
        sweep = finished(swept(2, owner=alice))

        page = client.get(address("detail", sweep)).content.decode()

        shown = [
            str(number) in page for number in sweep.runs.values_list("champions__individual__genome_hash")
        ]
        assert page.count("evolved image, LeNet says") == 20
        assert len(shown) == 20

    def test_leaves_the_place_of_a_vacant_class_free(self, alice: Any) -> None:
        sweep = swept(1, owner=alice)
        with_champions(sweep.runs.get(), [2])

        [row] = rows_of(runs_of(sweep, alice), [1, 2])

        assert row.champions[0] is None
        assert row.champions[1] is not None

    @pytest.fixture
    def thousand(self, alice: Any) -> Sweep:
        sweep = swept(2, "efficientnet-lite0", owner=alice)
        for run in sweep.runs.all():
            with_champions(run, [0, 1, 42, 43, 44, 45, 152])
        return sweep

    def shown(self, client: Client, sweep: Sweep, **query: str) -> list[int]:
        return [index for index, _ in client.get(address("detail", sweep), query).context["classes"]]

    def test_parts_a_thousand_classes_into_pages_of_ten(self, client: Client, thousand: Sweep) -> None:
        assert self.shown(client, thousand) == list(range(10))
        assert self.shown(client, thousand, page="100") == list(range(990, 1000))

    def test_finds_classes_by_name(self, client: Client, thousand: Sweep) -> None:
        """Of the classes, 43 is the frilled lizard and 152 the Japanese spaniel."""
        assert 43 in self.shown(client, thousand, q="frilled")
        assert self.shown(client, thousand, q="japanese spaniel") == [152]
        assert self.shown(client, thousand, q="no such thing") == []

    def test_finds_the_families_of_figure_9(self, client: Client, thousand: Sweep) -> None:
        """Agama 42, frilled lizard 43, green lizard 46; Japanese spaniel 152, Pekinese 154, Blenheim spaniel 156."""
        assert {42, 43, 46} <= set(self.shown(client, thousand, group="lizards"))
        assert {152, 154, 156} <= set(self.shown(client, thousand, group="toy-dogs"))

    @pytest.mark.parametrize("query", ["page=x", "page=-1", "group=nonsense", "rows=99", "q=%00"])
    def test_shrugs_at_nonsense(self, client: Client, thousand: Sweep, query: str) -> None:
        assert client.get(f"{address('detail', thousand)}?{query}").status_code == 200

    def test_offers_no_search_where_all_classes_fit(self, client: Client, alice: Any) -> None:
        page = client.get(address("detail", swept(1, owner=alice))).content.decode()

        assert 'role="search"' not in page
