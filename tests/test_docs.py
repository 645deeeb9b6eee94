"""The documentation against the project: what it names exists, and what exists is named."""

import ast
import json
import re
import shlex
from pathlib import Path
from pydoc import locate

import pytest
from django.core.management import CommandParser, call_command, get_commands, load_command_class

from evolution.parameters import ENCODINGS, FIDELITIES
from evolution.presets import PRESETS
from models_zoo.registry import CLASSIFIERS

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
PICTURES = PROJECT / "docs" / "pictures"
TUTORIAL = PROJECT / "docs" / "tutorial.md"
OPERATIONS = PROJECT / "docs" / "operations.md"
DECISIONS = PROJECT / "docs" / "decisions" / "README.md"
PAPER = PROJECT / "docs" / "paper.md"
PACKAGES = "benchmarks|bootstrap|evolution|fooling_web|models_zoo|standalone"
FOLDERS = rf"{PACKAGES}|docs|static|templates|tests|\.ci"
HEAVIEST_PICTURE = 200_000  # bytes
PLACEHOLDERS = re.compile(r"[A-Z_]+|.*[<>*{].*")

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT))
)


def everything() -> str:
    return "\n".join(page.read_text() for page in DOCUMENTS)


def section(page: Path, title: str) -> str:
    """Return a page's text from one heading to the next of the same rank."""
    return re.split(r"^## ", page.read_text().split(f"\n## {title}", 1)[1], flags=re.MULTILINE)[0]


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| (.+?) \|", text, re.MULTILINE)


def our_commands() -> set[str]:
    return {path.stem for path in PROJECT.glob("fooling_web/*/management/commands/[a-z]*.py")}


def written_commands(text: str) -> list[list[str]]:
    """Return the words after `manage.py` of every command that stands on a line of its own."""
    lines = re.findall(r"^(?:\S*python )?manage\.py (.+)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def parser_of(name: str) -> CommandParser:
    application = get_commands()[name]
    command = load_command_class(application, name) if isinstance(application, str) else application
    return command.create_parser("manage.py", name)


def variables_read_in(path: Path) -> set[str]:
    """Return the names of the environment variables that a module asks for."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        asks = isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "os.environ.get",
            "os.getenv",
            "_environment_list",
            "_environment_number",
            "_environment_seconds",
        }
        if asks and isinstance(node.args[0], ast.Constant):
            found.add(node.args[0].value)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            found.add(ast.literal_eval(node.slice))
    return found


def local_links(document: Path) -> list[tuple[str, str]]:
    """Return path and section of every link into the project."""
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    parts = [target.partition("#") for target in targets if "://" not in target]
    return [(path, section) for path, _, section in parts]


def sections_of(document: Path) -> set[str]:
    """Return the names under which a page's headings are linked."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_links_to_pages_that_exist(document):
    missing = [path for path, _ in local_links(document) if not (document.parent / path).exists()]

    assert not missing, f"{document.relative_to(PROJECT)} links to what does not exist: {missing}"


@each_document
def test_links_to_sections_that_exist(document):
    missing = [
        f"{path}#{section}"
        for path, section in local_links(document)
        if section and section not in sections_of(document.parent / path if path else document)
    ]

    assert not missing, f"{document.relative_to(PROJECT)} links to what does not exist: {missing}"


def test_reaches_every_page_and_picture_from_the_index():
    reached: set[Path] = set()
    waiting = [PROJECT / "docs" / "index.md", PROJECT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or not path.is_file():
            continue
        reached.add(path)
        if path.suffix == ".md":
            waiting += [(path.parent / target).resolve() for target, _ in local_links(path)]

    assert {*DOCUMENTS, *PICTURES.iterdir()} - reached == set()


def test_keeps_pictures_light():
    heavy = [path.name for path in PICTURES.iterdir() if path.stat().st_size > HEAVIEST_PICTURE]

    assert not heavy


@each_document
def test_names_files_that_exist(document):
    names = re.findall(rf"`((?:{FOLDERS})/[^`\s]*)`", document.read_text())
    missing = [
        name
        for name in names
        if not PLACEHOLDERS.fullmatch(name) and not (PROJECT / name.split("::")[0]).exists()
    ]

    assert not missing, f"{document.relative_to(PROJECT)} names files that do not exist: {missing}"


@each_document
def test_names_parts_of_the_code_that_exist(document):
    names = re.findall(rf"`((?:{PACKAGES})\.[A-Za-z_][\w.]*)`", document.read_text())

    for name in names:
        assert locate(name) is not None, f"{document.relative_to(PROJECT)} names {name}, which does not exist"


def test_names_every_command():
    named = set(re.findall(r"manage\.py (\w+)|`(\w+)`", everything()))
    words = {word for pair in named for word in pair if word}

    assert our_commands() - words == set()


@each_document
def test_names_commands_that_exist(document):
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text()))

    assert named - set(get_commands()) == set()


