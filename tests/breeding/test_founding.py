"""Starting a run from bred pictures: a litter, what a person published, a collection, single images."""

import re
from typing import Any

import pytest
from django.urls import reverse

from fooling_web.galleries.models import Collected, Collection, Exhibit
from fooling_web.runs.models import Run
from models_zoo.registry import find
from tests.breeding.offered import COLOURED, GREY, documents_of, hidden_away, published, session_of
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db

CHOICES = {
    "classifier": "mnist-lenet",
    "preset": "own",
    "encoding": "cppn",
    "generations": "3",
    "population": "10",
    "fidelity": "paper",
    "visibility": "public",
    "founded": "on",
}


@pytest.fixture
def litter(bob: Any) -> Any:
    """A litter of ten that Bob bred."""
    return session_of(bob, documents_of(count=10))


def found(**query: Any) -> str:
    return reverse("breeding:found", query=query)


def launched_by(person: Any, as_person: Any, address: str, **choices: str) -> Run:
    answer = as_person(person).post(address, {**CHOICES, **choices})
    assert answer.status_code == 302, answer.content.decode()
    return Run.objects.searches().latest("created_at")


def of_litter(litter: Any, *picked: int) -> str:
    return found(session=str(litter.session_id), litter=litter.number, picked=picked)


def test_begins_with_the_picked_tiles_of_a_litter(litter, bob, as_person):
    run = launched_by(bob, as_person, of_litter(litter, 2, 5))

    assert run.founding_genomes == [litter.documents[2], litter.documents[5]]
    assert run.n_founders == 2
    executed(run)
    assert "Begun with 2 bred pictures" in as_person(bob).get(run.get_absolute_url()).content.decode()


def test_begins_with_the_whole_litter_where_none_is_picked(litter, bob, as_person):
    assert launched_by(bob, as_person, of_litter(litter)).founding_genomes == litter.documents


def test_makes_the_first_population_as_large_as_its_founders(litter, bob, as_person):
    run = launched_by(bob, as_person, of_litter(litter), population="4")

    assert (run.settings.first_population, run.settings.offspring) == (10, 4)
    executed(run)


def test_goes_on_from_the_litter_to_the_form_with_what_is_picked(litter, bob, as_person):
    address = reverse("breeding:found_from_litter", args=[litter.session_id, litter.number])

    answer = as_person(bob).post(address, {"picked": ["2", "5"]}, follow=True)

    page = answer.content.decode()
    assert "2 bred pictures to begin with" in page
    assert page.count('class="evolved fine" src="/breed/') == 2
    assert f'action="{of_litter(litter, 2, 5)}"'.replace("&", "&amp;") in page


def test_does_not_begin_with_them_where_that_is_not_wanted(litter, bob, as_person):
    run = launched_by(bob, as_person, of_litter(litter), founded="")

    assert (run.n_founders, run.founding_genomes) == (0, [])


def test_lets_nobody_begin_with_a_litter_of_somebody_else(litter, alice, as_person):
    assert as_person(alice).get(of_litter(litter)).status_code == 403


def test_asks_who_has_not_signed_in_to_do_so(litter, client):
    answer = client.get(of_litter(litter))

    assert answer.status_code == 302
    assert "next=" in answer.url


def test_begins_with_what_a_person_published_the_latest_first(bob, alice, as_person):
    first, second = (published(bob, one) for one in documents_of(count=2))
    published(alice, documents_of(seed=5)[0])

    run = launched_by(bob, as_person, found())

    assert run.founding_genomes == documents_of(count=2)[::-1]
    page = as_person(bob).get(found()).content.decode()
    assert second.individual.genome_hash[:12] in page
    assert first.individual.genome_hash[:12] in page


def test_begins_with_the_networks_of_a_collection_that_the_person_may_see(bob, alice, as_person):
    pixels = executed(launched(encoding="direct", owner=alice)).individuals.first()
    shown, private = published(alice), published(alice, documents_of(seed=5)[0])
    hidden_away(private.individual.run)
    collection = Collection.objects.create(owner=alice, title="Stripes")
    for place, individual in enumerate([private.individual, pixels, shown.individual]):
        exhibit, _ = Exhibit.objects.get_or_create(individual=individual)
        Collected.objects.create(collection=collection, exhibit=exhibit, position=place)

    run = launched_by(bob, as_person, found(collection=collection.pk))

    assert run.founding_genomes == documents_of()


