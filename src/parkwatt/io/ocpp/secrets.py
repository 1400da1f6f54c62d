"""Passwords that commands carry to chargers: they are sent, and never written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAY_HOLD_SECRETS = frozenset({"ChangeConfiguration", "SetVariables", "SetNetworkProfile"})
MASK = "***"
# A frame that holds one of these may hold a password.
SECRET_NAMES = (b"AuthorizationKey", b"assword")

# The names of settings that are secret in 1.6 and 2.x, and the fields of SetNetworkProfile that are.
_SECRET_SETTINGS = frozenset({"AuthorizationKey", "BasicAuthPassword"})
_SECRET_FIELDS = frozenset({"basicAuthPassword", "password", "apnPassword", "key"})


def without_secrets(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of one of `MAY_HOLD_SECRETS` with what is secret masked; the payload itself stays as it is."""
    masked = {name: _masked(value) for name, value in payload.items()}
    if payload.get("key") in _SECRET_SETTINGS:
        masked["value"] = MASK
    return masked


def _masked(value: object) -> object:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    variable = value.get("variable")
    secret = isinstance(variable, Mapping) and variable.get("name") in _SECRET_SETTINGS
    return {
        name: MASK
        if (secret and name == "attributeValue")
        or (name in _SECRET_FIELDS and isinstance(inner, str))
        else _masked(inner)
        for name, inner in value.items()
    }
