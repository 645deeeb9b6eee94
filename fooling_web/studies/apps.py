"""The app of studies: people are asked what they see."""

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    """Human-versus-DNN labelling sessions, their results, classes that take part together, and play."""

    name = "fooling_web.studies"
