"""Evolutionary runs and what they hold."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Launching, executing, storing and watching runs."""

    name = "fooling_web.runs"
