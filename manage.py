#!/usr/bin/env python
"""Run Django's commands and ours: `manage.py help` lists them."""

import os
import sys

DATABASE_REMEDY = "DATABASE_URL or FOOLING_HOME says where it is, and `manage.py migrate` makes its tables"


def main() -> None:
    """Hand the command line to Django; what the surroundings lack is said in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
    try:
        _obey()
    except ModuleNotFoundError as error:
        _give_up(error, f"{error}; run `make setup`, then .venv/bin/python manage.py ...")
    except OSError as error:
        _give_up(error, str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _obey() -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db.utils import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        _give_up(error, str(error))
    except DatabaseError as error:
        _give_up(error, f"the database cannot be used: {error}; {DATABASE_REMEDY}")


def _give_up(error: Exception, line: str) -> None:
    if "--traceback" in sys.argv:
        raise error
    sys.exit(f"Error: {' '.join(line.split())}")


if __name__ == "__main__":
    main()
