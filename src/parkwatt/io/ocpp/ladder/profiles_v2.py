"""Charging profiles in the words of OCPP 2.0.1 and 2.1.

Set-points are of 2.1. A period with a set-point holds that alone: whether a limit or a discharge limit may stand beside it is
told differently by the specification's text and by EVerest (Q03.FR.02, Q07.FR.03), so neither is ever sent.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.command import FrequencyCurve
from parkwatt.io.ocpp.device_time import rfc3339
from parkwatt.io.ocpp.ladder.memory import Form, RateUnit


def default_profile(
    evse_id: int, profile_id: int, rate: float, rate_unit: RateUnit
) -> dict[str, Any]:
    """SetChargingProfile: what holds for every transaction without a profile of its own; charging only."""
    schedule = {
        "id": profile_id,
        "chargingRateUnit": rate_unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": rate}],
    }
    return {
        "evseId": evse_id,
        "chargingProfile": {
            "id": profile_id,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [schedule],
        },
    }


def transaction_profile(
    evse_id: int,
    profile_id: int,
    transaction_id: str,
    form: Form,
    period: dict[str, Any],
    start_unix_us: int,
    duration_s: int,
    *,
    dynamic: bool = False,
) -> dict[str, Any]:
    """SetChargingProfile: one period for one transaction.

    It holds from now for ``duration_s``; a dynamic one for ``duration_s`` after its last update (K28.FR.13).
    """
    schedule: dict[str, Any] = {
        "id": profile_id,
        "duration": duration_s,
        "chargingRateUnit": form.rate_unit,
        "chargingSchedulePeriod": [period],
    }
    if not dynamic:
        schedule["startSchedule"] = rfc3339(start_unix_us)
    return {
        "evseId": evse_id,
        "chargingProfile": {
            "id": profile_id,
            "stackLevel": form.stack_level,
            "chargingProfilePurpose": form.purpose,
            "chargingProfileKind": "Dynamic" if dynamic else "Absolute",
            "chargingSchedule": [schedule],
            **({"transactionId": transaction_id} if form.purpose == "TxProfile" else {}),
        },
    }


def setpoint_period(setpoint: float) -> dict[str, Any]:
    """A period that the back end sets: positive charges, negative discharges."""
    return {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": setpoint}


def frequency_period(baseline_kw: float, curve: FrequencyCurve) -> dict[str, Any]:
    """A period that answers to the grid's frequency around a baseline; always in W (Q08.FR.02, Q08.FR.05)."""
    points = zip(curve.frequency_hz, curve.power_kw, strict=True)
    return {
        "startPeriod": 0,
        "operationMode": "LocalFrequency",
        "v2xBaseline": round(baseline_kw * 1000.0),
        "v2xFreqWattCurve": [
            {"frequency": frequency_hz, "power": round(power_kw * 1000.0)}
            for frequency_hz, power_kw in points
        ],
    }


def dynamic_update(profile_id: int, setpoint: float) -> dict[str, Any]:
    """UpdateDynamicSchedule: another set-point for a dynamic profile."""
    return {"chargingProfileId": profile_id, "scheduleUpdate": {"setpoint": setpoint}}


def clear_profile(profile_id: int) -> dict[str, Any]:
    """ClearChargingProfile: one profile, by its id."""
    return {"chargingProfileId": profile_id}


def composite_schedule(evse_id: int, duration_s: int, rate_unit: RateUnit) -> dict[str, Any]:
    """GetCompositeSchedule: what the charger makes of all its profiles."""
    return {"evseId": evse_id, "duration": duration_s, "chargingRateUnit": rate_unit}


def meter_trigger(evse_id: int) -> dict[str, Any]:
    """TriggerMessage: the meter's values now."""
    return {"requestedMessage": "MeterValues", "evse": {"id": evse_id}}
