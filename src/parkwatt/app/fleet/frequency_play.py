"""Plays virtual cars at one second through a record of the grid's frequency, led as a pool with a reserve to hold.

What leads them is what leads real ones (`parkwatt.fleet`); the cars are `parkwatt.io.sim.virtual_pool`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.fleet.dispatch.bounds import Batteries, Bounds, bounds
from parkwatt.fleet.dispatch.follow import Following, FollowSettings, Seen, begin, follow
from parkwatt.fleet.frequency.curve import Curve
from parkwatt.fleet.frequency.reserve import (
    AlertClock,
    Held,
    hold,
    holdable_kw,
    is_alert,
    watched,
)
from parkwatt.fleet.frequency.trust import begin as trusted
from parkwatt.fleet.frequency.trust import looked
from parkwatt.fleet.guard.response import ResponseGate, respond
from parkwatt.io.sim.virtual_pool import Conduct, PoolModel, VirtualPool

FloatArray = NDArray[np.float64]
# Each car's share is made anew once in this time, each at its own second.
SHARED_ANEW_S: Final = 300
_LOOKED_AT_S: Final = 30
# A little more than what was sold is kept ready: some cars are gone or refuse before anybody knows.
_AIMS_AT: Final = 1.02
# A reading is held against what was told when so much time has passed.
_JUDGED_S: Final = 20
_LOCAL_LEASE_S: Final = 900.0
_EARLY_S: Final = 600.0
_GOLDEN: Final = 0.6180339887498949


class Case(NamedTuple):
    """``frequency_hz``: [T] a value a second. ``is_local``: [N] whose charger answers of its own. ``floor_kwh``,
    ``asked_kwh``, ``ready_s``: [N] the drivers' wishes. ``planned_kw``: [N] what cars do without a reserve and a need.
    ``central_s``: how often the central loop acts; ``late_s``: how old its frequency and its meter are.
    """

    frequency_hz: FloatArray
    curve: Curve
    reserve_kw: float
    reserve_minutes: float
    model: PoolModel
    is_local: NDArray[np.bool_]
    floor_kwh: FloatArray
    asked_kwh: FloatArray
    ready_s: FloatArray
    central_s: int = 1
    late_s: int = 1


class Played(NamedTuple):
    """[T] at the end of each second, kW: what was asked for (shares), the pool's power and its base. ``is_short``: [T] the
    reserve could not have been given in full. ``energy_kwh``: [T] in all batteries that were there from beginning to end.
    ``moved_kwh``: through chargers beside the base. ``below_floor``, ``not_ready``: cars that were led below their floor, or
    left without what they asked for though they could have had it.
    """

    share: FloatArray
    power_kw: FloatArray
    base_kw: FloatArray
    is_short: NDArray[np.bool_]
    energy_kwh: FloatArray
    moved_kwh: float
    below_floor: int
    not_ready: int

    def response(self, reserve_kw: float) -> FloatArray:
        """[T] the answer as shares of a reserve."""
        return (self.power_kw - self.base_kw) / reserve_kw


def play(case: Case, rng: np.random.Generator, advance: Callable[[int], None]) -> Played:
    """Play it; ``advance`` is told of seconds that are done."""
    player = _Player(case, rng)
    for second in range(len(case.frequency_hz)):
        player.step(second)
        if second % 60 == 59:
            advance(60)
    return player.found()


class _Player:
    def __init__(self, case: Case, rng: np.random.Generator) -> None:
        self._case = case
        self._pool = VirtualPool(case.model, rng)
        count = len(case.is_local)
        self._shares = case.curve.shares(case.frequency_hz)
        self._told_s = np.full(count, -np.inf)
        self._slot = (np.arange(count) * _GOLDEN % 1.0 * SHARED_ANEW_S).astype(np.int64)
        self._reserve_kw, self._base_kw = np.zeros(count), np.zeros(count)
        self._held = Held(np.zeros(count), np.zeros(count), 0.0, 0.0)
        self._central = np.flatnonzero(~case.is_local)
        self._following: Following = begin(len(self._central))
        self._settings = FollowSettings()
        self._clock, self._gate = AlertClock(), ResponseGate()
        self._trust = trusted(count)
        self._meter_kw: list[float] = []
        self._local_kw: list[float] = []
        self._low = np.full(count, np.inf)
        self._ready = case.ready_s
        self._missed = np.zeros(count, bool)
        # Who could not make it from the beginning was not made late by the pool.
        self._able = _could(case)
        self._rows: list[tuple[float, float, float, float, float]] = []

    def step(self, second: int) -> None:
        """One second: look at the cars, share, tell, and let it pass."""
        case, pool = self._case, self._pool
        here = pool.present
        deviation_mhz = (case.frequency_hz[second] - case.curve.nominal_hz) * 1e3
        self._clock = watched(self._clock, deviation_mhz, 1.0)
        if second % _LOOKED_AT_S == 0:
            self._look(second, here)
        adopts = here & ((self._slot == second % SHARED_ANEW_S) | (second == 0))
        self._reserve_kw[adopts] = self._held.reserve_kw[adopts]
        self._base_kw[adopts] = self._held.base_kw[adopts]
        self._reserve_kw[~here] = self._base_kw[~here] = 0.0
        local = np.flatnonzero(adopts & case.is_local)
        self._told_s[local] = second
        pool.tell(local, self._base_kw[local], _LOCAL_LEASE_S, self._reserve_kw[local])
        if second % case.central_s == 0 and self._central.size:
            self._lead(second)
        pool.advance(1.0, self._shares[max(second - 1, 0)])
        self._account(second, pool.present)

    def _look(self, second: int, here: NDArray[np.bool_]) -> None:
        case = self._case
        long_s = case.reserve_minutes * 60.0 + SHARED_ANEW_S
        cars = _batteries(case, self._pool.energy_kwh, here, second)
        long = bounds(cars, hold_s=long_s, early_s=_EARLY_S)
        short = bounds(cars, hold_s=float(SHARED_ANEW_S), early_s=_EARLY_S)
        alert = is_alert(self._clock)
        planned = self._base_kw if alert else np.zeros(len(here))
        read_kw = self._judge(second, here)
        takes_part = here & self._trust.takes_part(second)
        # Who does as it likes is expected to go on with it.
        planned = np.where(takes_part, planned, np.nan_to_num(read_kw))
        wanted_kw = _AIMS_AT * case.reserve_kw
        self._held = hold(wanted_kw, planned, long, short, takes_part, restores=not alert)
        # Nobody waits for one that is out.
        self._reserve_kw[~takes_part] = 0.0
        self._base_kw[~takes_part] = np.where(here, planned, 0.0)[~takes_part]

    def _judge(self, second: int, here: NDArray[np.bool_]) -> FloatArray:
        """Hold readings against what was told; returns them."""
        heard = self._pool.readings()
        recent = self._shares[max(second - _JUDGED_S, 0) : second + 1]
        edges = self._base_kw + np.outer((recent.min(), recent.max()), self._reserve_kw)
        settled = here & self._case.is_local & (heard.read_s > self._told_s + _JUDGED_S)
        read_kw = np.where(settled, heard.power_kw, np.nan)
        self._trust = looked(self._trust, read_kw, edges[0], edges[1], float(second))
        return heard.power_kw

    def _lead(self, second: int) -> None:
        """The central loop: what cars without a curve of their own are told."""
        case, pool, rows = self._case, self._pool, self._central
        heard = pool.readings()
        late = max(second - case.late_s, 0)
        here = heard.present[rows]
        wanted_kw = _AIMS_AT * case.reserve_kw
        local_kw = float(self._reserve_kw[case.is_local].sum())
        base = self._base_kw[rows]
        # What local chargers do not hold is left to these, also where one just drove away.
        left_kw = max(wanted_kw - local_kw, 0.0)
        heard_hz = float(case.frequency_hz[late])
        self._gate, answer = respond(self._gate, heard_hz, late, left_kw, case.curve, second)
        target_kw = float(base[here].sum()) + answer.power_kw
        meter_kw = None
        if len(self._meter_kw) > case.late_s:
            # What locals should have shown by then is not for the others to follow.
            meter_kw = self._meter_kw[-case.late_s] - self._local_kw[-case.late_s]
        seen = Seen(
            heard.power_kw[rows].astype(np.float32),
            heard.read_s[rows],
            np.full(len(rows), 5.0),
            here,
            np.ones(len(rows), bool),
            case.model.driver_kw[rows].astype(np.float32),
            meter_kw,
            float(late),
        )
        within = self._within(second, rows)
        self._following, told = follow(
            self._following,
            seen,
            np.clip(base, within.low_kw, within.high_kw).astype(np.float32),
            within,
            np.maximum(self._reserve_kw[rows], 1e-3).astype(np.float32),
            target_kw,
            float(second),
            self._settings,
        )
        pool.tell(rows[told.row], told.power_kw.astype(float), self._settings.lease_s)

    def _within(self, second: int, rows: NDArray[np.int64]) -> Bounds:
        if second % _LOOKED_AT_S == 0:
            cars = _batteries(self._case, self._pool.energy_kwh, self._pool.present, second)
            short = bounds(cars, hold_s=self._settings.lease_s + _LOOKED_AT_S, early_s=_EARLY_S)
            self._short = Bounds(*(one[rows] for one in short))
        return self._short

    def _account(self, second: int, here: NDArray[np.bool_]) -> None:
        case, pool = self._case, self._pool
        local = case.is_local & here
        expected = (
            self._base_kw[local].sum()
            + self._reserve_kw[local].sum() * self._shares[max(second - 1, 0)]
        )
        self._local_kw.append(float(expected))
        power_kw = float(pool.true_kw.sum())
        self._meter_kw.append(power_kw)
        self._low = np.where(
            here & (case.model.conduct != Conduct.REFUSES),
            np.minimum(self._low, pool.energy_kwh),
            self._low,
        )
        due = here & (case.ready_s <= second + 1) & (case.ready_s > second)
        self._missed |= due & self._able & (pool.energy_kwh < case.asked_kwh - 0.05)
        self._rows.append(
            (
                float(self._shares[second]),
                power_kw,
                float(self._base_kw[here].sum()),
                self._held.missing_kw,
                float(pool.energy_kwh[np.isinf(case.model.leaves_s)].sum()),
            )
        )

    def found(self) -> Played:
        """What came of it."""
        share, power, base, missing, energy = np.array(self._rows).T
        case = self._case
        is_short = missing > (_AIMS_AT - 1.0) * case.reserve_kw + 1e-6
        moved_kwh = float(np.abs(power - base).sum()) / 3600.0
        began = np.minimum(case.model.energy_kwh, case.floor_kwh)
        below = self._low < began - 0.05
        return Played(
            share,
            power,
            base,
            is_short,
            energy,
            moved_kwh,
            int(below.sum()),
            int(self._missed.sum()),
        )


def _could(case: Case) -> NDArray[np.bool_]:
    model = case.model
    gain = model.charge_kw_max * model.charge_efficiency * case.ready_s / 3600.0
    return (model.energy_kwh + gain >= case.asked_kwh) & np.isfinite(case.ready_s)


def most_reserve_kw(case: Case) -> float:
    """What the cars of a case can hold at its beginning."""
    cars = _batteries(case, case.model.energy_kwh, np.ones(len(case.is_local), bool), 0)
    long_s = case.reserve_minutes * 60.0 + SHARED_ANEW_S
    return holdable_kw(bounds(cars, hold_s=long_s, early_s=_EARLY_S))


def _batteries(
    case: Case, energy_kwh: FloatArray, here: NDArray[np.bool_], second: int
) -> Batteries:
    model = case.model

    def single(array: FloatArray) -> NDArray[np.float32]:
        return np.asarray(array, np.float32)

    return Batteries(
        single(energy_kwh),
        single(case.floor_kwh),
        single(model.full_kwh),
        single(case.asked_kwh),
        single(np.where(case.ready_s > second, case.ready_s - second, np.inf)),
        single(np.where(here, model.charge_kw_max, 0.0)),
        single(np.where(here, model.discharge_kw_max, 0.0)),
        single(model.charge_efficiency),
        single(model.discharge_efficiency),
        np.zeros(len(here), np.float32),
    )
