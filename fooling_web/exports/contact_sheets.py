"""Contact sheets: the images of a gallery in rows with what the classifier says of each, for slides and papers.

A sheet is one PNG, or a PDF of pages in A4. Its columns follow from how many images there are. Sheets are for the
eye: in a PDF pictures are packed as JPEG, which changes some of their levels; whoever computes with pictures takes
the ZIP.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from PIL import Image, ImageDraw, ImageFont

from fooling_web.exports.gallery_pieces import Piece
from fooling_web.runs.percentages import finely

PAPER, INK, MUTED = (255, 255, 255), (20, 20, 20), (96, 96, 92)
RATIO = 4 / 3  # of a slide
FEW, SOME = 12, 40  # images that are shown large, and middling
DPI = 200
A4 = (1654, 2339)  # pixels
PAGE_MARGIN = 118  # 15 mm
PAGE_COLUMNS = (2, 3, 4, 5)
PDF_QUALITY = 92  # of JPEG
LABEL_LINES = 2
LONGEST = 200  # signs that are measured
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above and below a sheet's images."""

    title: str
    told: str
    address: str


@dataclass(frozen=True)
class Grid:
    """Where images stand: in how many columns and rows, how large, with so many lines of words below each."""

    columns: int
    rows: int
    side: int
    cell_width: int
    letters: int
    lines: int

    @property
    def cell_height(self) -> int:
        """A picture with its words, and the room to the next row."""
        return self.side + _caption_height(self.letters, self.lines)

    @property
    def per_page(self) -> int:
        """How many images fit."""
        return self.columns * self.rows


def size_for(form: str, n_images: int) -> int:
    """Return how many pixels a side pictures are drawn for a sheet of so many."""
    if form == "pdf":
        return 512 if n_images <= FEW else 256
    return 256 if n_images <= SOME else 128


