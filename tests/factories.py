"""Runs as tests need them: small ones, that the real network judges."""

from typing import Any

from fooling_web.runs.launching import launch, parameters_for
from fooling_web.runs.models import Run

SMALL = {"generations": 5, "population": 20}


def launched(
    classifier: str = "mnist-lenet", encoding: str = "cppn", fidelity: str = "paper", **choices: Any
) -> Run:
    """Store a queued run of 5 generations of 20, or of the size asked for."""
    size = {name: choices.pop(name, number) for name, number in SMALL.items()}
    parameters = parameters_for(classifier, encoding, fidelity=fidelity, **size)
    return launch(classifier, encoding, parameters=parameters, **{"seed": 1, **choices})


def execute_once(run: Run, holder: str = "test", **options: Any) -> bool:
    """Advance a run as a worker does that was rung for its present lease."""
    from fooling_web.runs.execution import execute

    return execute(run, holder=holder, lease_number=run.lease_number, **options)


def executed(run: Run) -> Run:
    """Execute a run to its end."""
    assert execute_once(run)
    run.refresh_from_db()
    assert run.status == Run.Status.FINISHED, run.error
    return run
