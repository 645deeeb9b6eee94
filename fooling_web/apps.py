"""Django's administration, on a desk of this site's own."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """The administration, arranged by work."""

    default_site = "fooling_web.administration.Desk"
