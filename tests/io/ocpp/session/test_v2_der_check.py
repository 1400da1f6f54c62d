"""A DER control by hand: each rule that the schema cannot say, and controls that keep them all."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.session.v2_der_check import der_control_faults
from parkwatt.io.ocpp.version import Version

TIMES = {"startTime": "2026-01-01T00:00:00Z", "duration": 60.0}
DROOP = {
    "priority": 0,
    "overFreq": 50.2,
    "underFreq": 49.8,
    "overDroop": 0.05,
    "underDroop": 0.05,
    "responseTime": 2.0,
}
CURVE = {"priority": 0, "yUnit": "PctMaxW", "curveData": [{"x": 49.5, "y": 100.0}]}
GRADIENT = {"priority": 0, "gradient": 1.0, "softGradient": 2.0}


def control(control_type: str, is_default: bool, **bodies: dict[str, Any]) -> dict[str, Any]:
    """A SetDERControl that keeps the schema."""
    payload = {"isDefault": is_default, "controlId": "c1", "controlType": control_type, **bodies}
    messages.check_request(Version.V21, "SetDERControl", payload)
    return payload


@pytest.mark.parametrize(
    "payload",
    [
        control("FreqDroop", True, freqDroop=DROOP),
        control("FreqDroop", False, freqDroop={**DROOP, **TIMES}),
        control("FreqWatt", True, curve=CURVE),
        control("VoltVar", False, curve={**CURVE, **TIMES}),
        control("Gradients", True, gradient=GRADIENT),
    ],
)
def test_a_control_that_keeps_the_rules(payload: dict[str, Any]) -> None:
    assert not list(der_control_faults(payload))


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (control("FreqDroop", True), ["freqDroop"]),
        (control("FreqDroop", True, curve=CURVE), ["freqDroop", "curve"]),
        (control("FreqWatt", True, curve=CURVE, gradient=GRADIENT), ["gradient"]),
        (
            control("FreqDroop", True, freqDroop={**DROOP, **TIMES}),
            ["freqDroop.startTime", "freqDroop.duration"],
        ),
        (control("VoltVar", False, curve=CURVE), ["curve.startTime", "curve.duration"]),
        (control("Gradients", False, gradient=GRADIENT), ["isDefault"]),
    ],
)
def test_every_fault_is_named(payload: dict[str, Any], fields: list[str]) -> None:
    assert [fault.field for fault in der_control_faults(payload)] == fields