def test_begins_with_single_images_that_the_person_may_see(bob, alice, finished_run, as_person):
    champion = finished_run.champions.get(class_index=3).individual
    private = published(alice)
    hidden_away(private.individual.run)
    names = [f"{finished_run.pk}/{champion.number}", f"{private.individual.run_id}/0"]

    run = launched_by(bob, as_person, found(image=names))

    assert run.n_founders == 1
    executed(run)
    first = run.individuals.filter(number=0).first()
    assert first is None or first.genome_hash == champion.genome_hash


def test_reads_networks_as_the_founders_are_read(litter, bob, as_person):
    run = launched_by(bob, as_person, of_litter(litter), fidelity="released-code")

    assert run.settings.cppn.coordinates == "normalised"
    executed(run)


def test_leaves_out_those_that_the_classifier_cannot_see_and_says_so(bob, as_person):
    published(bob)
    published(bob, parameters=COLOURED)

    answer = as_person(bob).post(found(), CHOICES, follow=True)

    assert "One picture was left out: the picture is in colour" in answer.content.decode()
    assert Run.objects.searches().get().n_founders == 1


def test_refuses_a_classifier_that_can_see_none_of_them(bob, as_person):
    published(bob, parameters=COLOURED)

    answer = as_person(bob).post(found(), CHOICES)

    assert answer.status_code == 422
    assert "None of the pictures can begin this run: the picture is in colour" in answer.content.decode()
    assert not Run.objects.searches().exists()


def test_refuses_images_of_pixels(litter, bob, as_person):
    answer = as_person(bob).post(of_litter(litter), {**CHOICES, "encoding": "direct"})

    assert answer.status_code == 422
    assert "Bred pictures are networks" in answer.content.decode()


@pytest.mark.parametrize(("parameters", "usual"), [(GREY, "mnist-lenet"), (COLOURED, "efficientnet-lite0")])
def test_proposes_a_classifier_that_can_see_them(bob, as_person, parameters, usual):
    published(bob, parameters=parameters)

    page = as_person(bob).get(found()).content.decode()

    [proposed] = re.findall(r'name="classifier" value="([a-z0-9._-]+)"[^>]* checked', page)
    assert proposed == (usual if find(usual).weights_path.exists() else "mnist-lenet")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"session": "nonsense"},
        {"collection": "nonsense"},
        {"image": "nonsense"},
        {"image": "nonsense/3"},
        {"image": f"{'0' * 32}/{'9' * 25}"},
    ],
)
def test_says_in_one_line_where_nothing_was_named(query, bob, as_person):
    answer = as_person(bob).get(found(**query), follow=True)

    assert answer.redirect_chain == [(reverse("runs:launch"), 302)]
    assert 'class="message error"' in answer.content.decode()


@pytest.mark.parametrize("picked", ["10", "nonsense", "-1"])
def test_refuses_a_tile_that_the_litter_does_not_have(litter, bob, as_person, picked):
    answer = as_person(bob).get(of_litter(litter, picked), follow=True)

    assert answer.redirect_chain == [(reverse("runs:launch"), 302)]


@pytest.mark.parametrize("key", ["1000000", "9" * 25])
def test_knows_no_collection_that_does_not_exist(bob, as_person, key):
    assert as_person(bob).get(found(collection=key)).status_code == 404


def test_a_clone_begins_with_the_same_founders_unless_told_otherwise(litter, bob, alice, as_person):
    run = launched_by(bob, as_person, of_litter(litter, 2, 5))
    address = reverse("runs:launch", query={"clone": run.pk})
    assert "2 bred pictures to begin with" in as_person(alice).get(address).content.decode()

    clone = launched_by(alice, as_person, address, seed=str(run.seed))
    other = launched_by(alice, as_person, address, founded="")

    assert (clone.cloned_from, clone.founding_genomes) == (run, run.founding_genomes)
    assert clone.settings == run.settings
    assert other.n_founders == 0


def test_every_run_of_a_sweep_begins_with_them(litter, bob, as_person):
    as_person(bob).post(of_litter(litter, 2, 5), {**CHOICES, "runs": "3"})

    assert [run.n_founders for run in Run.objects.searches()] == [2, 2, 2]
