"""Pages that belong to no app: the entrance and the explanation."""

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from fooling_web.galleries.models import Tally
from fooling_web.runs.atlas import COLUMNS, PER_ATLAS, milestone_of
from fooling_web.runs.models import GenerationStat, Run, RunQuerySet
from fooling_web.runs.watching import with_cells
from models_zoo.registry import all_entries

DIGITS = 10  # classes, at most, of a run whose champions hang one by one
MANY = PER_ATLAS  # classes, at least, of a run that hangs as a mosaic
LARGEST = 30  # runs, among which each classifier's is looked for
MOSAICS = 2


@dataclass(frozen=True)
class Mosaic:
    """All champions of a run as a few large pictures."""

    run: Run
    sure: int  # classes at 99 % or more

    @property
    def atlases(self) -> list[tuple[str, int, int]]:
        """The address of each picture, the first class in it, and its rows."""
        generation, n_classes = milestone_of(self.run), self.run.n_classes
        return [
            (
                reverse("runs:atlas", args=[self.run.pk, generation, number]),
                number * PER_ATLAS,
                -(-min(PER_ATLAS, n_classes - number * PER_ATLAS) // COLUMNS),
            )
            for number in range(-(-n_classes // PER_ATLAS))
        ]


def home(request: HttpRequest) -> HttpResponse:
    """Show a wall of a thousand classes for each of two classifiers, the best run on digits, and the latest runs."""
    public = Run.objects.public().searches()
    featured = _featured(public)
    mosaics = _mosaics(public)
    context = {
        "mosaics": mosaics,
        "labels": mosaics[0].run.classifier_entry.labels if mosaics else (),
        "featured": featured,
        "featured_champions": list(featured.champions.without_genomes()[:DIGITS]) if featured else [],
        "runs": with_cells(public)[:6],
        "n_images": Tally.objects.aggregate(n=Sum("entries"))["n"] or 0,
    }
    return render(request, "home.html", context)


def about(request: HttpRequest) -> HttpResponse:
    """Explain what was done, how, and what was not measured."""
    return render(request, "about.html")


def _featured(public: RunQuerySet) -> Run | None:
    """Return the best finished run whose classes are few enough to hang one by one."""
    few = [entry.name for entry in all_entries() if entry.n_classes <= DIGITS]
    finished = public.filter(classifier__in=few, status=Run.Status.FINISHED)
    return finished.order_by("-median_confidence", "-finished_at").first()


def _mosaics(public: RunQuerySet) -> list[Mosaic]:
    """Return the site's own longest run with networks against each of a few classifiers of many classes."""
    many = [entry.name for entry in all_entries() if entry.n_classes >= MANY]
    shares = GenerationStat.objects.filter(run=OuterRef("pk"), generation=OuterRef("generation"))
    runs = (
        public.filter(classifier__in=many, encoding="cppn", generation__isnull=False, owner=None)
        .annotate(share_99=Subquery(shares.values("share_99")[:1]))
        .defer("random_state")
        .order_by("-evaluations")[:LARGEST]
    )
    longest: dict[str, Run] = {}
    for run in runs:
        longest.setdefault(run.classifier, run)
    chosen = list(longest.values())[:MOSAICS]
    return [Mosaic(run, round((run.share_99 or 0) * run.n_classes)) for run in chosen]  # type: ignore[attr-defined]
