"""Whether a network fits the settings of a run that it was not evolved in, and how to make it fit.

The genomes of a run are read in one way: so many outputs, one kind of coordinates, one reading of colours. A network
that was bred elsewhere fits if it is read in the same way. One whose colours are switched off is the same picture,
bit for bit, with a saturation of zero, so that it fits as well.
"""

import math
from dataclasses import replace
from typing import Any

from evolution.errors import GenomeError, ParameterError
from evolution.parameters import Parameters

GREY = "-grey"  # at the end of a colour's name: its lightness or value alone is read
SATURATION = {"hsv": 1, "hls": 2, "picbreeder": 1}  # which of the three outputs
READINGS = {
    "normalised": "places counted from the middle",
    "pixel-indices": "places counted in pixels from a corner",
}


def fitted(document: dict[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Return a genome as a run of these parameters reads it, the same picture; raises GenomeError where it cannot."""
    outputs, coordinates = document.get("outputs"), document.get("coordinates")
    if outputs != parameters.channels:
        raise GenomeError(
            "the picture is in colour and the run's images are grey"
            if outputs == 3
            else "the picture is grey and the run's images are in colour"
        )
    if coordinates != parameters.cppn.coordinates:
        raise GenomeError(
            f"its network reads {READINGS.get(str(coordinates), coordinates)}, and those of the run "
            f"{READINGS[parameters.cppn.coordinates]}"
        )
    heaviest, bound = _heaviest(document), parameters.cppn.weight_bound
    if heaviest > bound:
        raise GenomeError(
            f"a weight of its network is {heaviest:g}, and those of the run lie within {bound:g} of zero"
        )
    colour = document.get("colour", parameters.colour)
    if outputs == 1 or colour == parameters.colour:
        return document
    if colour == f"{parameters.colour}{GREY}" and parameters.colour in SATURATION:
        return _without_saturation(document, parameters.colour)
    raise GenomeError(
        f"its network says colours as {str(colour).upper()}, and those of the run as {parameters.colour.upper()}"
    )


def reading_of(documents: list[dict[str, Any]], parameters: Parameters) -> Parameters:
    """Return the parameters with which a run reads genomes as the first of these is read, and bounds their weights.

    What they do not say, such as sizes and numbers, stays. Raises GenomeError where the first is of another kind.
    """
    first = documents[0]
    colour = str(first.get("colour", parameters.colour)).removesuffix(GREY)
    bound = max(parameters.cppn.weight_bound, *(math.ceil(_heaviest(one)) for one in documents))
    try:
        cppn = replace(parameters.cppn, coordinates=first["coordinates"], weight_bound=float(bound))
        return parameters.replaced(colour=colour, cppn=cppn)
    except (KeyError, ParameterError) as error:
        raise GenomeError(f"no run can begin with this genome: {error}") from error


def _heaviest(document: dict[str, Any]) -> float:
    return max((abs(weight) for _, _, weight in document.get("connections", ())), default=0.0)


def _without_saturation(document: dict[str, Any], colour: str) -> dict[str, Any]:
    """Return a genome whose saturation is zero: nothing feeds that output, and the sine of nothing is zero."""
    from evolution.cppn_kernel import N_INPUTS  # brings in a compiler, which few that ask need

    functions = list(document["functions"])
    place = len(functions) - 3 + SATURATION[colour]
    functions[place] = "sine"
    connections = [edge for edge in document["connections"] if edge[1] != N_INPUTS + place]
    return {**document, "colour": colour, "functions": functions, "connections": connections}
