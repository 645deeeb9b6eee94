"""The network of an image: its names, its pictures, one weight swept, and who may have the classifier asked."""

import html
import io
import json
import re
import zlib
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from evolution.encoding import encoding_for
from fooling_web.galleries import examining, graph_views
from fooling_web.galleries.graphs import STEPS, TILE, Network, network_of, sweep_of, weights_tried, written
from fooling_web.galleries.models import Examination, image_url
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.watching import SHORT_HASH
from models_zoo.registry import all_entries
from tests.factories import executed, launched

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def address_of(individual: Individual, part: str = "") -> str:
    return f"{image_url(individual.run_id, individual.number)}graph/{part}"


def edge_of(individual: Individual) -> str:
    return network_of(individual.run, individual).connections[0].edge


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def imagenet_image(owner: Any) -> Individual:
    """Return a network in colour, grown without anybody judging it."""
    run = launched("efficientnet-lite0", owner=owner)
    encoding, rng = encoding_for(run.settings), np.random.default_rng(3)
    population = encoding.random(1, rng)
    for generation in range(20):
        population, _ = encoding.vary(population, generation, rng)
    genome, genome_hash = encoding.written(population, 0)
    return Individual.objects.create(
        run=run, number=7, generation=2, genome=genome, genome_hash=genome_hash, top=[[3, 0.5]]
    )


@pytest.fixture
def individual(finished_run: Run) -> Individual:
    return finished_run.champions.get(class_index=3).individual


@pytest.fixture
def weighed(individual: Individual) -> Examination:
    """The first connection of an image, weighed by the real classifier."""
    examination = Examination.objects.create(
        individual=individual, deed=Examination.Deed.WEIGHT, subject=edge_of(individual)
    )
    examining.examine(examination)
    return examination


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Examination]:
    """What the worker was asked, which is not there to answer."""
    bells: list[Examination] = []
    monkeypatch.setattr(examining, "ask_to_examine", bells.append)
    return bells


def test_names_inputs_outputs_and_all_between(alice: Any) -> None:
    individual = imagenet_image(alice)

    network = network_of(individual.run, individual)

    titles = [node.title for node in network.nodes]
    assert titles[:4] == ["x", "y", "distance", "bias"]
    assert [title.split()[0] for title in titles[-3:]] == ["hue", "saturation", "value"]
    assert [node.role for node in network.nodes].count("hidden") == len(titles) - 7
    assert sum(node.sources for node in network.nodes) == len(network.connections)
    assert sum(node.targets for node in network.nodes) == len(network.connections)


def test_shows_every_node_and_connection_as_tables(client: Client, individual: Individual) -> None:
    page = client.get(address_of(individual)).content.decode()

    network = network_of(individual.run, individual)
    assert page.count("<tr id=") == len(network.connections)
    for connection in network.connections:
        assert f'id="edge-{connection.edge}"' in page
        assert connection.written in page
    assert "grey (" in page
    assert "<h1>" in page
    assert f"/individuals/{individual.number}/genome/" in page


def test_is_a_part_of_the_page_of_the_image(client: Client, individual: Individual) -> None:
    page = client.get(image_url(individual.run_id, individual.number)).content.decode()
    part = client.get(address_of(individual), headers=HTMX).content.decode()

    assert f'hx-get="{address_of(individual)}' in page
    assert "<h2>The network that draws it</h2>" in part
    assert "<html" not in part
    assert "js/graph.js" in part


