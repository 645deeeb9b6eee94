"""The app of galleries: what people look at, keep and say."""

from django.apps import AppConfig


class GalleriesConfig(AppConfig):
    """Browsing every champion that is public, image by image and class by class."""

    name = "fooling_web.galleries"
