"""Store a queued run with its parameters and seed frozen: the form and the commands both come here."""

import secrets

from evolution.parameters import ENCODINGS, Parameters
from fooling_web.runs.models import Run
from fooling_web.users.models import User
from models_zoo.registry import find

LARGEST_DRAWN_SEED = 10**6  # short enough to read aloud


def parameters_for(
    classifier: str, encoding: str, *, generations: int, population: int, fidelity: str = "paper"
) -> Parameters:
    """Return parameters whose images fit the classifier; raises ParameterError or UnknownClassifier."""
    entry = find(classifier)
    return Parameters.for_fidelity(
        fidelity,
        encoding=encoding,
        generations=generations,
        first_population=population,
        offspring=population,
        channels=entry.channels,
        height=entry.height,
        width=entry.width,
    )


def launch(
    classifier: str,
    encoding: str,
    *,
    parameters: Parameters | None = None,
    seed: int | None = None,
    name: str = "",
    owner: User | None = None,
    visibility: str = Run.Visibility.PUBLIC,
    cloned_from: Run | None = None,
) -> Run:
    """Store a queued run; a seed that is not given is drawn. Whoever calls rings the bell.

    Raises UnknownClassifier, or WeightsCorrupted where the classifier's file is damaged.
    """
    entry = find(classifier)
    entry.require_weights()
    parameters = parameters or parameters_for(classifier, encoding, generations=200, population=200)
    if seed is None:
        seed = secrets.randbelow(LARGEST_DRAWN_SEED)
    return Run.objects.create(
        name=name or f"{entry.title}, {ENCODINGS[encoding]}, seed {seed}",
        owner=owner,
        visibility=visibility,
        cloned_from=cloned_from,
        classifier=classifier,
        classifier_sha256=entry.card["sha256"],
        encoding=encoding,
        parameters=parameters.to_json(),
        seed=seed,
        generations=parameters.generations,
    )
