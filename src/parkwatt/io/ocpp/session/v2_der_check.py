"""What the schema cannot say of a DER control that a person sends by hand (2.1, block R).

Rules: exactly the body that belongs to the type (R04.FR.16); no start or duration in a default, both in any other (R04.FR.12
and the text of the schema); `EnterService` and `Gradients`, which have neither, only as defaults (R04.FR.14).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parkwatt.domain.errors import InputFault

# All other types are curves.
_BODIES = {
    "EnterService": "enterService",
    "FreqDroop": "freqDroop",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
_CURVE = "curve"
_ONLY_DEFAULT = frozenset({"EnterService", "Gradients"})


def der_control_faults(payload: Mapping[str, Any]) -> Iterator[InputFault]:
    """What breaks a rule in a SetDERControl that keeps the schema."""
    control_type, is_default = payload["controlType"], payload["isDefault"]
    expected = _BODIES.get(control_type, _CURVE)
    for name in (*_BODIES.values(), _CURVE):
        if name == expected and name not in payload:
            yield InputFault(name, f"must be given for {control_type} (R04.FR.16)")
        elif name != expected and name in payload:
            rule = f"must not stand in a control of type {control_type} (R04.FR.16)"
            yield InputFault(name, rule, payload[name])
    if control_type in _ONLY_DEFAULT:
        if not is_default:
            rule = f"must be true for {control_type} (R04.FR.14)"
            yield InputFault("isDefault", rule, is_default)
        return
    body = payload.get(expected, {})
    for name in ("startTime", "duration"):
        if is_default and name in body:
            rule = "must be absent in a default control (R04.FR.12)"
            yield InputFault(f"{expected}.{name}", rule, body[name])
        elif not is_default and expected in payload and name not in body:
            yield InputFault(f"{expected}.{name}", "must be given unless the control is a default")
