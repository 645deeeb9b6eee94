"""Bred pictures that compete in archives: a person offers one, a worker scores it as the run scores its own.

An offer is a row from the moment it is made. A worker considers the offers that wait for a run whenever nobody holds
the run: at the end of every slice, or at once where the run rests or has ended. It scores them first and borrows the
run's lease for the moment in which it writes, so that a search under way and an offer never meet.
"""

import json
import logging
import os
import socket
import zlib
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.dispatch import receiver
from django.utils import timezone

from evolution.errors import EvolutionError, GenomeError
from evolution.fitting import fitted
from fooling_web.breeding.models import Offer, Publication
from fooling_web.runs.events import announce, rested
from fooling_web.runs.guests import Guest, admit
from fooling_web.runs.models import Individual, LeaseLost, Run
from models_zoo.errors import ZooError

logger = logging.getLogger(__name__)

MOST_CHOICES = 100  # of archives on a page
AT_ONCE = 20  # offers that are scored together
AGAIN = (Offer.Status.FAILED, Offer.Status.REFUSED)  # what may be offered once more
ERROR = "An error in the program kept this picture from being scored; the worker's log tells more."


class NotOffered(Exception):
    """A picture cannot be offered; the sentence is for the person."""


class OfferGone(Exception):
    """An offer was deleted, with its picture, while it was considered."""


def archives_for(user: Any, publication: Publication) -> QuerySet[Run]:
    """Return the runs to which this person may offer a picture that fits them, the newest first."""
    document = document_of(publication.individual)
    coloured = {"parameters__colour": _base(document)} if document["outputs"] == 3 else {}
    taken = publication.offers.exclude(status__in=AGAIN).values("run")
    fitting = _open(user).filter(
        encoding="cppn",
        parameters__channels=document["outputs"],
        parameters__cppn__coordinates=document["coordinates"],
        **coloured,
    )
    archives: QuerySet[Run] = fitting.exclude(pk__in=taken).select_related("owner").without_burdens()
    return archives[:MOST_CHOICES]


def offer(publication: Publication, run_id: Any, by: Any) -> Offer:
    """Store an offer that waits for a worker; raises NotOffered. Whoever calls rings the bell."""
    run = Run.objects.visible_to(by).without_burdens().filter(pk=run_id).first()
    if run is None:
        raise NotOffered("This archive is not here any more, or you may not see it. Choose another.")
    if reason := refusal(run, publication, by):
        raise NotOffered(reason)
    with transaction.atomic():
        made, is_new = Offer.objects.get_or_create(publication=publication, run=run, defaults={"by": by})
        if not is_new and not _renewed(made, by):
            raise NotOffered(f"This picture was offered to {run.name} before. See below what became of it.")
    made.refresh_from_db()
    return made


def refusal(run: Run, publication: Publication, by: Any) -> str:
    """Return why a picture may not compete in a run's archive; empty: it may."""
    home, is_stranger = publication.individual.run, by is None or not run.is_controlled_by(by)
    if run.visibility == Run.Visibility.PRIVATE and is_stranger:
        return f"{run.name} is private: its owner alone may offer pictures to it."
    if run.kind != Run.Kind.SEARCH or not run.accepts_bred:
        return f"The archive of {run.name} is not open for bred pictures. Ask its owner to open it."
    if home.visibility != Run.Visibility.PUBLIC and (by is None or not home.is_controlled_by(by)):
        return "This picture is not public: its breeder alone may offer it."
    exhibit = getattr(publication.individual, "exhibit", None)
    if exhibit and exhibit.hidden:
        return "A moderator took this picture out of the galleries: it cannot be offered."
    if run.known_classifier is None:
        return f"The classifier {run.classifier} of {run.name} is no longer here, so it cannot judge."
    if run.encoding != "cppn":
        return f"The images of {run.name} are pixels, not networks: a bred picture cannot compete there."
    if run.generation is None and not run.is_unfinished:
        return f"{run.name} ended before its first generation: it has no archive."
    return _misfit(run, document_of(publication.individual))


def document_of(individual: Individual) -> dict[str, Any]:
    """Return the genome of a bred picture."""
    document: dict[str, Any] = json.loads(zlib.decompress(bytes(individual.genome)))
    return document


@receiver(rested)
def consider_at_rest(run: Run, **signal: Any) -> None:
    """Consider what waits for a run whose worker has just given it back."""
    consider(run)


