"""Public holidays of a country or a part of it, from the `holidays` package."""

from __future__ import annotations

import warnings
from datetime import date

# Series reach back to 1990 at most, and plans not past 2060.
YEARS = range(1990, 2061)


def public_holidays(code: str) -> list[date] | None:
    """The holidays of ``code``, a country (NL) or a part of one (US-CA, DE-BY), in `YEARS`; None
    where unknown.

    Some calendars cover fewer years; outside of them there are no holidays.
    """
    import holidays  # 0.1 s that a tariff without holidays need not wait

    country, _, part = code.partition("-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = holidays.country_holidays(country, subdiv=part or None, years=YEARS)
        except NotImplementedError:
            return None
    return list(found)
