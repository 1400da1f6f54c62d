"""How a virtual station of 2.x answers requests about smart charging, V2X and DER; the effects are real."""

from __future__ import annotations

from typing import Any

from parkwatt.io.sim.conversation import Handler
from parkwatt.io.sim.device_model import transfer_modes
from parkwatt.io.sim.frames import Payload
from parkwatt.io.sim.power import disobeyed_kw
from parkwatt.io.sim.profile_check import Refusal, check_profile
from parkwatt.io.sim.profiles import SECOND_US, read_profile, time_text
from parkwatt.io.sim.smart_charging import Target
from parkwatt.io.sim.station_v2 import StationV2


def refused(refusal: Refusal, status: str = "Rejected") -> Payload:
    """An answer that says why."""
    return {
        "status": status,
        "statusInfo": {"reasonCode": refusal.reason_code, "additionalInfo": refusal.text},
    }


def set_charging_profile(station: StationV2, request: Payload) -> Payload:
    """SetChargingProfile."""
    profile, evse_id = request["chargingProfile"], request["evseId"]
    transaction = station.transaction
    refusal = check_profile(
        profile, evse_id, station.able, None if transaction is None else transaction.id
    )
    return refused(refusal) if refusal else install(station, profile, evse_id)


def install(station: StationV2, raw: Payload, evse_id: int) -> Payload:
    """Put a checked profile on the stack."""
    stack = station.power.stack
    profile = read_profile(raw, evse_id, station.now_us, station.power.electrical, station.random)
    if stack.rivals(profile):
        return refused(
            Refusal("DuplicateProfile", "another profile has that purpose and stack level")
        )
    stack.install(profile)
    station.watch_pull(profile.id, profile.pull_interval_s if profile.kind == "Dynamic" else 0)
    station.power.changed()
    return {"status": "Accepted"}


def clear_charging_profile(station: StationV2, request: Payload) -> Payload:
    """ClearChargingProfile."""
    criteria = request.get("chargingProfileCriteria") or {}
    wanted_id = request.get("chargingProfileId")
    found = [
        profile
        for profile in station.power.stack.all()
        if profile.source == "CSO"
        and (wanted_id is None or profile.id == wanted_id)
        and criteria.get("evseId") in (None, profile.evse_id)
        and criteria.get("chargingProfilePurpose") in (None, profile.purpose)
        and criteria.get("stackLevel") in (None, profile.stack_level)
    ]
    for profile in found:
        station.power.stack.remove(profile.id)
        station.watch_pull(profile.id, 0)
    station.power.changed()
    return {"status": "Accepted" if found else "Unknown"}


def get_charging_profiles(station: StationV2, request: Payload) -> Payload:
    """GetChargingProfiles; the profiles follow as ReportChargingProfiles."""
    criteria = request["chargingProfile"]
    ids, sources = criteria.get("chargingProfileId"), criteria.get("chargingLimitSource")
    found = [
        profile
        for profile in station.power.stack.all()
        if request.get("evseId") in (None, profile.evse_id)
        and criteria.get("chargingProfilePurpose") in (None, profile.purpose)
        and criteria.get("stackLevel") in (None, profile.stack_level)
        and (ids is None or profile.id in ids)
        and (sources is None or profile.source in sources)
    ]
    if not found:
        return {"status": "NoProfiles"}
    groups: dict[tuple[int, str], list[Payload]] = {}
    for profile in found:
        groups.setdefault((profile.evse_id, profile.source), []).append(profile.raw)
    for number, ((evse_id, source), raws) in enumerate(groups.items()):
        payload: Payload = {
            "requestId": request["requestId"],
            "chargingLimitSource": source,
            "chargingProfile": raws,
            "evseId": evse_id,
            "tbc": number + 1 < len(groups),
        }
        station.call("ReportChargingProfiles", payload)
    return {"status": "Accepted"}


