"""Cite a run, or one image of it, in a paper: BibTeX, and the same as plain text.

A run that came from elsewhere is cited without an author: whoever imported it need not have launched it. The hash of
the archive is that of its champions as they stand, so whoever has the archive file can tell that it is the one cited.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from evolution.archive_file import archive_sha256
from evolution.parameters import METHODS
from fooling_web.runs.models import Individual, Run

SITE = "Foolbreeder"
SHORT = 16  # signs of a hash
NO_METHOD = ("gradient",)  # encodings that no method of evolution searches
ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # BibTeX counts braces, escaped ones too
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{sign: f"\\{sign}" for sign in "$&#%_"},
}
Absolute = Callable[[str], str]  # from a path to a whole address


@dataclass(frozen=True, kw_only=True)
class Citation:
    """What is cited."""

    key: str
    title: str
    author: str
    year: int
    address: str
    note: str

    @property
    def bibtex(self) -> str:
        """The entry of a bibliography, with what LaTeX would take for commands escaped."""
        fields = {
            "author": f"{{{escaped(self.author)}}}",  # braces keep a name whole and a title's letters as they are
            "title": f"{{{escaped(self.title)}}}",
            "year": str(self.year),
            "howpublished": SITE,
            "url": _escaped_address(self.address),
            "note": escaped(self.note),
        }
        lines = [f"  {name:<12} = {{{value}}}" for name, value in fields.items()]
        return f"@misc{{{self.key},\n" + ",\n".join(lines) + "\n}\n"

    @property
    def plain(self) -> str:
        """The same in one line."""
        title = _one_line(self.title)
        return (
            f"{_one_line(self.author)} ({self.year}). {title}. {SITE}. {self.address} {_one_line(self.note)}."
        )


def citation_of_run(run: Run, absolute: Absolute, *, with_archive: bool = True) -> Citation:
    """Return how a run is cited; to hash its archive all of its champions are read."""
    return Citation(
        key=_key(run),
        title=run.name or f"{run.encoding_title} images against {run.classifier_title}",
        author=_launched_by(run),
        year=_began(run).year,
        address=absolute(run.get_absolute_url()),
        note="; ".join([*_facts(run), *(_archive(run) if with_archive else [])]),
    )


def citation_of_image(individual: Individual, title: str, address: str) -> Citation:
    """Return how an image is cited that goes by a title; who bred it stands as its author."""
    run = individual.run
    born = [f"image {individual.number:,} of the run “{run.name}”", f"generation {individual.generation:,}"]
    if run.kind == Run.Kind.BREEDING:
        born = ["bred by hand"]
    if run.are_pictures:
        born = [f"picture {individual.number:,} of “{run.name}”"]
    genome = f"genome SHA-256 {individual.genome_hash[:SHORT]}"
    return Citation(
        key=f"{_key(run)}-{individual.number}",
        title=title,
        author=_bred_by(individual) or _launched_by(run),
        year=_began(run).year,
        address=address,
        note="; ".join([*born, *_facts(run), genome]),
    )


def bibliography(runs: list[Run], absolute: Absolute) -> str:
    """Return the entries of several runs, without their archives' hashes."""
    return "\n".join(citation_of_run(run, absolute, with_archive=False).bibtex for run in runs)


def escaped(text: str) -> str:
    """Return a text as LaTeX prints it: one line, with no commands, and balanced braces."""
    return "".join(ESCAPES.get(sign, sign) for sign in _one_line(text))


def _one_line(text: str) -> str:
    printed = "".join(" " if unicodedata.category(sign).startswith("C") else sign for sign in text)
    return re.sub(r"\s+", " ", printed).strip()


def _escaped_address(address: str) -> str:
    """Return an address that is typed as it stands; what would end the field is encoded."""
    encoded = {"{": "%7B", "}": "%7D", "\\": "%5C", " ": "%20"}
    return "".join(encoded.get(sign, sign) for sign in address)


def _key(run: Run) -> str:
    return f"foolbreeder-{str(run.pk)[:8]}"


def _launched_by(run: Run) -> str:
    return run.owner.get_username() if run.owner and not run.origin else SITE


def _bred_by(individual: Individual) -> str:
    """Return who bred an image that came into its run from outside; empty for others, or where nobody knows."""
    offer = getattr(individual, "offer", None) if individual.run.guests else None
    author = offer.publication.author if offer else None
    return author.get_username() if author else ""


def _began(run: Run) -> datetime:
    created = (run.origin or {}).get("created")
    try:
        return datetime.fromisoformat(created) if created else run.created_at
    except ValueError:
        return run.created_at


def _facts(run: Run) -> list[str]:
    """Return what determined a run."""
    how = run.encoding_title
    method = run.parameters.get("method", "map-elites")
    if run.kind == Run.Kind.SEARCH and run.encoding not in NO_METHOD:
        how = f"{METHODS.get(method, method)}, {how}"
    facts = [how, f"classifier {run.classifier_title} ({run.classifier})"]
    if run.kind == Run.Kind.SEARCH:
        facts.append(f"seed {run.seed}")
    if run.are_pictures:
        facts = [
            f"pictures from elsewhere, confidences {'claimed' if run.is_claimed else 'measured'}",
            facts[-1],
        ]
    elif run.origin:
        facts.append("computed elsewhere and imported")
    return facts


def _archive(run: Run) -> list[str]:
    """Return which archive it is; nothing where it is not begun, or its classes are not known here."""
    if run.generation is None:
        return []
    generation = [] if run.are_pictures else [f"generation {run.generation:,}"]
    if not run.n_classes:
        return generation
    held = run.champions.values_list("class_index", "individual__genome_hash", "confidence")
    digest = archive_sha256(run.n_classes, {index: (hash_, confidence) for index, hash_, confidence in held})
    return [*generation, f"archive SHA-256 {digest[:SHORT]}"]
