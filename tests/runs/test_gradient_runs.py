"""Runs of gradient ascent: executed in slices like any other, and how far each image came on a page of its own."""

import csv
import io
import re

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from fooling_web.runs import execution
from fooling_web.runs.climbing import climb_of
from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Run, SearchState
from fooling_web.runs.pictures import png_of
from fooling_web.runs.watching import page_of
from models_zoo.classifier import Classifier
from tests.factories import execute_once, executed

pytestmark = pytest.mark.django_db

CLASSES, STARTS, STEPS = (1, 7), 2, 90


def climbing(owner=None, **choices):
    """Store a queued run in which LeNet's 1 and 7 are climbed from two starts each."""
    choices = {"generations": STEPS, "classes": CLASSES, "starts": STARTS, **choices}
    parameters = parameters_for("mnist-lenet", "gradient", **choices)
    return launch("mnist-lenet", "gradient", parameters=parameters, seed=1, owner=owner)


def history(run):
    takeovers = run.takeovers.values_list("generation", "class_index", "individual__number", "confidence")
    climbs = run.climbs.values_list(
        "class_index", "start", *[f"step_{name}" for name in ("top", "99", "999", "9999")]
    )
    statistics = run.statistics.values_list("generation", "median", "max", "takeovers", "evaluations")
    return [list(takeovers), list(climbs), list(statistics), execution.archive_sha256(run)]


@pytest.fixture
def whole(alice):
    return executed(climbing(owner=alice))


@pytest.fixture
def brief(alice):
    """A run that passes its first milestones only."""
    return executed(climbing(owner=alice, generations=12))


@pytest.fixture(scope="module")
def never_interrupted(django_db_setup, django_db_blocker):
    """What a run that was never interrupted left behind."""
    with django_db_blocker.unblock():
        run = executed(climbing())
        remembered = history(run)
        run.delete()
    return remembered


def test_makes_lenet_very_sure_within_the_published_number_of_steps():
    run = executed(climbing(generations=150, classes=(7,), starts=1))

    assert run.champions.get(class_index=7).confidence > 0.9999
    assert run.climbs.get().step_9999 <= 150
    assert run.evaluations == 151
    assert run.statistics.count() == 151


def test_keeps_the_steps_at_which_milestones_were_passed(whole):
    climbs = list(whole.climbs.all())

    assert [(climb.class_index, climb.start) for climb in climbs] == [(1, 0), (1, 1), (7, 0), (7, 1)]
    for climb in climbs:
        assert 0 <= climb.step_top < climb.step_99 < STEPS
        assert climb.step_9999 is None


@pytest.mark.usefixtures("every_generation_kept")
def test_comes_to_the_same_in_slices(never_interrupted):
    run, slices = climbing(), 0
    while run.is_active:
        execute_once(run, seconds=0.01)
        slices += 1

    assert slices > 2
    assert history(run) == never_interrupted


def test_goes_on_after_its_worker_was_killed_and_shows_no_takeover_twice(
    never_interrupted, settings, monkeypatch
):
    monkeypatch.setattr(execution, "FLUSH_SHARE", 0)
    settings.RUN_FLUSH_SECONDS, settings.RUN_LEASE_SECONDS = 0, 0
    run, differentiate = climbing(), Classifier.differentiate

    def keep_no_more_after_40(run):
        settings.RUN_FLUSH_SECONDS = 60 if run.generation == 40 else 0

    def killed_at_70(classifier, images, class_indices):
        if run.generation == 40 and len(steps) == 70:
            raise SystemExit
        steps.append(len(images))
        return differentiate(classifier, images, class_indices)

    steps = []
    monkeypatch.setattr(Classifier, "differentiate", killed_at_70)
    with pytest.raises(SystemExit):
        execute_once(run, watch=keep_no_more_after_40)
    monkeypatch.setattr(Classifier, "differentiate", differentiate)
    run.refresh_from_db()
    assert run.generation == 40
    executed(run)

    assert history(run) == never_interrupted


def test_pauses_within_a_step_and_loses_no_whole_one(never_interrupted, settings, monkeypatch):
    settings.RUN_FLUSH_SECONDS = 0.0
    run, steps = climbing(), []
    differentiate = Classifier.differentiate

    def paused_midway(classifier, images, class_indices):
        steps.append(len(images))
        if len(steps) == 20:
            Run.objects.filter(pk=run.pk).update(status=Run.Status.PAUSED)
            settings.RUN_FLUSH_SECONDS = 0.0
        elif len(steps) < 20:
            settings.RUN_FLUSH_SECONDS = 0.0 if len(steps) == 1 else 60
        return differentiate(classifier, images, class_indices)

    monkeypatch.setattr(Classifier, "differentiate", paused_midway)
    execute_once(run)

    assert run.status == Run.Status.PAUSED
    assert run.generation == 19
    assert run.search_states.exists()
    assert run.resume()
    executed(run)
    assert history(run) == never_interrupted


@pytest.mark.usefixtures("every_generation_kept")
def test_keeps_the_images_in_the_midst_only_as_long_as_the_run_may_go_on():
    run = climbing()
    execute_once(run, seconds=0)
    assert SearchState.objects.filter(run=run).exists()
    run.pause()
    assert SearchState.objects.filter(run=run).exists()

    run.cancel()

    assert not SearchState.objects.filter(run=run).exists()


def test_leaves_no_state_behind_at_its_end(whole):
    assert not SearchState.objects.filter(run=whole).exists()


