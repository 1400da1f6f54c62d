"""What a message says, in the forms that Home Assistant, Tasmota, Zigbee2MQTT, openWB and others send."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.mqtt.payload import LENGTH_MAX, PayloadError, number, word

TASMOTA = (
    b'{"Time":"2026-01-05T12:00:00","SM":{"Power_curr":-1234.5,"Total_in":100.25,"L":[1,"2.5"]}}'
)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"1234", 1234.0),
        (b" -0.5\n", -0.5),
        (b"+3.2e3", 3200.0),
        (b".5", 0.5),
        (b"7.", 7.0),
        (b"0", 0.0),
    ],
)
def test_numbers(payload: bytes, value: float) -> None:
    assert number(payload) == value


@pytest.mark.parametrize(
    "payload", [b"", b"  ", b"unknown", b"unavailable", b"None", b"none", b"null", b"NaN", b"nan"]
)
def test_what_is_not_known(payload: bytes) -> None:
    assert number(payload) is None
    assert number(payload, ("a",)) is None


@pytest.mark.parametrize(
    "payload",
    [
        *(b"inf", b"-Infinity", b"1e999", b"1,5", b"1.234,5", b"12 W", b"0x10", b"1_000"),
        *(b"on", b"true", b"{}", b"[1]", b"\xff\xfe", b"--5", b"\xd9\xa1"),
        b"1" * (LENGTH_MAX + 1),
    ],
)
def test_what_is_no_number(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        number(payload)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("SM.Power_curr", -1234.5),
        ("SM.Total_in", 100.25),
        ("SM.L.0", 1.0),
        ("SM.L.1", 2.5),
    ],
)
def test_values_within_json(path: str, value: float) -> None:
    assert number(TASMOTA, path.split(".")) == value


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b'{"power":null}', None), (b'{"power":"unavailable"}', None), (b'{"power":"-5"}', -5.0)],
)
def test_unknown_and_text_within_json(payload: bytes, value: float | None) -> None:
    assert number(payload, ("power",)) == value


@pytest.mark.parametrize(
    ("payload", "path", "words"),
    [
        (TASMOTA, "SM.Power", r"nothing at SM\.Power$"),
        (TASMOTA, "SM.L.2", r"nothing at SM\.L\.2"),
        (TASMOTA, "SM.L.x", r"nothing at SM\.L\.x"),
        (TASMOTA, "Time.x", r"nothing at Time\.x"),
        (TASMOTA, "Time", "no number: '2026-01-05T12:00:00'"),
        (TASMOTA, "SM", "what stands at SM is no number"),
        (b'{"a":true}', "a", "what stands at a is no number"),
        (b'{"a":NaN}', "a", "no JSON"),
        (b'{"a":1', "a", "no JSON"),
        (b'{"a":1e999}', "a", "larger than any|no JSON"),
        (b'{"a":' + b"9" * 400 + b"}", "a", "larger than any|no JSON"),
        (b"[" * 30_000, "0", "no JSON"),
    ],
)
def test_what_json_does_not_hold_is_told(payload: bytes, path: str, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        number(payload, path.split("."))


@given(st.binary(max_size=60), st.lists(st.text(min_size=1, max_size=5), max_size=3))
def test_no_bytes_give_anything_but_a_finite_number_unknown_or_a_fault(
    payload: bytes, path: list[str]
) -> None:
    try:
        value = number(payload, path)
    except PayloadError:
        return
    assert value is None or math.isfinite(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_number_is_read_back(value: float) -> None:
    assert number(repr(value).encode()) == value
    assert number(json.dumps({"a": [value]}).encode(), ("a", "0")) == value


@pytest.mark.parametrize(
    ("payload", "path", "said"),
    [
        (b"closed", (), "closed"),
        (b" ON\n", (), "ON"),
        (b"", (), None),
        (b"unavailable", (), None),
        (b"unknown", ("a",), None),
        (b'{"a":true}', ("a",), "true"),
        (b'{"a":{"b":false}}', ("a", "b"), "false"),
        (b'{"a":[7]}', ("a", "0"), "7"),
        (b'{"a":null}', ("a",), None),
        (b'{"a":"None"}', ("a",), None),
        (b'{"a":" open "}', ("a",), "open"),
    ],
)
def test_words(payload: bytes, path: tuple[str, ...], said: str | None) -> None:
    assert word(payload, path) == said


@pytest.mark.parametrize("payload", [b"on", b"{}", b'{"a":1.5}', b'{"a":[]}', b'{"a":{}}'])
def test_what_has_no_word_is_told(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        word(payload, ("a",))


@given(st.binary(max_size=200), st.sampled_from([(), ("a",), ("a", "0")]))
def test_no_payload_breaks_the_reader_of_words(payload: bytes, path: tuple[str, ...]) -> None:
    try:
        said = word(payload, path)
    except PayloadError:
        return
    assert said is None or said == said.strip() != ""


def test_what_is_too_long_is_not_looked_at_for_words() -> None:
    with pytest.raises(PayloadError, match="longer than"):
        word(b"o" * (LENGTH_MAX + 1))
