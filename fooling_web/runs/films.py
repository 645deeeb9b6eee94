"""Films of a run: its archive from the first generation to the last, as one animated WebP.

A page asks for a film and a worker makes it in slices of some seconds, so that others who wait for the same worker
have their turn. Each slice leaves a part in the storage; the parts are joined at the end. Films are bounded in
frames, in pixels and in number, and one whose file had to go can be made again.
"""

import hashlib
import io
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpRequest
from PIL import Image, ImageDraw, ImageFont

from evolution.errors import ParameterError
from fooling_web.runs.history import holdings_at
from fooling_web.runs.keyframes import has_key_frames, lend
from fooling_web.runs.kinds import classes_told
from fooling_web.runs.models import Film, FilmGone, Run
from fooling_web.runs.percentages import percent
from fooling_web.runs.tiles import SLIDING, Tile, is_pixelated, tiles_of
from fooling_web.runs.watching import labels_of
from fooling_web.runs.webp import joined

logger = logging.getLogger(__name__)

MOST_FRAMES = 300
LENGTHS = {"10": "10 seconds", "20": "20 seconds", "30": "30 seconds"}
PER_SECOND = 10  # frames
MOST_FILES = 100  # of the site, and so many bytes in all
MOST_BYTES = 2**30
SLICE_SECONDS = 3.0
PER_PART = 25  # frames, at most
WIDEST = 640  # pixels
ALONE, FEW, SMALLEST = 256, 128, 16  # pixels a side of one picture, of some, of very many
STRIP = 26  # pixels below the pictures, for words
QUALITY = 70
WALL, INK = (18, 18, 18), (240, 239, 233)
FOLDER = "films"


