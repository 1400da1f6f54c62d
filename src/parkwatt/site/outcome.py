"""What a study found: for each strategy the steps, the money, the wear and the promises, ready to be shown or compared.

Plain values without behaviour of their own beyond sums; `parkwatt.site.study` makes them, the report and the exports
read them. T is the number of steps of the span studied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeGrid

StrategyName = Literal["charge_at_once", "smart", "v2h", "v2g", "foresight"]

STRATEGY_TITLES: dict[StrategyName, str] = {
    "charge_at_once": "Charge at once",
    "smart": "Smart charging (V1G)",
    "v2h": "Run the house (V2H)",
    "v2g": "Sell to the grid (V2G)",
    "foresight": "Perfect foresight (bound)",
}


@dataclass(frozen=True, slots=True)
class MonthResult:
    """One calendar month in local time (``month``: 2024-03). Money in the study's currency; cost positive."""

    month: str
    energy_cost: float
    demand_cost: float
    wear_cost: float


@dataclass(frozen=True, slots=True)
class WearResult:
    """Capacity loss in per cent of new capacity per year, by cell and cause.

    ``total`` = calendar + driving + grid_use. ``grid_use`` is the loss beyond driving the same trips charged at once: it is
    negative where a lower resting charge saves more than the extra cycles cost.
    """

    cell: str
    calendar_percent_per_year: float
    driving_percent_per_year: float
    grid_use_percent_per_year: float

    @property
    def total_percent_per_year(self) -> float:
        """All causes together."""
        return (
            self.calendar_percent_per_year
            + self.driving_percent_per_year
            + self.grid_use_percent_per_year
        )


@dataclass(frozen=True, slots=True, eq=False)
class StrategyResult:
    """One strategy over the whole span.

    ``power_kw``: [T] at the charger. ``energy_kwh``: [T+1] in the battery (away: falls from departure to arrival).
    ``import_kw``, ``export_kw``, ``solar_used_kw``: [T]. Gross cost = energy + demand; net = gross + wear. The car's
    energy left at the end is valued in ``stored_value`` so that strategies compare fairly; it is part of gross.
    ``shortfall_kwh``: sum over departures of what was missing; ``shortfall_kwh_avoidable``: the part that was
    possible when it was asked.
    """

    name: StrategyName
    power_kw: FloatArray
    energy_kwh: FloatArray
    import_kw: FloatArray
    export_kw: FloatArray
    solar_used_kw: FloatArray
    energy_cost: float
    demand_cost: float
    wear_cost: float
    stored_value: float
    bought_kwh: float
    sold_kwh: float
    discharged_kwh: float
    import_peak_kw: float
    self_consumption: float | None
    departure_count: int
    missed_count: int
    shortfall_kwh: float
    shortfall_kwh_avoidable: float
    below_floor_kwh_h: float
    months: tuple[MonthResult, ...]
    wear: tuple[WearResult, ...]
    public_kwh: float = 0.0

    @property
    def gross_cost(self) -> float:
        """What is paid for energy and peak, less what is left in the battery."""
        return self.energy_cost + self.demand_cost - self.stored_value

    @property
    def net_cost(self) -> float:
        """Gross plus battery wear."""
        return self.gross_cost + self.wear_cost


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult:
    """All strategies over one span, with what they were given.

    ``connected``: [T] 1.0 where the car is plugged in. ``cell``: the chosen cell; each strategy's ``wear`` holds it first,
    then the range. ``charger_price``: extra price of the bidirectional charger, for the pay-back; None = not given.
    """

    site_name: str
    currency: str
    time_zone: str
    grid: TimeGrid
    import_price_per_kwh: FloatArray
    export_price_per_kwh: FloatArray
    load_kw: FloatArray
    solar_kw: FloatArray
    connected: FloatArray
    energy_kwh_min: float
    energy_kwh_max: float
    cell: str
    wear_price_per_kwh: float
    pack_price_per_kwh: float
    charger_price: float | None
    strategies: tuple[StrategyResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def years(self) -> float:
        """Length of the span in years of 365.25 days."""
        return self.grid.step_count * self.grid.step_h / 8766.0

    def strategy(self, name: StrategyName) -> StrategyResult | None:
        """The result of the strategy ``name``, None where it was not run."""
        return next((result for result in self.strategies if result.name == name), None)

    def saving_per_year(self, name: StrategyName) -> float | None:
        """Net saving a year of ``name`` against charging at once; None where either was not run."""
        reference, result = self.strategy("charge_at_once"), self.strategy(name)
        if reference is None or result is None:
            return None
        return (reference.net_cost - result.net_cost) / self.years

    def payback_years(self, name: StrategyName) -> float | None:
        """Years until the net saving has paid the charger's price; None where it never does or no price is known."""
        saving = self.saving_per_year(name)
        if saving is None or saving <= 0 or self.charger_price is None:
            return None
        return self.charger_price / saving
