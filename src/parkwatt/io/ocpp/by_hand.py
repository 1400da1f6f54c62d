"""Checks of a message that a person sends by hand: what the schema cannot say and would hurt.

The ladder keeps these rules by construction; a hand does not. A negative limit is full power to some chargers, a limit beside a
set-point is refused or misread, and nobody's car is discharged without consent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.session import v2, v16
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.v2_der_check import der_control_faults
from parkwatt.io.ocpp.version import Version

# Messages that go both ways.
_BOTH_WAYS = {"DataTransfer"}
_SETPOINT_MODES = {"CentralSetpoint", "CentralFrequency"}
_SUFFIXES = ("", "_L2", "_L3")


def check_by_hand(
    version: Version, settings: ChargerSettings, action: str, payload: Mapping[str, Any]
) -> None:
    """Raises InputError, with every fault, where the message is none that a back end sends or one that must not be sent."""
    handlers = v2.HANDLERS if version.is_2 else v16.HANDLERS
    from_charger = action in {*handlers, *v2.SEND_HANDLERS} and action not in _BOTH_WAYS
    if from_charger or not messages.has_action(version, action):
        rule = f"must be a message that a back end sends in {version.value}"
        raise InputError([InputFault("action", rule, action)])
    messages.check_request(version, action, payload)
    # Inside a DER control the signs are other ones, and the grid code decides.
    found = (
        der_control_faults(payload)
        if action == "SetDERControl"
        else _discharge_faults(settings, payload)
    )
    faults = list(found)
    if faults:
        raise InputError(faults)


def _discharge_faults(
    settings: ChargerSettings, payload: Mapping[str, Any]
) -> Iterator[InputFault]:
    for path, table in _tables(payload, ""):
        setpoints = _numbers(table, "setpoint")
        limits = _numbers(table, "limit")
        discharge_limits = _numbers(table, "dischargeLimit")
        mode = table.get("operationMode")
        if (setpoints or mode in _SETPOINT_MODES) and (limits or discharge_limits):
            name = next(iter(limits or discharge_limits))
            yield InputFault(f"{path}{name}", "must not stand beside a set-point", table[name])
        for name, value in setpoints.items():
            if value < 0.0 and not settings.discharge:
                rule = (
                    "needs the driver's consent to discharge (discharge = true in the site's file)"
                )
                yield InputFault(f"{path}{name}", rule, value)
        for name, value in limits.items():
            if value < 0.0 and not (settings.discharge and settings.negative_limit):
                rule = (
                    "must not be negative: many chargers take it for full power "
                    "(negative_limit = true in the site's file where the model is known)"
                )
                yield InputFault(f"{path}{name}", rule, value)


def _numbers(table: Mapping[str, Any], name: str) -> dict[str, float]:
    found = {}
    for suffix in _SUFFIXES:
        value = table.get(name + suffix)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name + suffix] = float(value)
    return found


def _tables(value: object, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every table in a payload, with the path in front of its fields."""
    if isinstance(value, Mapping):
        yield path, value
        for name, inner in value.items():
            if not isinstance(inner, list):
                yield from _tables(inner, f"{path}{name}.")
                continue
            for index, item in enumerate(inner):
                yield from _tables(item, f"{path}{name}[{index}].")
