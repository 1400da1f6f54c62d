"""OCPP-J's envelope: what is sound is read as it is, what is broken in known ways is understood, nothing raises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parkwatt.io.ocpp.frame import (
    DEPTH_MAX,
    FRAME_BYTES_MAX,
    CallFrame,
    ErrorFrame,
    Frame,
    MalformedFrame,
    ResultFrame,
    SendFrame,
    read_frame,
    write_call,
    write_error,
    write_result,
    write_result_error,
    write_send,
)

FRAME_KINDS = (CallFrame, ResultFrame, ErrorFrame, SendFrame, MalformedFrame)


def value(payload: msgspec.Raw) -> Any:
    return msgspec.json.decode(payload)


def call(frame: Frame) -> CallFrame:
    assert isinstance(frame, CallFrame)
    return frame


def malformed(frame: Frame) -> MalformedFrame:
    assert isinstance(frame, MalformedFrame)
    return frame


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)
payloads = st.dictionaries(st.text(max_size=8), json_values, max_size=4)
message_ids = st.text(min_size=1, max_size=36)
texts = st.text(max_size=300)


@given(message_ids, st.text(max_size=40), payloads, st.booleans())
def test_calls_and_sends_come_back_as_they_were_written(
    message_id: str, action: str, payload: dict[str, Any], as_text: bool
) -> None:
    for write, kind in ((write_call, CallFrame), (write_send, SendFrame)):
        data = write(message_id, action, msgspec.json.encode(payload))
        frame = read_frame(data.decode() if as_text else data)
        assert isinstance(frame, CallFrame | SendFrame)
        assert type(frame) is kind
        assert (frame.message_id, frame.action) == (message_id, action)
        assert value(frame.payload) == payload


@given(message_ids, payloads)
def test_results_come_back_as_they_were_written(message_id: str, payload: dict[str, Any]) -> None:
    frame = read_frame(write_result(message_id, msgspec.json.encode(payload)))
    assert isinstance(frame, ResultFrame)
    assert frame.message_id == message_id
    assert value(frame.payload) == payload


@given(message_ids, st.text(max_size=30), texts, payloads)
def test_errors_come_back_with_at_most_255_characters_of_description(
    message_id: str, code: str, description: str, details: dict[str, Any]
) -> None:
    for write, of_result in ((write_error, False), (write_result_error, True)):
        frame = read_frame(write(message_id, code, description, details))
        assert frame == ErrorFrame(message_id, code, description[:255], details, of_result)


def test_frames_are_written_as_part_4_shows_them() -> None:
    assert (
        write_call("1", "Reset", b'{"type":"Immediate"}') == b'[2,"1","Reset",{"type":"Immediate"}]'
    )
    assert write_result("1", b"{}") == b'[3,"1",{}]'
    assert write_error("-1", "RpcFrameworkError", "") == b'[4,"-1","RpcFrameworkError","",{}]'
    assert write_result_error("1", "FormatViolation", "x") == b'[5,"1","FormatViolation","x",{}]'
    assert (
        write_send("1", "NotifyPeriodicEventStream", b"{}")
        == b'[6,"1","NotifyPeriodicEventStream",{}]'
    )


@given(st.binary(max_size=400) | st.text(max_size=400))
@example(b"")
@example("")
@example(b"\xff\xfe")
@example("\ud800")
@example('[2,"\ud800","A",{}]')
@example(b"[" * 100_000)
@example(b'[2,"1","A",' + b"9" * 10_000 + b"]")
@example(b"[1e400,1e400]")
@example(b'[2,"1","A",{"a":1e400}]')
@example(b'["\\')
def test_nothing_raises(data: str | bytes) -> None:
    assert isinstance(read_frame(data), FRAME_KINDS)


fragments = st.sampled_from(
    ["[", "]", "{", "}", ",", ":", '"', "\\", "2", "3", "4", "5", "6", '"id"', '"Heartbeat"', "NaN", "\n", "1.0",
     "null", "-Infinity", "\\u", "\\ud800", " ", "é", "\x00", "[2,", '"a":', "true", "-"]
)  # fmt: skip


@given(st.lists(fragments, max_size=40).map("".join))
def test_nothing_raises_on_what_is_nearly_json(data: str) -> None:
    assert isinstance(read_frame(data), FRAME_KINDS)
    assert isinstance(read_frame(data.encode()), FRAME_KINDS)


@given(message_ids, payloads, st.data())
def test_a_frame_that_was_cut_short_is_malformed_or_still_a_frame(
    message_id: str, payload: dict[str, Any], data: st.DataObject
) -> None:
    written = write_call(message_id, "DataTransfer", msgspec.json.encode(payload))
    cut = data.draw(st.integers(0, len(written) - 1))
    assert isinstance(read_frame(written[:cut]), MalformedFrame)


@pytest.mark.parametrize(
    ("data", "message_id"),
    [
        ('[2,"19","Heartbeat",{', "19"),
        ('[2, "19" , "Heartbeat" {}]', "19"),
        (b'["2","19","Heartbeat",{"a":\xff', "19"),
        ('{"not": "a list"}', None),
        ('[2,"","Heartbeat",{}]', None),
        ('[2,null,"Heartbeat",{}]', None),
        ("[2]", None),
        ("[]", None),
        ("garbage", None),
        ('[2,"19",5,{}]', "19"),
        ('[2,"19"]', "19"),
        ('["x","19","Heartbeat",{}]', "19"),
        ('[true,"19","Heartbeat",{}]', "19"),
        ('[2.5,"19","Heartbeat",{}]', "19"),
        ('[2,"' + "x" * 256 + '","Heartbeat",{}]', None),
        ('[2,"19","DataTransfer",{"data":"' + "x" * FRAME_BYTES_MAX + '"}]', "19"),
    ],
)
def test_of_a_malformed_frame_the_id_is_kept_where_it_is_legible(
    data: str | bytes, message_id: str | None
) -> None:
    frame = malformed(read_frame(data))
    assert frame.message_id == message_id
    assert frame.fault
    assert frame.unknown_type is None


@pytest.mark.parametrize("number", [-1, 0, 1, 7, 99])
def test_a_message_type_that_ocpp_lacks_is_named(number: int) -> None:
    frame = malformed(read_frame(f'[{number},"19","Heartbeat",{{}}]'))
    assert (frame.message_id, frame.unknown_type) == ("19", number)


@pytest.mark.parametrize(
    "data",
    [
        '[2,"19","Heartbeat",{}]',
        '[2.0,"19","Heartbeat",{}]',
        '["2","19","Heartbeat",{}]',
        '[2,19,"Heartbeat",{}]',
        '[2,"19","Heartbeat"]',
        '[2,"19","Heartbeat",{},"more"]',
        ' [2,"19","Heartbeat",{}] \n',
        '\ufeff[2,"19","Heartbeat",{}]',
        '[2,"19","Heartbeat",{}]\x00',
        '[2,"19","Heartbeat",{},]',
        '[2,"19",,"Heartbeat",{}]',
        '[,2,"19","Heartbeat",{}]',
        b'\xef\xbb\xbf[2,"19","Heartbeat",{}]',
    ],
)
def test_a_call_is_understood_in_all_its_guises(data: str | bytes) -> None:
    frame = call(read_frame(data))
    assert (frame.message_id, frame.action, value(frame.payload)) == ("19", "Heartbeat", {})


@pytest.mark.parametrize("length", [36, 37, 255])
def test_longer_message_ids_than_allowed_are_understood(length: int) -> None:
    message_id = "ä" * length
    assert call(read_frame(f'[2,"{message_id}","Heartbeat",{{}}]')).message_id == message_id


def test_errors_are_understood_when_they_lack_their_last_elements() -> None:
    assert read_frame('[4,"19"]') == ErrorFrame("19", "GenericError", "", {})
    assert read_frame('[4,"19","NotSupported"]') == ErrorFrame("19", "NotSupported", "", {})
    assert read_frame('[4,"19","InternalError",null,null]') == ErrorFrame(
        "19", "InternalError", "", {}
    )
    assert read_frame('[5,"19","InternalError","x","y"]') == ErrorFrame(
        "19", "InternalError", "x", {}, of_result=True
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{"transactionId":,"a":1}', {"transactionId": None, "a": 1}),
        ('{"a":1,"transactionId": }', {"a": 1, "transactionId": None}),
        ('{"list":[,{"a":1}]}', {"list": [{"a": 1}]}),
        ('{"list":[ , , {"a":1},]}', {"list": [{"a": 1}]}),
        ('{,"a":1,}', {"a": 1}),
        ('{"a":NaN,"b":-Infinity,"c":[Infinity,nan]}', {"a": None, "b": None, "c": [None, None]}),
        ('{"a":NaN,"b":"NaN,,:,[,"}', {"a": None, "b": "NaN,,:,[,"}),
        ('{"a":"line\nfeed\ttab"}', {"a": "line feed tab"}),
        (r'{"a":"half \ud83d of \ud83d\ude00"}', {"a": "half � of 😀"}),
        (r'{"a":"\ud83d\\ud800"}', {"a": "�\\ud800"}),
        (r'{"a":"C:\path\x \"q\" \\"}', {"a": 'C:pathx "q" \\'}),
        ('{"a":"' + "\\\\" * 3 + '",}', {"a": "\\\\\\"}),
    ],
)
def test_broken_json_is_mended(written: str, meant: Any) -> None:
    frame = call(read_frame(f'[2,"19","DataTransfer",{written}]'))
    assert value(frame.payload) == meant


def test_bytes_that_are_no_utf_8_are_marked_in_the_envelope() -> None:
    frame = call(read_frame(b'[2,"a\xfcb","Heartbeat",{}]'))
    assert frame.message_id == "a\ufffdb"


@given(json_values, st.integers(0, 100), st.text(alphabet='[]{}"\\a', max_size=70))
def test_frames_may_nest_as_deep_as_is_allowed_and_no_deeper(
    inner: Any, levels: int, text: str
) -> None:
    nested = [inner, text, {text: "]" * 40}]
    for level in range(levels):
        nested = [nested, text] if level % 2 else [{"k": nested}]
    frame = read_frame(json.dumps([2, "19", "DataTransfer", {"data": nested}]))
    if depth([2, {"data": nested}]) > DEPTH_MAX:
        assert malformed(frame) == MalformedFrame("19", "the message is nested too deep")
    else:
        assert value(call(frame).payload) == {"data": nested}


def depth(nested: Any) -> int:
    if not isinstance(nested, dict | list):
        return 0
    inner = nested.values() if isinstance(nested, dict) else nested
    return 1 + max(map(depth, inner), default=0)


@pytest.mark.parametrize(
    "data",
    [
        '"' * FRAME_BYTES_MAX,
        '"\\' * (FRAME_BYTES_MAX // 2),
        '\\"' * (FRAME_BYTES_MAX // 2 - 1) + "\\",
        "[" * FRAME_BYTES_MAX,
        "[ " * (FRAME_BYTES_MAX // 2),
        ", " * (FRAME_BYTES_MAX // 2),
        "[" + " " * (FRAME_BYTES_MAX - 2) + "x",
        ":" + " " * (FRAME_BYTES_MAX - 2),
        "[2" + ", " * 9 + '"1"' + " ," * (FRAME_BYTES_MAX // 4),
        "NaN" * (FRAME_BYTES_MAX // 3),
        "[]" * (FRAME_BYTES_MAX // 2),
    ],
    ids=range(11),
)
def test_the_largest_nonsense_is_refused(data: str) -> None:
    assert isinstance(read_frame(data), MalformedFrame)
