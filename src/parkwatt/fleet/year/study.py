"""The year of many drivers in one programme: who earns what, what it wears, and what sets drivers apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.fleet.year.capacity import (
    CapacityRules,
    CapacityYear,
    block_steps,
    by_block,
    called_for,
    sell,
    share_out,
)
from parkwatt.fleet.year.car import YearCar, day_prices, window_steps
from parkwatt.fleet.year.drivers import DrawnStays, YearDays
from parkwatt.fleet.year.events import (
    EventRules,
    baseline_kw,
    by_hour,
    event_days,
    settle,
    with_events,
)
from parkwatt.fleet.year.played import Played, Way, play
from parkwatt.fleet.year.wear import climate_c, wear_of_year
from parkwatt.plan.batch.cars import IntArray
from parkwatt.plan.wear import Cell

Programme = Literal["arbitrage", "fcr", "elrp"]
PROGRAMMES: Final[tuple[Programme, ...]] = ("arbitrage", "fcr", "elrp")
# So many drivers at a time take some hundred megabytes.
_DRIVERS_AT_A_TIME: Final = 50
# Shares of their power that cars may leave free for a capacity programme, tried on so many drivers. None: nothing is held back.
_FREE_SHARES: Final = (None, 0.0, 0.25, 0.5, 0.75, 0.9)
_SEEKING_DRIVERS: Final = 100
# What a driver has to gain by another share, so that rounding does not choose.
_WORTH_LEAST: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class YearTerms:
    """What the year is played with. ``import_per_kwh``, ``export_per_kwh``: [S]; ``months``: [D]; ``first_day_of_year``: of the
    first day, 1 on 1 January; ``pack_price_per_kwh``: of a new battery.
    """

    programme: Programme
    days: YearDays
    months: IntArray
    first_day_of_year: int
    import_per_kwh: FloatArray
    export_per_kwh: FloatArray
    car: YearCar
    cell: Cell
    pack_price_per_kwh: float
    capacity: CapacityRules = field(default_factory=CapacityRules)
    events: EventRules = field(default_factory=EventRules)
    threads: int = 1


class DriverYears(NamedTuple):
    """Of D drivers, each [D]; money in the currency of the prices, a year.

    ``at_once_cost``, ``smart_cost``, ``energy_cost``: of energy, charged at once, when cheapest, and in the programme, with
    what being called for takes; ``paid``: by the programme. ``at_once_wear``, ``smart_wear``, ``wear``: of the battery, all
    use and time. ``plugged_share``: of the year; ``evening_share``: of the evenings' hours (16:00 to 21:00); ``stays``;
    ``charged_kwh``: what trips took, at the charger; ``given_kwh``; ``shortfall_kwh``: missing at departures, the same in all
    three ways but for rounding.
    """

    at_once_cost: FloatArray
    smart_cost: FloatArray
    energy_cost: FloatArray
    paid: FloatArray
    at_once_wear: FloatArray
    smart_wear: FloatArray
    wear: FloatArray
    plugged_share: FloatArray
    evening_share: FloatArray
    stays: FloatArray
    charged_kwh: FloatArray
    given_kwh: FloatArray
    shortfall_kwh: FloatArray

    @property
    def gross(self) -> FloatArray:
        """Against charging at once, before wear."""
        return self.at_once_cost - self.energy_cost + self.paid

    @property
    def added_wear(self) -> FloatArray:
        """Against charging at once; below 0 where the battery lasts longer."""
        return self.wear - self.at_once_wear

    @property
    def net(self) -> FloatArray:
        """Against charging at once, after wear."""
        return self.gross - self.added_wear

    @property
    def smart_net(self) -> FloatArray:
        """What charging when it is cheapest saves, after wear: for this no car has to discharge."""
        return self.at_once_cost - self.smart_cost - (self.smart_wear - self.at_once_wear)

    @property
    def both_ways_net(self) -> FloatArray:
        """What discharging and the programme add to that."""
        return self.net - self.smart_net


@dataclass(frozen=True, slots=True, eq=False)
class YearFound:
    """``sold``: by block, of a capacity programme; ``event_places``, ``event_kwh``: [E] days with events, and what was paid
    for; ``free_share``: of their power that cars left free for a capacity programme, None: nothing was held back;
    ``cut_count``: stays that were longer than can be planned; ``short_count``: stays too short for what was asked.
    """

    drivers: DriverYears
    sold: CapacityYear | None
    event_places: IntArray
    event_kwh: FloatArray
    free_share: float | None
    cut_count: int
    short_count: int


def play_year(
    stays: DrawnStays,
    driver_count: int,
    terms: YearTerms,
    advance: Callable[[int], None] = lambda _: None,
) -> YearFound:
    """Play the year of all drivers three ways, and settle the programme. ``advance`` is told how many stays were played."""
    playing = _Playing(driver_count, terms)
    playing.seek_share(stays)
    for first in range(0, driver_count, _DRIVERS_AT_A_TIME):
        end = min(first + _DRIVERS_AT_A_TIME, driver_count)
        part = stays.of_drivers(first, end)
        playing.add(part, first, end)
        advance(len(part.driver))
    return playing.finish(stays)


class _Playing:
    """The sums of a year that is played some drivers at a time."""

    def __init__(self, driver_count: int, terms: YearTerms) -> None:
        self._terms, days = terms, terms.days
        self._found = DriverYears._make(np.zeros(driver_count) for _ in DriverYears._fields)
        self._temperature_c = climate_c(days, terms.first_day_of_year)
        self._prices = day_prices(terms.import_per_kwh, terms.export_per_kwh, days)
        self._priced, self._events = self._prices, np.zeros(0, np.int64)
        if terms.programme == "elrp":
            self._events = event_days(terms.import_per_kwh, terms.months, days, terms.events)
            extra = terms.events.price_per_kwh
            self._priced = day_prices(
                with_events(terms.import_per_kwh, self._events, days, extra),
                with_events(terms.export_per_kwh, self._events, days, extra),
                days,
            )
        self._up_kw, self._down_kw = np.zeros(days.step_count), np.zeros(days.step_count)
        blocks = len(block_steps(days)) - 1
        is_capacity = terms.programme == "fcr"
        self._held_kw = np.zeros((driver_count if is_capacity else 0, blocks))
        self._reduced_kw = np.zeros((driver_count, len(self._events), 5))
        self._short_count = 0
        self._free_share: float | None = None

    def seek_share(self, stays: DrawnStays) -> None:
        """Find how much of their power cars should leave free for a capacity programme: what brings the first drivers most of
        these shares, over the whole year (so with hindsight, in this one number).
        """
        terms, days = self._terms, self._terms.days
        if terms.programme != "fcr":
            return
        count = min(_SEEKING_DRIVERS, len(self._found.paid))
        sample, best = stays.of_drivers(0, count), -np.inf
        rules = replace(
            terms.capacity, lot_kw=terms.capacity.lot_kw * count / len(self._found.paid)
        )
        for share in _FREE_SHARES:
            played = self._played(sample, count, "both ways", share)
            given_kwh = (
                np.maximum(-played.power_kw, 0.0).sum(dtype=np.float64) * days.step_minutes / 60
            )
            wear = float(given_kwh) / terms.car.efficiency * terms.car.wear_price_per_kwh
            paid = float(sell(played.up_kw, played.down_kw, days, rules).paid.sum())
            worth = paid - wear - float(self._cost_of(played.power_kw).sum())
            if worth > best + _WORTH_LEAST * count:
                best, self._free_share = worth, share

    def add(self, stays: DrawnStays, first: int, end: int) -> None:
        """Play the drivers [first, end), whose stays these are, counted from 0."""
        rows, found, count = slice(first, end), self._found, end - first
        at_once = self._played(stays, count, "at once")
        smart = self._played(stays, count, "smart")
        played = self._played(stays, count, "both ways", self._free_share)
        for one, cost, wear in (
            (at_once, found.at_once_cost, found.at_once_wear),
            (smart, found.smart_cost, found.smart_wear),
            (played, found.energy_cost, found.wear),
        ):
            cost[rows] = self._cost_of(one.power_kw)
            wear[rows] = [self._wear_of(energy_kwh) for energy_kwh in one.energy_kwh]
        self._keep(stays, played, rows)

    def _played(
        self, stays: DrawnStays, count: int, way: Way, free_share: float | None = None
    ) -> Played:
        terms = self._terms
        both = way == "both ways"
        return play(
            stays,
            count,
            terms.days,
            terms.car,
            self._priced if both else self._prices,
            way,
            reserve_per_kwh=terms.capacity.reserve_per_kwh if free_share is not None else 0.0,
            free_share=free_share or 0.0,
            hours_h=terms.capacity.hours_h,
            threads=terms.threads,
        )

    def _keep(self, stays: DrawnStays, played: Played, rows: slice) -> None:
        """What the programme needs of drivers, and what sets them apart."""
        terms, days, found = self._terms, self._terms.days, self._found
        hours = days.step_minutes / 60.0
        self._up_kw += played.up_kw
        self._down_kw += played.down_kw
        if terms.programme == "fcr" and self._free_share is not None:
            self._held_kw[rows] = np.maximum(by_block(played.held_kw, block_steps(days)), 0.0)
        if len(self._events):
            evening_kw = by_hour(played.power_kw, days)
            baseline = baseline_kw(evening_kw, self._events, days)
            self._reduced_kw[rows] = baseline - evening_kw[:, self._events]
        plugged = _plugged(stays, rows.stop - rows.start, days)
        found.plugged_share[rows] = plugged.mean(axis=1)
        found.evening_share[rows] = by_hour(plugged, days).mean(axis=(1, 2))
        given_kw = np.maximum(-played.power_kw, 0.0).sum(axis=1, dtype=np.float64)
        found.given_kwh[rows] = given_kw * hours
        count = rows.stop - rows.start
        found.stays[rows] = np.bincount(stays.driver, minlength=count)
        found.charged_kwh[rows] = np.bincount(stays.driver, stays.energy_kwh, count)
        found.shortfall_kwh[rows] = np.bincount(stays.driver, played.shortfall_kwh, count)
        self._short_count += int((played.shortfall_kwh > 0.01).sum())

    def finish(self, stays: DrawnStays) -> YearFound:
        """Settle the programme."""
        terms, days, found = self._terms, self._terms.days, self._found
        sold, event_kwh = None, np.zeros(len(self._events))
        if terms.programme == "fcr":
            sold = sell(self._up_kw, self._down_kw, days, terms.capacity)
            brought = share_out(sold, self._held_kw)
            called = called_for(
                brought.sold_kw_h,
                terms.capacity,
                terms.car.efficiency,
                float(terms.import_per_kwh.mean()),
                float(terms.export_per_kwh.mean()),
            )
            more_wear = called.given_kwh / terms.car.efficiency * terms.car.wear_price_per_kwh
            found = found._replace(
                paid=brought.paid,
                energy_cost=found.energy_cost + called.cost,
                wear=found.wear + more_wear,
                given_kwh=found.given_kwh + called.given_kwh,
            )
        elif terms.programme == "elrp":
            pay = settle(self._reduced_kw, terms.events)
            found, event_kwh = found._replace(paid=pay.paid), pay.pool_kwh
        longest = days.first_step[stays.day] + window_steps(days)
        cut = int((stays.to_step > longest).sum())
        return YearFound(
            found, sold, self._events, event_kwh, self._free_share, cut, self._short_count
        )

    def _cost_of(self, power_kw: NDArray[np.float32]) -> FloatArray:
        hours = self._terms.days.step_minutes / 60.0
        taken, given = np.maximum(power_kw, 0.0), np.maximum(-power_kw, 0.0)
        bought = taken @ self._terms.import_per_kwh
        return np.asarray((bought - given @ self._terms.export_per_kwh) * hours)

    def _wear_of(self, energy_kwh: NDArray[np.float32]) -> float:
        terms = self._terms
        return wear_of_year(
            energy_kwh,
            terms.days,
            self._temperature_c,
            terms.cell,
            terms.car.energy_kwh_max,
            terms.pack_price_per_kwh,
        )


def _plugged(stays: DrawnStays, count: int, days: YearDays) -> NDArray[np.float32]:
    """[n, S] 1 where a car is plugged in."""
    change = np.zeros((count, days.step_count + 1), np.float32)
    np.add.at(change, (stays.driver, stays.from_step), 1.0)
    np.add.at(change, (stays.driver, stays.to_step), -1.0)
    return np.asarray(np.cumsum(change, axis=1)[:, :-1], dtype=np.float32)
