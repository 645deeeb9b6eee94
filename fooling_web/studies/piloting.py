"""Trying a study out with people who are nobody: they take part in the pilot, are looked at, and go again.

A few are simulated while one waits; many by a worker, in slices, so that others have their turn. They bear the way in
"simulated", are always of the pilot, and no number of the main phase ever counts them.
"""

import time

from fooling_web.studies.events import announce
from fooling_web.studies.models import Participant, Study
from fooling_web.studies.simulating import simulate

MOST = 1000  # simulated participants of a study
AT_ONCE = 20  # that a page waits for
SLICE_SECONDS = 2.0


def simulated_in(study: Study) -> int:
    """Return how many simulated participants a study has."""
    return study.participants.filter(entry=Participant.SIMULATED).count()


def simulate_some(study: Study, number: int, accuracy: float, seed: int) -> int:
    """Simulate participants for a slice; return how many are still to come."""
    until = time.monotonic() + SLICE_SECONDS
    room = min(number, MOST - simulated_in(study))
    while room > 0 and not study.is_frozen:
        simulate(study, n=1, accuracy=accuracy, seed=seed + room)
        room -= 1
        if time.monotonic() > until:
            break
    announce(study.pk)
    return 0 if study.is_frozen else room


def remove_simulated(study: Study) -> int:
    """Delete every simulated participant of a study with all they answered; return how many there were."""
    simulated = study.participants.filter(entry=Participant.SIMULATED)
    number = simulated.count()
    simulated.delete()
    announce(study.pk)
    return number