def consider(run: Run) -> bool:
    """Score the offers that wait for a run and let them compete; whether the run was changed or borrowed.

    Where somebody holds the run they go on waiting: its worker considers them at the end of the slice.
    """
    waiting = list(_waiting(run))
    guests = dict(_judged(run, waiting))
    if not guests or not run.borrow(f"offers, {socket.gethostname()}:{os.getpid()}"):
        return False
    try:
        for each, guest in guests.items():
            _compete(run, each, guest)
    except LeaseLost as error:
        logger.warning("%s; its offers go on waiting", error)
    try:
        run.release()
    except Run.DoesNotExist:
        return False  # deleted, and its offers with it
    announce(run)
    return True


def _open(user: Any) -> Any:
    return Run.objects.open_to_bred().listed_for(user)


def _base(document: dict[str, Any]) -> str:
    return str(document.get("colour", "")).removesuffix("-grey")


def _renewed(made: Offer, by: Any) -> bool:
    """Let an offer that failed or was refused wait again; whether that changed anything."""
    again = Offer.objects.filter(pk=made.pk, status__in=AGAIN)
    return bool(again.update(status=Offer.Status.WAITING, by=by, error="", offered_at=timezone.now()))


def _misfit(run: Run, document: dict[str, Any]) -> str:
    try:
        fitted(document, run.settings)
    except GenomeError as error:
        return f"This picture does not fit {run.name}: {error}."
    return ""


def _waiting(run: Run) -> QuerySet[Offer]:
    """Return the offers that a run with an archive has to consider, the eldest first."""
    offers = Offer.objects.filter(run=run, run__generation__isnull=False, status=Offer.Status.WAITING)
    related = offers.select_related("publication__individual__run", "publication__individual__exhibit", "by")
    return related.defer("publication__individual__run__random_state").order_by("offered_at")[:AT_ONCE]


def _judged(run: Run, offers: list[Offer]) -> Iterator[tuple[Offer, Guest]]:
    """Yield the offers that may compete, as the run's classifier judges them; the others are answered."""
    for each in offers:
        try:
            if reason := refusal(run, each.publication, each.by):
                _answer(each, Offer.Status.REFUSED, error=reason)
            else:
                yield each, _guest(run, document_of(each.publication.individual))
        except OfferGone:
            continue
        except GenomeError as error:
            _answer_if_there(each, Offer.Status.REFUSED, f"This picture does not fit {run.name}: {error}.")
        except (EvolutionError, ZooError) as error:
            _answer_if_there(each, Offer.Status.FAILED, _sentence(str(error)))
        except Exception:
            logger.exception("offer %s could not be scored", each.pk)
            _answer_if_there(each, Offer.Status.FAILED, ERROR)


def _guest(run: Run, document: dict[str, Any]) -> Guest:
    from fooling_web.runs.execution import judged_by  # loads torch, which only workers need

    judged = judged_by(run, [fitted(document, run.settings)])
    return Guest(*judged.genomes[0], judged.confidences[0], judged.tops[0])


def _compete(run: Run, each: Offer, guest: Guest) -> None:
    """Let a scored picture take the classes that it wins, and answer its offer, all in one transaction.

    Of the run only what may have changed since is asked again: its owner may have closed the archive.
    """
    try:
        with transaction.atomic():
            if not run.accepts_bred:
                reason = f"The owner of {run.name} closed its archive before this picture was scored."
                _answer(each, Offer.Status.REFUSED, error=reason)
                return
            individual, won = admit(run, guest)
            status = Offer.Status.WON if won else Offer.Status.LOST
            _answer(each, status, individual=individual, won=[list(one) for one in won], top=guest.top)
    except (OfferGone, IntegrityError) as error:
        logger.info("offer %s went while it was considered: %s", each.pk, error)
        run.extend_lease()  # reads the run anew: what was taken back must not count for the next


def _answer(each: Offer, status: str, **answer: Any) -> None:
    """Write what became of an offer that still waits; raises OfferGone."""
    waiting = Offer.objects.filter(pk=each.pk, status=Offer.Status.WAITING)
    if not waiting.update(status=status, answered_at=timezone.now(), **answer):
        raise OfferGone(f"offer {each.pk} waits no more")


def _answer_if_there(each: Offer, status: str, error: str) -> None:
    try:
        _answer(each, status, error=error)
    except OfferGone as gone:
        logger.info("%s", gone)


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."
