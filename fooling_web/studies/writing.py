"""How numbers of studies are written for people: a dash stands for what there is not."""

NONE = "\N{EN DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"


def percent(share: float | None) -> str:
    """Write a share as a percentage with one decimal, cut where it would round up to 100."""
    if share is None or share != share:
        return NONE
    if 0.9995 <= share < 1:
        return f"> 99.9{NO_BREAK}%"
    return f"{share * 100:.1f}{NO_BREAK}%"


def decimal(value: float | None, decimals: int = 2) -> str:
    """Write a number with so many decimals and a true minus."""
    if value is None or value != value:
        return NONE
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def points(share: float | None) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    if share is None or share != share:
        return NONE
    return f"{share * 100:+.1f}".replace("-", "\N{MINUS SIGN}")


def milliseconds(time: float | None) -> str:
    """Write a time in whole milliseconds."""
    if time is None or time != time:
        return NONE
    return f"{time:,.0f}{NO_BREAK}ms"
