"""Numbers as a driver reads them: prices in cents, energy in kWh and per cent, times on the local clock."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from parkwatt.domain.problem import Problem, Storage

# The hundredth part of a currency where people quote power prices in it, by ISO 4217 code.
_MINOR_UNITS = {
    "EUR": "ct",
    "USD": "ct",
    "CAD": "ct",
    "AUD": "ct",
    "NZD": "ct",
    "GBP": "p",
    "SEK": "öre",
    "NOK": "øre",
    "DKK": "øre",
    "CHF": "Rp",
}

# In English whatever the machine's locale, as all words here.
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Words:
    """Formats the numbers of one problem."""

    def __init__(self, problem: Problem) -> None:
        self._currency = problem.currency
        self._minor = _MINOR_UNITS.get(problem.currency)
        self._zone = ZoneInfo(problem.time_zone)
        self._start = problem.start
        self._edges_h = problem.edges_h().tolist()
        self._clocks: dict[int, str] = {}

    def price(self, price_per_kwh: float) -> str:
        """17.2 ct/kWh, or 0.172 XYZ/kWh where the currency has no usual minor unit."""
        return f"{self.price_number(price_per_kwh)} {self.price_unit}"

    def price_number(self, price_per_kwh: float) -> str:
        """The number alone, where the unit was just said."""
        if self._minor is None:
            return f"{_without_minus_zero(price_per_kwh, 3):.3f}"
        return f"{_without_minus_zero(price_per_kwh * 100, 1):.1f}"

    @property
    def price_unit(self) -> str:
        """The unit that belongs to `price_number`."""
        return f"{self._minor or self._currency}/kWh"

    def money(self, amount: float) -> str:
        """2.31 EUR."""
        return f"{_without_minus_zero(amount, 2):.2f} {self._currency}"

    def clock(self, step: int) -> str:
        """The local time of the instant ``step``; with its weekday where it is a day or more after the start."""
        told = self._clocks.get(step)
        if told is None:
            hours = self._edges_h[step]
            local = (self._start + timedelta(hours=hours)).astimezone(self._zone)
            told = f"{local.hour:02d}:{local.minute:02d}"
            if hours >= 24:
                told = f"{_WEEKDAYS[local.weekday()]} {told}"
            self._clocks[step] = told
        return told

    @staticmethod
    def energy(storage: Storage, energy_kwh: float) -> str:
        """48.0 kWh (80 %), of the usable energy."""
        if storage.energy_kwh_max <= 0:
            return f"{energy_kwh:.1f} kWh"
        return f"{energy_kwh:.1f} kWh ({100 * energy_kwh / storage.energy_kwh_max:.0f} %)"


def _without_minus_zero(value: float, digits: int) -> float:
    return round(value, digits) + 0.0
