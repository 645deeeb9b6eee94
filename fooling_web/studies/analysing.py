"""The effect of a comparison, which takes seconds to compute: a worker does it, once for so many responses.

What was computed stays beside the number of responses that it was computed from, so that a page can say that more
have come since, and ask anew. Earlier ones of the same method go when a new one is done.
"""

import logging
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from fooling_web.studies.events import announce
from fooling_web.studies.models import Analysis, Participant, Study

logger = logging.getLogger(__name__)
METHOD = "effect"
PATIENCE = timedelta(minutes=10)  # after which a worker is taken for lost
UNKNOWN = "An error in the program stopped this; the worker’s log tells more."


@dataclass(frozen=True)
class Effect:
    """What is known of the effect of a comparison."""

    done: Analysis | None
    newest: Analysis | None  # waited for, or failed, after the last that was done
    more: int  # responses that came, or went, since the last was done

    @property
    def is_awaited(self) -> bool:
        """Whether a worker is at it, or will be."""
        return self.newest is not None and self.newest.status == Analysis.Status.WAITING


def asked_for(study: Study, phase: str) -> Analysis:
    """Return the analysis of a study's comparison for its responses so far, asked for now if it was not before."""
    waiting = study.analyses.filter(phase=phase, method=METHOD, status=Analysis.Status.WAITING).first()
    if waiting:
        return waiting
    n_responses = responses_in(study, phase)
    analysis, is_new = Analysis.objects.get_or_create(
        study=study, phase=phase, method=METHOD, n_responses=n_responses
    )
    if not is_new and analysis.status != Analysis.Status.DONE:
        Analysis.objects.filter(pk=analysis.pk).update(
            status=Analysis.Status.WAITING, result={}, asked_at=timezone.now()
        )
        analysis.refresh_from_db()
    return analysis


def carry_out(analysis: Analysis) -> None:
    """Compute what an analysis asks for, and keep the result or why there is none."""
    from fooling_web.studies.effects import effect_of  # loads what fits models, which only workers need

    try:
        result = effect_of(analysis.study, analysis.phase)
        finish(analysis, Analysis.Status.DONE, _finite(result))
    except ValueError as error:
        finish(analysis, Analysis.Status.FAILED, {"error": str(error)})
    except Exception:
        logger.exception("analysis %s of study %s stopped", analysis.pk, analysis.study_id)
        finish(analysis, Analysis.Status.FAILED, {"error": UNKNOWN})


def finish(analysis: Analysis, status: str, result: dict[str, Any]) -> None:
    """Keep a result while it is still waited for, let earlier ones go, and ring."""
    waiting = Analysis.objects.filter(pk=analysis.pk, status=Analysis.Status.WAITING)
    with transaction.atomic():
        if not waiting.update(status=status, result=result, finished_at=timezone.now()):
            return
        others = Analysis.objects.filter(
            study=analysis.study_id, phase=analysis.phase, method=analysis.method
        )
        if status == Analysis.Status.DONE:
            others.exclude(pk=analysis.pk).exclude(status=Analysis.Status.WAITING).delete()
    announce(analysis.study_id)


def forsaken() -> list[Analysis]:
    """Return what nobody seems to work at, and take it as asked for now."""
    late = Analysis.objects.filter(
        method=METHOD, status=Analysis.Status.WAITING, asked_at__lt=timezone.now() - PATIENCE
    )
    found = list(late)
    Analysis.objects.filter(pk__in=[one.pk for one in found]).update(asked_at=timezone.now())
    return found


def effect_shown(study: Study, phase: str, n_responses: int) -> Effect:
    """Return what is known of the effect: what was computed last, and what is waited for or failed after it."""
    analyses = list(study.analyses.filter(phase=phase, method=METHOD).order_by("-asked_at"))
    done = next((one for one in analyses if one.status == Analysis.Status.DONE), None)
    newest = analyses[0] if analyses and analyses[0].status != Analysis.Status.DONE else None
    return Effect(done, newest, n_responses - (done.n_responses if done else 0))


def responses_in(study: Study, phase: str) -> int:
    """Return how many responses a phase has."""
    assert phase in Participant.Phase.values
    return sum(study.participants.of_phase(phase).values_list("n_answered", flat=True))


def _finite(value: Any) -> Any:
    """Return plain values without what JSON has no word for: none stands for a number that there is not."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
