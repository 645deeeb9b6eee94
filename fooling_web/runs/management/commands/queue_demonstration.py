"""Queue a first run, so that a new site has something to show."""

from typing import Any

from django.core.management.base import BaseCommand

from fooling_web.runs.launching import launch
from fooling_web.runs.models import Run


class Command(BaseCommand):
    """Queue the demonstration run on a site that has none yet; a worker finds it as soon as it is up."""

    help = __doc__ or ""

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Queue and say so, or say nothing."""
        if Run.objects.exists():
            return
        run = launch(
            classifier="mnist-lenet", encoding="cppn", seed=2015, name="Demonstration: LeNet and the CPPNs"
        )
        self.stdout.write(f"Queued: {run.name}")
