"""Litters as they are kept and as they are seen: added in one transaction, read back, developed into pictures."""

import functools
import uuid
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.utils import timezone

from evolution.encoding import Encoding, encoding_for
from evolution.errors import EvolutionError
from evolution.parameters import Parameters
from fooling_web.breeding.models import MOST_LITTERS, BreedingSession, Litter

Images = npt.NDArray[np.float32]


class SessionFull(EvolutionError):
    """A session has as many litters as one may have."""


def add_litter(
    session: BreedingSession,
    *,
    deed: str,
    documents: list[dict[str, Any]],
    before: Litter | None,
    parent: Litter | None,
    picked: list[int],
    parents: list[list[int]],
    token: uuid.UUID | None = None,
    stands_at: Litter | None = None,
    **settings: Any,
) -> Litter:
    """Keep a litter and let the session stand there; asked again with the same token, return the one that was kept.

    Where `stands_at` is given, a session that has gone on from there meanwhile stays where it is.
    Raises GenomeError where a genome cannot be developed, and SessionFull.
    """
    encoding = _encoding(parameters_of(session.settings, documents))
    population = encoding.from_json(documents)  # type: ignore[attr-defined]  # networks alone are bred
    hashes = [encoding.fingerprint(population, row) for row in range(len(population))]
    with transaction.atomic():
        locked = BreedingSession.objects.select_for_update().get(pk=session.pk)
        if token and (kept := locked.litters.filter(token=token).first()):
            return kept
        if locked.n_litters >= MOST_LITTERS:
            raise SessionFull(
                f"this session has {MOST_LITTERS:,} litters, which is all that one may have; "
                "begin another from a picture of it"
            )
        litter = Litter.objects.create(
            session=locked,
            target=locked.target,
            number=locked.n_litters,
            deed=deed,
            before=before,
            parent=parent,
            picked=picked,
            parents=parents,
            genomes=Litter.packed(documents),
            hashes=hashes,
            token=token or uuid.uuid4(),
            **settings,
        )
        has_gone_on = stands_at is not None and locked.place_id != stands_at.pk
        place = locked.place if has_gone_on and locked.place else litter
        stand_at(locked, place, n_litters=locked.n_litters + 1)
    session.refresh_from_db()
    return litter


def stand_at(session: BreedingSession, litter: Litter, **changes: Any) -> None:
    """Let a session stand at one of its litters."""
    BreedingSession.objects.filter(pk=session.pk).update(place=litter, used_at=timezone.now(), **changes)


def parameters_of(settings: Parameters, documents: list[dict[str, Any]]) -> Parameters:
    """Return how these genomes of a session are read: whether in colour they say themselves."""
    colour = documents[0].get("colour", settings.colour) if documents else settings.colour
    return settings.replaced(colour=colour)


def encoding_of(litter: Litter) -> Encoding:
    """Return the encoding that develops a litter's genomes."""
    return encoding_from(litter.session.settings, litter.documents)


def encoding_from(settings: Parameters, documents: list[dict[str, Any]]) -> Encoding:
    """Return the encoding that develops genomes of a session."""
    return _encoding(parameters_of(settings, documents))


def pictures_of(litter: Litter, side: int, places: list[int] | None = None) -> Images:
    """Return the pictures of a litter, or of some of its tiles, (B, C, side, side) in [0, 1]."""
    documents = litter.documents if places is None else [litter.documents[place] for place in places]
    return pictures_from(litter.session.settings, documents, side)


def pictures_from(settings: Parameters, documents: list[dict[str, Any]], side: int) -> Images:
    """Return the pictures of genomes of a session, (B, C, side, side) in [0, 1]."""
    encoding = encoding_from(settings, documents)
    population = encoding.from_json(documents)  # type: ignore[attr-defined]  # networks alone are bred
    images: Images = encoding.develop_at(population, side, side)  # type: ignore[attr-defined]
    return images


@functools.lru_cache(maxsize=16)
def _encoding(parameters: Parameters) -> Encoding:
    """Return an encoding; the positions of its pixels are computed once."""
    return encoding_for(parameters)
