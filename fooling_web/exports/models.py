"""Which files of the newcomers' gallery this site has taken in, so that a run that was deleted stays away."""

from django.db import models


class GalleryFile(models.Model):
    """A file of the gallery that was imported once."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["imported_at"]

    def __str__(self) -> str:
        return self.name
