"""The effect of a comparison: it ..."""

import warnings

import numpy as np
import pytest

from fooling_web.studies import effects, mixed
from fooling_web.studies.answers import Answers, Bools, Ints
from fooling_web.studies.design import Task
from tests.studies.arrays import Said, Shown, gathered


def spoken(right: dict[str, list[list[int]]], *, between: bool = False) -> Answers:
    """People (rows) at images (columns) in each condition; between participants or within, at other images."""
    n_images = len(next(iter(right.values()))[0])
    images, said = [], []
    for at, (condition, rows) in enumerate(right.items()):
        first = 0 if between else at * n_images
        images += (
            [] if between and at else [Shown(number=first + one + 1, label="owl") for one in range(n_images)]
        )
        said += [
            Said(
                person=person + 1 + (at * len(rows) if between else 0),
                image=first + image + 1,
                label="owl" if value else "fox",
                condition=condition,
            )
            for person, row in enumerate(rows)
            for image, value in enumerate(row)
        ]
    return gathered(images, said)


def test_difference_and_odds_are_those_of_a_hand_s_count() -> None:
    # cppn: 3 of 4; direct: 1 of 4. Difference 1/2. Odds with half added: (3.5 / 1.5) / (1.5 / 3.5) = 49/9.
    found = effects.bootstrap_effects(spoken({"cppn": [[1, 1], [1, 0]], "direct": [[0, 0], [1, 0]]}))

    (effect,) = found.over_people
    assert effect.name == "cppn − direct"
    assert effect.difference.value == 0.5
    assert effect.odds_ratio.value == pytest.approx(49 / 9)
    assert [(cell.name, cell.hits, cell.n, cell.n_people, cell.n_images) for cell in found.cells] == [
        ("cppn", 3, 4, 2, 2),
        ("direct", 1, 4, 2, 2),
    ]


def test_same_seed_gives_the_same_intervals() -> None:
    rng = np.random.default_rng(0)
    answers = spoken({name: rng.integers(0, 2, (20, 9)).tolist() for name in ("cppn", "direct")})
    assert effects.bootstrap_effects(answers, seed=3) == effects.bootstrap_effects(answers, seed=3)
    assert effects.bootstrap_effects(answers, seed=3) != effects.bootstrap_effects(answers, seed=4)


def test_bootstrap_over_people_is_that_of_scipy() -> None:
    from scipy.stats import bootstrap

    rng = np.random.default_rng(1)
    one, other = (rng.random((30, 20)) < share for share in (0.8, 0.6))
    mine = effects.bootstrap_effects(
        spoken({"cppn": one.astype(int).tolist(), "direct": other.astype(int).tolist()}), replicates=4000
    )

    twin = bootstrap(
        (one.mean(axis=1) - other.mean(axis=1),), np.mean, n_resamples=4000, method="percentile", rng=rng
    ).confidence_interval

    difference = mine.over_people[0].difference
    assert (difference.low, difference.high) == pytest.approx((twin.low, twin.high), abs=0.006)
    both = mine.over_both[0].difference
    assert both.low < difference.low < difference.high < both.high


def test_two_by_two_has_main_effects_and_their_interaction() -> None:
    # Shares: cppn/imagenet 4/4, cppn/mnist 2/4, direct/imagenet 2/4, direct/mnist 1/4. Encoding: (1 + 1/2)/2 less
    # (1/2 + 1/4)/2 = 3/8; data set: (1 + 1/2)/2 less (1/2 + 1/4)/2 = 3/8; interaction: 1/2 - 1/4 = 1/4.
    found = effects.bootstrap_effects(
        spoken(
            {
                "cppn/imagenet": [[1, 1], [1, 1]],
                "cppn/mnist": [[1, 0], [1, 0]],
                "direct/imagenet": [[1, 0], [0, 1]],
                "direct/mnist": [[1, 0], [0, 0]],
            }
        )
    )
    assert [(one.name, one.difference.value) for one in found.over_people] == [
        ("cppn − direct", 3 / 8),
        ("imagenet − mnist", 3 / 8),
        ("(cppn − direct) at imagenet, less the same at mnist", 1 / 4),
    ]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["machine", "you"], ["machine − you"]),
        (["evolved", "natural"], ["natural − evolved"]),
        (["cppn", "direct", "gradient"], ["cppn − direct", "cppn − gradient", "direct − gradient"]),
    ],
)
def test_compares_every_two_conditions(names: list[str], wanted: list[str]) -> None:
    assert [one.name for one in effects.contrasts(names)] == wanted
    assert all(sum(one.weights) == 0 for one in effects.contrasts(names))


def test_says_why_there_is_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="one condition"):
        effects.bootstrap_effects(spoken({"cppn": [[1], [0]]}))
    with pytest.raises(ValueError, match="two participants"):
        effects.mixed_effects(spoken({"cppn": [[1]], "direct": [[0]]}))


