"""Plain pictures, in a browser: sent as a ZIP with a table, refused, sent again, and looked at."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.browser.steps import RUN_PAGE
from tests.browser.test_accessibility import AXE, DESKTOP, PHONE, complaints_of

pytestmark = pytest.mark.browser

CLASSES = {"bar.png": 1, "ring.png": 0, "thin-ring.jpg": 0, "dot.webp": 5}


def drawn(name: str) -> bytes:
    """A stroke of white on black."""
    picture, file = Image.new("RGB", (84, 84)), io.BytesIO()
    pen = ImageDraw.Draw(picture)
    if "ring" in name:
        pen.ellipse((18, 12, 66, 72), outline="white", width=4 if "thin" in name else 9)
    elif "bar" in name:
        pen.line((42, 12, 40, 72), fill="white", width=9)
    else:
        pen.ellipse((36, 36, 48, 48), fill="white")
    picture.save(file, format={"jpg": "JPEG"}.get(name[-3:], name.rpartition(".")[2]))
    return file.getvalue()


def zipped(path: Path, **classes: int) -> Path:
    """Pack pictures with a table."""
    lines = [f"{name},{index}" for name, index in {**CLASSES, **classes}.items()]
    with zipfile.ZipFile(path, "w") as archive:
        for name in CLASSES:
            archive.writestr(name, drawn(name))
        archive.writestr("classes.csv", "\n".join(["file,class", *lines]))
    return path


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop by day", "phone by night"]
)
def test_come_in_and_are_shown(
    new_person: Callable[..., Page], scheme: str, viewport: dict[str, int], tmp_path: Path
) -> None:
    page = new_person("collector", viewport=viewport, color_scheme=scheme)
    page.add_init_script(path=AXE)
    page.goto("/import/")
    page.get_by_label("Plain pictures").check()
    page.locator("[name=classifier]").select_option("mnist-lenet")
    page.get_by_label("File", exact=True).set_input_files(zipped(tmp_path / "wrong.zip", **{"dot.webp": 77}))
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert")).to_contain_text("line 5: class 77 is out of range", timeout=60_000)
    page.get_by_role("link", name="Try again").click()
    offered = page.url

    expect(page.get_by_label("Plain pictures")).to_be_checked()
    expect(page.locator("[name=classifier]")).to_have_value("mnist-lenet")
    page.get_by_label("File", exact=True).set_input_files(zipped(tmp_path / "strokes.zip"))
    page.get_by_role("button", name="Import").click()
    page.locator("#arrival").get_by_role("link", name="strokes").click(timeout=60_000)

    expect(page).to_have_url(RUN_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("strokes")
    expect(page.get_by_text("The confidences were measured")).to_be_visible()
    run = page.url
    pictures = page.locator(".wall-cells img")
    expect(pictures).to_have_count(4)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") > 0
    page.locator(".wall-cells a", has_text="thin-ring").click()
    expect(page.get_by_role("heading", name="What it says of this image")).to_be_visible()

    assert [one for address in (offered, run, page.url) for one in complaints_of(page, address)] == []
