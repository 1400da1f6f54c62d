"""Whether a station takes a charging profile, and with what reason it refuses.

The rules are those of the schemas' descriptions and of the use cases K01, K28 and Q of OCPP 2.1; reason codes are those
of Part 2, appendix 5. Allowed purposes by operation mode: table of use case K01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from parkwatt.io.sim.profiles import parse_time

ALL_MODES = (
    "Idle",
    "ChargingOnly",
    "CentralSetpoint",
    "ExternalSetpoint",
    "ExternalLimits",
    "CentralFrequency",
    "LocalFrequency",
)
_MODES_OF_PURPOSE = {
    "PriorityCharging": ("ChargingOnly",),
    "ChargingStationMaxProfile": ("ChargingOnly",),
    "ChargingStationExternalConstraints": ("ChargingOnly", "ExternalLimits", "ExternalSetpoint"),
    "LocalGeneration": ("ChargingOnly", "ExternalLimits"),
}
_SETPOINTS = ("setpoint", "setpointReactive")
_LIMITS = ("limit", "dischargeLimit")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What decides on a profile: the version, and what the station is able to do."""

    protocol: str
    modes: tuple[str, ...] = ALL_MODES
    kinds: tuple[str, ...] = ("Absolute", "Recurring", "Relative", "Dynamic")
    units: tuple[str, ...] = ("W", "A")
    purposes: tuple[str, ...] = ("ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile")
    stack_level_max: int = 10
    periods_max: int = 1024
    is_dc: bool = False
    takes_negative_limit: bool = False
    refuses_limit_beside_setpoint: bool = True
    is_external: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a profile is refused."""

    reason_code: str
    text: str


def check_profile(
    profile: Mapping[str, Any],
    evse_id: int,
    able: Capabilities,
    transaction_id: str | None,
    *,
    with_transaction_start: bool = False,
) -> Refusal | None:
    """The first rule that a profile of 1.6 or 2.x breaks; None where it is fine.

    ``transaction_id`` is the running transaction; ``with_transaction_start`` is for a profile inside a request to start
    one, which names none yet.
    """
    return (
        _check_frame(profile, evse_id, able)
        or _check_transaction(profile, evse_id, transaction_id, with_transaction_start)
        or _check_times(profile, able)
        or _check_schedules(profile, able)
    )


def schedules_of(profile: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schedules of a profile of any version."""
    schedules = profile["chargingSchedule"]
    return [schedules] if isinstance(schedules, Mapping) else list(schedules)


def _check_frame(profile: Mapping[str, Any], evse_id: int, able: Capabilities) -> Refusal | None:
    purpose = profile["chargingProfilePurpose"]
    purpose = "ChargingStationMaxProfile" if purpose == "ChargePointMaxProfile" else purpose
    if evse_id not in (0, 1):
        return Refusal("UnknownEvse", f"there is no EVSE {evse_id}")
    if purpose == "ChargingStationExternalConstraints" and not able.is_external:
        return Refusal("InvalidProfile", "external constraints do not come from a CSMS")
    if purpose not in able.purposes and not able.is_external:
        return Refusal("UnsupportedPurpose", f"{purpose} is not supported")
    if profile["chargingProfileKind"] not in able.kinds:
        return Refusal("UnsupportedKind", f"{profile['chargingProfileKind']} is not supported")
    if profile["stackLevel"] > able.stack_level_max:
        return Refusal("InvalidStackLevel", f"at most {able.stack_level_max}")
    if purpose == "ChargingStationMaxProfile":
        if evse_id != 0:
            return Refusal("InvalidProfile", "ChargingStationMaxProfile is for EVSE 0")
        if able.protocol != "1.6" and profile["chargingProfileKind"] == "Relative":
            return Refusal("InvalidProfile", "ChargingStationMaxProfile cannot be Relative")
    return None


def _check_transaction(
    profile: Mapping[str, Any], evse_id: int, transaction_id: str | None, with_start: bool
) -> Refusal | None:
    named = profile.get("transactionId")
    if profile["chargingProfilePurpose"] != "TxProfile":
        return (
            Refusal("InvalidProfile", "only a TxProfile names a transaction")
            if named is not None
            else None
        )
    if with_start:
        return (
            Refusal("InvalidProfile", "the transaction has no id yet")
            if named is not None
            else None
        )
    if evse_id == 0:
        return Refusal("InvalidProfile", "a TxProfile is for one EVSE")
    is_v16 = "chargingProfileId" in profile
    if named is None and not is_v16:
        return Refusal("MissingParam", "a TxProfile names its transaction")
    if transaction_id is None or (named is not None and str(named) != transaction_id):
        return Refusal("TxNotFound", f"no transaction {named or ''} is running")
    return None


