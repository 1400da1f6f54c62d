"""Everything valued: each piece of time of each car with its energy, money and wear, and each stay with its promise.

Computed as a whole from the facts, in arrays; a year takes a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.site.account.at_once import AtFullPower, OnlyCharged, Way, only_charged, room_kwh
from parkwatt.site.account.curve import Curve, interval_curve, register_curve, shaped
from parkwatt.site.account.money import bill_change, row_money
from parkwatt.site.account.pieces import Pieces, Point, cut, joined, summed
from parkwatt.site.account.quarters import QUARTER_S, Quarters
from parkwatt.site.account.readings import IntervalEnergies, PointReadings, Readings
from parkwatt.site.account.rows import Exchange, Rows, exchange, make_rows
from parkwatt.site.account.settings import AccountSettings
from parkwatt.site.account.smart import Cheapest
from parkwatt.site.account.stays import (
    StayAccount,
    StayFacts,
    floor_broken,
    lowest_kwh,
    promise_of,
)
from parkwatt.site.guard.state import point_key

# Above what any settings say by so much, and at least so much, a register did not move: chargers do more than cars' files tell.
_POWER_FACTOR: Final = 4.0
_POWER_KW_LEAST: Final = 50.0
# Registers of the last hour may still come.
_LATE_S: Final = 3600
_NOTHING_KWH: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """``pieces`` with [N] each: ``columns``, by name, what they add to the sums. ``stays``: in order of their beginning, by the
    index in a piece. ``car_ids``: by the index in a piece.

    ``curves``: by connection point, what went in and out by its registers. ``at_once_ahead_kwh``: [N] by how much more the
    battery would hold at each piece's end, had it been charged at once. ``restart_counts``: by car, how often a register of
    its charger began anew. ``until_unix_s``: what comes later is not accounted yet.
    """

    settings: AccountSettings
    rows: Rows
    exchanged: Exchange
    pieces: Pieces
    columns: Mapping[str, FloatArray]
    stays: tuple[StayAccount, ...]
    car_ids: tuple[str, ...]
    curves: Mapping[str, tuple[Curve | None, Curve | None]]
    at_once_ahead_kwh: FloatArray
    restart_counts: Mapping[str, int]
    from_unix_s: int
    until_unix_s: int

    @property
    def day(self) -> TimeArray:
        """[N] the local day of each piece, since 1970-01-01."""
        day: TimeArray = self.rows.local.day[self.pieces.row]
        return day


def make_ledger(
    settings: AccountSettings,
    quarters: Quarters,
    points: Mapping[str, PointReadings],
    stays: Sequence[StayFacts],
    now_unix_s: int,
) -> Ledger:
    """The ledger of all facts known at ``now``."""
    stays = sorted(stays, key=lambda stay: (stay.since_unix_s, stay.stay_id))
    until_unix_s = max(quarters.end_unix_s, (now_unix_s - _LATE_S) // QUARTER_S * QUARTER_S)
    car_ids = _car_ids(settings, quarters, stays)
    curves = {
        key: _curves(settings, key, points.get(key), quarters) for key in _keys(settings, stays)
    }
    all_curves = [curve for pair in curves.values() for curve in pair if curve is not None]
    rows = make_rows(quarters, all_curves, until_unix_s, settings.time_zone)
    pieces = _pieces(settings, rows, quarters, curves, stays, car_ids)
    taken = pieces.in_kwh - pieces.out_kwh
    cars_kwh = summed(pieces.row, taken, len(rows.start_unix_s))
    exchanged = exchange(rows, quarters, cars_kwh)
    columns = _valued(settings, rows, exchanged, pieces, cars_kwh, car_ids)
    came_with = [_came_with_kwh(settings, stay, curves) for stay in stays]
    room = room_kwh(settings, rows, exchanged, pieces)

    def charging(way: Way) -> OnlyCharged:
        paid = columns["cost_charged"]
        return only_charged(
            way, settings, rows, pieces, stays, came_with, car_ids, paid, until_unix_s
        )

    at_once = charging(AtFullPower(room.copy()))
    smart = charging(Cheapest(rows, exchanged, cars_kwh, room.copy()))
    for name, charged in (("at_once", at_once), ("smart", smart)):
        columns[f"{name}_kwh"] = charged.taken_kwh
        columns[f"{name}_cost"] = _cost_of(rows, exchanged, pieces, cars_kwh, charged)
    columns["stored_worth"] = at_once.stored_worth
    columns["smart_stored_worth"] = smart.stored_worth
    columns["wear_cost"] = _wear(settings, rows, quarters, pieces, car_ids, at_once)
    columns["smart_wear_cost"] = _wear(settings, rows, quarters, pieces, car_ids, smart)
    stored = summed(pieces.stay + 1, at_once.stored_worth, len(stays) + 1)[1:]
    return Ledger(
        settings=settings,
        rows=rows,
        exchanged=exchanged,
        pieces=pieces,
        columns=columns,
        stays=tuple(_stay_accounts(settings, stays, came_with, stored, until_unix_s)),
        car_ids=car_ids,
        curves=curves,
        at_once_ahead_kwh=at_once.ahead_kwh,
        restart_counts=_restart_counts(settings, curves),
        from_unix_s=int(rows.start_unix_s[0]) if len(rows.start_unix_s) else until_unix_s,
        until_unix_s=until_unix_s,
    )


def _car_ids(
    settings: AccountSettings, quarters: Quarters, stays: Sequence[StayFacts]
) -> tuple[str, ...]:
    named = (car.car_id for car in settings.cars)
    return tuple(dict.fromkeys((*named, *quarters.car_ids, *(stay.car_id for stay in stays))))


def _keys(settings: AccountSettings, stays: Sequence[StayFacts]) -> tuple[str, ...]:
    """The connection points that a car hangs on, or hung on."""
    now = [point_key(car.charger_id, car.evse_id) for car in settings.cars]
    return tuple(dict.fromkeys((*now, *(_stay_key(settings, stay) for stay in stays))))


def _stay_key(settings: AccountSettings, stay: StayFacts) -> str:
    if stay.began is not None:
        return point_key(stay.began.charger_id, stay.began.evse_id)
    car = settings.car(stay.car_id)
    return "" if car is None else point_key(car.charger_id, car.evse_id)


def _car_of(settings: AccountSettings, key: str) -> str | None:
    for car in settings.cars:
        if point_key(car.charger_id, car.evse_id) == key:
            return car.car_id
    return None


def _power_kw_max(settings: AccountSettings, key: str) -> float:
    """More than the charger can move."""
    car = settings.car(_car_of(settings, key) or "")
    if car is None:
        return _POWER_FACTOR * _POWER_KW_LEAST
    most_kw = max(car.storage.charge_kw_max, car.storage.discharge_kw_max)
    return max(_POWER_FACTOR * most_kw, _POWER_KW_LEAST)


def _curves(
    settings: AccountSettings, key: str, point: PointReadings | None, quarters: Quarters
) -> tuple[Curve | None, Curve | None]:
    """What went in and out at a connection point; None where its meter told nothing."""
    if point is None:
        return None, None
    power_kw_max = _power_kw_max(settings, key)
    start = quarters.start_unix_s
    end = start + quarters.duration_s
    car_id = _car_of(settings, key) or ""

    def curve(readings: Readings, intervals: IntervalEnergies, name: str) -> Curve | None:
        found = register_curve(readings, power_kw_max)
        if not found.known:
            found = interval_curve(intervals)
        if not found.known:
            return None
        return shaped(found, start, end, quarters.car(car_id, name), power_kw_max)

    return (
        curve(point.imported, point.import_intervals, "in_kwh"),
        curve(point.exported, point.export_intervals, "out_kwh"),
    )


def _pieces(
    settings: AccountSettings,
    rows: Rows,
    quarters: Quarters,
    curves: Mapping[str, tuple[Curve | None, Curve | None]],
    stays: Sequence[StayFacts],
    car_ids: tuple[str, ...],
) -> Pieces:
    car_index = {car_id: index for index, car_id in enumerate(car_ids)}
    by_key: dict[str, list[int]] = {key: [] for key in curves}
    for index, stay in enumerate(stays):
        by_key[_stay_key(settings, stay)].append(index)
    parts = []
    for key, own in by_key.items():
        imported, exported = curves[key]
        car_id = _car_of(settings, key) or (stays[own[-1]].car_id if own else car_ids[0])
        point = Point(
            imported,
            exported,
            car_index[car_id],
            tuple(own),
            rows.column(quarters.car(car_id, "in_kwh")),
            rows.column(quarters.car(car_id, "out_kwh")),
        )
        parts.append(cut(rows, point, stays, car_index))
    return joined(parts)


def _valued(
    settings: AccountSettings,
    rows: Rows,
    exchanged: Exchange,
    pieces: Pieces,
    cars_kwh: FloatArray,
    car_ids: tuple[str, ...],
) -> dict[str, FloatArray]:
    """Energy and money of each piece as it was."""
    money = row_money(rows, exchanged, cars_kwh)
    row, taken, given = pieces.row, pieces.in_kwh, pieces.out_kwh
    price = money.price_per_kwh[row]
    moved = taken + given
    to_grid = given * money.grid_share[row]
    told = pieces.told_in_kwh + pieces.told_out_kwh
    charge, discharge = _efficiencies(settings, car_ids)
    return {
        "in_kwh": taken,
        "out_kwh": given,
        "battery_in_kwh": taken * charge[pieces.car],
        "battery_out_kwh": given / discharge[pieces.car],
        "cost_charged": taken * price,
        "worth_discharged": given * price,
        "from_sun_kwh": taken * money.sun_share[row],
        "to_grid_kwh": to_grid,
        "to_home_kwh": given - to_grid,
        "guessed_kwh": pieces.guessed_kwh,
        "unmetered_kwh": np.where(exchanged.known[row], 0.0, moved),
        "unpriced_kwh": np.where(rows.known_price[row], 0.0, moved),
        "told_kwh": np.nan_to_num(told),
        "checked_kwh": np.where(np.isfinite(told), moved, 0.0),
    }


def _efficiencies(
    settings: AccountSettings, car_ids: tuple[str, ...]
) -> tuple[FloatArray, FloatArray]:
    """By car, of charging and discharging; 1 for a car that the site's file does not name."""
    charge, discharge = np.ones(len(car_ids)), np.ones(len(car_ids))
    for index, car_id in enumerate(car_ids):
        car = settings.car(car_id)
        if car is not None:
            charge[index] = car.storage.charge_efficiency
            discharge[index] = car.storage.discharge_efficiency
    return charge, discharge


