"""The energy balance of a home without the grid, for many variants and courses at once.

In each step of h hours, for each variant (what is on) and course (of load and sun):

    load + standby = sun used + generator + Σ batteries,    battery: e −= p·h / η,  e += charge·h·η_charge

- The sun comes first, then the generator if it runs, then the batteries: those that leave first. What the sun and a
  running generator give beyond that charges batteries that may be charged, up to their capacity; the rest is curtailed.
- No battery goes below what it must keep. Its power is limited; where all that are there lack the power and not the energy,
  the excess is not served: shedding, not time, is the answer to that.
- A home with no battery there is dark and draws nothing: *for an absence* where a car is away that comes back, else for lack
  of energy. In a step in which energy runs out it is dark from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.home.runtime.battery import Generator
from parkwatt.home.runtime.supply import Supply, back_kwh

BoolArray = NDArray[np.bool_]
_ENOUGH_KWH: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """What came of V variants in N courses; all [V, N], hours and kWh at the home's side.

    ``lasted_h``: served until energy first ran out. ``reached``: it never did.
    ``dark_h``: dark for lack of energy, in the whole forecast.
    ``away_h``: dark for an absence before energy first ran out. ``left_kwh``: in the batteries, at the end.
    ``served_kwh``, ``sun_used_kwh``, ``generated_kwh``, ``lost_kwh`` (standby and conversion), ``driven_kwh`` (net taken by
    trips): the balance of the whole forecast.
    """

    lasted_h: FloatArray
    reached: BoolArray
    dark_h: FloatArray
    away_h: FloatArray
    left_kwh: FloatArray
    served_kwh: FloatArray
    sun_used_kwh: FloatArray
    generated_kwh: FloatArray
    lost_kwh: FloatArray
    driven_kwh: FloatArray


class Balance:
    """Runs variants through time.

    ``supplies``: in the order in which they are emptied. ``keeps`` [V]: whether a variant keeps what drivers need.
    """

    def __init__(
        self,
        supplies: Sequence[Supply],
        step_h: FloatArray,
        standby_kw: float,
        keeps: BoolArray,
        course_count: int,
        generator: Generator | None = None,
    ) -> None:
        self._supplies = supplies
        self._step_h = step_h
        self._standby_kw = standby_kw
        self._keeps = keeps[:, np.newaxis]
        shape = (len(keeps), course_count)
        self._energy = [np.full(shape, one.battery.energy_kwh) for one in supplies]
        self._generator = generator
        self._fuel = np.full(shape, generator.fuel_kwh if generator else 0.0)
        self._runs = np.zeros(shape, dtype=np.bool_)
        self._warm_h = np.zeros(shape)
        self._alive = np.ones(shape, dtype=np.bool_)
        self._lasted, self._dark, self._away = (np.zeros(shape) for _ in range(3))
        self._served, self._sun, self._generated = (np.zeros(shape) for _ in range(3))
        self._driven = np.zeros(shape)

    def run(
        self, load_kw: FloatArray, solar_kw: FloatArray, *, until_dark: bool = False
    ) -> Courses:
        """``load_kw``: [T, V, N] of the circuits that are on; ``solar_kw``: [T, N].

        ``until_dark``: stop when energy has run out in all of them; only ``lasted_h`` and ``away_h`` are of the whole then.
        """
        begun = sum(self._energy)
        for step in range(len(self._step_h)):
            self._come_back(step)
            self._step(step, load_kw[step], solar_kw[step])
            if until_dark and not self._alive.any():
                break
        left = np.asarray(sum(self._energy))
        lost = begun + self._sun + self._generated - left - self._served - self._driven
        return Courses(
            lasted_h=self._lasted,
            reached=self._alive,
            dark_h=self._dark,
            away_h=self._away,
            left_kwh=left,
            served_kwh=self._served,
            sun_used_kwh=self._sun,
            generated_kwh=self._generated,
            lost_kwh=np.asarray(lost),
            driven_kwh=self._driven,
        )

    def _come_back(self, step: int) -> None:
        for number, supply in enumerate(self._supplies):
            absence = supply.returns[step]
            if absence is not None:
                back = back_kwh(supply.battery, absence, self._energy[number])
                self._driven += self._energy[number] - back
                self._energy[number] = back

    def _step(self, step: int, load_kw: FloatArray, solar_kw: FloatArray) -> None:
        hours = float(self._step_h[step])
        here = [number for number, one in enumerate(self._supplies) if one.is_here[step]]
        if not here:
            awaited = any(one.comes_back[step] for one in self._supplies)
            if awaited:
                self._away += np.where(self._alive, hours, 0.0)
            else:
                self._dark += hours
                self._alive[:] = False
            return
        wanted = (load_kw + self._standby_kw) * hours
        sun = solar_kw * hours
        usable = [self._usable(number, step) for number in here]
        generated = self._generate(step, sum(usable) - wanted + sun)
        lacks = np.maximum(wanted - sun - generated, 0.0)
        given = np.zeros_like(lacks)
        for number, energy in zip(here, usable, strict=True):
            battery = self._supplies[number].battery
            part = np.minimum(lacks - given, np.minimum(energy, battery.discharge_kw_max * hours))
            self._energy[number] = self._energy[number] - part / battery.discharge_efficiency
            given += part
        # What is short of power, not of energy, is shed.
        power_kw = sum(self._supplies[number].battery.discharge_kw_max for number in here)
        can = np.minimum(lacks, power_kw * hours)
        spent = sum(usable) - given <= _ENOUGH_KWH
        short = np.where(spent, can - given, 0.0)
        share = 1.0 - short / np.maximum(wanted - lacks + can, _ENOUGH_KWH)
        share = np.where(short <= _ENOUGH_KWH, 1.0, np.clip(share, 0.0, 1.0))
        self._lasted += np.where(self._alive, share * hours, 0.0)
        self._dark += (1.0 - share) * hours
        self._alive &= share >= 1.0
        excess = np.maximum(sun + generated - wanted, 0.0)
        stored = self._charge(here, hours, excess)
        self._account(hours, wanted, lacks - given, sun, generated, stored)

    def _usable(self, number: int, step: int) -> FloatArray:
        """kWh at the home's side above what is kept."""
        supply = self._supplies[number]
        kept = np.where(self._keeps, supply.kept_kwh[step], supply.free_kwh[step])
        usable = np.maximum(self._energy[number] - kept, 0.0) * supply.battery.discharge_efficiency
        return np.asarray(usable)

    def _generate(self, step: int, left: FloatArray) -> FloatArray:
        """kWh that the generator can give in a step, ``left`` being what the batteries would hold at its end without it."""
        generator = self._generator
        if generator is None:
            return np.zeros_like(self._fuel)
        hours = float(self._step_h[step])
        starts = ~self._runs & (left < generator.starts_below_kwh)
        self._warm_h = np.where(starts, generator.warm_up_s / 3600.0, self._warm_h)
        self._runs = (self._runs | starts) & (left < generator.stops_above_kwh) & (self._fuel > 0)
        gives_h = np.maximum(hours - self._warm_h, 0.0)
        self._warm_h = np.maximum(self._warm_h - hours, 0.0)
        gives = np.minimum(generator.power_kw_max * gives_h, self._fuel)
        return np.asarray(np.where(self._runs, gives, 0.0))

    def _charge(self, here: list[int], hours: float, excess: FloatArray) -> FloatArray:
        """kWh of ``excess`` that went into batteries; the ones that stay are charged first."""
        stored = np.zeros_like(excess)
        for number in reversed(here):
            battery = self._supplies[number].battery
            if battery.charge_kw_max == 0.0:
                continue
            room = np.maximum(battery.capacity_kwh - self._energy[number], 0.0)
            part = np.minimum(excess - stored, room / battery.charge_efficiency)
            part = np.minimum(part, battery.charge_kw_max * hours)
            self._energy[number] = self._energy[number] + part * battery.charge_efficiency
            stored += part
        return stored

    def _account(
        self,
        hours: float,
        wanted: FloatArray,
        unserved: FloatArray,
        sun: FloatArray,
        generated: FloatArray,
        stored: FloatArray,
    ) -> None:
        taken = np.minimum(sun + generated, wanted) + stored
        from_sun = np.minimum(sun, taken)
        self._sun += from_sun
        self._generated += taken - from_sun
        self._fuel -= taken - from_sun
        standby_share = self._standby_kw * hours / np.maximum(wanted, _ENOUGH_KWH)
        self._served += (wanted - unserved) * (1.0 - standby_share)
