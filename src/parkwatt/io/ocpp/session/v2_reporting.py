"""What a charger is to report of its own: measurands and intervals, as settings of 2.0.1 and 2.1.

A setting is changed only where the charger told another value: memory is not worn at each connection. Chargers refuse a whole
list for one measurand that they do not know, so each list has shorter ones to fall back to, and an interval longer ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from parkwatt.domain.charger.event import Variable
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.inbound import Inbound
from parkwatt.io.ocpp.session.v2_variables import from_request, state_name
from parkwatt.io.ocpp.version import Version

_IMPORTED = "Energy.Active.Import.Register"
_EXPORTED = "Energy.Active.Export.Register"
_BOTH_WAYS = f"Power.Active.Import,Power.Active.Export,{_IMPORTED},{_EXPORTED}"
_RUNNING = (
    f"{_BOTH_WAYS},SoC,Current.Import,Voltage",
    f"{_BOTH_WAYS},SoC",
    _BOTH_WAYS,
    f"Power.Active.Import,{_IMPORTED},SoC",
    f"Power.Active.Import,{_IMPORTED}",
    _IMPORTED,
)
_REGISTERS = (f"{_IMPORTED},{_EXPORTED}", _IMPORTED)
_V2X_RUNNING = (f"{_BOTH_WAYS},SoC,Power.Active.Setpoint", *_RUNNING[1:])
_CLOCK_S = 900
# Some chargers refuse short intervals.
_LONGER_S = (30, 60)
# The modes that Parkwatt drives cars in, of those that a charger may have variables for.
MODES = ("ChargingOnly", "CentralSetpoint", "CentralFrequency", "LocalFrequency", "Idle")


class Wish(NamedTuple):
    """A setting and what it should be, best first."""

    component: str
    variable: str
    values: tuple[str, ...]


def wishes(inbound: Inbound) -> dict[tuple[str, str], Wish]:
    """What is wished of a charger of this version, by component and variable, wherever they stand."""
    asked_s = inbound.settings.meter_interval_s
    running_s = tuple(str(s) for s in (asked_s, *_LONGER_S) if s >= asked_s)
    wished = [
        Wish("SampledDataCtrlr", "TxUpdatedMeasurands", _RUNNING),
        Wish("SampledDataCtrlr", "TxUpdatedInterval", running_s),
        Wish("SampledDataCtrlr", "TxStartedMeasurands", _REGISTERS),
        Wish("SampledDataCtrlr", "TxEndedMeasurands", _REGISTERS),
        Wish("AlignedDataCtrlr", "Measurands", _REGISTERS),
        Wish("AlignedDataCtrlr", "Interval", (str(_CLOCK_S),)),
        Wish("SmartChargingCtrlr", "NotifyChargingLimitWithSchedules", ("true",)),
    ]
    if inbound.version is Version.V21:
        wished += [
            Wish("V2XChargingCtrlr", "TxUpdatedMeasurands", _V2X_RUNNING),
            Wish("V2XChargingCtrlr", "TxUpdatedInterval", running_s),
        ]
    return {(wish.component, wish.variable): wish for wish in wished}


def settings_calls(inbound: Inbound, told: Iterable[Variable]) -> list[Call]:
    """The calls that bring what a charger told of its settings to what is wished."""
    wished = wishes(inbound)
    calls = []
    for variable in told:
        wish = wished.get((variable.component, variable.name))
        if wish is None or variable.read_only or variable.attribute != "Actual":
            continue
        if not _same(variable.value, wish.values[0]):
            calls.append(_set(variable, wish, 0))
    return calls


def next_call(inbound: Inbound, call: Call) -> Call | None:
    """What to try after a setting was refused: the next shorter list; None where there is none, or it is what stands."""
    data = call.payload["setVariableData"][0]
    variable = from_request(data)
    wish = wishes(inbound).get((variable.component, variable.name))
    place = int(call.tag) + 1 if call.tag.isdecimal() else 0
    if wish is None or not call.tag or place >= len(wish.values):
        return None
    standing = inbound.state.variables.get(state_name(variable))
    if standing is not None and _same(standing, wish.values[place]):
        return None
    return _set(variable, wish, place)


def _set(variable: Variable, wish: Wish, place: int) -> Call:
    component: dict[str, Any] = {"name": variable.component}
    if variable.component_instance:
        component["instance"] = variable.component_instance
    if variable.evse_id:
        component["evse"] = {"id": variable.evse_id}
    name = {"name": variable.name}
    if variable.instance:
        name["instance"] = variable.instance
    data = {"component": component, "variable": name, "attributeValue": wish.values[place]}
    return Call(
        "SetVariables",
        {"setVariableData": [data]},
        "commissioning",
        "what the charger is to report of its own",
        key=f"set {state_name(variable)}",
        tag=str(place),
    )


def _same(value: str, other: str) -> bool:
    """Whether two values are the same; the order of a list does not matter, nor does the case."""
    return _members(value) == _members(other)


def _members(value: str) -> frozenset[str]:
    return frozenset(member.strip().casefold() for member in value.split(",") if member.strip())
