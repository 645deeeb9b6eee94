"""Genomes of Picbreeder: each function, the colours, what is refused, and real genomes beside their pictures."""

import colorsys
import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evolution.breeding import litter_of, with_colour, without_colour
from evolution.cppn import MOST_BYTES, CppnEncoding
from evolution.cppn_torch import develop_on
from evolution.errors import GenomeError
from evolution.fitting import fitted
from evolution.parameters import PAPER_FUNCTIONS, PICBREEDER_FUNCTIONS, CppnParameters
from evolution.picbreeder import SIDE, read_picbreeder

SAMPLES = Path(os.environ.get("FOOLING_DATA_DIR", "/nowhere")) / "picbreeder"
NAMES = (
    *("1009_ButterflyGreyscale", "3674_Mystic", "395_SpotlightCastingShadow", "4376_ButterflyColor"),
    *("542_GhostFaceSpooky", "5736_ShinyRedApple", "576_Skull", "745_LetterG"),
)
INPUTS = ("x", "y", "d", "bias")
PROLOGUE = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<cppn-data version="1.2"/>\n'
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(float)
X, Y = COLUMNS / 255 * 2 - 1, ROWS / 255 * 2 - 1
D = np.hypot(X, Y) * 1.4
SLOWLY = {
    "sin(x)": np.sin,
    "cos(x)": np.cos,
    "sigmoid(x)": lambda p: 2 / (1 + np.exp(-p)) - 1,
    "gaussian(x)": lambda p: 2 * np.exp(-(p**2)) - 1,
    "identity(x)": lambda p: p,
}


def node(name, kind, label="", function="identity(x)", bias="0.0"):
    branch, number = name.split("/")
    return (
        f'<node affinity="grey" bias="{bias}" label="{label}" type="{kind}">'
        f'<marking branch="{branch}" id="{number}"/><activation>{function}</activation><text></text></node>'
    )


def link(source, target, weight):
    ends = zip(("source", "target"), (source, target), strict=True)
    named = "".join(f'<{end} branch="{name.split("/")[0]}" id="{name.split("/")[1]}"/>' for end, name in ends)
    return f'<link><marking branch="9" id="1"/>{named}<weight>{weight}</weight></link>'


def inputs():
    return [node(f"1/{place}", "in", label) for place, label in enumerate(INPUTS)]


def genome(nodes, links, phenotype="color", root="data"):
    """Return the XML of a network whose inputs are nodes 1/0 to 1/3."""
    text = (
        f'{PROLOGUE}<{root} version="1.0"><genome age="unknown" phenotype="{phenotype}">'
        f'<identifier branch="1" id="2"/><nodes count="{len(nodes)}">{"".join([*inputs(), *nodes])}</nodes>'
        f'<links count="{len(links)}">{"".join(links)}</links></genome></{root}>'
    )
    return text.encode()


def grey(function="sin(x)", links=(("1/0", 2.5), ("1/2", -1.25), ("1/3", 0.5))):
    """Return a picture whose ink is one node, fed by inputs."""
    nodes = [node("2/1", "out", "ink", function)]
    return genome(nodes, [link(source, "2/1", weight) for source, weight in links], "grey")


def coloured(hue=(), saturation=(), brightness=(), phenotype="color", function="identity(x)"):
    """Return a picture whose outputs, named 2/1 to 2/3, are each fed as told: (source, weight)."""
    labels = ("hue", "saturation", "brightness")
    nodes = [node(f"2/{row}", "out", label, function) for row, label in enumerate(labels, 1)]
    links = [
        link(source, f"2/{row}", weight)
        for row, fed in enumerate((hue, saturation, brightness), 1)
        for source, weight in fed
    ]
    return genome(nodes, links, phenotype)


def levels(xml, device=None):
    """Return the levels of a genome's picture, (SIDE, SIDE, 3)."""
    document, parameters = read_picbreeder(xml)
    encoding = CppnEncoding(parameters)
    population = encoding.from_json([document])
    if device:
        picture = develop_on(population, SIDE, SIDE, "normalised", parameters.colour, device)[0].numpy()
    else:
        picture = encoding.develop(population)[0]
    return np.rint(picture.transpose(1, 2, 0) * 255)


