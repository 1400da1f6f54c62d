"""Many virtual cars in arrays: chargers that answer late, tell their meters now and then, leave, refuse and lie.

For pools that are too large for a socket a car. What a charger does with a set-point is the model of `parkwatt.io.sim.car` in
short: it begins after a while, moves at its own pace, stops at its battery's ends, and falls back to charging for its driver
when its lease is over.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.int64]

_HOUR_S: Final = 3600.0
# A battery that is nearly full takes less; without it, all would stop at once.
_LAST_KWH: Final = 0.05


class Conduct(IntEnum):
    """What a charger does with what it is told."""

    OBEYS = 0
    REFUSES = 1
    LIES = 2


class PoolModel(NamedTuple):
    """N cars; arrays [N]. ``delay_s``: until a charger begins to move; ``pace_kw_per_s``: how fast; ``told_every_s``: how
    often its meter is heard of; ``reads_late_s``: how old a reading is by then; ``noise_share``: of its readings.
    ``leaves_s``: when it is unplugged, infinite: never. ``driver_kw``: what it charges with when nobody tells it anything.
    """

    energy_kwh: FloatArray
    full_kwh: FloatArray
    charge_kw_max: FloatArray
    discharge_kw_max: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    driver_kw: FloatArray
    conduct: NDArray[np.int8]
    delay_s: FloatArray
    pace_kw_per_s: FloatArray
    told_every_s: FloatArray
    reads_late_s: float
    noise_share: float
    leaves_s: FloatArray


class Readings(NamedTuple):
    """What a pool hears: the newest reading of each car, NaN: none; when it was measured; who is plugged in; the pool's
    meter.
    """

    power_kw: FloatArray
    read_s: FloatArray
    present: BoolArray
    pool_kw: float


class VirtualPool:
    """The cars of a model, from ``now_s`` on; all chance comes from ``rng``."""

    def __init__(self, model: PoolModel, rng: np.random.Generator, now_s: float = 0.0) -> None:
        self.model = model
        self.now_s = now_s
        self.energy_kwh = model.energy_kwh.copy()
        self.true_kw = self._possible(model.driver_kw)
        self._rng = rng
        count = len(model.energy_kwh)
        self._told_kw = np.full(count, np.nan)
        self._acts_s = np.full(count, np.inf)
        self._acts_kw = np.full(count, np.nan)
        self._lease_until_s = np.full(count, -np.inf)
        self._holds_kw = np.full(count, np.nan)
        # Chargers that answer the frequency of their own: how much each adds at a share of 1, told and in force.
        self._reserve_kw, self._acts_reserve_kw = np.zeros(count), np.zeros(count)
        self._share = 0.0
        self._read_kw = np.full(count, np.nan)
        self._read_s = np.full(count, -np.inf)
        self._tells_s = now_s + rng.random(count) * model.told_every_s

    @property
    def present(self) -> BoolArray:
        """[N] who is plugged in."""
        return self.model.leaves_s > self.now_s

    def tell(
        self,
        index: IndexArray,
        power_kw: FloatArray,
        lease_s: float,
        reserve_kw: FloatArray | None = None,
    ) -> None:
        """Set-points for cars ``index`` [M]; one that is under way is replaced, and does not begin later for it.

        ``reserve_kw`` [M]: how much a charger that measures the frequency adds to its set-point at a share of 1 (OCPP 2.1
        LocalFrequency with a baseline and a curve).
        """
        self._told_kw[index] = power_kw
        self._acts_reserve_kw[index] = 0.0 if reserve_kw is None else reserve_kw
        self._lease_until_s[index] = self.now_s + lease_s
        idle = index[~np.isfinite(self._acts_s[index])]
        self._acts_s[idle] = self.now_s + self.model.delay_s[idle]
        self._acts_kw[index] = power_kw

    def advance(self, seconds: float, share: float = 0.0) -> None:
        """Let time pass in steps of at most a second. ``share``: what the curve says at the frequency that chargers measure."""
        self._share = share
        steps = max(1, int(np.ceil(seconds)))
        for _ in range(steps):
            self._advance(seconds / steps)

    def _advance(self, step_s: float) -> None:
        model = self.model
        self.now_s += step_s
        acts = self._acts_s <= self.now_s
        self._holds_kw[acts] = self._acts_kw[acts]
        self._reserve_kw[acts] = self._acts_reserve_kw[acts]
        self._acts_s[acts] = np.inf
        led = (model.conduct == Conduct.OBEYS) & (self._lease_until_s > self.now_s)
        led &= ~np.isnan(self._holds_kw)
        holds_kw = self._holds_kw + self._share * self._reserve_kw
        wanted_kw = self._possible(np.where(led, holds_kw, model.driver_kw))
        move_kw = np.clip(
            wanted_kw - self.true_kw, -model.pace_kw_per_s * step_s, model.pace_kw_per_s * step_s
        )
        self.true_kw = np.where(self.present, self._possible(self.true_kw + move_kw), 0.0)
        into = np.maximum(self.true_kw, 0.0) * model.charge_efficiency
        out_of = np.maximum(-self.true_kw, 0.0) / model.discharge_efficiency
        self.energy_kwh += (into - out_of) * step_s / _HOUR_S
        self._read(self._tells_s <= self.now_s)

    def _possible(self, power_kw: FloatArray) -> FloatArray:
        """Within what charger and battery can."""
        model = self.model
        room_kw = (
            np.maximum(model.full_kwh - self.energy_kwh, 0.0) / _LAST_KWH * model.charge_kw_max
        )
        left_kw = np.maximum(self.energy_kwh, 0.0) / _LAST_KWH * model.discharge_kw_max
        most_kw = np.minimum(model.charge_kw_max, room_kw)
        return np.clip(power_kw, -np.minimum(model.discharge_kw_max, left_kw), most_kw)

    def _read(self, tells: BoolArray) -> None:
        """Readings as chargers tell them: a liar tells what it was asked for."""
        model, count = self.model, int(tells.sum())
        if not count:
            return
        noisy_kw = self.true_kw[tells] * (
            1.0 + model.noise_share * self._rng.standard_normal(count)
        )
        lies = (model.conduct[tells] == Conduct.LIES) & ~np.isnan(self._told_kw[tells])
        self._read_kw[tells] = np.where(lies, self._told_kw[tells], noisy_kw)
        self._read_s[tells] = self.now_s - model.reads_late_s
        self._tells_s[tells] += model.told_every_s[tells]

    def readings(self) -> Readings:
        """What is heard now. The pool's meter knows what really flows."""
        return Readings(
            self._read_kw.copy(), self._read_s.copy(), self.present, float(self.true_kw.sum())
        )


