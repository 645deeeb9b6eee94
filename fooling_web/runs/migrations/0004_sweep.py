import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("runs", "0003_origin"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="status",
            field=models.CharField(choices=[("pending", "Waiting its turn"), ("queued", "Queued"), ("running", "Running"), ("paused", "Paused"), ("finished", "Finished"), ("cancelled", "Cancelled"), ("failed", "Failed")], default="queued", max_length=9),
        ),
        migrations.CreateModel(
            name="Sweep",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("visibility", models.CharField(choices=[("private", "Private: only you"), ("unlisted", "Unlisted: whoever has the address"), ("public", "Public: everybody")], default="public", max_length=8)),
                ("preset", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("owner", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="sweeps", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddField(
            model_name="run",
            name="sweep",
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="runs.sweep"),
        ),
    ]
