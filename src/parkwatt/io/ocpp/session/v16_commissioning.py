"""What a 1.6 charger is asked when it is ready to be, and what it is then told to report.

Its settings are read first; each is changed only where its value does not serve, so a charger that has what we want is
left alone. What it refuses is noted among its unknown variables as ``Key[value]`` and not asked for again.

Many chargers refuse a whole list of measurands for one that they do not know. Then they are tried one at a time, each
beside those that were accepted, the most useful first: what remains is the richest set that the charger takes.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.event import Variable, VariablesReported
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.inbound import Inbound

# Asked for in lists this short: a charger may refuse longer ones (GetConfigurationMaxKeys).
_KEYS_MAX = 8
_KEYS = (
    "SupportedFeatureProfiles",
    "NumberOfConnectors",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
    "ConnectorSwitch3to1PhaseSupported",
    "GetConfigurationMaxKeys",
    "MeterValuesSampledDataMaxLength",
    "MeterValuesSampledData",
    "MeterValueSampleInterval",
    "ClockAlignedDataInterval",
    "HeartbeatInterval",
    "WebSocketPingInterval",
    "TransactionMessageAttempts",
    "SecurityProfile",
)
# Most useful first: registers account, power checks set-points, SoC plans.
_MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "SoC",
    "Energy.Active.Export.Register",
    "Power.Active.Export",
    "Current.Import",
    "Voltage",
    "Current.Export",
    "Power.Offered",
)
_SAMPLED = "MeterValuesSampledData"
_INTERVAL = "MeterValueSampleInterval"
# Intervals that are tried where the wanted one is refused; many meters give a value each half minute or minute.
_INTERVALS_S = (30, 60)
_PING_S, _PING_S_MAX = 60, 120
# Never kept, even where a charger tells it: it is a password (security whitepaper, 1.6).
_SECRETS = frozenset({"authorizationkey"})
_ONE_BY_ONE = "one by one"


def commissioning_calls(inbound: Inbound) -> list[Call]:
    """What to ask a charger that is ready to be asked.

    A charger that never said who it is is asked to; one that is known need not boot again for a new link.
    """
    calls = [
        Call(
            "GetConfiguration",
            {"key": list(_KEYS[first : first + _KEYS_MAX])},
            "commissioning",
            "to know what the charger can do and what it reports",
        )
        for first in range(0, len(_KEYS), _KEYS_MAX)
    ]
    if inbound.state.boot is None:
        calls.insert(0, _trigger("BootNotification", "the charger has not said who it is"))
    calls.append(_trigger("StatusNotification", "to know what is plugged in"))
    return calls


def configuration_told(inbound: Inbound, call: Call, message: Any) -> None:
    """Note what the charger told of its settings; in commissioning, change what does not serve."""
    variables = tuple(
        Variable(entry.key, _text(entry.value), read_only=bool(entry.readonly))
        for entry in message.configurationKey or ()
        if entry.key.casefold() not in _SECRETS
    )
    unknown = tuple(key for key in message.unknownKey or () if isinstance(key, str))
    if variables or unknown:
        inbound.emit(VariablesReported(variables, unknown))
    if call.purpose != "commissioning":
        return
    for variable in variables:
        if not variable.read_only:
            _put_right(inbound, variable.name, variable.value)


def configuration_unread(inbound: Inbound, call: Call, code: str) -> None:
    """Ask for each setting alone where the charger answers a list with an error."""
    keys = call.payload.get("key", ())
    if call.purpose != "commissioning" or code == "NotImplemented" or len(keys) <= 1:
        return
    for key in keys:
        inbound.call(Call(call.action, {"key": [key]}, call.purpose, call.reason))


def configuration_changed(inbound: Inbound, call: Call, message: Any) -> None:
    """Note what the charger now has, or that it refused; in commissioning, try what is next."""
    _changed(inbound, call, message.status)


def configuration_unchanged(inbound: Inbound, call: Call, code: str) -> None:
    """An error for a change is a refusal, whatever its code."""
    _changed(inbound, call, code)


def _changed(inbound: Inbound, call: Call, status: str) -> None:
    key, value = str(call.payload["key"]), str(call.payload["value"])
    if status in {"Accepted", "RebootRequired"}:
        if key.casefold() not in _SECRETS:
            inbound.emit(VariablesReported((Variable(key, value),)))
        if call.purpose == "commissioning" and call.tag == _ONE_BY_ONE:
            _sample(inbound, value, one_by_one=True)
        return
    if call.purpose != "commissioning":
        return
    if key == _SAMPLED:
        _refused_measurands(inbound, call, value)
    else:
        inbound.emit(VariablesReported((), (f"{key}[{value}]",)))
        _put_right(inbound, key, inbound.state.variable("", key) or "")


def _put_right(inbound: Inbound, key: str, value: str) -> None:
    """Change a setting whose value does not serve, to the first that the charger has not refused."""
    if key == _SAMPLED:
        _sample(inbound, value, one_by_one=False)
        return
    refused = set(inbound.state.unknown_variables)
    wanted = [
        number for number in _wanted(inbound, key, value) if f"{key}[{number}]" not in refused
    ]
    if wanted:
        inbound.call(_change(key, str(wanted[0]), _REASONS[key]))


_REASONS = {
    _INTERVAL: "set-points are checked by the meter",
    "HeartbeatInterval": "a lost link is to be noticed",
    "WebSocketPingInterval": "a lost link is to be noticed by the charger",
}


def _wanted(inbound: Inbound, key: str, value: str) -> list[int]:
    """Values that would serve better than the one it has, best first; none where that serves."""
    text = value.strip()
    has = int(text) if text.isdecimal() else 0
    if key == _INTERVAL:
        asked_s = inbound.settings.meter_interval_s
        slower = [interval_s for interval_s in _INTERVALS_S if interval_s > asked_s]
        faster = [interval_s for interval_s in slower if not has or interval_s < has]
        return [] if has == asked_s else [asked_s, *faster]
    if key == "HeartbeatInterval":
        return [] if has == inbound.settings.heartbeat_s else [inbound.settings.heartbeat_s]
    if key == "WebSocketPingInterval":
        return [] if 0 < has <= _PING_S_MAX else [_PING_S]
    return []


def _sample(inbound: Inbound, value: str, *, one_by_one: bool) -> None:
    """Ask for the measurands that are missing from ``value``, all at once or only the next."""
    refused = set(inbound.state.unknown_variables)
    has = [name for part in value.split(",") if (name := part.strip())]
    missing = [
        name for name in _MEASURANDS if name not in has and f"{_SAMPLED}[{name}]" not in refused
    ]
    ours = [name for name in _MEASURANDS if name in has]
    others = [name for name in has if name not in ours]
    most = (inbound.state.variable("", f"{_SAMPLED}MaxLength") or "").strip()
    room = int(most) if most.isdecimal() and int(most) else len(_MEASURANDS) + len(others)
    missing = missing[: max(0, room - len(ours))]
    if one_by_one:
        missing = missing[:1]
    if missing:
        asked = ",".join([*ours, *missing, *others][:room])
        tag = _ONE_BY_ONE if one_by_one else ""
        inbound.call(_change(_SAMPLED, asked, "to see power, energy and state of charge", tag))


def _refused_measurands(inbound: Inbound, call: Call, value: str) -> None:
    """Go on one by one; a refusal of a single new measurand says that the charger does not know it."""
    has = inbound.state.variable("", _SAMPLED) or ""
    known = {part.strip() for part in has.split(",")}
    new = [name for name in value.split(",") if name not in known]
    if call.tag == _ONE_BY_ONE or len(new) == 1:
        refused = tuple(f"{_SAMPLED}[{name}]" for name in new)
        inbound.emit(VariablesReported((), refused))
    _sample(inbound, has, one_by_one=True)


def _change(key: str, value: str, reason: str, tag: str = "") -> Call:
    payload = {"key": key, "value": value}
    return Call("ChangeConfiguration", payload, "commissioning", reason, tag=tag)


def _trigger(requested: str, reason: str) -> Call:
    return Call("TriggerMessage", {"requestedMessage": requested}, "commissioning", reason)


def _text(value: Any) -> str:
    """A value as text; some chargers send numbers, truths or nothing."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
