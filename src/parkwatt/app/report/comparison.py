"""The strategies side by side: one list of figures that the terminal and the page both show.

A figure is a title with its unit and a text for each strategy. Figures that say nothing in this study (no demand charge, no
charger price, never below the floor) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from parkwatt.app.report.number_text import UNKNOWN, currency_symbol, number_text, percent_text
from parkwatt.app.report.words import BIDIRECTIONAL
from parkwatt.site.outcome import StrategyResult, StudyResult

_SHOWN_AS_ZERO = 0.05  # kWh, kWh·h

_Text = Callable[[StrategyResult], str]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the comparison; ``texts`` has one entry for each strategy, in the study's order.

    ``group`` is the heading it stands under; ``strong`` marks the lines that give the answer.
    """

    group: str
    title: str
    unit: str
    texts: tuple[str, ...]
    strong: bool = False


def comparison(result: StudyResult) -> tuple[Figure, ...]:
    """All figures worth showing, in reading order."""

    def figure(group: str, title: str, unit: str, text: _Text, *, strong: bool = False) -> Figure:
        texts = tuple(text(strategy) for strategy in result.strategies)
        return Figure(group, title, unit, texts, strong)

    return (
        *_money(result, figure),
        *_energy(result, figure),
        *_driving(result, figure),
        *_battery(result, figure),
    )


_Make = Callable[..., Figure]


def _money(result: StudyResult, figure: _Make) -> Iterator[Figure]:
    unit = currency_symbol(result.currency)
    largest = max((abs(strategy.net_cost) for strategy in result.strategies), default=0.0)
    digits = 0 if largest >= 10_000 else 2

    def money(value: float) -> str:
        return number_text(value, digits)

    demand = any(strategy.demand_cost for strategy in result.strategies)
    title = "Energy and peak (gross)" if demand else "Energy (gross)"
    yield figure("Money", title, unit, lambda s: money(s.gross_cost))
    if demand:
        yield figure("Money", "of which peak", unit, lambda s: money(s.demand_cost))
    yield figure("Money", "Battery wear", unit, lambda s: money(s.wear_cost))
    yield figure("Money", "Net cost", unit, lambda s: money(s.net_cost), strong=True)

    def saved(strategy: StrategyResult) -> str:
        value = result.saving_per_year(strategy.name)
        if value is None or strategy.name == "charge_at_once":
            return UNKNOWN
        return money(value)

    yield figure("Money", "Net saving", f"{unit}/year", saved, strong=True)

    def paid_back(strategy: StrategyResult) -> str:
        if strategy.name not in BIDIRECTIONAL:
            return UNKNOWN
        years = result.payback_years(strategy.name)
        return "never" if years is None else number_text(years, 1)

    if result.charger_price is not None:
        yield figure("Money", "Charger paid back in", "years", paid_back)


def _energy(result: StudyResult, figure: _Make) -> Iterator[Figure]:
    yield figure("Energy", "Bought", "kWh", lambda s: number_text(s.bought_kwh))
    yield figure("Energy", "Sold", "kWh", lambda s: number_text(s.sold_kwh))
    yield figure("Energy", "Moved out of the car", "kWh", lambda s: number_text(s.discharged_kwh))
    yield figure("Energy", "Highest import", "kW", lambda s: number_text(s.import_peak_kw, 1))
    if any(strategy.public_kwh > _SHOWN_AS_ZERO for strategy in result.strategies):
        yield figure("Energy", "Charged on the road", "kWh", lambda s: number_text(s.public_kwh))
    if any(strategy.self_consumption is not None for strategy in result.strategies):

        def own_use(strategy: StrategyResult) -> str:
            share = strategy.self_consumption
            return UNKNOWN if share is None else percent_text(share)

        yield figure("Energy", "Own sun used", "", own_use)


def _driving(result: StudyResult, figure: _Make) -> Iterator[Figure]:
    yield figure("Driving", "Departures", "", lambda s: number_text(s.departure_count))
    yield figure("Driving", "Missed", "", lambda s: number_text(s.missed_count))
    yield figure("Driving", "Short in all", "kWh", lambda s: number_text(s.shortfall_kwh, 1))
    if any(strategy.missed_count for strategy in result.strategies):
        yield figure(
            "Driving",
            "of which avoidable",
            "kWh",
            lambda s: number_text(s.shortfall_kwh_avoidable, 1),
        )
    if any(strategy.below_floor_kwh_h > _SHOWN_AS_ZERO for strategy in result.strategies):
        yield figure(
            "Driving", "Below the floor", "kWh·h", lambda s: number_text(s.below_floor_kwh_h, 1)
        )


def _battery(result: StudyResult, figure: _Make) -> Iterator[Figure]:
    def without(strategy: StrategyResult) -> str:
        if not strategy.wear:
            return UNKNOWN
        wear = strategy.wear[0]
        return number_text(wear.total_percent_per_year - wear.grid_use_percent_per_year, 2)

    def total(strategy: StrategyResult) -> str:
        if not strategy.wear:
            return UNKNOWN
        return number_text(strategy.wear[0].total_percent_per_year, 2)

    def over_cells(strategy: StrategyResult) -> str:
        losses = [wear.total_percent_per_year for wear in strategy.wear]
        return (
            f"{number_text(min(losses), 1)} … {number_text(max(losses), 1)}" if losses else UNKNOWN
        )

    group = f"Capacity loss, {result.cell}"
    yield figure(group, "Without grid use", "%/year", without)
    yield figure(group, "With grid use", "%/year", total, strong=True)
    if any(len(strategy.wear) > 1 for strategy in result.strategies):
        yield figure(group, "Range over all cells", "%/year", over_cells)
