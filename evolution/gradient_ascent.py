"""Gradient ascent: images that follow the gradient of one class's confidence (paper, section 3.9; supplement).

It is the paper's third way to fool a classifier, and no evolution: each image climbs by itself, from the data set's
mean plus a little noise. A step counts as a generation, so that its pictures and numbers are kept like any other's.
An image is offered to the archive when it comes past a milestone of its class for the first time, and after the last
step; it is offered as the 256 levels of a picture, and competes for every class with what those are worth.

Offsets from the mean and gradients are in units of pixel values from 0 to 255, as the published numbers are.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evolution.archive import Takeovers
from evolution.direct import DirectEncoding, DirectPopulation
from evolution.encoding import Encoding
from evolution.errors import CheckpointError, ParameterError
from evolution.map_elites import Generation, Search, evaluations_before
from evolution.parameters import GradientParameters, Parameters
from evolution.searching import Judge

MILESTONES = ("top", "99", "999", "9999")  # the class is the likeliest of all; its confidence passes .99, ...
PASSED = (0.99, 0.999, 0.9999)
NOT_YET = -1
ON_CPU, ELSEWHERE = (
    1_200_000,
    12_000_000,
)  # values of images that are differentiated at once: bounds the memory
# of what a classifier keeps for it, and the time between two chances to be interrupted (8 images of 224 on a CPU)
SMALLEST = 1e-38  # a square of a gradient below it is as good as none: the step is max_rate then

Milestones = npt.NDArray[np.int32]
Differentiate = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(kw_only=True)
class Ascent(Search):
    """A gradient ascent between two steps: N images, start after start of class after class."""

    offsets: Tensor  # (N, C, H, W) float32: the images less the mean, in pixel values
    milestones: Milestones  # (N, 4) first steps at which each was passed, or NOT_YET


class GradientAscent:
    """The ascent of every start of every class."""

    def __init__(self, encoding: Encoding, judge: Judge, parameters: Parameters) -> None:
        assert isinstance(encoding, DirectEncoding)
        self.encoding, self.judge, self.parameters = encoding, judge, parameters

    def begun(self, search: Search) -> Ascent:
        """Return a search whose images are the mean plus noise; raises ParameterError for unknown classes."""
        settings, shape = self.parameters.gradient, self._shape(search)
        noise = search.rng.standard_normal(shape, np.float32) * np.float32(settings.noise)
        return Ascent(
            search.archive,
            search.rng,
            search.generation,
            offsets=within_range(torch.from_numpy(noise).to(self.judge.device), self._mean()),
            milestones=np.full((shape[0], len(MILESTONES)), NOT_YET, np.int32),
        )

    def resumed(self, search: Search, state: bytes) -> Ascent:
        """Return a restored search with its images; raises CheckpointError where the state is not its own."""
        step, offsets, milestones = _read(state)
        if (step, offsets.shape, len(milestones)) != (search.generation, self._shape(search), len(offsets)):
            raise CheckpointError(
                f"the images are {offsets.shape} at step {step}, not {self._shape(search)} at step "
                f"{search.generation}; clone the run to start anew"
            )
        images = torch.from_numpy(offsets).to(self.judge.device)
        return Ascent(search.archive, search.rng, search.generation, offsets=images, milestones=milestones)

    def state_of(self, search: Search) -> bytes:
        """Return the images bit for bit; noise does not compress, so nobody tries."""
        assert isinstance(search, Ascent)
        file = io.BytesIO()
        offsets = search.offsets.cpu().numpy()
        np.savez(file, step=np.int64(search.generation), offsets=offsets, milestones=search.milestones)
        return file.getvalue()

    def advance(self, search: Search) -> Generation:
        """Judge all images, offer those that came past a milestone, and let all take a step."""
        assert isinstance(search, Ascent)
        step, targets = search.generation, targets_of(self.parameters.gradient, search.archive.n_classes)
        offsets, confidences, is_top = self._climb(search, targets)
        passed = _passed(confidences, is_top) & (search.milestones == NOT_YET)  # (N, 4)
        generation = self._offer(search, self._chosen(step, passed))
        search.milestones[passed] = step
        search.offsets, search.generation = offsets, step + 1
        return generation

    def _climb(
        self, search: Ascent, targets: npt.NDArray[np.int64]
    ) -> tuple[Tensor, npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Return the images after a step, and before it each one's confidence, (N,), and if that was the highest.

        The search stays as it is: whoever is interrupted in the midst of a step has lost nothing but the step.
        """
        offsets, mean = torch.empty_like(search.offsets), self._mean()
        confidences, is_top = [], []
        together = batch_size_of(offsets)
        for start in range(0, len(targets), together):
            rows = slice(start, start + together)
            wanted = torch.from_numpy(targets[rows]).to(offsets.device)
            images = as_images(search.offsets[rows], mean)
            judged, gradients = self.judge.differentiate(images, wanted)  # (b, n_classes), (b, C, H, W)
            own = judged.gather(1, wanted[:, None])[:, 0]  # (b,)
            offsets[rows] = stepped(
                search.offsets[rows], gradients / 255, own, mean, self.parameters.gradient, search.generation
            )
            confidences.append(own)
            is_top.append(judged.argmax(1) == wanted)
        return offsets, torch.cat(confidences).cpu().numpy(), torch.cat(is_top).cpu().numpy()

    def _chosen(self, step: int, passed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return the rows of the images that are offered to the archive."""
        is_last = step == self.parameters.generations
        return np.arange(len(passed)) if is_last else np.flatnonzero(passed.any(axis=1))

    def _offer(self, search: Ascent, rows: npt.NDArray[np.int64]) -> Generation:
        """Let the images at rows compete for every class; their numbers follow one another from the step's first."""
        number, n_classes = search.generation, search.archive.n_classes
        first_number = evaluations_before(self.parameters, number)
        population = DirectPopulation(as_levels(search.offsets, rows, self._mean()))
        confidences, takeovers = np.empty((0, n_classes), np.float32), _none()
        if len(rows):
            confidences = self.judge(self.encoding.develop(population))
            takeovers = search.archive.add(population, confidences, first_number)
        lineage, evaluated = np.empty((len(rows), 0), np.int64), first_number + len(search.offsets)
        return Generation(number, population, first_number, lineage, confidences, takeovers, evaluated)

    def _mean(self) -> Tensor:
        """Return the mean in pixel values, (C, 1, 1)."""
        colour = torch.tensor(self.judge.mean_colour, dtype=torch.float32, device=self.judge.device)
        return (colour * 255)[:, None, None]

    def _shape(self, search: Search) -> tuple[int, int, int, int]:
        """Return (N, C, H, W); raises ParameterError where the numbers of images do not agree."""
        parameters = self.parameters
        count = len(targets_of(parameters.gradient, search.archive.n_classes))
        if (parameters.first_population, parameters.offspring) != (count, count):
            raise ParameterError(
                f"a population of {parameters.offspring} does not fit {count} images to climb; "
                f"give classes x starts, which is {count}"
            )
        return count, parameters.channels, parameters.height, parameters.width


def targets_of(settings: GradientParameters, n_classes: int) -> npt.NDArray[np.int64]:
    """Return the class that each image climbs, (N,); raises ParameterError for one that there is not."""
    climbed = settings.class_indices or range(n_classes)
    if max(climbed) >= n_classes:
        raise ParameterError(
            f"class {max(climbed)} to climb is unknown: there are {n_classes:,}, numbered from 0"
        )
    return np.repeat(np.array(climbed, np.int64), settings.starts)


def batch_size_of(offsets: Tensor) -> int:
    """Return how many of these images, (N, C, H, W), are differentiated at once."""
    values = ON_CPU if offsets.device.type == "cpu" else ELSEWHERE
    return max(1, values // offsets[0].numel())


def as_images(offsets: Tensor, mean: Tensor) -> Tensor:
    """Return offsets, (b, C, H, W), as images in [0, 1]."""
    return ((offsets + mean) / 255).clamp(0, 1)


def as_levels(offsets: Tensor, rows: npt.NDArray[np.int64], mean: Tensor) -> npt.NDArray[np.uint8]:
    """Return the images at rows, (b, C, H, W), as the 256 levels of a picture."""
    levels = np.empty((len(rows), *offsets.shape[1:]), np.uint8)
    for level, row in zip(levels, rows.tolist(), strict=True):  # one by one: the last step asks for all
        level[...] = (offsets[row] + mean).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return levels


def within_range(offsets: Tensor, mean: Tensor) -> Tensor:
    """Return offsets clipped so that every pixel value lies between 0 and 255."""
    return torch.maximum(torch.minimum(offsets, 255 - mean), -mean)


def stepped(
    offsets: Tensor,
    gradients: Tensor,
    confidences: Tensor,
    mean: Tensor,
    settings: GradientParameters,
    step: int,
) -> Tensor:
    """Return offsets, (b, C, H, W), after one step up their gradients; confidences are those before it, (b,)."""
    rates = rates_of(gradients, confidences, settings)  # (b,)
    moved = within_range(offsets + rates[:, None, None, None] * gradients, mean)
    moved = moved * (1 - settings.decay)
    if settings.blur_radius and step % settings.blur_every == 0:
        moved = blurred(moved, settings.blur_radius)
    if settings.small_norm_share:
        moved = without_smallest(moved, moved.square().sum(1), settings.small_norm_share)
    if settings.small_benefit_share:
        benefits = (
            (moved * gradients).sum(1).abs()
        )  # what the class would lose, to first order, without the pixel
        moved = without_smallest(moved, benefits, settings.small_benefit_share)
    return moved


def rates_of(gradients: Tensor, confidences: Tensor, settings: GradientParameters) -> Tensor:
    """Return how far each image goes along its gradient, (b,): as far as the wanted gain in confidence asks."""
    gains = (settings.late_rate * (1 - confidences)).clamp(max=settings.early_rate)
    squares = gradients.square().sum((1, 2, 3)).clamp(min=SMALLEST)
    return (gains / squares).clamp(max=settings.max_rate)


def blurred(offsets: Tensor, radius: float) -> Tensor:
    """Return offsets under a Gaussian of this standard deviation, mirrored at the edges; cut off at 4 of them.

    Sums of shifted images instead of a convolution: those are of reduced precision on many GPUs.
    """
    reach = int(4 * radius + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    weights /= weights.sum()
    for axis in (2, 3):
        size = offsets.shape[axis]
        places = _mirrored(np.arange(-reach, size + reach), size)
        padded = offsets.index_select(axis, torch.from_numpy(places).to(offsets.device))
        offsets = sum(
            (padded.narrow(axis, shift, size) * float(weight) for shift, weight in enumerate(weights)),
            start=torch.zeros_like(offsets),
        )
    return offsets


def without_smallest(offsets: Tensor, measure: Tensor, share: float) -> Tensor:
    """Return offsets with a share of the pixels set to the mean: those of the smallest measure, (b, H, W)."""
    flat = measure.flatten(1)  # (b, H * W)
    count = min(int(share * flat.shape[1]), flat.shape[1] - 1)
    threshold = flat.kthvalue(count + 1, dim=1).values[:, None, None]
    return offsets * (measure >= threshold)[:, None]


def _mirrored(places: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """Return places beyond the edges as those they mirror; the edge lies between two pixels."""
    folded = places % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)


def _passed(confidences: npt.NDArray[np.float32], is_top: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which milestones the images are past, (N, 4)."""
    sure = confidences[:, np.newaxis] > np.array(PASSED)
    return np.concatenate([is_top[:, np.newaxis], sure], axis=1)


def _none() -> Takeovers:
    rows = np.empty(0, np.int64)
    return Takeovers(rows, rows, np.empty(0, np.float32), rows)


def _read(state: bytes) -> tuple[int, npt.NDArray[np.float32], Milestones]:
    """Read what `state_of` wrote; raises CheckpointError for anything else."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            offsets = arrays["offsets"].astype(np.float32, copy=False)
            return int(arrays["step"]), offsets, arrays["milestones"].astype(np.int32, copy=False)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"the images of the ascent are damaged: {error!r}; clone the run to start anew"
        ) from error