def get_composite_schedule(station: StationV2, request: Payload) -> Payload:
    """GetCompositeSchedule, in W unless A is asked for."""
    if request["evseId"] not in (0, 1):
        return refused(Refusal("UnknownEvse", f"there is no EVSE {request['evseId']}"))
    unit = request.get("chargingRateUnit", "W")
    if unit not in station.able.units or request["duration"] <= 0:
        return refused(
            Refusal(
                "UnsupportedRateUnit" if request["duration"] > 0 else "InvalidValue",
                "no such schedule",
            )
        )
    lasts_us = request["duration"] * SECOND_US
    composite = station.power.stack.composite(
        station.now_us, lasts_us, station.context, station.car.soc
    )
    periods = [_composite_period(station, start_us, target, unit) for start_us, target in composite]
    schedule = {
        "evseId": request["evseId"],
        "duration": request["duration"],
        "scheduleStart": time_text(station.now_us),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
    }
    return {"status": "Accepted", "schedule": schedule}


def composite_limit_kw(station: Any, target: Target) -> float | None:
    """What a disobedient station honestly shows in place of a target; None where it shows the target."""
    power = station.power
    wish_kw = target.power_kw(power.frequency_hz, power.signal)
    real_kw = disobeyed_kw(wish_kw, station.settings.power_kw_max, station.faults)
    if real_kw == wish_kw or station.faults.shows_request():
        return None
    return real_kw


