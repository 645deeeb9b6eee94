"""Call the method of runs that climb a gradient by its name: they hung as MAP-Elites."""

from typing import Any

from django.db import migrations


def name_ascents(apps: Any, schema_editor: Any) -> None:
    """Rename their approaches; entries and sums belong to these by key and need no change."""
    approaches = apps.get_model("galleries", "Approach").objects
    approaches.filter(encoding="gradient", method="map-elites").update(method="gradient-ascent")


def name_them_as_before(apps: Any, schema_editor: Any) -> None:
    """Undo it."""
    approaches = apps.get_model("galleries", "Approach").objects
    approaches.filter(encoding="gradient", method="gradient-ascent").update(method="map-elites")


class Migration(migrations.Migration):
    dependencies = [("galleries", "0002_count_by_run")]

    operations = [migrations.RunPython(name_ascents, name_them_as_before)]
