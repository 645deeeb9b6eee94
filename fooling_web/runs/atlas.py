"""An atlas: hundreds of champions in one picture, so that a wall of 1,000 classes arrives in three requests.

An atlas shows the champions of one generation, which never change again; so browsers may keep it for ever. Pages
of a run that goes on name a generation of the past that all who watch have in common, and fetch what has changed
since one by one.
"""

import io
from collections.abc import Iterator

from PIL import Image

from evolution.errors import GenomeError
from evolution.parameters import Parameters
from fooling_web.runs.cabinet import kept
from fooling_web.runs.models import Individual, Run
from fooling_web.runs.pictures import QUALITY, small_picture

TILE = 64  # pixels a side
COLUMNS = 20
PER_ATLAS = COLUMNS * COLUMNS
WITHOUT_GENOME = (128, 128, 128)
READ_AT_ONCE = 20  # genomes: those of pixels are large


def milestone_of(run: Run) -> int:
    """Return the generation that pages name: the last of a run that rests, else one shared by all who watch.

    It lags behind by less than an eighth of the run, and moves on after as many generations.
    """
    generation = -1 if run.generation is None else run.generation
    if not run.is_active or generation < 0:
        return generation
    step = 1 << max(0, (generation // 8).bit_length() - 1)
    return generation - generation % step


def atlas_of(run: Run, generation: int, number: int) -> bytes | None:
    """Return the WebP of the number-th PER_ATLAS classes, as their champions stood in a generation.

    None where the classifier has no such classes. The generation must be one that the run has kept.
    """
    holders = _holders(run, generation, number * PER_ATLAS)
    if not holders and number * PER_ATLAS >= run.n_classes:
        return None
    return kept(f"{run.pk}-{generation}-{number}-atlas.webp", lambda: _drawn(run.settings, holders))


def _holders(run: Run, generation: int, first: int) -> dict[int, int]:
    """Return who held which class in a generation: the individual's id for each place in the atlas."""
    among = {"class_index__gte": first, "class_index__lt": first + PER_ATLAS}
    champions = run.champions.filter(**among).values_list("class_index", "individual_id", "generation")
    holders, taken_later = {}, []
    for class_index, individual, since in champions:
        if since <= generation:
            holders[class_index - first] = individual
        else:
            taken_later.append(class_index)
    earlier = run.takeovers.filter(class_index__in=taken_later, generation__lte=generation)
    for class_index, individual in earlier.order_by("generation").values_list("class_index", "individual_id"):
        holders[class_index - first] = individual
    return holders


def _drawn(parameters: Parameters, holders: dict[int, int]) -> bytes:
    places: dict[int, list[int]] = {}
    for place, individual in holders.items():
        places.setdefault(individual, []).append(place)
    atlas = Image.new("RGB", (COLUMNS * TILE, COLUMNS * TILE))
    for individual, genome in _genomes(list(places)):
        tile = _tile(parameters, genome)
        for place in places[individual]:
            atlas.paste(tile, (place % COLUMNS * TILE, place // COLUMNS * TILE))
    file = io.BytesIO()
    atlas.save(file, format="WEBP", quality=QUALITY, method=2)
    return file.getvalue()


def _genomes(ids: list[int]) -> Iterator[tuple[int, bytes]]:
    individuals = Individual.objects.filter(pk__in=ids).values_list("pk", "genome")
    for individual, genome in individuals.iterator(chunk_size=READ_AT_ONCE):
        yield individual, bytes(genome)


def _tile(parameters: Parameters, genome: bytes) -> Image.Image:
    """Return one small picture; a quiet grey where the genome is damaged or not kept."""
    try:
        picture = small_picture(parameters, genome, TILE)
    except GenomeError:
        return Image.new("RGB", (TILE, TILE), WITHOUT_GENOME)
    return picture.convert("RGB").resize((TILE, TILE), Image.Resampling.NEAREST)
