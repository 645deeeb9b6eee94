"""The parts of the benchmarks that can be wrong without being slow."""

import json
import subprocess
import sys
from pathlib import Path
from pydoc import locate

import numpy as np
import pytest
import torch

from benchmarks import neat_painter, torch_painter
from benchmarks.genomes import large_population
from benchmarks.growth import FIG7_LINES, FIRST, Notes, Timed, over_fig7
from benchmarks.measurement import Measurement, Target, clock_of, seconds
from benchmarks.report import as_json, print_row, write_down
from benchmarks.stand_ins import AS_FAST_AS_PROMISED, Cheap, Unhurried, enter
from benchmarks.suite import SECTIONS, Section, has_gpu, measure_everything, read_line, write_line
from benchmarks.whole_loop import Watch
from bootstrap.environment import PROJECT
from evolution.cppn import CppnEncoding, coordinates
from evolution.cppn_kernel import render
from evolution.parameters import Parameters
from fooling_web.runs.models import Run
from models_zoo.registry import CLASSIFIERS, load

GREY, COLOURED = Parameters(), Parameters(channels=3, height=32, width=32)

each_kind = pytest.mark.parametrize("parameters", [GREY, COLOURED], ids=["grey", "coloured"])


def places_of(parameters):
    return coordinates(parameters.height, parameters.width, "normalised")


@each_kind
def test_makes_networks_of_twenty_hidden_nodes_and_sixty_connections(parameters):
    graphs = large_population(CppnEncoding(parameters), 30).graphs

    assert (np.diff(graphs.node_starts) == 20 + parameters.channels).all()
    assert (np.diff(graphs.edge_starts[graphs.node_starts]) == 60).all()
    assert (np.diff(graphs.edge_starts) > 0).all()


@each_kind
def test_paints_with_torch_what_the_kernel_paints(parameters):
    encoding = CppnEncoding(parameters)
    population = large_population(encoding, 30)
    developed = encoding.develop(population)

    places = torch.from_numpy(places_of(parameters))
    painted = torch_painter.paint(
        torch_painter.unpack(population), places, parameters.channels, parameters.colour
    )

    assert (np.abs(painted.numpy().reshape(developed.shape) - developed) < 1.5 / 255).mean() > 0.999


@each_kind
def test_activates_in_neat_python_what_the_kernel_renders(parameters):
    population, places = large_population(CppnEncoding(parameters), 5), places_of(parameters)
    rendered = np.empty((5, parameters.channels, places.shape[1]), np.float32)
    render(population.graphs, places, parameters.channels, rendered)

    activated = neat_painter.activate(neat_painter.networks_of(population), places[:, ::20].T.tolist())

    assert (np.abs(activated - rendered[:, :, ::20]) < 1 / 255).mean() > 0.999


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


def test_claims_nothing_of_what_was_not_measured():
    missing = Measurement("speed", [], target=Target(3), why_not="no GPU here")

    assert missing.median is None
    assert missing.holds is None


def test_measures_processor_time_for_each_repeat():
    busy = seconds(lambda: sum(range(200_000)), 3, clock_of("cpu"))

    assert 0 < busy < 1


def test_prints_a_row_for_each_measurement(capsys):
    print_row(Measurement("images/s", [40_000, 60_000, 55_000], target=Target(50_000)))

    row = capsys.readouterr().out
    assert row.split() == ["images/s", "55,000", "40,000", "..", "60,000", ">=", "50,000", "holds"]


def test_prints_why_a_row_is_empty(capsys):
    print_row(Measurement("one crop on a GPU", [], why_not="no GPU here"))

    assert capsys.readouterr().out.split("GPU", 1)[1].strip() == "not measured: no GPU here"


def test_gives_json_that_programs_read():
    document = json.loads(as_json([Measurement("share", [0.03], "{:.2%}", Target(0.02, at_least=False))]))

    assert document["measurements"] == [
        {"name": "share", "median": 0.03, "rounds": [0.03], "target": 0.02, "holds": False, "why_not": ""}
    ]
    assert set(document["machine"]) >= {"processor", "cores", "gpu", "libraries", "date", "commit", "load"}


