"""Charging profiles in the words of OCPP 1.6. A connection point is a connector; there is no set-point, only a limit."""

from __future__ import annotations

from typing import Any

from parkwatt.io.ocpp.device_time import rfc3339
from parkwatt.io.ocpp.ladder.memory import Form, RateUnit


def default_profile(
    connector_id: int, profile_id: int, rate: float, rate_unit: RateUnit
) -> dict[str, Any]:
    """SetChargingProfile: what holds for every transaction without a profile of its own."""
    schedule = {
        "chargingRateUnit": rate_unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": rate}],
    }
    return {
        "connectorId": connector_id,
        "csChargingProfiles": {
            "chargingProfileId": profile_id,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": schedule,
        },
    }


def limit_profile(
    connector_id: int,
    profile_id: int,
    transaction_id: str,
    form: Form,
    period: dict[str, Any],
    start_unix_us: int,
    duration_s: int,
) -> dict[str, Any]:
    """SetChargingProfile: a limit for one transaction, from now for ``duration_s``.

    As a default of the connector (``form``), for chargers that take no profile of a transaction.
    """
    profile: dict[str, Any] = {
        "chargingProfileId": profile_id,
        "stackLevel": form.stack_level,
        "chargingProfilePurpose": form.purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "duration": duration_s,
            "startSchedule": rfc3339(start_unix_us),
            "chargingRateUnit": form.rate_unit,
            "chargingSchedulePeriod": [period],
        },
    }
    if form.purpose == "TxProfile" and transaction_id.isdecimal():
        profile["transactionId"] = int(transaction_id)
    return {"connectorId": connector_id, "csChargingProfiles": profile}


def clear_profile(profile_id: int) -> dict[str, Any]:
    """ClearChargingProfile: one profile, by its id."""
    return {"id": profile_id}


def composite_schedule(connector_id: int, duration_s: int, rate_unit: RateUnit) -> dict[str, Any]:
    """GetCompositeSchedule: what the charger makes of all its profiles."""
    return {"connectorId": connector_id, "duration": duration_s, "chargingRateUnit": rate_unit}


def meter_trigger(connector_id: int) -> dict[str, Any]:
    """TriggerMessage: the meter's values now."""
    return {"requestedMessage": "MeterValues", "connectorId": connector_id}
