"""The app of breeding: people evolve pictures, and networks look on."""

from django.apps import AppConfig


class BreedingConfig(AppConfig):
    """Breeding pictures by hand, publishing them, and branching from each other."""

    name = "fooling_web.breeding"

    def ready(self) -> None:
        """Hear of runs that rest, and of published pictures that go."""
        from fooling_web.breeding import offering, publishing  # noqa: F401 - they register themselves
