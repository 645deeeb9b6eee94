"""The document of an image: enough to make it again and to compare."""

import hashlib
import html
import json
import struct
import zlib

import pytest
from django.test import Client

from fooling_web.galleries.models import image_url
from fooling_web.galleries.provenance import making_of
from fooling_web.runs.models import Individual, Run
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db


@pytest.fixture
def individual(finished_run: Run) -> Individual:
    return finished_run.champions.get(class_index=3).individual


def document_of(client: Client, individual: Individual) -> dict:
    answer = client.get(image_url(individual.run_id, individual.number) + "provenance.json")
    assert "attachment" in answer["Content-Disposition"]
    return json.loads(answer.content)


def test_tells_how_an_image_is_made_again(client: Client, individual: Individual) -> None:
    document, run = document_of(client, individual), individual.run

    assert document["format"] == "foolbreeder-provenance"
    assert document["run"]["seed"] == run.seed
    assert document["run"]["parameters"] == run.parameters
    assert "manage.py evolve --classifier mnist-lenet" in document["run"]["command"]
    assert document["classifier"]["weights_sha256"] == run.classifier_sha256
    assert document["software"]["site"].keys() >= {"foolbreeder", "python", "numpy", "torch"}
    assert document["image"]["parents"] == individual.parents
    assert document["image"]["confidences"][0]["confidence"] == individual.top[0][1]
    assert 3 in document["image"]["holds"]
    assert {"class_index", "label", "confidence", "generation"} == document["image"]["took"][0].keys()


def test_names_a_command_that_stops_where_the_image_is_born(client: Client, individual: Individual) -> None:
    image = document_of(client, individual)["image"]

    assert image["generations_needed"] == max(1, individual.generation)
    assert f"--generations {image['generations_needed']} " in image["command"]
    page = client.get(image_url(individual.run_id, individual.number)).content.decode()
    assert html.escape(image["command"]) in page


def test_makes_the_image_by_its_command(individual: Individual) -> None:
    run = individual.run
    generation = making_of(run, individual)["generations_needed"]
    again = executed(launched(seed=run.seed, generations=generation, population=run.settings.offspring))

    same = again.individuals.get(number=individual.number)
    assert (same.genome_hash, same.generation) == (individual.genome_hash, individual.generation)


def test_says_what_was_not_recorded(client: Client, individual: Individual) -> None:
    software = document_of(client, individual)["software"]
    Run.objects.update(origin={"versions": {"numpy": "2.4.6", "foolbreeder": "0.1"}})
    elsewhere = document_of(client, individual)["software"]
    page = client.get(image_url(individual.run_id, individual.number)).content.decode()

    assert [software[name] for name in ("computed_with", "code_version", "machine")] == ["not recorded"] * 3
    assert (elsewhere["computed_with"]["numpy"], elsewhere["code_version"]) == ("2.4.6", "0.1")
    assert "Code version: 0.1. Machine: not recorded." in page


@pytest.mark.parametrize(
    ("name", "licence"),
    [("mnist-lenet", "not recorded"), ("efficientnet-lite0", "Apache-2.0"), ("gone", "not recorded")],
)
def test_names_source_and_licence_of_the_weights(
    client: Client, individual: Individual, name: str, licence: str
) -> None:
    Run.objects.update(classifier=name)

    document = document_of(client, individual)

    assert document["classifier"]["licence"] == licence
    assert document["classifier"]["source"]
    assert "agree within 3e-6" in document["note"]


def test_names_a_genome_that_has_its_hash(client: Client, individual: Individual) -> None:
    image = document_of(client, individual)["image"]

    genome = client.get(image["addresses"]["genome"].removeprefix("http://testserver"))

    assert hashlib.sha256(genome.content).hexdigest() == image["genome_sha256"]
    assert genome.content == zlib.decompress(bytes(individual.genome))
    assert client.get(image["addresses"]["page"].removeprefix("http://testserver")).status_code == 200
    assert client.get(image["addresses"]["picture"].removeprefix("http://testserver")).status_code == 200


def test_tells_the_hash_of_the_archive(client: Client, individual: Individual) -> None:
    digest = hashlib.sha256()
    for champion in individual.run.champions.select_related("individual").order_by("class_index"):
        digest.update(champion.individual.genome_hash.encode() + struct.pack("<f", champion.confidence))

    assert document_of(client, individual)["run"]["archive_sha256"] == digest.hexdigest()
