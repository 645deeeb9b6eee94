"""Images from outside in a run's archive: they take what they win, and the search goes on as it would have."""

from typing import Any

import numpy as np
import pytest
from django.urls import reverse

from evolution.encoding import encoding_for
from fooling_web.runs.execution import archive_sha256, judged_by
from fooling_web.runs.guests import Guest, admit
from fooling_web.runs.models import GenerationStat, LeaseLost, Run
from tests.factories import execute_once, executed, launched

pytestmark = pytest.mark.django_db

TAKEN = (3, 7)


def guest_of(run: Run, sure: float = 0.999999, classes: tuple[int, ...] = TAKEN, seed: int = 8) -> Guest:
    """Return a network of the run's kind of which the classifier is made to be sure, for some classes."""
    encoding = encoding_for(run.settings)
    genome, genome_hash = encoding.written(encoding.random(1, np.random.default_rng(seed)), 0)
    confidences = np.zeros(10, np.float32)
    confidences[list(classes)] = sure
    return Guest(genome, genome_hash, confidences, [(index, sure) for index in classes])


def borrowed(run: Run) -> Run:
    run.refresh_from_db()
    assert run.borrow("a test")
    return run


def visit(run: Run, guest: Guest) -> Any:
    """Let a guest into a run that nobody holds."""
    admitted = admit(borrowed(run), guest)
    run.release()
    return admitted


@pytest.mark.usefixtures("every_generation_kept")
def test_goes_on_bit_for_bit_after_a_guest_whether_in_slices_or_at_once():
    """A worker that dies loses what it had not kept; from what it kept the run goes on to the same end."""

    def ended(seconds: float) -> Run:
        run = launched(generations=8)
        while run.generation is None or run.generation < 3:
            assert execute_once(run, seconds=0)
        visit(run, guest_of(run))
        while run.is_unfinished:
            assert execute_once(run, seconds=seconds)
        return run

    at_once, in_slices = ended(float("inf")), ended(0)

    assert archive_sha256(in_slices) == archive_sha256(at_once)
    assert (at_once.generation, at_once.generations, at_once.guests) == (9, 9, 1)
    names = ("generation", "class_index", "individual__number", "confidence", "taken_from")
    histories = [list(run.takeovers.values_list(*names)) for run in (at_once, in_slices)]
    assert histories[0] == histories[1]
    assert at_once.statistics.count() == 10
    assert at_once.evaluations == at_once.settings.evaluations + 1


def test_writes_a_generation_of_its_own(finished_run):
    before = {one.class_index: one.individual.number for one in finished_run.champions.all()}
    evaluations, generation = finished_run.evaluations, finished_run.generation

    individual, won = visit(finished_run, guest_of(finished_run))

    assert [one.class_index for one in won] == [3, 7]
    assert (individual.number, individual.generation) == (evaluations, generation + 1)
    assert individual.came_from_outside
    assert list(finished_run.guest_individuals) == [individual]
    taken = finished_run.takeovers.filter(individual=individual)
    assert {one.class_index: one.taken_from for one in taken} == {3: before[3], 7: before[7]}
    held = finished_run.champions.filter(individual=individual)
    assert [(one.class_index, one.generation) for one in held] == [(3, generation + 1), (7, generation + 1)]
    statistics = GenerationStat.objects.get(run=finished_run, generation=generation + 1)
    confidences = [one.confidence for one in finished_run.champions.all()]
    assert (statistics.takeovers, statistics.evaluations) == (2, evaluations + 1)
    assert statistics.median == pytest.approx(np.median(confidences))
    finished_run.refresh_from_db()
    assert (finished_run.generation, finished_run.evaluations) == (generation + 1, evaluations + 1)
    assert (finished_run.guests, finished_run.status) == (1, Run.Status.FINISHED)


@pytest.mark.parametrize("sure", [0.0, 1e-9])
def test_leaves_no_trace_of_a_guest_that_takes_no_class(finished_run, sure):
    before = Run.objects.filter(pk=finished_run.pk).values("generation", "generations", "evaluations").get()
    n_individuals = finished_run.individuals.count()

    assert visit(finished_run, guest_of(finished_run, sure)) == (None, [])

    after = Run.objects.filter(pk=finished_run.pk).values("generation", "generations", "evaluations").get()
    assert after == before
    assert (finished_run.individuals.count(), finished_run.guests) == (n_individuals, 0)


def test_lets_no_picture_take_a_class_from_itself(finished_run):
    champion = finished_run.champions.get(class_index=3).individual
    same = guest_of(finished_run)._replace(genome=bytes(champion.genome), genome_hash=champion.genome_hash)

    _, won = visit(finished_run, same)

    assert 3 not in [one.class_index for one in won]


