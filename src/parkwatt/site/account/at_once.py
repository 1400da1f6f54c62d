"""What the same stays would have been if each car had only charged: at full power from plugging in, or when it was cheapest.

The car ends each stay with the energy that it really had: it charges, within the connection's limit
beside load and sun as they were, until it has gained what the stay really gained. Such a car never discharges; so
where a stay really ends with less than it began with, the difference stays in the battery that only charges, and the
next stays need that much less. Such a surplus is worth what the car paid for a kWh in its battery over the last 30 days.
It never exceeds what the battery holds: what would run over at the next arrival was charged elsewhere instead, and is
taken to have cost the same there.

Within a stay, too, what the one battery holds more than the other is counted with that price as it comes about: who charges
at once in the evening has paid, but holds what the real car still has to buy at night. So each day says what was saved on it.

*When* a stay's energy is charged is the only thing in which the two ways differ (`AtFullPower` here, `Cheapest` in
`parkwatt.site.account.smart`). Cars share the connection: who was plugged in first charges first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.site.account.pieces import IndexArray, Pieces, summed
from parkwatt.site.account.rows import Exchange, Rows
from parkwatt.site.account.settings import AccountSettings
from parkwatt.site.account.stays import StayFacts

_PAID_S: Final = 30 * 86_400
_NOTHING_KWH: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class OnlyCharged:
    """``taken_kwh``: [N] at the charger in each piece; outside of stays as it was. ``ahead_kwh``: [N] by how much more the
    battery would hold at each piece's end. ``stored_worth``: [N] by how much the worth of what the real battery holds more
    (+) or less (−) than that one changed in each piece; the sum of a stay is the same for every way of only charging.
    """

    taken_kwh: FloatArray
    ahead_kwh: FloatArray
    stored_worth: FloatArray


@dataclass(slots=True)
class _Surplus:
    """What the battery that only charges holds more."""

    energy_kwh: float = 0.0
    worth: float = 0.0

    def put(self, energy_kwh: float, price_per_kwh: float) -> float:
        """More is left in it; returns its worth."""
        self.energy_kwh += energy_kwh
        self.worth += energy_kwh * price_per_kwh
        return energy_kwh * price_per_kwh

    def use(self, energy_kwh: float) -> float:
        """Some is used; returns its worth."""
        if self.energy_kwh <= _NOTHING_KWH:
            self.energy_kwh = self.worth = 0.0
            return 0.0
        worth = self.worth * min(energy_kwh / self.energy_kwh, 1.0)
        self.energy_kwh = max(self.energy_kwh - energy_kwh, 0.0)
        self.worth -= worth
        return worth


class _Paid:
    """What one car paid for the energy in its battery over the last 30 days."""

    def __init__(self, pieces: Pieces, car: int, cost: FloatArray, battery_kwh: FloatArray) -> None:
        mine = pieces.car == car
        self._start = pieces.start_unix_s[mine]
        self._cost = np.concatenate([[0.0], np.cumsum(cost[mine])])
        self._battery_kwh = np.concatenate([[0.0], np.cumsum(battery_kwh[mine])])

    def price_per_kwh(self, until_unix_s: int) -> float | None:
        """Per kWh in the battery; None where none was charged."""
        bounds = np.array([until_unix_s - _PAID_S, until_unix_s])
        first, last = np.searchsorted(self._start, bounds).tolist()
        energy_kwh = float(self._battery_kwh[last] - self._battery_kwh[first])
        if energy_kwh <= 0.1:
            return None
        return float(self._cost[last] - self._cost[first]) / energy_kwh


class Way(Protocol):
    """When a stay's energy is charged."""

    def take(self, row: IndexArray, hours: FloatArray, need_kwh: float, car: Storage) -> FloatArray:
        """[n] what is charged in each of a stay's pieces; ``row``, ``hours``: [n] of them; all ``need_kwh`` in any case."""


@dataclass(slots=True)
class AtFullPower:
    """At once. ``left_kwh``: [R] what may be charged beside load, sun and the cars that came first."""

    left_kwh: FloatArray

    def take(self, row: IndexArray, hours: FloatArray, need_kwh: float, car: Storage) -> FloatArray:
        """At full power through these pieces until ``need_kwh`` are taken; what has no room is put at the end."""
        until = np.minimum(np.cumsum(most_kwh(self.left_kwh[row], hours, car)), need_kwh)
        taken: FloatArray = np.diff(until, prepend=0.0)
        taken[-1] += need_kwh - until[-1]
        np.subtract.at(self.left_kwh, row, taken)
        return taken


