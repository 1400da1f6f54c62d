"""Requests of a generated home, and homes of which the use is known for certain."""

from __future__ import annotations

from functools import cache

import numpy as np

from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S
from parkwatt.home.learning import LearnedUse
from parkwatt.home.runtime import IslandBattery, RuntimeRequest
from tests.home.learning.made_home import CIRCUITS, START_UNIX_S, ZONE, history, learned

DAYS = 60
NOW_UNIX_S = START_UNIX_S + DAYS * DAY_S


@cache
def use() -> LearnedUse:
    """A home that was measured for two months."""
    return learned(DAYS)


@cache
def constant_use(power_kw: tuple[float, ...]) -> LearnedUse:
    """Each circuit draws the same all the time: nothing is left to chance."""
    tiers: tuple[tuple[str, Tier], ...] = (
        ("must", "must_have"),
        ("nice", "nice_to_have"),
        ("luxury", "not_needed"),
    )
    circuits = tuple(Circuit(name, name, tier, 10.0, 10.0) for name, tier in tiers[: len(power_kw)])
    hours = np.tile(np.array(power_kw), (24 * DAYS, 1))
    return LearnedUse.of(history(hours, circuits), circuits, ZONE, NOW_UNIX_S)


def battery(**changed: object) -> IslandBattery:
    """A car with 40 kWh at the home's side, lossless unless changed."""
    values = {
        "battery_id": "car",
        "energy_kwh": 50.0,
        "floor_kwh": 10.0,
        "capacity_kwh": 80.0,
        "discharge_efficiency": 1.0,
        "discharge_kw_max": 9.6,
    }
    return IslandBattery(**{**values, **changed})  # type: ignore[arg-type]


def request(**changed: object) -> RuntimeRequest:
    """The generated home with the car."""
    values = {"at_unix_s": NOW_UNIX_S, "batteries": (battery(),), "use": use()}
    return RuntimeRequest(**{**values, **changed})  # type: ignore[arg-type]


def sun(peak_kw: float, days: int = 7) -> FloatArray:
    """[3, T] three courses of days with a sun of other strength, in quarters of an hour from midnight on."""
    hour = np.arange(days * 96) / 4 % 24
    shape = np.maximum(np.sin((hour - 7.0) / 10.0 * np.pi), 0.0) * ((hour > 7) & (hour < 17))
    return peak_kw * np.outer([0.3, 0.7, 1.0], shape)


__all__ = ["CIRCUITS", "NOW_UNIX_S", "battery", "constant_use", "request", "sun", "use"]
