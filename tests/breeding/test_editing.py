"""The genome editor: what it shows, draws, refuses and keeps."""

import io
import json
import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from evolution.parameters import FUNCTIONS
from fooling_web.breeding.litters import pictures_of
from fooling_web.breeding.models import BreedingSession, Litter
from tests.breeding.bred import begun, document, first_of, stepped

pytestmark = pytest.mark.django_db
OWN = document(connections=[[0, 4, 1.5], [2, 4, -1.0], [4, 5, 0.5], [1, 6, 2.0], [4, 7, 1.0], [3, 7, 0.25]])


@pytest.fixture
def litter(client):
    """A litter whose only picture is drawn by the genome above."""
    file = SimpleUploadedFile("own.json", json.dumps(OWN).encode())
    assert client.post("/breed/begin/", {"file": file}).status_code == 302
    return first_of(BreedingSession.objects.get())


def address_of(litter, rest="", place=0):
    return f"{litter.get_absolute_url()}{place}/edit/{rest}"


def sent(client, litter, genome, what="picture"):
    body = genome if isinstance(genome, str | bytes) else json.dumps(genome)
    return client.post(address_of(litter, f"{what}/"), body, content_type="application/json")


def opened(answer):
    assert answer.status_code == 200, answer.content.decode()
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)


def genome_in(page):
    """Return the genome that the form of a page carries."""
    return json.loads(re.search(r'id="genome" value="([^"]*)"', page)[1].replace("&quot;", '"'))


def test_shows_every_node_and_connection_with_what_changes_it(client, litter):
    page = client.get(address_of(litter)).content.decode()

    assert page.count('name="weight-') == 6
    assert page.count('name="function-') == 4
    assert 'name="weight-2-4" aria-label="Weight of distance → sine 4"' in page
    assert 'value="-1.0"' in page
    assert page.count('value="remove-node') == 2  # hidden nodes, and the row that new ones are made from
    assert genome_in(page) == OWN


def test_draws_the_genome_that_it_is_sent(client, litter):
    picture = opened(sent(client, litter, OWN))

    assert picture.shape == (256, 256, 3)
    own = np.rint(pictures_of(litter, 256)[0] * 255).transpose(1, 2, 0)
    assert np.abs(picture - own).mean() < 8  # WebP is lossy
    changed = {**OWN, "connections": [[0, 4, -9.0], *OWN["connections"][1:]]}
    assert np.abs(opened(sent(client, litter, changed)) - own).mean() > 12
    assert Litter.objects.count() == 2


def test_draws_nodes_in_a_square(client, litter):
    assert opened(sent(client, litter, OWN, "nodes")).shape == (3 * 80, 3 * 80, 3)


def test_draws_small_pictures_pixel_by_pixel(client):
    litter = first_of(begun(client, picture="digits"))

    picture = opened(sent(client, litter, litter.documents[0]))

    np.testing.assert_array_equal(picture[..., 0], np.rint(pictures_of(litter, 28)[0, 0] * 255))


def test_takes_nodes_in_any_order(client, litter):
    shuffled = {
        **OWN,
        "functions": ["gaussian", "sine", "sine", "gaussian", "sigmoid"],
        "connections": [[5, 4, 1.0], [4, 6, 1.0], [0, 5, 2.0], [1, 7, 1.0], [1, 8, 2.0]],
    }
    assert sent(client, litter, shuffled).status_code == 200


