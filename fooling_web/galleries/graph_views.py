"""Pages of an image's network: the graph, one of its weights swept, and what the classifier says of that.

Drawing costs this process some milliseconds and is limited for each address. The classifier is asked by a POST
alone, so that nobody who merely follows links gives a worker anything to do.
"""

import uuid
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from evolution.errors import GenomeError
from fooling_web.galleries.absence import absence_of
from fooling_web.galleries.examining import ask_for
from fooling_web.galleries.graphs import (
    Connection,
    Network,
    Sweep,
    TooLarge,
    curve_of,
    network_of,
    nodes_sprite,
    sweep_of,
    sweep_sprite,
)
from fooling_web.galleries.images import (
    A_WHILE,
    FOR_EVER,
    LARGEST_PIXELATED,
    Request,
    Told,
    image_or_404,
    told,
)
from fooling_web.galleries.limits import MINUTE, is_within
from fooling_web.galleries.models import Examination
from fooling_web.runs.models import Individual
from fooling_web.runs.pictures import NotKept
from fooling_web.runs.watching import SHORT_HASH

DRAWN_A_MINUTE = 120  # sprites for one address
ASKED_A_MINUTE = 30  # connections for one address
NO_NETWORK = "No network draws this image: its genome is the pixels themselves."


@require_safe
@vary_on_headers("HX-Request")
def graph(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Show the network of an image: as a page, or as a part of the image's page."""
    individual = image_or_404(request, run_id, number)
    known = told(request, individual)
    network, complaint = _network(individual)
    connection = network.connection(request.GET.get("edge", "")) if network else None
    context = {
        **_shared(individual, known),
        "network": network,
        "complaint": complaint,
        "is_part": bool(request.htmx),
        "sprite_url": _sprite_url(individual) if network else "",
    }
    if network and connection:
        context |= _weight(request, individual, known, network, connection)
    return render(request, "galleries/_graph.html" if request.htmx else "galleries/graph.html", context)


@require_safe
def nodes(request: Request, run_id: uuid.UUID, number: int) -> HttpResponse:
    """Send the pictures of all nodes as one."""
    individual = _drawable_or_404(request, run_id, number)
    if not is_within(request, "networks", 1, DRAWN_A_MINUTE):
        return _too_many(request)
    network = _network_or_404(individual)
    return _as_picture(request, nodes_sprite(individual.run, individual, network))


@require_safe
@vary_on_headers("HX-Request")
def weight(request: Request, run_id: uuid.UUID, number: int, source: int, target: int) -> HttpResponse:
    """Show one connection with its weight swept, as a part of the network's page."""
    individual = image_or_404(request, run_id, number)
    known = told(request, individual)
    if not request.htmx:
        return _to_page(individual, known, f"{source}-{target}")
    network, connection = _connection_or_404(individual, source, target)
    context = _weight(request, individual, known, network, connection)
    return render(request, "galleries/_weight.html", {**_shared(individual, known), **context})


@require_safe
def weight_pictures(
    request: Request, run_id: uuid.UUID, number: int, source: int, target: int
) -> HttpResponse:
    """Send the pictures with all weights of a connection as one."""
    individual = _drawable_or_404(request, run_id, number)
    if not is_within(request, "networks", 1, DRAWN_A_MINUTE):
        return _too_many(request)
    network, connection = _connection_or_404(individual, source, target)
    sweep = sweep_of(individual.run, network, connection, "")
    return _as_picture(request, sweep_sprite(individual.run, individual, sweep))


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def weight_answers(
    request: Request, run_id: uuid.UUID, number: int, source: int, target: int
) -> HttpResponse:
    """Show what the classifier says of a sweep; a POST has it asked."""
    individual = image_or_404(request, run_id, number)
    known = told(request, individual)
    network, connection = _connection_or_404(individual, source, target)
    examination, is_refused = _examination_of(individual, connection.edge), False
    is_known = bool(examination and examination.is_answered)
    if request.method == "POST" and not is_known and not absence_of(individual.run):
        is_refused = not is_within(request, "weights", 1, ASKED_A_MINUTE)
        if not is_refused:
            ask_for(individual, Examination.Deed.WEIGHT, connection.edge)
    if not request.htmx:
        return _too_many(request) if is_refused else _to_page(individual, known, connection.edge)
    context = {
        **_shared(individual, known),
        **_weight(request, individual, known, network, connection),
        "is_refused": is_refused,
    }
    return render(request, "galleries/_weight_answers.html", context)


def _network(individual: Individual) -> tuple[Network | None, str]:
    """Return the network, or a line that says why there is none to show."""
    if individual.run.encoding != "cppn":
        return None, NO_NETWORK
    try:
        return network_of(individual.run, individual), ""
    except NotKept:
        return None, "The network of this image was not kept: it holds no class any more."
    except TooLarge as error:
        return None, f"This network is too large to be drawn: {error}. Its genome can be downloaded."
    except GenomeError as error:
        return None, f"This network cannot be read: {error}."


def _network_or_404(individual: Individual) -> Network:
    network, complaint = _network(individual)
    if not network:
        raise Http404(complaint)
    return network


def _connection_or_404(individual: Individual, source: int, target: int) -> tuple[Network, Connection]:
    network = _network_or_404(individual)
    connection = network.connection(f"{source}-{target}")
    if not connection:
        raise Http404("The network has no such connection.")
    return network, connection


def _drawable_or_404(request: Request, run_id: uuid.UUID, number: int) -> Individual:
    """Return an image, if the address names no genome or this one's."""
    individual = image_or_404(request, run_id, number)
    if request.GET.get("genome") not in (None, individual.genome_hash[:SHORT_HASH]):
        raise Http404("There is no such picture in this run.")
    return individual


def _examination_of(individual: Individual, edge: str) -> Examination | None:
    """Return what is known of a connection, or that it is being asked; None where nobody has asked."""
    return individual.examinations.filter(deed=Examination.Deed.WEIGHT, subject=edge).first()


def _weight(
    request: Request, individual: Individual, known: Told, network: Network, connection: Connection
) -> dict[str, Any]:
    """Return what a page shows of one connection."""
    run = individual.run
    sweep = sweep_of(run, network, connection, request.GET.get("value", ""))
    place = (run.pk, individual.number, connection.source.place, connection.target.place)
    genome = individual.genome_hash[:SHORT_HASH]
    light = known.light.class_index if known.light else None
    examination = _examination_of(individual, connection.edge)
    return {
        "sweep": sweep,
        "pictures_url": f"{reverse('galleries:graph_pictures', args=place)}?genome={genome}",
        "answers_url": f"{reverse('galleries:graph_answers', args=place)}{known.query}",
        "examination": examination,
        "absence": absence_of(run),
        "curve": _curve(individual, sweep, network.bound, examination, light),
    }


def _curve(
    individual: Individual,
    sweep: Sweep,
    bound: float,
    examination: Examination | None,
    class_index: int | None,
) -> Any:
    """Return the curve of a kept result; None where there is none, or one of other weights."""
    result = examination.result if examination else None
    if not result or result["weights"] != [value.weight for value in sweep.values]:
        return None
    return curve_of(individual.run, sweep, bound, result, class_index)


def _shared(individual: Individual, known: Told) -> dict[str, Any]:
    address = reverse("galleries:graph", args=[individual.run_id, individual.number])
    return {
        "run": individual.run,
        "individual": individual,
        "told": known,
        "graph_url": f"{address}{known.query or '?'}",  # one more part of a query may follow
        "weight_url": f"{address}weight/",
        "is_pixelated": individual.run.settings.width <= LARGEST_PIXELATED,
    }


def _sprite_url(individual: Individual) -> str:
    address = reverse("galleries:graph_nodes", args=[individual.run_id, individual.number])
    return f"{address}?genome={individual.genome_hash[:SHORT_HASH]}"


def _to_page(individual: Individual, known: Told, edge: str) -> HttpResponseRedirect:
    """Lead who has no scripts to the page, at the connection."""
    address = reverse("galleries:graph", args=[individual.run_id, individual.number])
    return redirect(f"{address}{known.query or '?'}&edge={edge}#weight")


def _as_picture(request: Request, content: bytes) -> HttpResponse:
    kept = FOR_EVER if "genome" in request.GET else A_WHILE
    return HttpResponse(content, content_type="image/webp", headers={"Cache-Control": kept})


def _too_many(request: Request) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(MINUTE)
    return response
