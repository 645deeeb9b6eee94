"""How long runs will take here, from how long runs like them took.

What is counted are views: an image that the classifier sees as ten crops is ten of them. Where a classifier has not
been measured on this site, what others took is carried over by the guessed speeds below.
"""

from dataclasses import dataclass

from evolution.parameters import Parameters
from fooling_web.runs.models import Run, RunQuerySet
from models_zoo.errors import UnknownClassifier
from models_zoo.registry import find

REMEMBERED = 20  # the latest runs that are asked
CLIMBING = 3.0  # times the work of an evaluation: gradient ascent goes through the network forth and back

# Views a second on one processor core, guessed for classifiers that have not been measured: only their ratios
# count. Those of EfficientNet-Lite0, AlexNet, ResNet-18 and SqueezeNet were measured once on one machine; the
# others follow from the multiplications that their networks need.
GUESSED_SPEEDS: dict[str, float] = {
    "alexnet": 42,
    "convnext-tiny": 7,
    "densenet-121": 10,
    "efficientnet-lite0": 35,
    "efficientnet-lite2": 16,
    "googlenet": 20,
    "mobilenet-v3-large": 90,
    "resnet-18": 20,
    "resnet-50": 8,
    "squeezenet-1-1": 80,
    "vgg-16": 2.5,
    "vit-b-16": 2,
}
GUESSED_BY_CHANNELS = {1: 4000.0, 3: 20.0}


@dataclass(frozen=True)
class Estimate:
    """What launching would mean."""

    evaluations: int  # of all runs together
    seconds: float | None  # of computing, likewise; unknown on a site where nothing has run
    is_rough: bool  # nothing with this classifier and encoding has run here yet
    waiting: int  # active runs that share the workers
    runs: int = 1
    crops: int = 1


def estimate(classifier: str, parameters: Parameters, runs: int = 1) -> Estimate:
    """Return an estimate from the pace of the latest runs alike, or of any runs where there are none."""
    measured = Run.objects.filter(seconds__gt=0, origin__isnull=True)  # elsewhere has another pace
    encoding = parameters.encoding
    alike = _speed(measured.filter(classifier=classifier, encoding=encoding))
    speed = alike or _speed(measured.filter(classifier=classifier)) or _speed(measured)
    work = runs * parameters.evaluations * parameters.crops / _guessed(classifier, encoding)
    return Estimate(
        evaluations=runs * parameters.evaluations,
        seconds=work / speed if speed else None,
        is_rough=alike is None,
        waiting=Run.objects.active().count(),
        runs=runs,
        crops=parameters.crops,
    )


def _speed(runs: RunQuerySet) -> float | None:
    """Return how many times as fast as guessed the latest of these runs were."""
    latest = runs.values_list("classifier", "encoding", "parameters__crops", "evaluations", "seconds")
    guessed, spent = 0.0, 0.0
    for classifier, encoding, crops, evaluations, seconds in latest[:REMEMBERED]:
        guessed += evaluations * (crops or 1) / _guessed(classifier, encoding)
        spent += seconds
    return guessed / spent if guessed and spent else None


def _guessed(classifier: str, encoding: str) -> float:
    """Return the views a second that are guessed for a classifier; one that is known no more counts as grey."""
    work = CLIMBING if encoding == "gradient" else 1.0
    if classifier in GUESSED_SPEEDS:
        return GUESSED_SPEEDS[classifier] / work
    try:
        channels = find(classifier).channels
    except UnknownClassifier:
        channels = 1
    return GUESSED_BY_CHANNELS[channels] / work