@pytest.mark.parametrize("device", [None, "cpu"], ids=["kernel", "torch"])
@pytest.mark.parametrize("function", SLOWLY)
def test_draws_each_function_as_picbreeder_does(function, device):
    expected = np.floor(np.minimum(np.abs(SLOWLY[function](2.5 * X - 1.25 * D + 0.5)), 1) * 255)

    found = levels(grey(function), device)

    assert (found == found[:, :, :1]).all()
    assert np.abs(found[:, :, 0] - expected).max() <= 1
    assert (found[:, :, 0] != expected).mean() < 0.03  # what nearly reaches a level


@pytest.mark.parametrize("device", [None, "cpu"], ids=["kernel", "torch"])
def test_reads_hue_round_the_circle_saturation_cut_off_and_brightness_without_its_sign(device):
    xml = coloured([("1/0", 1.47)], [("1/1", 1.53)], [("1/2", -1.51), ("1/3", 0.23)])
    hue, saturation = (1.47 * X) % 1, np.clip(1.53 * Y, 0, 1)
    brightness = np.minimum(np.abs(0.23 - 1.51 * D), 1)
    pixels = np.stack([hue, saturation, brightness], axis=-1)[::8, ::8].reshape(-1, 3)
    expected = np.floor(np.array([colorsys.hsv_to_rgb(*pixel) for pixel in pixels]) * 255)

    found = levels(xml, device)[::8, ::8].reshape(-1, 3)

    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.01


def test_reads_what_other_programs_would_call_two_roots():
    document, parameters = read_picbreeder(grey())

    assert document["colour"] == parameters.colour == "picbreeder-grey"
    assert (parameters.channels, parameters.height, parameters.width) == (3, 256, 256)
    assert parameters.cppn.functions == PICBREEDER_FUNCTIONS
    assert read_picbreeder(b"\n" + grey())[0] == document
    assert read_picbreeder(grey().replace(PROLOGUE.encode(), b""))[0] == document


def test_puts_the_scale_of_the_distance_into_its_weights():
    document, _ = read_picbreeder(grey(links=[("1/0", 2), ("1/2", 2)]))

    assert [weight for _, _, weight in document["connections"]] == [2.0, 2.8]


def test_lets_outputs_feed_other_nodes():
    nodes = [node("2/1", "out", "ink", "sin(x)"), node("2/2", "hidden", "", "cos(x)")]
    nodes += [node("2/3", "out", "hue"), node("2/4", "out", "saturation")]
    nodes[0] = node("2/1", "out", "brightness", "sin(x)")
    links = [link("1/0", "2/1", 3), link("2/1", "2/2", 2), link("2/2", "2/3", 1), link("1/3", "2/4", 1)]

    found = levels(genome(nodes, links))

    brightness = np.sin(3 * X)
    pixels = np.stack([np.cos(2 * brightness) % 1, np.ones_like(X), np.abs(brightness)], axis=-1)
    expected = [colorsys.hsv_to_rgb(*pixel) for pixel in pixels[::16, ::16].reshape(-1, 3)]
    errors = np.abs(found[::16, ::16].reshape(-1, 3) - np.floor(np.array(expected) * 255))
    assert errors.max() <= 1


def test_orders_nodes_that_stand_before_what_feeds_them():
    nodes = [node("2/1", "out", "ink"), node("2/2", "hidden"), node("2/3", "hidden", "", "sin(x)")]
    links = [link("2/2", "2/1", 1), link("2/3", "2/2", 1), link("1/0", "2/3", 1)]

    document, _ = read_picbreeder(genome(nodes, links, "grey"))

    assert document["functions"] == ["sine", "identity", "identity", "identity", "identity"]
    assert document["connections"] == [[0, 4, 1.0], [4, 5, 1.0], [5, 8, 1.0]]


def test_adds_what_comes_twice_between_the_same_nodes():
    document, _ = read_picbreeder(grey(links=[("1/0", 1.5), ("1/0", 0.25)]))

    assert document["connections"] == [[0, 6, 1.75]]


