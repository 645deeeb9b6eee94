"""Store queued runs with their parameters and seeds frozen: the form and the commands both come here."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from evolution.errors import ParameterError
from evolution.parameters import ENCODINGS, MAX_SEED, Parameters
from evolution.presets import OWN_NUMBERS, PRESETS, Choices, parameters_of
from fooling_web.runs.models import Run, Sweep
from fooling_web.users.models import User
from models_zoo.registry import ClassifierEntry, find

Documents = Sequence[dict[str, Any]]
LARGEST_DRAWN_SEED = 10**6  # short enough to read aloud


def parameters_for(classifier: str, encoding: str, **choices: Any) -> Parameters:
    """Return parameters whose images fit the classifier; raises ParameterError or UnknownClassifier.

    `choices` are those of `evolution.presets.Choices`: generations, population, fidelity, method, crops, ...
    """
    return parameters_of(OWN_NUMBERS, find(classifier), Choices(encoding=encoding, **choices))


def launch(
    classifier: str,
    encoding: str,
    *,
    parameters: Parameters | None = None,
    seed: int | None = None,
    name: str = "",
    preset: str = "",
    owner: User | None = None,
    visibility: str = Run.Visibility.PUBLIC,
    cloned_from: Run | None = None,
    sweep: Sweep | None = None,
    status: str = Run.Status.QUEUED,
    founders: Documents = (),
) -> Run:
    """Store a queued run; a seed that is not given is drawn. Whoever calls rings the bell.

    Founders are genomes that fit the parameters, no more than the first population has.
    Raises UnknownClassifier, or WeightsCorrupted where the classifier's file is missing or damaged.
    """
    entry = find(classifier)
    entry.require_weights()
    parameters = parameters or parameters_for(classifier, encoding)
    seed = drawn_seed() if seed is None else seed
    return Run.objects.create(
        name=name or usual_name(entry, encoding, preset, f"seed {seed}"),
        owner=owner,
        visibility=visibility,
        cloned_from=cloned_from,
        sweep=sweep,
        status=status,
        classifier=classifier,
        classifier_sha256=entry.card["sha256"],
        encoding=encoding,
        parameters=parameters.to_json(),
        seed=seed,
        generations=parameters.generations,
        founders=Run.packed_founders(list(founders)) if founders else None,
        n_founders=len(founders),
    )


def begin_sweep(
    classifier: str,
    encoding: str,
    *,
    runs: int,
    name: str = "",
    preset: str = "",
    owner: User | None = None,
    visibility: str = Run.Visibility.PUBLIC,
) -> Sweep:
    """Store a sweep that has no runs yet; raises as `launch` does."""
    entry = find(classifier)
    entry.require_weights()
    title = name or usual_name(entry, encoding, preset, f"{runs} runs")
    return Sweep.objects.create(name=title, preset=preset, owner=owner, visibility=visibility)


def launch_sweep(
    classifier: str,
    encoding: str,
    *,
    parameters: Parameters,
    runs: int,
    seed: int | None = None,
    name: str = "",
    preset: str = "",
    owner: User | None = None,
    visibility: str = Run.Visibility.PUBLIC,
    cloned_from: Run | None = None,
    founders: Documents = (),
) -> Sweep:
    """Store a sweep with all its runs, from a seed upwards; they wait until the sweep is asked to admit them."""
    first = drawn_seed() if seed is None else seed
    with transaction.atomic():
        sweep = begin_sweep(
            classifier, encoding, runs=runs, name=name, preset=preset, owner=owner, visibility=visibility
        )
        for place in range(runs):
            launch(
                classifier,
                encoding,
                parameters=parameters,
                seed=first + place,
                name=name_in_sweep(sweep, first + place),
                owner=owner,
                visibility=visibility,
                cloned_from=cloned_from,
                sweep=sweep,
                status=Run.Status.PENDING,
                founders=founders,
            )
    return sweep


def usual_name(entry: ClassifierEntry, encoding: str, preset: str, addition: str) -> str:
    """Return how a run or sweep is called that nobody gave a name: "Figure 5, quick look: LeNet, CPPN, seed 7"."""
    known = PRESETS.get(preset)
    experiment = ""
    if known:
        experiment = f"{known.experiment.partition(':')[0]}, {known.size[0].lower()}{known.size[1:]}: "
    longest = Run._meta.get_field("name").max_length or 0
    ending = f", {ENCODINGS[encoding]}, {addition}"
    return f"{experiment}{entry.title}"[: longest - len(ending)] + ending


def name_in_sweep(sweep: Sweep, seed: int) -> str:
    """Return the name of a sweep's run."""
    addition = f", seed {seed}"
    longest = Run._meta.get_field("name").max_length or 0
    return sweep.name[: longest - len(addition)] + addition


def drawn_seed() -> int:
    """Return a seed that nobody chose."""
    return secrets.randbelow(LARGEST_DRAWN_SEED)


def require_seeds(seed: int | None, runs: int) -> None:
    """Make sure that a sweep's seeds can follow one another; raises ParameterError."""
    if (seed or 0) + runs - 1 > MAX_SEED:
        raise ParameterError(
            f"seed {seed} is out of range: the seeds of {runs} runs follow one another, up to {MAX_SEED}"
        )