def _cost_of(
    rows: Rows, exchanged: Exchange, pieces: Pieces, cars_kwh: FloatArray, charged: OnlyCharged
) -> FloatArray:
    """[N] what only charging would have cost: bill(cars charged so) − bill(no cars)."""
    taken = summed(pieces.row, charged.taken_kwh, len(cars_kwh))
    cost = bill_change(rows, exchanged, taken - cars_kwh) - bill_change(rows, exchanged, -cars_kwh)
    some = np.abs(taken) > _NOTHING_KWH
    price = np.where(some, cost / np.where(some, taken, 1.0), 0.0)
    result: FloatArray = price[pieces.row] * charged.taken_kwh
    return result


def _wear(
    settings: AccountSettings,
    rows: Rows,
    quarters: Quarters,
    pieces: Pieces,
    car_ids: tuple[str, ...],
    charged: OnlyCharged,
) -> FloatArray:
    """[N] wear beyond that of only charging so: of what left the battery, and of standing charged."""
    wear = np.zeros(len(pieces.row))
    for index, car_id in enumerate(car_ids):
        car = settings.car(car_id)
        if car is None:
            continue
        storage, own = car.storage, pieces.car == index
        wear[own] = pieces.out_kwh[own] / storage.discharge_efficiency * storage.wear_price_per_kwh
        if storage.holding_price_per_kwh_h > 0:
            row = pieces.row[own]
            energy_kwh = rows.column(quarters.car(car_id, "energy_kwh"))[row]
            plugged_h = rows.column(quarters.car(car_id, "plugged_s"))[row] / 3600.0
            share = (pieces.end_unix_s - pieces.start_unix_s)[own] / 3600.0 / rows.hours[row]
            ahead_kwh = np.minimum(energy_kwh + charged.ahead_kwh[own], car.capacity_kwh)
            above = np.maximum(energy_kwh - storage.holding_from_kwh, 0.0)
            above_then = np.maximum(ahead_kwh - storage.holding_from_kwh, 0.0)
            held = (above - above_then) * plugged_h * share * storage.holding_price_per_kwh_h
            wear[own] += np.nan_to_num(held)
    return wear


