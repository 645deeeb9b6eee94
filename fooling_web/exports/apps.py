"""Archive files out of the site and into it."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    """Exporting, importing, and the gallery that newcomers find."""

    name = "fooling_web.exports"
