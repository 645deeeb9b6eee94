"""`python -m tests.studies.ask`: store studies in a home, and say what they hold, a line of JSON for each asked for.

`{"ask": {"count": 6, ...}}` stores an open study and says where it stands; `{"stored": "<id>"}` tells its answers.
"""

import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
ANSWER = (
    *("number", "role", "options", "response__answer", "response__rt_ms", "response__by"),
    *("response__shown_ms", "response__name", "response__sureness", "response__n_blurs", "response__width"),
)


def main() -> None:
    """Answer line by line until there are no more."""
    django.setup()
    for line in sys.stdin:
        wanted = json.loads(line)
        answer = opened(wanted["ask"]) if "ask" in wanted else stored(wanted["stored"])
        print(json.dumps(answer), flush=True)


def opened(choices: dict[str, Any]) -> dict[str, str]:
    """Store an open study; return where it stands."""
    from tests.studies.asked import asked

    study = asked(None, **choices)
    return {"id": str(study.pk), "code": study.code, "take": study.take_url}


def stored(study: str) -> list[dict[str, Any]]:
    """Return what a study holds of each participant."""
    from fooling_web.studies.models import Participant

    return [
        {
            "n_trials": one.n_trials,
            "complete": one.is_complete,
            "reloads": one.n_reloads,
            "browser": one.browser,
            "answers": list(one.trials.filter(response__isnull=False).values(*ANSWER)),
        }
        for one in Participant.objects.filter(study=study)
    ]


if __name__ == "__main__":
    main()
