"""What a session begins with: nothing, an image of this site, or a genome in a file.

Whatever comes from outside is read once here and checked as thoroughly as any genome; from then on it is a document
like all others.
"""

import json
import math
import zlib
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from evolution.errors import EvolutionError, GenomeError
from evolution.parameters import FUNCTIONS, MAX_WEIGHT, CppnParameters, Parameters
from fooling_web.breeding.litters import parameters_of
from fooling_web.breeding.models import BreedingSession, Litter
from fooling_web.breeding.opinions import usual_classifiers
from fooling_web.breeding.owning import visitor_of
from fooling_web.breeding.stepping import begin
from fooling_web.runs.models import Individual

FORMAT, MOST_BYTES = "foolbreeder-cppn", 4_000_000  # as evolution.cppn has them, which brings in the compiler
SIDES = {1: 28, 3: 256}  # pixels, of pictures with so many values a pixel: digits, and photographs
GREY = "-grey"  # ends the name of a colour that is not shown
MOST_CONNECTIONS = 5000  # of a genome that is bred: a litter of such still comes within a second
MOST_NODES = 2000
LONGEST_NAME = 200
PIXELS = (
    "This picture is its own genome, pixel by pixel: there is no network in it whose children would be other "
    "pictures. Breed from one that a network draws, which says “CPPN” on its page."
)
NOT_KEPT = (
    "The genome of this picture was not kept, so nothing can be bred from it. "
    "Images that hold a class still have theirs."
)


class NotBred(EvolutionError):
    """Nothing can be bred from this; the message says why and what can be done."""


@dataclass(frozen=True)
class Beginning:
    """What a session begins with: a genome and how it is read; without a genome, nothing."""

    parameters: Parameters
    document: dict[str, Any] | None = None
    words: str = ""
    branched_from: Individual | None = None
    is_grey: bool = False  # though it could have colours


def from_nothing(picture: str = "colour") -> Beginning:
    """Begin with networks that were never varied: in "colour", in "grey", or as small as "digits"."""
    channels = 1 if picture == "digits" else 3
    side = SIDES[channels]
    settings = Parameters(channels=channels, height=side, width=side)
    return Beginning(settings, is_grey=picture == "grey")


def from_image(individual: Individual, words: str) -> Beginning:
    """Begin with an image of this site; raises NotBred, and GenomeError where its genome is damaged."""
    run = individual.run
    if run.encoding != "cppn":
        raise NotBred(PIXELS)
    genome = bytes(individual.genome)
    if not genome:
        raise NotBred(NOT_KEPT)
    document = _unpacked(genome)
    _require_breedable(document)
    return _checked(document, parameters_of(run.settings, [document]), words, individual)


def from_file(content: bytes, name: str) -> Beginning:
    """Begin with a genome of ours, plain or compressed, or with Picbreeder's XML; raises GenomeError."""
    words = f"the file {name}"
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        from evolution.picbreeder import read_picbreeder

        document, parameters = read_picbreeder(text)
        return _checked(document, parameters, words)
    document = parsed(text) if text.startswith(b"{") else _unpacked(content)
    _require_breedable(document)
    return _checked(document, _parameters_of_file(document), words)


def begin_session(request: HttpRequest, beginning: Beginning) -> Litter:
    """Store a session of whoever asks, with its first litters; return the one to be shown."""
    person = request.user if request.user.is_authenticated else None
    document = beginning.document
    session = BreedingSession.objects.create(
        owner=person,
        visitor="" if person else visitor_of(request, made=True),
        branched_from=beginning.branched_from,
        begun_with=beginning.words[:LONGEST_NAME],
        parameters=beginning.parameters.to_json(),
        in_colour=not beginning.is_grey and _has_colour(beginning),
        classifiers=usual_classifiers(beginning.parameters),
    )
    return begin(session, document)


def _has_colour(beginning: Beginning) -> bool:
    colour = str((beginning.document or {}).get("colour", ""))
    return beginning.parameters.channels == 3 and not colour.endswith(GREY)


def _checked(
    document: dict[str, Any], parameters: Parameters, words: str, individual: Individual | None = None
) -> Beginning:
    """Return a beginning whose genome can be developed."""
    from evolution.cppn import CppnEncoding  # brings in the compiler of its kernels: only where it is used

    _require_breedable(document)
    CppnEncoding(parameters).from_json([document])
    return Beginning(parameters, document, words, individual)


def _require_breedable(document: Any) -> None:
    """Refuse what is no genome, or one that is too large to be drawn again and again."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise GenomeError(f"this is no genome: its format is not “{FORMAT}”")
    for key, most, noun in (
        ("functions", MOST_NODES, "nodes"),
        ("connections", MOST_CONNECTIONS, "connections"),
    ):
        found = document.get(key)
        if not isinstance(found, list):
            raise GenomeError(f"this genome has no list of {noun}")
        if len(found) > most:
            raise GenomeError(
                f"this genome has {len(found):,} {noun}; {most:,} are the most that are bred here"
            )
    for name in document["functions"]:
        if name not in FUNCTIONS:
            raise GenomeError(f"no function is called “{str(name)[:40]}”; there are {', '.join(FUNCTIONS)}")


def _parameters_of_file(document: dict[str, Any]) -> Parameters:
    """Return how a genome that came alone is read: as it says itself, at the usual size."""
    channels = document.get("outputs")
    if channels not in (1, 3) or isinstance(channels, bool):
        raise GenomeError(
            f"this genome has {str(channels)[:40]} outputs; pictures have 1, grey, or 3, coloured"
        )
    side = SIDES[channels]
    cppn = CppnParameters(
        coordinates=document.get("coordinates", "normalised"), weight_bound=_bound_of(document["connections"])
    )
    settings = Parameters(channels=channels, height=side, width=side, cppn=cppn)
    return parameters_of(settings, [document])


def _bound_of(connections: list[Any]) -> float:
    """Return a bound that a genome's weights keep; what is no weight is refused where the genome is read."""
    usual = CppnParameters().weight_bound
    weights = [one[2] for one in connections if isinstance(one, list) and len(one) == 3]
    sizes = [abs(weight) for weight in weights if type(weight) in (int, float)]
    return float(max([usual, *(math.ceil(size) for size in sizes if size <= MAX_WEIGHT)]))


def _unpacked(genome: bytes) -> Any:
    """Decompress within a bound, and parse."""
    try:
        reader = zlib.decompressobj()
        text = reader.decompress(genome, MOST_BYTES)
    except zlib.error:
        raise GenomeError(
            "this file is neither a genome of this site (JSON) nor one of Picbreeder (XML)"
        ) from None
    if not reader.eof or reader.unused_data:
        raise GenomeError("the genome is cut short, has bytes to spare or is larger than 4 MB")
    return parsed(text)


def parsed(text: bytes) -> Any:
    """Return what a genome's JSON says; raises GenomeError where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GenomeError(f"the genome is not JSON: {str(error)[:100]}") from error