def virtual_pool(
    count: int,
    rng: np.random.Generator,
    *,
    leave: float,
    refuse: float,
    lie: float,
    leave_within_s: float,
) -> PoolModel:
    """A believable evening's pool of ``count`` cars: 40–100 kWh, 7.4 or 11 kW both ways, a third full to nearly full.

    ``leave``, ``refuse``, ``lie``: shares of them; who leaves does so within ``leave_within_s`` seconds. Delays of chargers are
    lognormal (median 1.2 s, one in twenty above 3 s): no field data on them was found in the open, so they are an assumption.
    """
    full = rng.uniform(40.0, 100.0, count)
    charge = rng.choice([7.4, 11.0], count)
    drawn = rng.random(count)
    conduct = np.where(
        drawn < refuse, Conduct.REFUSES, np.where(drawn < refuse + lie, Conduct.LIES, Conduct.OBEYS)
    )
    leaves = np.where(rng.random(count) < leave, rng.random(count) * leave_within_s, np.inf)
    energy = full * rng.beta(4.0, 2.5, count)
    return PoolModel(
        energy_kwh=energy,
        full_kwh=full,
        charge_kw_max=charge,
        discharge_kw_max=charge.copy(),
        charge_efficiency=np.full(count, 0.93),
        discharge_efficiency=np.full(count, 0.93),
        driver_kw=np.where(rng.random(count) < 0.3, charge, 0.0),
        conduct=conduct.astype(np.int8),
        delay_s=np.minimum(rng.lognormal(np.log(1.2), 0.55, count), 8.0),
        pace_kw_per_s=rng.uniform(2.0, 11.0, count),
        told_every_s=rng.choice([2.0, 5.0, 10.0], count),
        reads_late_s=0.3,
        noise_share=0.004,
        leaves_s=leaves,
    )
