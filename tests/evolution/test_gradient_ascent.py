"""Gradient ascent, against a slow twin, direct convolutions, and a classifier whose gradient is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evolution.checkpoint import Checkpoint
from evolution.direct import DirectEncoding
from evolution.errors import CheckpointError, ParameterError
from evolution.gradient_ascent import (
    NOT_YET,
    GradientAscent,
    as_images,
    blurred,
    rates_of,
    stepped,
    targets_of,
    without_smallest,
)
from evolution.map_elites import Search
from evolution.parameters import GRADIENT_SETTINGS, GradientParameters, Parameters
from evolution.searching import generations, method_for

CLASSES, CHANNELS, SIDE = 5, 3, 8


class LinearJudge:
    """The softmax of a fixed random linear map, with its gradient worked out by hand."""

    device = "cpu"
    mean_colour = (0.4, 0.5, 0.6)

    def __init__(self):
        slopes = np.random.default_rng(3).normal(0, 0.5, (CHANNELS * SIDE * SIDE, CLASSES))
        self.slopes = torch.from_numpy(slopes.astype(np.float32))

    def __call__(self, images):
        return self.differentiate(torch.from_numpy(images), torch.zeros(len(images), dtype=torch.int64))[
            0
        ].numpy()

    def differentiate(self, images, class_indices):
        """d softmax_k / d x = p_k (w_k - sum of p_j w_j)."""
        confidences = ((images.flatten(1) - 0.5) @ self.slopes).softmax(1)
        own = confidences.gather(1, class_indices[:, None])
        gradients = own * (self.slopes.T[class_indices] - confidences @ self.slopes.T)
        return confidences, gradients.view_as(images)


def parameters_with(steps=40, **settings):
    gradient = GradientParameters(**{"starts": 2, "class_indices": (1, 3), **settings})
    images = gradient.starts * (len(gradient.class_indices) or CLASSES)
    return Parameters(
        encoding="gradient",
        generations=steps,
        first_population=images,
        offspring=images,
        channels=CHANNELS,
        height=SIDE,
        width=SIDE,
        colour="rgb",
        gradient=gradient,
    )


def ascent_with(parameters, judge=None, seed=1):
    """Return the method and a search that has taken no step."""
    method = method_for(DirectEncoding(parameters), judge or LinearJudge(), parameters)
    assert isinstance(method, GradientAscent)
    return method, method.begun(Search.begin(CLASSES, seed))


def climbed(parameters, seed=1):
    method, search = ascent_with(parameters, seed=seed)
    return search, list(generations(method, parameters, search))


def slow_step(offset, gradient, confidence, mean, settings, step):
    """One image's step, pixel by pixel, in double precision."""
    rate = min(settings.early_rate, settings.late_rate * (1 - confidence)) / np.sum(gradient**2)
    offset = offset + min(rate, settings.max_rate) * gradient
    for channel in range(len(offset)):
        offset[channel] = np.clip(offset[channel] + mean[channel], 0, 255) - mean[channel]
    offset = offset * (1 - settings.decay)
    if settings.blur_radius and step % settings.blur_every == 0:
        offset = slow_blur(offset, settings.blur_radius)
    if settings.small_norm_share:
        offset = slow_clip(offset, np.sqrt((offset**2).sum(0)), settings.small_norm_share)
    if settings.small_benefit_share:
        offset = slow_clip(offset, np.abs((offset * gradient).sum(0)), settings.small_benefit_share)
    return offset


def slow_blur(offset, radius):
    """A direct convolution with the product of two Gaussians, on an image mirrored at its edges."""
    reach = int(4 * radius + 0.5)
    places = np.arange(-reach, reach + 1)
    kernel = np.exp(-(places[:, None] ** 2 + places[None] ** 2) / (2 * radius**2))
    kernel /= kernel.sum()
    padded = np.pad(offset, ((0, 0), (reach, reach), (reach, reach)), mode="symmetric")
    result = np.zeros_like(offset)
    for y in range(offset.shape[1]):
        for x in range(offset.shape[2]):
            window = padded[:, y : y + len(places), x : x + len(places)]
            result[:, y, x] = (window * kernel).sum((1, 2))
    return result


