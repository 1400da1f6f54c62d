"""Hours of light as people say them."""

from __future__ import annotations

from typing import Final

from parkwatt.app.web.page import Page

# Hours beyond are told in days.
_DAYS_FROM_H: Final = 96.0
_HOURS_A_DAY: Final = 24.0
_TENTHS_BELOW: Final = 9.95
# A difference below is none.
LEAST_H: Final = 0.1


def told(page: Page, hours: float) -> tuple[str, str]:
    """Hours as people say them, and their unit: tenths below ten, days from four on."""
    if hours >= _DAYS_FROM_H:
        return page.numbers.number(hours / _HOURS_A_DAY, 0), page.t("backup.days")
    digits = 1 if hours < _TENTHS_BELOW else 0
    return page.numbers.number(hours, digits), page.t("backup.hours")


def words(page: Page, hours: float, *, at_least: bool = False) -> str:
    """Such as "6.2 h", or "more than 4 days"."""
    number, unit = told(page, hours)
    short = page.t("backup.h") if unit == page.t("backup.hours") else unit
    said = f"{number}\N{NO-BREAK SPACE}{short}"
    return page.t("backup.more_than", hours=said) if at_least else said
