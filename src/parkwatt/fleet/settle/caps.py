"""What is left of what a car may be used for: consent's and the warranty's caps, and the use that counts against them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.record import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class CapArrays:
    """[N] the caps of N cars; NaN: no such cap. Where several hold, the least of each."""

    events: FloatArray
    discharged_kwh: FloatArray
    discharging_h: FloatArray
    cycles: FloatArray
    virtual_km: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class UseArrays:
    """[N] what was used of them: events, discharged kWh and hours. ``capacity_kwh``, ``kwh_per_km``: NaN where not known."""

    events: FloatArray
    discharged_kwh: FloatArray
    discharging_h: FloatArray
    capacity_kwh: FloatArray
    kwh_per_km: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class CapsLeft:
    """[N] what is left, never below 0; infinite where nothing caps it.

    ``discharge_kwh``: the tightest of the caps in kWh, cycles and virtual kilometres.
    """

    events: FloatArray
    discharge_kwh: FloatArray
    discharging_h: FloatArray


def left_of_caps(caps: CapArrays, used: UseArrays) -> CapsLeft:
    """What is left for N cars.

    An equivalent full cycle is one capacity discharged; a virtual kilometre is ``kwh_per_km`` discharged (the idea of UNECE's
    battery durability work: what goes to the grid counts as driven). Energy counts at the meter, so losses are not added. A cap
    in cycles or kilometres of a car whose capacity or consumption is not known leaves nothing: it cannot be shown to hold.
    """
    by_cycles = _in_kwh(caps.cycles, used.capacity_kwh)
    by_km = _in_kwh(caps.virtual_km, used.kwh_per_km)
    cap_kwh = np.minimum(np.minimum(_endless(caps.discharged_kwh), by_cycles), by_km)
    return CapsLeft(
        np.maximum(_endless(caps.events) - used.events, 0.0),
        np.maximum(cap_kwh - used.discharged_kwh, 0.0),
        np.maximum(_endless(caps.discharging_h) - used.discharging_h, 0.0),
    )


def _endless(cap: FloatArray) -> FloatArray:
    return np.where(np.isnan(cap), np.inf, cap)


def _in_kwh(cap: FloatArray, each_kwh: FloatArray) -> FloatArray:
    product = cap * each_kwh
    return np.where(np.isnan(cap), np.inf, np.where(np.isnan(product), 0.0, product))
