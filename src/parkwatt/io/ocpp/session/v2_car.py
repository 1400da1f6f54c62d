"""What the car needs, and what others than Parkwatt limit (blocks K and Q).

A car's needs are never refused: a 2.1 station ends the session on Rejected (Q01.FR.06). The answer tells whether a schedule is
on its way: Processing where the car may be driven both ways, and in 2.0.1, which has no better word; NoChargingProfile (2.1)
where the car simply charges by the profiles that the station holds, so that it does not wait for one.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.event import CarNeeds, ExternalLimit
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.inbound import Handler, Inbound
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.v2_authorization import BIDIRECTIONAL, allowed_energy_transfer
from parkwatt.io.ocpp.session.v2_message import keep, keeper, status_info, told_unix_us
from parkwatt.io.ocpp.version import Version

_DEPARTURE_AHEAD_US = 31 * 86_400_000_000
_PHASE_COUNTS = {"AC_single_phase": 1, "AC_two_phase": 2, "AC_three_phase": 3}
# Cars give the highest voltage they stand, some between phases: above this it cannot be that of one phase.
_PHASE_VOLTAGE_MAX = 300.0
_SQRT_3 = 3.0**0.5


def charging_needs(inbound: Inbound, message: Any) -> dict[str, Any]:
    """NotifyEVChargingNeeds: what the car asks for and can, in kW and kWh."""
    needs = message.chargingNeeds
    bidirectional = needs.requestedEnergyTransfer in BIDIRECTIONAL
    modern = inbound.version is Version.V21
    awaited = inbound.settings.discharge and bidirectional
    status = "NoChargingProfile" if modern and not awaited else "Processing"
    before = inbound.state.evses.get(message.evseId)
    first = before is None or before.needs is None
    inbound.emit(
        CarNeeds(
            message.evseId,
            needs.requestedEnergyTransfer,
            bidirectional,
            dynamic=modern and needs.controlMode == "DynamicControl",
            departure_unix_us=_departure_unix_us(inbound, needs.departureTime),
            answer=status,
            **_amounts(needs, inbound.settings, modern=modern),
        )
    )
    if modern and first and not bidirectional:
        _offer_discharge(inbound, message.evseId, needs.availableEnergyTransfer)
    return {"status": status}


def _departure_unix_us(inbound: Inbound, text: str | None) -> int | None:
    """When the car wants to leave; None where it does not say, or names a time that is past."""
    departure_unix_us = told_unix_us(
        inbound,
        "NotifyEVChargingNeeds",
        text,
        field="chargingNeeds.departureTime",
        ahead_us=_DEPARTURE_AHEAD_US,
    )
    if departure_unix_us is None or departure_unix_us <= inbound.now_unix_us:
        return None
    return departure_unix_us


def _offer_discharge(inbound: Inbound, evse_id: int, available: list[str] | None) -> None:
    """Tell a car that began with charging and could do more that it may (Q02), once: each time it starts anew."""
    transaction = inbound.state.open_transaction(evse_id)
    if transaction is None or not inbound.settings.discharge:
        return
    if not any(mode in BIDIRECTIONAL for mode in available or ()):
        return
    payload = {
        "transactionId": transaction.transaction_id,
        "allowedEnergyTransfer": list(allowed_energy_transfer(inbound.settings)),
    }
    reason = "the driver consented to discharging, and the car can"
    inbound.call(Call("NotifyAllowedEnergyTransfer", payload, "commissioning", reason))


def _amounts(needs: Any, settings: ChargerSettings, *, modern: bool) -> dict[str, float | None]:
    """Powers and energies by whichever parameters the car gave: ISO 15118-20's, else 15118-2's for DC or AC."""
    if modern and needs.v2xChargingParameters is not None:
        return _v2x_amounts(needs.v2xChargingParameters)
    if needs.dcChargingParameters is not None:
        return _dc_amounts(needs.dcChargingParameters)
    if needs.acChargingParameters is not None:
        return _ac_amounts(needs.acChargingParameters, needs.requestedEnergyTransfer, settings)
    return {}


def _v2x_amounts(given: Any) -> dict[str, float | None]:
    """Powers are the sum of the phases where they are given by phase; some send discharging as negative numbers."""
    return {
        "charge_kw_max": _power_kw(
            (given.maxChargePower, given.maxChargePower_L2, given.maxChargePower_L3),
            given.maxChargeCurrent,
            given.maxVoltage,
        ),
        "discharge_kw_max": _power_kw(
            (given.maxDischargePower, given.maxDischargePower_L2, given.maxDischargePower_L3),
            given.maxDischargeCurrent,
            given.maxVoltage,
        ),
        "energy_target_kwh": _thousandth(given.evTargetEnergyRequest),
        "energy_min_kwh": _thousandth(given.evMinEnergyRequest),
        "energy_max_kwh": _thousandth(given.evMaxEnergyRequest),
    }


def _power_kw(
    phases_w: tuple[float | None, ...], current_a: float | None, voltage_v: float | None
) -> float | None:
    told_w = [abs(power_w) for power_w in phases_w if power_w is not None]
    if told_w:
        return sum(told_w) / 1000
    if current_a is None or voltage_v is None:
        return None
    return abs(current_a * voltage_v) / 1000


def _dc_amounts(given: Any) -> dict[str, float | None]:
    soc = given.stateOfCharge
    return {
        "charge_kw_max": _power_kw((given.evMaxPower,), given.evMaxCurrent, given.evMaxVoltage),
        "energy_target_kwh": _thousandth(given.energyAmount),
        "energy_capacity_kwh": _thousandth(given.evEnergyCapacity),
        "soc": None if soc is None else soc / 100,
    }


def _ac_amounts(given: Any, transfer: str, settings: ChargerSettings) -> dict[str, float | None]:
    """The current is of each phase; the voltage that the car stands may be more than the site has."""
    voltage_v = given.evMaxVoltage
    if voltage_v > _PHASE_VOLTAGE_MAX:
        voltage_v /= _SQRT_3
    voltage_v = min(voltage_v, settings.voltage_v)
    phase_count = _PHASE_COUNTS.get(transfer, settings.phase_count)
    return {
        "charge_kw_max": abs(given.evMaxCurrent * voltage_v) * phase_count / 1000,
        "energy_target_kwh": _thousandth(given.energyAmount),
    }


def _thousandth(value: float | None) -> float | None:
    return None if value is None else value / 1000


def charging_schedule(inbound: Inbound, message: Any) -> dict[str, Any]:
    """NotifyEVChargingSchedule: what the car intends. Accepted says that it was understood, not that it is approved (K17)."""
    keep(inbound, "NotifyEVChargingSchedule", message)
    return {"status": "Accepted"}


def charging_limit(inbound: Inbound, message: Any) -> dict[str, Any]:
    """NotifyChargingLimit: somebody else limits the station (K12); critical where the grid is in danger.

    The message is kept; the limit of its period that runs now counts. What local generation adds is no limit.
    """
    limit = message.chargingLimit
    keep(inbound, "NotifyChargingLimit", message, critical=limit.isGridCritical is True)
    if inbound.version is Version.V21 and limit.isLocalGeneration is True:
        return {}
    limits_kw = [
        power_kw
        for schedule in message.chargingSchedule or ()
        if (power_kw := _limit_kw_now(inbound, schedule)) is not None
    ]
    if limits_kw:
        inbound.emit(ExternalLimit(message.evseId or 0, limit.chargingLimitSource, min(limits_kw)))
    return {}


def _limit_kw_now(inbound: Inbound, schedule: Any) -> float | None:
    """The limit of the period that runs now, kW; None where none does. A schedule without a start begins now."""
    start_unix_us = told_unix_us(
        inbound,
        "NotifyChargingLimit",
        schedule.startSchedule,
        field="chargingSchedule.startSchedule",
        ahead_us=_DEPARTURE_AHEAD_US,
    )
    elapsed_s = 0.0 if start_unix_us is None else (inbound.now_unix_us - start_unix_us) / 1e6
    if elapsed_s < 0 or (schedule.duration is not None and elapsed_s >= schedule.duration):
        return None
    begun = [
        period for period in schedule.chargingSchedulePeriod if period.startPeriod <= elapsed_s
    ]
    if not begun:
        return None
    period = max(begun, key=lambda period: float(period.startPeriod))
    limits = [period.limit]
    if inbound.version is Version.V21:
        limits += [period.limit_L2, period.limit_L3]
    told: list[float] = [limit for limit in limits if limit is not None]
    if not told:
        return None
    if schedule.chargingRateUnit == "W":
        return sum(told) / 1000
    phase_count: int = period.numberPhases or inbound.settings.phase_count
    current_a = sum(told) if len(told) > 1 else told[0] * phase_count
    return current_a * inbound.settings.voltage_v / 1000


def cleared_limit(inbound: Inbound, message: Any) -> dict[str, Any]:
    """ClearedChargingLimit: the limit of a source ended, without a place it ended everywhere (K13)."""
    source = message.chargingLimitSource
    places = {message.evseId or 0}
    if not message.evseId:
        places |= {
            evse_id
            for evse_id, evse in inbound.state.evses.items()
            if source in evse.external_limits_kw
        }
    for evse_id in sorted(places):
        inbound.emit(ExternalLimit(evse_id, source))
    return {}


def pull_update(inbound: Inbound, message: Any) -> dict[str, Any]:
    """PullDynamicScheduleUpdate: what the profile is to hold from now on (K28); without it, it runs until it lapses."""
    keep(inbound, "PullDynamicScheduleUpdate", message)
    update = None
    if inbound.dynamic_update is not None:
        update = inbound.dynamic_update(message.chargingProfileId, inbound.now_unix_us)
    if update is None:
        info = status_info("NotFound", "There is nothing to hold by this profile.")
        return {"status": "Rejected", "statusInfo": info}
    return {"status": "Accepted", "scheduleUpdate": update}


HANDLERS: dict[str, Handler] = {
    "NotifyEVChargingNeeds": charging_needs,
    "NotifyEVChargingSchedule": charging_schedule,
    "NotifyChargingLimit": charging_limit,
    "ClearedChargingLimit": cleared_limit,
    "ReportChargingProfiles": keeper("ReportChargingProfiles"),
    "PullDynamicScheduleUpdate": pull_update,
    "NotifyPriorityCharging": keeper("NotifyPriorityCharging"),
}
