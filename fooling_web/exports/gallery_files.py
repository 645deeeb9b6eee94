"""A gallery in a file: a ZIP of its pictures with a table, or a contact sheet.

Few images are done at once. Many are a job for a worker, which draws them part by part and joins the parts at last.
"""

import csv
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from evolution.archive_writing import FIXED_DATE
from fooling_web.exports.citing import bibliography
from fooling_web.exports.contact_sheets import Heading, heading_of, size_for, write_pdf, write_png
from fooling_web.exports.gallery_pieces import Piece, Row, keys_of, pieces_of, safe
from fooling_web.exports.jobs import Desk, Refused, order
from fooling_web.exports.models import ExportJob
from fooling_web.galleries.wanted import Wanted
from fooling_web.runs.models import Run
from fooling_web.users.models import User

FORMS = {
    "png": "Contact sheet, one picture (PNG)",
    "pdf": "Contact sheet, pages in A4 (PDF)",
    "zip": "The pictures, with a table (ZIP)",
}
MOST = {"pdf": 200, "png": 200, "zip": 1000}  # images
AT_ONCE = 60  # images that nobody waits long for
SECONDS = 0.6  # for drawing them: what takes longer is a job
PER_PART = 25
FOLDER = "pictures"
ROWS = "rows.json"  # of a part
NOTHING_LEFT = "Nothing of it hangs in the gallery any more."
README = """\
{title}
{underline}
{count} from a gallery of Foolbreeder, a site that evolves images which classifiers are sure of, as it hung on
{day}. None of these images is a photograph of what the classifier sees in it.

Address of the gallery: {address}

pictures/     CLASS_CONFIDENCE_RUN_NUMBER.png, as large as the classifier saw them, every pixel to the very level.
              The confidence is cut, never rounded up; RUN is how the run's id begins, NUMBER the image's in its run.
images.csv    a line for each picture: class, confidence in full, classifier with the SHA-256 of its weights, run,
              seed, generation, SHA-256 of the genome, and the address of its page. Words that a table would take
              for a formula begin with an apostrophe.
citation.bib  the runs, for a bibliography.
SHA256SUMS    lets anybody check that nothing was altered: sha256sum -c SHA256SUMS

Who evolved an image is named in the table; its page says more, and has the genome, which draws it at any size.
{missing}"""


class TooSlow(Exception):
    """Drawing took longer than a person should wait, and a worker should do it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Which images of which view somebody takes away, and as what."""

    form: str
    title: str
    address: str  # of the view
    site: str  # the beginning of all addresses
    keys: list[int]
    total: int  # images of the view

    @classmethod
    def of(cls, wanted: Wanted, form: str, most: int, **told: str) -> "Order":
        """Return an order of the first images of a view."""
        keys, total = keys_of(wanted, min(most, MOST[form]))
        return cls(form=form, keys=keys, total=total, **told)

    @property
    def size(self) -> int:
        """How many pixels a side pictures are drawn; 0: as many as the classifier saw."""
        return 0 if self.form == "zip" else size_for(self.form, len(self.keys))


def taken_at_once(wanted: Order, seconds: float) -> bytes:
    """Return a file; raises TooSlow where that takes too long, Refused where nothing is left.

    The clock starts with the first picture, before which a process that has drawn none so far loads its kernels.
    """
    pieces, began = list[Piece](), 0.0
    for piece in pieces_of(wanted.keys, wanted.size, wanted.site):
        pieces.append(piece)
        began = began or time.monotonic()
        if time.monotonic() - began > seconds and len(pieces) < len(wanted.keys):
            raise TooSlow
    file = io.BytesIO()
    write(file, wanted, pieces)
    return file.getvalue()


def ordered(by: User, wanted: Order) -> ExportJob:
    """Return a job that makes the file; raises Refused."""
    kind = ExportJob.Kind.GALLERY if wanted.form == "zip" else ExportJob.Kind.SHEET
    return order(by, kind, f"Gallery: {wanted.title}", asdict(wanted), total=len(wanted.keys))


