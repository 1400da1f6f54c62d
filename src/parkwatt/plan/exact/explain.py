"""Why each battery does what it does: a sentence with numbers for each run of charging, discharging or waiting.

A run is an unbroken span in which the battery charges, discharges or rests. The price of a kWh charged is what the
connection pays for it: the import price, or, where the sun covers it, the export price that is given up. A kWh
discharged brings the
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
    """Steps [first, end) of a stay with one direction (+1 charge, 0 rest, −1 discharge), and its means and extremes.

    Prices in currency per kWh, weighted by energy (by time in a rest). ``stored_value``: None where unknown.
    ``from_sun``: charged
    without import while the sun shone. ``sells``: something was exported.
    """

    first: int
    end: int
    direction: int
    power_kw: float
    energy_kwh_before: float
    energy_kwh_after: float
    charge_price_per_kwh: float
    charge_price_per_kwh_at_first: float
    charge_price_per_kwh_elsewhere: float | None
    discharge_price_per_kwh: float
    export_price_per_kwh_best: float
    stored_value_per_kwh: float | None
    import_kw_highest: float
    from_sun: bool
    sells: bool


def _runs(
    problem: Problem,
    item: StorageStay,
    flows: Flows,
    index: int,
    stored_value_per_kwh: FloatArray | None,
) -> list[_Run]:
    """All runs of one stay. Sums over runs are taken for all runs at once: a plan is explained at each replan."""
    site, steps = problem.site, item.steps
    power, energy = flows.power_kw[index], flows.energy_kwh[index]
    direction = np.where(power > TOLERANCE, 1, np.where(power < -TOLERANCE, -1, 0))
    firsts = np.concatenate(([0], np.flatnonzero(np.diff(direction)) + 1))
    import_kw, export_kw = flows.import_kw[steps], flows.export_kw[steps]
    buy, sell = site.import_price_per_kwh[steps], site.export_price_per_kwh[steps]
    charge_price = np.where(import_kw > TOLERANCE, buy, sell)
    discharge_price = np.where(export_kw > TOLERANCE, sell, buy)
    hours = problem.duration_h[steps]
    weight = np.where(direction == 0, hours, np.abs(power) * hours)
    stored = buy if stored_value_per_kwh is None else stored_value_per_kwh
    sums = np.add.reduceat(
        np.stack(
            (
                weight,
                weight * charge_price,
                weight * discharge_price,
                weight * stored,
                power,
                charge_price,
            )
        ),
        firsts,
        axis=1,
    )
    highest = np.maximum.reduceat(
        np.stack((sell, import_kw, export_kw, flows.solar_used_kw[steps])), firsts, axis=1
    )
    ends = np.append(firsts[1:], len(power))
    counts = ends - firsts
    others = len(power) - counts
    elsewhere = (sums[5].sum() - sums[5]) / np.maximum(others, 1)
    known = stored_value_per_kwh is not None
    rows = zip(
        firsts.tolist(),
        ends.tolist(),
        direction[firsts].tolist(),
        (sums[4] / counts).tolist(),
        energy[firsts].tolist(),
        energy[ends].tolist(),
        *(sums[1:4] / sums[0]).tolist(),
        charge_price[firsts].tolist(),
        elsewhere.tolist(),
        others.tolist(),
        *highest.tolist(),
        strict=True,
    )
    return [
        _Run(
            first=first,
            end=end,
            direction=way,
            power_kw=mean_kw,
            energy_kwh_before=before,
            energy_kwh_after=after,
            charge_price_per_kwh=charged_at,
            charge_price_per_kwh_at_first=at_first,
            charge_price_per_kwh_elsewhere=at_others if other_count else None,
            discharge_price_per_kwh=discharged_at,
            export_price_per_kwh_best=sell_best,
            stored_value_per_kwh=worth if known else None,
            import_kw_highest=import_highest,
            from_sun=solar_highest > TOLERANCE and import_highest <= TOLERANCE,
            sells=export_highest > TOLERANCE,
        )
        for (
            first,
            end,
            way,
            mean_kw,
            before,
            after,
            charged_at,
            discharged_at,
            worth,
            at_first,
            at_others,
            other_count,
            sell_best,
            import_highest,
            export_highest,
            solar_highest,
        ) in rows
    ]


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
    site = problem.site
    peak_kw = float(flows.import_kw.max())
    shaved_kw = peak_kw if site.demand_charge_per_kw > 0 and peak_kw > site.peak_so_far_kw else None
    for index, item in enumerate(items):
        stored = None if stored_value_per_kwh is None else stored_value_per_kwh[index]
        runs = _runs(problem, item, flows, index, stored)
        yield from _Teller(words, item, runs, shaved_kw).reasons()


class _Teller:
    """Tells the reasons of one stay. ``peak_kw``: the peak that a demand charge is paid on, None where none is."""

    def __init__(
        self, words: Words, item: StorageStay, runs: list[_Run], peak_kw: float | None
    ) -> None:
        self._words = words
        self._item = item
        self._runs = runs
        self._peak_kw = peak_kw
        self._asked_kwh = item.stay.energy_kwh_at_departure

    def reasons(self) -> Iterator[Reason]:
        """The reasons in the order of time."""
        offset = self._item.stay.from_step
        tell = {1: self._charging, -1: self._discharging, 0: self._resting}
        for position, run in enumerate(self._runs):
            message = tell[run.direction](run, self._runs[position + 1 :])
            if message is not None:
                yield Reason(
                    id=self._item.storage.id,
                    from_step=offset + run.first,
                    to_step=offset + run.end,
                    power_kw=run.power_kw,
                    message=message,
                )

    def _charging(self, run: _Run, later: list[_Run]) -> str:
        words = self._words
        floor = self._item.storage.energy_kwh_min
        if run.energy_kwh_before < floor - TOLERANCE:
            return f"charges at once: {run.energy_kwh_before:.1f} kWh is below the floor of {floor:.1f} kWh"
        price = run.charge_price_per_kwh
        if run.from_sun:
            head = f"charges from the sun, which would otherwise sell for {words.price(price)}"
        elif price < -_PRICE_NOTICEABLE:
            head = f"charges because power is paid for: {words.price(-price)} for taking it"
        else:
            head = f"charges at {words.price(price)}"
            elsewhere = run.charge_price_per_kwh_elsewhere
            if elsewhere is not None and elsewhere - price > _PRICE_NOTICEABLE:
                head += f", {words.price_number(elsewhere - price)} below the rest of the stay"
        return f"{head}; {self._purpose(run, later)}"

    def _purpose(self, run: _Run, later: list[_Run]) -> str:
        words, storage, stay = self._words, self._item.storage, self._item.stay
        discharge = next((other for other in later if other.direction < 0), None)
        if discharge is not None:
            brings = words.price_number(discharge.discharge_price_per_kwh)
            return f"used from {self._clock(discharge.first)} on, when a kWh brings {brings}"
        if self._asked_kwh is not None and run.energy_kwh_before < self._asked_kwh - TOLERANCE:
            reached = min(self._asked_kwh, self._runs[-1].energy_kwh_after)
            return f"{words.energy(storage, reached)} by {self._clock(self._item.step_count)}"
        if stay.energy_value_per_kwh > 0:
            return f"a kWh left at the end is worth {words.price_number(stay.energy_value_per_kwh)}"
        return f"reaches {words.energy(storage, run.energy_kwh_after)}"

    def _discharging(self, run: _Run, later: list[_Run]) -> str:
        words, storage = self._words, self._item.storage
        brings = run.discharge_price_per_kwh
        verb = "sells to the grid" if run.sells else "runs the house"
        message = f"{verb}: a kWh brings {words.price(brings)}"
        pays_from = self._pays_from(run)
        if pays_from is not None and pays_from < brings + _PRICE_NOTICEABLE:
            wear = storage.wear_price_per_kwh / storage.discharge_efficiency
            with_wear = f" and {words.price_number(wear)} of wear" if wear > 0 else ""
            message += (
                f" and costs {words.price_number(max(pays_from, 0.0))} with losses{with_wear}"
            )
        elif self._peak_kw is not None and run.import_kw_highest > self._peak_kw - TOLERANCE:
            message += f", and the peak stays at {self._peak_kw:.1f} kW"
        refill = next((other for other in later if other.direction > 0), None)
        if refill is not None:
            price = words.price_number(refill.charge_price_per_kwh)
            message += f"; refilled from {self._clock(refill.first)} at {price}"
        return message

    def _resting(self, run: _Run, later: list[_Run]) -> str | None:
        words, storage = self._words, self._item.storage
        asked = self._asked_kwh
        if later and later[0].direction > 0:
            cheaper = run.charge_price_per_kwh_at_first - later[0].charge_price_per_kwh
            if cheaper > _PRICE_NOTICEABLE:
                message = f"waits until {self._clock(later[0].first)}: {words.price(cheaper)} cheaper than now"
                if asked is not None and self._runs[-1].energy_kwh_after >= asked - TOLERANCE:
                    leaves = self._clock(self._item.step_count)
                    message += f", and {words.energy(storage, asked)} is still reached by {leaves}"
                return message
        pays_from = self._pays_from(run)
        if storage.discharge_kw_max > 0 and pays_from is not None:
            best = run.export_price_per_kwh_best
            if pays_from > best + _PRICE_NOTICEABLE:
                return (
                    f"holds {words.energy(storage, run.energy_kwh_before)}: selling brings at most {words.price(best)} "
                    f"and would pay from {words.price_number(pays_from)}, with refill, losses and wear"
                )
        if asked is not None and run.energy_kwh_before >= asked - TOLERANCE:
            leaves = self._clock(self._item.step_count)
            return f"rests: {words.energy(storage, asked)} for {leaves} is already in the battery"
        return None

    def _pays_from(self, run: _Run) -> float | None:
        """The price from which discharging pays: what the energy is worth in the battery, with losses and wear."""
        if run.stored_value_per_kwh is None:
            return None
        storage = self._item.storage
        return (
            run.stored_value_per_kwh + storage.wear_price_per_kwh
        ) / storage.discharge_efficiency

    def _clock(self, step_of_stay: int) -> str:
        return self._words.clock(self._item.stay.from_step + step_of_stay)
