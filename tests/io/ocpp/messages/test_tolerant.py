"""What chargers in the field get wrong is put right and told; what cannot be is refused with the version's error code."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.ocpp.frame import CallFrame, read_frame
from parkwatt.io.ocpp.messages import (
    Decoded,
    MessageFault,
    decode_request,
    decode_response,
    encode,
)
from parkwatt.io.ocpp.messages.catalogue import Direction
from parkwatt.io.ocpp.messages.fault import DEVIATIONS_MAX, REPAIRS_MAX
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.messages.generate import ALL_MESSAGES, example, generator, mutated

TIME = "2026-11-22T10:00:00Z"


def request(version: Version, action: str, payload: Any) -> Decoded:
    return decode_request(version, action, msgspec.json.encode(payload))


def told(decoded: Decoded) -> list[tuple[str, str, str]]:
    return [(d.field, d.rule, d.value) for d in decoded.deviations]


def test_a_message_as_it_should_be_has_no_deviations() -> None:
    decoded = request(Version.V16, "Heartbeat", {})
    assert decoded.deviations == ()
    meter_values = {"timestamp": TIME, "sampledValue": [{"value": "1"}]}
    decoded = request(Version.V16, "MeterValues", {"connectorId": 1, "meterValue": [meter_values]})
    assert decoded.deviations == ()
    assert decoded.message.connectorId == 1
    assert decoded.message.transactionId is None
    assert decoded.message.meterValue[0].sampledValue[0].value == "1"


# Each case of the field by the name of who met it.


def test_aefa_leaves_out_the_transaction_id_behind_its_colon() -> None:
    frame = read_frame(
        '[2,"7","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":'
        f'"{TIME}","sampledValue":[{{"value":"5"}}]}}]}}]'
    )
    assert isinstance(frame, CallFrame)
    decoded = decode_request(Version.V16, frame.action, frame.payload)
    assert decoded.message.transactionId is None
    assert decoded.message.meterValue[0].sampledValue[0].value == "5"
    assert told(decoded) == [("transactionId", "is null, left out", "null")]


def test_beny_begins_a_list_with_a_comma() -> None:
    frame = read_frame(
        '[2,"7","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":'
        f'"{TIME}","sampledValue":[,{{"value":"5"}}]}}]}}]'
    )
    assert isinstance(frame, CallFrame)
    decoded = decode_request(Version.V16, frame.action, frame.payload)
    assert [sample.value for sample in decoded.message.meterValue[0].sampledValue] == ["5"]


def test_evlink_and_grizzl_e_send_strings_that_are_too_long() -> None:
    vendor = "Schneider Electric Industries SAS"
    decoded = request(
        Version.V16, "BootNotification", {"chargePointVendor": vendor, "chargePointModel": "EVlink"}
    )
    assert decoded.message.chargePointVendor == vendor
    assert told(decoded) == [("chargePointVendor", "is longer than 20 characters, kept", vendor)]


def test_a_unit_that_is_in_no_list() -> None:
    sample = {"value": "50.02", "unit": "Hz", "measurand": "Frequency"}
    decoded = request(
        Version.V16,
        "MeterValues",
        {"connectorId": 1, "meterValue": [{"timestamp": TIME, "sampledValue": [sample]}]},
    )
    assert decoded.message.meterValue[0].sampledValue[0].unit == "Hz"
    assert told(decoded) == [("meterValue[0].sampledValue[0].unit", "is no unit, kept", "Hz")]


def test_a_measurand_that_the_vendor_invented() -> None:
    sample = {"value": 1.5, "measurand": "Power.Active.Imaginary"}
    decoded = request(
        Version.V201,
        "MeterValues",
        {"evseId": 1, "meterValue": [{"timestamp": TIME, "sampledValue": [sample]}]},
    )
    assert decoded.message.meterValue[0].sampledValue[0].measurand == "Power.Active.Imaginary"
    assert [d.rule for d in decoded.deviations] == ["is no MeasurandEnumType, kept"]


def test_configuration_values_that_are_no_strings() -> None:
    keys = [
        {"key": "HeartbeatInterval", "readonly": False, "value": 300},
        {"key": "AllowOffline", "readonly": "false", "value": True},
        {"key": "Fraction", "readonly": True, "value": 0.5},
        {"key": "Empty", "readonly": True, "value": None},
    ]
    payload = msgspec.json.encode({"configurationKey": keys, "unknownKey": None})
    decoded = decode_response(Version.V16, "GetConfiguration", payload)
    read = [(key.key, key.readonly, key.value) for key in decoded.message.configurationKey]
    assert read == [
        ("HeartbeatInterval", False, "300"),
        ("AllowOffline", False, "true"),
        ("Fraction", True, "0.5"),
        ("Empty", True, None),
    ]
    assert told(decoded)[0] == ("configurationKey[0].value", "is not a string, taken as one", "300")
    assert len(decoded.deviations) == 6


def test_a_connector_that_is_left_out() -> None:
    status = {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 2}
    decoded = request(Version.V201, "StatusNotification", status)
    assert decoded.message.connectorId == 1
    assert told(decoded) == [("connectorId", "is missing or unreadable, taken as 1", "null")]
    with pytest.raises(MessageFault, match="connectorId is required"):
        request(Version.V16, "StatusNotification", {"status": "Charging", "errorCode": "NoError"})


@pytest.mark.parametrize("number", [5.0, "5", " 5 ", "5.0"])
def test_integers_with_a_fraction_of_zero_and_numbers_in_strings(number: object) -> None:
    decoded = request(Version.V16, "StartTransaction", start(meterStart=number))
    assert decoded.message.meterStart == 5
    assert isinstance(decoded.message.meterStart, int)
    assert len(decoded.deviations) == isinstance(number, str)


def test_a_meter_register_with_a_fraction_is_rounded() -> None:
    decoded = request(Version.V16, "StartTransaction", start(meterStart=12345.678))
    assert decoded.message.meterStart == 12346
    assert told(decoded) == [("meterStart", "is not a whole number, rounded", "12345.678")]


def start(**changes: object) -> dict[str, object]:
    return {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": TIME, **changes}


def test_a_time_without_a_zone_is_left_for_others_to_judge() -> None:
    decoded = request(
        Version.V16, "StartTransaction", start(timestamp="2026-08-04T13:35:45.377", extra=1)
    )
    assert decoded.message.timestamp == "2026-08-04T13:35:45.377"
    assert told(decoded) == [("extra", "is unknown, left out", "1")]


def test_a_missing_time_is_an_empty_one() -> None:
    event = {
        "eventType": "Started",
        "transactionInfo": {"transactionId": "t"},
        "triggerReason": "CablePluggedIn",
        "timestamp": None,
    }
    decoded = request(Version.V21, "TransactionEvent", event)
    assert (decoded.message.timestamp, decoded.message.seqNo) == ("", 0)
    assert {d.field for d in decoded.deviations} == {"timestamp", "seqNo"}


def test_a_stop_without_a_transaction_can_be_acknowledged() -> None:
    decoded = request(
        Version.V16, "StopTransaction", {"transactionId": None, "meterStop": 9, "timestamp": TIME}
    )
    assert decoded.message.transactionId == -1


def test_samples_that_cannot_be_read_do_not_take_the_others_with_them() -> None:
    samples: list[Any] = [{"value": None}, {"value": "7"}, {}, "junk", {"value": [1]}, None]
    decoded = request(
        Version.V16,
        "MeterValues",
        {"connectorId": 1, "meterValue": [{"timestamp": TIME, "sampledValue": samples}]},
    )
    assert [sample.value for sample in decoded.message.meterValue[0].sampledValue] == ["7"]
    assert [d.field.removeprefix("meterValue[0].") for d in decoded.deviations] == [
        "sampledValue[0].value",
        "sampledValue[2].value",
        "sampledValue[3]",
        "sampledValue[4].value",
        "sampledValue[5]",
    ]


def test_one_item_stands_for_a_list_of_one() -> None:
    decoded = request(
        Version.V201,
        "MeterValues",
        {"evseId": 1, "meterValue": {"timestamp": TIME, "sampledValue": {"value": 4}}},
    )
    assert decoded.message.meterValue[0].sampledValue[0].value == 4
    assert [d.field for d in decoded.deviations] == ["meterValue[0].sampledValue", "meterValue"]


def test_lists_that_are_too_short_or_too_long_are_kept() -> None:
    decoded = request(Version.V201, "MeterValues", {"evseId": 1, "meterValue": []})
    assert decoded.message.meterValue == []
    assert told(decoded) == [("meterValue", "has fewer than 1 items, kept", "0")]
    hashes = {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "n",
        "issuerKeyHash": "k",
        "serialNumber": "s",
        "responderURL": "http://ocsp.example.org",
    }
    token = {"idToken": "A", "type": "Central"}
    long = {"idToken": token, "iso15118CertificateHashData": [hashes] * 5}
    decoded = request(Version.V201, "Authorize", long)
    assert len(decoded.message.iso15118CertificateHashData) == 5
    assert told(decoded) == [("iso15118CertificateHashData", "has more than 4 items, kept", "5")]


def test_numbers_beyond_their_bounds_are_kept() -> None:
    decoded = decode_request(
        Version.V21,
        "NotifyPeriodicEventStream",
        b'{"id":-1,"pending":0,"basetime":"x","data":[{"t":0,"v":"1"}]}',
    )
    assert decoded.message.id == -1
    assert told(decoded) == [("id", "is below 0, kept", "-1")]


def test_an_optional_field_that_makes_no_sense_is_left_out() -> None:
    decoded = request(Version.V16, "StartTransaction", start(reservationId={"a": 1}))
    assert decoded.message.reservationId is None
    assert told(decoded) == [("reservationId", "is not a number, left out", "an object of 1")]


@pytest.mark.parametrize("payload", [b"[]", b"null", b"{}"])
def test_an_empty_message_comes_in_many_guises(payload: bytes) -> None:
    decoded = decode_request(Version.V16, "Heartbeat", payload)
    assert msgspec.to_builtins(decoded.message) == {}


def test_text_that_is_not_utf_8_is_read_with_marks_in_its_place() -> None:
    decoded = decode_request(
        Version.V16,
        "BootNotification",
        b'{"chargePointVendor":"M\xfcller","chargePointModel":"a\nb"}',
    )
    assert decoded.message.chargePointVendor == "M\ufffdller"
    assert decoded.message.chargePointModel == "a b"
    assert told(decoded) == [("payload", "is not JSON, mended", "an object of 2")]


@pytest.mark.parametrize("name", ["NaN", "-Infinity", "Infinity", "nan"])
def test_a_sample_that_is_no_number_is_left_out(name: str) -> None:
    payload = (
        f'{{"evseId":1,"meterValue":[{{"timestamp":"{TIME}","sampledValue":'
        f'[{{"value":{name}}},{{"value":3,"customData":{{"vendorId":"NaN, of course"}}}}]}}]}}'
    )
    decoded = decode_request(Version.V201, "MeterValues", payload.encode())
    (sample,) = decoded.message.meterValue[0].sampledValue
    assert sample.value == 3
    assert sample.customData == {"vendorId": "NaN, of course"}


CODES = {
    "format": ("FormationViolation", "FormatViolation"),
    "occurrence": ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    "type": ("TypeConstraintViolation", "TypeConstraintViolation"),
    "property": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "unknown": ("NotImplemented", "NotImplemented"),
}


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    ("kind", "action", "payload", "description"),
    [
        ("format", "Heartbeat", b"{", "the payload is not JSON"),
        ("format", "Heartbeat", b"[" * 5000, "the payload is not JSON"),
        ("type", "Heartbeat", b"12", "the payload is not an object"),
        ("occurrence", "UnlockConnector", b"{}", "connectorId is required"),
        ("occurrence", "UnlockConnector", b'{"connectorId":null}', "connectorId is required"),
        ("type", "UnlockConnector", b'{"connectorId":{}}', "connectorId is not a number"),
        ("type", "UnlockConnector", b'{"connectorId":true}', "connectorId is not a number"),
        ("property", "UnlockConnector", b'{"connectorId":1e30}', "connectorId is beyond 64 bits"),
        ("unknown", "Heart" * 90, b"{}", "HeartHeart"),
    ],
)
def test_faults_have_the_error_code_of_the_version(
    version: Version, kind: str, action: str, payload: bytes, description: str
) -> None:
    with pytest.raises(MessageFault) as fault:
        decode_request(version, action, payload)
    assert fault.value.code == CODES[kind][version.is_2]
    assert fault.value.description.startswith(description)
    assert len(fault.value.description) <= 255


def test_what_is_sent_has_no_response() -> None:
    with pytest.raises(MessageFault, match="NotImplemented"):
        decode_response(Version.V21, "NotifyPeriodicEventStream", b"{}")


def test_a_response_without_its_status_says_nothing_at_all() -> None:
    with pytest.raises(MessageFault, match="status is required"):
        decode_response(Version.V16, "SetChargingProfile", b"{}")


def test_the_deviations_of_one_message_are_bounded() -> None:
    payload = {f"extra{i}": "x" * 1000 for i in range(10 * DEVIATIONS_MAX)}
    decoded = request(Version.V16, "Heartbeat", payload)
    assert len(decoded.deviations) == DEVIATIONS_MAX
    assert all(len(d.value) <= 60 and len(d.field) <= 60 for d in decoded.deviations)


def test_a_message_with_no_end_of_faults_is_refused() -> None:
    decoded = request(Version.V16, "GetConfiguration", {"key": [1] * REPAIRS_MAX})
    assert decoded.message.key == ["1"] * REPAIRS_MAX
    with pytest.raises(MessageFault, match=f"more than {REPAIRS_MAX} faults"):
        request(Version.V16, "GetConfiguration", {"key": [1] * (REPAIRS_MAX + 1)})


@given(st.sampled_from(ALL_MESSAGES), st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 1.0]))
def test_any_broken_message_is_either_read_and_told_of_or_refused(
    message: tuple[Version, str, Direction], seed: int, share: float
) -> None:
    version, action, direction = message
    rng = generator(seed)
    payload = mutated(example(*message, rng, share=share), rng)
    decode = decode_request if direction == "request" else decode_response
    try:
        decoded = decode(version, action, msgspec.json.encode(payload))
    except MessageFault:
        return
    again = decode(version, action, encode(decoded.message))
    assert again.message == decoded.message
    assert all(deviation.rule.endswith("kept") for deviation in again.deviations)


@given(st.sampled_from(ALL_MESSAGES), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    message: tuple[Version, str, Direction], payload: bytes
) -> None:
    version, action, direction = message
    decode = decode_request if direction == "request" else decode_response
    with suppress(MessageFault):
        assert decode(version, action, payload).message is not None
