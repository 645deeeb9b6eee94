"""Say in words what a gallery was asked for: as chips, each of which can be taken away, and as a sentence."""

from dataclasses import dataclass, replace

from evolution.parameters import ENCODINGS
from fooling_web.galleries.forms import NOUNS, GalleryForm
from fooling_web.galleries.models import BANDS
from fooling_web.galleries.wanted import METHODS, RECOGNISED, SORTS, Wanted
from models_zoo.errors import UnknownClassifier
from models_zoo.registry import find
from models_zoo.wordnet import TITLES

NO_BREAK = "\N{NO-BREAK SPACE}"
# Filters in the order in which they are spoken of; the others of a Wanted say how it is shown.
FILTERS = (
    *("text", "image_class", "tag", "person"),
    *("classifier", "encoding", "method", "branch", "band", "run", "sweep", "recognised"),
)


@dataclass(frozen=True)
class Chip:
    """A filter that is chosen."""

    name: str
    noun: str
    title: str
    without: Wanted  # the same gallery without the filter


def chips_of(form: GalleryForm) -> list[Chip]:
    """Return the filters of an address that are chosen and can be taken away."""
    wanted = form.wanted
    chosen = [name for name in FILTERS if _is_chosen(wanted, name)]
    if form.fixed:
        chosen.remove("image_class")
    return [Chip(name, NOUNS[name], title_of(form, name), _without(wanted, name)) for name in chosen]


def in_words(form: GalleryForm) -> str:
    """Return what an address asks for: "lizard, CPPN, at least 99.99 %, surest first"."""
    wanted = form.wanted
    titles = [title_of(form, name) for name in FILTERS if _is_chosen(wanted, name)]
    order = [] if wanted.sort == Wanted().sort and titles else [_small(SORTS[wanted.sort])]
    return ", ".join([*(titles or ["all images"]), *order])


def title_of(form: GalleryForm, name: str) -> str:
    """Return what is chosen of a filter, for people."""
    value = getattr(form.wanted, name)
    if name == "image_class":
        return str(form.fixed or form.found[name])
    if name in ("run", "sweep"):
        return str(form.found[name])
    if name == "classifier":
        return classifier_title(value)
    if name == "band":
        return band_title(value)
    titles: dict[str, dict[str, str]] = {
        "branch": {branch: title for branch, (title, _) in TITLES.items()},
        "encoding": ENCODINGS,
        "method": METHODS,
        "recognised": RECOGNISED,
    }
    if name == "text":
        return f"“{value}”"
    if name == "person":
        return f"by {value}"
    return titles.get(name, {}).get(value, str(value))


def classifier_title(name: str) -> str:
    """Return a classifier's name for people; one that is known no more goes by its own."""
    try:
        return find(name).title
    except UnknownClassifier:
        return name


def band_title(band: int) -> str:
    """Return the confidences of a band: "99 % to 99.9 %"."""
    least = _percent(BANDS[band])
    if band + 1 == len(BANDS):
        return f"at least {least}"
    if band == 0:
        return f"below {_percent(BANDS[1])}"
    return f"{least} to {_percent(BANDS[band + 1])}"


def _percent(confidence: float) -> str:
    return f"{confidence * 100:g}{NO_BREAK}%"


def _is_chosen(wanted: Wanted, name: str) -> bool:
    return getattr(wanted, name) not in (None, "")


def _without(wanted: Wanted, name: str) -> Wanted:
    return replace(wanted, **{name: getattr(Wanted(), name)}, page=1)


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]
