"""DER controls: what the schema cannot say is checked, and what passes is a message of 2.1."""

from typing import Any

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.io.ocpp.ladder.der import clear_der_control, get_der_control, set_der_control
from parkwatt.io.ocpp.messages import check_request
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


@pytest.mark.parametrize(
    ("control_type", "body", "is_default"),
    [
        ("FreqDroop", DROOP, True),
        ("FreqDroop", {**DROOP, **TIMES}, False),
        ("FreqWatt", CURVE, True),
        ("VoltVar", {**CURVE, **TIMES}, False),
        ("Gradients", GRADIENT, True),
        ("LimitMaxDischarge", {"priority": 0, "pctMaxDischargePower": 50.0, **TIMES}, False),
        ("FixedPFAbsorb", {"priority": 0, "displacement": 0.9, "excitation": True}, True),
    ],
)
def test_controls_pass_the_schema(
    control_type: str, body: dict[str, Any], is_default: bool
) -> None:
    payload = set_der_control("c1", control_type, body, is_default=is_default)
    check_request(Version.V21, "SetDERControl", payload)
    assert len(payload) == 4, "exactly one body"


@pytest.mark.parametrize(
    ("control_id", "control_type", "body", "is_default", "fields"),
    [
        ("c1", "FreqDroop", {**DROOP, **TIMES}, True, ["startTime", "duration"]),
        ("c1", "FreqDroop", DROOP, False, ["startTime", "duration"]),
        ("c1", "Gradients", GRADIENT, False, ["isDefault"]),
        ("", "Nothing", {}, True, ["controlId", "controlType"]),
        ("c" * 37, "FreqWatt", CURVE, True, ["controlId"]),
    ],
)
def test_faults_are_named(
    control_id: str, control_type: str, body: dict[str, Any], is_default: bool, fields: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        set_der_control(control_id, control_type, body, is_default=is_default)
    assert [fault.field for fault in caught.value.faults] == fields


def test_controls_are_read_and_cleared() -> None:
    check_request(Version.V21, "GetDERControl", get_der_control(1, control_type="FreqDroop"))
    check_request(Version.V21, "GetDERControl", get_der_control(1, control_id="c1"))
    check_request(Version.V21, "ClearDERControl", clear_der_control(is_default=True))
    cleared = clear_der_control(is_default=False, control_id="c1")
    assert cleared == {"isDefault": False, "controlId": "c1"}
    check_request(Version.V21, "ClearDERControl", cleared)
