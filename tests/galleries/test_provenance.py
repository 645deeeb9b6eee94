"""The document of an image: enough to make it again and to compare."""

import hashlib
import json
import struct
import zlib

import pytest
from django.test import Client

from fooling_web.galleries.models import image_url
from fooling_web.runs.models import Individual, Run

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
