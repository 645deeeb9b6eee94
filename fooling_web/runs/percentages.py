"""How confidences and shares are written: as percentages that never claim more than was measured.

Pages and commands write them alike, so this module knows neither.
"""

import math

FINE = 4  # decimals that still tell champions apart when all are above 99.99 %


def percent(confidence: float | None, decimals: int = 2) -> str:
    """Write a confidence as a percentage, cut and never rounded up: 0.99996 is "99.99 %", 0.00004 "< 0.01 %"."""
    if confidence is None:
        return "–"
    whole = _whole(decimals)
    cut = math.floor(round(confidence * whole, 6))  # 0.29 * 10_000 falls short of 2900 without the round
    if cut == 0 and confidence > 0:
        return f"< {1 / 10**decimals:.{decimals}f} %"
    return f"{min(cut, whole - 1) / 10**decimals:.{decimals}f} %"


def confidence(value: float | None, decimals: int = 2) -> str:
    """Write a confidence as a caption does: as `percent`, and "> 99.99 %" above that."""
    whole = _whole(decimals)
    is_above = value is not None and value > (whole - 1) / whole
    return f"> {percent(value, decimals)}" if is_above else percent(value, decimals)


def finely(value: float | None) -> str:
    """Write a confidence with two more digits: 0.9999987 is "99.9998 %", and above that "> 99.9999 %"."""
    return confidence(value, FINE)


def share(value: float) -> str:
    """Write a share to a tenth of a percent, as near as can be; only none is "0 %" and only all are "100 %"."""
    thousandths = math.floor(value * 1000 + 0.5)
    if value > 0 and thousandths == 0:
        return "<\N{NO-BREAK SPACE}0.1\N{NO-BREAK SPACE}%"
    if value < 1 and thousandths == 1000:
        return ">\N{NO-BREAK SPACE}99.9\N{NO-BREAK SPACE}%"
    return f"{thousandths / 10:g}\N{NO-BREAK SPACE}%"


def _whole(decimals: int) -> int:
    """Return how many of the last digit make up 100 %."""
    whole: int = 100 * 10**decimals
    return whole
