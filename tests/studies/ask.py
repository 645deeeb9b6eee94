"""`python -m tests.studies.ask '{"count": 6, ...}'`: store an open study in a home, and say where it stands."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")


def main() -> None:
    """Store the study that the first argument describes."""
    django.setup()
    from tests.studies.asked import asked

    study = asked(None, **json.loads(sys.argv[1]))
    print(json.dumps({"id": str(study.pk), "code": study.code, "take": study.take_url}))


if __name__ == "__main__":
    main()