@each_document
def test_writes_commands_as_they_are_understood(document):
    for name, *words in written_commands(document.read_text()):
        parser_of(name).parse_args(words)


def test_names_every_target_of_make():
    targets = set(re.findall(r"^([a-z]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))

    assert targets - set(re.findall(r"make ([a-z]+)", everything())) == set()


@each_document
def test_names_targets_of_make_that_exist(document):
    targets = set(re.findall(r"^([a-z]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", document.read_text(), re.MULTILINE))

    assert named - targets == set()


def test_explains_every_environment_variable_and_no_other():
    modules = [*PROJECT.glob("fooling_web/*.py"), *PROJECT.glob("bootstrap/*.py")]
    read = set().union(*map(variables_read_in, modules))

    explained = {
        cell.strip("`") for cell in first_cells(section(OPERATIONS, "Environment")) if cell.startswith("`")
    }

    assert explained == read


@pytest.mark.parametrize("name", [*CLASSIFIERS, *ENCODINGS, *FIDELITIES, *PRESETS])
def test_names_every_choice_of_a_run(name):
    assert f"`{name}`" in everything()


@each_document
def test_names_classifiers_that_exist(document):
    named = set(re.findall(r"(?<![\w/.])mnist-[a-z-]+\b(?![.])", document.read_text()))

    assert named - set(CLASSIFIERS) == set()


def test_gives_the_sizes_of_the_presets():
    lines = [line.strip("| ").split(" | ") for line in section(PAPER, "The experiments by name").splitlines()]
    rows = {cells[0].strip("`"): cells[1:] for cells in lines if cells[0].strip("`") in PRESETS}

    assert rows == {name: cells_of(preset) for name, preset in PRESETS.items()}


def cells_of(preset):
    """Return how a preset stands in the table."""
    generations, images = f"{preset.generations:,}", f"{preset.population:,}"
    if preset.encoding == "gradient":
        generations = f"{generations} steps" if preset.generations else "steps by setting"
        images = f"{len(preset.classes)} classes x {preset.starts}"
    encoding = preset.encoding or "either"
    return [preset.title, encoding, generations, images, str(preset.crops), str(preset.runs)]


def test_says_of_every_library_why_it_is_here():
    files = ("requirements.txt", "requirements-dev.txt")
    pinned = {
        name
        for file in files
        for name in re.findall(r"^([\w-]+)(?:\[.*\])?==", (PROJECT / file).read_text(), re.MULTILINE)
    }
    package = json.loads((PROJECT / "package.json").read_text())
    for_browsers = {*package["dependencies"], *package["devDependencies"]}

    reasons = DECISIONS.read_text().split("## Left out")[0]

    assert {cell.strip("`") for cell in first_cells(reasons) if cell.startswith("`")} == pinned | for_browsers


@pytest.mark.django_db
@pytest.mark.parametrize("words", written_commands(TUTORIAL.read_text()), ids=" ".join)
def test_runs_every_command_of_the_tutorial(words, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT)

    call_command(*words)

    assert capsys.readouterr().out.strip()