def _came_with_kwh(
    settings: AccountSettings,
    stay: StayFacts,
    curves: Mapping[str, tuple[Curve | None, Curve | None]],
) -> float | None:
    """What was in the battery when the car came: as it was told then, or told first, less what had moved until then."""
    if stay.began is not None and stay.began.energy_kwh is not None:
        return stay.began.energy_kwh
    car = settings.car(stay.car_id)
    if stay.first_kwh is None or car is None:
        return None
    times = np.array([stay.since_unix_s, max(stay.first_unix_s, stay.since_unix_s)], dtype=np.int64)
    gained_kwh, lost_kwh = (
        0.0 if curve is None else float(np.diff(curve.until(times))[0])
        for curve in curves[_stay_key(settings, stay)]
    )
    storage = car.storage
    began_kwh = stay.first_kwh - gained_kwh * storage.charge_efficiency
    return min(max(began_kwh + lost_kwh / storage.discharge_efficiency, 0.0), car.capacity_kwh)


def _stay_accounts(
    settings: AccountSettings,
    stays: Sequence[StayFacts],
    came_with_kwh: Sequence[float | None],
    stored_worth: FloatArray,
    until_unix_s: int,
) -> list[StayAccount]:
    left_with: dict[str, float | None] = {}
    found = []
    for index, stay in enumerate(stays):
        car, end = settings.car(stay.car_id), stay.end_unix_s
        came_with = came_with_kwh[index]
        before = left_with.get(stay.car_id)
        driven = None if before is None or came_with is None else max(before - came_with, 0.0)
        left = None if stay.ended is None else stay.ended.energy_kwh
        left_with[stay.car_id] = left
        found.append(
            StayAccount(
                stay_id=stay.stay_id,
                car_id=stay.car_id,
                since_unix_s=stay.since_unix_s,
                until_unix_s=max(until_unix_s, stay.since_unix_s) if end is None else end,
                ended=end is not None,
                energy_kwh_begin=came_with,
                energy_kwh_end=left,
                energy_kwh_lowest=lowest_kwh(stay),
                floor_kwh=stay.floor_kwh,
                floor_broken=None if car is None else floor_broken(stay, car.capacity_kwh),
                promise=None if stay.ended is None else promise_of(stay.ended),
                risks=tuple(stay.risks),
                driven_kwh=driven,
                stored_worth=float(stored_worth[index]),
            )
        )
    return found


def _restart_counts(
    settings: AccountSettings, curves: Mapping[str, tuple[Curve | None, Curve | None]]
) -> dict[str, int]:
    counts = {}
    for key, pair in curves.items():
        car_id = _car_of(settings, key)
        count = sum(curve.restart_count for curve in pair if curve is not None)
        if car_id is not None and count:
            counts[car_id] = count
    return counts
