"""kW as a charger's schedule wants it: whole W of all phases, or A of each phase in tenths (OCPP 2.1, errata 2.62)."""

from __future__ import annotations

import math

from parkwatt.io.ocpp.ladder.memory import RateUnit
from parkwatt.io.ocpp.session.settings import ChargerSettings


def wire_rate(power_kw: float, rate_unit: RateUnit, settings: ChargerSettings) -> float:
    """``power_kw`` in the schedule's unit, rounded towards 0: never more than was asked for."""
    if rate_unit == "W":
        return math.trunc(round(power_kw * 1000.0, 3))
    current_a = power_kw * 1000.0 / (settings.voltage_v * settings.phase_count)
    return math.trunc(round(current_a * 10.0, 6)) / 10


def read_rate(
    value: float, rate_unit: str, settings: ChargerSettings, phase_count: int | None
) -> float:
    """A schedule's value in kW. ``phase_count``: as the schedule says, None: as the settings say."""
    if rate_unit == "W":
        return value / 1000.0
    return value * settings.voltage_v * (phase_count or settings.phase_count) / 1000.0
