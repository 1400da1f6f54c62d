"""Sound calls in one pass: what is read so is what the readers of envelope and payload read, and nothing else is read so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.ocpp.frame import DEPTH_MAX, FRAME_BYTES_MAX, CallFrame, read_frame
from parkwatt.io.ocpp.messages.strict import decoder
from parkwatt.io.ocpp.version import Version
from parkwatt.io.ocpp.whole_call import CallReader, call_reader
from tests.io.ocpp.messages.generate import ALL_MESSAGES, example, generator, mutated

_REQUESTS = [(version, action) for version, action, way in ALL_MESSAGES if way == "request"]
_SEPARATORS = [(",", ":"), (", ", ": "), (" ,\n", "\t: ")]


def in_two_passes(version: Version, data: str | bytes) -> tuple[str, str, Any] | None:
    """The call as the envelope's reader and the strict one of payloads see it; None where either does not take it."""
    frame = read_frame(data)
    if not isinstance(frame, CallFrame):
        return None
    try:
        message = decoder(version, frame.action, "request").decode(frame.payload)
    except (KeyError, ValueError):
        return None
    if b"customData" in bytes(frame.payload) or (version.is_2 and frame.action == "DataTransfer"):
        return None  # vendors' data, of which nobody knows how deep it nests
    return (frame.message_id, frame.action, message)


def in_one_pass(version: Version, data: str | bytes) -> tuple[str, str, Any] | None:
    """The same by the reader under test."""
    call = call_reader(version).read(data)
    return None if call is None else (call.message_id, call.action, call.message)


@given(
    st.sampled_from(_REQUESTS),
    st.integers(0, 2**32),
    st.text(min_size=1, max_size=40),
    st.sampled_from(_SEPARATORS),
    st.booleans(),
)
def test_a_sound_call_is_read_in_one_pass_as_in_two(
    request: tuple[Version, str],
    seed: int,
    message_id: str,
    separators: tuple[str, str],
    ascii_only: bool,
) -> None:
    version, action = request
    payload = example(version, action, "request", generator(seed), share=0.5)
    text = json.dumps(
        [2, message_id, action, payload], separators=separators, ensure_ascii=ascii_only
    )
    try:
        data: str | bytes = text.encode()
    except UnicodeEncodeError:
        data = text
    expected = in_two_passes(version, data)
    found = in_one_pass(version, data)
    assert found in (expected, None)
    if '"' not in message_id and "\\" not in message_id:
        assert found == expected


@given(st.sampled_from(_REQUESTS), st.integers(0, 2**32))
def test_what_breaks_the_standard_is_left_to_those_who_tell_it(
    request: tuple[Version, str], seed: int
) -> None:
    version, action = request
    rng = generator(seed)
    payload = mutated(example(version, action, "request", rng, share=0.5), rng)
    data = json.dumps([2, "19", action, payload]).encode()
    assert in_one_pass(version, data) == in_two_passes(version, data)


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    "data",
    [
        b'[3,"19",{}]',
        b'[6,"19","Heartbeat",{}]',
        b'[2,"19","Heartbeat"]',
        b'[2,"","Heartbeat",{}]',
        b'[2,"19","Nothing",{}]',
        b'[2,"19","Heartbeat","x","BootNotification",{}]',
        b'[2,"x\\",\\"Heartbeat","StatusNotification",{}]',
        b'["Heartbeat","Heartbeat","Heartbeat",{}]',
        b'[2,"19","\xff\xfe",{}]',
        b'[2,"19","Heartbeat",{}',
        b"",
        b'""""""',
        b'[2,"' + b"9" * 256 + b'","Heartbeat",{}]',
        b'[2,"19","Heartbeat",{}' + b" " * FRAME_BYTES_MAX + b"]",
    ],
)
def test_all_that_is_no_sound_call_is_not_read(version: Version, data: bytes) -> None:
    assert call_reader(version).read(data) is None


@pytest.mark.parametrize("levels", [1, DEPTH_MAX, 500])
def test_vendors_data_is_left_to_those_who_look_how_deep_it_nests(levels: int) -> None:
    nested = "[" * levels + "]" * levels
    for version, action, rest in [
        (Version.V201, "DataTransfer", f'"vendorId":"Maker","data":{nested}'),
        (Version.V201, "Heartbeat", f'"customData":{{"vendorId":"Maker","data":{nested}}}'),
        (Version.V201, "Heartbeat", f'"custom\\u0044ata":{{"vendorId":"Maker","data":{nested}}}'),
    ]:
        data = f'[2,"19","{action}",{{{rest}}}]'.encode()
        assert call_reader(version).read(data) is None


def test_the_messages_of_every_day_are_read() -> None:
    for version, action in _REQUESTS:
        payload = example(version, action, "request", generator(1), share=0.0)
        found = in_one_pass(version, json.dumps([2, "19", action, payload]).encode())
        assert (found is None) == (version.is_2 and action == "DataTransfer"), action


def test_names_that_a_charger_makes_up_are_not_kept() -> None:
    reader = CallReader(Version.V201)
    for number in range(50):
        assert reader.read(b'[2,"19","Made%d",{}]' % number) is None
    assert reader.read(b'[2,"19","Heartbeat",{}]') is not None
    assert len(reader._decoders) == 1
