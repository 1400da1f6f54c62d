"""Which messages every version knows, and where their JSON schemas are.

The schemas are the Open Charge Alliance's own, as the `ocpp` package carries them. OCPP 1.6 calls its files `X.json` and
`XResponse.json`, 2.x `XRequest.json` and `XResponse.json`; what is sent without an answer (2.1's NotifyPeriodicEventStream)
has one file without a suffix.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from parkwatt.io.ocpp.version import Version

Direction = Literal["request", "response"]

_FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}
_SUFFIXES = {"request": "Request", "response": "Response"}


@cache
def _documents(version: Version) -> dict[Direction, dict[str, str]]:
    """The schemas' file names by direction and action."""
    documents: dict[Direction, dict[str, str]] = {"request": {}, "response": {}}
    for entry in files("ocpp").joinpath(_FOLDERS[version], "schemas").iterdir():
        name = entry.name.removesuffix(".json")
        if name == entry.name:
            continue
        if name.endswith(_SUFFIXES["response"]):
            documents["response"][name.removesuffix(_SUFFIXES["response"])] = entry.name
        else:
            documents["request"][name.removesuffix(_SUFFIXES["request"])] = entry.name
    return documents


@cache
def actions(version: Version, direction: Direction = "request") -> frozenset[str]:
    """The actions of a version: those with a request, or those with a response."""
    return frozenset(_documents(version)[direction])


def has_action(version: Version, action: str) -> bool:
    """Whether the version knows a request of this name."""
    return action in actions(version)


def schema(version: Version, action: str, direction: Direction) -> dict[str, Any]:
    """The message's JSON schema. Raises KeyError where the version has no such message."""
    document = _documents(version)[direction][action]
    text = files("ocpp").joinpath(_FOLDERS[version], "schemas", document).read_text("utf-8-sig")
    parsed: dict[str, Any] = msgspec.json.decode(text)
    return parsed
