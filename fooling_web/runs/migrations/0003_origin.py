from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("runs", "0002_search_state_climb"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="origin",
            field=models.JSONField(
                blank=True, help_text="of a run computed elsewhere: its archive file", null=True
            ),
        ),
    ]
