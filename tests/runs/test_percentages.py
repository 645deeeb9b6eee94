"""How confidences and shares are written."""

import pytest

from fooling_web.runs.percentages import confidence, finely, percent, share


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (0, "0.00 %"),
        (1e-30, "< 0.01 %"),
        (0.00009, "< 0.01 %"),
        (0.0001, "0.01 %"),
        (0.29, "29.00 %"),
        (0.123456, "12.34 %"),
        (0.9999, "99.99 %"),
        (0.99996, "99.99 %"),
        (1, "99.99 %"),
    ],
)
def test_cuts_and_never_rounds_up(value: float | None, written: str) -> None:
    assert percent(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "–"), (0.5, "50.00 %"), (0.9999, "99.99 %"), (0.99990001, "> 99.99 %"), (1, "> 99.99 %")],
)
def test_says_when_a_confidence_is_above_what_is_written(value: float | None, written: str) -> None:
    assert confidence(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (0, "0.0000 %"),
        (9e-7, "< 0.0001 %"),
        (0.000001, "0.0001 %"),
        (0.29, "29.0000 %"),
        (0.9999987, "99.9998 %"),
        (0.999999, "99.9999 %"),
        (0.9999991, "> 99.9999 %"),
        (1, "> 99.9999 %"),
    ],
)
def test_writes_two_more_digits_where_they_tell(value: float | None, written: str) -> None:
    assert finely(value) == written


@pytest.mark.parametrize("decimals", [2, 4])
def test_writes_every_hundredth_as_it_is(decimals: int) -> None:
    written = [percent(hundredth / 10_000, decimals) for hundredth in range(10_000)]

    assert written == [f"{hundredth / 100:.{decimals}f} %" for hundredth in range(10_000)]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0 %"),
        (1 / 15_394, "< 0.1 %"),
        (0.001, "0.1 %"),
        (8260 / 15_394, "53.7 %"),
        (0.5, "50 %"),
        (0.999, "99.9 %"),
        (15_393 / 15_394, "> 99.9 %"),
        (1, "100 %"),
    ],
)
def test_rounds_a_share_but_never_to_all_or_none(value: float, written: str) -> None:
    assert share(value).replace("\N{NO-BREAK SPACE}", " ") == written
