"""The family tree in a browser: drawn in both shapes, folded, walked by keyboard, searched, told without scripts."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import Site
from tests.browser.test_accessibility import AXE, GRAVE

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
PICTURES = 600
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
PATIENCE = 20_000  # milliseconds
VISIT = Callable[..., Page]


@pytest.fixture(scope="module")
def root(site: Site) -> str:
    """Put a family into the site; return its root's place."""
    environment = {**os.environ, "FOOLING_HOME": str(site.home), "OMP_NUM_THREADS": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "benchmarks.imagined_family", str(PICTURES)]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, timeout=120, capture_output=True, text=True
    )
    return done.stdout.split()[-1]


@pytest.fixture
def visit(browser: Browser, site: Site, root: str) -> Iterator[VISIT]:
    """Return a way to open the family's page; complaints of its scripts fail."""
    contexts, complaints = [], []

    def open_page(further: str = "", **options: object) -> Page:
        contexts.append(browser.new_context(base_url=site.url, **{"viewport": DESKTOP, **options}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"/breed/tree/?centre={root}{further}")
        if options.get("java_script_enabled", True):
            page.locator("#tree[data-opened]").wait_for(timeout=PATIENCE)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def number(page: Page, name: str) -> float:
    return float(page.locator("#tree").get_attribute(f"data-{name}") or "nan")


def wait_for_number(page: Page, name: str, holds: str) -> None:
    page.wait_for_function(
        f"() => {{ const value = Number(document.querySelector('#tree').dataset.{name}); return {holds}; }}",
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("shape", ["linear", "radial"])
def test_draws_what_is_around_the_centre_with_pictures(visit: VISIT, shape: str) -> None:
    page = visit(f"&shape={shape}")

    wait_for_number(page, "pictures", "value >= 5")
    assert 5 < number(page, "laid") <= 330
    expect(page.locator(f".tree-shapes a[data-shape={shape}]")).to_have_attribute("aria-current", "true")


def test_turns_from_linear_to_radial_and_back_by_the_browsers_way_back(visit: VISIT) -> None:
    page = visit()
    page.get_by_role("link", name="Radial").click()
    expect(page).to_have_url(re.compile("shape=radial"))
    expect(page.locator("#tree")).to_have_attribute("data-shape", "radial")

    page.go_back()

    expect(page.locator("#tree")).to_have_attribute("data-shape", "linear")


def test_expands_all_and_folds_up_again(visit: VISIT) -> None:
    page = visit()
    begun = number(page, "laid")

    page.get_by_role("button", name="Expand all").click()
    wait_for_number(page, "laid", f"value === {PICTURES}")
    wait_for_number(page, "drawn", f"value === {PICTURES}")
    page.get_by_role("button", name="Fold up again").click()

    wait_for_number(page, "laid", f"value === {begun}")


def test_collapses_and_expands_the_chosen_picture(visit: VISIT) -> None:
    page = visit()
    begun = number(page, "laid")
    panel = page.locator("#tree-panel")

    panel.get_by_role("button", name="Collapse").click()
    wait_for_number(page, "laid", "value === 1")
    panel.get_by_role("button", name="Expand (599)").click()

    wait_for_number(page, "laid", "value > 1")
    assert number(page, "laid") <= begun + 24


def test_unfolds_and_chooses_by_taps(visit: VISIT) -> None:
    page = visit()
    page.locator("#tree-panel").get_by_role("button", name="Collapse").click()
    wait_for_number(page, "laid", "value === 1")
    page.get_by_role("button", name="Show all").click()
    wait_for_number(page, "scale", "value === 1.2")
    box = page.locator("#tree-drawing").bounding_box()
    assert box
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]

    page.mouse.click(middle[0] + 49, middle[1])  # the handle that says +599

    wait_for_number(page, "laid", "value > 1")
    page.locator("#tree-drawing").press("ArrowRight")
    expect(page.locator("#tree-told")).to_contain_text("Generation 2 of people")
    page.locator("#tree-drawing").press("ArrowLeft")
    expect(page.locator("#tree-told")).to_contain_text("Generation 1 of people")


def test_is_walked_centred_and_opened_by_keyboard_alone(visit: VISIT, root: str) -> None:
    page = visit()
    page.locator("#tree-drawing").focus()

    page.keyboard.press("ArrowRight")
    expect(page.locator("#tree-told")).to_contain_text("Generation 2 of people")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tree-told")).to_contain_text("Generation 3 of people")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tree-told")).to_contain_text("Generation 2 of people")
    child = number(page, "chosen")
    page.keyboard.press("ArrowDown")
    assert number(page, "chosen") != child
    page.keyboard.press("ArrowUp")
    assert number(page, "chosen") == child
    scale = number(page, "scale")
    page.keyboard.press("+")
    wait_for_number(page, "scale", f"value > {scale}")
    page.keyboard.press("0")
    page.keyboard.press("c")
    expect(page).not_to_have_url(re.compile(root))
    expect(page.locator("#family-near")).to_contain_text("1 picture before it")
    page.keyboard.press("Space")
    wait_for_number(page, "laid", "value >= 1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/images/"))


