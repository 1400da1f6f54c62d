"""Why each battery does what it does: a sentence with numbers for each run of charging, discharging or waiting.

A run is an unbroken span in which the battery charges, discharges or rests. The price of a kWh charged is what the
connection pays for it: the import price, or, where the sun covers it, the export price that is given up. A kWh discharged brings the
import price that it saves, or the export price. What a kWh in the battery is worth comes from the plan's shadow prices; with
losses and wear it gives the price from which discharging would pay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parkwatt.domain.plan import Reason
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.flows import TOLERANCE, Flows
from parkwatt.plan.exact.storage import StorageStay
from parkwatt.plan.exact.words import Words

# Differences below this (currency per kWh) are not worth a driver's attention.
_PRICE_NOTICEABLE = 5e-4


@dataclass(frozen=True, slots=True)
class _Run:
    """Steps [first, end) of the horizon with one direction: +1 charge, 0 rest, −1 discharge."""

    first: int
    end: int
    direction: int


def explain(
    problem: Problem,
    items: list[StorageStay],
    flows: Flows,
    stored_value_per_kwh: list[FloatArray] | None,
) -> Iterator[Reason]:
    """A reason for each run in which something is done, and for each rest that waits for something.

    ``stored_value_per_kwh``: for each stay [n], what one more kWh in the battery is worth, None where unknown.
    """
    words = Words(problem)
    for index, item in enumerate(items):
        stored = None if stored_value_per_kwh is None else stored_value_per_kwh[index]
        yield from _Teller(problem, words, item, flows, index, stored).reasons()


class _Teller:
    """Tells the reasons of one stay."""

    def __init__(
        self,
        problem: Problem,
        words: Words,
        item: StorageStay,
        flows: Flows,
        index: int,
        stored_value_per_kwh: FloatArray | None,
    ) -> None:
        site, steps = problem.site, item.steps
        self._words = words
        self._item = item
        self._power = flows.power_kw[index]
        self._energy = flows.energy_kwh[index]
        self._hours = problem.duration_h[steps]
        self._stored = stored_value_per_kwh
        self._import_kw = flows.import_kw[steps]
        self._export_kw = flows.export_kw[steps]
        self._solar = flows.solar_used_kw[steps] > TOLERANCE
        buy, sell = site.import_price_per_kwh[steps], site.export_price_per_kwh[steps]
        self._charge_price = np.where(self._import_kw > TOLERANCE, buy, sell)
        self._discharge_price = np.where(self._export_kw > TOLERANCE, sell, buy)
        self._sell = sell
        self._at_peak = site.demand_charge_per_kw > 0 and bool(flows.import_kw.max() > site.peak_so_far_kw)
        self._peak_kw = float(flows.import_kw.max())
        self._runs = _runs(self._power)

    def reasons(self) -> Iterator[Reason]:
        """The reasons in the order of time."""
        offset = self._item.stay.from_step
        for position, run in enumerate(self._runs):
            tell = {1: self._charging, -1: self._discharging, 0: self._resting}[run.direction]
            message = tell(run, self._runs[position + 1 :])
            if message is not None:
                yield Reason(
                    id=self._item.storage.id,
                    from_step=offset + run.first,
                    to_step=offset + run.end,
                    power_kw=float(self._power[run.first : run.end].mean()),
                    message=message,
                )

    def _mean_price(self, prices: FloatArray, run: _Run) -> float:
        """The mean over a run, weighted by energy (by time where it rests)."""
        span = slice(run.first, run.end)
        weights = np.abs(self._power[span]) * self._hours[span]
        total = float(weights.sum())
        if total <= 0:
            return float(prices[span].mean())
        return float(prices[span] @ weights) / total

    def _charging(self, run: _Run, later: list[_Run]) -> str:
        words, item = self._words, self._item
        floor = item.storage.energy_kwh_min
        if self._energy[run.first] < floor - TOLERANCE:
            return (
                f"charges at once: {self._energy[run.first]:.1f} kWh is below the floor of {floor:.1f} kWh"
            )
        price = self._mean_price(self._charge_price, run)
        span = slice(run.first, run.end)
        from_sun = self._solar[span].any() and not (self._import_kw[span] > TOLERANCE).any()
        if from_sun:
            head = f"charges from the sun, which would otherwise sell for {words.price(price)}"
        elif price < -_PRICE_NOTICEABLE:
            head = f"charges because power is paid for: {words.price(-price)} for taking it"
        else:
            head = f"charges at {words.price(price)}{self._compared(run, price)}"
        return f"{head}; {self._purpose(run, later)}"

    def _compared(self, run: _Run, price: float) -> str:
        """How the run's price compares with the other hours of the stay."""
        others = np.delete(self._charge_price, np.arange(run.first, run.end))
        if not len(others):
            return ""
        difference = float(others.mean()) - price
        if difference > _PRICE_NOTICEABLE:
            return f", {self._words.price_number(difference)} below the rest of the stay"
        return ""

    def _purpose(self, run: _Run, later: list[_Run]) -> str:
        words, item = self._words, self._item
        asked = item.stay.energy_kwh_at_departure
        discharge = next((other for other in later if other.direction < 0), None)
        if discharge is not None:
            brings = self._mean_price(self._discharge_price, discharge)
            when = words.clock(item.stay.from_step + discharge.first)
            return f"used from {when} on, when a kWh brings {words.price_number(brings)}"
        if asked is not None and self._energy[run.first] < asked - TOLERANCE:
            leaves = words.clock(item.stay.to_step)
            reached = min(asked, float(self._energy[-1]))
            return f"{words.energy(item.storage, reached)} by {leaves}"
        value = item.stay.energy_value_per_kwh
        if value > 0:
            return f"a kWh left at the end is worth {words.price_number(value)}"
        return f"reaches {words.energy(item.storage, float(self._energy[run.end]))}"

    def _discharging(self, run: _Run, later: list[_Run]) -> str:
        words, storage = self._words, self._item.storage
        span = slice(run.first, run.end)
        brings = self._mean_price(self._discharge_price, run)
        sells = (self._export_kw[span] > TOLERANCE).any()
        verb = "sells to the grid" if sells else "runs the house"
        head = f"{verb}: a kWh brings {words.price(brings)}"
        wear = storage.wear_price_per_kwh / storage.discharge_efficiency
        paying_from = self._pays_from(run)
        if paying_from is not None and paying_from < brings + _PRICE_NOTICEABLE:
            with_wear = f" and {words.price_number(wear)} of wear" if wear > 0 else ""
            head += f" and costs {words.price_number(max(paying_from, 0.0))} with losses{with_wear}"
        elif self._at_peak and (self._import_kw[span] > self._peak_kw - TOLERANCE).any():
            head += f", and the peak stays at {self._peak_kw:.1f} kW"
        refill = next((other for other in later if other.direction > 0), None)
        if refill is not None:
            price = self._mean_price(self._charge_price, refill)
            when = words.clock(self._item.stay.from_step + refill.first)
            head += f"; refilled from {when} at {words.price_number(price)}"
        return head

    def _pays_from(self, run: _Run) -> float | None:
        """The price from which discharging pays: what the energy is worth in the battery, with losses and wear."""
        if self._stored is None:
            return None
        storage = self._item.storage
        worth = float(self._stored[run.first : run.end].mean())
        return (worth + storage.wear_price_per_kwh) / storage.discharge_efficiency

    def _resting(self, run: _Run, later: list[_Run]) -> str | None:
        words, item = self._words, self._item
        asked = item.stay.energy_kwh_at_departure
        if later and later[0].direction > 0:
            follows = later[0]
            now = float(self._charge_price[run.first])
            then = self._mean_price(self._charge_price, follows)
            if now - then > _PRICE_NOTICEABLE:
                message = (
                    f"waits until {words.clock(item.stay.from_step + follows.first)}: "
                    f"{words.price(now - then)} cheaper than now"
                )
                if asked is not None and self._energy[-1] >= asked - TOLERANCE:
                    reached, leaves = words.energy(item.storage, asked), words.clock(item.stay.to_step)
                    message += f", and {reached} is still reached by {leaves}"
                return message
        pays_from = self._pays_from(run)
        if item.storage.discharge_kw_max > 0 and pays_from is not None:
            best = float(self._sell[run.first : run.end].max())
            if pays_from > best + _PRICE_NOTICEABLE:
                return (
                    f"holds {words.energy(item.storage, float(self._energy[run.first]))}: selling brings at most "
                    f"{words.price(best)} and would pay from {words.price_number(pays_from)}, with refill, losses and wear"
                )
        if asked is not None and self._energy[run.first] >= asked - TOLERANCE:
            reached = words.energy(item.storage, asked)
            return f"rests: {reached} for {words.clock(item.stay.to_step)} is already in the battery"
        return None


def _runs(power: FloatArray) -> list[_Run]:
    direction = np.where(power > TOLERANCE, 1, np.where(power < -TOLERANCE, -1, 0))
    edges = [0, *(np.flatnonzero(np.diff(direction)) + 1).tolist(), len(power)]
    return [
        _Run(first, end, int(direction[first]))
        for first, end in zip(edges[:-1], edges[1:], strict=True)
    ]
