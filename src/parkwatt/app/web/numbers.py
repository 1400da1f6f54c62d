"""Numbers, money and times as a reader of the page's language writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAYS: Final = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}
_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
_TOMORROW: Final = {"en": "tomorrow", "de": "morgen"}
_SIGNS: Final = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_CENTS: Final = {"EUR": "ct", "GBP": "p", "USD": "¢"}
_BEFORE: Final = {"$", "£", "¥"}
NOTHING: Final = "–"
_WEEK: Final = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How one reader wants them. ``language``: of the page; ``zone``: of the site; ``currency``: of its tariff, as EUR."""

    language: str
    zone: ZoneInfo
    currency: str = "EUR"

    def number(self, value: float | None, digits: int = 1) -> str:
        """3.5, in German 3,5; unknown is a dash, and what rounds to nothing has no sign."""
        if value is None:
            return NOTHING
        rounded = round(float(value), digits) + 0.0
        shown = f"{rounded:,.{digits}f}".replace("-", "−")
        if self.language == "de":
            shown = shown.translate(str.maketrans(",.", ".,"))
        return shown

    def money(self, value: float | str | None, digits: int = 2) -> str:
        """4.10 €, £4.10, 4,10 €."""
        if value is None:
            return NOTHING
        amount, sign = float(value), _SIGNS.get(self.currency, self.currency)
        shown = self.number(abs(amount), digits)
        minus = "−" if round(amount, digits) < 0 else ""
        if sign in _BEFORE and self.language == "en":
            return f"{minus}{sign}{shown}"
        return f"{minus}{shown}\N{NO-BREAK SPACE}{sign}"

    def price(self, per_kwh: float | None, digits: int = 0) -> str:
        """A price for a kWh in hundredths: 41 ct."""
        if per_kwh is None:
            return NOTHING
        cents = _CENTS.get(self.currency)
        if cents is None:
            return f"{self.number(per_kwh, 2)}\N{NO-BREAK SPACE}{self.currency}"
        return f"{self.number(per_kwh * 100, digits)}\N{NO-BREAK SPACE}{cents}"

    @property
    def price_unit(self) -> str:
        """The unit of `price` for an axis: ct/kWh."""
        return f"{_CENTS.get(self.currency, self.currency)}/kWh"

    def per_cent(self, share: float | None) -> str:
        """64 of 0.64, without the sign."""
        return NOTHING if share is None else self.number(share * 100, 0)

    def local(self, told: str | datetime) -> datetime:
        """A time of the API by the site's clock."""
        at = datetime.fromisoformat(told) if isinstance(told, str) else told
        return at.astimezone(self.zone)

    def clock(self, told: str | datetime | None, now: str | datetime) -> str:
        """A time as one says it: 22:40, tomorrow 07:30, Fri 07:30, 2026-11-22 07:30."""
        if told is None:
            return NOTHING
        at, today = self.local(told), self.local(now)
        days = (at.date() - today.date()).days
        if days == 0:
            return f"{at:%H:%M}"
        if days == 1:
            return f"{_TOMORROW[self.language]} {at:%H:%M}"
        if abs(at - today) < _WEEK:
            return f"{self.day(at)} {at:%H:%M}"
        return f"{at:%Y-%m-%d %H:%M}"

    def weekday(self, index: int) -> str:
        """The short name of a day; 0 is Monday."""
        return _DAYS[self.language][index]

    def day(self, at: datetime) -> str:
        """The short name of a local time's day: Fri."""
        return _DAYS[self.language][at.weekday()]

    def date(self, at: datetime) -> str:
        """A local time's date: 23 Nov 2026, 23.11.2026."""
        if self.language == "de":
            return f"{at:%d.%m.%Y}"
        return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
