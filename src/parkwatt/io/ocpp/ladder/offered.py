"""Which rungs a charger offers: by its version, its device model, its driver's consent and what the car agreed to.

Nothing here is proof. What is offered is tried from the top and verified by the meter.
"""

from __future__ import annotations

from typing import NamedTuple

from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.ladder.memory import Form
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version


class Offer(NamedTuple):
    """The rungs, highest first, and in words why these."""

    rungs: tuple[Rung, ...]
    reason: str


_BOTTOM = (Rung.LIMITS_ONLY,)
_ABOVE_LIMIT = (Rung.NEGATIVE_LIMIT, Rung.LIMITS_ONLY)


def offer(state: ChargerState, settings: ChargerSettings, version: Version, evse_id: int) -> Offer:
    """The rungs that a connection point offers now."""
    if not settings.discharge:
        return Offer(_BOTTOM, "its driver has not consented to discharging")
    lower = _ABOVE_LIMIT if settings.negative_limit else _BOTTOM
    if version is not Version.V21:
        if settings.negative_limit:
            return Offer(
                lower, "its settings say that this model takes a negative limit as discharging"
            )
        return Offer(lower, f"{version.value} knows no discharging")
    evse = state.evses.get(evse_id)
    needs = None if evse is None else evse.needs
    if needs is not None and not needs.bidirectional:
        return Offer(
            _BOTTOM, f"the car agreed to {needs.energy_transfer} only, which cannot discharge"
        )
    available = _flag(state, "V2XChargingCtrlr", "Available", evse_id)
    enabled = _flag(state, "V2XChargingCtrlr", "Enabled", evse_id)
    if available is False or enabled is False:
        off = "Available" if available is False else "Enabled"
        return Offer(lower, f"the charger says V2XChargingCtrlr.{off} is false")
    modes = _members(state, "V2XChargingCtrlr", "SupportedOperationModes", evse_id)
    if modes is None and not available and not enabled and needs is None:
        return Offer(lower, "neither the charger nor the car has said that it can discharge")
    rungs: tuple[Rung, ...] = lower
    if modes is None or "centralsetpoint" in modes:
        rungs = (Rung.CENTRAL_SETPOINT, *rungs)
        if _flag(state, "SmartChargingCtrlr", "SupportsDynamicProfiles", evse_id):
            rungs = (Rung.DYNAMIC_SETPOINT, *rungs)
    if modes is not None and "localfrequency" in modes:
        rungs = (Rung.LOCAL_FREQUENCY, *rungs)
    if rungs is lower:
        return Offer(rungs, "the charger says it takes no set-point of a back end")
    return Offer(
        rungs,
        f"{_who(modes is not None or bool(available or enabled), needs is not None)} can discharge",
    )


def form(state: ChargerState, version: Version) -> Form:
    """How profiles are written by what the charger says: one level above the default, in W, where it allows that."""
    if version.is_2:
        level = state.variable("SmartChargingCtrlr", "ProfileStackLevel")
        units = state.variable("SmartChargingCtrlr", "RateUnit")
    else:
        level = state.variable("", "ChargeProfileMaxStackLevel")
        units = state.variable("", "ChargingScheduleAllowedChargingRateUnit")
    takes_power = units is None or "w" in units.lower()
    return Form(0 if level is not None and level.strip() == "0" else 1, "W" if takes_power else "A")


def _flag(state: ChargerState, component: str, name: str, evse_id: int) -> bool | None:
    value = state.variable(component, name, evse_id=evse_id)
    if value is None:
        return None
    return value.strip().lower() == "true"


def _members(state: ChargerState, component: str, name: str, evse_id: int) -> set[str] | None:
    value = state.variable(component, name, evse_id=evse_id)
    return None if not value else {member.strip().lower() for member in value.split(",")}


def _who(charger: bool, car: bool) -> str:
    if charger and car:
        return "the charger and the car say that they"
    return "the charger says that it" if charger else "the car agreed that it"