@pytest.mark.usefixtures("every_generation_kept")
def test_puts_a_large_state_into_several_rows(monkeypatch, never_interrupted):
    monkeypatch.setattr(SearchState, "LARGEST", 5000)
    run = climbing()
    execute_once(run, seconds=0)

    assert SearchState.objects.filter(run=run).count() > 2
    executed(run)
    assert history(run) == never_interrupted


@pytest.mark.usefixtures("every_generation_kept")
@pytest.mark.parametrize("damage", ["gone", "cut short", "altered"])
def test_fails_with_a_reason_where_its_images_are_lost(damage):
    run = climbing()
    execute_once(run, seconds=0)
    states = SearchState.objects.filter(run=run)
    if damage == "gone":
        states.delete()
    else:
        content = bytes(states.get().content)
        states.update(content=content[:1000] if damage == "cut short" else b"no" + content[100:])

    execute_once(run)

    run.refresh_from_db()
    assert run.status == Run.Status.FAILED
    assert "clone the run to start anew" in run.error


def test_is_the_same_run_from_its_own_command(brief):
    assert "--encoding gradient" in brief.command
    assert "--setting A --classes 1,7 --starts 2" in brief.command


def test_shows_the_milestones_on_its_page(brief, client):
    page = client.get(brief.get_absolute_url()).content.decode()
    part = client.get(reverse("runs:milestones", args=[brief.pk])).content.decode()

    for climb in brief.climbs.all():
        for shown in (climb.step_top, "–"):
            assert f"<td>{shown}</td>" in page
            assert f"<td>{shown}</td>" in part
    assert "every 5s" not in part, "it asks again only while the run is active"


def test_asks_the_database_as_often_for_many_images_as_for_few(brief, client, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        client.get(reverse("runs:milestones", args=[brief.pk]))


def test_sends_the_milestones_as_a_file(brief, client):
    answer = client.get(reverse("runs:milestones_csv", args=[brief.pk]))
    lines = list(csv.DictReader(io.StringIO(answer.content.decode())))

    assert len(lines) == 4
    for line, climb in zip(lines, brief.climbs.all(), strict=True):
        assert (line["label"], line["start"]) == (climb.label, str(climb.start))
        assert (line["step_top"], line["step_9999"]) == (str(climb.step_top), "")


def test_has_no_milestones_on_other_runs(finished_run, client):
    assert "Milestones" not in client.get(finished_run.get_absolute_url()).content.decode()
    assert client.get(reverse("runs:milestones_csv", args=[finished_run.pk])).content.count(b"\n") == 1


def test_shows_milestones_of_a_private_run_to_its_owner_alone(brief, alice, charlie, as_person):
    Run.objects.filter(pk=brief.pk).update(visibility=Run.Visibility.PRIVATE)

    for name in ("runs:milestones", "runs:milestones_csv"):
        assert as_person(alice).get(reverse(name, args=[brief.pk])).status_code == 200
        assert as_person(charlie).get(reverse(name, args=[brief.pk])).status_code == 404


def test_hangs_the_climbed_classes_first(client, monkeypatch):
    run = executed(climbing(generations=3))
    figures = [cell.class_index for cell in page_of(run)["champions"]]
    monkeypatch.setattr("fooling_web.runs.watching.MOST_FIGURES", 5)

    page = client.get(run.get_absolute_url()).content.decode()

    assert figures == [1, 7, 0, 2, 3, 4, 5, 6, 8, 9]
    assert '"climbed": [1, 7]' in page
    assert 'name="every"' in page
    hung = page.split("<noscript>")[1]
    assert [f"/classes/{index}/" in hung for index in range(10)] == [index in CLASSES for index in range(10)]


def test_knows_for_which_class_an_image_was_climbed_and_from_which_start(brief):
    told = [(climb_of(brief, individual), individual.generation) for individual in brief.individuals.all()]

    assert all(climb for climb, _ in told)
    assert all(step == brief.generations or step in climb.steps for climb, step in told)
    last = brief.individuals.filter(generation=brief.generations).order_by("number")
    seen = {(climb.class_index, climb.start) for climb in (climb_of(brief, one) for one in last)}
    assert seen <= {(1, 0), (1, 1), (7, 0), (7, 1)}
    for class_index in CLASSES:
        holder = brief.champions.get(class_index=class_index).individual
        assert climb_of(brief, holder).class_index == class_index


def test_says_from_what_an_image_was_climbed_and_shows_what_that_changed(brief, client):
    page = client.get(reverse("runs:champion", args=[brief.pk, 7])).content.decode()

    assert "for <a" in page
    assert "an even field in the mean colour of the training images, with noise of 1 of 255" in page
    assert "first population" not in page
    factor = int(re.search(r"What the ascent changed, amplified (\d+) time", page)[1])
    individual = brief.champions.get(class_index=7).individual
    address = reverse("runs:difference", args=[brief.pk, individual.number, individual.genome_hash])
    assert address in page
    picture, difference = (
        np.asarray(Image.open(io.BytesIO(png)), float)
        for png in (png_of(brief, individual), client.get(address).content)
    )
    assert np.abs(difference - (128 + factor * (picture - 255 * 0.1307)).clip(0, 255)).max() <= 0.51


def test_has_no_difference_to_show_of_an_image_that_evolved(finished_run, client):
    individual = finished_run.champions.first().individual
    address = reverse("runs:difference", args=[finished_run.pk, individual.number, individual.genome_hash])

    assert client.get(address).status_code == 404
    assert (
        "What the ascent"
        not in client.get(reverse("runs:champion", args=[finished_run.pk, 1])).content.decode()
    )