@pytest.mark.parametrize(
    ("genome", "sentence"),
    [
        ({**OWN, "functions": ["sine"] * 5, "connections": [[4, 5, 1.0], [5, 4, 1.0]]}, "closes a cycle"),
        ({**OWN, "functions": ["tangent", *OWN["functions"][1:]]}, "is no function"),
        ({**OWN, "functions": [["sine"], *OWN["functions"][1:]]}, "is no function"),
        (json.dumps({**OWN, "connections": [[0, 4, float("nan")]]}), "is nan; weights lie from -10 to 10"),
        (json.dumps({**OWN, "connections": [[0, 4, float("inf")]]}), "is inf; weights lie from -10 to 10"),
        ({**OWN, "connections": [[0, 4, 10.5]]}, "from place 0 to place 4 is 10.5; weights lie"),
        ({**OWN, "connections": [[0, 4, "1"]]}, "weights lie"),
        ({**OWN, "connections": [[0, 4, True]]}, "weights lie"),
        ({**OWN, "connections": [[0, 4, 1.0], [0, 4, 2.0]]}, "have the same ends"),
        ({**OWN, "connections": [[7, 5, 1.0]]}, "cannot be"),
        ({**OWN, "outputs": 1}, "of another kind"),
        ({**OWN, "colour": "rgb"}, "another colour"),
        ({**OWN, "coordinates": "pixel-indices"}, "of another kind"),
        ({**OWN, "functions": ["sine"] * 1000}, "1,000 nodes; 596 are the most"),
        ({**OWN, "connections": [[0, 4, 1.0]] * 4000}, "4,000 connections; 3,000 are the most"),
        ([OWN], "This is no genome"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b'"' + b"a" * 5_000_000 + b'"', "larger than 4 MB"),
        ("", "is not JSON"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) and value.isascii() else "",
)
def test_refuses_what_is_no_genome_of_this_picture(client, litter, genome, sentence):
    answer = sent(client, litter, genome)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert answer.content.decode().count(".") >= 1
    assert Litter.objects.count() == 2
    body = genome if isinstance(genome, str) else json.dumps(genome) if not isinstance(genome, bytes) else ""
    if 0 < len(body) < 50_000:
        assert client.post(address_of(litter, "keep/"), {"genome": body}).status_code == 422
        assert Litter.objects.count() == 2


def test_refuses_a_million_nodes_quickly(client, litter):
    answer = sent(client, litter, json.dumps({**OWN, "functions": ["sine"] * 300_000}))

    assert answer.status_code == 422
    assert "300,000 nodes" in answer.content.decode()


def test_keeps_the_litter_with_the_picture_in_its_place(client):
    litter = stepped(client, first_of(begun(client)), "evolve", picked=[1])
    genome = litter.documents[3]
    genome["connections"][0][2] = 0.125

    answer = client.post(address_of(litter, "keep/", 3), {"genome": json.dumps(genome)})

    kept = Litter.objects.latest("number")
    assert answer["Location"] == f"{kept.get_absolute_url()}?picked=3"
    assert (kept.deed, kept.parent, kept.before, kept.number) == ("edit", litter, litter, 2)
    assert kept.parents == [[place] for place in range(15)]
    assert kept.documents[3] == genome
    assert kept.documents[:3] + kept.documents[4:] == litter.documents[:3] + litter.documents[4:]
    assert BreedingSession.objects.get().place == kept
    assert client.get(answer["Location"]).status_code == 200


def test_keeps_once_what_is_sent_twice(client, litter):
    fields = {
        "genome": json.dumps({**OWN, "connections": []}),
        "token": "6f1f8d7c-2f0b-4c1e-9a53-0d5b8c7e3d11",
    }

    addresses = {client.post(address_of(litter, "keep/"), fields)["Location"] for _ in range(2)}

    assert len(addresses) == 1
    assert Litter.objects.count() == 3


def test_adds_nothing_for_a_genome_that_is_as_it_was(client, litter):
    answer = client.post(address_of(litter, "keep/"), {"genome": json.dumps(OWN)})

    assert answer["Location"] == f"{litter.get_absolute_url()}?picked=0"
    assert Litter.objects.count() == 2


def test_changes_weights_and_functions_without_scripts(client, litter):
    fields = {"genome": json.dumps(OWN), "weight-0-4": "-2,5", "weight-3-7": "−1", "function-5": "cosine"}

    page = client.post(address_of(litter), fields).content.decode()

    genome = genome_in(page)
    assert genome["functions"] == ["sine", "cosine", "sigmoid", "sine"]
    assert [weight for *_, weight in genome["connections"]] == [-2.5, -1.0, 0.5, 2.0, 1.0, -1.0]
    assert 'src="data:image/webp;base64,' in page
    assert Litter.objects.count() == 2
    client.post(address_of(litter, "keep/"), {"genome": json.dumps(genome), "function-4": "linear"})
    assert Litter.objects.latest("number").documents[0]["functions"] == [
        "linear",
        "cosine",
        "sigmoid",
        "sine",
    ]


@pytest.mark.parametrize(
    ("fields", "n_nodes", "n_connections"),
    [
        ({"deed": "remove-node 4"}, 3, 2),
        ({"deed": "remove-connection 4 5"}, 4, 5),
        ({"deed": "insert 4 5", "function": "linear"}, 5, 7),
        ({"deed": "add-node", "function": "sigmoid"}, 5, 6),
        ({"deed": "connect", "source": "1", "target": "4", "weight": "3"}, 4, 7),
        ({"deed": "nothing"}, 4, 6),
    ],
)
def test_changes_nodes_and_connections_without_scripts(client, litter, fields, n_nodes, n_connections):
    answer = client.post(address_of(litter), {"genome": json.dumps(OWN), **fields})

    genome = genome_in(answer.content.decode())
    assert answer.status_code == 200
    assert (len(genome["functions"]), len(genome["connections"])) == (n_nodes, n_connections)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"weight-0-4": "much"}, "“much” is no weight; write a number such as -1.5."),
        ({"weight-0-4": "nan"}, "“nan” is no weight"),
        ({"weight-0-4": "99"}, "is 99.0; weights lie from -10 to 10."),
        ({"function-4": "tangent"}, "is no function; there are sine"),
        ({"deed": "remove-node 7"}, "hidden nodes alone can go"),
        ({"deed": "remove-node x"}, "“x” is no place of this genome"),
        ({"deed": "connect", "source": "4", "target": "4", "weight": "1"}, "close a cycle"),
        ({"deed": "connect", "source": "0", "target": "4", "weight": "1"}, "connected already"),
        ({"genome": "[]"}, "This is no genome"),
    ],
)
def test_says_what_cannot_be_changed_and_keeps_the_rest(client, litter, fields, sentence):
    answer = client.post(address_of(litter), {"genome": json.dumps(OWN), **fields})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page.replace("&#x27;", "'")
    assert genome_in(page) == OWN


