"""The classifiers: what is known of each, trying one on pictures, and taking in one's own."""

from django.apps import AppConfig


class ClassifiersConfig(AppConfig):
    """Pages about classifiers."""

    name = "fooling_web.classifiers"
