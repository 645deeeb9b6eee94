"""Agreement among raters: it ..."""

import numpy as np
import pytest

from fooling_web.studies import agreement
from tests.studies.arrays import Said, Shown, gathered, judged

# Fleiss (1971) as worked out in textbooks: ten subjects, fourteen raters, five categories; kappa is 0.210.
TEXTBOOK = np.array(
    [
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ]
)


def test_fleiss_kappa_is_the_textbook_s() -> None:
    assert agreement.fleiss_kappa(TEXTBOOK) == pytest.approx(0.210, abs=0.0005)


def test_fleiss_kappa_is_that_of_statsmodels() -> None:
    from statsmodels.stats.inter_rater import fleiss_kappa

    rng = np.random.default_rng(3)
    counts = rng.multinomial(9, [0.6, 0.3, 0.1], size=25)
    assert agreement.fleiss_kappa(counts) == pytest.approx(fleiss_kappa(counts))


def test_krippendorff_alpha_is_the_published_example_with_missing_ratings() -> None:
    # Krippendorff (2011), four observers and twelve units, nominal: alpha is 0.743. The unit that one observer alone
    # rated does not count.
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    images = [Shown(number=at + 1, label="1") for at in range(12)]
    said = [
        Said(person=person + 1, image=at + 1, label=str(value))
        for person, row in enumerate(observers)
        for at, value in enumerate(row)
        if value is not None
    ]

    found = agreement.agreement_of(gathered(images, said))

    assert found.krippendorff == pytest.approx(0.743, abs=0.0005)
    assert (found.n_images, found.n_raters, found.n_ratings) == (11, 4, 40)
    assert (found.least_raters, found.most_raters) == (2, 4)


def test_goes_by_label_and_not_by_place() -> None:
    images = [Shown(number=1, label="owl"), Shown(number=2, label="fox")]
    same = [
        Said(person=person, image=image, label=label, place=(person + image) % 2)
        for person in (1, 2, 3)
        for image, label in ((1, "owl"), (2, "fox"))
    ]

    found = agreement.agreement_of(gathered(images, same))

    assert found.fleiss == pytest.approx(1)
    assert found.krippendorff == pytest.approx(1)


def test_is_near_nothing_where_everybody_guesses() -> None:
    right = np.random.default_rng(5).integers(0, 2, size=(40, 60)).tolist()
    found = agreement.agreement_of(judged(right))
    assert found.fleiss == pytest.approx(0, abs=0.02)
    assert found.krippendorff == pytest.approx(0, abs=0.02)


def test_is_not_defined_for_one_label_or_one_rater() -> None:
    assert agreement.agreement_of(judged([[1, 1], [1, 1]])).fleiss is None
    assert agreement.agreement_of(judged([[1, 1], [1, 1]])).krippendorff is None
    alone = agreement.agreement_of(judged([[1, 0]]))
    assert (alone.fleiss, alone.krippendorff, alone.n_images) == (None, None, 0)