def test_compares_yes_where_nothing_is_right() -> None:
    images = [Shown(number=1, label="owl"), Shown(number=2, label="owl", is_natural=True)]
    said = [
        Said(person=person, image=image, label="recognisable", condition=condition, has_key=image == 2)
        for person in (1, 2)
        for image, condition in ((1, "evolved"), (2, "natural"))
    ]
    found = effects.bootstrap_effects(gathered(images, said, task=Task.RECOGNISABLE))
    assert [cell.hits for cell in found.cells] == [2, 2]
    assert effects.measure(Task.RECOGNISABLE) == "share of “recognisable”"


def drawn(
    n_people: int, n_images: int, rng: np.random.Generator, *, between: bool, effect: float = 0.6
) -> tuple[Bools, Ints, Ints, Ints]:
    """Answers under the model itself: logits 0.3, an effect in condition 1, people spread by 0.7, images by 0.8."""
    person, image = np.repeat(np.arange(n_people), n_images), np.tile(np.arange(n_images), n_people)
    condition = (person if between else image) % 2
    logits = 0.3 + effect * condition
    logits = logits + rng.normal(0, 0.7, n_people)[person] + rng.normal(0, 0.8, n_images)[image]
    return rng.random(len(logits)) < mixed.sigmoid(logits), condition, person, image


@pytest.mark.parametrize("between", [True, False], ids=["between people", "within people"])
def test_mixed_model_s_interval_covers_the_truth_about_as_often_as_it_says(between: bool) -> None:
    held, values = 0, []
    for seed in range(150):
        found = mixed.fit(*drawn(30, 24, np.random.default_rng(seed), between=between))
        value, deviation = found.contrast(np.array([-1.0, 1.0]))
        held += abs(value - 0.6) < effects.SURE * deviation
        values.append(value)
    assert 0.89 <= held / 150 <= 0.99
    assert np.mean(values) == pytest.approx(0.6, abs=0.08)


def test_bootstrap_s_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Between people, at the same images: the true difference is that of the two groups' mean probabilities.
    rng, held = np.random.default_rng(0), 0
    image = rng.normal(0, 0.8, 20)
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    truth = [
        float(np.mean(mixed.sigmoid(mean + image[:, None] + 0.7 * nodes) @ weights / weights.sum()))
        for mean in (0.9, 0.3)
    ]
    for seed in range(150):
        people = rng.normal(0, 0.7, (2, 30, 1)) + np.array([0.9, 0.3])[:, None, None] + image
        right = (rng.random(people.shape) < mixed.sigmoid(people)).astype(int).tolist()
        answers = spoken({"machine": right[0], "you": right[1]}, between=True)
        difference = effects.bootstrap_effects(answers, seed=seed, replicates=400).over_people[0].difference
        held += difference.low <= truth[0] - truth[1] <= difference.high
    assert 0.88 <= held / 150 <= 0.99


def test_mixed_model_finds_what_statsmodels_finds() -> None:
    from scipy.sparse import csr_matrix, hstack
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    hits, condition, person, image = drawn(40, 30, np.random.default_rng(4), between=False)
    rows = np.arange(len(hits))
    spread = hstack([csr_matrix((np.ones(len(hits)), (rows, of))) for of in (person, image)]).tocsr()
    fixed = np.eye(2)[condition]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twin = BinomialBayesMixedGLM(
            hits.astype(float), fixed, spread, np.repeat([0, 1], [40, 30]), vcp_p=1, fe_p=mixed.PRIOR_SD
        ).fit_vb()

    found = mixed.fit(hits, condition, person, image)

    assert found.has_converged
    assert found.conditions == pytest.approx(twin.fe_mean, abs=0.06)
    assert (found.participant_sd, found.image_sd) == pytest.approx(np.exp(twin.vcp_mean), abs=0.08)
    assert (np.sqrt(np.diag(found.covariance)) > twin.fe_sd).all()  # whose intervals are too narrow


def test_mixed_model_s_curvature_is_that_of_slow_differences() -> None:
    rng = np.random.default_rng(2)
    hits, condition, person, image = drawn(4, 3, rng, between=False)
    places, spread = np.stack([condition, person + 2, image + 6]), np.full(9, 0.5)
    at = rng.normal(size=9)

    def gradient(effects_at: np.ndarray) -> np.ndarray:
        expected = mixed.sigmoid(effects_at[places].sum(axis=0))
        return mixed._summed(places, hits - expected, 9) - effects_at / spread**2

    expected = mixed.sigmoid(at[places].sum(axis=0))
    slow = [(gradient(at + 1e-5 * unit) - gradient(at - 1e-5 * unit)) / 2e-5 for unit in np.eye(9)]
    assert mixed._curvature(places, expected * (1 - expected), spread) == pytest.approx(
        -np.array(slow), abs=1e-6
    )


def test_mixed_model_lives_with_answers_that_are_all_right() -> None:
    answers = spoken({"cppn": [[1, 1]] * 4, "direct": [[1, 0]] * 4})
    found = effects.mixed_effects(answers)
    assert found.effects[0].odds_ratio.value > 1
    assert np.isfinite(found.effects[0].odds_ratio.high)