def slow_clip(offset, measure, share):
    """Set the pixels of the smallest measure to the mean, one after another."""
    result = offset.copy()
    for place in np.argsort(measure, axis=None, kind="stable")[: int(share * measure.size)]:
        result[:, place // measure.shape[1], place % measure.shape[1]] = 0
    return result


@pytest.mark.parametrize("name", GRADIENT_SETTINGS)
@pytest.mark.parametrize("step", [0, 1])
def test_steps_as_its_slow_twin_does(name, step, rng):
    settings = GRADIENT_SETTINGS[name][1]
    mean = np.array([100.0, 120.0, 140.0])
    offsets = rng.normal(0, 60, (3, CHANNELS, SIDE, SIDE))
    gradients = rng.normal(0, 1e-3, offsets.shape) * np.array([1, 10, 1e-5]).reshape(3, 1, 1, 1)
    confidences = np.array([0.001, 0.5, 0.97])

    moved = stepped(
        torch.tensor(offsets, dtype=torch.float32),
        torch.tensor(gradients, dtype=torch.float32),
        torch.tensor(confidences, dtype=torch.float32),
        torch.tensor(mean, dtype=torch.float32).view(CHANNELS, 1, 1),
        settings,
        step,
    )

    slowly = [
        slow_step(*one, mean, settings, step) for one in zip(offsets, gradients, confidences, strict=True)
    ]
    np.testing.assert_allclose(moved.numpy(), slowly, atol=1e-3)


def test_asks_for_the_gain_that_the_settings_name():
    """Squares of the gradients are 4 x 9 = 36; gains are min(.02, .1 (1 - p)): .02, .02 and .01."""
    gradients = torch.full((3, 1, 2, 2), 3.0)

    rates = rates_of(gradients, torch.tensor([0.0, 0.8, 0.9]), GradientParameters())

    np.testing.assert_allclose(rates.numpy(), [0.02 / 36, 0.02 / 36, 0.01 / 36], rtol=1e-5)


@pytest.mark.parametrize(("confidence", "rate"), [(0.3, 1e7), (1.0, 0.0)])
def test_bounds_the_step_where_there_is_no_gradient(confidence, rate):
    rates = rates_of(torch.zeros(1, 1, 2, 2), torch.tensor([confidence]), GradientParameters())

    assert rates.item() == rate


@pytest.mark.parametrize("radius", [0.3, 0.4, 1.0, 5.0])
def test_blurs_as_a_direct_convolution_does(radius, rng):
    offsets = rng.normal(0, 50, (2, CHANNELS, SIDE, SIDE))

    result = blurred(torch.tensor(offsets, dtype=torch.float32), radius)

    np.testing.assert_allclose(result.numpy(), [slow_blur(offset, radius) for offset in offsets], atol=1e-4)


def test_sets_the_share_of_pixels_that_was_asked_for_to_the_mean(rng):
    offsets = torch.tensor(rng.normal(0, 50, (2, CHANNELS, SIDE, SIDE)), dtype=torch.float32)

    result = without_smallest(offsets, offsets.square().sum(1), 0.25)

    gone = (result == 0).all(1)
    assert gone.flatten(1).sum(1).tolist() == [SIDE * SIDE // 4] * 2
    assert torch.equal(result[~gone[:, None].expand_as(result)], offsets[~gone[:, None].expand_as(offsets)])


def test_climbs_start_after_start_of_class_after_class():
    assert targets_of(GradientParameters(class_indices=(4, 1), starts=2), CLASSES).tolist() == [4, 4, 1, 1]
    assert targets_of(GradientParameters(starts=1), 3).tolist() == [0, 1, 2]


def test_becomes_sure_of_every_class():
    search, _ = climbed(parameters_with(300, class_indices=()))

    assert (search.archive.confidences > 0.9999).all()
    assert (search.milestones != NOT_YET).all()


def test_notes_the_first_step_past_each_milestone():
    parameters = parameters_with(150)
    method, search = ascent_with(parameters)
    targets = targets_of(parameters.gradient, CLASSES)
    seen = np.full((len(targets), 4), NOT_YET)

    while search.generation <= parameters.generations:
        images = as_images(search.offsets, method._mean())
        confidences = method.judge.differentiate(images, torch.from_numpy(targets))[0].numpy()
        own = confidences[np.arange(len(targets)), targets]
        past = np.stack([confidences.argmax(1) == targets, own > 0.99, own > 0.999, own > 0.9999], axis=1)
        seen[past & (seen == NOT_YET)] = search.generation
        method.advance(search)

    np.testing.assert_array_equal(search.milestones, seen)
    assert (seen != NOT_YET).all()
    assert (np.diff(seen[:, 1:], axis=1) >= 0).all()


def test_offers_an_image_only_where_it_passes_a_milestone_and_after_the_last_step():
    search, past = climbed(parameters_with(150))

    offered = {
        generation.number: len(generation.population) for generation in past if len(generation.population)
    }
    assert set(offered) == set(search.milestones.ravel().tolist()) | {150}
    assert offered[150] == len(search.milestones)
    assert all(len(generation.takeovers) == 0 for generation in past if generation.number not in offered)


def test_records_what_the_picture_of_256_levels_is_worth():
    parameters = parameters_with(60)
    method, search = ascent_with(parameters)
    for generation in generations(method, parameters, search):
        for row in range(len(generation.population)):
            genome = method.encoding.to_bytes(generation.population, row)
            image = method.encoding.develop(method.encoding.from_bytes([genome]))
            np.testing.assert_allclose(method.judge(image)[0], generation.confidences[row], rtol=1e-5)


def test_lets_every_image_compete_for_every_class():
    search, _ = climbed(parameters_with(60, class_indices=(1,)))

    assert (search.archive.holders >= 0).all()


def test_gives_each_image_a_number_of_its_own():
    _, past = climbed(parameters_with(150))

    numbers = [past_one.first_number + row for past_one in past for row in range(len(past_one.population))]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < past[-1].evaluations == 151 * 4


def test_never_lowers_a_champion():
    parameters = parameters_with(100)
    method, search = ascent_with(parameters)
    before = search.archive.confidences.copy()
    for _ in generations(method, parameters, search):
        assert (search.archive.confidences >= before).all()
        before = search.archive.confidences.copy()


def test_keeps_images_within_the_range_of_pixels():
    parameters = parameters_with(50, max_rate=1e12, early_rate=1e6, late_rate=1e6)
    method, search = ascent_with(parameters)
    list(generations(method, parameters, search))

    values = search.offsets + method._mean()
    assert values.min() >= -1e-4
    assert values.max() <= 255 + 1e-4
    assert values.max() > 250, "the steps are meant to hit the bounds"


def test_takes_an_odd_number_of_images():
    search, _ = climbed(parameters_with(3, class_indices=(2,), starts=1))

    assert len(search.offsets) == 1


def test_climbs_the_same_way_from_the_same_seed_and_another_from_another():
    parameters = parameters_with(20)
    first, second, other = (climbed(parameters, seed)[0] for seed in (1, 1, 2))

    assert torch.equal(first.offsets, second.offsets)
    assert not torch.equal(first.offsets, other.offsets)


@pytest.mark.parametrize("stop", [0, 1, 25])
def test_goes_on_bit_for_bit_from_its_state(stop):
    parameters = parameters_with(50, decay=0.001, blur_radius=0.4, blur_every=2)
    whole, _ = climbed(parameters)
    method, search = ascent_with(parameters)
    while search.generation < stop:
        method.advance(search)

    checkpoint, state = Checkpoint.of(search, method.encoding), method.state_of(search)
    resumed = method.resumed(checkpoint.restored(method.encoding, CLASSES), state)
    list(generations(method, parameters, resumed))

    assert torch.equal(resumed.offsets, whole.offsets)
    assert np.array_equal(resumed.milestones, whole.milestones)
    assert resumed.archive.sha256(method.encoding) == whole.archive.sha256(method.encoding)


def test_loses_nothing_but_the_step_when_interrupted_in_its_midst(monkeypatch):
    monkeypatch.setattr("evolution.gradient_ascent.ON_CPU", 3 * CHANNELS * SIDE * SIDE + 1)
    parameters = parameters_with(20)
    method, search = ascent_with(parameters)
    method.advance(search)
    before, calls = method.state_of(search), []

    def interrupted(images, class_indices):
        calls.append(len(images))
        if len(calls) == 2:
            raise InterruptedError
        return LinearJudge().differentiate(images, class_indices)

    method.judge.differentiate = interrupted
    with pytest.raises(InterruptedError):
        method.advance(search)

    assert calls == [3, 1]
    assert method.state_of(search) == before


@pytest.mark.parametrize("state", [b"", b"PK nonsense", b"\x93NUMPY"])
def test_refuses_a_damaged_state(state):
    method, search = ascent_with(parameters_with())

    with pytest.raises(CheckpointError, match="clone the run"):
        method.resumed(search, state)


def test_refuses_the_state_of_another_step_or_of_other_images():
    method, search = ascent_with(parameters_with())
    state = method.state_of(search)
    method.advance(search)
    other, its_search = ascent_with(parameters_with(starts=3))

    with pytest.raises(CheckpointError, match="at step 0, not"):
        method.resumed(search, state)
    with pytest.raises(CheckpointError, match="not \\(6, 3, 8, 8\\)"):
        other.resumed(its_search, state)


def test_refuses_a_class_that_there_is_not_and_a_population_of_another_size():
    with pytest.raises(ParameterError, match="class 7 to climb is unknown: there are 5"):
        ascent_with(parameters_with(class_indices=(7,)))
    with pytest.raises(ParameterError, match="give classes x starts, which is 4"):
        ascent_with(replace(parameters_with(), offspring=6))


def test_refuses_more_images_than_can_be_held():
    """2^28 values are 1,783.3 images of 224 x 224 in colour."""
    fitting = {"first_population": 2, "offspring": 1783, "height": 224, "width": 224, "channels": 3}

    Parameters(encoding="gradient", **fitting)
    with pytest.raises(ParameterError, match=r"1,784 images to climb are too many .* of this size 1,783 fit"):
        Parameters(encoding="gradient", **{**fitting, "offspring": 1784})