def _check_times(profile: Mapping[str, Any], able: Capabilities) -> Refusal | None:
    times = [profile.get("validFrom"), profile.get("validTo")]
    times += [schedule.get("startSchedule") for schedule in schedules_of(profile)]
    try:
        valid_from, valid_to, *_ = [None if text is None else parse_time(text) for text in times]
    except ValueError as error:
        return Refusal("InvalidProfile", f"a time cannot be read ({error})")
    if valid_from is not None and valid_to is not None and valid_from >= valid_to:
        return Refusal("InvalidProfile", "validTo must be after validFrom")
    kind = profile["chargingProfileKind"]
    if kind == "Recurring" and profile.get("recurrencyKind") is None:
        return Refusal("InvalidProfile", "a recurring profile needs its recurrencyKind")
    for schedule in schedules_of(profile):
        start = schedule.get("startSchedule")
        needs_start = kind == "Recurring" or (kind == "Absolute" and able.protocol != "1.6")
        if needs_start and start is None:
            return Refusal("InvalidSchedule", f"{kind} needs startSchedule")
        if kind == "Relative" and start is not None and able.protocol != "1.6":
            return Refusal("InvalidSchedule", "Relative has no startSchedule")
    return None


def _check_schedules(profile: Mapping[str, Any], able: Capabilities) -> Refusal | None:
    schedules = schedules_of(profile)
    kind = profile["chargingProfileKind"]
    if kind == "Dynamic" and (
        len(schedules) > 1 or len(schedules[0]["chargingSchedulePeriod"]) > 1
    ):
        return Refusal("InvalidSchedule", "a dynamic profile has one schedule with one period")
    for schedule in schedules:
        if schedule["chargingRateUnit"] not in able.units:
            return Refusal("UnsupportedRateUnit", f"only {', '.join(able.units)}")
        if schedule.get("duration") is not None and schedule["duration"] <= 0:
            return Refusal("InvalidSchedule", "duration must be positive")
        periods = schedule["chargingSchedulePeriod"]
        if len(periods) > able.periods_max:
            return Refusal("TooManyElements", f"at most {able.periods_max} periods")
        starts = [period["startPeriod"] for period in periods]
        if starts[0] != 0 or any(a >= b for a, b in pairwise(starts)):
            return Refusal("InvalidSchedule", "periods start at 0 and ascend")
        for period in periods:
            refusal = _check_period(period, profile, schedule["chargingRateUnit"], able)
            if refusal is not None:
                return refusal
    return None


def _check_period(
    period: Mapping[str, Any], profile: Mapping[str, Any], unit: str, able: Capabilities
) -> Refusal | None:
    mode = period.get("operationMode") or "ChargingOnly"
    purpose = profile["chargingProfilePurpose"]
    if mode not in able.modes or mode not in _MODES_OF_PURPOSE.get(purpose, ALL_MODES):
        return Refusal("InvalidSchedule", f"{mode} is not possible in a {purpose} here")
    if able.is_dc and period.get("phaseToUse") is not None:
        return Refusal("NoPhaseForDC", "a DC EVSE has no phases")
    if any(
        f"{name}_{phase}" in period for name in (*_SETPOINTS, *_LIMITS) for phase in ("L2", "L3")
    ):
        return Refusal("PhaseConflict", "the EV gave no values for each phase")
    if (period.get("limit") or 0) < 0 and not able.takes_negative_limit:
        return Refusal("InvalidSchedule", "limit must not be negative")
    return _check_mode(mode, period, profile, unit, able)


def _check_mode(
    mode: str, period: Mapping[str, Any], profile: Mapping[str, Any], unit: str, able: Capabilities
) -> Refusal | None:
    has_setpoint = any(period.get(name) is not None for name in _SETPOINTS)
    has_limit = any(period.get(name) is not None for name in _LIMITS)
    if mode in ("ChargingOnly", "ExternalLimits") and has_setpoint:
        return Refusal("InvalidSchedule", f"{mode} has no set-point")
    if mode == "ChargingOnly":
        if period.get("limit") is None:
            return Refusal("InvalidSchedule", "ChargingOnly needs a limit")
        if period.get("dischargeLimit") is not None:
            return Refusal("InvalidSchedule", "ChargingOnly has no dischargeLimit")
    if mode == "Idle" and (has_limit or has_setpoint):
        return Refusal("InvalidSchedule", "Idle has neither limit nor set-point")
    if mode in ("CentralSetpoint", "CentralFrequency"):
        if period.get("setpoint") is None:
            return Refusal("InvalidSchedule", f"{mode} needs a set-point")
        if has_limit and able.refuses_limit_beside_setpoint:
            return Refusal("InvalidSchedule", f"{mode} has no limit beside its set-point")
    return _check_frequency(mode, period, profile, unit)


def _check_frequency(
    mode: str, period: Mapping[str, Any], profile: Mapping[str, Any], unit: str
) -> Refusal | None:
    if mode == "CentralFrequency" and profile["chargingProfileKind"] != "Dynamic":
        return Refusal("InvalidSchedule", "CentralFrequency needs a dynamic profile")
    if mode == "LocalFrequency":
        if len(period.get("v2xFreqWattCurve") or ()) < 2 or period.get("v2xBaseline") is None:
            return Refusal(
                "NoFreqWattCurve", "LocalFrequency needs a curve of two points and a baseline"
            )
        if unit != "W":
            return Refusal("InvalidSchedule", "LocalFrequency is in W")
    return None
