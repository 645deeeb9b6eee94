"""The verdict on published pictures: what a run's classifier says, which workers find out. It loads torch."""

import logging
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from evolution.errors import EvolutionError
from fooling_web.breeding.models import Publication
from fooling_web.breeding.offering import document_of
from fooling_web.breeding.publishing import crown
from fooling_web.runs.models import Run
from models_zoo.errors import ZooError

logger = logging.getLogger(__name__)

AGAIN = timedelta(minutes=1)  # after which a bell counts as lost
AT_ONCE = 20  # for which is asked again
ERROR = "An error in the program kept this picture from being judged; the worker's log tells more."


def unjudged() -> QuerySet[Publication]:
    """Return published pictures whose verdict was asked for a while ago and never came, the eldest first."""
    lost = Q(individual__run__rung_at=None) | Q(individual__run__rung_at__lt=timezone.now() - AGAIN)
    waiting = Publication.objects.filter(lost, individual__run__generation=None, individual__run__error="")
    return waiting.select_related("individual__run").order_by("published_at")[:AT_ONCE]


def judge(publication: Publication) -> None:
    """Let the classifier look at a published picture, if it has not; where it cannot, the run says why."""
    run = publication.individual.run
    if run.generation is not None:
        return
    try:
        _judge(run, publication)
    except (EvolutionError, ZooError) as error:
        _fail(run, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    except Exception:
        logger.exception("published picture %s could not be judged", publication.pk)
        _fail(run, ERROR)


def _judge(run: Run, publication: Publication) -> None:
    from fooling_web.runs.execution import judged_by  # loads torch, which only workers need

    run.classifier_sha256 = run.classifier_entry.card["sha256"]  # of today: nothing was judged by another
    judged = judged_by(run, [document_of(publication.individual)])
    crown(run, [list(pair) for pair in judged.tops[0]], run.classifier_sha256)


def _fail(run: Run, reason: str) -> None:
    Run.objects.filter(pk=run.pk, generation=None).update(error=reason)
