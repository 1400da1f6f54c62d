"""A battery's ledger: what went through it and for what, how long it stood full, what it holds, and what the wear model says.

Energy for driving, for the home and for the grid is counted in the battery, so it includes the losses of discharging. A cycle
is as much energy as the battery holds by its settings (equivalent full cycle). Hours at high charge are those plugged in: away
from home nobody tells the charge.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.wear import CELLS, LossSplit, split_loss, wear_range
from parkwatt.site.account.accounts import Accounts
from parkwatt.site.account.capacity import Capacity, estimated_capacity, soc_rises
from parkwatt.site.account.ledger import Ledger
from parkwatt.site.account.settings import CarAccountSettings
from parkwatt.site.account.sums import Sums, period_name, sums_by

# Above these shares of its capacity a battery stands at high charge.
HIGH_SOC: Final = 0.8
HIGHEST_SOC: Final = 0.9
# The wear model and the capacity look at the last year.
_SPAN_S: Final = 365 * 86_400
# Shorter histories do not say how a car is used.
HISTORY_DAYS_LEAST: Final = 14
_AGED_YEARS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryUse:
    """Use over a span. ``in_kwh``, ``out_kwh``: at the charger; ``*ing_kwh``, ``home_kwh``, ``grid_kwh``: out of the battery.

    ``known_h``: plugged in with a known charge; ``high_h``, ``highest_h``: of them above 80 % and above 90 %.
    """

    in_kwh: float = 0.0
    out_kwh: float = 0.0
    battery_in_kwh: float = 0.0
    driving_kwh: float = 0.0
    home_kwh: float = 0.0
    grid_kwh: float = 0.0
    known_h: float = 0.0
    high_h: float = 0.0
    highest_h: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """What the wear model says of a new battery that is used for ten years as it was used in the last one; in percent of its
    capacity a year. ``lowest``, ``highest``: over all cells that the model knows. ``days``: of the history.
    """

    cell_id: str
    temperature_c: float
    days: float
    split: LossSplit
    lowest_percent_per_year: float
    highest_percent_per_year: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryAccount:
    """``months``: by name such as 2026-11. ``ageing`` None: the cell is not known, or the history is too short."""

    car_id: str
    capacity_kwh: float
    from_unix_s: int
    until_unix_s: int
    months: dict[str, BatteryUse]
    total: BatteryUse
    capacity: Capacity
    ageing: Ageing | None


def battery_account(accounts: Accounts, car: CarAccountSettings) -> BatteryAccount:
    """The ledger of one car's battery, of all that is in the journal."""
    ledger = accounts.ledger
    hours = _hours(accounts, ledger, car)
    months: dict[str, BatteryUse] = {}
    for row in sums_by(ledger, "month", 0, 1 << 60):
        if row.car_id == car.car_id:
            months[row.name] = _use(row.sums, car, hours.get(row.name, (0.0, 0.0, 0.0)))
    return BatteryAccount(
        car_id=car.car_id,
        capacity_kwh=car.capacity_kwh,
        from_unix_s=ledger.from_unix_s,
        until_unix_s=ledger.until_unix_s,
        months=months,
        total=_total(list(months.values())),
        capacity=_capacity(accounts, ledger, car),
        ageing=_ageing(accounts, ledger, car),
    )


def _use(sums: Sums, car: CarAccountSettings, hours: tuple[float, float, float]) -> BatteryUse:
    efficiency = car.storage.discharge_efficiency
    return BatteryUse(
        in_kwh=sums.in_kwh,
        out_kwh=sums.out_kwh,
        battery_in_kwh=sums.battery_in_kwh,
        driving_kwh=sums.driven_kwh,
        home_kwh=sums.to_home_kwh / efficiency,
        grid_kwh=sums.to_grid_kwh / efficiency,
        known_h=hours[0],
        high_h=hours[1],
        highest_h=hours[2],
    )


