import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("runs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                ("run", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="search_states", to="runs.run")),
            ],
            options={
                "ordering": ["part"],
                "constraints": [models.UniqueConstraint(fields=("run", "part"), name="part_of_search_state")],
            },
        ),
        migrations.CreateModel(
            name="Climb",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("class_index", models.PositiveIntegerField()),
                ("start", models.PositiveIntegerField(help_text="which of the class's images, from 0")),
                ("step_top", models.PositiveIntegerField(help_text="at which the class was the likeliest of all", null=True)),
                ("step_99", models.PositiveIntegerField(help_text="at which its confidence passed 99 %", null=True)),
                ("step_999", models.PositiveIntegerField(help_text="at which its confidence passed 99.9 %", null=True)),
                ("step_9999", models.PositiveIntegerField(help_text="at which its confidence passed 99.99 %", null=True)),
                ("run", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="climbs", to="runs.run")),
            ],
            options={
                "ordering": ["class_index", "start"],
                "constraints": [models.UniqueConstraint(fields=("run", "class_index", "start"), name="climb_of_class_and_start")],
            },
        ),
    ]
