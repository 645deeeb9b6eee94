"""A whole run on ImageNet beside the bare network: what search, storage and live updates cost together.

The run is executed as a worker executes it, with a real database, and a real broker for its live updates. Each time
it has kept something, its clock stops and the bare network computes as many batches as the generations since then
took; so both sides meet the same machine, on the device that the worker would choose.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from benchmarks.measurement import Clock, Measurement, Target, clock_of, seconds
from benchmarks.site import home_of_its_own, launched
from evolution.parameters import Parameters
from models_zoo.registry import load

if TYPE_CHECKING:
    from fooling_web.runs.models import Run
    from models_zoo.classifier import Classifier

CLASSIFIER = "efficientnet-lite0"
POPULATION = 400  # of the paper's runs on ImageNet
FIG7 = 5000  # generations after the first population
CENTRE = Parameters(
    first_population=POPULATION, offspring=POPULATION, channels=3, height=256, width=256, crops=1
)
LEAST = 0.85  # of the bare network's speed


@dataclass
class Stretch:
    """What lay between two moments at which a run kept what it found."""

    generations: int
    loop: float  # seconds
    forward: float  # seconds of the bare network for as many images


def measure_one_crop(rounds: int) -> Iterator[Measurement]:
    """Yield how a run with one crop compares with the bare network."""
    yield from _measure("one crop", CENTRE, rounds, minutes=10)


def measure_ten_crops(rounds: int) -> Iterator[Measurement]:
    """Yield how a run with ten crops compares; on a CPU with a tenth of the offspring, which see as many crops."""
    parameters = CENTRE.replaced(crops=10)
    if not torch.cuda.is_available():
        parameters = parameters.replaced(first_population=POPULATION // 10, offspring=POPULATION // 10)
    yield from _measure("ten crops", parameters, rounds, minutes=40)


def _measure(views: str, parameters: Parameters, rounds: int, minutes: float) -> Iterator[Measurement]:
    torch.set_num_threads(1)
    classifier = load(CLASSIFIER).with_views(crops=parameters.crops)
    device = classifier.device.type
    many = device != "cpu"
    with home_of_its_own():
        _stretches(classifier, parameters.replaced(generations=1))
        generations = 40 * rounds if many else rounds - 1
        stretches = _stretches(classifier, parameters.replaced(generations=max(1, generations)))
    where = f"lite0, {views}, {'GPU' if many else 'CPU'}, {parameters.offspring} a generation"
    rates = [one.generations * parameters.offspring / one.loop for one in stretches]
    yield Measurement(f"{where}: evaluations/s, all included", rates, "{:,.1f}")
    yield Measurement(
        f"{where}: the bare network, images/s",
        [one.generations * parameters.offspring / one.forward for one in stretches],
        "{:,.1f}",
    )
    yield Measurement(
        f"{where}: the loop beside the bare network",
        [one.forward / one.loop for one in stretches],
        "{:.3f}",
        Target(LEAST),
    )
    if many:
        yield Measurement(
            f"fig7 with {views} at that rate, minutes",
            [(FIG7 + 1) * POPULATION / rate / 60 for rate in rates],
            "{:.1f}",
            Target(minutes, at_least=False),
        )


def _stretches(classifier: "Classifier", parameters: Parameters) -> list[Stretch]:
    """Execute a run and return its stretches; the time of its start and end, a few queries, belongs to none."""
    from fooling_web.runs.execution import execute

    run = launched(CLASSIFIER, parameters)
    watch = Watch(bare_network(classifier, parameters), clock_of(classifier.device.type))
    watch.start()
    execute(run, holder="benchmark", lease_number=run.lease_number, watch=watch)
    assert run.status == run.Status.FINISHED, run.error
    return watch.stretches


@dataclass
class Watch:
    """Looks at the clock whenever a run has kept something, and lets the bare network do the same work."""

    forward: Callable[[], object]
    clock: Clock = time.process_time
    stretches: list[Stretch] = field(default_factory=list)

    def start(self) -> None:
        """Begin to measure."""
        self._generation, self._start = -1, self.clock()

    def __call__(self, run: "Run") -> None:
        """Note one stretch."""
        loop = self.clock() - self._start
        assert run.generation is not None
        count = run.generation - self._generation
        if count:
            self.stretches.append(Stretch(count, loop, count * seconds(self.forward, count, self.clock)))
        self._generation, self._start = run.generation, self.clock()


def bare_network(classifier: "Classifier", parameters: Parameters) -> Callable[[], None]:
    """Return the plain network's pass over a generation, in the classifier's batches, without checks or softmax."""
    size, most = classifier.entry.preprocessing.input_size, classifier.batch_size
    generator = torch.Generator().manual_seed(1)
    count = min(most, parameters.offspring) * parameters.crops
    batch = torch.randn(count, 3, size, size, generator=generator)
    batch = batch.to(classifier.device).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def forward() -> None:
        for start in range(0, parameters.offspring, most):
            left = min(most, parameters.offspring - start) * parameters.crops
            classifier.network(batch[:left])

    return forward