def test_keeps_nothing_where_another_worker_holds_the_run(finished_run):
    mine = borrowed(finished_run)
    Run.objects.filter(pk=mine.pk).update(lease_number=mine.lease_number + 1)

    with pytest.raises(LeaseLost):
        admit(mine, guest_of(mine))

    assert not mine.individuals.filter(generation__gt=5).exists()


def test_judges_as_the_run_judged_its_own(finished_run):
    champion = finished_run.champions.get(class_index=3)
    encoding = encoding_for(finished_run.settings)
    document = encoding.to_json(encoding.from_bytes([bytes(champion.individual.genome)]), 0)

    judged = judged_by(finished_run, [document])

    assert judged.genomes == [(bytes(champion.individual.genome), champion.individual.genome_hash)]
    assert judged.confidences[0, 3] == pytest.approx(champion.confidence, abs=1e-6)
    assert judged.tops[0][0][0] == champion.individual.top[0][0]


def test_borrows_a_run_that_nobody_holds_and_no_other(run):
    other = Run.objects.get(pk=run.pk)

    assert run.borrow("one")
    assert not other.borrow("another")
    assert not execute_once(other)
    run.release()
    other.refresh_from_db()
    assert other.borrow("another")
    assert other.status == Run.Status.QUEUED


def test_a_bell_that_was_rung_before_finds_the_number_gone_by(run):
    from fooling_web.runs.execution import execute

    rung = run.lease_number
    borrowed(run).release()

    assert not execute(run, holder="late", lease_number=rung)


def test_shows_on_the_page_of_the_run_what_came_from_outside(client, finished_run):
    visit(finished_run, guest_of(finished_run))

    page = client.get(finished_run.get_absolute_url()).content.decode()

    assert "2 classes were taken by pictures that people bred" in page
    assert page.count("bred by hand") == 4  # two cells, and two that the line above names
    assert "Of these they still hold:" in page
    assert "from generation 6 on they took classes" in page
    champion = client.get(reverse("runs:champion", args=[finished_run.pk, 3])).content.decode()
    assert "bred by hand" in champion


def test_says_that_the_line_of_a_guest_begins_by_hand(client, finished_run):
    visit(finished_run, guest_of(finished_run))

    genes = client.get(reverse("runs:genes", args=[finished_run.pk, 3])).content.decode()

    assert "begins with a picture that was bred by hand" in genes


def test_sends_the_mark_to_those_who_watch(client, finished_run):
    visit(finished_run, guest_of(finished_run))

    changes = client.get(reverse("runs:advance", args=[finished_run.pk]), {"since": 5}).content.decode()

    assert changes.count("bred by hand") == 2


def test_says_nothing_of_guests_on_the_page_of_a_run_without(client, finished_run):
    page = client.get(finished_run.get_absolute_url()).content.decode()

    assert "bred" not in page


def test_a_run_begins_with_its_founders_and_a_clone_may_too(alice):
    champions = executed(launched(seed=5)).champions.all()[:3]
    encoding = encoding_for(launched().settings)
    documents = [
        encoding.to_json(encoding.from_bytes([bytes(one.individual.genome)]), 0) for one in champions
    ]

    run, same, other = (executed(launched(founders=one)) for one in (documents, documents, ()))

    assert run.n_founders == 3
    assert run.founding_genomes == documents
    assert archive_sha256(run) == archive_sha256(same) != archive_sha256(other)
    hashes = set(run.individuals.filter(generation=0, number__lt=3).values_list("genome_hash", flat=True))
    assert hashes
    assert hashes <= {one.individual.genome_hash for one in champions}


def test_deletes_a_run_with_its_guests(client, finished_run, alice, as_person):
    visit(finished_run, guest_of(finished_run))

    as_person(alice).post(reverse("runs:delete", args=[finished_run.pk]))

    assert not Run.objects.exists()


def test_its_owner_opens_a_run_to_bred_pictures(finished_run, alice, as_person, client):
    address = reverse("runs:edit", args=[finished_run.pk])

    as_person(alice).post(address, {"name": "Open", "visibility": "public", "accepts_bred": "on"})

    finished_run.refresh_from_db()
    assert finished_run.accepts_bred
    assert "Open to bred pictures" in client.get(finished_run.get_absolute_url()).content.decode()


def test_a_run_of_pixels_cannot_be_opened(alice, as_person):
    run = launched(encoding="direct", owner=alice)
    address = reverse("runs:edit", args=[run.pk])

    assert "accepts_bred" not in as_person(alice).get(address).content.decode()
    as_person(alice).post(address, {"name": "Pixels", "visibility": "public", "accepts_bred": "on"})

    run.refresh_from_db()
    assert not run.accepts_bred