def most_kwh(left_kwh: FloatArray, hours: FloatArray, car: Storage) -> FloatArray:
    """[n] what a car can charge in pieces in which the connection leaves so much."""
    most: FloatArray = np.minimum(car.charge_kw_max * hours, np.maximum(left_kwh, 0.0))
    return np.where(most < car.charge_kw_min * hours, 0.0, most)


def only_charged(
    way: Way,
    settings: AccountSettings,
    rows: Rows,
    pieces: Pieces,
    stays: Sequence[StayFacts],
    came_with_kwh: Sequence[float | None],
    car_ids: Sequence[str],
    cost: FloatArray,
    until_unix_s: int,
) -> OnlyCharged:
    """All stays, had the cars only charged, in this way.

    ``stays``: in order of their beginning, with what the battery held then.
    ``cost``: [N] what was really paid for each piece's charge.
    """
    taken = pieces.in_kwh - pieces.out_kwh
    ahead = np.zeros(len(taken))
    stored = np.zeros(len(taken))
    surplus = {car_id: _Surplus() for car_id in car_ids}
    paid: dict[str, _Paid] = {}
    for index, own in _by_stay(pieces, len(stays)):
        stay = stays[index]
        car = settings.car(stay.car_id)
        if car is None or not len(own):
            continue  # a car that the site's file does not name: as it was
        storage, held = car.storage, surplus[stay.car_id]
        gains = (
            pieces.in_kwh[own] * storage.charge_efficiency
            - pieces.out_kwh[own] / storage.discharge_efficiency
        )
        gained_kwh = float(gains.sum())
        _run_over(held, came_with_kwh[index], car.capacity_kwh)
        before_kwh = held.energy_kwh
        if stay.car_id not in paid:
            battery_kwh = pieces.in_kwh * storage.charge_efficiency
            paid[stay.car_id] = _Paid(pieces, car_ids.index(stay.car_id), cost, battery_kwh)
        price_per_kwh = paid[stay.car_id].price_per_kwh(int(pieces.end_unix_s[own[-1]]))
        if price_per_kwh is None:
            bought = rows.import_price_per_kwh[pieces.row[own]]
            price_per_kwh = float(bought.mean()) / storage.charge_efficiency
        if gained_kwh < 0:
            in_the_end = -held.put(-gained_kwh, price_per_kwh)
            need_kwh = 0.0
        else:
            need_kwh = max(gained_kwh - before_kwh, 0.0) / storage.charge_efficiency
            in_the_end = held.use(min(gained_kwh, before_kwh))
        end = stay.end_unix_s
        start_unix_s = np.maximum(pieces.start_unix_s[own], stay.since_unix_s)
        end_unix_s = np.minimum(pieces.end_unix_s[own], until_unix_s if end is None else end)
        hours = np.maximum(end_unix_s - start_unix_s, 0) / 3600.0
        taken[own] = way.take(pieces.row[own], hours, need_kwh, storage)
        ahead[own] = before_kwh + np.cumsum(taken[own] * storage.charge_efficiency - gains)
        worth = (before_kwh - ahead[own]) * price_per_kwh
        worth[-1] = in_the_end
        stored[own] = np.diff(worth, prepend=0.0)
    return OnlyCharged(taken, ahead, stored)


def _run_over(held: _Surplus, energy_kwh: float | None, capacity_kwh: float) -> None:
    """At the arrival the battery that only charges holds at most its capacity."""
    if energy_kwh is not None:
        over_kwh = held.energy_kwh - max(capacity_kwh - energy_kwh, 0.0)
        if over_kwh > 0:
            held.use(over_kwh)


def room_kwh(
    settings: AccountSettings, rows: Rows, exchanged: Exchange, pieces: Pieces
) -> FloatArray:
    """[R] what the connection's limit leaves beside load and sun; endless where nothing limits it, or they are not known."""
    left = np.full(len(rows.start_unix_s), np.inf)
    if settings.import_limit_kw is None:
        return left
    cars = summed(pieces.row, pieces.in_kwh - pieces.out_kwh, len(left))
    base = exchanged.import_kwh - exchanged.export_kwh - cars
    return np.where(exchanged.known, settings.import_limit_kw * rows.hours - base, left)


def _by_stay(pieces: Pieces, stay_count: int) -> list[tuple[int, IndexArray]]:
    """Each stay with its pieces in order of time."""
    order = np.argsort(pieces.stay, kind="stable")
    sorted_stay, indices = pieces.stay[order], np.arange(stay_count)
    first = np.searchsorted(sorted_stay, indices, side="left").tolist()
    last = np.searchsorted(sorted_stay, indices, side="right").tolist()
    return [(index, order[first[index] : last[index]]) for index in range(stay_count)]
