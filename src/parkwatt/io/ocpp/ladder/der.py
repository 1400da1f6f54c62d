"""DER controls of OCPP 2.1 (block R): requests that a grid operator's rule needs, checked before they are sent.

Rules: exactly the body that belongs to the type (R04.FR.16); no start or duration on a default, both on any other (R04.FR.12
and the schema's text); `EnterService` and `Gradients` only as defaults (R04.FR.14). Inside DER the signs are the other
way round: `fixedVar.setpoint` is negative for charging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parkwatt.domain.errors import InputError, InputFault

_BODIES = {
    "EnterService": "enterService",
    "FreqDroop": "freqDroop",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
_CURVES = {
    *("FreqWatt", "VoltVar", "VoltWatt", "WattPF", "WattVar", "PowerMonitoringMustTrip"),
    *("HFMustTrip", "HFMayTrip", "HVMustTrip", "HVMomCess", "HVMayTrip"),
    *("LFMustTrip", "LVMustTrip", "LVMomCess", "LVMayTrip"),
}
_ONLY_DEFAULT = {"EnterService", "Gradients"}
_CONTROL_ID_CHARACTERS_MAX = 36


def set_der_control(
    control_id: str, control_type: str, body: Mapping[str, Any], *, is_default: bool
) -> dict[str, Any]:
    """SetDERControl. ``body``: what belongs to the type (a curve, a droop, …) in the schema's words.

    Raises InputError where the request breaks a rule of block R.
    """
    faults = list(_faults(control_id, control_type, body, is_default))
    if faults:
        raise InputError(faults)
    return {
        "isDefault": is_default,
        "controlId": control_id,
        "controlType": control_type,
        _BODIES.get(control_type, "curve"): dict(body),
    }


def get_der_control(
    request_id: int,
    *,
    control_id: str | None = None,
    control_type: str | None = None,
    is_default: bool | None = None,
) -> dict[str, Any]:
    """GetDERControl: one control by its id, or all of a type; the answer comes in ReportDERControl."""
    return {"requestId": request_id, **_selection(control_id, control_type, is_default)}


def clear_der_control(
    *, is_default: bool, control_id: str | None = None, control_type: str | None = None
) -> dict[str, Any]:
    """ClearDERControl: one control by its id, all of a type, or all."""
    return _selection(control_id, control_type, is_default)


def _selection(
    control_id: str | None, control_type: str | None, is_default: bool | None
) -> dict[str, Any]:
    found = {"isDefault": is_default, "controlType": control_type, "controlId": control_id}
    return {name: value for name, value in found.items() if value is not None}


def _faults(
    control_id: str, control_type: str, body: Mapping[str, Any], is_default: bool
) -> Iterator[InputFault]:
    if not 0 < len(control_id) <= _CONTROL_ID_CHARACTERS_MAX:
        yield InputFault("controlId", "must have 1 to 36 characters", control_id)
    if control_type not in _BODIES and control_type not in _CURVES:
        yield InputFault("controlType", "must be a control type of OCPP 2.1", control_type)
    if control_type in _ONLY_DEFAULT and not is_default:
        yield InputFault("isDefault", f"must be true for {control_type} (R04.FR.14)", False)
    timed = control_type not in _ONLY_DEFAULT
    for name in ("startTime", "duration"):
        if is_default and name in body:
            rule = "must be absent in a default control (R04.FR.12)"
            yield InputFault(name, rule, body[name])
        elif not is_default and timed and name not in body:
            yield InputFault(name, "must be given unless the control is a default")