def test_writes_one_table_and_its_numbers_down(tmp_path):
    table = write_down([Measurement("images/s", [1.0, 2.0, 3.0])], tmp_path / "results")

    assert "| images/s | 2 | 1 .. 3 |  |  |" in table.read_text()
    assert json.loads(table.with_suffix(".json").read_text())["measurements"][0]["median"] == 2


@pytest.mark.parametrize("target", [None, Target(0.85)])
def test_hands_a_measurement_from_one_process_to_another(target):
    measured = Measurement("ratio", [0.9, 0.91], "{:.3f}", target)

    assert read_line(write_line(measured)) == measured


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_names_functions_that_exist(section):
    assert callable(locate(section.function.replace(":", ".")))


def test_says_so_where_there_is_no_gpu():
    section = Section("on a GPU", "benchmarks.nothing:at_all", "cuda")

    (measured,) = measure_everything(1, (section,))

    why = "it ended with status 1" if has_gpu() else "no GPU here"
    assert measured == Measurement("on a GPU", [], why_not=why)


def test_goes_on_after_a_section_that_failed(capfd):
    (measured,) = measure_everything(1, (Section("unknown", "benchmarks.nothing:at_all"),))

    assert measured.why_not == "it ended with status 1"


def test_measures_a_section_in_a_process_of_its_own():
    (section,) = (section for section in SECTIONS if section.name == "breeding")

    (measured,) = measure_everything(1, (section,))

    assert len(measured.rounds) == 1
    assert measured.median > 0


def test_refuses_a_number_of_rounds_in_one_line():
    command = [sys.executable, "-m", "benchmarks", "--rounds", "0"]

    refused = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)

    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].endswith("0 must be a whole number, at least 1")


@torch.inference_mode()
def test_computes_the_same_for_few_classes_as_for_many():
    images = torch.rand(4, 3, 28, 28)
    torch.manual_seed(1)
    many = Cheap(1000)
    torch.manual_seed(1)
    few = Cheap(10)

    assert torch.equal(few(images), many(images)[:, :10])


@torch.inference_mode()
def test_takes_as_long_for_each_image_as_it_may():
    network, images = Unhurried(10), torch.rand(200, 3, 28, 28)

    assert seconds(lambda: network(images)) >= 200 * AS_FAST_AS_PROMISED


def test_enters_a_stand_in_into_the_registry(tmp_path, monkeypatch):
    name = "bench-cheap-1000"
    monkeypatch.setitem(CLASSIFIERS, name, None)  # so that it is taken out again

    assert enter(Cheap, 1000, tmp_path) == name
    assert load(name, "cpu")(np.zeros((2, 3, 28, 28), np.float32)).shape == (2, 1000)


def test_lets_the_bare_network_do_as_many_generations_as_the_run():
    passes = []
    watch = Watch(lambda: passes.append(1))
    watch.start()

    for generation in (0, 3, 3):
        watch(Run(generation=generation))

    assert [stretch.generations for stretch in watch.stretches] == [1, 3]
    assert len(passes) == 4


def test_carries_the_cost_of_a_takeover_on_to_a_whole_run():
    few, many = Timed(seconds=20.1, takeovers=10), Timed(seconds=21.1, takeovers=1010)  # a takeover: 1 ms

    assert FIRST.generations + 1 == 201  # so a generation takes 0.1 s, and 5,001 take 500.1 s
    assert over_fig7(few, many) == pytest.approx(1 + FIG7_LINES["takeover"] * 0.001 / 500.1)


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="only Linux says how much memory a process has"
)
def test_notes_a_generation_and_the_memory_of_the_process():
    notes = Notes()

    notes(Run(generation=7))

    ((generation, resident),) = notes.memory
    assert generation == 7
    assert 10_000_000 < resident < 100_000_000_000
