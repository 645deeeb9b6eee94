"""Executing runs: from the first image to the last, in one go or in pieces, undisturbed or not."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from evolution.encoding import encoding_for
from evolution.map_elites import Search, evolve
from fooling_web.runs import execution
from fooling_web.runs.execution import archive_sha256
from fooling_web.runs.models import GenerationStat, Run
from models_zoo.registry import load
from tests.factories import execute_once, executed, launched

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_generation_kept")]

KINDS = [
    ("mnist-lenet", "cppn", "paper"),
    ("mnist-lenet", "direct", "paper"),
    ("mnist-lenet", "cppn", "released-code"),
    ("mnist-lenet", "direct", "released-code"),
    ("mnist-mlp", "cppn", "paper"),
]


def pure_archive_sha256(run: Run) -> str:
    """Return what the engine alone comes to, without a database."""
    parameters, classifier = run.settings, load(run.classifier)
    encoding, search = encoding_for(parameters), Search.begin(classifier.n_classes, run.seed)
    for _ in evolve(encoding, classifier, parameters, search):
        pass
    return search.archive.sha256(encoding)


def after(generation: int, deed: Callable[[Run], Any]) -> Callable[[Run], None]:
    """Return a `watch` that does something once, after the flush of a generation."""
    done: list[int] = []

    def watch(run: Run) -> None:
        if run.generation == generation and not done:
            done.append(generation)
            deed(Run.objects.get(pk=run.pk))

    return watch


def expire(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


INDIVIDUAL = ("number", "generation", "parents", "top", "genome_hash")
TAKEOVER = ("generation", "class_index", "individual__number", "confidence", "taken_from")
CHAMPION = ("class_index", "individual__number", "confidence", "generation")
STATISTICS = ("generation", "median", "mean", "max", "share_99", "share_9999", "takeovers", "evaluations")


def history(run: Run) -> list[Any]:
    """Return everything that a run holds, but for times and keys."""
    return [
        list(run.individuals.order_by("number").values_list(*INDIVIDUAL)),
        list(run.takeovers.values_list(*TAKEOVER)),
        list(run.champions.values_list(*CHAMPION)),
        list(run.statistics.values_list(*STATISTICS)),
    ]


def in_slices(run: Run) -> Run:
    """Execute a run one flush at a time."""
    while run.is_active:
        assert execute_once(run, seconds=0)
    return run


@pytest.mark.parametrize(("classifier", "encoding", "fidelity"), KINDS)
def test_comes_to_what_the_engine_alone_comes_to(classifier: str, encoding: str, fidelity: str) -> None:
    run = launched(classifier, encoding, fidelity)

    executed(run)

    assert archive_sha256(run) == pure_archive_sha256(run)


@pytest.mark.parametrize(("classifier", "encoding", "fidelity"), KINDS)
def test_comes_to_the_same_in_many_slices(classifier: str, encoding: str, fidelity: str) -> None:
    whole = executed(launched(classifier, encoding, fidelity))

    sliced = in_slices(launched(classifier, encoding, fidelity))

    assert sliced.lease_number == 7  # generations 0 to 5, a slice each, and one to find that it is done
    assert archive_sha256(sliced) == archive_sha256(whole)
    assert history(sliced) == history(whole)


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_comes_to_the_same_after_another_worker_took_over(encoding: str) -> None:
    whole = executed(launched(encoding=encoding))
    run = launched(encoding=encoding)

    def take_over(run: Run) -> None:
        expire(run)
        run.claim("another", run.lease_number)

    ours_to_advance = execute_once(run, watch=after(2, take_over))

    run.refresh_from_db()
    assert not ours_to_advance
    assert (run.lease_holder, run.generation) == ("another", 2)
    assert run.statistics.count() == 3  # of generation 3 nothing was kept
    expire(run)
    executed(run)
    assert history(run) == history(whole)
    assert archive_sha256(run) == archive_sha256(whole)


def test_comes_to_the_same_whatever_the_flushes(settings: LazySettings) -> None:
    often = executed(launched())
    settings.RUN_FLUSH_SECONDS = 3600

    seldom = executed(launched())

    assert history(seldom) == history(often)


def test_comes_to_something_else_with_another_seed() -> None:
    runs = [executed(launched(seed=seed)) for seed in (1, 2)]

    assert archive_sha256(runs[0]) != archive_sha256(runs[1])


def test_takes_the_largest_seed() -> None:
    run = executed(launched(seed=2**63 - 1))

    assert archive_sha256(run) == pure_archive_sha256(run)


def test_ends_as_finished_with_its_lease_given_back() -> None:
    run = executed(launched())

    assert (run.generation, run.evaluations) == (5, 120)
    assert run.finished_at is not None
    assert run.lease_until is None
    assert run.seconds > 0
    assert run.progress == 1


def test_leaves_a_finished_run_alone() -> None:
    run = executed(launched())
    before = history(run)

    assert not execute_once(run)

    assert history(run) == before


def test_leaves_a_run_alone_that_another_holds() -> None:
    run = launched()
    run.claim("another", 0)

    assert not execute_once(run)

    assert run.individuals.count() == 0


class TestHistory:
    @pytest.fixture(params=["cppn", "direct"])
    def run(self, request: pytest.FixtureRequest, settings: LazySettings, every_generation_kept: None) -> Run:
        settings.RUN_FLUSH_SECONDS = 3600
        return executed(launched(encoding=request.param, fidelity="released-code", generations=20))

    def test_has_the_last_takeover_of_each_class_as_its_champion(self, run: Run) -> None:
        last = {takeover.class_index: takeover for takeover in run.takeovers.all()}

        assert run.champions.count() == 10
        for champion in run.champions.all():
            takeover = last[champion.class_index]
            assert champion.individual_id == takeover.individual_id
            assert (champion.confidence, champion.generation) == (takeover.confidence, takeover.generation)

    def test_lets_confidence_only_rise(self, run: Run) -> None:
        for class_index in range(10):
            held = run.takeovers.filter(class_index=class_index).values_list("confidence", flat=True)

            assert list(held) == sorted(set(held))

    def test_names_from_whom_each_class_was_taken(self, run: Run) -> None:
        for class_index in range(10):
            takeovers = run.takeovers.filter(class_index=class_index)
            holders = list(takeovers.values_list("individual__number", flat=True))

            assert list(takeovers.values_list("taken_from", flat=True)) == [None, *holders[:-1]]

    def test_knows_every_parent(self, run: Run) -> None:
        known = set(run.individuals.values_list("number", flat=True))

        for individual in run.individuals.all():
            assert set(individual.parents) <= known
            assert all(parent < individual.number for parent in individual.parents)
            assert bool(individual.parents) == (individual.generation > 0)

    def test_keeps_only_those_who_held_a_class(self, run: Run) -> None:
        holders = set(run.takeovers.values_list("individual_id", flat=True))

        assert set(run.individuals.values_list("pk", flat=True)) == holders

    def test_numbers_individuals_through_the_generations(self, run: Run) -> None:
        assert all(
            number // 20 == born for number, born in run.individuals.values_list("number", "generation")
        )

    def test_has_a_line_of_statistics_for_each_generation(self, run: Run) -> None:
        lines = list(run.statistics.all())

        assert [line.generation for line in lines] == list(range(21))
        assert [line.evaluations for line in lines] == [20 * (generation + 1) for generation in range(21)]
        assert sum(line.takeovers for line in lines) == run.takeovers.count()
        assert [line.seconds for line in lines] == sorted(line.seconds for line in lines)

    def test_ends_with_the_statistics_of_its_champions(self, run: Run) -> None:
        confidences = sorted(run.champions.values_list("confidence", flat=True))
        latest = run.statistics.latest("generation")

        assert latest.max == run.max_confidence == confidences[-1]
        assert latest.median == run.median_confidence == pytest.approx((confidences[4] + confidences[5]) / 2)
        assert latest.mean == pytest.approx(sum(confidences) / 10)
        assert latest.share_99 == sum(confidence >= 0.99 for confidence in confidences) / 10
        assert latest.share_9999 == sum(confidence >= 0.9999 for confidence in confidences) / 10

    def test_keeps_what_the_classifier_says_of_each_champions_picture(self, run: Run) -> None:
        encoding, classifier = encoding_for(run.settings), load(run.classifier)
        champions = list(run.champions.select_related("individual"))
        genomes = encoding.from_bytes([bytes(champion.individual.genome) for champion in champions])

        confidences = classifier(encoding.develop(genomes))  # (10, 10)

        for row, champion in enumerate(champions):
            said = confidences[row, champion.class_index]
            top = dict(champion.individual.top)
            assert champion.confidence == pytest.approx(said, abs=1e-5)
            assert len(top) == 5
            assert top[confidences[row].argmax()] == pytest.approx(confidences[row].max(), abs=1e-5)


class TestSteering:
    def test_pauses_within_the_flush_and_goes_on_when_resumed(self) -> None:
        whole = executed(launched())
        run = launched()

        execute_once(run, watch=after(2, Run.pause))

        run.refresh_from_db()
        assert (run.status, run.generation, run.lease_until) == (Run.Status.PAUSED, 3, None)
        assert not execute_once(run)
        run.resume()
        executed(run)
        assert history(run) == history(whole)

    def test_pauses_within_two_seconds_at_its_usual_pace(self, settings: LazySettings) -> None:
        settings.RUN_FLUSH_SECONDS = 1.0
        run = launched(generations=100_000)

        began = time.monotonic()
        execute_once(run, watch=lambda run: Run.objects.get(pk=run.pk).pause())

        run.refresh_from_db()
        assert run.status == Run.Status.PAUSED
        assert time.monotonic() - began < 10  # seconds; a run of this length takes an hour

    def test_stops_for_good_when_cancelled(self) -> None:
        run = launched()

        execute_once(run, watch=after(2, Run.cancel))

        run.refresh_from_db()
        assert (run.status, run.generation, run.lease_until) == (Run.Status.CANCELLED, 3, None)
        assert run.champions.count() == 10

    def test_is_running_again_when_resumed_before_its_worker_noticed(self) -> None:
        run = launched()
        seen: list[str] = []

        def pause_and_resume(run: Run) -> None:
            run.pause()
            run.resume()

        change = after(2, pause_and_resume)
        execute_once(run, watch=lambda run: (change(run), seen.append(run.status)))  # type: ignore[func-returns-value]

        assert seen == ["running", "running", "running", "queued", "running", "running", "finished"]

    def test_finishes_a_run_that_was_paused_at_its_last_generation(self) -> None:
        run = launched()
        execute_once(run, watch=after(5, Run.pause))
        run.refresh_from_db()
        assert run.status == Run.Status.PAUSED

        run.resume()

        executed(run)

    def test_drops_what_a_deleted_run_would_have_kept(self) -> None:
        run = launched()

        assert not execute_once(run, watch=after(2, Run.delete))

        assert not Run.objects.exists()
        assert not GenerationStat.objects.exists()

    def test_lets_two_runs_take_turns(self) -> None:
        whole = executed(launched())
        runs = [launched(), launched(encoding="direct")]

        for _ in range(7):
            for run in runs:
                assert execute_once(run, seconds=0)

        assert [run.status for run in runs] == [Run.Status.FINISHED] * 2
        assert history(runs[0]) == history(whole)


class TestDamage:
    @pytest.fixture
    def halfway(self, every_generation_kept: None) -> Run:
        run = launched()
        execute_once(run, watch=after(2, Run.pause))
        run.resume()
        return run

    @pytest.fixture(autouse=True)
    def _nothing_is_lost(self, request: pytest.FixtureRequest) -> Iterator[None]:
        run = request.getfixturevalue("halfway")
        before = history(run)
        yield
        assert history(run) == before
        assert run.lease_until is None

    def failure(self, run: Run) -> str:
        assert execute_once(run)
        run.refresh_from_db()
        assert run.status == Run.Status.FAILED
        assert "\n" not in run.error
        return run.error

    @pytest.mark.parametrize("genome", [b"", b"no genome at all", b"x\x9c\xab\xae\x05\x00\x01u\x00\xf9"])
    def test_refuses_a_damaged_genome(self, halfway: Run, genome: bytes) -> None:
        champion = halfway.champions.select_related("individual")[3]
        type(champion.individual).objects.filter(pk=champion.individual_id).update(genome=genome)

        assert "clone the run to start anew" in self.failure(halfway)

    def test_refuses_a_genome_that_is_another_ones(self, halfway: Run) -> None:
        one = halfway.individuals.latest("number")
        halfway.individuals.exclude(pk=one.pk).update(genome=one.genome)

        assert "does not match its fingerprint" in self.failure(halfway)

    @pytest.mark.parametrize(
        "state",
        [None, {}, [], "abc", {"state": {"state": "x", "inc": "1"}}, {"bit_generator": "PCG64", "state": {}}],
    )
    def test_refuses_a_damaged_random_state(self, halfway: Run, state: Any) -> None:
        Run.objects.filter(pk=halfway.pk).update(random_state=state)

        assert "random state" in self.failure(halfway)

    def test_refuses_weights_that_are_not_those_it_was_launched_with(self, halfway: Run) -> None:
        Run.objects.filter(pk=halfway.pk).update(classifier_sha256="0" * 64)

        assert "have changed since this run was launched" in self.failure(halfway)

    def test_refuses_a_classifier_that_is_not_known(self, halfway: Run) -> None:
        Run.objects.filter(pk=halfway.pk).update(classifier="mnist-oracle")

        assert "unknown classifier 'mnist-oracle'" in self.failure(halfway)

    @pytest.mark.parametrize("parameters", [{}, {"encoding": "cppn"}, [], "abc", 7])
    def test_refuses_damaged_parameters(self, halfway: Run, parameters: Any) -> None:
        Run.objects.filter(pk=halfway.pk).update(parameters=parameters)

        assert "parameters" in self.failure(halfway)

    def test_gives_up_after_many_attempts_that_kept_nothing(
        self, halfway: Run, settings: LazySettings
    ) -> None:
        Run.objects.filter(pk=halfway.pk).update(attempts=settings.RUN_ATTEMPTS)

        assert "without progress" in self.failure(halfway)


def test_tries_as_often_as_it_says(settings: LazySettings) -> None:
    run = launched()
    Run.objects.filter(pk=run.pk).update(attempts=settings.RUN_ATTEMPTS - 1)

    executed(run)

    assert run.attempts == 0


class TestWriting:
    def test_writes_all_of_a_flush_or_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        run = launched()
        in_the_way = {"median": 0, "mean": 0, "max": 0, "share_99": 0, "share_9999": 0}
        GenerationStat.objects.create(
            run=run, generation=3, takeovers=0, evaluations=0, seconds=0, **in_the_way
        )

        with caplog.at_level(logging.CRITICAL, "fooling_web.runs.execution"):
            execute_once(run)

        run.refresh_from_db()
        assert run.status == Run.Status.FAILED
        assert "an error in the program" in run.error
        assert (run.generation, run.evaluations) == (2, 60)
        assert set(run.individuals.values_list("generation", flat=True)) <= {0, 1, 2}
        assert set(run.takeovers.values_list("generation", flat=True)) <= {0, 1, 2}
        assert set(run.champions.values_list("generation", flat=True)) <= {0, 1, 2}

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.skipif(
        connection.vendor != "sqlite", reason="a lock on the whole database is SQLite's alone"
    )
    def test_tries_again_after_the_database_could_not_be_written(self) -> None:
        whole = executed(launched())
        run = launched()
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)

        def lock(run: Run) -> None:
            connection.cursor().execute("PRAGMA busy_timeout=20")
            other.execute("BEGIN IMMEDIATE")

        ours = execute_once(run, watch=after(2, lock))
        other.execute("ROLLBACK")
        other.close()

        run.refresh_from_db()
        assert not ours
        assert (run.status, run.generation) == (Run.Status.RUNNING, 2)
        expire(run)
        executed(run)
        assert history(run) == history(whole)


class TestWithoutDoorbells:
    def test_runs_to_its_end_while_nobody_can_be_told(self, settings: LazySettings) -> None:
        settings.CHANNEL_LAYERS = {
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": ["unix:///nowhere/valkey.sock?db=2"]},
            }
        }

        run = executed(launched())

        assert run.generation == 5


class TestLongGenerations:
    """A generation that takes longer than a flush holds its lease, and need not end before a pause."""

    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        monkeypatch.setattr(execution, "MOST_AT_ONCE", 10)
        settings.RUN_FLUSH_SECONDS = 0  # look up after every batch

    def test_holds_the_lease_in_the_midst_of_a_generation(self, run: Run) -> None:
        assert run.claim("test", run.lease_number)
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now())
        execution.Attentive(run, load("mnist-lenet"))(np.zeros((20, 1, 28, 28), np.float32))
        run.refresh_from_db()
        assert run.lease_until > timezone.now()

    def test_stops_in_the_midst_when_it_is_paused(self, run: Run) -> None:
        assert run.claim("test", run.lease_number)
        Run.objects.get(pk=run.pk).pause()
        with pytest.raises(execution.Unwanted):
            execution.Attentive(run, load("mnist-lenet"))(np.zeros((20, 1, 28, 28), np.float32))

    def test_comes_to_the_same_archive_after_a_stop_in_the_midst(self, run: Run, alice: Any) -> None:
        undisturbed = executed(launched(owner=alice))
        assert execute_once(run, watch=after(2, Run.pause))
        run.refresh_from_db()
        assert (run.status, run.generation) == (Run.Status.PAUSED, 2)
        assert run.resume()
        assert archive_sha256(executed(run)) == archive_sha256(undisturbed)
