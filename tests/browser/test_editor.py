"""The genome editor in a browser: changed by keyboard and in the graph, undone, kept; and without scripts."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.breeding.bred import document
from tests.browser.steps import Site, told
from tests.browser.test_accessibility import AXE, DESKTOP, GRAVE, PHONE

pytestmark = pytest.mark.browser

FORGETFUL = "() => new Promise(done => setTimeout(done, 800))"  # later changes of a weight are undone apart


def edit(page: Page) -> str:
    """Begin with a genome whose every part is seen, and open its editor; return the address of the session."""
    page.goto("/breed/import/")
    genome = {"name": "own.json", "mimeType": "application/json", "buffer": json.dumps(document()).encode()}
    page.locator("main input[type=file]").set_input_files([genome])  # type: ignore[list-item]
    page.get_by_role("button", name="Begin with it").click()
    expect(page.locator("#tiles .tile")).to_have_count(15)
    session = page.url.removesuffix("1/")
    page.goto(f"{session}0/")
    page.locator("#tile-0 .tile-menu summary").click()
    page.locator("#tile-0").get_by_role("link", name="Edit its genome").click()
    drawn(page)
    return session


def drawn(page: Page) -> None:
    """Wait for the graph and for the pictures of the nodes."""
    page.locator("#network[data-ready]").wait_for()
    expect(page.locator("#nodes img")).not_to_have_count(0, timeout=20_000)  # the first compile their kernel


def picture(page: Page) -> str:
    return page.locator("#picture").get_attribute("src") or ""


def follows(page: Page, before: str) -> str:
    """Wait until another picture is shown, and return it."""
    expect(page.locator("#picture")).not_to_have_attribute("src", before)
    page.wait_for_function("document.querySelector('#picture').complete")
    return picture(page)


def grave(page: Page) -> list[str]:
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{broken['id']}: {broken['nodes'][0]['html'][:200]}"
        for broken in found["violations"]
        if broken["impact"] in GRAVE
    ]


def test_a_weight_is_changed_undone_and_kept_by_keyboard(new_person: Callable[..., Page]) -> None:
    page = new_person("ada", viewport=DESKTOP)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(told(message)) if message.type == "error" else None)
    session = edit(page)
    field = page.locator("#connections input").first
    weight = field.input_value()

    field.focus()
    expect(page.locator("#chosen-connection")).to_be_visible()
    page.locator("#slide").focus()
    begun = picture(page)
    page.keyboard.press("PageUp")
    changed = follows(page, begun)
    assert field.input_value() != weight
    expect(page.locator("#told")).to_have_text("Changed. “Keep” adds a litter with it.")
    page.evaluate(FORGETFUL)
    page.keyboard.press("Home")
    expect(field).to_have_value("-10")
    follows(page, changed)

    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(field).to_have_value(weight)
    expect(page.locator("#keep")).to_be_disabled()
    page.keyboard.press("Shift+U")
    expect(field).not_to_have_value(weight)
    expect(page.locator("#picture")).to_have_attribute("src", changed)

    page.locator("#keep").press("Enter")
    expect(page).to_have_url(f"{session}2/?picked=0")
    expect(page.locator("#pick-0")).to_be_checked()
    expect(page.locator("#told")).to_contain_text("one of litter 0 edited")
    assert heard == []


def test_loading_the_page_again_loses_nothing(new_person: Callable[..., Page]) -> None:
    page = new_person("ada", viewport=DESKTOP)
    edit(page)
    rows = page.locator("#connections tr").count()

    page.locator("#connections [data-deed=insert]").first.press("Enter")
    expect(page.locator("#connections tr")).to_have_count(rows + 1)
    expect(page.locator("#nodes tr.chosen select")).to_be_focused()
    page.locator("#nodes tr.chosen select").select_option("cosine")
    page.locator("#connections [data-deed=remove-connection]").nth(2).press("Enter")
    expect(page.locator("#connections tr")).to_have_count(rows)
    page.reload()

    drawn(page)
    expect(page.locator("#connections tr")).to_have_count(rows)
    expect(page.locator("#nodes th").filter(has_text="cosine")).to_have_count(1)
    for _ in range(3):
        page.locator("#undo").click()
    expect(page.locator("#connections tr")).to_have_count(rows)
    expect(page.locator("#undo")).to_be_disabled()
    expect(page.locator("#nodes th").filter(has_text="cosine")).to_have_count(0)
    page.locator("#redo").click()
    page.locator("#reset").click()
    expect(page.locator("#undo")).to_be_enabled()
    expect(page.locator("#keep")).to_be_disabled()


def test_says_why_two_places_cannot_be_connected(new_person: Callable[..., Page]) -> None:
    page = new_person("ada", viewport=DESKTOP)
    edit(page)
    page.get_by_role("button", name="Add a node").click()
    page.get_by_role("button", name="Add a node").click()
    first, second = page.locator("#new-source option").all_inner_texts()[-2:]
    rows = page.locator("#connections tr").count()

    def connect(source: str, target: str) -> None:
        page.locator("#new-source").select_option(label=source)
        page.locator("#new-target").select_option(label=target)
        page.locator(".edit-add [data-deed=connect]").click()

    connect(second, first)
    expect(page.locator("#connections tr")).to_have_count(rows + 1)
    connect(second, first)
    expect(page.locator("#complaint")).to_have_text(f"{second} → {first} is connected already.")
    connect(first, second)
    expect(page.locator("#complaint")).to_have_text(f"{first} → {second} would close a cycle.")
    page.locator("#new-weight").fill("11")
    connect("x", first)
    expect(page.locator("#complaint")).to_have_text("A weight is a number from −10 to 10.")
    expect(page.locator("#connections tr")).to_have_count(rows + 1)
    page.locator("#new-weight").fill("-2")
    connect("x", first)
    expect(page.locator("#complaint")).to_be_hidden()
    begun = picture(page)
    connect(first, page.locator("#new-target option").last.inner_text())
    follows(page, begun)  # which the server drew, so the order of the nodes is as it must be


def press_node(page: Page, node: str) -> None:
    """Press on a node of the graph, which the drawing itself says where it shows."""
    room = page.locator("#graph-drawing")
    room.scroll_into_view_if_needed()
    place = room.evaluate("(room, id) => room._cyreg.cy.getElementById(id).renderedPosition()", node)
    room.click(position=place)


def test_connects_and_removes_nodes_in_the_graph(new_person: Callable[..., Page]) -> None:
    page = new_person("ada", viewport=DESKTOP)
    edit(page)
    first = page.locator("#connections tr").first
    edge = first.get_attribute("data-edge")
    rows = page.locator("#connections tr").count()
    output = page.locator("#nodes tr").last.get_attribute("data-node") or ""
    begun = picture(page)

    press_node(page, output)
    select = page.locator("#chosen-node select")
    select.select_option("cosine" if select.input_value() != "cosine" else "linear")
    follows(page, begun)
    expect(page.locator("#chosen-node [data-deed=remove-node]")).to_be_hidden()
    page.locator(f"tr[data-edge='{edge}'] [data-deed=remove-connection]").click()
    expect(page.locator("#connections tr")).to_have_count(rows - 1)

    source, target = (edge or "").split("-")
    page.locator("#graph-drawing").focus()
    page.keyboard.press("c")
    expect(page.locator("#told")).to_contain_text("where the connection begins")
    press_node(page, source)
    expect(page.locator("#told")).to_contain_text("ends")
    press_node(page, target)
    expect(page.locator("#connections tr")).to_have_count(rows)
    expect(page.locator("#chosen-connection")).to_be_visible()
    expect(page.locator("#weight")).to_have_value("1")
    page.locator("#graph-drawing").focus()
    page.keyboard.press("Delete")
    expect(page.locator("#connections tr")).to_have_count(rows - 1)

    page.get_by_role("button", name="Add a node").click()
    newcomer = page.locator("#nodes tr.chosen").get_attribute("data-node") or ""
    page.keyboard.press("Escape")
    press_node(page, target)
    press_node(page, newcomer)
    page.locator("#chosen-node [data-deed=remove-node]").click()
    expect(page.locator(f"tr[data-node='{newcomer}']")).to_have_count(0)
    page.keyboard.press("u")
    expect(page.locator(f"tr[data-node='{newcomer}']")).to_have_count(1)


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_shuts_nobody_out(new_person: Callable[..., Page], scheme: str, viewport: dict[str, int]) -> None:
    page = new_person("ada", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)
    edit(page)
    before = grave(page)
    page.locator("#connections input").first.focus()
    page.locator("#nodes select").first.select_option("cosine")

    assert before + grave(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_works_without_scripts(browser: Browser, site: Site) -> None:
    page = browser.new_context(base_url=site.url, java_script_enabled=False).new_page()
    page.goto("/breed/begin/")
    page.get_by_role("button", name="Begin in colour").click()
    page.goto(f"{page.url}2/edit/")
    begun = picture(page)

    page.locator("#connections input").first.fill("-7.5")
    page.get_by_role("button", name="Show", exact=True).click()
    assert picture(page) != begun
    expect(page.locator("#connections input").first).to_have_value("-7.5")
    page.locator("#connections input").first.press("Enter")
    rows = page.locator("#connections tr").count()
    page.locator("#connections [data-deed=insert]").first.click()
    expect(page.locator("#connections tr")).to_have_count(rows + 1)
    page.locator("#connections input").first.fill("8.25")
    page.get_by_role("button", name="Keep", exact=True).click()

    expect(page).to_have_url(re.compile(r"/1/\?picked=2$"))
    page.goto(page.url.replace("?picked=2", "2/edit/"))
    expect(page.locator("#connections tr")).to_have_count(rows + 1)
    expect(page.locator("#connections input").first).to_have_value("8.25")
    page.context.close()
