"""The app of breeding: people evolve pictures, and networks look on."""

from django.apps import AppConfig


class BreedingConfig(AppConfig):
    """Breeding pictures by hand, publishing them, and branching from each other."""

    name = "fooling_web.breeding"

    def ready(self) -> None:
        """Hear of runs that rest."""
        from fooling_web.breeding import offering  # noqa: F401 - it registers itself