def test_says_that_a_network_is_too_large_for_a_page(client):
    large = {**OWN, "functions": [FUNCTIONS[0]] * 700, "connections": []}
    file = SimpleUploadedFile("large.json", json.dumps(large).encode())
    client.post("/breed/begin/", {"file": file})

    page = client.get(address_of(first_of(BreedingSession.objects.get()))).content.decode()

    assert "700 nodes and 0 connections are more than a page shows" in page


def test_shuts_everybody_else_out(client, litter):
    stranger = Client()

    assert stranger.get(address_of(litter)).status_code == 403
    assert sent(stranger, litter, OWN).status_code == 403
    assert sent(stranger, litter, OWN, "nodes").status_code == 403
    assert stranger.post(address_of(litter, "keep/"), {"genome": "{}"}).status_code == 403
    assert Litter.objects.count() == 2


def test_knows_no_other_pictures_and_draws_by_post_alone(client, litter):
    assert client.get(address_of(litter, place=1)).status_code == 404
    assert client.get(address_of(litter, place=10**20)).status_code == 404
    for rest in ("picture/", "nodes/", "keep/"):
        assert client.get(address_of(litter, rest)).status_code == 405


def test_bounds_how_many_changes_of_an_address_are_drawn(client, litter, monkeypatch):
    monkeypatch.setattr("fooling_web.breeding.editing_views.PICTURES_A_MINUTE", 2)

    answers = [sent(client, litter, OWN) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "60"


def test_switched_off_colour_stays_off(client):
    litter = stepped(client, first_of(begun(client)), "recolour")
    genome = litter.documents[0]
    genome["connections"][0][2] = 0.5

    picture = opened(sent(client, litter, genome))
    client.post(address_of(litter, "keep/"), {"genome": json.dumps(genome)})

    assert np.abs(picture[..., 0] - picture[..., 2]).max() <= 2
    kept = Litter.objects.latest("number")
    assert not kept.in_colour
    assert kept.documents[0]["colour"] == "hsv-grey"
