"""What is about to be sent: every fault is found, and found where it is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.io.ocpp.messages import check_request, check_response
from parkwatt.io.ocpp.messages.catalogue import Direction
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.messages.generate import (
    ALL_MESSAGES,
    example,
    generator,
    mutated,
    schema_without_multiples,
)

messages = st.sampled_from(ALL_MESSAGES)
seeds = st.integers(0, 2**32)


@cache
def validator(version: Version, action: str, direction: Direction) -> jsonschema.Draft4Validator:
    document = schema_without_multiples(version, action, direction)
    return jsonschema.Draft4Validator(document)


def found(version: Version, action: str, direction: Direction, payload: Any) -> set[str]:
    """The fields at fault by the schema alone: without formats and multiples, which jsonschema does not judge."""
    check = check_request if direction == "request" else check_response
    try:
        check(version, action, payload)
    except InputError as error:
        apart = ("RFC 3339", "URI", "multiple")
        return {f.field for f in error.faults if not any(word in f.rule for word in apart)}
    return set()


def expected(error: jsonschema.ValidationError) -> Iterator[str]:
    """The fields that an error of jsonschema is about, written as Parkwatt does."""
    path = ""
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    prefix = f"{path}." if path else ""
    assert isinstance(error.schema, dict)
    if error.validator == "required":
        yield from (prefix + key for key in error.validator_value if key not in error.instance)
    elif error.validator == "additionalProperties":
        if error.schema["type"] != "object":  # some enumerations forbid further fields: nonsense
            return
        known = error.schema.get("properties", {})
        yield from (prefix + key for key in error.instance if key not in known)
    else:
        yield path or "payload"


@given(messages, seeds, st.sampled_from([0.0, 0.5, 1.0]))
def test_valid_messages_pass(
    message: tuple[Version, str, Direction], seed: int, share: float
) -> None:
    version, action, direction = message
    payload = example(*message, generator(seed), share=share)
    check = check_request if direction == "request" else check_response
    check(version, action, payload)


@given(messages, seeds, st.sampled_from([0.0, 0.3, 1.0]))
def test_all_faults_of_a_broken_message_are_found_and_no_others(
    message: tuple[Version, str, Direction], seed: int, share: float
) -> None:
    rng = generator(seed)
    payload = mutated(example(*message, rng, share=share), rng)
    errors = validator(*message).iter_errors(payload)
    assert found(*message, payload) == {field for error in errors for field in expected(error)}


def test_every_fault_is_named_with_its_path_its_rule_and_its_value() -> None:
    payload = {
        "connectorId": True,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolut",
            "chargingSchedule": {
                "startSchedule": "2026-03-29T02:30:00",
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.15, "numberPhases": 3}],
            },
        },
        "priority": 1,
    }
    with pytest.raises(InputError) as error:
        check_request(Version.V16, "SetChargingProfile", payload)
    assert [str(fault) for fault in error.value.faults] == [
        "connectorId: must be a whole number, got True",
        "csChargingProfiles.chargingProfileKind: must be one of Absolute, Recurring, Relative, got 'Absolut'",
        "csChargingProfiles.chargingSchedule.startSchedule: must be a time as in RFC 3339, got '2026-03-29T02:30:00'",
        "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit: must be a multiple of 0.1, got 16.15",
        "priority: is not a field of SetChargingProfile, got 1",
    ]


@pytest.mark.parametrize("limit", [0.3, 16.1, 0.1 + 0.2, 7359.9, 22080.7, -11000.1, 1e9 + 0.1])
def test_float_noise_does_not_make_a_limit_a_fraction_of_its_step(limit: float) -> None:
    schedule = {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    check_response(
        Version.V16,
        "GetCompositeSchedule",
        {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule},
    )


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_cannot_hold_are_faults(limit: float) -> None:
    with pytest.raises(InputError, match=r"scheduleUpdate\.limit: must be a number"):
        check_request(
            Version.V21,
            "UpdateDynamicSchedule",
            {"chargingProfileId": 1, "scheduleUpdate": {"limit": limit}},
        )


@pytest.mark.parametrize(
    ("time", "valid"),
    [
        ("2026-10-25T02:30:00Z", True),
        ("2026-10-25T02:30:00.123456789+02:00", True),
        ("2026-10-25t02:30:00z", True),
        ("2024-02-29T00:00:00Z", True),
        ("2026-02-29T00:00:00Z", False),
        ("2026-10-25T24:00:00Z", False),
        ("2026-10-25T02:30:00", False),
        ("2026-10-25 02:30:00Z", False),
        ("2026-10-25T02:30Z", False),
        ("2026-10-25T02:30:00+0200", False),
        ("٢٠٢٦-10-25T02:30:00Z", False),
        ("", False),
    ],
)
def test_times_are_those_of_rfc_3339(time: str, valid: bool) -> None:
    payload = {"currentTime": time}
    if valid:
        check_response(Version.V201, "Heartbeat", payload)
    else:
        with pytest.raises(InputError, match="currentTime: must be a time as in RFC 3339"):
            check_response(Version.V201, "Heartbeat", payload)


@pytest.mark.parametrize(
    ("location", "valid"), [("ftp://user@host/x?y=1", True), ("no scheme", False), ("", False)]
)
def test_addresses_have_a_scheme(location: str, valid: bool) -> None:
    payload = {"location": location}
    if valid:
        check_request(Version.V16, "GetDiagnostics", payload)
    else:
        with pytest.raises(InputError, match="location: must be a URI"):
            check_request(Version.V16, "GetDiagnostics", payload)


def test_a_message_that_the_version_lacks_is_a_fault_of_its_own() -> None:
    with pytest.raises(
        InputError, match=r"action: is not a request of ocpp1\.6, got 'SetVariables'"
    ):
        check_request(Version.V16, "SetVariables", {})
    with pytest.raises(InputError, match=r"action: is not a response of ocpp2\.1"):
        check_response(Version.V21, "NotifyPeriodicEventStream", {})


def test_tuples_are_lists() -> None:
    check_request(Version.V16, "GetConfiguration", {"key": ("HeartbeatInterval",)})
