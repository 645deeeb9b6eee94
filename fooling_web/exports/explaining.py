"""README.txt and LICENSE.txt of an archive file, for whoever opens it in ten years, perhaps without any site."""

from pathlib import Path
from textwrap import fill
from typing import Any

from evolution.archive_file import CHAMPIONS_ONLY, LINEAGES, Description

WIDTH = 100
HOLDINGS = {
    CHAMPIONS_ONLY: "Genomes are kept of the champions alone; everybody else is known by their place in the history.",
    LINEAGES: "Genomes are kept of the champions and of all their ancestors.",
}
ALWAYS = (
    ("run.json", "what determined the run: parameters, seed, classifier, versions; and how far it came"),
    ("champions.csv", "who holds each class at the end, with which confidence, and which picture shows it"),
    (
        "individuals.csv",
        "every image that ever held a class: number, generation, parents, its five highest confidences",
    ),
    ("", "(class_index:confidence), SHA-256 of its genome"),
    ("takeovers.csv", "every time that a class changed hands: when, who took it, how sure, from whom"),
    (
        "statistics.csv",
        "each generation in numbers: median, mean and highest confidence over all classes, ...",
    ),
    ("labels.csv", "the names of the classes"),
    ("classifier.json", "the classifier: preprocessing, SHA-256 of its weights, source, licence"),
    ("packages.txt", "versions of the programs that computed the run and wrote this file"),
    ("LICENSE.txt", "what may be done with all this"),
    ("manifest.json", "size and SHA-256 of every other file"),
    (
        "SHA256SUMS",
        "the same hashes (of all but the manifest and itself) as `sha256sum -c SHA256SUMS` reads them",
    ),
)
NETWORKS = (("genomes.jsonl", 'the genomes: one line of JSON each, {"number": ..., "genome": {...}}'),)
PIXELS = (("genomes/NUMBER.png", "the genomes: the values of the pixels themselves"),)
HOW_NETWORKS_DRAW = """\
A genome is a network that is asked at every pixel. Its nodes are numbered: first the inputs x, y, d (the distance
from the centre, the root of x*x + y*y) and bias (always 1), then one node for each entry of "functions", of which
the last ones, as many as "outputs" says, are the outputs. "connections" are [from, to, weight]. A node adds up
weight times value over its incoming connections and applies its function to the sum p:

    sine      sin(p)                  gaussian         exp(-p*p)
    sigmoid   2 / (1 + exp(-p)) - 1   linear           p cut to [-3, 3], divided by 3
    cosine    cos(p)                  signed-gaussian  2 * exp(-p*p) - 1
    identity  p

x and y run from -1 at the first pixel to 1 at the last, left to right and top to bottom; where "coordinates" says
"pixel-indices", x and y count pixels from 0 instead (d does not). The absolute value of an output, cut to [0, 1]
and rounded to multiples of 1/255, is the grey of the pixel, or hue, saturation and value ("colour": "hsv"; "hls":
hue, lightness, saturation; "-grey" behind it: value, or lightness, is the grey). Colours that begin with
"picbreeder" follow that program; see Foolbreeder's source.
"""
HOW_PIXELS_DRAW = """\
A genome is the picture: a PNG whose levels are the numbers that evolved. Of a coloured one the three channels mean
{colour}.
"""
CHANNELS = {
    "rgb": "red, green and blue, as in any PNG",
    "hsv": "hue, saturation and value, so that a viewer of pictures shows other colours than the classifier saw",
    "hls": "hue, lightness and saturation, so that a viewer of pictures shows other colours than the classifier saw",
}
RIGHTS = (
    "The licence above is that of Foolbreeder, the program. The pictures, genomes and tables in this file were "
    "computed with it. Its authors claim no rights in them: as far as they are concerned you may use them for "
    "whatever you like. Where a person bred pictures by hand, that person's rights, if the law of your country knows "
    "any, remain; ask whoever gave you the file. The classifier's weights are not in this file; their licence: "
)


