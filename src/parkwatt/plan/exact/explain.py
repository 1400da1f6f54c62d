"""Why each battery does what it does: a sentence with numbers for each run (`runs`) of charging, discharging or waiting.

What a kWh in the battery is worth comes from the plan's shadow prices; with losses and wear it gives the price from which
discharging would pay.
"""

from __future__ import annotations

from collections.abc import Iterator

from parkwatt.domain.plan import Reason
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.flows import TOLERANCE, Flows
from parkwatt.plan.exact.runs import Run, runs_of
from parkwatt.plan.exact.storage import StorageStay
from parkwatt.plan.exact.words import Words

# Differences below this (currency per kWh) are not worth a driver's attention.
_PRICE_NOTICEABLE = 5e-4


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
        runs = runs_of(problem, item, flows, index, stored)
        yield from _Teller(words, item, runs, shaved_kw).reasons()


class _Teller:
    """Tells the reasons of one stay. ``peak_kw``: the peak that a demand charge is paid on, None where none is."""

    def __init__(
        self, words: Words, item: StorageStay, runs: list[Run], peak_kw: float | None
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

    def _charging(self, run: Run, later: list[Run]) -> str:
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

    def _purpose(self, run: Run, later: list[Run]) -> str:
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

    def _discharging(self, run: Run, later: list[Run]) -> str:
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

    def _resting(self, run: Run, later: list[Run]) -> str | None:
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

    def _pays_from(self, run: Run) -> float | None:
        """The price from which discharging pays: what the energy is worth in the battery, with losses and wear."""
        if run.stored_value_per_kwh is None:
            return None
        storage = self._item.storage
        return (
            run.stored_value_per_kwh + storage.wear_price_per_kwh
        ) / storage.discharge_efficiency

    def _clock(self, step_of_stay: int) -> str:
        return self._words.clock(self._item.stay.from_step + step_of_stay)