def test_shows_brightness_alone_of_a_coloured_genome_that_is_grey():
    feeding = {"hue": [("1/3", 0.3)], "saturation": [("1/3", 1)], "brightness": [("1/0", 0.977)]}

    found = levels(coloured(**feeding, phenotype="grey"))

    assert (found == np.floor(np.abs(0.977 * X) * 255)[:, :, np.newaxis]).mean() > 0.99


def test_switches_colours_off_and_on():
    document, parameters = read_picbreeder(
        coloured([("1/3", 0.3)], [("1/3", 1)], [("1/0", 0.9)], function="sin(x)")
    )
    off = without_colour(document)
    encoding = CppnEncoding(parameters.replaced(colour="picbreeder-grey"))
    picture = encoding.develop(encoding.from_json([off]))[0]

    assert with_colour(off) == document
    assert (picture == picture[0]).all()
    np.testing.assert_allclose(picture[0] * 255, np.floor(np.abs(np.sin(0.9 * X)) * 255), atol=1.001)


def test_fits_a_grey_picture_into_a_run_of_picbreeders_colours():
    document, parameters = read_picbreeder(grey())
    colours = parameters.replaced(colour="picbreeder")
    before, after = CppnEncoding(parameters), CppnEncoding(colours)

    within = fitted(document, colours)

    np.testing.assert_array_equal(
        before.develop(before.from_json([document])), after.develop(after.from_json([within]))
    )


def test_never_draws_what_is_no_number():
    """Identities one after another, each a thousand times the last, stay finite."""
    names = [f"3/{row}" for row in range(12)]
    nodes = [node("2/1", "out", "ink", "sin(x)"), *[node(name, "hidden") for name in names]]
    chain = ["1/0", *names, "2/1"]
    links = [link(source, target, 1000) for source, target in itertools.pairwise(chain)]

    found = levels(genome(nodes, links, "grey"))

    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 255


def test_is_bred_on_with_picbreeders_functions():
    document, parameters = read_picbreeder(
        coloured([("1/3", 0.3)], [("1/3", 1)], [("1/0", 3)], function="sin(x)")
    )

    children, parents = litter_of(
        [document], 12, change=1.0, focus="whole", parameters=parameters, rng=np.random.default_rng(5)
    )

    functions = {name for child in children for name in child["functions"]}
    assert parents == [[0]] * 12
    assert functions - set(PAPER_FUNCTIONS)
    assert functions <= set(PICBREEDER_FUNCTIONS)
    assert len(CppnEncoding(parameters).from_json(children)) == 12


def test_leaves_the_functions_of_new_runs_as_they_were():
    assert CppnParameters().functions == ("sine", "sigmoid", "gaussian", "linear")


