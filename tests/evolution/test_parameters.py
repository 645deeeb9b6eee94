"""The settings of a run: whose numbers they are, and what they refuse."""

import dataclasses
import json
import re
import subprocess
import sys

import pytest

from evolution.errors import ParameterError
from evolution.parameters import (
    GRADIENT_SETTINGS,
    MAX_GENERATIONS,
    PAPER_FUNCTIONS,
    PUBLISHED_CLASSES,
    CppnParameters,
    DirectParameters,
    GradientParameters,
    Parameters,
)


def test_begins_with_the_papers_numbers_for_networks():
    cppn = Parameters().cppn

    assert (cppn.add_connection, cppn.delete_connection) == (0.5, 0.3)
    assert (cppn.split_connection, cppn.delete_node) == (0.5, 0.2)
    assert (cppn.weight_rate, cppn.weight_eta, cppn.function_rate) == (0.1, 15, 0.1)
    assert cppn.weight_bound == 10
    assert cppn.functions == ("sine", "sigmoid", "gaussian", "linear")
    assert (cppn.crossover, cppn.coordinates) == (False, "normalised")


def test_begins_with_the_papers_numbers_for_pixels():
    direct = Parameters().direct

    assert (direct.mutation_rate, direct.rate_half_life, direct.mutation_eta) == (0.1, 1000, 15)
    assert direct.crossover_rate == 0


def test_begins_with_the_sizes_of_figures_4_and_5():
    parameters = Parameters()

    assert (parameters.first_population, parameters.offspring, parameters.generations) == (200, 200, 200)
    assert (parameters.channels, parameters.height, parameters.width) == (1, 28, 28)
    assert parameters.evaluations == 40_200


def test_differs_under_the_released_codes_fidelity_only_where_the_code_does():
    paper, code = (Parameters.for_fidelity(name).to_json() for name in ("paper", "released-code"))

    assert paper == Parameters().to_json()
    assert differences(paper["cppn"], code["cppn"]) == {"crossover": True, "coordinates": "pixel-indices"}
    assert differences(paper["direct"], code["direct"]) == {"rate_half_life": 0, "crossover_rate": 0.5}
    assert code["direct"]["crossover_eta"] == 10
    assert (paper["colour"], code["colour"]) == ("hsv", "hls")
    assert set(differences(paper, code)) == {"fidelity", "colour", "cppn", "direct"}


def differences(mine, theirs):
    return {key: theirs[key] for key in mine if mine[key] != theirs[key]}


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"generations": 0}, "0"),
        ({"generations": -3}, "-3"),
        ({"generations": MAX_GENERATIONS + 1}, "100001"),
        ({"generations": 1_000_000}, "1000000"),
        ({"generations": 2.5}, "2.5"),
        ({"generations": "200"}, "'200'"),
        ({"generations": True}, "True"),
        ({"generations": None}, "None"),
        ({"generations": float("nan")}, "nan"),
        ({"first_population": 1}, "1"),
        ({"first_population": 10_001}, "10001"),
        ({"offspring": 0}, "0"),
        ({"offspring": 7}, "7"),
        ({"channels": 2}, "2"),
        ({"channels": True}, "True"),
        ({"crops": 5}, "5"),
        ({"colour": "cmyk"}, "'cmyk'"),
        ({"precision": "double"}, "'double'"),
        ({"method": "guessing"}, "'guessing'"),
        ({"encoding": "gradient", "method": "novelty"}, "'novelty'"),
        ({"height": 0}, "0"),
        ({"width": 1025}, "1025"),
        ({"encoding": "gradients"}, "'gradients'"),
        ({"encoding": ["cppn"]}, "['cppn']"),
        ({"fidelity": "exact"}, "'exact'"),
    ],
)
def test_refuses_a_bad_setting_and_names_it(settings, value):
    name = next(iter(settings))

    with pytest.raises(ParameterError) as refusal:
        Parameters(**settings)

    assert name in str(refusal.value)
    assert value in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"add_connection": 1.1}, "1.1"),
        ({"delete_connection": -0.1}, "-0.1"),
        ({"split_connection": float("inf")}, "inf"),
        ({"delete_node": "often"}, "'often'"),
        ({"weight_rate": 2}, "2"),
        ({"function_rate": -1}, "-1"),
        ({"weight_eta": -1}, "-1"),
        ({"weight_bound": 0}, "0"),
        ({"weight_bound": 1000.5}, "1000.5"),
        ({"coordinates": "polar"}, "'polar'"),
        ({"functions": ()}, "()"),
        ({"functions": ("sine", "tangent")}, "'tangent'"),
    ],
)
def test_refuses_a_bad_setting_of_networks_and_names_it(settings, value):
    with pytest.raises(ParameterError) as refusal:
        CppnParameters(**settings)

    assert next(iter(settings)) in str(refusal.value)
    assert value in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"mutation_rate": 1.5}, "1.5"),
        ({"mutation_rate": float("nan")}, "nan"),
        ({"rate_half_life": -1}, "-1"),
        ({"mutation_eta": 1001}, "1001"),
        ({"crossover_rate": -0.5}, "-0.5"),
        ({"crossover_eta": "ten"}, "'ten'"),
    ],
)
def test_refuses_a_bad_setting_of_pixels_and_names_it(settings, value):
    with pytest.raises(ParameterError) as refusal:
        DirectParameters(**settings)

    assert next(iter(settings)) in str(refusal.value)
    assert value in str(refusal.value)


