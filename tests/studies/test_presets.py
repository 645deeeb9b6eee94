"""Presets: every one is a design that makes sense, and asks for images that can be had."""

import pytest

from fooling_web.studies.design import Design, Task
from fooling_web.studies.freezing import n_catch_trials
from fooling_web.studies.presets import PRESETS, Preset

every = pytest.mark.parametrize(("name", "preset"), PRESETS.items(), ids=list(PRESETS))


def test_offers_all_ten_in_order() -> None:
    assert list(PRESETS) == sorted(f"P{number}" for number in range(1, 11))


@every
def test_makes_sense(name: str, preset: Preset) -> None:
    preset.design.check()

    assert preset.design.preset == name
    assert Design.from_json(preset.design.to_json()) == preset.design


@every
def test_brings_the_words_that_people_read(name: str, preset: Preset) -> None:
    design = preset.design
    for text in (design.consent, design.instructions, design.debriefing, design.analysis_plan):
        assert len(text) > 80
        assert "{" not in text


@every
def test_asks_for_enough_images_and_labels(name: str, preset: Preset) -> None:
    design, n_images = preset.design, sum(wish.count for wish in preset.wishes)
    assert n_images >= 10
    if design.task in (Task.CHOOSE_LABEL, Task.NAME_THEN_CHOOSE, Task.PICK_IMAGE):
        assert n_images >= design.n_options
    assert preset.n_catch >= n_catch_trials(design, n_images)


@every
def test_compares_what_it_asks_for(name: str, preset: Preset) -> None:
    natural = {wish.is_natural for wish in preset.wishes}
    assert (preset.design.comparison == "natural") == (natural == {True, False})