def readme_text(
    told: dict[str, Any], run: Description, *, champions: int, size: int, tables: bool, authors: bool
) -> str:
    """Return the text that explains a file."""
    title = told["name"] or "A run without a name"
    parts = [f"{title}\n{'=' * min(len(title), WIDTH)}", _summary(told, run, champions), *_limits(told)]
    parts += ["What is in here\n---------------", _table_of(run, size=size, tables=tables, authors=authors)]
    parts += ["How a genome becomes a picture\n------------------------------", _how(run)]
    parts += ["To go on with it\n----------------", _going_on(told)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def licence_text(licence: Path, classifier: dict[str, Any]) -> str:
    """Return the project's licence and a plain word on the rights in pictures."""
    known = " ".join(str(classifier.get("licence", "")).split())
    rights = _filled(f"{RIGHTS}{known or 'not known to the site that wrote this'}.")
    return f"{licence.read_text()}\n---\n\n{rights}\n"


def _summary(told: dict[str, Any], run: Description, champions: int) -> str:
    parameters, classifier = run.parameters, run.classifier
    deed = (
        "bred by hand" if run.kind == "breeding" else f"evolved ({parameters.method}, {parameters.encoding})"
    )
    if run.kind == "pictures":
        return _summary_of_pictures(run, champions)
    generations = 0 if told["generation"] is None else told["generation"]
    return _filled(
        f"Images that were {deed} so that a classifier of images, {classifier['title']}, is sure of what they show, "
        f"though people may not see it in them. The classifier tells {run.n_classes:,} classes apart; for each the "
        f"image with the highest confidence so far is its champion. This file holds {champions:,} champions after "
        f"{generations:,} generations and {told['evaluations']:,} evaluations, from the seed {run.seed}. The run was "
        f"created on {run.created[:10]}. Confidences lie between 0 and 1."
    )


def _summary_of_pictures(run: Description, champions: int) -> str:
    how = run.versions.get("confidences", "measured")
    return _filled(
        "Plain pictures that somebody brought from elsewhere, each told to be of a class of "
        f"{run.classifier['title']}, a classifier that tells {run.n_classes:,} classes apart. Nothing was evolved: "
        "the pictures of a class stand in the order of their confidence, as if each had taken the class from the one "
        "before, and what the tables call a generation is that place. The surest of a class is its champion; there "
        f"are {champions:,}. The confidences, between 0 and 1, are {how}. They were brought in on {run.created[:10]}."
    )


def _limits(told: dict[str, Any]) -> list[str]:
    """Return what the file leaves out."""
    found = []
    if chosen := told.get("selection"):
        classes = f"{len(chosen['classes']):,} chosen classes" if chosen["classes"] else "all classes"
        found.append(
            f"It is a selection of the run: {classes}, with champions of a confidence of at least "
            f"{chosen['at_least']:.6g}. statistics.csv speaks of the whole run."
        )
    if told["holds"] in HOLDINGS:
        found.append(HOLDINGS[told["holds"]])
    return [_filled(line) for line in found]


def _table_of(run: Description, *, size: int, tables: bool, authors: bool) -> str:
    rows = [*ALWAYS, *(NETWORKS if run.parameters.encoding == "cppn" else PIXELS)]
    if run.parameters.encoding == "gradient":
        rows.append(("climbs.csv", "when each image of the gradient ascent passed its milestones"))
    if run.founders:
        rows.append(("founders.jsonl", "the genomes that the first population began with"))
    rows += [("checkpoint.json,", "where a run stands that is not finished"), ("search-state.bin", "")]
    if tables:
        rows.append(("parquet/", "the tables once more as Parquet, which tells the types"))
    if size:
        rows.append(("pictures/", f"the champions, CLASS_label.png, {size} x {size} pixels"))
    if authors:
        rows += [
            (
                "authors/",
                "as the authors of the paper had their files: archive_N.dat (class, fitness, id, parent),",
            ),
            (
                "",
                "bestfit.dat (generation, median, mean, max, jumps, min), map_gen_N/map_gen_N_class_fitness.png",
            ),
        ]
    return "\n".join(f"{name:<20}{text}".rstrip() for name, text in rows)


def _how(run: Description) -> str:
    parameters = run.parameters
    size = f"The classifier saw {parameters.width} x {parameters.height} pixels"
    if parameters.encoding == "cppn":
        return f"{HOW_NETWORKS_DRAW}\n{size}; a network can be drawn at any size."
    if parameters.channels == 1:
        return f"A genome is the picture: a PNG in levels of grey. {size}."
    return f"{HOW_PIXELS_DRAW.format(colour=CHANNELS.get(parameters.colour, parameters.colour))}\n{size}."


def _going_on(told: dict[str, Any]) -> str:
    if told.get("selection"):
        return (
            _filled("A selection cannot come back into a site; it can be looked at and verified:")
            + "\n\n    python manage.py verify_archive THIS.zip"
        )
    return (
        _filled(
            "Foolbreeder takes the ZIP in as it is, shows the run with its whole history and checks what it says:"
        )
        + "\n\n    python manage.py import_archive THIS.zip\n    python manage.py verify_archive THIS.zip"
    )


def _filled(text: str) -> str:
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