def _total(months: list[BatteryUse]) -> BatteryUse:
    names = [field.name for field in fields(BatteryUse)]
    return BatteryUse(**{name: sum(getattr(month, name) for month in months) for name in names})


def _hours(
    accounts: Accounts, ledger: Ledger, car: CarAccountSettings
) -> dict[str, tuple[float, float, float]]:
    """By month: hours plugged in with a known charge, and of them above both bounds."""
    soc = _soc(accounts, ledger, car)
    plugged_h = ledger.rows.column(accounts.quarters.car(car.car_id, "plugged_s")) / 3600.0
    known_h = np.where(np.isfinite(soc) & np.isfinite(plugged_h), np.nan_to_num(plugged_h), 0.0)
    days, index = np.unique(ledger.rows.local.day, return_inverse=True)
    by_day = [
        np.bincount(index, weights=known_h * share, minlength=len(days)).tolist()
        for share in (np.ones(len(soc)), soc > HIGH_SOC, soc > HIGHEST_SOC)
    ]
    found: dict[str, tuple[float, float, float]] = {}
    for day, *more in zip(days.tolist(), *by_day, strict=True):
        name = period_name(day, "month")
        known, high, highest = found.get(name, (0.0, 0.0, 0.0))
        found[name] = (known + more[0], high + more[1], highest + more[2])
    return found


def _soc(accounts: Accounts, ledger: Ledger, car: CarAccountSettings) -> FloatArray:
    """[R] the charge at each row's end; NaN where it is not known."""
    energy_kwh = ledger.rows.column(accounts.quarters.car(car.car_id, "energy_kwh"))
    soc: FloatArray = np.clip(energy_kwh / car.capacity_kwh, 0.0, 1.0)
    return soc


def _capacity(accounts: Accounts, ledger: Ledger, car: CarAccountSettings) -> Capacity:
    """By the source that told more: the charger, or the car's own service. Of the last year."""
    from_unix_s = ledger.until_unix_s - _SPAN_S
    spans = [
        (stay.since_unix_s, stay.until_unix_s)
        for stay in ledger.stays
        if stay.car_id == car.car_id and stay.since_unix_s >= from_unix_s
    ]
    found = []
    for key, told in accounts.socs(car.car_id):
        imported, exported = ledger.curves.get(key, (None, None))
        rises = soc_rises(told, spans, imported, exported)
        found.append(estimated_capacity(rises, car.storage.charge_efficiency))
    return max(found, key=lambda capacity: capacity.charges, default=Capacity())


def _ageing(accounts: Accounts, ledger: Ledger, car: CarAccountSettings) -> Ageing | None:
    if car.cell_id is None:
        return None
    cell = CELLS[car.cell_id]
    soc = _soc(accounts, ledger, car)
    end = ledger.rows.end_unix_s
    ahead = np.zeros(len(soc))
    own = ledger.pieces.car == ledger.car_ids.index(car.car_id)
    ahead[ledger.pieces.row[own]] = ledger.at_once_ahead_kwh[own] / car.capacity_kwh
    known = np.isfinite(soc) & (end >= ledger.until_unix_s - _SPAN_S)
    if not known.any():
        return None
    time_s, soc, ahead = (values[known].astype(np.float64) for values in (end, soc, ahead))
    days = float(time_s[-1] - time_s[0]) / 86_400
    if days < HISTORY_DAYS_LEAST:
        return None
    temperature_c = np.full(len(soc), car.temperature_c)
    driving_only = np.clip(soc + ahead, 0.0, 1.0)
    since_s = time_s - time_s[0]
    losses = [
        loss.loss_percent_per_year
        for loss in wear_range(CELLS.values(), since_s, soc, temperature_c, _AGED_YEARS)
    ]
    return Ageing(
        cell_id=cell.id,
        temperature_c=car.temperature_c,
        days=days,
        split=split_loss(cell, since_s, soc, temperature_c, driving_only, _AGED_YEARS),
        lowest_percent_per_year=min(losses),
        highest_percent_per_year=max(losses),
    )
