"""Pages that belong to no app: the entrance and the explanation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fooling_web.runs.models import Run
from fooling_web.runs.watching import with_cells


def home(request: HttpRequest) -> HttpResponse:
    """Show the best finished run and the latest ones."""
    public = Run.objects.public()
    featured = (
        public.filter(status=Run.Status.FINISHED).order_by("-median_confidence", "-finished_at").first()
    )
    champions = list(featured.champions.without_genomes()[:20]) if featured else []
    return render(
        request,
        "home.html",
        {"featured": featured, "featured_champions": champions, "runs": with_cells(public)[:6]},
    )


def about(request: HttpRequest) -> HttpResponse:
    """Explain what was done, how, and what was not measured."""
    return render(request, "about.html")