def make(job: ExportJob, desk: Desk) -> Path | None:
    """Draw parts until the slice is over; return the file once all are there."""
    wanted = Order(**job.choices)
    while job.done < len(wanted.keys):
        number, keys = job.done // PER_PART, wanted.keys[job.done : job.done + PER_PART]
        desk.keep_part(number, _part_of(pieces_of(keys, wanted.size, wanted.site)))
        desk.note(job.done + len(keys), len(wanted.keys))
        if desk.is_over:
            return None
    path = desk.folder / f"gallery.{wanted.form}"
    with path.open("w+b") as file:
        write(file, wanted, _noting_runs(job, _kept(desk, len(wanted.keys))))
    return path


def _noting_runs(job: ExportJob, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield images, and write down whose they are: where one is made private, the link to the file knows."""
    runs = set()
    for piece in pieces:
        runs.add(piece.row.run)
        yield piece
    job.runs.set(Run.objects.filter(pk__in=runs))


def write(file: BinaryIO, wanted: Order, pieces: Iterable[Piece]) -> None:
    """Write images as what was ordered; raises Refused where there are none."""
    if wanted.form == "zip":
        _write_zip(file, wanted, pieces)
        return
    hung = list(pieces)
    if not hung:
        raise Refused(NOTHING_LEFT)
    heading: Heading = heading_of(wanted.title, len(hung), wanted.total, hung, wanted.address)
    (write_pdf if wanted.form == "pdf" else write_png)(file, hung, heading)


def _part_of(pieces: Iterable[Piece]) -> bytes:
    """Pack images for a later slice."""
    file, rows = io.BytesIO(), []
    with zipfile.ZipFile(file, "w") as part:
        for place, piece in enumerate(pieces):
            part.writestr(str(place), piece.picture)
            rows.append(piece.to_json())
        part.writestr(ROWS, json.dumps(rows))
    return file.getvalue()


def _kept(desk: Desk, n_images: int) -> Iterator[Piece]:
    """Yield the images of all parts, one part in memory at a time."""
    for number in range(-(-n_images // PER_PART)):
        with zipfile.ZipFile(io.BytesIO(desk.part(number))) as part:
            for place, row in enumerate(json.loads(part.read(ROWS))):
                yield Piece(Row(**row), part.read(str(place)))
        desk.note(desk.job.done, desk.job.total)


def _write_zip(file: BinaryIO, wanted: Order, pieces: Iterable[Piece]) -> None:
    rows, sums = list[Row](), list[str]()
    with zipfile.ZipFile(file, "w") as archive:

        def add(name: str, content: bytes, packing: int = zipfile.ZIP_DEFLATED) -> None:
            info = zipfile.ZipInfo(name, FIXED_DATE)
            info.external_attr, info.compress_type = 0o644 << 16, packing
            archive.writestr(info, content)
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")

        for piece in pieces:
            rows.append(piece.row)
            add(f"{FOLDER}/{piece.row.file}", piece.picture, zipfile.ZIP_STORED)
        if not rows:
            raise Refused(NOTHING_LEFT)
        add("images.csv", _table(rows))
        add("citation.bib", _bibliography(rows, wanted.site))
        add("README.txt", _readme(wanted, len(rows)))
        add("SHA256SUMS", "".join(sums).encode())


def _table(rows: list[Row]) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)])
    for row in rows:
        told: dict[str, Any] = {**asdict(row), "file": f"{FOLDER}/{row.file}"}
        writer.writerow([safe(value) for value in told.values()])
    return table.getvalue().encode()


def _bibliography(rows: list[Row], site: str) -> bytes:
    runs = Run.objects.public().filter(pk__in={row.run for row in rows}).select_related("owner")
    return bibliography(list(runs.without_burdens()), lambda path: f"{site.rstrip('/')}{path}").encode()


def _readme(wanted: Order, n_images: int) -> bytes:
    missing = len(wanted.keys) - n_images
    title = f"Gallery: {wanted.title}"
    of_all = f", of {wanted.total:,}" if wanted.total > n_images else ""
    text = README.format(
        title=title,
        underline="=" * len(title),
        count=f"{n_images:,} image{'s' if n_images != 1 else ''}{of_all}",
        day=f"{datetime.now(UTC):%-d %B %Y}",
        address=wanted.address,
        missing=f"\n{missing:,} more hung there when the file was asked for, and not when it was made.\n"
        if missing
        else "",
    )
    return text.encode()
