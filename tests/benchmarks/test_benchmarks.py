"""The parts of the benchmarks that can be wrong without being slow."""

import json

import numpy as np
import pytest
import torch

from benchmarks.genomes import large_population
from benchmarks.measurement import Measurement, Target, seconds
from benchmarks.report import print_json, print_table
from benchmarks.torch_painter import paint, unpack
from evolution.cppn import CppnEncoding, coordinates
from evolution.parameters import Parameters


@pytest.fixture(scope="module")
def population():
    return large_population(CppnEncoding(Parameters()), 30)


def test_makes_networks_of_twenty_hidden_nodes_and_sixty_connections(population):
    graphs = population.graphs

    assert (np.diff(graphs.node_starts) == 21).all()
    assert (np.diff(graphs.edge_starts[graphs.node_starts]) == 60).all()
    assert (np.diff(graphs.edge_starts) > 0).all()


def test_paints_with_torch_what_the_kernel_renders(population):
    rendered = CppnEncoding(Parameters()).develop(population)

    painted = paint(unpack(population), torch.from_numpy(coordinates(28, 28, "normalised")))

    assert (np.abs(painted.numpy().reshape(rendered.shape) - rendered) < 1 / 255).mean() > 0.999


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        (None, None),
        (Target(3), True),
        (Target(3.1), False),
        (Target(3, at_least=False), False),
        (Target(3.1, at_least=False), True),
    ],
)
def test_compares_the_median_with_its_target(target, holds):
    assert Measurement("speed", [9, 3, 1], target=target).holds is holds


def test_measures_processor_time_for_each_repeat():
    busy = seconds(lambda: sum(range(200_000)), 3)

    assert 0 < busy < 1


def test_prints_a_row_for_each_measurement(capsys):
    print_table([Measurement("images/s", [40_000, 60_000, 55_000], target=Target(50_000))])

    row = capsys.readouterr().out.splitlines()[-1]
    assert row.split() == ["images/s", "55,000", "40,000", "..", "60,000", ">=", "50,000", "holds"]


def test_prints_json_that_programs_read(capsys):
    print_json([Measurement("share", [0.03], "{:.2%}", Target(0.02, at_least=False))])

    document = json.loads(capsys.readouterr().out)
    assert document["measurements"] == [
        {"name": "share", "median": 0.03, "rounds": [0.03], "target": 0.02, "holds": False}
    ]
    assert "cores" in document["machine"]
