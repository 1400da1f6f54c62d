"""What a charger makes of its profiles, read back: the power that its composite schedule shows for now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parkwatt.io.ocpp.ladder.rate import read_rate
from parkwatt.io.ocpp.session.settings import ChargerSettings


def scheduled_kw(payload: Mapping[str, Any], settings: ChargerSettings) -> float | None:
    """The power in the answer to GetCompositeSchedule of any version: set-point, else baseline, else limit.

    None where the answer holds no schedule. W and A are understood; negative discharges.
    """
    schedule = payload.get("schedule") or payload.get("chargingSchedule")
    if not isinstance(schedule, Mapping):
        return None
    periods = schedule.get("chargingSchedulePeriod")
    if not isinstance(periods, list | tuple) or not periods:
        return None
    period = periods[0]
    if not isinstance(period, Mapping):
        return None
    rate_unit = str(schedule.get("chargingRateUnit", "W"))
    phase_count = period.get("numberPhases")
    phases = phase_count if isinstance(phase_count, int) else None
    for name in ("setpoint", "v2xBaseline", "limit"):
        value = period.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _sum(period, name, float(value), rate_unit, settings, phases)
    return None


def _sum(
    period: Mapping[str, Any],
    name: str,
    value: float,
    rate_unit: str,
    settings: ChargerSettings,
    phase_count: int | None,
) -> float:
    """With values for L2 and L3 the plain one is that of L1."""
    others = [period[key] for key in (f"{name}_L2", f"{name}_L3") if key in period]
    if not others:
        return read_rate(value, rate_unit, settings, phase_count)
    parts = [value, *(float(other) for other in others)]
    return sum(read_rate(part, rate_unit, settings, 1) for part in parts)