def test_is_centred_from_the_list_and_returns_by_the_browsers_way_back(visit: VISIT, root: str) -> None:
    page = visit()
    panel = page.locator("#tree-panel h2")
    begun = panel.inner_text()
    page.locator("[data-centre]").first.click()

    expect(page).not_to_have_url(re.compile(root))
    expect(page.locator("#family-near .tree-line li")).to_have_count(1)
    expect(page.locator("h1")).not_to_contain_text(begun)
    page.go_back()
    expect(page.locator("h1")).to_contain_text(begun)
    expect(page.locator("#family-near .tree-line")).to_have_count(0)


def test_finds_by_title_and_shows_what_was_folded_away(visit: VISIT) -> None:
    page = visit()

    page.get_by_label("Search the tree by title or breeder").fill("imagined-59")
    hits = page.locator("#tree-hits button")
    expect(hits.first).to_contain_text("imagined-59")
    name = hits.last.inner_text().rsplit(" by ", 1)[0]
    hits.last.click()

    expect(page.locator("#tree-panel h2")).to_have_text(name)
    expect(page.locator("#tree-panel")).to_contain_text("by imagined-59")
    page.get_by_label("Search the tree by title or breeder").fill("<b>nothing")
    expect(page.locator("#tree-hits")).to_have_text("Nothing here is called “<b>nothing”.")


@pytest.mark.parametrize(("by", "words"), [("confidence", "80 to 95 %"), ("generation", "generations 1 to")])
def test_says_what_its_colours_mean(visit: VISIT, by: str, words: str) -> None:
    page = visit()
    expect(page.locator("#tree-legend")).to_contain_text("imagined-1")

    page.get_by_label("Colour by").select_option(by)

    expect(page.locator("#tree-legend")).to_contain_text(words)


def test_moves_by_dragging_and_zooms_by_buttons(visit: VISIT) -> None:
    page = visit()
    box = page.locator("#tree-drawing").bounding_box()
    assert box
    begun = number(page, "drawn")

    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 5000, steps=4)
    page.mouse.up()
    wait_for_number(page, "drawn", f"value < {begun}")
    page.get_by_role("button", name="Show all").click()

    wait_for_number(page, "drawn", f"value === {number(page, 'laid')}")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_shuts_nobody_out(visit: VISIT, size: dict[str, int]) -> None:
    page = visit(viewport=size)
    page.evaluate(AXE.read_text())

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        grave = [broken for broken in found["violations"] if broken["impact"] in GRAVE]
        assert [(broken["id"], broken["nodes"][0]["html"][:200]) for broken in grave] == [], scheme


def test_is_told_without_scripts(visit: VISIT) -> None:
    page = visit(java_script_enabled=False)

    expect(page.locator("#family-near")).to_contain_text("Generation 1 of people")
    page.locator("#family-near").get_by_role("link", name=re.compile("Centre here")).first.click()

    expect(page.locator("#family-near")).to_contain_text("Generation 2 of people")
    expect(page.locator("#family-near")).to_contain_text("1 picture before it")