def test_refuses_an_unknown_fidelity():
    with pytest.raises(
        ParameterError, match="fidelity 'exact' is unknown; choose one of paper, released-code"
    ):
        Parameters.for_fidelity("exact")


def test_refuses_an_unknown_setting():
    with pytest.raises(ParameterError, match="colour"):
        Parameters.for_fidelity("paper", colour="red")


@pytest.mark.parametrize("fidelity", ["paper", "released-code"])
def test_reads_its_own_json(fidelity):
    parameters = Parameters.for_fidelity(fidelity, generations=17, encoding="direct")

    document = json.loads(json.dumps(parameters.to_json()))

    assert Parameters.from_json(document) == parameters


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "cppn",
        {},
        {"cppn": {}},
        {"cppn": "all", "direct": {}},
        {"cppn": {"functions": None}, "direct": {}},
        {"cppn": {"functions": [["sine"]]}, "direct": {}},
        {"cppn": {"functions": ["sine"], "colour": 1}, "direct": {}},
        {"cppn": {"functions": ["sine"]}, "direct": [1]},
        {"cppn": {"functions": ["sine"]}, "direct": {}, "generations": "many"},
        {"cppn": {"functions": ["sine"]}, "direct": {}, "unknown": 1},
    ],
)
def test_refuses_json_that_is_not_the_parameters_of_a_run(document):
    with pytest.raises(ParameterError):
        Parameters.from_json(document)


def test_cannot_be_changed_once_made():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Parameters().generations = 3


def test_gives_a_changed_copy():
    assert Parameters().replaced(generations=3) == Parameters(generations=3)


def test_checks_a_changed_copy_too():
    with pytest.raises(ParameterError, match="generations 0"):
        Parameters().replaced(generations=0)


def test_allows_fewer_functions():
    assert CppnParameters(functions=PAPER_FUNCTIONS[1:]).functions == ("sigmoid", "gaussian", "linear")


def test_needs_nothing_heavy():
    question = "import sys, evolution.parameters; print({'numpy', 'numba', 'torch'} & set(sys.modules))"

    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"class_indices": (3, 3)}, "twice"),
        ({"class_indices": (-1,)}, "-1"),
        ({"class_indices": ("tench",)}, "'tench'"),
        ({"starts": 0}, "0"),
        ({"noise": -1}, "-1"),
        ({"decay": 2}, "2"),
        ({"blur_every": 0}, "0"),
        ({"small_norm_share": 1.5}, "1.5"),
        ({"late_rate": float("inf")}, "inf"),
    ],
)
def test_refuses_an_ascent_that_is_out_of_range(settings, value):
    with pytest.raises(ParameterError, match=re.escape(value)):
        GradientParameters(**settings)


def test_offers_the_four_published_settings_of_gradient_ascent():
    """Steps, decay, rates, blur and clipping as the supplement lists them."""
    settings = {
        name: (steps, s.decay, s.early_rate, s.late_rate, s.blur_radius, s.blur_every, s.small_norm_share)
        for name, (steps, s) in GRADIENT_SETTINGS.items()
    }

    assert settings == {
        "A": (500, 0, 0.02, 0.1, 0, 1, 0),
        "B": (1500, 0.01, 0.03, 0.02, 0, 1, 0),
        "C": (1000, 0.001, 0.03, 0.05, 0.4, 2, 0),
        "D": (1500, 0.001, 0.03, 0.05, 0.3, 1, 0.2),
    }
    assert len(PUBLISHED_CLASSES) == 20


def test_reads_parameters_that_were_written_before_colour_came():
    document = Parameters().to_json()
    for name in ("gradient", "novelty", "colour", "crops", "precision", "method"):
        del document[name]

    assert Parameters.from_json(document) == Parameters()


def test_keeps_the_genomes_of_networks_and_small_pictures_for_ever():
    large = {"channels": 3, "height": 256, "width": 256}

    assert Parameters(**large).keeps_every_genome
    assert Parameters(encoding="direct").keeps_every_genome
    assert not Parameters(encoding="direct", **large).keeps_every_genome
