"""What breeding begins with: nothing, an image of this site, or a file; and what is refused."""

import json
import time
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from fooling_web.breeding.models import BreedingSession, Litter
from fooling_web.runs.models import Individual, Run
from tests.breeding.bred import begun, document, first_of
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db


def taken_in(client, content: bytes, name: str = "mine.json"):
    return client.post(reverse("breeding:import"), {"file": SimpleUploadedFile(name, content)})


def as_json(genome: object) -> bytes:
    return json.dumps(genome).encode()


@pytest.mark.parametrize(
    ("picture", "channels", "side", "in_colour"),
    [("colour", 3, 256, True), ("grey", 3, 256, False), ("digits", 1, 28, False)],
)
def test_begins_with_nothing(client, picture, channels, side, in_colour):
    session = begun(client, picture=picture)

    [litter] = session.litters.all()
    assert (session.parameters["channels"], session.parameters["width"]) == (channels, side)
    assert (len(litter), litter.deed, litter.in_colour) == (15, "begin", in_colour)
    assert session.begun_with == ""


def test_begins_with_any_image_that_a_network_draws(client, finished_run):
    individual = finished_run.individuals.latest("number")

    session = begun(client, run=finished_run.pk, number=individual.number)

    first, second = session.litters.all()
    assert json.loads(zlib.decompress(bytes(individual.genome))) == first.documents[0]
    assert first.hashes == [individual.genome_hash]
    assert (second.parent, second.picked, len(second)) == (first, [0], 15)
    assert session.branched_from == individual
    assert session.parameters["channels"] == 1


def test_offers_breeding_on_pages_of_images_and_champions(client, finished_run):
    holder = finished_run.champions.first()

    for address in (
        reverse("galleries:image", args=[finished_run.pk, holder.individual.number]),
        reverse("runs:champion", args=[finished_run.pk, holder.class_index]),
    ):
        assert "Breed from this" in client.get(address).content.decode()


def test_says_why_nothing_can_be_bred_from_pixels(client, alice):
    run = executed(launched(owner=alice, encoding="direct", generations=1))
    individual = run.individuals.first()
    page = client.get(reverse("galleries:image", args=[run.pk, individual.number])).content.decode()

    answer = client.post(reverse("breeding:begin"), {"run": run.pk, "number": individual.number})

    assert "Nothing can be bred from this image: its genome is its pixels." in page
    assert "Breed from this" not in page
    assert answer.status_code == 422
    assert "This picture is its own genome, pixel by pixel" in answer.content.decode()
    assert not BreedingSession.objects.exists()


def test_says_why_nothing_can_be_bred_from_what_was_not_kept(client, finished_run):
    Individual.objects.filter(run=finished_run).update(genome=b"")
    number = finished_run.individuals.first().number

    answer = client.post(reverse("breeding:begin"), {"run": finished_run.pk, "number": number})

    assert answer.status_code == 422
    assert "The genome of this picture was not kept" in answer.content.decode()


def test_hides_images_of_private_runs(client, finished_run):
    Run.objects.filter(pk=finished_run.pk).update(visibility=Run.Visibility.PRIVATE)

    answer = client.post(reverse("breeding:begin"), {"run": finished_run.pk, "number": 0})

    assert answer.status_code == 404
    assert not BreedingSession.objects.exists()


def test_refuses_what_is_no_beginning(client):
    for fields in ({"picture": "sepia"}, {"run": "x", "number": "1"}, {"number": "-1"}):
        answer = client.post(reverse("breeding:begin"), fields)
        assert answer.status_code == 422
    assert not BreedingSession.objects.exists()


def test_takes_a_genome_in_that_was_downloaded_here(client):
    litter = first_of(begun(client))
    downloaded = client.get(reverse("breeding:genome", args=[litter.session_id, 0, 6])).content

    answer = taken_in(client, downloaded)

    session = BreedingSession.objects.latest("created_at")
    assert answer.status_code == 302
    assert session.litters.get(number=0).hashes == [litter.hashes[6]]
    assert session.begun_with == "the file mine.json"


def test_takes_a_compressed_genome_in_and_one_with_large_weights(client):
    genome = document(connections=[[0, 4, 40.5], *document()["connections"][1:]])

    assert taken_in(client, zlib.compress(as_json(genome)), "large.z").status_code == 302
    assert BreedingSession.objects.get().parameters["cppn"]["weight_bound"] >= 40.5


CYCLE = document(functions=["sine"] * 5, connections=[[5, 4, 1.0], [4, 5, 1.0], [4, 6, 1.0], [5, 7, 1.0]])
BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><genome>&d;</genome>"""
BAD = {
    "cycle": (as_json(CYCLE), "cycle"),
    "not a number": (as_json(document(connections=[[0, 4, float("nan")]])), "weight"),
    "infinite": (as_json(document(connections=[[0, 4, float("inf")]])), "weight"),
    "unknown function": (as_json(document(functions=["sine", "nose", "sine", "sine"])), "nose"),
    "a million nodes": (as_json(document(functions=["sine"] * 1_000_000))[:3_999_999], ""),
    "many nodes": (as_json(document(functions=["sine"] * 300_000)), "300,000 nodes; 2,000 are the most"),
    "many connections": (as_json(document(connections=[[0, 4, 1.0]] * 90_000)), "90,000 connections"),
    "too large": (b"x" * 4_000_001, "4 MB at most"),
    "compressed bomb": (zlib.compress(b"[" * 50_000_000), "larger than 4 MB"),
    "no outputs": (as_json(document(outputs=2)), "2 outputs"),
    "outputs that are none": (as_json(document(outputs=True)), "True outputs"),
    "other coordinates": (as_json(document(coordinates="polar")), "polar"),
    "other colour": (as_json(document(colour="sepia")), "sepia"),
    "another thing": (as_json({"a": 1}), "its format is not"),
    "a list": (as_json([1, 2]), "neither a genome"),
    "no lists": (as_json(document(functions="sine")), "no list of nodes"),
    "deep": (b'{"a":' * 100_000, "not JSON"),
    "text": (b"a picture", "neither a genome of this site"),
    "empty": (b"", "This file is empty"),
    "XML bomb": (BOMB, ""),
    "other XML": (b"<svg/>", ""),
}


@pytest.mark.parametrize("kind", BAD)
def test_refuses_a_bad_genome_with_a_sentence(client, kind):
    content, words = BAD[kind]
    start = time.perf_counter()

    answer = taken_in(client, content)

    page = answer.content.decode()
    assert answer.status_code == 422, answer
    assert 'class="errorlist"' in page
    assert words in page
    assert "damaged" not in page
    assert time.perf_counter() - start < 5
    assert not BreedingSession.objects.exists()
    assert not Litter.objects.exists()


def test_asks_for_a_file(client):
    answer = client.post(reverse("breeding:import"))

    assert "Choose a file with a genome." in answer.content.decode()


def test_bounds_how_many_sessions_an_address_may_begin(client, monkeypatch):
    monkeypatch.setattr("fooling_web.breeding.beginning_views.BEGINNINGS_A_MINUTE", 1)
    begun(client)

    answer = client.post(reverse("breeding:begin"))

    assert answer.status_code == 429
    assert BreedingSession.objects.count() == 1


def test_shows_ways_to_begin(client):
    for name in ("begin", "import", "sessions", "home"):
        assert client.get(reverse(f"breeding:{name}")).status_code == 200