INK = node("2/1", "out", "ink")
BOMB = b'<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><data><genome>&b;</genome></data>'
OUTSIDE = b'<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]><data><genome>&x;</genome></data>'
HOSTILE = {
    "entity expansion": (BOMB, "document type or entities"),
    "what lies outside": (OUTSIDE, "document type or entities"),
    "a document type": (b'<!DOCTYPE data SYSTEM "x.dtd"><data/>', "document type or entities"),
    "too large": (b" " * MOST_BYTES + grey(), "4,000,000 are the most"),
    "nested": (b"<a>" * 100_000, "more than 40 deep"),
    "crowded": (b"<data>" + b"<a/>" * 300_000 + b"</data>", "more than 200,000 elements"),
    "empty": (b"", "not XML that can be read"),
    "cut short": (grey()[:-30], "not XML that can be read"),
    "no UTF-8": (grey().replace(b"unknown", b"\xff\xfe"), "not XML that can be read"),
    "unknown encoding": (grey().replace(b"UTF-8", b"klingon"), "not XML that can be read"),
    "a zip": (b"PK\x03\x04" + bytes(40), "not XML that can be read"),
    "not Picbreeder's": (b"<svg><path d='M0'/></svg>", "holds 0 elements “genome”"),
    "two genomes": (b"<data><genome/><genome/></data>", "holds 2 elements “genome”"),
    "no nodes": (b"<data><genome/></data>", "has no nodes"),
    "no links": (genome([INK], []), "has no links"),
    "NaN": (grey(links=[("1/0", "nan")]), "the weight of the link from “1/0” to “2/1” is “nan”"),
    "infinite": (grey(links=[("1/0", "1e999")]), "is “1e999”, not a number"),
    "no weight": (grey(links=[("1/0", "")]), "is “”, not a number"),
    "heavy": (grey(links=[("1/0", 1001)]), "a weight of 1001; 1,000 is the most"),
    "heavier than a float32": (grey(links=[("1/0", 1e300)]), "a weight of 1e\\+300"),
    "function": (grey("exec(x)"), "“exec\\(x\\)”; Picbreeder's are sin\\(x\\)"),
    "function of several lines": (grey("a&#10;b"), "“a b”; Picbreeder's are"),
    "name of several lines": (grey(links=[("7&#10;/7", 1)]), "names node “7 /7”"),
    "bias": (genome([node("2/1", "out", "ink", bias="0.5")], [link("1/0", "2/1", 1)]), "bias of its own"),
    "unknown source": (grey(links=[("7/7", 1)]), "names node “7/7”, which does not exist"),
    "unknown target": (genome([INK], [link("1/0", "7/7", 1)]), "names node “7/7”"),
    "into an input": (genome([INK], [link("2/1", "1/0", 1)]), "leads into the input “1/0”"),
    "cycle": (
        genome([INK, node("2/2", "hidden")], [link("2/1", "2/2", 1), link("2/2", "2/1", 1)]),
        "form a cycle",
    ),
    "self": (grey(links=[("1/0", 1), ("2/1", 1)]), "form a cycle"),
    "node twice": (genome([INK, INK], [link("1/0", "2/1", 1)]), "two nodes of the genome are named “2/1”"),
    "output twice": (
        genome([INK, node("2/2", "out", "ink")], [link("1/0", "2/1", 1)]),
        "two outputs of the genome are called “ink”",
    ),
    "outputs": (
        genome([node("2/1", "out", "hue")], [link("1/0", "2/1", 1)]),
        "has the outputs “hue”; Picbreeder's have hue, saturation, brightness, or ink alone",
    ),
    "no output": (genome([node("2/1", "hidden")], [link("1/0", "2/1", 1)]), "has the outputs “”"),
    "kind": (
        genome([node("2/1", "both")], [link("1/0", "2/1", 1)]),
        "is “both”; there are in, hidden and out",
    ),
    "input": (genome([INK, node("2/2", "in", "z")], [link("1/0", "2/1", 1)]), "input “z” is unknown"),
    "input twice": (genome([INK, node("2/2", "in", "x")], [link("1/0", "2/1", 1)]), "two inputs .* called x"),
    "phenotype": (genome([INK], [link("1/0", "2/1", 1)], "sound"), "phenotype is “sound”"),
    "nameless": (grey().replace(b"<marking", b"<remark"), "no “marking” with branch and id"),
}


@pytest.mark.parametrize(("xml", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_refuses_in_one_line(xml, reason):
    with pytest.raises(GenomeError, match=reason) as refusal:
        read_picbreeder(xml)

    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 250


def test_refuses_more_nodes_and_links_than_a_genome_may_have():
    with pytest.raises(GenomeError, match="20,001 nodes; 20,000 are the most"):
        read_picbreeder(b"<data><genome><nodes>" + b"<node/>" * 20_001 + b"</nodes></genome></data>")

    crowded = grey().replace(b"</links>", b"<link/>" * 100_000 + b"</links>")
    with pytest.raises(GenomeError, match="100,003 links; 100,000 are the most"):
        read_picbreeder(crowded)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="FOOLING_DATA_DIR names no folder with picbreeder/ in it")
@pytest.mark.parametrize("device", [None, "cpu"], ids=["kernel", "torch"])
@pytest.mark.parametrize("name", NAMES)
def test_draws_real_genomes_as_their_pictures_are(name, device):
    given = np.asarray(Image.open(SAMPLES / f"{name}.png").convert("RGB"), float)

    errors = np.abs(levels((SAMPLES / f"{name}.xml").read_bytes(), device) - given)

    assert errors.mean() < 0.2
    assert errors.max() <= 1