def write_png(file: BinaryIO, pieces: Sequence[Piece], heading: Heading) -> None:
    """Write a sheet as one picture."""
    side = size_for("png", len(pieces))
    grid = slide_grid(len(pieces), side, _lines_of(pieces))
    margin, letters = side // 4, max(16, side // 9)
    width = grid.columns * grid.cell_width + 2 * margin
    top = margin + _heading_height(letters)
    height = top + grid.rows * grid.cell_height + margin + letters
    sheet = Image.new("RGB", (width, height), PAPER)
    _write_heading(sheet, heading, margin, letters)
    _hang(sheet, pieces, grid, (margin, top))
    _write_foot(sheet, heading.address, margin, max(12, letters * 2 // 3))
    sheet.save(file, format="PNG", compress_level=3)


def write_pdf(file: BinaryIO, pieces: Sequence[Piece], heading: Heading) -> None:
    """Write a sheet as pages in A4."""
    grid = page_grid(len(pieces), size_for("pdf", len(pieces)), _lines_of(pieces))
    starts = range(0, len(pieces), grid.per_page)
    pages = [
        _page(pieces[start : start + grid.per_page], grid, heading, number, len(starts))
        for number, start in enumerate(starts, start=1)
    ]
    first, *others = pages
    first.save(
        file,
        format="PDF",
        save_all=True,
        append_images=others,
        resolution=DPI,
        quality=PDF_QUALITY,
        title=heading.title,
        subject=heading.told,
        creator="Foolbreeder",
        producer="Foolbreeder",
    )


def slide_grid(n_images: int, side: int, lines: int) -> Grid:
    """Return a grid about as wide, for its height, as a slide, its last row as full as can be."""
    letters, width = max(12, side // 12), side + side // 8
    height = side + _caption_height(letters, lines)
    columns = min(n_images, max(1, round(math.sqrt(n_images * RATIO * height / width))))
    rows = -(-n_images // columns)
    return Grid(-(-n_images // rows), rows, side, width, letters, lines)


def page_grid(n_images: int, drawn: int, lines: int) -> Grid:
    """Return the grid of a page in A4: the fewest columns with which all fit on one, or the most."""
    room = A4[1] - 2 * PAGE_MARGIN - _heading_height(32) - 40
    for columns in PAGE_COLUMNS:
        width = (A4[0] - 2 * PAGE_MARGIN) // columns
        side, letters = min(drawn, width - 24), max(20, width // 14)
        rows = max(1, room // (side + _caption_height(letters, lines)))
        if columns * rows >= n_images:
            break
    return Grid(columns, rows, side, width, letters, lines)


def heading_of(title: str, n_images: int, total: int, pieces: Sequence[Piece], address: str) -> Heading:
    """Return a heading that says what is shown, of how many, and which classifiers judged it."""
    names = sorted({piece.row.classifier_title for piece in pieces})
    judges = names[0] if len(names) == 1 else f"{len(names)} classifiers"
    count = f"{n_images:,} image{'s' if n_images != 1 else ''}"
    of_all = f" of {total:,}" if total > n_images else ""
    told = f"{count}{of_all}, judged by {judges}; {datetime.now(UTC):%-d %B %Y}"
    return Heading(title=f"Foolbreeder: {title}", told=told, address=address)


def _lines_of(pieces: Sequence[Piece]) -> int:
    """Return how many lines stand below a picture: the classifier where there are several."""
    return LABEL_LINES + 1 + _are_of_several(pieces)


def _are_of_several(pieces: Sequence[Piece]) -> bool:
    return len({piece.row.classifier for piece in pieces}) > 1


def _page(pieces: Sequence[Piece], grid: Grid, heading: Heading, number: int, n_pages: int) -> Image.Image:
    page = Image.new("RGB", A4, PAPER)
    _write_heading(page, heading, PAGE_MARGIN, 32)
    _hang(page, pieces, grid, (PAGE_MARGIN, PAGE_MARGIN + _heading_height(32)))
    foot = heading.address if n_pages == 1 else f"Page {number} of {n_pages} \N{MIDDLE DOT} {heading.address}"
    _write_foot(page, foot, PAGE_MARGIN, 20)
    return page


def _hang(sheet: Image.Image, pieces: Sequence[Piece], grid: Grid, corner: tuple[int, int]) -> None:
    draw = ImageDraw.Draw(sheet)
    for place, piece in enumerate(pieces):
        row, column = divmod(place, grid.columns)
        left, top = corner[0] + column * grid.cell_width, corner[1] + row * grid.cell_height
        sheet.paste(_picture(piece, grid.side), (left, top))
        _write_caption(draw, piece, grid, left, top + grid.side + grid.letters // 3)


def _picture(piece: Piece, side: int) -> Image.Image:
    picture = Image.open(io.BytesIO(piece.picture)).convert("RGB")
    return picture if picture.width == side else picture.resize((side, side), Image.Resampling.LANCZOS)


def _write_caption(draw: ImageDraw.ImageDraw, piece: Piece, grid: Grid, left: int, top: int) -> None:
    """Write the class and the confidence, and the classifier where there is room for it."""
    font, row = ImageFont.load_default(grid.letters), piece.row
    lines = [(line, INK) for line in wrapped(row.label, font, grid.side, LABEL_LINES)]
    lines.append((finely(row.confidence), MUTED))
    if grid.lines > LABEL_LINES + 1:
        lines.append((wrapped(row.classifier_title, font, grid.side, 1)[0], MUTED))
    for place, (line, colour) in enumerate(lines):
        draw.text((left, top + place * _line_height(grid.letters)), line, fill=colour, font=font)


def _write_heading(sheet: Image.Image, heading: Heading, margin: int, letters: int) -> None:
    draw, room = ImageDraw.Draw(sheet), sheet.width - 2 * margin
    large, small = ImageFont.load_default(letters), ImageFont.load_default(letters * 2 // 3)
    draw.text((margin, margin), wrapped(heading.title, large, room, 1)[0], fill=INK, font=large)
    told = wrapped(heading.told, small, room, 1)[0]
    draw.text((margin, margin + _line_height(letters)), told, fill=MUTED, font=small)


def _write_foot(sheet: Image.Image, text: str, margin: int, letters: int) -> None:
    font = ImageFont.load_default(letters)
    line = wrapped(text, font, sheet.width - 2 * margin, 1)[0]
    ImageDraw.Draw(sheet).text((margin, sheet.height - margin), line, fill=MUTED, font=font)


def _heading_height(letters: int) -> int:
    return 3 * _line_height(letters)


def _caption_height(letters: int, lines: int) -> int:
    return lines * _line_height(letters) + letters


def _line_height(letters: int) -> int:
    return letters + letters // 4


def wrapped(text: str, font: Font, width: int, most: int) -> list[str]:
    """Part a text between words into at least one and at most so many lines; what is too long is cut."""
    words, lines = text[:LONGEST].split(), list[str]()
    while words and len(lines) < most:
        line = words.pop(0)
        while words and font.getlength(f"{line} {words[0]}") <= width:
            line = f"{line} {words.pop(0)}"
        lines.append(line)
    if words:
        lines[-1] += f" {words[0]}{ELLIPSIS}"
    return [_cut(line, font, width) for line in lines] or [""]


def _cut(line: str, font: Font, width: int) -> str:
    if font.getlength(line) <= width:
        return line
    kept = line.removesuffix(ELLIPSIS)
    while kept and font.getlength(kept + ELLIPSIS) > width:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS
