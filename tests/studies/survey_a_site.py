"""Lay a study with answers into a site, beside it: `python -m tests.studies.survey_a_site IMAGES PEOPLE`.

Its results can be read by everybody. It writes the study's address; for each line that comes in then, one more person
has answered, and whoever watches is told.
"""

import os
import sys


def main(n_images: int, n_people: int) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fooling_web.settings")
    django.setup()
    from fooling_web.studies.events import announce
    from fooling_web.studies.models import Study
    from tests.studies.surveyed import planned, surveyed

    study = planned(None, n_images, comparison="encoding", preset="P1")
    for image in study.images.all():
        confidence = 1 - 10 ** -(0.5 + 4 * image.number / n_images)
        study.images.filter(pk=image.pk).update(confidence=confidence)
    Study.objects.filter(pk=study.pk).update(results="public", status="open")
    surveyed(study, n_people, n_trials=min(n_images, 40))
    print(f"/studies/{study.pk}/results/", flush=True)
    for seed, _ in enumerate(sys.stdin, start=1):
        surveyed(study, 1, seed=seed, n_trials=min(n_images, 40))
        announce(study.pk)
        print("one more", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
