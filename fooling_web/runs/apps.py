"""Evolutionary runs and what they hold."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Launching, executing, storing and watching runs."""

    name = "fooling_web.runs"

    def ready(self) -> None:
        """Connect the doorbell to the signals that it listens to."""
        from fooling_web.runs import events  # noqa: F401