def test_draws_all_nodes_as_one_picture(client: Client, alice: Any) -> None:
    individual = imagenet_image(alice)
    network = network_of(individual.run, individual)

    answer = client.get(address_of(individual, f"nodes.webp?genome={individual.genome_hash[:SHORT_HASH]}"))

    picture = opened(answer.content)
    assert answer["Content-Type"] == "image/webp"
    assert "immutable" in answer["Cache-Control"]
    assert picture.shape == (network.height, network.width, 3)
    x, y = network.nodes[0].x, network.nodes[0].y
    columns = picture[y : y + TILE, x : x + TILE].mean(axis=(0, 2))
    assert columns[0] < 30 < 100 < columns[TILE // 2] < 155 < 225 < columns[-1]  # x, from black to white


def test_ends_with_the_picture_that_the_outputs_make_up(client: Client, alice: Any) -> None:
    individual = imagenet_image(alice)
    network = network_of(individual.run, individual)

    sprite = opened(client.get(address_of(individual, "nodes.webp")).content).astype(float)

    encoding = encoding_for(individual.run.settings)
    image = encoding.develop_at(encoding.from_bytes([individual.genome]), TILE, TILE)[0]  # type: ignore[attr-defined]
    row, column = divmod(len(network.nodes), network.columns)
    x, y = column * TILE, row * TILE
    shown = sprite[y : y + TILE, x : x + TILE]
    assert np.abs(shown.mean(axis=(0, 1)) - image.mean(axis=(1, 2)) * 255).max() < 12


def test_tries_weights_from_bound_to_bound_and_the_present_one() -> None:
    weights = weights_tried(10.0, 1.23)

    assert len(weights) == STEPS + 1
    assert (weights[0], weights[-1]) == (-10, 10)
    assert {0.0, 1.23} <= set(weights)
    assert weights == sorted(weights)
    assert len(weights_tried(3.0, 3.0)) == len(weights_tried(3.0, 0.0)) == STEPS


def test_draws_pixel_for_pixel_what_the_classifier_sees_with_each_weight(
    client: Client, individual: Individual
) -> None:
    run, edge = individual.run, edge_of(individual)
    network = network_of(run, individual)
    sweep = sweep_of(run, network, network.connections[0], "")

    sprite = opened(client.get(address_of(individual, f"weight/{edge}/pictures.webp")).content)

    assert sprite.shape == (sweep.height, sweep.width, 3)
    encoding, document = encoding_for(run.settings), json.loads(zlib.decompress(individual.genome))
    for value in sweep.values:
        document["connections"][0][2] = value.weight
        image = encoding.develop(encoding.from_json([document]))[0, 0]  # type: ignore[attr-defined]
        tile = sprite[value.y : value.y + 28, value.x : value.x + 28, 0]
        assert np.array_equal(tile, np.rint(image * 255))


def test_sweeps_a_weight_without_scripts_too(client: Client, individual: Individual) -> None:
    edge = edge_of(individual)

    page = client.get(address_of(individual), {"edge": edge, "value": "-9.9"}).content.decode()

    assert page.count("data-place=") >= STEPS
    assert 'aria-label="the picture with weight \N{MINUS SIGN}10"' in page
    assert f'action="{address_of(individual, f"weight/{edge}/answers/")}' in page


@pytest.mark.parametrize("value", ["", "nan", "inf", "-inf", "1e999", "x" * 5000, "<b>", "\0", "1,5"])
def test_begins_with_the_present_weight_where_the_address_makes_no_sense(
    client: Client, individual: Individual, value: str
) -> None:
    sweep = client.get(address_of(individual), {"edge": edge_of(individual), "value": value}).context["sweep"]

    assert sweep.shown.is_present


@pytest.mark.parametrize("edge", ["", "4-4", "0", "-1-4", "9" * 40, "<script>", "a-b", "\0"])
def test_shows_the_network_alone_where_it_has_no_such_connection(
    client: Client, individual: Individual, edge: str
) -> None:
    answer = client.get(address_of(individual), {"edge": edge})

    assert answer.status_code == 200
    assert "sweep" not in answer.context


@pytest.mark.parametrize("part", ["weight/4-4/", "weight/0-999/", f"weight/{'9' * 40}-4/"])
def test_knows_no_connection_that_is_not_there(client: Client, individual: Individual, part: str) -> None:
    answers = [
        client.get(address_of(individual, part), headers=HTMX),
        client.get(address_of(individual, f"{part}pictures.webp")),
        client.post(address_of(individual, f"{part}answers/")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3


def test_leads_a_link_to_a_part_to_its_page(client: Client, individual: Individual) -> None:
    edge = edge_of(individual)

    answer = client.get(address_of(individual, f"weight/{edge}/"))

    assert answer.status_code == 302
    assert f"&edge={edge}#weight" in answer["Location"]


@pytest.mark.parametrize("part", ["", "nodes.webp", "weight/0-4/", "weight/0-4/pictures.webp"])
def test_hides_networks_of_private_runs(
    client: Client, as_person: Any, alice: Any, bob: Any, individual: Individual, part: str
) -> None:
    part = part.replace("0-4", edge_of(individual))
    Run.objects.update(visibility=Run.Visibility.PRIVATE)

    answers = [browser.get(address_of(individual, part)) for browser in (client, as_person(bob))]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert as_person(alice).get(address_of(individual, part)).status_code in (200, 302)


def test_takes_no_question_about_private_runs(client: Client, individual: Individual) -> None:
    part = f"weight/{edge_of(individual)}/answers/"
    Run.objects.update(visibility=Run.Visibility.PRIVATE)

    assert client.post(address_of(individual, part)).status_code == 404
    assert not Examination.objects.exists()


def test_says_quietly_that_pixels_have_no_network(client: Client, alice: Any) -> None:
    run = executed(launched(encoding="direct", owner=alice))
    individual = run.champions.first().individual  # type: ignore[union-attr]

    page = client.get(address_of(individual))

    assert page.status_code == 200
    assert "genome is the pixels themselves" in page.content.decode()
    assert "graph.js" not in page.content.decode()
    assert client.get(address_of(individual, "nodes.webp")).status_code == 404


@pytest.mark.parametrize("genome", [b"", b"nonsense", zlib.compress(b"{}"), zlib.compress(b"[1, 2]")])
def test_has_a_friendly_line_for_a_genome_that_cannot_be_read(
    client: Client, individual: Individual, genome: bytes
) -> None:
    Individual.objects.filter(pk=individual.pk).update(genome=genome)

    page = client.get(address_of(individual))

    assert page.status_code == 200
    assert re.search("was not kept|cannot be read", page.content.decode())
    assert client.get(address_of(individual, "nodes.webp")).status_code == 404
    assert client.get(address_of(individual, "weight/0-4/pictures.webp")).status_code == 404


def test_offers_the_genome_of_a_network_that_is_too_large_to_draw(
    client: Client, individual: Individual
) -> None:
    document = json.loads(zlib.decompress(individual.genome))
    document |= {"functions": ["sine"] * 700, "connections": [[0, 703, 1.0]]}
    Individual.objects.filter(pk=individual.pk).update(genome=zlib.compress(json.dumps(document).encode()))

    page = client.get(address_of(individual)).content.decode()

    assert "too large to be drawn" in page
    assert "Download the genome" in page


def test_draws_a_network_of_hundreds_of_nodes(client: Client, individual: Individual) -> None:
    document = json.loads(zlib.decompress(individual.genome))
    chain = [[max(0, place - 1), place, 1.0] for place in range(4, 504)]
    document |= {"functions": ["sine"] * 500, "connections": chain}
    Individual.objects.filter(pk=individual.pk).update(genome=zlib.compress(json.dumps(document).encode()))
    individual.refresh_from_db()

    sprite = opened(client.get(address_of(individual, "nodes.webp")).content)

    network = network_of(individual.run, individual)
    assert sprite.shape == (network.height, network.width, 3)


def test_gives_no_worker_anything_to_do_by_looking(
    client: Client, individual: Individual, asked: list[Examination], django_capture_on_commit_callbacks: Any
) -> None:
    edge = edge_of(individual)

    with django_capture_on_commit_callbacks(execute=True):
        for part in (f"?edge={edge}", f"weight/{edge}/", f"weight/{edge}/answers/"):
            client.get(address_of(individual, part), headers=HTMX)

    assert not asked
    assert not Examination.objects.exists()


def test_asks_the_worker_once_however_many_want_to_know(
    client: Client, individual: Individual, asked: list[Examination], django_capture_on_commit_callbacks: Any
) -> None:
    answers = address_of(individual, f"weight/{edge_of(individual)}/answers/")

    with django_capture_on_commit_callbacks(execute=True):
        pages = [client.post(answers, headers=HTMX).content.decode() for _ in range(3)]

    assert asked == [Examination.objects.get()]
    assert all("is looking at" in page and "load delay:1s" in page for page in pages)


def test_leads_whoever_has_no_scripts_back_to_the_page(
    client: Client, individual: Individual, asked: list[Examination]
) -> None:
    edge = edge_of(individual)

    answer = client.post(address_of(individual, f"weight/{edge}/answers/"))

    assert answer.status_code == 302
    assert "is looking at" in client.get(answer["Location"]).content.decode()


def test_limits_how_often_one_address_asks(
    client: Client, individual: Individual, asked: list[Examination], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_views, "ASKED_A_MINUTE", 0)
    answers = address_of(individual, f"weight/{edge_of(individual)}/answers/")

    part, page = client.post(answers, headers=HTMX), client.post(answers)

    assert "Wait a minute" in part.content.decode()
    assert page.status_code == 429
    assert not Examination.objects.exists()


def test_limits_how_often_one_address_has_sprites_drawn(
    client: Client, individual: Individual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_views, "DRAWN_A_MINUTE", 1)
    pictures = address_of(individual, f"weight/{edge_of(individual)}/pictures.webp")

    assert [client.get(pictures).status_code for _ in range(2)] == [200, 429]


def test_finds_with_the_present_weight_what_was_found_when_it_was_evolved(
    weighed: Examination, individual: Individual
) -> None:
    network = network_of(individual.run, individual)
    present = weighed.result["weights"].index(network.connections[0].weight)

    confidence = individual.championships.get(class_index=3).confidence
    assert weighed.result["classes"]["3"][present] == pytest.approx(confidence, abs=1e-6)
    assert weighed.result["tops"][present] == pytest.approx(individual.top[0], abs=1e-6)
    assert len(weighed.result["tops"]) == len(weighed.result["weights"])


def test_shows_what_the_classifier_said_as_a_curve_and_in_numbers(
    client: Client, weighed: Examination, individual: Individual
) -> None:
    answers = client.get(
        address_of(individual, f"weight/{weighed.subject}/answers/?class=3"), headers=HTMX
    ).content.decode()

    n_values = len(weighed.result["weights"])
    assert answers.count("<circle") == n_values
    assert answers.count("<tr") == n_values + 1
    assert "LeNet’s confidence in 3" in answers
    assert "hx-trigger" not in answers
    told = re.search('data-answers="([^"]*)"', answers)
    assert told
    assert len(json.loads(html.unescape(told.group(1)))) == n_values


def test_does_not_weigh_again_what_is_known(
    client: Client,
    weighed: Examination,
    individual: Individual,
    asked: list[Examination],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address_of(individual, f"weight/{weighed.subject}/answers/"), headers=HTMX)

    assert not asked
    assert not weighed.is_waiting


def test_says_why_the_worker_failed_and_asks_again(
    client: Client, individual: Individual, asked: list[Examination], django_capture_on_commit_callbacks: Any
) -> None:
    Run.objects.update(classifier_sha256="0" * 64)
    edge = edge_of(individual)
    answers = address_of(individual, f"weight/{edge}/answers/")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(answers, headers=HTMX)
    examining.examine(Examination.objects.get())

    failed = client.get(answers, headers=HTMX).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        again = client.post(answers, headers=HTMX).content.decode()

    assert "the weights of mnist-lenet have changed" in failed
    assert "Ask again" in failed
    assert "is looking at" in again
    assert len(asked) == 2


def test_asks_nobody_where_the_classifier_is_not_here(
    client: Client, individual: Individual, asked: list[Examination]
) -> None:
    lacking = next(entry for entry in all_entries() if not entry.weights_path.exists())
    Run.objects.update(classifier=lacking.name)
    answers = address_of(individual, f"weight/{edge_of(individual)}/answers/")

    page = client.post(answers, headers=HTMX).content.decode()

    assert f"{lacking.title} is not on this site, so it cannot be asked." in html.unescape(page)
    assert "<form" not in page
    assert "safetensors" not in page
    assert asked == list(Examination.objects.all()) == []


def test_stops_waiting_for_a_worker_that_is_away(
    client: Client, individual: Individual, asked: list[Examination]
) -> None:
    answers = address_of(individual, f"weight/{edge_of(individual)}/answers/")
    client.post(answers, headers=HTMX)
    Examination.objects.update(asked_at=timezone.now() - timedelta(hours=1))

    page = client.get(answers, headers=HTMX).content.decode()

    assert "The worker may be away" in page
    assert "load delay:1s" not in page
    assert "is looking at" in client.post(answers, headers=HTMX).content.decode()


def test_needs_the_same_number_of_queries_for_every_network(
    client: Client, alice: Any, individual: Individual, django_assert_max_num_queries: Any
) -> None:
    large = imagenet_image(alice)

    for shown in (individual, large):
        with django_assert_max_num_queries(7):
            client.get(address_of(shown), {"edge": edge_of(shown)})


def test_writes_weights_with_a_true_minus() -> None:
    assert [written(weight) for weight in (-1.25, 0.0, 9.99999, 0.012345)] == ["−1.25", "0", "10", "0.0123"]


def test_finds_a_connection_by_the_name_in_an_address(individual: Individual) -> None:
    network: Network = network_of(individual.run, individual)

    assert network.connection(network.connections[-1].edge) == network.connections[-1]
    assert network.connection("4-4") is None
