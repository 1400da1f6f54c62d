"""What is secret in a command is masked, wherever it stands, and nothing else is touched."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from parkwatt.io.ocpp.secrets import MASK, MAY_HOLD_SECRETS, SECRET_NAMES, without_secrets

SECRET = "correct horse"  # noqa: S105 - of nobody
PAYLOADS: list[tuple[str, dict[str, Any]]] = [
    ("ChangeConfiguration", {"key": "AuthorizationKey", "value": SECRET}),
    (
        "SetVariables",
        {
            "setVariableData": [
                {
                    "attributeValue": SECRET,
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                },
                {
                    "attributeValue": "60",
                    "component": {"name": "OCPPCommCtrlr"},
                    "variable": {"name": "HeartbeatInterval"},
                },
            ]
        },
    ),
    (
        "SetNetworkProfile",
        {
            "configurationSlot": 1,
            "connectionData": {
                "basicAuthPassword": SECRET,
                "apn": {"apn": "net", "apnPassword": SECRET},
                "vpn": {"server": "10.0.0.1", "password": SECRET, "key": SECRET},
            },
        },
    ),
]


@pytest.mark.parametrize(("action", "payload"), PAYLOADS)
def test_nothing_of_a_secret_is_left(action: str, payload: dict[str, Any]) -> None:
    before = copy.deepcopy(payload)
    masked = without_secrets(payload)
    assert action in MAY_HOLD_SECRETS
    assert SECRET not in json.dumps(masked)
    assert json.dumps(masked).count(MASK) == json.dumps(payload).count(SECRET)
    assert payload == before
    assert any(name in json.dumps(payload).encode() for name in SECRET_NAMES)


def test_what_is_no_secret_stays() -> None:
    payload = {"key": "HeartbeatInterval", "value": "60"}
    assert without_secrets(payload) == payload
    variables = without_secrets(PAYLOADS[1][1])["setVariableData"]
    assert variables[1] == PAYLOADS[1][1]["setVariableData"][1]