def _composite_period(station: StationV2, start_us: int, target: Target, unit: str) -> Payload:
    electrical = station.power.electrical
    phases = None if target.period is None else target.period.number_phases
    per_unit_kw = electrical.kw_per_unit(unit, phases)

    def shown(power_kw: float) -> float:
        return round(power_kw / per_unit_kw, 3)

    period: Payload = {"startPeriod": start_us // SECOND_US}
    if phases is not None:
        period["numberPhases"] = phases
    instead_kw = composite_limit_kw(station, target)
    setpoint_kw = target.setpoint_kw
    if instead_kw is not None:
        return {**period, "limit": shown(instead_kw)}
    if not station.is_v21:
        value_kw = target.power_kw(station.power.frequency_hz, station.power.signal)
        return {**period, "limit": shown(value_kw)}
    if target.mode == "ChargingOnly":
        return {
            **period,
            "limit": shown(target.charge_kw_max if setpoint_kw is None else setpoint_kw),
        }
    period["operationMode"] = target.mode
    if target.mode == "ExternalLimits":
        return {
            **period,
            "limit": shown(target.charge_kw_max),
            "dischargeLimit": shown(-target.discharge_kw_max),
        }
    if target.mode == "LocalFrequency" and target.period is not None:
        raw = target.period.raw
        names = ("v2xBaseline", "v2xFreqWattCurve", "v2xSignalWattCurve")
        return {**period, **{name: raw[name] for name in names if name in raw}}
    if setpoint_kw is not None and target.mode != "Idle":
        period["setpoint"] = shown(setpoint_kw)
    return period


def update_dynamic_schedule(station: StationV2, request: Payload) -> Payload:
    """UpdateDynamicSchedule: new values for the one period of a dynamic profile, and a new lease of life."""
    profile = station.power.stack.get(request["chargingProfileId"])
    if profile is None:
        return refused(Refusal("NotFound", "there is no such profile"))
    if profile.kind != "Dynamic":
        return refused(Refusal("InvalidProfile", "the profile is not dynamic"))
    update = {k: v for k, v in request["scheduleUpdate"].items() if k != "customData"}
    schedule = profile.raw["chargingSchedule"][0]
    period = {**schedule["chargingSchedulePeriod"][0], **update}
    merged = {**profile.raw, "chargingSchedule": [{**schedule, "chargingSchedulePeriod": [period]}]}
    transaction = station.transaction
    refusal = check_profile(
        merged, profile.evse_id, station.able, None if transaction is None else transaction.id
    )
    if refusal is not None:
        return refused(refusal)
    station.power.stack.update(profile.id, update, station.now_us)
    station.watch_pull(profile.id, profile.pull_interval_s)
    station.power.changed()
    return {"status": "Accepted"}


def afrr_signal(station: StationV2, request: Payload) -> Payload:
    """AFRRSignal: the signal moves the power along v2xSignalWattCurve."""
    target = station.power.stack.target(station.now_us, station.context, station.car.soc)
    if not target.signal_curve:
        return refused(Refusal("NoSignalWattCurve", "the present period has no signal-watt curve"))
    station.power.signal = float(request["signal"])
    return {"status": "Accepted"}


def notify_allowed_energy_transfer(station: StationV2, request: Payload) -> Payload:
    """NotifyAllowedEnergyTransfer: the session is renegotiated, with new charging needs where that changes it."""
    transaction = station.transaction
    if transaction is None or transaction.id != request["transactionId"]:
        return refused(Refusal("TxNotFound", "no such transaction is running"))
    if len(transfer_modes(station.settings)) < 2:
        return refused(Refusal("UnsupportedRequest", "the session cannot be renegotiated"))
    allowed = station.discharge_allowed(request["allowedEnergyTransfer"])
    if allowed != transaction.allows_discharge:
        transaction.allows_discharge = allowed
        station.send_charging_needs(transaction)
    return {"status": "Accepted"}


def use_priority_charging(station: StationV2, request: Payload) -> Payload:
    """UsePriorityCharging."""
    transaction = station.transaction
    if transaction is None or transaction.id != request["transactionId"]:
        return refused(Refusal("TxNotFound", "no such transaction is running"))
    profiles = station.power.stack.all()
    if request["activate"] and not any(p.purpose == "PriorityCharging" for p in profiles):
        return {"status": "NoProfile"}
    transaction.has_priority = request["activate"]
    station.power.changed()
    return {"status": "Accepted"}


def set_der_control(station: StationV2, request: Payload) -> Payload:
    """SetDERControl."""
    if not station.settings.der:
        return {"status": "NotSupported"}
    if station.faults.der == "rejects":
        return refused(Refusal("ParamNotSupported", "the installer has locked it"))
    status, superseded = station.power.der.set(request)
    return {"status": status, **({"supersededIds": superseded} if superseded else {})}


def clear_der_control(station: StationV2, request: Payload) -> Payload:
    """ClearDERControl."""
    found = station.power.der.clear(
        is_default=request["isDefault"],
        kind=request.get("controlType"),
        control_id=request.get("controlId"),
    )
    return {"status": "Accepted" if found else "NotFound"}


def get_der_control(station: StationV2, request: Payload) -> Payload:
    """GetDERControl; the controls follow as ReportDERControl."""
    found = station.power.der.find(
        is_default=request.get("isDefault"),
        kind=request.get("controlType"),
        control_id=request.get("controlId"),
    )
    if not found:
        return {"status": "NotFound"}
    report: Payload = {"requestId": request["requestId"], "tbc": False}
    for control in found:
        entry: Payload = {
            "id": control.id,
            "isDefault": control.is_default,
            "isSuperseded": control.is_superseded,
        }
        if control.kind == "EnterService":
            told = {**control.body, "delay": 0.0} if station.faults.der == "lies" else control.body
            report.setdefault("enterService", []).append({"id": control.id, "enterService": told})
        elif control.kind == "FreqWatt":
            entry |= {"curve": control.body, "curveType": control.kind}
            report.setdefault("curve", []).append(entry)
        else:
            name = {"LimitMaxDischarge": "limitMaxDischarge", "FreqDroop": "freqDroop"}[
                control.kind
            ]
            report.setdefault(name, []).append({**entry, name: control.body})
    if station.faults.der != "silent":
        station.call("ReportDERControl", report)
    return {"status": "Accepted"}


HANDLERS_V201: dict[str, Handler] = {
    "SetChargingProfile": set_charging_profile,
    "ClearChargingProfile": clear_charging_profile,
    "GetChargingProfiles": get_charging_profiles,
    "GetCompositeSchedule": get_composite_schedule,
}
HANDLERS_V21: dict[str, Handler] = {
    "UpdateDynamicSchedule": update_dynamic_schedule,
    "AFRRSignal": afrr_signal,
    "NotifyAllowedEnergyTransfer": notify_allowed_energy_transfer,
    "UsePriorityCharging": use_priority_charging,
    "SetDERControl": set_der_control,
    "ClearDERControl": clear_der_control,
    "GetDERControl": get_der_control,
}