class FilmForm(forms.Form):
    """Which film: of what, and how long."""

    classes = forms.CharField(required=False, max_length=400, strip=True)
    seconds = forms.ChoiceField(choices=tuple(LENGTHS.items()), initial="20")

    def __init__(self, *args: Any, run: Run, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run

    def clean_classes(self) -> list[int]:
        """Read names and numbers of classes; none means all."""
        text, labels = self.cleaned_data["classes"], labels_of(self.run)
        if not text:
            return []
        if not labels:
            raise forms.ValidationError(
                "The run's classifier is gone, so that its classes have no names: leave this empty."
            )
        try:
            classes = sorted(classes_told(text, labels))
        except ParameterError as error:
            raise forms.ValidationError(str(error)) from error
        if not self.run.champions.filter(class_index__in=classes).exists():
            raise forms.ValidationError("No image has held any of these classes so far.")
        return classes


def asker_of(request: HttpRequest) -> str:
    """Return who asks, as a hash: a person, or the address of somebody who is not signed in."""
    user = request.user
    who = f"person {user.pk}" if user.is_authenticated else f"address {get_adapter().get_client_ip(request)}"
    return hashlib.sha256(f"{settings.SECRET_KEY} {who}".encode()).hexdigest()


def order(run: Run, asker: str, classes: list[int], seconds: int) -> Film:
    """Return the film that was asked for: one that is there already, or a new one that waits for a worker."""
    wanted = {
        "run": run,
        "what": classes,
        "generations": frames_of(run, classes, seconds),
        "seconds": seconds,
    }
    standing = (Film.Status.FINISHED, Film.Status.REMOVED)
    if made := Film.objects.filter(**wanted, status__in=standing).first():
        return made
    return Film.objects.create(**wanted, asked_by=asker)


def frames_of(run: Run, classes: list[int], seconds: int) -> list[int]:
    """Return each frame's generation: those with changes or, where these are too many, some evenly chosen."""
    most, last = min(MOST_FRAMES, seconds * PER_SECOND), run.generation or 0
    changes = run.takeovers.filter(generation__lte=last).order_by("generation")
    if classes:
        changes = changes.filter(class_index__in=classes)
    changed = list(changes.values_list("generation", flat=True).distinct()[: most + 1])
    if len(changed) <= most:
        return sorted({*changed, last})[:most] if changed else []
    first = changed[0]
    return [int(each) for each in np.unique(np.linspace(first, last, most).round().astype(int))]


def make(film: Film, seconds: float = SLICE_SECONDS) -> bool:
    """Make a film for some seconds; whether it wants a further slice."""
    end = time.monotonic() + seconds
    picture = _Screen(film)
    while film.progress < film.n_frames:
        frames = list(picture.frames(film.generations[film.progress :], end))
        if Film.objects.filter(pk=film.pk).exclude(progress=film.progress).exists():
            return False  # a bell rang twice, and another worker has come further
        _keep_part(film, frames)
        if time.monotonic() > end:
            return True
    _finish(film, picture)
    return False


def make_safely(film: Film) -> bool:
    """Make a film for a slice and, where that fails, say so on its page; whether it wants a further slice."""
    try:
        return make(film)
    except FilmGone:
        forget_parts(film)
    except Exception:
        logger.exception("film %s could not be made", film.pk)
        fail(film, "The film could not be made. The log of the worker says why.")
    return False


def fail(film: Film, reason: str) -> None:
    """Give a film up, with a reason that a person can act on."""
    forget_parts(film)
    film.note(status=Film.Status.FAILED, error=reason)


def again(film: Film, asker: str) -> None:
    """Let a film whose file went, or that failed, be made once more."""
    if film.file:
        film.file.delete(save=False)
    film.note(status=Film.Status.WAITING, error="", progress=0, parts=[], file="", size=0, asked_by=asker)


def tidy_up(files: int = MOST_FILES, most: int = MOST_BYTES) -> None:
    """Remove the oldest files where they are too many or too large together, and those that no film names."""
    size = 0
    for place, film in enumerate(Film.objects.with_files().order_by("-created_at")):
        size += film.size
        if place >= files or (size > most and place > 0):
            film.file.delete(save=False)
            film.note(status=Film.Status.REMOVED, file="", size=0)
    _forget_orphans()


def forget_parts(film: Film) -> None:
    """Remove the pieces of a film from the storage, one included that it does not know of yet."""
    for number in range(len(film.parts) + 1):
        default_storage.delete(_part_name(film, number))


@dataclass(frozen=True)
class _Layout:
    """Where pictures hang on the screen."""

    drawn: int  # pixels a side in which a picture is drawn
    shown: int  # in which it is shown
    columns: int
    rows: int

    @property
    def size(self) -> tuple[int, int]:
        """The screen's width and height in pixels, even ones."""
        return max(240, self.columns * self.shown), self.rows * self.shown + STRIP


class _Screen:
    """What a film shows: the pictures of some classes in rows, and below them words."""

    def __init__(self, film: Film) -> None:
        self.film, self.run = film, film.run
        n_classes = len(labels_of(self.run)) or 1 + max(
            self.run.champions.values_list("class_index", flat=True), default=0
        )
        self.classes = film.what or list(range(n_classes))
        self.layout = layout_for(self.run, len(self.classes))
        self.font = ImageFont.load_default(size=14)

    def frames(self, generations: Sequence[int], end: float) -> Iterator[Image.Image]:
        """Yield pictures until a part is full or the time is over; one at least."""
        for generation in generations[:PER_PART]:
            yield self._at(generation)
            if time.monotonic() > end:
                return

    def _at(self, generation: int) -> Image.Image:
        layout = self.layout
        held = {holding.class_index: holding for holding in holdings_at(self.run, generation)}
        individuals = [held[index].individual for index in self.classes if index in held]
        if layout.drawn == SLIDING and has_key_frames(self.run):
            lend(self.run, generation, individuals)
        tiles = tiles_of(self.run, individuals, layout.drawn)
        shown = [tiles[held[index].individual] if index in held else None for index in self.classes]
        screen = Image.new("RGB", layout.size, WALL)
        screen.paste(_scaled(_hung(shown, layout), layout), (0, 0))
        confidences = [held[index].confidence if index in held else 0.0 for index in self.classes]
        ImageDraw.Draw(screen).text(
            (6, layout.size[1] - STRIP + 5), self._words(generation, confidences), INK, self.font
        )
        return screen

    def _words(self, generation: int, confidences: list[float]) -> str:
        if len(confidences) == 1:
            [label] = [self.run.label_of(index) for index in self.classes]
            return f"generation {generation:,}   {label[:40]} {percent(confidences[0])}"
        return f"generation {generation:,}   median {percent(float(np.median(confidences)))}"


def layout_for(run: Run, n_pictures: int) -> _Layout:
    """Return where so many pictures of a run hang."""
    columns = 1 if n_pictures == 1 else min(n_pictures, max(5, round(float(np.sqrt(n_pictures)))))
    room = WIDEST // columns
    shown = max(SMALLEST, min(room, ALONE if n_pictures == 1 else FEW) // 2 * 2)
    rows = -(-n_pictures // columns)
    if is_pixelated(run):
        native = int(run.parameters["width"])
        shown = native * max(1, shown // native) if shown >= native else shown
        return _Layout(native, shown, columns, rows)
    return _Layout(SLIDING if shown <= SLIDING else shown, shown, columns, rows)


def _hung(tiles: Sequence[Tile | None], layout: _Layout) -> Tile:
    side = layout.drawn
    wall = np.empty((layout.rows * layout.columns, side, side, 3), np.uint8)
    wall[:] = WALL
    for place, tile in enumerate(tiles):
        if tile is not None:
            wall[place] = tile
    by_row = wall.reshape(layout.rows, layout.columns, side, side, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(by_row).reshape(layout.rows * side, layout.columns * side, 3)


def _scaled(wall: Tile, layout: _Layout) -> Image.Image:
    picture = Image.fromarray(wall)
    if layout.shown == layout.drawn:
        return picture
    how = Image.Resampling.NEAREST if layout.shown > layout.drawn else Image.Resampling.BOX
    return picture.resize((layout.columns * layout.shown, layout.rows * layout.shown), how)


def _keep_part(film: Film, frames: list[Image.Image]) -> None:
    file = io.BytesIO()
    first, *others = frames
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=_milliseconds(film),
        quality=QUALITY,
        method=0,
    )
    name = _part_name(film, len(film.parts))
    default_storage.delete(name)  # which a worker left that died before it could say so
    default_storage.save(name, ContentFile(file.getvalue()))
    film.note(parts=[*film.parts, len(frames)], progress=film.progress + len(frames))


def _milliseconds(film: Film) -> int:
    """Return how long a frame lasts: a film of few frames is slow, but never a slide show."""
    return int(max(1000 / PER_SECOND, min(1000.0, 1000 * film.seconds / max(1, film.n_frames))))


def _finish(film: Film, screen: _Screen) -> None:
    """Join the parts to a file."""
    parts = []
    for number in range(len(film.parts)):
        with default_storage.open(_part_name(film, number)) as file:
            parts.append(file.read())
    lasting = [frames * _milliseconds(film) for frames in film.parts]
    content = joined(parts, lasting, *screen.layout.size)
    name = default_storage.save(f"{FOLDER}/{film.pk}.webp", ContentFile(content))
    forget_parts(film)
    film.note(status=Film.Status.FINISHED, file=name, size=len(content), parts=[])
    tidy_up()


def _part_name(film: Film, number: int) -> str:
    return f"{FOLDER}/{film.pk}-{number}.part"


def _forget_orphans() -> None:
    """Remove files of films that are no more, as of a run that was deleted."""
    with suppress(OSError):
        _, names = default_storage.listdir(FOLDER)
        known = {str(each) for each in Film.objects.values_list("pk", flat=True)}
        for name in names:
            if name[:36] not in known:
                default_storage.delete(f"{FOLDER}/{name}")
